//! A Type that is written in Python, as one class of elements among others.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wecom_login_element::{BoxFuture, Call, Caller, Code, Effect, Element, Fault, Next, Outcome, Type};

use crate::call::{CONTEXT, Context, Event, FRAMES, Frame, Inbox, Owner, Told, new_inbox, new_number};
use crate::error::{code_of, unforeseen};
use crate::json::{from_python, to_python};
use crate::types::{Types, loading, problem_of};

/// How many calls over HTTP run Python code at once; the others wait.
const AT_ONCE: usize = 256;
/// And this long at most.
const PATIENCE: Duration = Duration::from_secs(10);

static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// How many threads run Python code for calls over HTTP.
pub(crate) fn threads() -> usize {
    THREADS.load(Ordering::SeqCst)
}

pub(crate) struct PythonType {
    /// Tells it from every other class, of this or an earlier reading of the app.
    id: u64,
    /// The class `Loader` of its `loader.py`.
    loader: Py<PyAny>,
    /// `loader.py` as faults name it.
    file: String,
    types: Types,
    /// By the instance's full name.
    objects: RwLock<HashMap<String, Arc<Loaded>>>,
}

/// What a Loader has made for one instance.
pub(crate) struct Loaded {
    pub(crate) object: Py<PyAny>,
    /// The functions that it has of its own.
    functions: BTreeSet<String>,
    /// Its class, by file and name.
    class: String,
    /// Its class and that one's bases.
    line: Vec<String>,
}

impl PythonType {
    pub(crate) fn new(loader: Py<PyAny>, file: &str, types: Types) -> Self {
        Self { id: new_number(), loader, file: file.to_owned(), types, objects: RwLock::default() }
    }

    fn loaded(&self, element: &str) -> Option<Arc<Loaded>> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner).get(element).cloned()
    }

    fn load(&self, py: Python<'_>, element: &Element) -> PyResult<Loaded> {
        let copies: Vec<_> = element
            .copies()
            .iter()
            .map(|copy| {
                let folders: Vec<String> =
                    copy.folders.iter().map(|folder| folder.display().to_string()).collect();
                Ok((&copy.app_id, folders, crate::json::object_to_python(py, &copy.e_json)?))
            })
            .collect::<PyResult<_>>()?;
        let owner =
            Owner { class: self.id, element: element.full_name().to_owned(), inner: self.types.app() };
        let loaded =
            loading(py)?.call_method1("load_instance", (&self.loader, element.full_name(), copies, owner))?;
        let (object, functions, line): (Py<PyAny>, BTreeSet<String>, Vec<String>) = loaded.extract()?;
        Ok(Loaded { object, functions, class: line.first().cloned().unwrap_or_default(), line })
    }

    async fn run(
        &self,
        loaded: Arc<Loaded>,
        call: Call<'_>,
        next: Next<'_>,
        context: Context,
    ) -> Result<Outcome, Code> {
        let (events, mut from_python) = unbounded_channel();
        let values = call
            .arguments
            .names()
            .filter_map(|name| call.arguments.get(name).map(|value| (name.to_owned(), value.clone())));
        let job = Job {
            owner: self.id,
            element: call.element.full_name().to_owned(),
            function: call.function.to_owned(),
            arguments: values.collect(),
            log: matches!(call.caller, Caller::Browser(_)),
            loaded: loaded.clone(),
            events,
        };
        let worker = match context.worker {
            Some(worker) => {
                let _ = worker.send(Told::Run(job));
                worker
            }
            None => on_a_thread(job).await?,
        };
        let mut passed = (*context.passed).clone();
        passed.extend(loaded.line.iter().cloned());
        let context = Context { worker: Some(worker.clone()), passed: Arc::new(passed), behind: None };
        let mut effect: Option<Effect> = None;
        let mut refusals: Vec<Code> = Vec::new();
        while let Some(event) = from_python.recv().await {
            match event {
                Event::PassOn { question, function, arguments } => {
                    let answer = match call.instead(&function, arguments) {
                        Ok(call) => CONTEXT.scope(context.clone(), next.call(call)).await,
                        Err(code) => Err(code),
                    };
                    let answer = match answer {
                        Ok(outcome) => {
                            effect = outcome.effect.or(effect);
                            Ok(outcome.value)
                        }
                        Err(code) => {
                            refusals.push(code.clone());
                            Err(code)
                        }
                    };
                    let _ = worker.send(Told::Answer(question, answer));
                }
                Event::Done(Ok(value)) => return Ok(Outcome { value, effect }),
                // What came from behind goes on with what caused it: the server tells by that what may be tried again.
                Event::Done(Err(code)) => {
                    return Err(refusals.into_iter().find(|refusal| *refusal == code).unwrap_or(code));
                }
            }
        }
        Err(Code::new(Code::UNFORESEEN, "Python 解释器已经结束。"))
    }
}

