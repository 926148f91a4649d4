//! What `config check` tells: every fault that a start would meet, without a start.

use wecom_login_element::Environment;

use crate::{Server, Settings, StartError};

/// The faults of an app and its instances under these settings, and of the database and Redis if they are servers, one
/// sentence each. Nothing is written, and WeCom is not asked. `register` adds Types, as in [`Server::open_with`].
pub async fn check(
    settings: Settings,
    register: impl FnOnce(Environment) -> Environment,
) -> Result<Vec<String>, StartError> {
    let storage = settings.storage.clone();
    let server = Server::open_in_memory(settings, register).await?;
    let mut faults = storage.faults().await;
    faults.extend(server.faults().iter().map(ToString::to_string));
    let off = |(name, reason)| format!("element {name}: sign-in in the browser is off: {reason}");
    faults.extend(server.browser_off().into_iter().map(off));
    if server.instances().into_iter().next().is_none() && faults.is_empty() {
        faults.push(
            "the app has no sign-in instance: add auths/loginTypes/<Name>/e.json and <Name>.json".to_owned(),
        );
    }
    Ok(faults)
}
