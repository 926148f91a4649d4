//! From one app to all that it extends, in the order in which they count.
//!
//! The app itself is first, and every app stands before the ones it extends; of several parents the one that is named
//! first in `extends` counts more, unless another extends it. So a diamond's common ancestor comes after both sides.

use std::path::{Path, PathBuf};

use crate::app_json::{AppId, AppJson, Parent, Version};
use crate::{Environment, OpenError};

/// An app on disk.
#[derive(Debug, Clone)]
pub(crate) struct AppFolder {
    pub(crate) id: AppId,
    pub(crate) version: Version,
    pub(crate) folder: PathBuf,
    /// What stands before a file of this app where the file is named in an error: nothing for the app itself.
    pub(crate) shown: String,
}

/// The apps, most derived first.
pub(crate) fn lineage(folder: &Path, environment: &Environment) -> Result<Vec<AppFolder>, OpenError> {
    let folder =
        folder.canonicalize().map_err(|source| OpenError::Unreadable { path: folder.to_owned(), source })?;
    let mut walk = Walk { environment, path: Vec::new(), done: Vec::new() };
    walk.visit(folder, None)?;
    walk.done.reverse();
    Ok(walk.done)
}

/// The folder of a parent, in the first app path that has it.
pub(crate) fn parent_folder(environment: &Environment, parent: &Parent) -> Option<PathBuf> {
    candidates(environment, parent).find(|folder| folder.is_dir())
}

/// Where a parent may lie.
pub(crate) fn candidates(environment: &Environment, parent: &Parent) -> impl Iterator<Item = PathBuf> {
    let below = below_app_path(parent);
    environment.app_paths().iter().map(move |path| path.join(&below))
}

fn below_app_path((id, version): &Parent) -> String {
    format!("{}/{}/{}", id.org(), id.name(), version.folder())
}

/// Depth first; an app is done after all its parents, so that `done` backwards is the order that counts.
struct Walk<'a> {
    environment: &'a Environment,
    path: Vec<AppId>,
    done: Vec<AppFolder>,
}

impl Walk<'_> {
    fn visit(&mut self, folder: PathBuf, named: Option<&Parent>) -> Result<(), OpenError> {
        let AppJson { id, version, extends } = AppJson::read(&folder, named)?;
        self.path.push(id.clone());
        for (index, parent) in extends.iter().enumerate().rev() {
            let fault = |problem: String| OpenError::AppJson {
                path: folder.join("app.json"),
                key: Some(format!("extends[{index}]")),
                problem,
            };
            let (parent_id, parent_version) = parent;
            if self.environment.framework().is(parent_id) {
                continue;
            }
            if let Some(start) = self.path.iter().position(|id| id == parent_id) {
                let circle: Vec<String> = self.path[start..].iter().map(ToString::to_string).collect();
                return Err(fault(format!(
                    "the apps extend each other in a circle: {} -> {parent_id}",
                    circle.join(" -> ")
                )));
            }
            match self.done.iter().find(|app| app.id == *parent_id) {
                Some(other) if other.version == *parent_version => {}
                Some(other) => {
                    let (one, two) = (&other.version, parent_version);
                    return Err(fault(format!("{parent_id} is extended in two versions, {one} and {two}")));
                }
                None => {
                    let missing = || {
                        fault(format!(
                            "the app {parent_id} {parent_version} is missing: no folder {} under the app path",
                            below_app_path(parent)
                        ))
                    };
                    let folder = parent_folder(self.environment, parent).ok_or_else(missing)?;
                    self.visit(folder, Some(parent))?;
                }
            }
        }
        self.path.pop();
        let shown = named.map_or_else(String::new, |parent| format!("{}/", below_app_path(parent)));
        self.done.push(AppFolder { id, version, folder, shown });
        Ok(())
    }
}
