//! `wecom-login.toml`: each value with the line that it stands on.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::raw::{RawSettings, RawValue};
use super::source::Source;

const DEFAULT_FILE: &str = "wecom-login.toml";

/// `wecom-login.toml` in the working folder, if there is one.
pub(super) fn in_working_folder() -> Option<PathBuf> {
    // A link that leads nowhere is there: it is an error, and not a start without a file.
    Path::new(DEFAULT_FILE).symlink_metadata().is_ok().then(|| DEFAULT_FILE.into())
}

/// Adds the values of a file.
pub(super) fn read(path: &Path, raw: &mut RawSettings) {
    let file = |line| Source::File { path: path.to_owned(), line };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return raw.break_file(file(None), "", &unreadable(&error)),
    };
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let line = 1 + before.unwrap_or_default().matches('\n').count();
            return raw.break_file(file(Some(line)), "", "is not UTF-8; save the file as UTF-8");
        }
    };
    File { text, path }.read(raw);
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

impl File<'_> {
    fn read(&self, raw: &mut RawSettings) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let mut broken = Vec::new();
        for error in errors {
            let line = self.line(&error.span().unwrap_or_default());
            // One mistake may lead the parser to several errors on its line.
            if !broken.contains(&line) {
                // The message alone: the parser's other form shows the line, which may hold a secret.
                raw.break_file(self.source(line), self.key_on(line, raw), error.message());
                broken.push(line);
            }
        }
        for (key, value) in table.get_ref() {
            let line = self.line(&key.span());
            let name = key.get_ref().as_ref();
            match (value.get_ref(), is_table(name, raw)) {
                (DeValue::Table(keys), true) => {
                    for (key, value) in keys {
                        let line = self.line(&key.span());
                        if !broken.contains(&line) {
                            raw.give(
                                &format!("{name}.{}", key.get_ref()),
                                raw_value(value),
                                self.source(line),
                            );
                        }
                    }
                }
                _ if broken.contains(&line) => {}
                (_, true) => {
                    let sentence = format!("must be a table: [{name}] and its keys on the lines below");
                    raw.remark(self.source(line), name, &sentence);
                }
                _ => raw.give(name, raw_value(value), self.source(line)),
            }
        }
    }

    fn source(&self, line: usize) -> Source {
        Source::File { path: self.path.to_owned(), line: Some(line) }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        1 + before.matches('\n').count()
    }

    /// The known key that a line begins with. Any other beginning may be the middle of a secret.
    fn key_on(&self, line: usize, raw: &RawSettings) -> &'static str {
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        let word = text.split('=').next().unwrap_or_default().trim();
        raw.keys().map(|key| key.name).find(|name| *name == word).unwrap_or_default()
    }
}

fn is_table(name: &str, raw: &RawSettings) -> bool {
    raw.keys().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
}

fn raw_value(value: &Spanned<DeValue<'_>>) -> RawValue {
    match value.get_ref() {
        DeValue::String(text) => RawValue::Text(text.to_string()),
        DeValue::Boolean(flag) => RawValue::Flag(*flag),
        DeValue::Integer(number) => RawValue::Number(number.to_string()),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            match texts.collect() {
                Some(texts) => RawValue::List(texts),
                None => RawValue::Other("a list of other things"),
            }
        }
        DeValue::Float(_) => RawValue::Other("a number with a fraction"),
        DeValue::Datetime(_) => RawValue::Other("a date or a time"),
        DeValue::Table(_) => RawValue::Other("a table"),
    }
}
