//! What `config check` reports: every fault that a start would meet, without a start.

use wecom_login_element::Environment;

use crate::settings::{AuditLog, existing_key_in};
use crate::{Server, Settings, SettingsError};

/// What a check has found, one sentence each.
#[derive(Debug, Default)]
pub struct Checked {
    /// What a start would fail at, or would do without.
    pub faults: Vec<String>,
    /// What is only doubtful.
    pub warnings: Vec<String>,
}

/// The faults of the settings, of the app and its instances, and of the database and Redis if they are servers. With faults
/// in the settings, the rest is checked as far as it does not depend on them. Nothing is written, and WeCom is not asked.
/// `register` adds Types, as in [`Server::open_with`].
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
    // The settings, if all is known of them that a check depends on.
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

/// The folder of the audit log's file.
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

/// What is known beside the app's folder.
struct Known {
    /// Where the apps are that it extends.
    parents: bool,
    /// The address under which browsers reach the server.
    address: bool,
}

/// The data folder, if it is there already.
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

/// The app and its instances.
async fn app_faults(
    settings: &Settings,
    known: Known,
    register: impl FnOnce(Environment) -> Environment,
) -> Vec<String> {
    let server = match Server::open_in_memory(settings.clone(), register).await {
        Ok(server) => server,
        // It may be an app that it extends, which lies where the settings would say.
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