impl Type for PythonType {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let context = CONTEXT.try_with(Clone::clone).unwrap_or_default();
            if let Some(behind) = context.behind {
                let behind = (behind != self.id).then_some(behind);
                return CONTEXT.scope(Context { behind, ..context }, next.call(call)).await;
            }
            match self.loaded(call.element.full_name()) {
                Some(loaded)
                    if loaded.functions.contains(call.function)
                        && !context.passed.contains(&loaded.class) =>
                {
                    self.run(loaded, call, next, context).await
                }
                _ => next.call(call).await,
            }
        })
    }

    fn kept(&self, element: &Element) -> Option<Box<dyn Any>> {
        Some(Box::new(self.loaded(element.full_name())?))
    }

    fn check(&self, element: &Element) -> Result<(), Fault> {
        let loaded = Python::try_attach(|py| self.load(py, element).map_err(|error| problem_of(py, &error)));
        let loaded = loaded.unwrap_or_else(|| Err("the Python interpreter has ended".to_owned()));
        let loaded = loaded.map_err(|problem| Fault {
            element: element.full_name().to_owned(),
            file: self.file.clone(),
            key: None,
            problem,
        })?;
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.insert(element.full_name().to_owned(), Arc::new(loaded));
        Ok(())
    }
}

/// A Python function to be run.
pub(crate) struct Job {
    owner: u64,
    element: String,
    function: String,
    arguments: Vec<(String, Value)>,
    /// Nobody else will see what it raises.
    log: bool,
    loaded: Arc<Loaded>,
    events: UnboundedSender<Event>,
}

impl Job {
    /// Runs it on this thread, and tells how it ended.
    pub(crate) fn run(self, py: Python<'_>, inbox: &Inbox) {
        let frame = Frame {
            owner: self.owner,
            element: self.element.clone(),
            events: self.events.clone(),
            inbox: inbox.clone(),
        };
        FRAMES.with_borrow_mut(|frames| frames.push(frame));
        let result = self.call(py);
        FRAMES.with_borrow_mut(|frames| drop(frames.pop()));
        let result = result.map_err(|exception| self.code(py, exception));
        // The caller may have gone away.
        let _ = self.events.send(Event::Done(result));
    }

    fn call(&self, py: Python<'_>) -> PyResult<Value> {
        let kwargs = PyDict::new(py);
        for (name, value) in &self.arguments {
            kwargs.set_item(name, to_python(py, value)?)?;
        }
        let value = self.loaded.object.bind(py).getattr(&*self.function)?.call((), Some(&kwargs))?;
        from_python(&value, &format!("what {} returns", self.function))
    }

    fn code(&self, py: Python<'_>, exception: PyErr) -> Code {
        if let Some(code) = code_of(py, &exception) {
            return code;
        }
        if self.log {
            let (element, function) = (&*self.element, &*self.function);
            let problem = problem_of(py, &exception);
            tracing::error!(element, function, problem, "an own Type raised an exception");
        }
        unforeseen(py, exception, "应用自己的登录类型出错，详情见日志。")
    }
}

/// Runs the job on a thread of its own, once there is a place for it.
async fn on_a_thread(job: Job) -> Result<Sender<Told>, Code> {
    let busy = || Code::new(Code::UNFORESEEN, "同时运行的 Python 调用太多，请稍后再试。");
    let place = tokio::time::timeout(PATIENCE, PLACES.clone().acquire_owned()).await;
    let Ok(Ok(place)) = place else {
        tracing::error!(AT_ONCE, "calls of own Types wait for others that do not end");
        return Err(busy());
    };
    let (sender, inbox) = new_inbox();
    let thread = std::thread::Builder::new().name("wecom-login-python".to_owned());
    let begun = thread.spawn(move || {
        let _running = Running::new(place);
        // Without an interpreter the job is dropped, which its call sees.
        Python::try_attach(|py| job.run(py, &inbox));
    });
    match begun {
        Ok(_) => Ok(sender),
        Err(error) => {
            tracing::error!(%error, "no thread to be had for an own Type");
            Err(busy())
        }
    }
}

struct Running {
    _place: OwnedSemaphorePermit,
}

impl Running {
    fn new(place: OwnedSemaphorePermit) -> Self {
        THREADS.fetch_add(1, Ordering::SeqCst);
        Self { _place: place }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Ordering::SeqCst);
    }
}
