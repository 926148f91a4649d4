//! The key that seals values at rest.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use wecom_login_model::{Entropy, Secret};
use wecom_login_store::SealKey;

const FILE: &str = "key";

/// The file of the key cannot be read or made, or holds no key. Its text holds nothing of the key.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct KeyError {
    path: PathBuf,
    problem: String,
}

impl KeyError {
    fn at(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// The key in the data folder, made there at the first start, readable by its owner only.
pub(crate) fn key_in(data: &Path, entropy: &dyn Entropy) -> Result<SealKey, KeyError> {
    if let Some(key) = existing_key_in(data)? {
        return Ok(key);
    }
    let path = data.join(FILE);
    let key = SealKey::generate(entropy);
    write(data, &path, key.to_base64()).map_err(|error| KeyError::at(&path, &error))?;
    // Of two processes that start at once the first one's key stays.
    Ok(existing_key_in(data)?.unwrap_or(key))
}

/// The key in the data folder, if there is one.
pub(crate) fn existing_key_in(data: &Path) -> Result<Option<SealKey>, KeyError> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => SealKey::parse(&text).map(Some).map_err(|error| KeyError::at(&path, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyError::at(&path, &error)),
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
        let first = key_in(folder.path(), &SeededEntropy::new(1)).unwrap();
        let second = key_in(folder.path(), &SeededEntropy::new(2)).unwrap();
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
        let error = key_in(folder.path(), &SeededEntropy::new(1)).unwrap_err().to_string();
        assert!(error.contains("32 random bytes") && !error.contains("n0tAkey"), "{error}");
    }
}
