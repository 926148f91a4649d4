//! `WECOM_LOGIN_<KEY>` in the environment.

use std::ffi::{OsStr, OsString};

use super::declaration::{Declaration, PREFIX, Shape, variable};
use super::raw::{RawSettings, RawValue, trim};
use super::source::Source;

/// The process's variables that begin with our prefix.
pub(super) fn ours() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_ours(name))
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Adds the values of the environment.
pub(super) fn read(environment: impl IntoIterator<Item = (OsString, OsString)>, raw: &mut RawSettings) {
    for (name, value) in environment.into_iter().filter(|(name, _)| is_ours(name)) {
        let shown_name = name.to_string_lossy().into_owned();
        let source = Source::Variable(shown_name.clone());
        let Some((name, key)) = raw.keys().find_map(|key| key_of(key, &shown_name)) else {
            if !is_service_link(&shown_name, &value.to_string_lossy()) {
                raw.warn(source, "", &unknown_variable(&shown_name, raw));
            }
            continue;
        };
        match value.into_string() {
            Ok(text) => match raw_value(&text, key) {
                Ok(value) => raw.give(name, value, source),
                Err(sentence) => raw.remark(source, name, sentence),
            },
            Err(_) => raw.remark(source, name, "is not UTF-8"),
        }
    }
}

/// The name, today's or a former one, that the variable sets.
fn key_of(key: &'static Declaration, variable_name: &str) -> Option<(&'static str, &'static Declaration)> {
    let former = key.formerly.map(|former| former.name);
    let name = [Some(key.name), former].into_iter().flatten().find(|name| variable(name) == variable_name)?;
    Some((name, key))
}

fn raw_value(text: &str, key: &Declaration) -> Result<RawValue, &'static str> {
    let text = trim(text);
    let quoted = ['"', '\''].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote));
    if quoted {
        return Err("stands in quotes, which belong to the value here; leave them out");
    }
    Ok(match key.kind.shape {
        Shape::List => RawValue::List(text.split(',').map(str::to_owned).collect()),
        Shape::Text | Shape::Flag | Shape::Number => RawValue::Text(text.to_owned()),
    })
}

fn unknown_variable(name: &str, raw: &RawSettings) -> String {
    let key = name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase();
    match raw.suggestion(&key) {
        Some(key) => format!("no setting has this name; did you mean {}?", variable(key)),
        None => "no setting has this name; docs/settings.md lists them".to_owned(),
    }
}

/// True for the variables that Kubernetes sets for a Service whose name begins with wecom-login, such as
/// `WECOM_LOGIN_SERVICE_HOST` and `WECOM_LOGIN_METRICS_PORT_9464_TCP_ADDR` (Kubernetes, "Accessing the Service").
fn is_service_link(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    let words: Vec<&str> = name.split('_').skip(2).collect();
    let is_link = |value: &str| {
        value
            .split_once("://")
            .is_some_and(|(scheme, _)| PROTOCOLS.contains(&scheme.to_ascii_uppercase().as_str()))
    };
    (0..words.len()).any(|at| match words[at..] {
        ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] => true,
        ["PORT"] => is_link(value),
        ["PORT", port, protocol] | ["PORT", port, protocol, "PROTO" | "PORT" | "ADDR"] => {
            port.parse::<u16>().is_ok() && PROTOCOLS.contains(&protocol)
        }
        _ => false,
    })
}
