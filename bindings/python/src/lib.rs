//! The native half of the Python package `wecom_login`; the other half, in Python, is beside it.
//!
//! * [`core`] is an app as Python asks it, [`app`] what stands behind it, opened once per process ([`process`]).
//! * [`call`] calls functions of elements, and runs Python code that is called; [`python_type`] is a Type in Python as
//!   one class among others, [`types`] makes them from `loader.py`.
//! * [`program`] is the `wecom-login` program with such Types.
//!
//! Rust works detached from Python: whatever waits, locks or asks WeCom does so without the interpreter's lock, and no
//! Rust lock is held while Python code runs, but that of the reading of an app.

mod app;
mod call;
mod core;
mod error;
mod json;
mod log;
mod model;
mod process;
mod program;
mod python_type;
mod types;

use pyo3::prelude::*;

/// `wecom_login.StartError`: the app cannot be opened.
fn start_error(py: Python<'_>, problem: &str) -> PyErr {
    let class = py.import("wecom_login._code").and_then(|module| module.getattr("StartError"));
    match class.and_then(|class| class.call1((problem,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

#[pyfunction]
fn before_fork(py: Python<'_>) {
    py.detach(process::before_fork);
}

#[pyfunction]
fn after_fork_in_parent() {
    process::after_fork_in_parent();
}

#[pyfunction]
fn after_fork_in_child() {
    process::after_fork_in_child();
}

#[pyfunction]
fn at_exit(py: Python<'_>) {
    py.detach(process::at_exit);
}

/// How many calls over HTTP run Python code now.
#[pyfunction]
fn threads() -> usize {
    python_type::threads()
}

/// The native half of the package.
#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use super::{
        after_fork_in_child, after_fork_in_parent, at_exit, before_fork, call::Function, call::Owner,
        core::Core, model::Model, program::main, threads,
    };
}
