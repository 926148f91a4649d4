//! Whether anything has changed, without reading it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::lineage::candidates;
use crate::{Environment, app_json, json, tree};

/// The files of an app and of the apps that it extends: paths, sizes and times of change. Two are equal when nothing
/// has changed between them.
///
/// It holds every `app.json` and every file beside an `e.json`, and nothing of other folders: a database that lies in
/// the app's folder does not count. Only `app.json` files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, Option<(u64, Option<SystemTime>)>>);

impl Snapshot {
    /// Looks at the files below an app's folder. What cannot be looked at counts as absent.
    pub fn take(folder: &Path, environment: &Environment) -> Self {
        let mut files = BTreeMap::new();
        let mut waiting = vec![folder.canonicalize().unwrap_or_else(|_| folder.to_owned())];
        let mut seen = BTreeSet::new();
        while let Some(folder) = waiting.pop() {
            if !seen.insert(folder.clone()) {
                continue;
            }
            let app_json = folder.join("app.json");
            files.insert(app_json.clone(), look(&app_json));
            let parents = json::read_object(&app_json).and_then(|object| app_json::extends(&object));
            for parent in parents.unwrap_or_default() {
                // Of each app path, so that a parent that comes later, or before another, shows.
                waiting.extend(candidates(environment, &parent));
            }
            for element in tree::scan(&folder).unwrap_or_default().into_values().flatten() {
                let entries = std::fs::read_dir(&element.path).into_iter().flatten().flatten();
                for path in entries.map(|entry| entry.path()) {
                    if let Some(seen) = look(&path) {
                        files.insert(path, Some(seen));
                    }
                }
            }
        }
        Self(files)
    }
}

/// Size in bytes and time of change of a file, links followed.
fn look(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
    Some((metadata.len(), metadata.modified().ok()))
}
