use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::{Built, build};
use crate::json::Object;
use crate::lineage::{AppFolder, lineage};
use crate::{AppRef, Code, Element, Environment, Fault, Kind, OpenError, Snapshot, Version, nodes, number};

/// An app as it was found: its own elements, those of the apps that it extends, and the framework's.
#[derive(Debug, Clone)]
pub struct App {
    folder: PathBuf,
    environment: Environment,
    org_id: String,
    name: String,
    version: Version,
    extends: Vec<String>,
    elements: BTreeMap<String, Element>,
    defines: BTreeMap<String, Object>,
    faults: Vec<Fault>,
    snapshot: Snapshot,
}

impl App {
    /// Reads the app in `folder`: its `app.json`, if there is one, the apps that it extends, and every `e.json` below
    /// them. Folders whose name begins with a dot are passed over, and links to folders are not followed.
    ///
    /// Broken elements do not make it fail; see [`App::faults`].
    pub fn open(folder: &Path, environment: &Environment) -> Result<Self, OpenError> {
        // Taken first: what changes while the app is read shows as a change afterwards.
        let snapshot = Snapshot::take(folder, environment);
        let apps = lineage(folder, environment)?;
        let app_ref = |app: &AppFolder| AppRef { id: app.id.to_string(), folder: app.folder.clone() };
        environment.begin(&apps.iter().map(app_ref).collect::<Vec<_>>());
        let nodes = nodes::read(&apps, environment)?;
        let missing: Vec<Fault> = environment
            .registered()
            .filter_map(|(app_id, full_name)| {
                let app = apps.iter().find(|app| app.id.to_string() == app_id)?;
                let has = |node: &Result<nodes::Node, Fault>| {
                    node.as_ref().map_or(true, |node| node.app_id == app_id)
                };
                let found = nodes.get(full_name).is_some_and(|nodes| nodes.iter().any(has));
                (!found).then(|| Fault {
                    element: full_name.to_owned(),
                    file: format!("{}{}/e.json", app.shown, full_name.replace('.', "/")),
                    key: None,
                    problem: format!("the file is missing; a Rust Type is registered for it in {app_id}"),
                })
            })
            .collect();
        let Built { elements, defines, mut faults } = build(nodes, environment);
        faults.extend(missing);
        faults.sort();
        let own = &apps[0];
        Ok(Self {
            folder: folder.to_owned(),
            environment: environment.clone(),
            org_id: own.id.org().to_owned(),
            name: own.id.name().to_owned(),
            version: own.version.clone(),
            extends: apps[1..].iter().map(|app| app.id.to_string()).collect(),
            elements,
            defines,
            faults,
            snapshot,
        })
    }

    /// The organisation: `orgId` of app.json, `local` without it.
    pub fn org_id(&self) -> &str {
        &self.org_id
    }

    /// The app's name: `name` of app.json, the folder's name without it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The app's version: `version` of app.json, 1.0.0 without it.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The apps that this one extends, directly or not, those that count more first; the framework is not among them.
    pub fn extends(&self) -> &[String] {
        &self.extends
    }

    /// What is wrong, by element. An element that is named here and not by [`App::element`] does not work; one that is
    /// named by both works, and something in its files is void.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The element of a full name, if there is one that works.
    pub fn element(&self, full_name: &str) -> Option<&Element> {
        self.elements.get(full_name)
    }

    /// All that work, by full name: Metas, Types and instances.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.elements.values()
    }

    /// The instances of a Type and of the Types that build on it.
    pub fn of_type<'a>(&'a self, type_name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements()
            .filter(move |element| element.kind() == Kind::Instance && element.is_of_type(type_name))
    }

    /// The elements of a selector: a full name, `.` and a Type's full name for its instances, or several with commas
    /// between. Each element once, in the selector's order.
    pub fn find(&self, selector: &str) -> Result<Vec<&Element>, Code> {
        let mut found: Vec<&Element> = Vec::new();
        for part in selector.split(',').map(str::trim) {
            let name = part.strip_prefix('.').unwrap_or(part);
            if name.is_empty() || name.contains(['#', '*', ':', '=', ' ']) {
                let reason = format!("selector: {part:?} is neither a full name nor .full.name.of.a.Type");
                return Err(Code::new(number::BAD_ARGUMENTS, reason));
            }
            let is_wanted = |element: &Element| {
                if part.starts_with('.') {
                    element.kind() == Kind::Instance && element.is_of_type(name)
                } else {
                    element.full_name() == name
                }
            };
            for element in self.elements().filter(|element| is_wanted(element)) {
                if !found.contains(&element) {
                    found.push(element);
                }
            }
        }
        Ok(found)
    }

    /// What the `e.json` files of an element say together, and its `fullName`; nothing is loaded for it, so it is there
    /// for elements that do not work, too, as long as their files can be read.
    pub fn element_define(&self, full_name: &str) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.defines.get(full_name)
    }

    /// The app as its files are now.
    pub fn reload(&self) -> Result<Self, OpenError> {
        Self::open(&self.folder, &self.environment)
    }

    /// The files that it was read from.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The files that it would be read from now.
    pub fn snapshot_now(&self) -> Snapshot {
        Snapshot::take(&self.folder, &self.environment)
    }
}
