//! Calls from Python, and Python code that is called.
//!
//! A call begins on the thread that makes it: its future is polled there once, which is all that a cached access token
//! takes. If it must wait, it goes on in the runtime, and the thread waits for the answer, detached from Python.
//!
//! Own Types in Python run on a thread that may block: the one that waits for the call, or, for a call over HTTP, one
//! made for it. While Python code waits for what it has passed on (`super().getLoginCode(...)`), its thread may be
//! given the next Python class of the same call. So one call has one Python thread, however many classes it passes,
//! and no thread of the runtime ever runs Python code.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use wecom_login_element::{Arguments, BoxFuture, Caller, Code, number};

use crate::app::Inner;
use crate::error::raise;
use crate::json::{from_python, to_python};
use crate::python_type::{Job, Loaded};
use crate::{process, start_error};

/// How soon Ctrl-C ends a wait.
const SIGNALS: Duration = Duration::from_millis(100);

/// What a thread that waits for an answer is told.
pub(crate) enum Told {
    /// Run this meanwhile.
    Run(Job),
    /// The answer to the question of this number.
    Answer(u64, Result<Value, Code>),
}

pub(crate) type Inbox = Arc<Mutex<Receiver<Told>>>;

/// What the Python classes of one call share.
#[derive(Clone, Default)]
pub(crate) struct Context {
    /// The thread that waits for the call.
    pub(crate) worker: Option<Sender<Told>>,
    /// The classes that the call has passed, with their Python bases.
    pub(crate) passed: Arc<BTreeSet<String>>,
    /// The call begins behind this class.
    pub(crate) behind: Option<u64>,
}

tokio::task_local! {
    pub(crate) static CONTEXT: Context;
}

/// A Python function that runs as part of a call.
#[derive(Clone)]
pub(crate) struct Frame {
    /// The class whose function it is, and the instance.
    pub(crate) owner: u64,
    pub(crate) element: String,
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) inbox: Inbox,
}

/// What a running Python function says to its call.
pub(crate) enum Event {
    /// It passes a call on.
    PassOn { question: u64, function: String, arguments: Arguments },
    /// It has ended.
    Done(Result<Value, Code>),
}

thread_local! {
    pub(crate) static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn new_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

pub(crate) fn new_inbox() -> (Sender<Told>, Inbox) {
    let (sender, receiver) = channel();
    (sender, Arc::new(Mutex::new(receiver)))
}

/// Waits for the answer, and does meanwhile what the call needs done here. Ctrl-C ends the wait.
fn wait(py: Python<'_>, inbox: &Inbox, question: u64) -> PyResult<Result<Value, Code>> {
    loop {
        let told = py.detach(|| inbox.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(SIGNALS));
        match told {
            Ok(Told::Run(job)) => job.run(py, inbox),
            Ok(Told::Answer(number, answer)) if number == question => return Ok(answer),
            // To a question that was interrupted.
            Ok(Told::Answer(..)) => {}
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(broken_off())),
        }
    }
}

fn broken_off() -> Code {
    Code::new(Code::UNFORESEEN, "调用在结束前被中断。")
}

