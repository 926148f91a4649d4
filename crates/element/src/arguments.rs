//! From what a caller gives to what a function declares.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};
use wecom_login_model::Language;

use crate::{Code, Parameter, number};

/// How much of a name that a stranger sent is repeated to them, in characters.
const LONGEST_NAME_SHOWN: usize = 64;

/// What a caller gives: values by position, values by name. Does not print values: a code may be among them.
#[derive(Clone, Default)]
pub struct Arguments {
    positional: Vec<Value>,
    named: Vec<(String, Value)>,
}

impl Arguments {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next positional value.
    pub fn with(mut self, value: impl Into<Value>) -> Self {
        self.positional.push(value.into());
        self
    }

    /// Adds a named value.
    pub fn named(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.named.push((name.into(), value.into()));
        self
    }

    /// Puts the values where the parameters want them and checks each.
    pub fn bind(self, parameters: &[Parameter]) -> Result<Bound, ArgumentError> {
        if self.positional.len() > parameters.len() {
            return Err(ArgumentError::TooMany { most: parameters.len() });
        }
        let mut given: BTreeMap<String, Value> =
            parameters.iter().map(|parameter| parameter.name.clone()).zip(self.positional).collect();
        for (name, value) in self.named {
            if !parameters.iter().any(|parameter| parameter.name == name) {
                return Err(ArgumentError::Unknown(name));
            }
            if given.insert(name.clone(), value).is_some() {
                return Err(ArgumentError::Doubled(name));
            }
        }
        let mut bound = Bound::default();
        for parameter in parameters {
            if let Some(value) = parameter_value(parameter, given.remove(&parameter.name))? {
                bound.0.insert(parameter.name.clone(), value);
            }
        }
        Ok(bound)
    }

    /// For a function that declares nothing: named values only, as they are.
    pub(crate) fn unchecked(self) -> Result<Bound, ArgumentError> {
        if !self.positional.is_empty() {
            return Err(ArgumentError::TooMany { most: 0 });
        }
        let mut bound = Bound::default();
        for (name, value) in self.named {
            if bound.0.insert(name.clone(), value).is_some() {
                return Err(ArgumentError::Doubled(name));
            }
        }
        Ok(bound)
    }
}

impl From<Map<String, Value>> for Arguments {
    fn from(named: Map<String, Value>) -> Self {
        Self { positional: Vec::new(), named: named.into_iter().collect() }
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.named.iter().map(|(name, _)| name).collect();
        f.debug_struct("Arguments")
            .field("positional", &self.positional.len())
            .field("named", &names)
            .finish()
    }
}

/// The value of one parameter; null is as good as absent.
fn parameter_value(parameter: &Parameter, given: Option<Value>) -> Result<Option<Value>, ArgumentError> {
    let name = || parameter.name.clone();
    match given {
        None | Some(Value::Null) if parameter.default.is_some() => Ok(parameter.default.clone()),
        None if parameter.required => Err(ArgumentError::Missing(name())),
        None => Ok(None),
        Some(Value::Null) if !parameter.required => Ok(None),
        Some(Value::Null) => {
            parameter.data_type.accept(Value::Null).map(Some).ok_or_else(|| ArgumentError::Missing(name()))
        }
        Some(value) => {
            let wrong = || ArgumentError::WrongType { name: name(), wanted: parameter.data_type };
            parameter.data_type.accept(value).map(Some).ok_or_else(wrong)
        }
    }
}

/// The arguments of a call, by name, as the function declares them. Does not print values.
#[derive(Clone, Default, PartialEq)]
pub struct Bound(BTreeMap<String, Value>);

impl Bound {
    /// The value of an argument; `None` when it is optional and was not given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The text of an argument; `None` when it was not given or is no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A Checkbox; false when it was not given.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Puts another value in, for the classes that follow.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The names of what is there, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bound").field(&self.0.keys()).finish()
    }
}

/// Why arguments are not those that a function declares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// More positional values than parameters.
    #[error("at most {most} positional arguments")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// No parameter has this name.
    #[error("unknown argument {0}")]
    Unknown(String),
    /// Given twice.
    #[error("argument {0} given twice")]
    Doubled(String),
    /// Required and not given, or null.
    #[error("argument {0} is missing")]
    Missing(String),
    /// Of another type.
    #[error("argument {name} is of the wrong type")]
    WrongType {
        /// The argument.
        name: String,
        /// What it takes.
        wanted: crate::DataType,
    },
}

impl ArgumentError {
    /// The error as callers see it.
    pub fn to_code(&self, language: Language) -> Code {
        let shown = |name: &str| name.chars().take(LONGEST_NAME_SHOWN).collect::<String>();
        let (zh, en) = match self {
            Self::TooMany { most } => (
                format!("位置参数最多 {most} 个。"),
                format!("There may be at most {most} positional arguments."),
            ),
            Self::Unknown(name) => {
                let name = shown(name);
                (format!("没有名为 {name} 的参数。"), format!("There is no argument {name}."))
            }
            Self::Doubled(name) => {
                let name = shown(name);
                (format!("参数 {name} 给了两次。"), format!("The argument {name} is given twice."))
            }
            Self::Missing(name) => (format!("缺少参数 {name}。"), format!("The argument {name} is missing.")),
            Self::WrongType { name, wanted } => {
                let (zh, en) = described(*wanted);
                (format!("参数 {name} 必须是{zh}。"), format!("The argument {name} must be {en}."))
            }
        };
        Code::new(
            number::BAD_ARGUMENTS,
            match language {
                Language::Zh => zh,
                Language::En => en,
            },
        )
    }
}

fn described(data_type: crate::DataType) -> (&'static str, &'static str) {
    use crate::DataType;
    match data_type {
        DataType::Text => ("字符串", "a string"),
        DataType::Number => ("数字", "a number"),
        DataType::Checkbox => ("布尔值（true、false、1 或 0）", "true, false, 1 or 0"),
        DataType::Object => ("对象", "an object"),
        DataType::List => ("列表", "a list"),
        DataType::Any => ("一个值", "a value"),
    }
}
