use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use wecom_login_model::Language;

use crate::call::no_such_function;
use crate::environment::Variables;
use crate::json::Object;
use crate::{
    Access, Arguments, Bound, Call, Caller, Code, Config, Fault, Function, Next, Outcome, Type, number,
};

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its `type` is empty.
    Meta,
    /// Others point to it, or it holds code, or its `type` is a Meta.
    Type,
    /// It points to a Type and holds configuration.
    Instance,
}

/// One app's copy of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementCopy {
    /// The `org.name` of the app.
    pub app_id: String,
    /// Its folders: its own, then its `backend` and `frontend`. None for an element that is built in.
    pub folders: Vec<PathBuf>,
    /// Its `e.json`.
    pub e_json: Object,
}

/// An element that works. Clones are the same element.
#[derive(Clone)]
pub struct Element(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) full_name: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    /// From its Type to the Meta.
    pub(crate) types: Vec<String>,
    /// From the most derived override of its Type to the Meta's.
    pub(crate) classes: Vec<Arc<dyn Type>>,
    pub(crate) functions: Vec<Function>,
    /// Where `<Name>.json` is, or where it should be: how it is named in errors, and the path.
    pub(crate) config: Option<(String, PathBuf)>,
    /// The most derived e.json, as it is named in errors.
    pub(crate) file: String,
    pub(crate) copies: Vec<ElementCopy>,
    pub(crate) variables: Variables,
}

impl Element {
    /// The path below the app's folder, with dots.
    pub fn full_name(&self) -> &str {
        &self.0.full_name
    }

    /// The last part of the full name.
    pub fn name(&self) -> &str {
        last_part(self.full_name())
    }

    /// The name shown to people.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The full name of its Type; empty for a Meta.
    pub fn type_name(&self) -> &str {
        self.0.types.first().map_or("", String::as_str)
    }

    /// Whether its Type is this one or builds on it.
    pub fn is_of_type(&self, type_name: &str) -> bool {
        self.0.types.iter().any(|name| name == type_name)
    }

    /// What may be called, and by whom.
    pub fn functions(&self) -> &[Function] {
        &self.0.functions
    }

    /// The apps' copies that count, most derived first; never empty.
    pub fn copies(&self) -> &[ElementCopy] {
        &self.0.copies
    }

    /// What the most derived of its classes that keeps a `T` keeps for it.
    pub fn kept<T: Any>(&self) -> Option<T> {
        self.0.classes.iter().find_map(|class| class.kept(self)?.downcast().ok()).map(|kept| *kept)
    }

    /// The configuration in `<Name>.json` beside the `e.json`, read anew.
    pub fn config(&self) -> Result<Config, Fault> {
        let Some((file, path)) = &self.0.config else {
            return Err(self.fault(None, "is built in and has no configuration file"));
        };
        Config::read(self.full_name(), file, path, &self.0.variables)
    }

    /// An error about the element's `e.json`.
    pub fn fault(&self, key: Option<&str>, problem: impl Into<String>) -> Fault {
        Fault {
            element: self.full_name().to_owned(),
            file: self.0.file.clone(),
            key: key.map(str::to_owned),
            problem: problem.into(),
        }
    }

    /// Calls a function: whether the caller may, whether the arguments fit, then the classes from the most derived on.
    ///
    /// A function that no list declares is there for [`Caller::Library`] alone, with named arguments as they are.
    /// A class that panics makes 50000.
    pub fn call<'a>(
        &'a self,
        function: &'a str,
        arguments: Arguments,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            self.admit(function, caller)?;
            let call = Call { element: self, function, arguments: Bound::default(), caller };
            let call = call.instead(function, arguments)?;
            let next = Next { classes: &self.0.classes };
            // A class may panic before its future is made, too.
            let run = AssertUnwindSafe(async move { next.call(call).await }).catch_unwind();
            run.await.unwrap_or_else(|_| {
                tracing::error!(element = self.full_name(), function, "a Type panicked");
                Err(unforeseen(caller.language()))
            })
        })
    }

    /// Whether the caller may call the function. The library may try one that is not declared.
    fn admit(&self, name: &str, caller: &Caller) -> Result<(), Code> {
        let language = caller.language();
        let unknown = || no_such_function(self, name, language);
        if self.kind() != Kind::Instance {
            return Err(unknown());
        }
        let function = self.functions().iter().find(|function| function.name == name);
        let Caller::Browser(browser) = caller else { return Ok(()) };
        let function = function.ok_or_else(unknown)?;
        let signed_in = browser.member.is_some() || browser.administrator;
        let not_signed_in = || {
            let (zh, en) = ("还没有登录，或登录已经结束。", "Not signed in, or the session has ended.");
            Err(in_language(language, number::NOT_SIGNED_IN, zh, en))
        };
        match function.access {
            Access::Anyone => Ok(()),
            Access::SignedIn if signed_in => Ok(()),
            Access::Administrators if browser.administrator => Ok(()),
            Access::SignedIn => not_signed_in(),
            Access::Administrators if !signed_in => not_signed_in(),
            Access::Administrators => {
                let (zh, en) =
                    ("这个函数只有管理员可以调用。", "Only an administrator may call this function.");
                Err(in_language(language, number::ADMINISTRATORS_ONLY, zh, en))
            }
            Access::Library => Err(unknown()),
        }
    }
}

fn in_language(language: Language, number: i64, zh: &str, en: &str) -> Code {
    Code::new(
        number,
        match language {
            Language::Zh => zh,
            Language::En => en,
        },
    )
}

fn unforeseen(language: Language) -> Code {
    let (zh, en) =
        ("出现意外错误，详情见日志。", "Something unforeseen went wrong; the log has the details.");
    in_language(language, Code::UNFORESEEN, zh, en)
}

pub(crate) fn last_part(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("full_name", &self.0.full_name)
            .field("kind", &self.0.kind)
            .field("types", &self.0.types)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
