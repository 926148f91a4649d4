use std::sync::LazyLock;

use wecom_login_model::Fingerprint;

/// A static file that pages refer to.
///
/// Its path holds the fingerprint of its bytes, so that it may be cached for ever
/// (`cache-control: public, max-age=31536000, immutable`): other bytes have another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Absolute path, such as `/assets/style-0123456789abcdef.css`.
    pub path: String,
    /// The `content-type` header.
    pub content_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let fingerprint = Fingerprint::of(bytes).to_hex();
        Self { path: format!("/assets/{name}-{}.{extension}", &fingerprint[..16]), content_type, bytes }
    }
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "style",
            "css",
            "text/css; charset=utf-8",
            include_bytes!("../../../web/assets/style.css"),
        ),
        Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../../web/assets/icon.svg")),
        Asset::new(
            "fresh",
            "js",
            "text/javascript; charset=utf-8",
            include_bytes!("../../../web/assets/fresh.js"),
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_have_another_path() {
        let (one, two) = (Asset::new("a", "css", "text/css", b"x"), Asset::new("a", "css", "text/css", b"y"));
        assert_ne!(one.path, two.path);
        assert_eq!(one, Asset::new("a", "css", "text/css", b"x"));
    }

    #[test]
    fn the_style_refers_to_nothing_outside_itself() {
        let style = std::str::from_utf8(ASSETS[0].bytes).unwrap();
        for outside in ["url(", "@import", "http:", "https:", "//"] {
            assert!(!style.contains(outside), "{outside}");
        }
    }
}
