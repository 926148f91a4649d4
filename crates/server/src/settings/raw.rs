//! The values of a file, the environment and the command line before they are read, each with its source; and all that is
//! wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::{Declaration, Former, Shape};
use super::source::{Remark, Source, shown};
use super::value::{Problem, Value};

/// A value as it is written.
pub(crate) enum RawValue {
    Text(String),
    Flag(bool),
    /// The digits of an integer.
    Number(String),
    /// Of texts.
    List(Vec<String>),
    /// What no key takes, such as `a date`.
    Other(&'static str),
}

impl RawValue {
    fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => trim(text).is_empty(),
            Self::List(texts) => texts.iter().all(|text| trim(text).is_empty()),
            Self::Flag(_) | Self::Number(_) | Self::Other(_) => false,
        }
    }
}

/// Without white space and the byte order mark that some editors put in front.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || char == '\u{feff}')
}

struct Given {
    value: RawValue,
    source: Source,
    /// The name under which it was given: today's or a former one.
    name: &'static str,
}

/// What was given for each key, and what is wrong.
pub(crate) struct RawSettings {
    /// Every key.
    keys: Vec<&'static Declaration>,
    given: BTreeMap<&'static str, Given>,
    /// Values under a former name, by the key's name of today.
    former: BTreeMap<&'static str, (Former, Given)>,
    faults: BTreeSet<Remark>,
    warnings: BTreeSet<Remark>,
    /// Keys whose value is not known, because what is written cannot be one.
    unknown: BTreeSet<&'static str>,
    /// The file could not be read to its end: what is not given elsewhere is not known.
    file_is_broken: bool,
}

impl RawSettings {
    /// Without a value of these keys.
    pub(crate) fn of(keys: Vec<&'static Declaration>) -> Self {
        Self {
            keys,
            given: BTreeMap::new(),
            former: BTreeMap::new(),
            faults: BTreeSet::new(),
            warnings: BTreeSet::new(),
            unknown: BTreeSet::new(),
            file_is_broken: false,
        }
    }

    /// Every key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Declaration> {
        self.keys.iter().copied()
    }

    /// The declaration of a key, by its name or a former one.
    fn declared(&self, name: &str) -> Option<(&'static Declaration, Option<Former>)> {
        self.keys().find_map(|key| {
            let former = key.formerly.filter(|former| former.name == name);
            (key.name == name || former.is_some()).then_some((key, former))
        })
    }

    /// The known key that is most like a mistyped one.
    pub(crate) fn suggestion(&self, name: &str) -> Option<&'static str> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '.'], "_");
        let name = plain(name);
        let distance = |key: &Declaration| (strsim::damerau_levenshtein(&plain(key.name), &name), key.name);
        let (distance, key) = self.keys().map(distance).min()?;
        (distance <= name.len().div_ceil(4)).then_some(key)
    }

    /// Takes a value in place of one from an earlier source; a blank one leaves that.
    pub(crate) fn give(&mut self, name: &str, value: RawValue, source: Source) {
        let Some((key, former)) = self.declared(name) else {
            let sentence = match self.suggestion(name) {
                Some(key) => format!("unknown key; did you mean {key}?"),
                None => "unknown key; docs/settings.md lists the known ones".to_owned(),
            };
            self.remark(source, name, &sentence);
            return;
        };
        if value.is_blank() {
            return;
        }
        let name = former.map_or(key.name, |former| former.name);
        let given = Given { value, source, name };
        match former {
            Some(former) => {
                self.former.insert(key.name, (former, given));
            }
            None => {
                self.given.insert(key.name, given);
            }
        }
    }

    /// A fault of `key` at `source`.
    pub(crate) fn remark(&mut self, source: Source, key: &str, sentence: &str) {
        if let Some((key, _)) = self.declared(key) {
            self.unknown.insert(key.name);
        }
        self.faults.insert(Remark::new(source, key, sentence));
    }

    /// A fault of a key that is set, named where it is set.
    pub(crate) fn fault(&mut self, key: &'static str, sentence: &str) {
        if let Some(Given { source, name, .. }) = self.given.get(key) {
            let (source, name) = (source.clone(), *name);
            self.remark(source, name, sentence);
        }
    }

    /// A warning.
    pub(crate) fn warn(&mut self, source: Source, key: &str, sentence: &str) {
        self.warnings.insert(Remark::new(source, key, sentence));
    }

    /// The file is not read to its end.
    pub(crate) fn break_file(&mut self, source: Source, key: &str, sentence: &str) {
        self.file_is_broken = true;
        self.faults.insert(Remark::new(source, key, sentence));
    }

    /// Moves values under former names to today's. Once all sources are read.
    pub(crate) fn settle_former(&mut self) {
        for (name, (former, Given { value, source, .. })) in std::mem::take(&mut self.former) {
            if let Some(newer) = self.given.get(name) {
                let newer = newer.source.naming(name);
                self.remark(
                    source,
                    former.name,
                    &format!("is the former name of {name}, which is set too ({newer})"),
                );
                continue;
            }
            let number = match &value {
                RawValue::Number(digits) => digits,
                RawValue::Text(text) => trim(text),
                _ => "",
            };
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                let rule = format!("must be a whole number; {name} takes its place, a duration such as 24h");
                self.remark(source, former.name, &rule);
                continue;
            }
            let text = format!("{number}{}", former.unit);
            let sentence = format!("the next version does not read it; set {name} = {text:?} instead");
            self.warn(source.clone(), former.name, &sentence);
            self.given.insert(name, Given { value: RawValue::Text(text), source, name: former.name });
        }
    }

    /// The value of a key: as given, or its default. A wrong one is a fault, and the default stands in for it.
    pub(crate) fn read<T: Value>(&mut self, name: &'static str) -> T {
        let Some((key, _)) = self.declared(name) else { return T::unset() };
        if let Some(given) = self.given.get(name) {
            match texts(given, key).and_then(|texts| T::read(&texts, key)) {
                Ok(value) => return value,
                Err(problem) => {
                    let sentence = sentence(&problem, key);
                    self.fault(name, &sentence);
                }
            }
        }
        let default = (!key.default.is_empty()).then(|| T::read(&[key.default.to_owned()], key));
        default.and_then(Result::ok).unwrap_or_else(T::unset)
    }

    /// True when a value was given, right or wrong.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// True when what holds for the key, set or not, is what the operator wrote.
    pub(crate) fn is_known(&self, key: &str) -> bool {
        !self.unknown.contains(key) && (self.is_set(key) || !self.file_is_broken)
    }

    /// What is wrong, what is only doubtful, and what else is to be remembered.
    pub(crate) fn into_remarks(self) -> Remarks {
        let texts = |remarks: BTreeSet<Remark>| remarks.iter().map(ToString::to_string).collect();
        let known = self.keys().map(|key| key.name).filter(|name| self.is_known(name)).collect();
        let named = |(key, given): (_, Given)| (key, given.source.naming(given.name));
        let names = self.given.into_iter().map(named).collect();
        Remarks { faults: texts(self.faults), warnings: texts(self.warnings), known, names }
    }
}

