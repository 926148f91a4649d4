use serde_json::Value;

/// The data types of arguments, by the platform's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// `Stext`, `Ltext`, `Phone`, `Date`, `Datetime`, `Dropdown`, `Radio`: a string.
    Text,
    /// `Numeric`, `AutoInt`: a number.
    Number,
    /// `Checkbox`: true or false, 1 or 0; null is false.
    Checkbox,
    /// `JitDict`, `RowData`: an object.
    Object,
    /// `JitList`, `RowList`: a list.
    List,
    /// `Member`, `Dept`: whatever names one.
    Any,
}

impl DataType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Stext" | "Ltext" | "Phone" | "Date" | "Datetime" | "Dropdown" | "Radio" => Self::Text,
            "Numeric" | "AutoInt" => Self::Number,
            "Checkbox" => Self::Checkbox,
            "JitDict" | "RowData" => Self::Object,
            "JitList" | "RowList" => Self::List,
            "Member" | "Dept" => Self::Any,
            _ => return None,
        })
    }

    /// The value in its one spelling; `None` when it is of another type.
    pub(crate) fn accept(self, value: Value) -> Option<Value> {
        let fits = match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Checkbox => return checkbox(&value).map(Value::Bool),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Any => true,
        };
        fits.then_some(value)
    }
}

fn checkbox(value: &Value) -> Option<bool> {
    match value {
        Value::Null => Some(false),
        Value::Bool(on) => Some(*on),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}
