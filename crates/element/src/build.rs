//! From copies on disk to elements that work, and to what is wrong with the others.
//!
//! The steps take elements out one after another: copies that cannot be read, overrides that are refused, code that is
//! missing, Types that are none, chains that end nowhere. What is left when an element's turn comes is sound. An
//! element with one broken copy is broken: an override that was meant to close something must not vanish because of a
//! typing error in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::chain::{Broken, chain};
use crate::e_json::Modifier;
use crate::element::{Parts, last_part};
use crate::function::{Entry, functions, join, narrow};
use crate::json::{Flaw, Object};
use crate::nodes::{Node, Nodes};
use crate::overriding::{Candidate, resolve};
use crate::{Element, Environment, Fault, Kind, Type};

impl Candidate for Node {
    fn modifier(&self) -> Modifier {
        self.e_json.modifier
    }
    fn is_own(&self) -> bool {
        self.own
    }
}

#[derive(Default)]
pub(crate) struct Built {
    pub(crate) elements: BTreeMap<String, Element>,
    /// The joined e.json of every element that could be read, working or not.
    pub(crate) defines: BTreeMap<String, Object>,
    pub(crate) faults: Vec<Fault>,
}

/// An element on its way.
struct Draft {
    /// Those that count, most derived first; never empty.
    nodes: Vec<Node>,
    classes: Vec<Arc<dyn Type>>,
    title: String,
    type_name: String,
    kind: Kind,
    has_config: bool,
}

impl Draft {
    fn fault(&self, element: &str, flaw: Flaw) -> Fault {
        // The Type is named in the most derived copy that names one.
        let names = |node: &&Node| flaw.key.as_ref().is_some_and(|key| node.e_json.object.contains_key(key));
        self.nodes.iter().find(names).unwrap_or(&self.nodes[0]).fault(element, flaw)
    }
}

pub(crate) fn build(nodes: Nodes, environment: &Environment) -> Built {
    let mut work = Work {
        drafts: BTreeMap::new(),
        hidden: BTreeMap::new(),
        broken: BTreeSet::new(),
        faults: Vec::new(),
    };
    for (full_name, copies) in nodes {
        work.draft(full_name, copies, environment);
    }
    work.tell_kinds();
    let mut built = Built { defines: work.defines(), ..Built::default() };
    let chains = work.chains();
    for (full_name, types) in &chains {
        let (element, faults) = work.element(full_name, types, environment);
        work.faults.extend(faults);
        match check(&element) {
            Ok(()) => drop(built.elements.insert(full_name.clone(), element)),
            Err(fault) => work.faults.push(fault),
        }
    }
    built.faults = work.faults;
    built.faults.sort();
    built
}

fn check(element: &Element) -> Result<(), Fault> {
    match element.kind() {
        // The base first: what builds on it may count on what it has checked.
        Kind::Instance => element.0.classes.iter().rev().try_for_each(|class| class.check(element)),
        Kind::Meta | Kind::Type => Ok(()),
    }
}

