//! The Types of an app that are written in Python. Modules and objects are made in `wecom_login._loading`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use pyo3::prelude::*;
use wecom_login_element::{AppRef, Loader, Python as Runner, Type};

use crate::app::Inner;
use crate::call::new_number;
use crate::python_type::PythonType;

/// The runner of an app's Python Types. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Types(Arc<Shared>);

struct Shared {
    number: u64,
    app: OnceLock<Weak<Inner>>,
    /// Why its Python Types cannot run.
    refused: Mutex<Option<String>>,
}

impl Default for Types {
    fn default() -> Self {
        Self(Arc::new(Shared { number: new_number(), app: OnceLock::new(), refused: Mutex::default() }))
    }
}

pub(crate) fn loading(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("wecom_login._loading")
}

/// What is wrong, in one line: with place and kind of an exception of the app's, as it is for one of ours.
pub(crate) fn problem_of(py: Python<'_>, error: &PyErr) -> String {
    // With its traceback, which the value alone does not have.
    let raised = error.clone_ref(py).into_value(py);
    let told = loading(py).and_then(|loading| loading.call_method1("problem_of", (raised,))?.extract());
    told.unwrap_or_else(|_| error.to_string())
}

impl Types {
    pub(crate) fn belong_to(&self, app: &Arc<Inner>) {
        let _ = self.0.app.set(Arc::downgrade(app));
    }

    pub(crate) fn app(&self) -> Weak<Inner> {
        self.0.app.get().cloned().unwrap_or_default()
    }

    /// Why the app's Python Types cannot run in this process, if it has any and they cannot.
    pub(crate) fn refused(&self) -> Option<String> {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another app may have Python Types now.
    pub(crate) fn release(&self) {
        // At the end of the interpreter there is nothing left to release.
        let _ = Python::try_attach(|py| loading(py)?.call_method1("release", (self.0.number,)).map(drop));
    }
}

impl Runner for Types {
    fn begin(&self, apps: &[AppRef]) {
        *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let apps: Vec<(String, PathBuf)> =
            apps.iter().map(|app| (app.id.clone(), app.folder.clone())).collect();
        let begun =
            Python::try_attach(|py| loading(py)?.call_method1("begin", (self.0.number, apps)).map(drop));
        if let Some(Err(error)) = begun {
            tracing::error!(%error, "Python Types cannot be read");
        }
    }

    fn load(&self, loader: Loader<'_>) -> Result<Arc<dyn Type>, String> {
        let Loader { app_id, full_name, folder, file } = loader;
        let class = Python::try_attach(|py| {
            let class = loading(py).and_then(|loading| {
                loading.call_method1(
                    "load_type",
                    (self.0.number, app_id, full_name, folder.display().to_string()),
                )
            });
            class.map(Bound::unbind).map_err(|error| {
                let problem = problem_of(py, &error);
                if error.get_type(py).name().is_ok_and(|name| name.to_string_lossy() == "_Refused") {
                    *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem.clone());
                }
                problem
            })
        });
        let class = class.unwrap_or_else(|| Err("the Python interpreter has ended".to_owned()))?;
        Ok(Arc::new(PythonType::new(class, file, self.clone())))
    }
}
