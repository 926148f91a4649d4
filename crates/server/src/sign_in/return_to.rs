//! The addresses that a sign-in may return to.

use url::{Origin, Url};

/// The longest address, in bytes: it travels in a cookie.
pub(super) const LONGEST: usize = 1500;

/// Resolves an address to return to as a browser would: absolute, at our own origin or at a configured one.
///
/// Control characters, backslashes, user names and other origins are refused. The resolved address is stored, so that the text
/// is not resolved a second time in a different way.
pub(crate) fn resolve(text: &str, public_url: &Url, others: &[Origin]) -> Option<String> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    if text.chars().any(|char| char.is_control() || char.is_whitespace() || char == '\\') {
        return None;
    }
    // Paths relative to a folder are not supported; `//host` is an absolute address in disguise.
    let relative = text.starts_with('/') && !text.starts_with("//");
    let url = if relative { public_url.join(text).ok()? } else { Url::parse(text).ok()? };
    let known = url.origin() == public_url.origin() || others.contains(&url.origin());
    let plain = url.username().is_empty() && url.password().is_none();
    // A parser that escapes may have made it longer.
    let fits = url.as_str().len() <= LONGEST;
    (known && plain && fits && matches!(url.scheme(), "http" | "https")).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_origins_and_plain_paths() {
        let public_url = Url::parse("https://login.example.com").unwrap();
        let others = [Url::parse("https://portal.example.com:8443").unwrap().origin()];
        let resolve = |text: &str| resolve(text, &public_url, &others);

        assert_eq!(
            resolve("/reports?id=1#top").as_deref(),
            Some("https://login.example.com/reports?id=1#top")
        );
        assert_eq!(resolve("/a/../b").as_deref(), Some("https://login.example.com/b"));
        assert_eq!(resolve("https://login.example.com/x").as_deref(), Some("https://login.example.com/x"));
        assert_eq!(
            resolve("https://portal.example.com:8443/").as_deref(),
            Some("https://portal.example.com:8443/")
        );
        for text in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https:/\t/evil.example",
            "https://evil.example",
            "https://login.example.com@evil.example/",
            "https://u:p@login.example.com/",
            "https://u@login.example.com/",
            "http://login.example.com/",
            "https://login.example.com:8443/",
            "https://portal.example.com/",
            "https://login.example.com.evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "reports",
            "?a=b",
            "/a\nb",
            "/a b",
            " /a",
            "///evil.example",
            "/%00\u{0}",
            "https://login。example.com.evil/",
        ] {
            assert_eq!(resolve(text), None, "{text:?}");
        }
        assert_eq!(resolve(&format!("/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn dots_and_slashes_in_paths_stay_on_the_origin() {
        let public_url = Url::parse("https://login.example.com").unwrap();
        for text in ["/.//evil.example", "/..//evil.example", "/a/..//evil.example"] {
            let resolved = resolve(text, &public_url, &[]).unwrap();
            assert!(resolved.starts_with("https://login.example.com/"), "{text} -> {resolved}");
        }
    }
}