/// The faults, warnings and names that remain after the values are read.
pub(crate) struct Remarks {
    pub(crate) faults: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// Keys of which is known what the operator wrote.
    pub(crate) known: BTreeSet<&'static str>,
    /// The keys that are set, as messages name them: with the place.
    pub(crate) names: BTreeMap<&'static str, String>,
}

/// The texts of a value, if it has the shape that the key takes. Numbers and switches may stand in quotes.
fn texts(given: &Given, key: &Declaration) -> Result<Vec<String>, Problem> {
    let must = |shape: &str, value: &str| Err(Problem::must(shape, value));
    let one = |text: &str| Ok(vec![trim(text).to_owned()]);
    match (&given.value, key.kind.shape) {
        (RawValue::Text(text), Shape::Text | Shape::Flag | Shape::Number)
        | (RawValue::Number(text), Shape::Flag | Shape::Number) => one(text),
        (RawValue::Flag(flag), Shape::Flag) => one(if *flag { "true" } else { "false" }),
        (RawValue::List(texts), Shape::List) => {
            let texts = texts.iter().map(|text| trim(text)).filter(|text| !text.is_empty());
            Ok(texts.map(str::to_owned).collect())
        }
        (RawValue::Number(digits), Shape::Text) if !key.secret => {
            Err(Problem::other(format!("must be text in quotes ({}), not {digits}", key.kind.rule)))
        }
        (RawValue::Text(text), Shape::List) => must("a list such as [\"first\", \"second\"]", text),
        (value, shape) => {
            let rule = match shape {
                Shape::Text => format!("text in quotes ({})", key.kind.rule),
                Shape::List => "a list of texts such as [\"first\", \"second\"]".to_owned(),
                Shape::Flag | Shape::Number => key.kind.rule.to_owned(),
            };
            let is = match value {
                RawValue::Flag(_) => "true or false",
                RawValue::List(_) => "a list",
                RawValue::Number(_) => "a number",
                RawValue::Text(_) => "text",
                RawValue::Other(what) => what,
            };
            Err(Problem::other(format!("must be {rule}, not {is}")))
        }
    }
}

fn sentence(problem: &Problem, key: &Declaration) -> String {
    let Problem { text, values } = problem;
    if key.secret || values.is_empty() {
        return text.clone();
    }
    let values: Vec<String> = values.iter().map(|value| shown(value)).collect();
    format!("{text}, not {}", values.join(" or "))
}
