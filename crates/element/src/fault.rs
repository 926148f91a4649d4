use std::path::PathBuf;

/// What is wrong with one element; names the element, the file and, where there is one, the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("element {element}, {file}{}: {problem}", key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default())]
pub struct Fault {
    /// The element's full name.
    pub element: String,
    /// The file, relative to the app's folder.
    pub file: String,
    /// The key in that file.
    pub key: Option<String>,
    /// What is wrong and what it should be.
    pub problem: String,
}

/// The folder is no app.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder, or a file of the app itself, cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `app.json` is not what it should be.
    #[error("{path}: {problem}")]
    AppJson {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
