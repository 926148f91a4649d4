use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wecom_login_model::Secret;

use crate::{AppId, AppRef, Loader, Python, Type};

/// The app that is compiled in: the last ancestor of every app.
#[derive(Debug, Clone)]
pub struct Framework {
    app_id: String,
    elements: BTreeMap<String, String>,
}

impl Framework {
    /// A framework without elements, by its `org.name`.
    pub fn new(app_id: impl Into<String>) -> Self {
        Self { app_id: app_id.into(), elements: BTreeMap::new() }
    }

    /// Adds an element: its full name and the text of its `e.json`.
    pub fn element(mut self, full_name: impl Into<String>, e_json: impl Into<String>) -> Self {
        self.elements.insert(full_name.into(), e_json.into());
        self
    }

    pub(crate) fn app_id(&self) -> &str {
        &self.app_id
    }

    pub(crate) fn is(&self, id: &AppId) -> bool {
        id.to_string() == self.app_id
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.elements.iter().map(|(name, e_json)| (name.as_str(), e_json.as_str()))
    }
}

/// The values that stand in for `{{NAME}}`. They do not print.
pub(crate) type Variables = Arc<BTreeMap<String, Secret>>;

/// What an app is opened with.
///
/// ```
/// use wecom_login_element::{Environment, Framework};
///
/// let framework = Framework::new("wecom.framework")
///     .element("auths.loginTypes.Meta", r#"{"title": "Sign-in types", "type": ""}"#);
/// let environment = Environment::new(framework)
///     .app_path("/srv/apps")
///     .variables([("QYWX_SECRET", "from the process's environment")]);
/// ```
#[derive(Clone)]
pub struct Environment {
    framework: Framework,
    app_paths: Vec<PathBuf>,
    variables: Variables,
    types: BTreeMap<(String, String), Arc<dyn Type>>,
    python: Option<Arc<dyn Python>>,
}

impl Environment {
    /// With a framework and nothing else.
    pub fn new(framework: Framework) -> Self {
        Self {
            framework,
            app_paths: Vec::new(),
            variables: Variables::default(),
            types: BTreeMap::new(),
            python: None,
        }
    }

    /// Adds a folder in which parent apps are looked up, as `<org>/<name>/<version with dots as _>`. Earlier ones count
    /// first.
    pub fn app_path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.app_paths.push(folder.into());
        self
    }

    /// The values of `{{NAME}}`; they replace all that were given before.
    pub fn variables<N: Into<String>, V: Into<Secret>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.variables =
            Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Registers the code of a Type, or of an override of one: the app that defines it (`org.name`, or the framework's)
    /// and its full name.
    pub fn with_type(
        mut self,
        app_id: impl Into<String>,
        full_name: impl Into<String>,
        implementation: impl Type,
    ) -> Self {
        self.types.insert((app_id.into(), full_name.into()), Arc::new(implementation));
        self
    }

    /// Serves the Types that are written in Python. A Type registered in Rust comes first.
    pub fn with_python(mut self, python: impl Python) -> Self {
        self.python = Some(Arc::new(python));
        self
    }

    /// Tells the one who runs Python Types that the app is about to be read.
    pub(crate) fn begin(&self, apps: &[AppRef]) {
        if let Some(python) = &self.python {
            python.begin(apps);
        }
    }

    pub(crate) fn framework(&self) -> &Framework {
        &self.framework
    }

    pub(crate) fn app_paths(&self) -> &[PathBuf] {
        &self.app_paths
    }

    pub(crate) fn values(&self) -> &Variables {
        &self.variables
    }

    pub(crate) fn registered(&self) -> impl Iterator<Item = (&str, &str)> {
        self.types.keys().map(|(app, name)| (app.as_str(), name.as_str()))
    }

    /// The code of a Type in one app, registered or in Python; `None` when there is none.
    pub(crate) fn code_of(
        &self,
        app_id: &str,
        full_name: &str,
        loader: Option<(&Path, &str)>,
    ) -> Result<Option<Arc<dyn Type>>, String> {
        if let Some(implementation) = self.types.get(&(app_id.to_owned(), full_name.to_owned())) {
            return Ok(Some(implementation.clone()));
        }
        match (loader, &self.python) {
            (None, _) => Ok(None),
            (Some((folder, file)), Some(python)) => {
                python.load(Loader { app_id, full_name, folder, file }).map(Some)
            }
            (Some(_), None) => {
                Err("is a Type written in Python, which this program cannot run: install the Python \
                 package (pip install wecom-login) and serve the app with python -m wecom_login serve, \
                 or register a Rust Type of this name"
                    .to_owned())
            }
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("framework", &self.framework.app_id)
            .field("app_paths", &self.app_paths)
            .field("variables", &self.variables.keys())
            .field("types", &self.types.keys())
            .finish_non_exhaustive()
    }
}
