use std::path::PathBuf;

/// What is wrong with one element; names the element, the file and, where there is one, the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("element {element}, {file}{}: {problem}", in_key(key.as_deref()))]
pub struct Fault {
    /// The element's full name.
    pub element: String,
    /// The file: below the app's folder for the app's own elements, below the app path for a parent's
    /// (`org/name/1_0_0/…`).
    pub file: String,
    /// The key in that file, such as `type` or `functionList[0].args[1].dataType`.
    pub key: Option<String>,
    /// What is wrong and what it should be. Never a value of a configuration file.
    pub problem: String,
}

/// The folder is no app, or an app that it extends is none.
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
    #[error("{path}{}: {problem}", in_key(key.as_deref()))]
    AppJson {
        /// The file.
        path: PathBuf,
        /// The key in it, such as `extends[0].appId`.
        key: Option<String>,
        /// What is wrong.
        problem: String,
    },
}

fn in_key(key: Option<&str>) -> String {
    key.map(|key| format!(", key {key}")).unwrap_or_default()
}
