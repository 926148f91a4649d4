//! One `e.json`, checked key by key. The keys that we do not know are kept: other programs read them.

use crate::function::{Entry, entries};
use crate::json::{self, Flaw, Object};

/// Who may see an element, and who may override it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Modifier {
    /// Its own app only.
    Private,
    /// Apps that extend its app see it and cannot override it.
    Protected,
    /// They see it and may override it.
    #[default]
    Public,
}

#[derive(Debug, Clone)]
pub(crate) struct EJson {
    pub(crate) object: Object,
    pub(crate) modifier: Modifier,
    pub(crate) functions: Vec<Entry>,
}

impl EJson {
    /// Checks what is there. What must be there is known only when overrides have been joined.
    pub(crate) fn parse(object: Object) -> Result<Self, Flaw> {
        json::text(&object, "title", "title")?;
        json::text(&object, "type", "type")?;
        let modifier = match json::text(&object, "accessModifier", "accessModifier")? {
            None | Some("") => Modifier::default(),
            Some("private") => Modifier::Private,
            Some("protected") => Modifier::Protected,
            Some("public") => Modifier::Public,
            Some(_) => return Err(Flaw::at("accessModifier", "must be private, protected or public")),
        };
        Ok(Self { modifier, functions: entries(&object)?, object })
    }
}
