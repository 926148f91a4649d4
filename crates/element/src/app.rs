use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Config, Fault, OpenError};

/// An app folder as it was found.
#[derive(Debug, Clone)]
pub struct App {
    /// The organisation: `orgId` of app.json, `local` without it.
    pub org_id: String,
    /// The app's name: `name` of app.json, the folder's name without it.
    pub name: String,
    /// The elements that could be read, by full name.
    pub elements: Vec<Element>,
    /// What is wrong with the others.
    pub faults: Vec<Fault>,
}

/// An element: a folder with an `e.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The path below the app's folder, with dots.
    pub full_name: String,
    /// The name shown to people.
    pub title: String,
    /// The full name of its Type.
    pub type_name: String,
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppJson {
    org_id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct ElementJson {
    title: String,
    #[serde(rename = "type")]
    type_name: String,
}

impl App {
    /// Reads the app in `folder`: its `app.json`, if there is one, and every `e.json` below it. Folders whose name
    /// begins with a dot are passed over, and links to folders are not followed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Unreadable { path, source }
        };
        let folder = folder.canonicalize().map_err(unreadable(folder))?;
        let mut folders = Vec::new();
        find_elements(&folder, &mut folders).map_err(unreadable(&folder))?;
        folders.sort();

        let app = app_json(&folder)?;
        let default_name =
            || folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let (mut elements, mut faults) = (Vec::new(), Vec::new());
        for element in folders {
            match Element::read(&folder, element) {
                Ok(element) => elements.push(element),
                Err(fault) => faults.push(fault),
            }
        }
        Ok(Self {
            org_id: app.org_id.unwrap_or_else(|| "local".to_owned()),
            name: app.name.unwrap_or_else(default_name),
            elements,
            faults,
        })
    }

    /// The elements of a Type.
    pub fn of_type<'a>(&'a self, type_name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.type_name == type_name)
    }
}

impl Element {
    /// The last part of the full name.
    pub fn name(&self) -> &str {
        self.full_name.rsplit('.').next().unwrap_or(&self.full_name)
    }

    /// The configuration in `<Name>.json` beside the `e.json`.
    pub fn config(&self) -> Result<Config, Fault> {
        let file = format!("{}.json", self.name());
        let shown = format!("{}/{file}", self.full_name.replace('.', "/"));
        let fault =
            |key, problem| Fault { element: self.full_name.clone(), file: shown.clone(), key, problem };
        let values = read_json(&self.folder.join(&file)).map_err(|(key, problem)| fault(key, problem))?;
        Ok(Config::new(self.full_name.clone(), shown, values))
    }

    fn read(app: &Path, folder: PathBuf) -> Result<Self, Fault> {
        let path: Vec<_> = folder
            .strip_prefix(app)
            .unwrap_or(&folder)
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        let full_name = path.join(".");
        match read_json::<ElementJson>(&folder.join("e.json")) {
            Ok(json) => Ok(Self { full_name, title: json.title, type_name: json.type_name, folder }),
            Err((key, problem)) => {
                Err(Fault { element: full_name, file: format!("{}/e.json", path.join("/")), key, problem })
            }
        }
    }
}

fn find_elements(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        find_elements(&path, found)?;
        if path.join("e.json").exists() {
            found.push(path);
        }
    }
    Ok(())
}

fn app_json(folder: &Path) -> Result<AppJson, OpenError> {
    let path = folder.join("app.json");
    if !path.exists() {
        return Ok(AppJson { org_id: None, name: None });
    }
    let app: AppJson = read_json(&path).map_err(|(key, problem)| OpenError::AppJson {
        path: path.clone(),
        problem: key.map_or(problem.clone(), |key| format!("key {key}: {problem}")),
    })?;
    for (key, value) in [("orgId", &app.org_id), ("name", &app.name)] {
        if value.as_deref().is_some_and(|value| value.is_empty() || value.contains('/')) {
            let problem = format!("key {key}: must be one segment of an address, not empty and without /");
            return Err(OpenError::AppJson { path, problem });
        }
    }
    Ok(app)
}

/// Reads a JSON file; the error names the key, where there is one, and the problem.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, (Option<String>, String)> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => (None, "the file is missing".to_owned()),
        _ => (None, format!("the file cannot be read: {error}")),
    })?;
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| {
        let key = Some(error.path().to_string()).filter(|path| path != ".");
        (key, error.into_inner().to_string())
    })
}
