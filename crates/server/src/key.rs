//! The key that seals values at rest.

use std::io::Write as _;
use std::path::Path;

use wecom_login_model::{Entropy, Secret};
use wecom_login_store::SealKey;

use crate::StartError;

const FILE: &str = "key";

/// The configured key, or the one in the data folder, made there at the first start, readable by its owner only.
pub(crate) fn seal_key(
    configured: Option<&Secret>,
    data: &Path,
    entropy: &dyn Entropy,
) -> Result<SealKey, StartError> {
    if let Some(key) = configured {
        return SealKey::parse(key.expose()).map_err(|error| StartError::Key(format!("key: {error}")));
    }
    let path = data.join(FILE);
    let failed = |error: &dyn std::fmt::Display| StartError::Key(format!("{}: {error}", path.display()));
    match std::fs::read_to_string(&path) {
        Ok(text) => SealKey::parse(&text).map_err(|error| failed(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = SealKey::generate(entropy);
            write(data, &path, key.to_base64()).map_err(|error| failed(&error))?;
            // Of two processes that start at once the first one's key stays.
            let kept = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
            SealKey::parse(&kept).map_err(|error| failed(&error))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Puts the key in place whole or not at all; a key that is there already stays.
fn write(data: &Path, path: &Path, key: &Secret) -> std::io::Result<()> {
    let draft = data.join(format!("{FILE}.{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", key.expose())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::SeededEntropy;

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let first = seal_key(None, folder.path(), &SeededEntropy::new(1)).unwrap();
        let second = seal_key(None, folder.path(), &SeededEntropy::new(2)).unwrap();
        assert_eq!(first.to_base64(), second.to_base64());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_is_none_stops_the_start_and_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "n0tAkey").unwrap();
        let error = seal_key(None, folder.path(), &SeededEntropy::new(1)).unwrap_err().to_string();
        assert!(error.contains("32 random bytes") && !error.contains("n0tAkey"), "{error}");
        assert!(seal_key(Some(&Secret::new("x")), folder.path(), &SeededEntropy::new(1)).is_err());
    }
}
