//! An app as `wecom_login.App` asks it: names in, names and plain values out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wecom_login_element::{App, Kind};
use wecom_login_model::Secret;
use wecom_login_server::{AuditLog, Override, Settings, SettingsError};

use crate::app::{Inner, Opened};
use crate::call::Function;
use crate::error::raise;
use crate::json::object_to_python;
use crate::model::Model;
use crate::python_type::Loaded;
use crate::{log, process, start_error};

const MODEL: &str = ".QywxInnerAuthModel";

/// An app.
#[pyclass(frozen, module = "wecom_login._native")]
pub(crate) struct Core {
    inner: Arc<Inner>,
}

impl Core {
    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    fn with<T: Send>(&self, py: Python<'_>, look: impl FnOnce(&App, &Opened) -> T + Send) -> PyResult<T> {
        let seen = py.detach(|| {
            let _under_way = process::begin();
            let opened = self.inner.opened()?;
            let app = opened.app().ok_or("the app is closed")?;
            Ok(look(&app, &opened))
        });
        seen.map_err(|problem: String| start_error(py, &problem))
    }
}

/// The argument of `open_app` that sets a key.
fn argument(key: &str) -> String {
    match key {
        "app" => "dir".to_owned(),
        "app_path" => "appPath".to_owned(),
        other => other.to_owned(),
    }
}

#[pymethods]
impl Core {
    /// Looks at settings and folder; nothing runs until the first call.
    #[new]
    fn new(
        py: Python<'_>,
        app: PathBuf,
        config: Option<PathBuf>,
        data: Option<PathBuf>,
        app_path: Vec<PathBuf>,
        environment: Vec<(OsString, OsString)>,
    ) -> PyResult<Self> {
        log::start();
        let opened = py.detach(|| {
            let _under_way = process::begin();
            let overrides = [
                Some(("app", Override::Path(app))),
                data.map(|data| ("data", Override::Path(data))),
                (!app_path.is_empty()).then_some(("app_path", Override::Paths(app_path))),
            ];
            let file = Settings::file(config);
            let loaded = Settings::load_naming(
                file.as_deref(),
                environment.clone(),
                overrides.into_iter().flatten(),
                argument,
            );
            for warning in loaded.as_ref().map_or_else(SettingsError::warnings, Settings::warnings) {
                tracing::warn!("{warning}");
            }
            let mut settings = loaded.map_err(|error| error.to_string())?;
            // Standard output is the caller's own.
            if settings.operations.audit_log == Some(AuditLog::Stdout) {
                settings.operations.audit_log = None;
            }
            // What is not UTF-8 stands in no configuration.
            let text = |(name, value): (OsString, OsString)| {
                Some((name.into_string().ok()?, Secret::from(value.into_string().ok()?)))
            };
            let variables = environment.into_iter().filter_map(text).collect();
            let inner = Inner::new(settings, variables)?;
            process::register(&inner);
            Ok(Self { inner })
        });
        opened.map_err(|problem: String| start_error(py, &problem))
    }

    /// The app's folder.
    #[getter]
    fn folder(&self) -> PathBuf {
        self.inner.folder()
    }

    /// Organisation, name and version.
    fn identity(&self, py: Python<'_>) -> PyResult<(String, String, String)> {
        self.with(py, |app, _| (app.org_id().to_owned(), app.name().to_owned(), app.version().to_string()))
    }

    /// The full names of the elements that work, and of the models.
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |app, opened| {
            let elements = app.elements().map(|element| element.full_name().to_owned());
            let is_model =
                |name: &String| opened.server().is_some_and(|server| server.auth_model(name).is_some());
            let models =
                app.elements().map(|element| format!("{}{MODEL}", element.full_name())).filter(is_model);
            elements.chain(models).collect()
        })
    }

    /// `"meta"`, `"type"`, `"instance"` or `"model"`; None where there is nothing that works.
    fn kind(&self, py: Python<'_>, full_name: &str) -> PyResult<Option<&'static str>> {
        self.with(py, |app, opened| match app.element(full_name).map(wecom_login_element::Element::kind) {
            Some(Kind::Meta) => Some("meta"),
            Some(Kind::Type) => Some("type"),
            Some(Kind::Instance) => Some("instance"),
            None => {
                let model = opened.server()?.auth_model(full_name).filter(|_| full_name.ends_with(MODEL));
                model.map(|_| "model")
            }
        })
    }

    /// Title, Type and the declared functions of an element.
    fn describe(&self, py: Python<'_>, full_name: &str) -> PyResult<Option<(String, String, Vec<String>)>> {
        self.with(py, |app, _| {
            let element = app.element(full_name)?;
            let functions = element.functions().iter().map(|function| function.name.clone()).collect();
            Some((element.title().to_owned(), element.type_name().to_owned(), functions))
        })
    }

    /// What the e.json files of an element say together.
    fn define<'py>(&self, py: Python<'py>, full_name: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let define = self.with(py, |app, _| app.element_define(full_name).cloned())?;
        define.map(|define| object_to_python(py, &define)).transpose()
    }

    /// The full names that a selector means.
    fn find(&self, py: Python<'_>, selector: &str) -> PyResult<Vec<String>> {
        let found = self.with(py, |app, _| {
            let found = app.find(selector)?;
            Ok(found.into_iter().map(|element| element.full_name().to_owned()).collect())
        })?;
        found.map_err(|code| raise(py, &code))
    }

    /// What is wrong: element and sentence.
    fn faults(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.with(py, |app, _| {
            app.faults().iter().map(|fault| (fault.element.clone(), fault.to_string())).collect()
        })
    }

    /// What the Loader of an instance's own Type has made; None for an instance without one.
    fn object(&self, py: Python<'_>, full_name: &str) -> PyResult<Option<Py<PyAny>>> {
        let kept = self.with(py, |app, _| app.element(full_name)?.kept::<Arc<Loaded>>())?;
        Ok(kept.map(|loaded| loaded.object.clone_ref(py)))
    }

    /// A function of an element, looked up when it is called.
    fn function(&self, element: String, name: String) -> Function {
        Function { inner: self.inner.clone(), element, name }
    }

    /// A model.
    fn model(&self, full_name: String) -> Model {
        Model { inner: self.inner.clone(), full_name }
    }

    /// Looks at the app's files now, as is done every two seconds anyway.
    fn look(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |_, opened| {
            if let Some(server) = opened.server() {
                server.file_watch().look();
            }
        })
    }

    /// Ends what runs.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            // A fork meanwhile would take the database's connections along.
            let _under_way = process::begin();
            self.inner.close();
        });
    }
}
