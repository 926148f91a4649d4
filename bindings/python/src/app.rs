//! An app as Python holds it: opened at its first use, once per process.

use std::cell::Cell;
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use wecom_login_element::{App, Environment};
use wecom_login_model::Secret;
use wecom_login_server::{Dependencies, Server, Settings};
use wecom_login_sign_in::framework;

use crate::process;
use crate::types::Types;

/// A process that was forked off by a server has the work of many to share it with.
const THREADS: usize = 2;
/// What runs in the background gets this long to end.
const GRACE: Duration = Duration::from_secs(2);

thread_local! {
    /// This thread is opening an app, and Python code that it loads for it is running.
    static OPENING: Cell<bool> = const { Cell::new(false) };
}

pub(crate) struct Inner {
    settings: Settings,
    variables: Vec<(String, Secret)>,
    pub(crate) types: Types,
    state: RwLock<State>,
}

enum State {
    /// To be opened at the next call.
    Asleep,
    Open(Arc<Opened>),
    Closed,
}

/// An app with its database and the runtime that its calls run on.
pub(crate) struct Opened {
    /// `None` only while it is being dropped, as `runtime`.
    server: Option<Server>,
    pub(crate) handle: Handle,
    /// `None` for an app that is served: its runtime is the server's.
    runtime: Option<Runtime>,
    generation: u32,
}

impl Opened {
    pub(crate) fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    pub(crate) fn app(&self) -> Option<Arc<App>> {
        self.server.as_ref().map(Server::app)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let (server, runtime) = (self.server.take(), self.runtime.take());
        if self.generation == process::generation() {
            // Does not wait: whoever drops it may hold what its threads wait for.
            runtime.map(Runtime::shutdown_background).unwrap_or_default();
        } else {
            // Their threads did not come along when the process was forked: nothing of them may run here.
            mem::forget((server, runtime));
        }
    }
}

impl Inner {
    /// An app of the caller's own. Its settings and its folder are looked at; nothing runs yet.
    pub(crate) fn new(mut settings: Settings, variables: Vec<(String, Secret)>) -> Result<Arc<Self>, String> {
        // A later change of the working folder changes nothing.
        for path in [&mut settings.folders.app, &mut settings.folders.data]
            .into_iter()
            .chain(&mut settings.folders.app_path)
        {
            *path = std::path::absolute(&*path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let look =
            settings.folders.app_path.iter().fold(Environment::new(framework()), Environment::app_path);
        App::open(&settings.folders.app, &look).map_err(|error| error.to_string())?;
        Ok(Self::with(settings, variables, Types::default(), State::Asleep))
    }

    /// The app of a server that is about to run on this runtime.
    pub(crate) fn served(server: Server, handle: Handle, types: Types) -> Arc<Self> {
        let settings = server.settings().clone();
        let generation = process::generation();
        let opened = Opened { server: Some(server), handle, runtime: None, generation };
        Self::with(settings, Vec::new(), types, State::Open(Arc::new(opened)))
    }

    fn with(settings: Settings, variables: Vec<(String, Secret)>, types: Types, state: State) -> Arc<Self> {
        let inner = Arc::new(Self { settings, variables, types, state: RwLock::new(state) });
        inner.types.belong_to(&inner);
        inner
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.settings.folders.app.clone()
    }

    /// The app with everything that it needs, opened if need be. Call it between [`process::begin`] and the end of the
    /// call, and detached from Python.
    pub(crate) fn opened(&self) -> Result<Arc<Opened>, String> {
        if OPENING.get() {
            return Err(
                "the app is being opened; what loader.py does while it is loaded comes too early for calls"
                    .to_owned(),
            );
        }
        let usable = |state: &State| match state {
            State::Open(opened) if opened.generation == process::generation() => Ok(Some(opened.clone())),
            State::Open(_) => {
                Err("this process was forked while the app was in use: fork before its first call or \
                                   between calls, or start the process by \"spawn\""
                    .to_owned())
            }
            State::Closed => Err("the app is closed".to_owned()),
            State::Asleep => Ok(None),
        };
        if let Some(opened) = usable(&self.state.read().unwrap_or_else(PoisonError::into_inner))? {
            return Ok(opened);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = usable(&state)? {
            return Ok(opened);
        }
        OPENING.set(true);
        let opened = self.open();
        OPENING.set(false);
        let opened = Arc::new(opened?);
        *state = State::Open(opened.clone());
        Ok(opened)
    }

    fn open(&self) -> Result<Opened, String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("wecom-login")
            .enable_all()
            .build()
            .map_err(|error| format!("no threads to be had: {error}"))?;
        let dependencies = Dependencies { variables: self.variables.clone(), ..Dependencies::default() };
        let register = |environment: Environment| environment.with_python(self.types.clone());
        let opening = Server::open_with(self.settings.clone(), dependencies, register);
        let server = runtime.block_on(opening).map_err(|error| error.to_string())?;
        if let Some(problem) = self.types.refused() {
            runtime.block_on(server.close());
            return Err(problem);
        }
        for fault in server.faults() {
            tracing::error!("{fault}");
        }
        let kept = server.clone();
        runtime.spawn(async move { kept.upkeep().await });
        let handle = runtime.handle().clone();
        Ok(Opened { server: Some(server), handle, runtime: Some(runtime), generation: process::generation() })
    }

    /// Ends what runs, so that the process may be forked. No call is under way.
    pub(crate) fn sleep(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(opened) = &*state
            && opened.runtime.is_some()
            && let State::Open(opened) = mem::replace(&mut *state, State::Asleep)
        {
            end(opened);
        }
    }

    /// Ends what runs, for good. Calls under way end as they can.
    pub(crate) fn close(&self) {
        let state =
            mem::replace(&mut *self.state.write().unwrap_or_else(PoisonError::into_inner), State::Closed);
        if let State::Open(opened) = state {
            end(opened);
        }
        self.types.release();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.types.release();
    }
}

/// Closes the database and waits for the threads, unless somebody still needs them.
fn end(opened: Arc<Opened>) {
    let Ok(mut opened) = Arc::try_unwrap(opened) else { return };
    if opened.generation != process::generation() {
        return;
    }
    if let (Some(server), Some(runtime)) = (opened.server.take(), opened.runtime.take()) {
        runtime.block_on(server.close());
        drop(server);
        runtime.shutdown_timeout(GRACE);
    }
}
