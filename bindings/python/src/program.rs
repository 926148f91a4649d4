//! The whole `wecom-login` program, with the Python Types of the app that it serves.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use tokio::runtime::Handle;
use wecom_login::Host;
use wecom_login_element::Environment;
use wecom_login_server::Server;

use crate::app::Inner;
use crate::core::Core;
use crate::types::{Types, loading};

/// Serves one app at a time.
#[derive(Default)]
struct Program {
    types: Types,
    served: Mutex<Option<Arc<Inner>>>,
}

impl Host for Program {
    fn register(&self, environment: Environment) -> Environment {
        environment.with_python(self.types.clone())
    }

    fn opened(&self, server: &Server) {
        let inner = Inner::served(server.clone(), Handle::current(), self.types.clone());
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner.clone());
        let told = Python::try_attach(|py| {
            loading(py)?.call_method1("opened", (Py::new(py, Core::of(inner))?,)).map(drop)
        });
        if let Some(Err(error)) = told {
            tracing::error!(%error, "own Types cannot reach the app");
        }
    }
}

/// Runs the program with these arguments, the first being its name, to its end; gives its exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| wecom_login::run(arguments, &Program::default()))
}
