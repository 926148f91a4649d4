//! Settings: `wecom-login.toml`, each key overridable by `WECOM_LOGIN_<KEY>` and some by an option.
//!
//! Every key is declared once, in the section that it belongs to ([`declaration`]). Values are trimmed, a blank one is unset,
//! and each keeps its source, which messages name. All faults are reported together, and none that only follows from
//! another: a rule about two keys is applied when both are known.

mod accounts;
mod administrators;
mod brand;
mod declaration;
mod document;
mod environment;
mod file;
mod folders;
mod key;
mod network;
mod operations;
mod organisation;
mod raw;
mod retention;
mod section;
mod sessions;
mod source;
mod storage;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::Url;
use wecom_login_model::Language;

pub use accounts::AccountSettings;
pub use administrators::Administrators;
pub use brand::{Brand, BrandStyle};
pub use folders::Folders;
pub use key::KeyError;
pub(crate) use key::{existing_key_in, key_in};
pub use network::Network;
pub use operations::{AuditLog, OperationsSettings};
pub use organisation::{Interval, OrganisationSettings};
pub use retention::Retention;
pub use sessions::SessionLimits;
pub use storage::{Storage, StorageError};

use declaration::Declaration;
use raw::{RawSettings, RawValue, Remarks};
use section::Section;
use source::Source;

