use axum::http::{HeaderMap, header};
use wecom_login_model::Language;

use crate::cookies::Cookies;

/// The language of an answer: what the address asks for, what the browser chose before, what it prefers, Chinese.
pub(crate) fn language(query: Option<&str>, headers: &HeaderMap, cookies: Cookies) -> Language {
    asked_for(query)
        .or_else(|| cookies.language(headers))
        .or_else(|| {
            let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Language::accepted(accepted)
        })
        .unwrap_or_default()
}

/// The language that the address asks for by `lang`.
pub(crate) fn asked_for(query: Option<&str>) -> Option<Language> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == "lang")
        .and_then(|(_, value)| Language::from_tag(&value))
}
