//! What `config check` tells: every fault that a start would meet, without a start.

use std::sync::Arc;

use wecom::{InProcessTokens, Transport};
use wecom_login_element::App;
use wecom_login_login::{Instances, Wiring};

use crate::settings::Settings;
use crate::site::browser_off;
use crate::{StartError, Surroundings};

/// The faults of an app and its instances under these settings, one sentence each. Nothing is written, and WeCom is not
/// asked.
pub fn check(settings: &Settings) -> Result<Vec<String>, StartError> {
    let Surroundings { clock, entropy, .. } = Surroundings::default();
    let app = App::open(&settings.app)?;
    let tokens = Arc::new(InProcessTokens::default());
    let wiring = Wiring { clock, entropy, tokens, transport: Transport::builder().build()? };
    let (instances, config_faults) = Instances::read(&app, &wiring);
    let mut faults: Vec<String> = app.faults.iter().chain(&config_faults).map(ToString::to_string).collect();
    for instance in instances.iter() {
        if let Some(reason) = browser_off(instance, settings) {
            faults.push(format!("element {}: sign-in in the browser is off: {reason}", instance.full_name()));
        }
    }
    if instances.is_empty() && faults.is_empty() {
        faults.push(
            "the app has no sign-in instance: add auths/loginTypes/<Name>/e.json and <Name>.json".to_owned(),
        );
    }
    Ok(faults)
}
