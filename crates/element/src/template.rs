//! `{{NAME}}` in the values of a configuration.
//!
//! A value is put in once and not read again, so that it may hold braces itself. `{{` always begins a name: what does
//! not end as one is an error, because a mistyped placeholder must not pass for a secret.

use std::fmt;

use wecom_login_model::Secret;

/// A text with places for variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A name with the blanks around it, as they were written.
    Name(String),
}

/// Why a text is no template, or cannot be filled in. Shows names of variables, never the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}` behind it.
    #[error("holds {{{{ without }}}}")]
    Unclosed,
    /// Between `{{` and `}}` is no name.
    #[error("holds {{{{ }}}} without a name of letters, digits, _, - or . between")]
    NoName,
    /// No value was given for the name.
    #[error("the environment has no variable {0}")]
    Unknown(String),
}

impl Template {
    /// Reads a text.
    ///
    /// ```
    /// use wecom_login_element::Template;
    ///
    /// let template = Template::parse("https://{{ HOST }}/auth").unwrap();
    /// assert_eq!(template.names().collect::<Vec<_>>(), ["HOST"]);
    /// let filled = template.fill(|name| (name == "HOST").then(|| "example.com".into())).unwrap();
    /// assert_eq!(filled, "https://example.com/auth");
    /// ```
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) = behind.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if !is_name(name.trim()) {
                return Err(TemplateError::NoName);
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The names in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.trim()),
            Piece::Text(_) => None,
        })
    }

    /// The text with its variables put in.
    pub fn fill(&self, value: impl Fn(&str) -> Option<Secret>) -> Result<String, TemplateError> {
        self.0.iter().try_fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Name(name) => {
                    let name = name.trim();
                    let value = value(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
                    text.push_str(value.expose());
                }
            }
            Ok(text)
        })
    }

    /// The text as it was written. It may be a secret, so this is no `Display`.
    pub fn source(&self) -> String {
        self.0.iter().fold(String::new(), |text, piece| match piece {
            Piece::Text(piece) => text + piece,
            Piece::Name(name) => text + "{{" + name + "}}",
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.names().collect::<Vec<_>>()).finish()
    }
}

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}
