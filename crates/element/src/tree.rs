//! Which folders of an app are elements.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const E_JSON: &str = "e.json";

/// The folders of each element that hold an `e.json`, by full name; the folder itself before its `backend` and
/// `frontend`, which belong to the same element.
pub(crate) type Tree = BTreeMap<String, Vec<ElementFolder>>;

#[derive(Debug, Clone)]
pub(crate) struct ElementFolder {
    pub(crate) path: PathBuf,
    /// Below the app's folder, with `/` between the parts.
    pub(crate) shown: String,
    /// A part of the path that cannot stand in a full name.
    pub(crate) bad_part: bool,
}

/// Finds them. Folders whose name begins with a dot are passed over, and links to folders are not followed.
pub(crate) fn scan(app: &Path) -> std::io::Result<Tree> {
    let mut tree = Tree::new();
    descend(app, &mut Vec::new(), false, &mut tree)?;
    Ok(tree)
}

fn descend(folder: &Path, parts: &mut Vec<String>, bad_part: bool, tree: &mut Tree) -> std::io::Result<()> {
    if !parts.is_empty() && folder.join(E_JSON).exists() {
        let shown = parts.join("/");
        let found = ElementFolder { path: folder.to_owned(), shown, bad_part };
        tree.entry(full_name(parts)).or_default().push(found);
    }
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            folders.push(entry);
        }
    }
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for entry in folders {
        let name = entry.file_name();
        let bad =
            name.to_str().is_none_or(|name| name.contains(['.', '\\']) || name.contains(char::is_control));
        parts.push(name.to_string_lossy().into_owned());
        descend(&entry.path(), parts, bad_part || bad, tree)?;
        parts.pop();
    }
    Ok(())
}

fn full_name(parts: &[String]) -> String {
    match parts {
        [above @ .., last] if !above.is_empty() && (last == "backend" || last == "frontend") => {
            above.join(".")
        }
        _ => parts.join("."),
    }
}
