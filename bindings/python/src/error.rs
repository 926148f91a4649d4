//! `Code` on both sides: ours in Rust, `jit.errcode.Code` in Python.

use std::error::Error;
use std::fmt;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use wecom_login_element::Code;

/// A Python exception that became a [`Code`]; it stays its cause.
#[derive(Debug)]
struct Raised(Py<PyBaseException>);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Python exception")
    }
}

impl Error for Raised {}

static CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let class = CODE
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("wecom_login._code")?.getattr("Code")?.unbind()));
    class.map(|class| class.bind(py))
}

/// The exception of an error, with the Python exception that caused it, if one did.
pub(crate) fn raise(py: Python<'_>, code: &Code) -> PyErr {
    let exception = match class(py).and_then(|class| class.call1((code.code, &code.reason))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => return error,
    };
    if let Some(Raised(cause)) = code.source().and_then(|cause| cause.downcast_ref()) {
        exception.set_cause(py, Some(PyErr::from_value(cause.bind(py).clone().into_any())));
    }
    exception
}

/// The error of an exception, if it is a `Code`: ours, or that of an installed platform.
pub(crate) fn code_of(py: Python<'_>, exception: &PyErr) -> Option<Code> {
    let value = exception.value(py);
    let ours = class(py).and_then(|class| value.is_instance(class)).unwrap_or(false);
    let is_of_platform = || {
        let class = value.get_type();
        let module = class.module().is_ok_and(|module| module.to_string_lossy() == "jit.errcode");
        module && class.name().is_ok_and(|name| name.to_string_lossy() == "Code")
    };
    if !ours && !is_of_platform() {
        return None;
    }
    let code = value.getattr("code").ok()?.extract().ok()?;
    let reason = value.getattr("reason").ok()?.str().ok()?.to_string_lossy().into_owned();
    Some(Code::new(code, reason))
}

/// 50000, with the exception as its cause.
pub(crate) fn unforeseen(py: Python<'_>, exception: PyErr, reason: &str) -> Code {
    Code::new(Code::UNFORESEEN, reason).caused_by(Raised(exception.into_value(py)))
}
