//! A call by name, and the one trait behind a Type.

use std::any::{Any, type_name};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;
use wecom_login_model::{CorpId, Language, UserId};

use crate::{Arguments, Bound, Code, Element, Fault, number};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A program that has opened the app itself. It may call everything.
    Library,
    /// Someone over HTTP. What they may call, functionList says.
    Browser(Browser),
}

/// Someone over HTTP.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The client's address; `None` if the reverse proxy does not tell it.
    pub address: Option<IpAddr>,
    /// Who is signed in.
    pub member: Option<(CorpId, UserId)>,
    /// Whether it is an administrator, by sign-in or by API key.
    pub administrator: bool,
    /// The language of errors.
    pub language: Language,
    /// What the server passes besides to the class that knows its type.
    pub context: CallContext,
}

/// A value of the server's that goes with a call. Only the class that knows its type can read it; other classes pass it on.
#[derive(Clone, Default)]
pub struct CallContext(Option<Arc<dyn Any + Send + Sync>>);

impl CallContext {
    /// With a value.
    pub fn new<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self(Some(value))
    }

    /// The value, if it is of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.clone()?.downcast().ok()
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "CallContext" } else { "CallContext(empty)" })
    }
}

impl Caller {
    /// The language of errors.
    pub fn language(&self) -> Language {
        match self {
            Self::Library => Language::default(),
            Self::Browser(browser) => browser.language,
        }
    }
}

/// What a call gives.
#[derive(Debug)]
pub struct Outcome {
    /// What the caller sees.
    pub value: Value,
    /// What the server does besides.
    pub effect: Option<Effect>,
}

impl Outcome {
    /// A value and no effect.
    pub fn value(value: impl Into<Value>) -> Self {
        Self { value: value.into(), effect: None }
    }

    /// Adds an effect.
    pub fn with_effect<T: Any + Send>(mut self, effect: T) -> Self {
        self.effect = Some(Effect { inner: Box::new(effect), name: type_name::<T>() });
        self
    }
}

/// Something that the server does besides, such as beginning a session.
///
/// It holds a value of a Rust type that only its own crate can make. So an own Type may pass it on or drop it, and may
/// change the outcome's value beside it, but cannot make one of its own.
pub struct Effect {
    inner: Box<dyn Any + Send>,
    name: &'static str,
}

impl Effect {
    /// The effect, for whoever defined its type; the effect itself back when it is of another one.
    pub fn take<T: Any + Send>(self) -> Result<T, Self> {
        let name = self.name;
        self.inner.downcast().map(|inner| *inner).map_err(|inner| Self { inner, name })
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Effect").field(&self.name).finish()
    }
}

/// A call on its way through the classes of an element.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The instance that was called.
    pub element: &'a Element,
    /// The function.
    pub function: &'a str,
    /// Its arguments, checked against what the function declares.
    pub arguments: Bound,
    /// Who calls. Whether they may was checked before.
    pub caller: &'a Caller,
}

impl<'a> Call<'a> {
    /// Another call by the same caller to the same element, for whoever passes one on; arguments are checked against
    /// what the function declares.
    pub fn instead(&self, function: &'a str, arguments: Arguments) -> Result<Self, Code> {
        let declared = self.element.functions().iter().find(|declared| declared.name == function);
        let arguments = match declared {
            Some(declared) => arguments.bind(&declared.parameters),
            None => arguments.unchecked(),
        };
        let arguments = arguments.map_err(|error| error.to_code(self.caller.language()))?;
        Ok(Self { element: self.element, function, arguments, caller: self.caller })
    }
}

/// The code of a Type, or of an override of one.
///
/// An own Type handles the functions it wants and passes the rest on:
///
/// ```
/// use wecom_login_element::{BoxFuture, Call, Code, Next, Outcome, Type};
///
/// struct Greeting;
///
/// impl Type for Greeting {
///     fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
///         Box::pin(async move {
///             match call.function {
///                 "greet" => Ok(Outcome::value("hello")),
///                 _ => next.call(call).await,
///             }
///         })
///     }
/// }
/// ```
pub trait Type: Send + Sync + 'static {
    /// Calls a function. `next` is the overridden class, or the Type that this one builds on.
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>>;

    /// What the class keeps for an instance, for a caller that knows its type; see [`Element::kept`].
    fn kept(&self, element: &Element) -> Option<Box<dyn Any>> {
        let _ = element;
        None
    }

    /// Looks at an instance when the app is opened; an instance with a fault is left out and told.
    fn check(&self, element: &Element) -> Result<(), Fault> {
        let _ = element;
        Ok(())
    }
}

/// The classes that follow.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    pub(crate) classes: &'a [Arc<dyn Type>],
}

impl<'a> Next<'a> {
    /// Passes the call on. After the last class the function is unknown.
    pub fn call(self, call: Call<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        match self.classes.split_first() {
            Some((class, classes)) => class.call(call, Next { classes }),
            None => {
                let error = no_such_function(call.element, call.function, call.caller.language());
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("classes", &self.classes.len()).finish()
    }
}

pub(crate) fn no_such_function(element: &Element, function: &str, language: Language) -> Code {
    let function: String = function.chars().take(64).collect();
    let name = element.full_name();
    Code::new(
        number::NO_SUCH_FUNCTION,
        match language {
            Language::Zh => format!("元素 {name} 没有可调用的函数 {function}。"),
            Language::En => format!("The element {name} has no function {function} that may be called."),
        },
    )
}
