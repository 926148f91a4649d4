use crate::Asset;

/// The largest picture, in bytes.
pub const LARGEST_LOGO: usize = 512 * 1024;

/// The picture of a company as a file to serve; `None` when it is larger than [`LARGEST_LOGO`] or is no SVG, PNG,
/// JPEG or WebP by its own first bytes.
pub fn logo(bytes: Vec<u8>) -> Option<Asset> {
    let (extension, content_type) = kind(&bytes).filter(|_| bytes.len() <= LARGEST_LOGO)?;
    Some(Asset::new("logo", extension, content_type, bytes))
}

fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(("png", "image/png")),
        [0xff, 0xd8, 0xff, ..] => Some(("jpg", "image/jpeg")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("webp", "image/webp")),
        _ => {
            let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
            let is_svg = text.starts_with('<') && text.contains("<svg") && !text.contains("<html");
            is_svg.then_some(("svg", "image/svg+xml"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let kind = |bytes: &[u8]| logo(bytes.to_vec()).map(|asset| asset.content_type);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind("\u{feff}<?xml version='1.0'?>\n<svg/>".as_bytes()), Some("image/svg+xml"));
        for no_picture in ["", "GIF89a", "<html><svg></svg></html>", "svg", "BM"] {
            assert_eq!(kind(no_picture.as_bytes()), None, "{no_picture:?}");
        }
    }

    #[test]
    fn a_picture_has_a_size() {
        let mut bytes = b"<svg>".to_vec();
        bytes.resize(LARGEST_LOGO, b' ');
        assert!(logo(bytes.clone()).is_some());
        bytes.push(b' ');
        assert!(logo(bytes).is_none());
    }
}
