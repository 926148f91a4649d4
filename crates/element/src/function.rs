//! functionList: what may be called, with which arguments, by whom.
//!
//! Lists are joined along a Type's chain, by function name and then key by key: a derived Type names what it adds or
//! changes. An instance's list only narrows. `libraryOnly` cannot be taken back by anyone.

use serde_json::Value;

use crate::DataType;
use crate::json::{self, Flaw, Object};

/// Who may call a function; each one includes those that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Whoever can reach the server: `loginRequired` 0.
    Anyone,
    /// Whoever is signed in: `loginRequired` 1, the default.
    SignedIn,
    /// Administrators: `adminRequired` 1.
    Administrators,
    /// Nobody from outside, whatever lists say: `libraryOnly` 1, or left out of an instance's list.
    Library,
}

/// A declared argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it takes.
    pub data_type: DataType,
    /// Whether it must be given: `required` 1, the default where there is no `value`.
    pub required: bool,
    /// What stands in when it is not given: `value`.
    pub default: Option<Value>,
}

/// A function of an element.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it takes, in order.
    pub parameters: Vec<Parameter>,
    /// Who may call it.
    pub access: Access,
}

/// One item of a functionList: what it says, and no more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    name: String,
    title: Option<String>,
    parameters: Option<Vec<Parameter>>,
    login: Option<bool>,
    admin: Option<bool>,
    library: Option<bool>,
}

impl Entry {
    fn access(&self) -> Access {
        match (self.library, self.admin, self.login) {
            (Some(true), ..) => Access::Library,
            (_, Some(true), _) => Access::Administrators,
            (.., Some(false)) => Access::Anyone,
            _ => Access::SignedIn,
        }
    }

    /// What the item itself demands; a key that is left out demands nothing.
    fn floor(&self) -> Access {
        match (self.library, self.admin, self.login) {
            (Some(true), ..) => Access::Library,
            (_, Some(true), _) => Access::Administrators,
            (.., Some(true)) => Access::SignedIn,
            _ => Access::Anyone,
        }
    }

    /// The first key that lets more callers in than its opposite would.
    fn first_refusal(&self) -> Option<&'static str> {
        let keys =
            [("loginRequired", self.login), ("adminRequired", self.admin), ("libraryOnly", self.library)];
        keys.into_iter().find(|(_, on)| *on == Some(false)).map(|(key, _)| key)
    }
}

/// The functionList of an e.json; empty without one.
pub(crate) fn entries(e_json: &Object) -> Result<Vec<Entry>, Flaw> {
    let items = json::objects(e_json, "functionList", "functionList")?.unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let at = |key: &str| format!("functionList[{index}].{key}");
        let name = name(item, &at("name"))?;
        if entries.iter().any(|entry| entry.name == name) {
            return Err(Flaw::at(at("name"), format!("{name} is listed twice")));
        }
        entries.push(Entry {
            name,
            title: json::text(item, "title", &at("title"))?.map(str::to_owned),
            parameters: parameters(item, &at("args"))?,
            login: json::switch(item, "loginRequired", &at("loginRequired"))?,
            admin: json::switch(item, "adminRequired", &at("adminRequired"))?,
            library: json::switch(item, "libraryOnly", &at("libraryOnly"))?,
        });
    }
    Ok(entries)
}

fn parameters(item: &Object, at: &str) -> Result<Option<Vec<Parameter>>, Flaw> {
    let Some(items) = json::objects(item, "args", at)? else { return Ok(None) };
    let mut parameters: Vec<Parameter> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let at = |key: &str| format!("{at}[{index}].{key}");
        let name = name(item, &at("name"))?;
        if parameters.iter().any(|parameter| parameter.name == name) {
            return Err(Flaw::at(at("name"), format!("{name} is declared twice")));
        }
        let type_name = json::text(item, "dataType", &at("dataType"))?
            .ok_or_else(|| Flaw::at(at("dataType"), "is missing"))?;
        let data_type = DataType::parse(type_name)
            .ok_or_else(|| Flaw::at(at("dataType"), format!("there is no data type {type_name}")))?;
        let default = match item.get("value") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                data_type
                    .accept(value.clone())
                    .ok_or_else(|| Flaw::at(at("value"), format!("is no {type_name}")))?,
            ),
        };
        let required = json::switch(item, "required", &at("required"))?.unwrap_or(default.is_none());
        let title = json::text(item, "title", &at("title"))?.unwrap_or(&name).to_owned();
        parameters.push(Parameter { name, title, data_type, required, default });
    }
    Ok(Some(parameters))
}

fn name(item: &Object, at: &str) -> Result<String, Flaw> {
    let name = json::text(item, "name", at)?.ok_or_else(|| Flaw::at(at, "is missing"))?;
    let starts = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    if starts && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        Ok(name.to_owned())
    } else {
        Err(Flaw::at(at, "must be a name of letters, digits and _"))
    }
}

/// Puts a derived list on top of a base's. Gives a flaw for each attempt to take `libraryOnly` back, which is void.
pub(crate) fn join(base: &mut Vec<Entry>, derived: Vec<Entry>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (index, entry) in derived.into_iter().enumerate() {
        let Some(known) = base.iter_mut().find(|known| known.name == entry.name) else {
            base.push(entry);
            continue;
        };
        if known.library == Some(true) && entry.library == Some(false) {
            let at = format!("functionList[{index}].libraryOnly");
            flaws.push(Flaw::at(at, format!("{} stays closed to callers from outside", entry.name)));
        }
        known.library = Some(known.library == Some(true) || entry.library == Some(true));
        known.title = entry.title.or(known.title.take());
        known.parameters = entry.parameters.or(known.parameters.take());
        known.login = entry.login.or(known.login);
        known.admin = entry.admin.or(known.admin);
    }
    flaws
}

/// The functions of a joined list.
pub(crate) fn functions(entries: Vec<Entry>) -> Vec<Function> {
    let function = |entry: Entry| Function {
        access: entry.access(),
        title: entry.title.unwrap_or_else(|| entry.name.clone()),
        parameters: entry.parameters.unwrap_or_default(),
        name: entry.name,
    };
    entries.into_iter().map(function).collect()
}

/// Narrows a Type's functions to an instance's list; an empty list says nothing. What would widen is void, and told.
pub(crate) fn narrow(functions: &mut [Function], list: &[Entry]) -> Vec<Flaw> {
    if list.is_empty() {
        return Vec::new();
    }
    let mut flaws = Vec::new();
    for function in functions.iter_mut() {
        match list.iter().position(|entry| entry.name == function.name) {
            None => function.access = Access::Library,
            Some(index) => {
                let entry = &list[index];
                let floor = entry.floor();
                if floor < function.access
                    && let Some(key) = entry.first_refusal()
                {
                    let at = format!("functionList[{index}].{key}");
                    let problem =
                        format!("an instance may only narrow who may call {}; this is void", entry.name);
                    flaws.push(Flaw::at(at, problem));
                }
                function.access = function.access.max(floor);
            }
        }
    }
    for (index, entry) in list.iter().enumerate() {
        if !functions.iter().any(|function| function.name == entry.name) {
            let at = format!("functionList[{index}].name");
            flaws.push(Flaw::at(at, format!("the Type has no function {}", entry.name)));
        }
    }
    flaws
}
