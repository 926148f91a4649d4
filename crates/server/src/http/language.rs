use axum::http::{HeaderMap, header};
use wecom_login_model::Language;

use crate::http::cookies::Cookies;
use crate::http::header_bytes::text;

/// The language of an answer, in this order: `lang` in the address, the cookie of an earlier choice, Accept-Language, Chinese.
/// For scripts Accept-Language goes before the cookie, because a script sends the language of its own page.
pub(crate) fn language(query: Option<&str>, headers: &HeaderMap, cookies: Cookies) -> Language {
    let preferred = || Language::accepted(&text(headers, header::ACCEPT_LANGUAGE));
    let chosen = || cookies.language(headers);
    let accept = text(headers, header::ACCEPT);
    let for_script = accept.contains("application/json") && !accept.contains("text/html");
    let known = if for_script { preferred().or_else(chosen) } else { chosen().or_else(preferred) };
    asked_for(query).or(known).unwrap_or_default()
}

/// The language of the parameter `lang`.
pub(crate) fn asked_for(query: Option<&str>) -> Option<Language> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == "lang")
        .and_then(|(_, value)| Language::from_tag(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_what_was_chosen_and_scripts_their_page() {
        let told = |query, accept: &'static str, accepted: &'static str, cookie: &'static str| {
            let headers =
                [(header::ACCEPT, accept), (header::ACCEPT_LANGUAGE, accepted), (header::COOKIE, cookie)];
            let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
            let headers = headers.map(|(name, value)| (name, value.parse().unwrap())).collect();
            language(query, &headers, Cookies::new(false)).tag()
        };
        let (page, script, english) = ("text/html,*/*;q=0.8", "application/json", "wecom_login_lang=en");
        assert_eq!(told(None, page, "zh-CN", english), "en");
        assert_eq!(told(None, script, "zh-CN", english), "zh-CN");
        assert_eq!(told(None, script, "", english), "en");
        assert_eq!(told(None, script, "fr", english), "en");
        for accept in ["", "*/*", "text/html, application/json"] {
            assert_eq!(told(None, accept, "zh-CN", english), "en", "{accept}");
        }
        assert_eq!(told(Some("lang=zh"), script, "en", english), "zh-CN");
        assert_eq!(told(None, script, "", ""), "zh-CN");
        // F7: one part that cannot be read hides no other one.
        assert_eq!(told(None, page, "中文;q=1, en;q=0.5", ""), "en");
        assert_eq!(told(None, page, "zh", "corp_user=张三; wecom_login_lang=en"), "en");
        assert_eq!(told(None, page, "zh", "wecom_login_lang=华; wecom_login_lang=en"), "en");
        assert_eq!(told(None, "application/json, x/华为", "zh", english), "zh-CN");
    }
}