struct Work {
    drafts: BTreeMap<String, Draft>,
    /// Full names that are private in an app that this one extends.
    hidden: BTreeMap<String, String>,
    broken: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Work {
    fn draft(&mut self, full_name: String, copies: Vec<Result<Node, Fault>>, environment: &Environment) {
        let (sound, faults): (Vec<_>, Vec<_>) = copies.into_iter().partition(Result::is_ok);
        let faults: Vec<Fault> = faults.into_iter().filter_map(Result::err).collect();
        if !faults.is_empty() {
            self.faults.extend(faults);
            self.broken.insert(full_name);
            return;
        }
        let resolved = resolve(sound.into_iter().flatten().collect::<Vec<Node>>());
        for node in &resolved.refused {
            let protector = &resolved.effective[0];
            let problem = format!(
                "it cannot override the element of this name in {}, which is protected; that one stays in effect",
                protector.app_id
            );
            self.faults.push(node.fault(&full_name, Flaw::whole(problem)));
        }
        let Some(first) = resolved.effective.first() else {
            if let Some(node) = resolved.hidden.first() {
                self.hidden.insert(full_name, node.app_id.clone());
            }
            return;
        };

        let mut faults = Vec::new();
        let mut required = |key: &str, may_be_empty: bool| {
            let mut texts =
                resolved.effective.iter().filter_map(|node| node.e_json.object.get(key)?.as_str());
            match texts.next() {
                Some(text) if may_be_empty || !text.is_empty() => text.to_owned(),
                _ => {
                    let problem = if may_be_empty { "is missing" } else { "is missing or empty" };
                    faults.push(first.fault(&full_name, Flaw::at(key, problem)));
                    String::new()
                }
            }
        };
        let (title, type_name) = (required("title", false), required("type", true));
        let mut classes = Vec::new();
        for node in &resolved.effective {
            let loader = node.loader();
            let found = loader.as_ref().map(|(folder, file)| (*folder, file.as_str()));
            match environment.code_of(&node.app_id, &full_name, found) {
                Ok(code) => classes.extend(code),
                Err(problem) => {
                    let file = loader.map_or_else(String::new, |(_, file)| file);
                    faults.push(Fault { element: full_name.clone(), file, key: None, problem });
                }
            }
        }
        if !faults.is_empty() {
            self.faults.extend(faults);
            self.broken.insert(full_name);
            return;
        }
        let config = config_file(&full_name);
        let has_config = resolved.effective.iter().any(|node| node.folder_with(&config).is_some());
        let (nodes, kind) = (resolved.effective, Kind::Instance);
        self.drafts.insert(full_name, Draft { nodes, classes, title, type_name, kind, has_config });
    }

    /// Tells Metas, Types and instances apart, and takes out what is neither.
    fn tell_kinds(&mut self) {
        let types: BTreeMap<String, String> =
            self.drafts.iter().map(|(name, draft)| (name.clone(), draft.type_name.clone())).collect();
        let pointed_at: BTreeSet<&String> = types.values().collect();
        for (full_name, draft) in &mut self.drafts {
            let is_type = !draft.classes.is_empty() || (pointed_at.contains(full_name) && !draft.has_config);
            draft.kind = match types.get(&draft.type_name) {
                _ if draft.type_name.is_empty() => Kind::Meta,
                Some(above) if above.is_empty() => Kind::Type,
                _ if is_type => Kind::Type,
                _ => Kind::Instance,
            };
        }
        let flawed: Vec<(String, Flaw)> = self
            .drafts
            .iter()
            .filter_map(|(name, draft)| Some((name.clone(), self.misplaced(draft)?)))
            .collect();
        for (full_name, flaw) in flawed {
            self.take_out(&full_name, flaw);
        }
    }

    fn misplaced(&self, draft: &Draft) -> Option<Flaw> {
        let type_name = &draft.type_name;
        let is_configured = draft.has_config && draft.classes.is_empty();
        let problem = match (draft.kind, self.drafts.get(type_name).map(|draft| draft.kind)) {
            (Kind::Meta, _) if is_configured => "is empty, but an instance must name its Type".to_owned(),
            (Kind::Type, Some(Kind::Meta)) if is_configured => {
                format!("{type_name} is a Meta, but an instance must name a Type")
            }
            (_, Some(Kind::Instance)) => format!("{type_name} is an instance, not a Type"),
            _ => return None,
        };
        Some(Flaw::at("type", problem))
    }

    fn take_out(&mut self, full_name: &str, flaw: Flaw) {
        if let Some(draft) = self.drafts.remove(full_name) {
            self.faults.push(draft.fault(full_name, flaw));
            self.broken.insert(full_name.to_owned());
        }
    }

    fn chains(&mut self) -> BTreeMap<String, Vec<String>> {
        let types: BTreeMap<&str, &str> =
            self.drafts.iter().map(|(name, draft)| (name.as_str(), draft.type_name.as_str())).collect();
        let (mut chains, mut faults) = (BTreeMap::new(), Vec::new());
        for (full_name, draft) in &self.drafts {
            match chain(&types, full_name) {
                Ok(types) => {
                    chains.insert(full_name.clone(), types.into_iter().map(str::to_owned).collect());
                }
                Err(broken) => {
                    faults.push(draft.fault(full_name, Flaw::at("type", self.explain(&broken))));
                }
            }
        }
        self.faults.extend(faults);
        chains
    }

    fn explain(&self, broken: &Broken) -> String {
        match broken {
            Broken::Loop(names) => format!(
                "the Types point to each other in a circle: {}; what a class overrides or builds on, it reaches as next",
                names.join(" -> ")
            ),
            Broken::Unknown(name) if self.broken.contains(name) => Self::does_not_work(name),
            Broken::Beyond(name) => Self::does_not_work(name),
            Broken::Unknown(name) => match self.hidden.get(name) {
                Some(app) => format!("the Type {name} is private to the app {app}"),
                None => format!("there is no Type {name}"),
            },
        }
    }

    fn does_not_work(name: &str) -> String {
        format!("the Type {name} does not work; its own error tells why")
    }

    fn defines(&self) -> BTreeMap<String, Object> {
        let define = |(full_name, draft): (&String, &Draft)| {
            let mut joined = Object::new();
            for node in draft.nodes.iter().rev() {
                for (key, value) in &node.e_json.object {
                    match (joined.get_mut(key), value) {
                        (Some(Value::Array(base)), Value::Array(derived))
                            if key == "functionList" && draft.kind != Kind::Instance =>
                        {
                            join_lists(base, derived);
                        }
                        _ => drop(joined.insert(key.clone(), value.clone())),
                    }
                }
            }
            joined.insert("fullName".to_owned(), full_name.clone().into());
            (full_name.clone(), joined)
        };
        self.drafts.iter().map(define).collect()
    }

    /// The element, and what is void in its functionList.
    fn element(&self, full_name: &str, types: &[String], environment: &Environment) -> (Element, Vec<Fault>) {
        let draft = &self.drafts[full_name];
        let mut entries: Vec<Entry> = Vec::new();
        let (mut classes, mut faults) = (Vec::new(), Vec::new());
        for node in types.iter().rev().flat_map(|name| self.drafts[name].nodes.iter().rev()) {
            join(&mut entries, node.e_json.functions.clone());
        }
        let functions = if draft.kind == Kind::Instance {
            classes.extend(types.iter().flat_map(|name| self.drafts[name].classes.iter().cloned()));
            let mut functions = functions(entries);
            if let Some(node) =
                draft.nodes.iter().find(|node| node.e_json.object.contains_key("functionList"))
            {
                let flaws = narrow(&mut functions, &node.e_json.functions);
                faults.extend(flaws.into_iter().map(|flaw| node.fault(full_name, flaw)));
            }
            functions
        } else {
            for node in draft.nodes.iter().rev() {
                let flaws = join(&mut entries, node.e_json.functions.clone());
                faults.extend(flaws.into_iter().map(|flaw| node.fault(full_name, flaw)));
            }
            functions(entries)
        };
        let element = Element(Arc::new(Parts {
            full_name: full_name.to_owned(),
            title: draft.title.clone(),
            kind: draft.kind,
            types: types.to_vec(),
            classes,
            functions,
            config: config(full_name, &draft.nodes),
            file: draft.nodes[0].file.clone(),
            copies: draft.nodes.iter().map(Node::copy).collect(),
            variables: environment.values().clone(),
        }));
        (element, faults)
    }
}

fn config_file(full_name: &str) -> String {
    format!("{}.json", last_part(full_name))
}

/// The configuration of the most derived copy that has one; without any, where it should be.
fn config(full_name: &str, nodes: &[Node]) -> Option<(String, std::path::PathBuf)> {
    let file = config_file(full_name);
    let existing = nodes.iter().find_map(|node| node.folder_with(&file));
    let folder = existing.or_else(|| nodes.iter().find_map(|node| node.folders.first()))?;
    Some((format!("{}/{file}", folder.shown), folder.path.join(file)))
}

/// Joins two functionLists as they are written, by name and key by key.
fn join_lists(base: &mut Vec<Value>, derived: &[Value]) {
    for item in derived {
        match base.iter_mut().find(|known| known["name"] == item["name"]) {
            Some(Value::Object(known)) => {
                known.extend(
                    item.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())),
                );
            }
            _ => base.push(item.clone()),
        }
    }
}
