//! GET /WW_verify_*.txt: the domain files by which WeCom verifies that a domain belongs to the company, before it accepts
//! the domain as 可信域名 (WeCom 85005). The WeCom administrator downloads the file from the admin console and puts it into
//! `verify/` in the data folder; no other file in that folder is served.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::http::error_numbers::NOT_FOUND;
use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::settings::Settings;

/// The folder below the data folder.
const FOLDER: &str = "verify";
/// The largest file that is served, in bytes; WeCom's files have 16 characters.
const LARGEST: u64 = 1024;

/// The file name in a path, if it has the form of a domain file.
pub(crate) fn name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let middle = name.strip_prefix("WW_verify_")?.strip_suffix(".txt")?;
    let plain = !middle.is_empty() && middle.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && name.len() <= 128).then_some(name)
}

pub(crate) async fn serve(
    settings: &Settings,
    context: &RequestContext,
    name: &str,
) -> Result<Response, Rejection> {
    let path = settings.folders.data.join(FOLDER).join(name);
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
        // Unchanged: WeCom compares byte for byte.
        Ok(bytes) => Ok(([(header::CONTENT_TYPE, "text/plain")], bytes).into_response()),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(request_id = %context.request_id, name, %error, "a domain file cannot be read");
            }
            Err(Rejection::of(NOT_FOUND).home())
        }
    }
}

/// Reads a regular file of the folder; symbolic links are refused, because they could lead anywhere.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::symlink_metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 KiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wecoms_own_names_are_files() {
        assert_eq!(name("/WW_verify_aB3dE5fG7hI9jK1l.txt"), Some("WW_verify_aB3dE5fG7hI9jK1l.txt"));
        for path in [
            "/WW_verify_.txt",
            "/WW_verify_a.txt/",
            "/WW_verify_a.TXT",
            "/WW_verify_../../key.txt",
            "/WW_verify_a%2Fb.txt",
            "/WW_verify_a\0.txt",
            "/WW_verify_张.txt",
            "/ww_verify_a.txt",
            "/x/WW_verify_a.txt",
            "//WW_verify_a.txt",
        ] {
            assert_eq!(name(path), None, "{path}");
        }
        assert_eq!(name(&format!("/WW_verify_{}.txt", "a".repeat(200))), None);
    }
}
