//! `app.json`: which app this is, and which ones it extends.

use std::fmt;
use std::path::Path;

use crate::OpenError;
use crate::json::{self, Flaw, Object};

const DEFAULT_ORG: &str = "local";
const DEFAULT_VERSION: &str = "1.0.0";

/// An app: organisation and name, written `org.name`. The name may hold dots, the organisation none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId {
    org: String,
    name: String,
}

impl AppId {
    /// Parses `org.name`. Both are one segment of an address and of a path.
    pub fn parse(text: &str) -> Option<Self> {
        let (org, name) = text.split_once('.')?;
        (is_org(org) && is_name(name)).then(|| Self { org: org.to_owned(), name: name.to_owned() })
    }

    /// The organisation.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The app's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.org, self.name)
    }
}

/// An app's version, such as `1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

impl Version {
    /// Parses parts of letters, digits and `-` with dots between.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        text.split('.').all(part).then(|| Self(text.to_owned()))
    }

    /// The version as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of this version: dots are underscores.
    pub(crate) fn folder(&self) -> String {
        self.0.replace('.', "_")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An app that another one extends.
pub(crate) type Parent = (AppId, Version);

/// What an `app.json` says, defaults filled in.
#[derive(Debug)]
pub(crate) struct AppJson {
    pub(crate) id: AppId,
    pub(crate) version: Version,
    pub(crate) extends: Vec<Parent>,
}

impl AppJson {
    /// Reads the `app.json` in `folder`, if there is one. `named` is how the app was asked for when it is a parent:
    /// its `app.json` must not say otherwise.
    pub(crate) fn read(folder: &Path, named: Option<&Parent>) -> Result<Self, OpenError> {
        let path = folder.join("app.json");
        let read = || {
            let object = if path.exists() { json::read_object(&path)? } else { Object::new() };
            let folder_name =
                || folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
            Self::parse(&object, named, folder_name)
        };
        read().map_err(|Flaw { key, problem }| OpenError::AppJson { path: path.clone(), key, problem })
    }

    fn parse(
        object: &Object,
        named: Option<&Parent>,
        folder_name: impl FnOnce() -> String,
    ) -> Result<Self, Flaw> {
        let segment = |key: &str, rule: fn(&str) -> bool| match json::text(object, key, key)? {
            Some(text) if !rule(text) => {
                Err(Flaw::at(key, "must be one segment of an address: not empty, no / or \\, no dot at org"))
            }
            text => Ok(text.map(str::to_owned)),
        };
        let (org, name) = (segment("orgId", is_org)?, segment("name", is_name)?);
        let id = match json::text(object, "appId", "appId")? {
            Some(text) => {
                let id = app_id(text, "appId")?;
                if org.is_some_and(|org| org != id.org) || name.is_some_and(|name| name != id.name) {
                    return Err(Flaw::at("appId", "must be orgId and name with a dot between"));
                }
                id
            }
            None => AppId {
                org: org.unwrap_or_else(|| named.map_or(DEFAULT_ORG, |named| named.0.org()).to_owned()),
                name: name
                    .unwrap_or_else(|| named.map_or_else(folder_name, |named| named.0.name().to_owned())),
            },
        };
        let version = match (json::text(object, "version", "version")?, named) {
            (Some(text), _) => version(text, "version")?,
            (None, Some(named)) => named.1.clone(),
            (None, None) => Version(DEFAULT_VERSION.to_owned()),
        };
        if let Some((named_id, named_version)) = named {
            if id != *named_id {
                return Err(Flaw::at("appId", format!("is {id} in the folder of {named_id}")));
            }
            if version != *named_version {
                return Err(Flaw::at("version", format!("is {version} in the folder of {named_version}")));
            }
        }
        Ok(Self { id, version, extends: extends(object)? })
    }
}

/// The apps that an `app.json` names in `extends`.
pub(crate) fn extends(object: &Object) -> Result<Vec<Parent>, Flaw> {
    let parents = json::objects(object, "extends", "extends")?.unwrap_or_default();
    let parents = parents.into_iter().enumerate().map(|(index, parent)| {
        let required = |key: &str| {
            let at = format!("extends[{index}].{key}");
            let text = json::text(parent, key, &at)?.ok_or_else(|| Flaw::at(&at, "is missing"))?;
            Ok((text, at))
        };
        let (id, at) = required("appId")?;
        let id = app_id(id, &at)?;
        let (number, at) = required("version")?;
        Ok((id, version(number, &at)?))
    });
    parents.collect()
}

fn app_id(text: &str, at: &str) -> Result<AppId, Flaw> {
    AppId::parse(text).ok_or_else(|| Flaw::at(at, "must be an organisation and a name with a dot between"))
}

fn version(text: &str, at: &str) -> Result<Version, Flaw> {
    Version::parse(text).ok_or_else(|| Flaw::at(at, "must be a version such as 1.0.0"))
}

fn is_name(text: &str) -> bool {
    let outside = |c: char| matches!(c, '/' | '\\') || c.is_control();
    !text.is_empty() && text != "." && text != ".." && !text.contains(outside)
}

fn is_org(text: &str) -> bool {
    is_name(text) && !text.contains('.')
}
