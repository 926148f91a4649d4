//! `config check`: reports every fault that would fail a start, without starting the server.

use wecom_login_element::Environment;

use crate::settings::{AuditLog, existing_key_in};
use crate::{Server, Settings, SettingsError};

/// The findings of a check, one sentence each.
#[derive(Debug, Default)]
pub struct Checked {
    /// Faults that fail a start, or that disable a part of the server.
    pub faults: Vec<String>,
    /// Doubtful settings that do not fail a start.
    pub warnings: Vec<String>,
}

/// Checks the settings, the app and its instances, and the database and Redis if they are servers. If settings have faults,
/// checks that depend on them are skipped. Writes nothing and does not call WeCom. `register` adds Types, as in
/// [`Server::open_with`].
pub async fn check(
    loaded: Result<Settings, SettingsError>,
    register: impl FnOnce(Environment) -> Environment,
) -> Checked {
    let mut checked = Checked::default();
    match &loaded {
        Ok(settings) => checked.warnings.extend_from_slice(settings.warnings()),
        Err(error) => {
            checked.warnings.extend_from_slice(error.warnings());
            checked.faults.extend_from_slice(error.faults());
        }
    }
    // The settings, if none of the keys that a check depends on has a fault.
    let knowing = |keys: &[&str]| match &loaded {
        Ok(settings) => Some(settings),
        Err(error) => error.rest_if_known(keys),
    };
    if let Some(settings) = knowing(&["data", "key"]) {
        check_data(settings, &mut checked.faults);
    }
    if let Some(settings) = knowing(&["audit_log"]) {
        check_audit_log(settings, &mut checked.faults);
    }
    if let Some(settings) = knowing(&["database", "redis"]) {
        let unreachable = settings.storage.unreachable().await;
        let faults = unreachable.iter().map(|(key, error)| format!("{}: {error}", settings.naming(key)));
        checked.faults.extend(faults);
    }
    if let Some(settings) = knowing(&["app"]) {
        let known = Known {
            parents: knowing(&["app_path"]).is_some(),
            address: knowing(&["public_url", "allow_http"]).is_some(),
        };
        checked.faults.extend(app_faults(settings, known, register).await);
    }
    checked
}

/// The number of companies that the app's instances serve; 0 if the app folder cannot be read.
pub async fn served_companies(
    settings: &Settings,
    register: impl FnOnce(Environment) -> Environment,
) -> usize {
    let server = Server::open_in_memory(settings.clone(), register).await;
    server.map_or(0, |server| server.app.apps.loaded().companies())
}

/// Checks the path of the audit file.
fn check_audit_log(settings: &Settings, faults: &mut Vec<String>) {
    let Some(AuditLog::File(path)) = &settings.operations.audit_log else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let problem = if path.is_dir() {
        "is a folder"
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        "its folder does not exist"
    } else {
        return;
    };
    faults.push(format!("{}: {}: {problem}", settings.naming("audit_log"), path.display()));
}

/// The settings without faults, besides the app folder.
struct Known {
    /// The folders of the apps that the app extends.
    parents: bool,
    /// `public_url`.
    address: bool,
}

/// Checks the data folder if it exists.
fn check_data(settings: &Settings, faults: &mut Vec<String>) {
    let data = &settings.folders.data;
    if data.exists() && !data.is_dir() {
        faults.push(format!("{}: {} is not a folder", settings.naming("data"), data.display()));
    } else if settings.storage.key.is_none()
        && let Err(error) = existing_key_in(data)
    {
        faults.push(error.to_string());
    }
}

/// The faults of the app and its instances.
async fn app_faults(
    settings: &Settings,
    known: Known,
    register: impl FnOnce(Environment) -> Environment,
) -> Vec<String> {
    let server = match Server::open_in_memory(settings.clone(), register).await {
        Ok(server) => server,
        // The missing app may be one that it extends, whose folder is in the faulty settings.
        Err(_) if !known.parents && settings.folders.app.is_dir() => return Vec::new(),
        Err(error) => return vec![error.to_string()],
    };
    let mut faults: Vec<String> = server.faults().iter().map(ToString::to_string).collect();
    if known.address {
        let off = |(name, reason)| format!("element {name}: sign-in in the browser is off: {reason}");
        faults.extend(server.browser_off().into_iter().map(off));
    }
    if server.instances().is_empty() && faults.is_empty() {
        let missing = "the app has no sign-in instance: add auths/loginTypes/<Name>/e.json and <Name>.json";
        faults.push(missing.to_owned());
    }
    faults
}
