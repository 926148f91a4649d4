//! What is declared of a key. Parsing, defaults, messages, docs/settings.md and the JSON schema come from it.

use wecom_login_model::Bilingual;

/// The beginning of the environment variables.
pub(crate) const PREFIX: &str = "WECOM_LOGIN_";

/// What is said about a key beside its type. A property that a section leaves out is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declaration {
    /// `listen`, or `retention.audit` for a key of a table.
    pub(crate) name: &'static str,
    /// How its values are written.
    pub(crate) kind: &'static Kind,
    /// English help: the field's documentation.
    pub(crate) en: &'static str,
    /// Chinese help.
    pub(crate) zh: &'static str,
    /// The default, as it would be written.
    pub(crate) default: &'static str,
    /// What holds without a value, where the default is no value.
    pub(crate) without: Bilingual,
    /// The least number or duration, as it would be written.
    pub(crate) least: &'static str,
    /// The greatest number or duration, as it would be written.
    pub(crate) most: &'static str,
    /// The value is never shown.
    pub(crate) secret: bool,
    /// The name that the key had before; it is read with a warning.
    pub(crate) formerly: Option<Former>,
}

/// A former name of a key, whose value was a whole number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Former {
    /// The former name.
    pub(crate) name: &'static str,
    /// The unit of the number.
    pub(crate) unit: &'static str,
}

/// How values of a type are written.
#[derive(Debug)]
pub(crate) struct Kind {
    /// How they are written in TOML.
    pub(crate) shape: Shape,
    /// The type's name in the table of the docs.
    pub(crate) label: Bilingual,
    /// The end of `must be …`, with an example.
    pub(crate) rule: &'static str,
    /// A regular expression of texts, for the schema; empty for any text.
    pub(crate) pattern: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Flag,
    Number,
    /// Of texts; separated by commas in an environment variable.
    List,
}

impl Declaration {
    /// No property is set.
    pub(crate) const UNSET: Self = Self {
        name: "",
        kind: &Kind { shape: Shape::Text, label: Bilingual { zh: "", en: "" }, rule: "", pattern: "" },
        en: "",
        zh: "",
        default: "",
        without: Bilingual { zh: "无", en: "none" },
        least: "",
        most: "",
        secret: false,
        formerly: None,
    };
}

/// The environment variable of a key of this name.
pub(crate) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_ascii_uppercase())
}
