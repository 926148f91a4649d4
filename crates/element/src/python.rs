//! Types that are written in Python, as far as an app on disk has to know of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Type;

/// An app on disk, where it stands in the line of those that extend each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRef {
    /// Its `org.name`.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// The `loader.py` of one copy of a Type.
#[derive(Debug, Clone, Copy)]
pub struct Loader<'a> {
    /// The `org.name` of the app that the copy is in.
    pub app_id: &'a str,
    /// The Type's full name.
    pub full_name: &'a str,
    /// The folder that holds `loader.py`.
    pub folder: &'a Path,
    /// `loader.py` as faults name it.
    pub file: &'a str,
}

/// Runs the Types that are written in Python; the Python package has the one implementation.
pub trait Python: Send + Sync + 'static {
    /// An app is about to be read, for the first time or again: the app itself first, then those that it extends.
    fn begin(&self, apps: &[AppRef]);

    /// Gives the Type of a `loader.py`, or what is wrong with it, with its line.
    fn load(&self, loader: Loader<'_>) -> Result<Arc<dyn Type>, String>;
}