/// The sections, each declared in its file.
macro_rules! settings {
    ($( $(#[doc = $help:literal])+ $section:ident: $type:ty, )+) => {
        /// What the operator decides.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $( $(#[doc = $help])+ pub $section: $type, )+
            /// The address under which browsers reach the server: an origin, without a path.
            pub public_url: Url,
            /// Failures from loopback are not counted (demo).
            pub spare_loopback: bool,
            warnings: Vec<String>,
            /// The keys that are set, as messages name them.
            names: BTreeMap<&'static str, String>,
        }

        const SECTIONS: &[(wecom_login_model::Bilingual, &[Declaration])] =
            &[$( (<$type as Section>::TITLE, <$type as Section>::KEYS), )+];

        impl Settings {
            fn sections(raw: &mut RawSettings) -> Option<Self> {
                Some(Self {
                    $( $section: <$type as Section>::read(raw), )+
                    public_url: Url::parse("http://127.0.0.1:8000").ok()?,
                    spare_loopback: false,
                    warnings: Vec::new(),
                    names: BTreeMap::new(),
                })
            }
        }
    };
}

settings! {
    /// Where the server listens, how browsers reach it, and which other sites it trusts.
    network: Network,
    /// Where the app and the data are.
    folders: Folders,
    /// Where things are kept, and the key that seals them.
    storage: Storage,
    /// How long sessions last.
    sessions: SessionLimits,
    /// How the local copy of the organisation is kept up to date.
    organisation: OrganisationSettings,
    /// Who gets which account.
    accounts: AccountSettings,
    /// Who administers.
    administrators: Administrators,
    /// What operators see of the server, and how it stops.
    operations: OperationsSettings,
    /// How long rows are kept.
    retention: Retention,
    /// Whose pages these are.
    brand: Brand,
}

/// All that is wrong with the settings. Each fault names the value's source and key, and what it should be.
#[derive(Debug)]
pub struct SettingsError {
    faults: Vec<String>,
    warnings: Vec<String>,
    known: BTreeSet<&'static str>,
    /// The settings with defaults in place of what is wrong.
    rest: Option<Box<Settings>>,
}

impl SettingsError {
    /// The faults, one sentence each.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// What is doubtful, as [`Settings::warnings`].
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The settings with defaults in place of what is wrong, if what the operator wrote is known of these keys.
    pub(crate) fn rest_if_known(&self, keys: &[&str]) -> Option<&Settings> {
        self.rest.as_deref().filter(|_| keys.iter().all(|key| self.known.contains(key)))
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.faults[..] {
            [fault] => f.write_str(fault),
            faults => write!(f, "the settings have {} faults\n  {}", faults.len(), faults.join("\n  ")),
        }
    }
}

impl std::error::Error for SettingsError {}

/// What a command line sets, in place of file and environment.
#[derive(Debug, Clone)]
pub enum Override {
    /// As it would be in the environment.
    Text(String),
    /// A folder.
    Path(PathBuf),
    /// Folders, whose names may hold commas.
    Paths(Vec<PathBuf>),
    /// Several values.
    Texts(Vec<String>),
}

impl Settings {
    /// The given settings file, or `wecom-login.toml` in the working folder if there is one.
    pub fn file(given: Option<PathBuf>) -> Option<PathBuf> {
        given.or_else(file::in_working_folder)
    }

    /// The process's variables that begin with our prefix. Others may be anything, even no UTF-8.
    pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
        environment::ours()
    }

    /// docs/settings.md, or docs/settings.zh-CN.md: every key with its type, default and meaning.
    pub fn document(language: Language) -> String {
        document::text(SECTIONS, language)
    }

    /// The JSON schema of `wecom-login.toml` (JSON Schema 2020-12).
    pub fn schema() -> serde_json::Value {
        document::schema(SECTIONS)
    }

    /// Reads the file, if one is given, then the environment, then `overrides` (the command line); the later ones win.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        overrides: impl IntoIterator<Item = (&'static str, Override)>,
    ) -> Result<Self, SettingsError> {
        let option = |key: &str| format!("--{}", key.replace(['_', '.'], "-"));
        Self::load_naming(file, environment, overrides, option)
    }

    /// The same for a caller that is no command line: `named` is what messages call the override of a key.
    pub fn load_naming(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        overrides: impl IntoIterator<Item = (&'static str, Override)>,
        named: impl Fn(&str) -> String,
    ) -> Result<Self, SettingsError> {
        let mut raw = RawSettings::of(declarations().collect());
        if let Some(path) = file {
            file::read(path, &mut raw);
        }
        environment::read(environment, &mut raw);
        for (key, value) in overrides {
            value.give(key, Source::Option(named(key)), &mut raw);
        }
        raw.settle_former();
        Self::read(raw)
    }

    fn read(mut raw: RawSettings) -> Result<Self, SettingsError> {
        let mut settings = Self::sections(&mut raw);
        let mut is_addressed = false;
        if let Some(settings) = &mut settings {
            Storage::check(&mut raw);
            if let Some(address) = settings.network.address_for_browsers(&mut raw) {
                settings.public_url = address;
                is_addressed = raw.is_set("public_url") || raw.is_known("listen");
            }
        }
        let Remarks { faults, warnings, mut known, names } = raw.into_remarks();
        if !is_addressed {
            known.remove("public_url");
        }
        if let Some(settings) = &mut settings {
            settings.warnings.clone_from(&warnings);
            settings.names = names;
        }
        match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            rest => Err(SettingsError { faults, warnings, known, rest: rest.map(Box::new) }),
        }
    }

    /// Settings for a server on loopback.
    pub fn local(listen: SocketAddr, app: PathBuf, data: PathBuf) -> Result<Self, SettingsError> {
        Self::local_with(listen, app, data, [])
    }

    /// The same with further ones.
    pub fn local_with(
        listen: SocketAddr,
        app: PathBuf,
        data: PathBuf,
        more: impl IntoIterator<Item = (&'static str, Override)>,
    ) -> Result<Self, SettingsError> {
        let given = [
            ("listen", Override::Text(listen.to_string())),
            ("app", Override::Path(app)),
            ("data", Override::Path(data)),
        ];
        Self::load(None, [], given.into_iter().chain(more))
    }

    /// What is doubtful, one sentence each: variables of our prefix that no setting has, and former names of settings.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A key as messages name it: with the place where it is set, if it is.
    pub fn naming(&self, key: &str) -> String {
        self.names.get(key).cloned().unwrap_or_else(|| key.to_owned())
    }

    /// True when browsers reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

impl Override {
    fn give(self, key: &'static str, source: Source, raw: &mut RawSettings) {
        let text = |path: PathBuf| path.into_os_string().into_string().ok();
        let value = match self {
            Self::Text(text) => Some(RawValue::Text(text)),
            Self::Texts(texts) => Some(RawValue::List(texts)),
            Self::Path(path) => text(path).map(RawValue::Text),
            Self::Paths(paths) => paths.into_iter().map(text).collect::<Option<_>>().map(RawValue::List),
        };
        match value {
            Some(value) => raw.give(key, value, source),
            None => raw.remark(source, key, "is not UTF-8"),
        }
    }
}

/// Every key, in the order of the docs.
fn declarations() -> impl Iterator<Item = &'static Declaration> {
    SECTIONS.iter().flat_map(|(_, keys)| *keys)
}

#[cfg(test)]
mod tests;
