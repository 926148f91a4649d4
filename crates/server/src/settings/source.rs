//! Where a value comes from, and what is said about it there.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A line of the settings file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line, where it is known.
        line: Option<usize>,
    },
    /// An environment variable.
    Variable(String),
    /// An option of the command line, such as `--listen`, or an argument of the caller.
    Option(String),
}

impl Source {
    /// The value of `key` in a message: `wecom-login.toml line 3: listen`, `WECOM_LOGIN_LISTEN` or `--listen`.
    pub(crate) fn naming(&self, key: &str) -> String {
        match self {
            Self::File { .. } if !key.is_empty() => format!("{self}: {key}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{} line {line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) | Self::Option(name) => f.write_str(name),
        }
    }
}

/// One sentence about a setting, with its source and key in front.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Remark {
    /// Orders the remarks: as the file has them, then variables, then options.
    source: Source,
    text: String,
}

impl Remark {
    pub(crate) fn new(source: Source, key: &str, sentence: &str) -> Self {
        Self { text: format!("{}: {sentence}", source.naming(key)), source }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A value as messages show it: in quotes, what does not print escaped, and not longer than a line.
pub(crate) fn shown(value: &str) -> String {
    const LONGEST: usize = 80;
    let mut cut: String = value.chars().take(LONGEST).collect();
    if cut.len() < value.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}
