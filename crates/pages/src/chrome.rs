use wecom_login_model::{Bilingual, Language};

use crate::Brand;

/// The frame that all pages share: header with brand and language switch, footer with the request id.
#[derive(Debug, Clone)]
pub struct Chrome<'a> {
    /// The language of the page.
    pub language: Language,
    /// Whose sign-in this is.
    pub brand: Brand<'a>,
    /// Identifier of the request, as it stands in the log.
    pub request_id: Option<&'a str>,
    /// The same page in each language.
    pub language_links: LanguageLinks,
    /// The time zone in which moments are shown.
    pub utc_offset: UtcOffset,
}

impl<'a> Chrome<'a> {
    /// The frame of a page at `path_and_query`, with the default brand and time zone and no request id.
    ///
    /// For the answer to a POST, give the path of the page that the visitor can reload.
    pub fn new(language: Language, path_and_query: &str) -> Self {
        Self {
            language,
            brand: Brand::default(),
            request_id: None,
            language_links: LanguageLinks::of(path_and_query),
            utc_offset: UtcOffset::default(),
        }
    }

    /// The same with the identifier of the request.
    pub fn with_request_id(self, request_id: &'a str) -> Self {
        Self { request_id: Some(request_id), ..self }
    }

    /// The same under the name of another brand.
    pub fn with_brand(self, brand: Brand<'a>) -> Self {
        Self { brand, ..self }
    }

    /// The icon of the browser's tab.
    pub(crate) fn icon(&self) -> &str {
        self.brand.logo.unwrap_or(crate::assets::icon_path())
    }

    pub(crate) fn brand_name(&self) -> &str {
        self.brand.name.unwrap_or(self.say("企业登录", "Company sign-in"))
    }

    /// One of two texts, by the page's language. Templates hold both side by side through this.
    pub(crate) fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        Bilingual { zh, en }.text(self.language)
    }

    /// One text, by the page's language.
    pub(crate) fn tell(&self, text: &Bilingual) -> &'static str {
        text.text(self.language)
    }

    pub(crate) fn speaks_zh(&self) -> bool {
        self.language == Language::Zh
    }
}

/// Where the language switch leads: the page itself with `lang` set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageLinks {
    /// The page in Chinese.
    pub zh: String,
    /// The page in English.
    pub en: String,
}

impl LanguageLinks {
    /// The links of a page at `path_and_query` (the request target as it was sent, percent-encoded); other
    /// parameters stay. What is no path of this server (`//host`, `/\host`, a full URL) leads to `/`, for a
    /// request target is the visitor's and a browser may read it as another host (WHATWG URL, "relative slash
    /// state").
    ///
    /// ```
    /// use wecom_login_pages::LanguageLinks;
    /// let links = LanguageLinks::of("/login?element=a&lang=en");
    /// assert_eq!(links.zh, "/login?element=a&lang=zh");
    /// assert_eq!(LanguageLinks::of("//example.com/").en, "/?lang=en");
    /// ```
    pub fn of(path_and_query: &str) -> Self {
        let page = path_and_query.split('#').next().unwrap_or_default();
        let harmless = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        let page = if page.starts_with('/') && !page.starts_with("//") && page.bytes().all(harmless) {
            page
        } else {
            "/"
        };
        let (path, query) = page.split_once('?').unwrap_or((page, ""));
        let others: Vec<&str> = query
            .split('&')
            .filter(|parameter| {
                !parameter.is_empty() && *parameter != "lang" && !parameter.starts_with("lang=")
            })
            .collect();
        let link = |language: &str| {
            let language = format!("lang={language}");
            let mut parameters = others.clone();
            parameters.push(&language);
            format!("{path}?{}", parameters.join("&"))
        };
        Self { zh: link("zh"), en: link("en") }
    }
}

/// Minutes that a time zone is ahead of UTC. The default is China's, 480.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset {
    /// Minutes ahead of UTC, negative when behind.
    pub minutes: i16,
}

impl Default for UtcOffset {
    fn default() -> Self {
        Self { minutes: 480 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_links_keep_the_other_parameters() {
        let of = |page| LanguageLinks::of(page).en;
        assert_eq!(of("/login"), "/login?lang=en");
        assert_eq!(of("/login?"), "/login?lang=en");
        assert_eq!(of("/login?lang=zh&lang=en&a=1"), "/login?a=1&lang=en");
        assert_eq!(
            of("/login?language=x&return_to=%2Fa%3Flang%3Dzh"),
            "/login?language=x&return_to=%2Fa%3Flang%3Dzh&lang=en"
        );
    }

    #[test]
    fn language_links_never_leave_this_server() {
        for page in
            ["//example.com", "/\\example.com", "https://example.com/", "", "login", "/\t/example.com", "/张"]
        {
            assert_eq!(LanguageLinks::of(page).zh, "/?lang=zh", "{page:?}");
        }
    }
}
