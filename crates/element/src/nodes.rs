//! Every copy of every element, over all the apps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::e_json::EJson;
use crate::json::{self, Flaw, Object};
use crate::lineage::AppFolder;
use crate::tree::{self, E_JSON, ElementFolder};
use crate::{ElementCopy, Environment, Fault, OpenError};

/// One app's copy of an element.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) app_id: String,
    /// Whether this is the app that was opened.
    pub(crate) own: bool,
    /// The e.json, as it is named in errors.
    pub(crate) file: String,
    /// Where the element's files are; none for a built-in one.
    pub(crate) folders: Vec<NodeFolder>,
    pub(crate) e_json: EJson,
}

#[derive(Debug, Clone)]
pub(crate) struct NodeFolder {
    pub(crate) path: PathBuf,
    /// As it is named in errors.
    pub(crate) shown: String,
}

impl Node {
    pub(crate) fn fault(&self, element: &str, Flaw { key, problem }: Flaw) -> Fault {
        Fault { element: element.to_owned(), file: self.file.clone(), key, problem }
    }

    /// The first folder that holds a file of this name.
    pub(crate) fn folder_with(&self, file: &str) -> Option<&NodeFolder> {
        self.folders.iter().find(|folder| folder.path.join(file).is_file())
    }

    /// The folder of a Type that is written in Python, and its `loader.py` as faults name it.
    pub(crate) fn loader(&self) -> Option<(&Path, String)> {
        let folder = self.folder_with("loader.py")?;
        Some((&folder.path, format!("{}/loader.py", folder.shown)))
    }

    pub(crate) fn copy(&self) -> ElementCopy {
        ElementCopy {
            app_id: self.app_id.clone(),
            folders: self.folders.iter().map(|folder| folder.path.clone()).collect(),
            e_json: self.e_json.object.clone(),
        }
    }
}

/// The copies of each element, most derived app first, the framework's last; and the faults of those that cannot be
/// read.
pub(crate) type Nodes = BTreeMap<String, Vec<Result<Node, Fault>>>;

pub(crate) fn read(apps: &[AppFolder], environment: &Environment) -> Result<Nodes, OpenError> {
    let mut nodes = Nodes::new();
    for (index, app) in apps.iter().enumerate() {
        let unreadable = |source| OpenError::Unreadable { path: app.folder.clone(), source };
        for (full_name, folders) in tree::scan(&app.folder).map_err(unreadable)? {
            let node = read_node(app, index == 0, &full_name, &folders);
            nodes.entry(full_name).or_default().push(node);
        }
    }
    let framework = environment.framework();
    for (full_name, text) in framework.elements() {
        let file = format!("({})/{}/{E_JSON}", framework.app_id(), full_name.replace('.', "/"));
        let node = match json::parse_object(text).and_then(EJson::parse) {
            Ok(e_json) => {
                let app_id = framework.app_id().to_owned();
                Ok(Node { app_id, own: false, file, folders: Vec::new(), e_json })
            }
            Err(Flaw { key, problem }) => Err(Fault { element: full_name.to_owned(), file, key, problem }),
        };
        nodes.entry(full_name.to_owned()).or_default().push(node);
    }
    Ok(nodes)
}

fn read_node(app: &AppFolder, own: bool, full_name: &str, folders: &[ElementFolder]) -> Result<Node, Fault> {
    let mut joined = Object::new();
    let (mut main_file, mut node_folders) = (String::new(), Vec::new());
    for folder in folders {
        let shown = format!("{}{}", app.shown, folder.shown);
        let file = format!("{shown}/{E_JSON}");
        let fault =
            |Flaw { key, problem }| Fault { element: full_name.to_owned(), file: file.clone(), key, problem };
        if folder.bad_part {
            return Err(fault(Flaw::whole(
                "the path to it must be UTF-8 without dots: a full name has them between its parts",
            )));
        }
        let object = json::read_object(&folder.path.join(E_JSON)).map_err(fault)?;
        // Each file by itself first, so that an error names the right one.
        let object = EJson::parse(object).map_err(fault)?.object;
        for (key, value) in object {
            joined.entry(key).or_insert(value);
        }
        if main_file.is_empty() {
            main_file.clone_from(&file);
        }
        node_folders.push(NodeFolder { path: folder.path.clone(), shown });
    }
    let e_json = EJson::parse(joined).map_err(|Flaw { key, problem }| Fault {
        element: full_name.to_owned(),
        file: main_file.clone(),
        key,
        problem,
    })?;
    Ok(Node { app_id: app.id.to_string(), own, file: main_file, folders: node_folders, e_json })
}
