use std::borrow::Cow;
use std::sync::LazyLock;

use wecom_login_model::Fingerprint;

/// A static file that pages refer to.
///
/// Its path changes with its bytes, so that it may be cached for ever
/// (`cache-control: public, max-age=31536000, immutable`): it holds their fingerprint, or the version of a file that
/// others publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Absolute path, such as `/assets/style-0123456789abcdef.css`.
    pub path: String,
    /// The `content-type` header.
    pub content_type: &'static str,
    /// The file.
    pub bytes: Cow<'static, [u8]>,
}

impl Asset {
    /// A file of ours, under its fingerprint.
    pub(crate) fn new(
        name: &str,
        extension: &str,
        content_type: &'static str,
        bytes: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        let bytes = bytes.into();
        let fingerprint = Fingerprint::of(&bytes).to_hex();
        Self { path: format!("/assets/{name}-{}.{extension}", &fingerprint[..16]), content_type, bytes }
    }
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    [
        Asset::new("style", "css", CSS, include_bytes!("../../../web/assets/style.css").as_slice()),
        Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../../web/assets/icon.svg").as_slice()),
        Asset::new("fresh", "js", JAVASCRIPT, include_bytes!("../../../web/assets/fresh.js").as_slice()),
        Asset::new(
            "login",
            "js",
            JAVASCRIPT,
            include_bytes!("../../../clients/js/dist/login_page.js").as_slice(),
        ),
        Asset::new(
            "callback",
            "js",
            JAVASCRIPT,
            include_bytes!("../../../web/assets/callback.js").as_slice(),
        ),
        // WeCom's own login panel (WeCom 98172). Its path is known to the JavaScript client as well.
        Asset {
            path: "/assets/wecom-jssdk-2.4.4.js".to_owned(),
            content_type: JAVASCRIPT,
            bytes: Cow::Borrowed(include_bytes!("../../../web/vendor/wecom-jssdk-2.4.4/wecom.prod.js")),
        },
    ]
});

/// All static files that the pages need; each is to be served at its path to anyone who asks.
pub fn assets() -> &'static [Asset] {
    &*ASSETS
}

/// The path of the style sheet.
pub(crate) fn style_path() -> &'static str {
    &ASSETS[0].path
}

/// The path of the icon.
pub(crate) fn icon_path() -> &'static str {
    &ASSETS[1].path
}

/// The path of the script that keeps a page from being shown again as it was.
pub(crate) fn fresh_path() -> &'static str {
    &ASSETS[2].path
}

/// The path of the sign-in page's script, an ES module.
pub(crate) fn login_path() -> &'static str {
    &ASSETS[3].path
}

/// The path of the bare redirect page's script, an ES module.
pub(crate) fn callback_path() -> &'static str {
    &ASSETS[4].path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_have_another_path() {
        let asset = |bytes: &'static [u8]| Asset::new("a", "css", CSS, bytes);
        assert_ne!(asset(b"x").path, asset(b"y").path);
        assert_eq!(asset(b"x"), asset(b"x"));
    }

    #[test]
    fn the_style_refers_to_nothing_outside_itself() {
        let style = std::str::from_utf8(&ASSETS[0].bytes).unwrap();
        for outside in ["url(", "@import", "http:", "https:", "//"] {
            assert!(!style.contains(outside), "{outside}");
        }
    }

    #[test]
    fn wecoms_script_is_the_one_that_was_vendored() {
        let sums = include_str!("../../../web/vendor/wecom-jssdk-2.4.4/SHA256SUMS");
        assert_eq!(sums, format!("{}  wecom.prod.js\n", Fingerprint::of(&ASSETS[5].bytes).to_hex()));
        let text = std::str::from_utf8(&ASSETS[5].bytes).unwrap();
        assert!(text.contains("\"2.4.4\""), "the version in the path is the file's own");
    }
}