/// The arguments of a Python call.
pub(crate) fn arguments(
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<Arguments> {
    let mut arguments = Arguments::new();
    for (place, value) in args.iter().enumerate() {
        arguments = arguments.with(from_python(&value, &format!("argument {}", place + 1))?);
    }
    for (name, value) in kwargs.into_iter().flatten() {
        let name = name.str()?.to_string_lossy().into_owned();
        let value = from_python(&value, &name)?;
        arguments = arguments.named(name, value);
    }
    Ok(arguments)
}

/// Calls a function of an element as the library; behind a class if one is given.
pub(crate) fn call(
    py: Python<'_>,
    inner: &Arc<Inner>,
    element: &str,
    function: &str,
    arguments: Arguments,
    behind: Option<u64>,
) -> PyResult<Value> {
    let begun = py.detach(|| begin(inner, element, function, arguments, behind));
    let answer = match begun.map_err(|problem| start_error(py, &problem))? {
        Begun::Answered(answer) => answer,
        Begun::Waiting(inbox, question, _under_way) => wait(py, &inbox, question)?,
    };
    answer.map_err(|code| raise(py, &code))
}

enum Begun {
    Answered(Result<Value, Code>),
    Waiting(Inbox, u64, process::UnderWay),
}

fn begin(
    inner: &Arc<Inner>,
    element: &str,
    function: &str,
    arguments: Arguments,
    behind: Option<u64>,
) -> Result<Begun, String> {
    let under_way = process::begin();
    let opened = inner.opened()?;
    let Some(element) = opened.app().and_then(|app| app.element(element).cloned()) else {
        let reason = format!("没有元素 {element}，或者它不能工作。");
        return Ok(Begun::Answered(Err(Code::new(number::NO_SUCH_FUNCTION, reason))));
    };
    let (sender, inbox) = new_inbox();
    let function = function.to_owned();
    let is_python = element.kept::<Arc<Loaded>>().is_some();
    let called = async move {
        element.call(&function, arguments, &Caller::Library).await.map(|outcome| outcome.value)
    };
    let mut future: BoxFuture<'static, _> = if is_python {
        let context = Context { worker: Some(sender.clone()), behind, ..Context::default() };
        Box::pin(CONTEXT.scope(context, called))
    } else {
        Box::pin(called)
    };
    let entered = opened.handle.enter();
    let polled = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
    drop(entered);
    Ok(match polled {
        Poll::Ready(answer) => Begun::Answered(answer),
        Poll::Pending => {
            let question = new_number();
            opened.handle.spawn(async move {
                let answer = future.await;
                // Whoever was interrupted waits no more.
                let _ = sender.send(Told::Answer(question, answer));
            });
            Begun::Waiting(inbox, question, under_way)
        }
    })
}

/// Which class of which instance a Python object is, so that it can pass calls on.
#[pyclass(frozen, module = "wecom_login._native")]
pub(crate) struct Owner {
    pub(crate) class: u64,
    pub(crate) element: String,
    pub(crate) inner: std::sync::Weak<Inner>,
}

#[pymethods]
impl Owner {
    /// Calls the function of the class behind this one.
    #[pyo3(signature = (function, /, *args, **kwargs))]
    fn pass_on<'py>(
        &self,
        py: Python<'py>,
        function: &str,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = arguments(args, kwargs)?;
        let frame = FRAMES.with_borrow(|frames| {
            frames.last().filter(|frame| frame.owner == self.class && frame.element == self.element).cloned()
        });
        let value = match frame {
            Some(frame) => {
                let (question, function) = (new_number(), function.to_owned());
                let event = Event::PassOn { question, function, arguments };
                if frame.events.send(event).is_err() {
                    return Err(raise(py, &broken_off()));
                }
                wait(py, &frame.inbox, question)?.map_err(|code| raise(py, &code))?
            }
            // Outside of a call, or on another thread of the app's own: a call by itself.
            None => {
                let inner = self
                    .inner
                    .upgrade()
                    .ok_or_else(|| start_error(py, "the app is closed or not open yet"))?;
                call(py, &inner, &self.element, function, arguments, Some(self.class))?
            }
        };
        to_python(py, &value)
    }
}

/// A function of an element.
#[pyclass(frozen, module = "wecom_login._native")]
pub(crate) struct Function {
    pub(crate) inner: Arc<Inner>,
    pub(crate) element: String,
    pub(crate) name: String,
}

#[pymethods]
impl Function {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = arguments(args, kwargs)?;
        to_python(py, &call(py, &self.inner, &self.element, &self.name, arguments, None)?)
    }

    fn __repr__(&self) -> String {
        format!("<function {} of {}>", self.name, self.element)
    }
}
