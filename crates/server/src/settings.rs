//! Settings: `wecom-login.toml`, each key overridable by `WECOM_LOGIN_<KEY>`. Unknown keys are errors.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use toml::{Table, Value};
use url::Url;
use wecom::is_loopback;
use wecom_login_accounts::Admins;
use wecom_login_model::{MemberRef, Secret};
use wecom_login_session::Lifetimes;

use crate::brand::{self, Brand};
use crate::operations::audit_file::AuditLog;
use crate::retention::{self, Retention, duration};
use crate::storage::{self, Storage};

const PREFIX: &str = "WECOM_LOGIN_";
const DEFAULT_FILE: &str = "wecom-login.toml";

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address under which browsers reach the server: an origin, without a path. Links are made from it, never
    /// from a Host header.
    pub public_url: Url,
    /// The app folder.
    pub app: PathBuf,
    /// Folders in which the apps that it extends are looked up.
    pub app_path: Vec<PathBuf>,
    /// The folder of the database and the key.
    pub data: PathBuf,
    /// PostgreSQL in place of the database in the data folder, Redis for short-lived values.
    pub storage: Storage,
    /// Whose pages they are.
    pub brand: Brand,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins besides `public_url` to which a sign-in may return.
    pub return_origins: Vec<url::Origin>,
    /// Origins whose front ends may sign people in through the JavaScript client, and ask who is signed in.
    pub origins: Vec<url::Origin>,
    /// Seals values at rest; made in the data folder when absent.
    pub key: Option<Secret>,
    /// How long sessions live.
    pub sessions: Lifetimes,
    /// How often the organisation is synchronised by itself, if at all.
    pub sync_every: Option<Duration>,
    /// The members who administer.
    pub admins: Admins,
    /// Where GET /metrics is answered besides the main address; without a key only on loopback.
    pub metrics_listen: Option<SocketAddr>,
    /// Where audit events go besides the database.
    pub audit_log: Option<AuditLog>,
    /// How long rows are kept.
    pub retention: Retention,
    /// Connections that are open at a time; more wait until one is closed.
    pub max_connections: usize,
    /// How long a server that is told to stop goes on answering, while /readyz says that it will not.
    pub shutdown_delay: std::time::Duration,
    /// Failures from loopback are not counted (demo).
    pub spare_loopback: bool,
}

/// A setting that cannot be used; names the key, where it came from, and what it should be.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, or a value is of the wrong kind or unknown.
    #[error("{place}: {problem}")]
    Wrong {
        /// The file, or the environment variable.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    listen: String,
    public_url: Option<String>,
    app: PathBuf,
    app_path: Vec<PathBuf>,
    data: PathBuf,
    database: Option<Secret>,
    database_connections: u32,
    redis: Option<Secret>,
    redis_prefix: String,
    brand: brand::Written,
    allow_http: bool,
    trusted_proxies: Vec<String>,
    return_origins: Vec<String>,
    origins: Vec<String>,
    key: Option<Secret>,
    session_idle_hours: u32,
    session_hours: u32,
    sync_minutes: u32,
    admins: Vec<String>,
    metrics_listen: Option<String>,
    audit_log: Option<String>,
    retention: retention::Written,
    max_connections: u32,
    shutdown_delay: String,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".to_owned(),
            public_url: None,
            app: PathBuf::from("."),
            app_path: Vec::new(),
            data: PathBuf::from("data"),
            database: None,
            database_connections: 10,
            redis: None,
            redis_prefix: "wecom-login".to_owned(),
            brand: brand::Written::default(),
            allow_http: false,
            trusted_proxies: Vec::new(),
            return_origins: Vec::new(),
            origins: Vec::new(),
            key: None,
            session_idle_hours: 24,
            session_hours: 7 * 24,
            sync_minutes: 60,
            admins: Vec::new(),
            metrics_listen: None,
            audit_log: None,
            retention: retention::Written::default(),
            max_connections: 4096,
            shutdown_delay: "0s".to_owned(),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Number,
    List,
}

/// Every key, with the kind of its value in an environment variable. Lists are separated by commas.
const KEYS: &[(&str, Kind)] = &[
    ("admins", Kind::List),
    ("allow_http", Kind::Flag),
    ("app", Kind::Text),
    ("app_path", Kind::List),
    ("audit_log", Kind::Text),
    ("brand_colour", Kind::Text),
    ("brand_logo", Kind::Text),
    ("brand_name", Kind::Text),
    ("data", Kind::Text),
    ("database", Kind::Text),
    ("database_connections", Kind::Number),
    ("key", Kind::Text),
    ("listen", Kind::Text),
    ("max_connections", Kind::Number),
    ("metrics_listen", Kind::Text),
    ("origins", Kind::List),
    ("public_url", Kind::Text),
    ("redis", Kind::Text),
    ("redis_prefix", Kind::Text),
    ("return_origins", Kind::List),
    ("retention_audit", Kind::Text),
    ("retention_key_values", Kind::Text),
    ("retention_outbox", Kind::Text),
    ("retention_sessions", Kind::Text),
    ("retention_sync_runs", Kind::Text),
    ("session_hours", Kind::Number),
    ("session_idle_hours", Kind::Number),
    ("shutdown_delay", Kind::Text),
    ("sync_minutes", Kind::Number),
    ("trusted_proxies", Kind::List),
];

/// What a command line sets.
#[derive(Debug, Clone)]
pub enum Given {
    /// As it would be in the environment.
    Text(String),
    /// A folder.
    Path(PathBuf),
    /// Folders, whose names may hold commas.
    Paths(Vec<PathBuf>),
}

impl Given {
    fn value(self, key: &str) -> Result<Value, String> {
        let text = |path: PathBuf| match path.into_os_string().into_string() {
            Ok(text) => Ok(Value::String(text)),
            Err(path) => Err(format!("must be UTF-8: {}", path.display())),
        };
        match self {
            Self::Text(text) => value(key, &text),
            Self::Path(path) => text(path),
            Self::Paths(paths) => Ok(Value::Array(paths.into_iter().map(text).collect::<Result<_, _>>()?)),
        }
    }
}

impl Settings {
    /// The given settings file, or `wecom-login.toml` in the working folder if there is one.
    pub fn file(given: Option<PathBuf>) -> Option<PathBuf> {
        given.or_else(|| Path::new(DEFAULT_FILE).exists().then(|| DEFAULT_FILE.into()))
    }

    /// What the process's environment sets. Other variables may be anything, even no UTF-8.
    pub fn environment() -> impl Iterator<Item = (String, String)> {
        std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
            Some((name, value.to_string_lossy().into_owned()))
        })
    }

    /// Reads the file, if one is given, then the environment, then `overrides` (the command line); the later ones win.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: impl IntoIterator<Item = (&'static str, Given)>,
    ) -> Result<Self, SettingsError> {
        let (mut table, place) = match file {
            Some(path) => (read(path)?, path.display().to_string()),
            None => (Table::new(), "settings".to_owned()),
        };
        for (name, text) in environment {
            if let Some(key) = name.strip_prefix(PREFIX) {
                let key = key.to_ascii_lowercase();
                let value =
                    value(&key, &text).map_err(|problem| SettingsError::Wrong { place: name, problem })?;
                put(&mut table, &key, value);
            }
        }
        for (key, given) in overrides {
            let place = format!("--{}", key.replace('_', "-"));
            let value = given.value(key).map_err(|problem| SettingsError::Wrong { place, problem })?;
            put(&mut table, key, value);
        }
        let written: Written =
            table.try_into().map_err(|error: toml::de::Error| wrong(&place, error.message().to_owned()))?;
        written.checked(&place)
    }

    /// Settings for a server on loopback.
    pub fn local(listen: SocketAddr, app: PathBuf, data: PathBuf) -> Result<Self, SettingsError> {
        let written = Written { listen: listen.to_string(), app, data, ..Written::default() };
        written.checked("settings")
    }

    /// With these origins, whose front ends may sign people in.
    pub fn with_origins(self, texts: &[String]) -> Result<Self, SettingsError> {
        Ok(Self { origins: origins_of("--origin", "origins", texts)?, ..self })
    }

    /// True when browsers reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

fn wrong(place: &str, problem: impl Into<String>) -> SettingsError {
    SettingsError::Wrong { place: place.to_owned(), problem: problem.into() }
}

fn read(path: &Path) -> Result<Table, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    // The parser's own message shows the line, which may hold the key.
    text.parse::<Table>().map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        wrong(&path.display().to_string(), format!("line {line}: {}", error.message()))
    })
}

fn value(key: &str, text: &str) -> Result<Value, String> {
    let Some((_, kind)) = KEYS.iter().find(|(known, _)| *known == key) else {
        let known: Vec<&str> = KEYS.iter().map(|(known, _)| *known).collect();
        return Err(format!("unknown key {key}; known are {}", known.join(", ")));
    };
    Ok(match kind {
        Kind::Text => Value::String(text.to_owned()),
        Kind::Flag => Value::Boolean(text.parse().map_err(|_| "must be true or false".to_owned())?),
        Kind::Number => Value::Integer(text.parse().map_err(|_| "must be a whole number".to_owned())?),
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
    })
}

/// Sets a key of the file; `brand_name` is `name` of `[brand]`.
fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('_') {
        Some((section @ ("brand" | "retention"), key)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        }
        _ => {
            table.insert(key.to_owned(), value);
        }
    }
}

impl Written {
    fn checked(self, place: &str) -> Result<Settings, SettingsError> {
        let key = |key: &str, problem: String| wrong(place, format!("{key} {problem}"));
        let listen: SocketAddr = self
            .listen
            .parse()
            .map_err(|_| key("listen", "must be an address and a port such as 127.0.0.1:8000".to_owned()))?;
        let public_url = match &self.public_url {
            Some(text) => public_url(text).map_err(|problem| key("public_url", problem))?,
            None if listen.ip().is_loopback() => {
                Url::parse(&format!("http://{listen}")).map_err(|error| key("listen", error.to_string()))?
            }
            None => {
                let problem = "must be given when the server listens beyond loopback, such as https://login.example.com";
                return Err(key("public_url", problem.to_owned()));
            }
        };
        if public_url.scheme() == "http" && !is_loopback(&public_url) && !self.allow_http {
            let problem = "must be https: over plain http anyone on the way could take a session. On a network that \
                           you trust, set allow_http = true";
            return Err(key("public_url", problem.to_owned()));
        }
        let proxy = |text: &String| -> Result<IpNet, SettingsError> {
            text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(
                |_| {
                    key(
                        "trusted_proxies",
                        format!("must hold addresses or networks such as 10.0.0.0/8, not {text:?}"),
                    )
                },
            )
        };
        if self.session_hours == 0 || self.session_idle_hours == 0 {
            return Err(key("session_hours, session_idle_hours", "must be at least 1".to_owned()));
        }
        let sync_every = match self.sync_minutes {
            0 => None,
            minutes @ 1..=10_080 => Some(Duration::from_mins(minutes.into())),
            _ => return Err(key("sync_minutes", "must be 0 (never) or at most 10080 (a week)".to_owned())),
        };
        let admin = |text: &String| {
            text.parse::<MemberRef>()
                .map_err(|_| key("admins", format!("must hold members such as corpId/userId, not {text:?}")))
        };
        let storage = storage::Written {
            database: self.database,
            database_connections: self.database_connections,
            redis: self.redis,
            redis_prefix: self.redis_prefix,
            has_key: self.key.is_some(),
        };
        let hours = |hours: u32| Duration::from_hours(u64::from(hours));
        Ok(Settings {
            listen,
            public_url,
            trusted_proxies: self.trusted_proxies.iter().map(proxy).collect::<Result<_, _>>()?,
            return_origins: origins_of(place, "return_origins", &self.return_origins)?,
            origins: origins_of(place, "origins", &self.origins)?,
            app: self.app,
            app_path: self.app_path,
            data: self.data,
            storage: storage.checked().map_err(|(name, problem)| key(name, problem))?,
            brand: self.brand.checked().map_err(|(name, problem)| key(name, problem))?,
            key: self.key,
            sessions: Lifetimes { idle: hours(self.session_idle_hours), absolute: hours(self.session_hours) },
            sync_every,
            admins: self.admins.iter().map(admin).collect::<Result<_, _>>()?,
            metrics_listen: match &self.metrics_listen {
                None => None,
                Some(text) => Some(text.parse().map_err(|_| {
                    key("metrics_listen", "must be an address and a port such as 127.0.0.1:9464".to_owned())
                })?),
            },
            audit_log: self
                .audit_log
                .as_deref()
                .map(AuditLog::parse)
                .transpose()
                .map_err(|problem| key("audit_log", problem))?,
            retention: self.retention.checked().map_err(|(name, problem)| key(name, problem))?,
            max_connections: match self.max_connections {
                0 => return Err(key("max_connections", "must be at least 1".to_owned())),
                most => most as usize,
            },
            shutdown_delay: duration(&self.shutdown_delay)
                .filter(|delay| *delay <= std::time::Duration::from_mins(10))
                .ok_or_else(|| {
                    key("shutdown_delay", "must be a duration of at most 10m, such as 5s".to_owned())
                })?,
            spare_loopback: false,
        })
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|_| "must be an address such as https://login.example.com".to_owned())?;
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && url.password().is_none() && bare {
        Ok(url)
    } else {
        Err("must be scheme, host and port only, such as https://login.example.com".to_owned())
    }
}

fn origins_of(place: &str, key: &str, texts: &[String]) -> Result<Vec<url::Origin>, SettingsError> {
    let origin = |text: &String| match public_url(text) {
        Ok(url) => Ok(url.origin()),
        Err(problem) => Err(wrong(place, format!("{key} {problem}"))),
    };
    texts.iter().map(origin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wecom-login.toml");
        std::fs::write(&path, toml).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load(Some(&path), environment, []).map_err(|error| error.to_string())
    }

    #[test]
    fn with_nothing_set_it_serves_loopback() {
        let settings = load("", &[("PATH", "/bin")]).unwrap();
        assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8000/");
        assert_eq!(settings.data, PathBuf::from("data"));
        assert!(!settings.is_https() && settings.trusted_proxies.is_empty());
    }

    #[test]
    fn folders_of_the_command_line_are_taken_as_they_are() {
        let folders = vec![PathBuf::from("apps, ours"), PathBuf::from("theirs")];
        let given = [("data", Given::Path("a,b".into())), ("app_path", Given::Paths(folders.clone()))];
        let settings = Settings::load(None, [], given).unwrap();
        assert_eq!((settings.data, settings.app_path), (PathBuf::from("a,b"), folders));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_no_utf_8_is_named() {
        use std::os::unix::ffi::OsStringExt as _;
        let path = PathBuf::from(std::ffi::OsString::from_vec(vec![b'd', 0xff]));
        let error = Settings::load(None, [], [("data", Given::Path(path))]).unwrap_err().to_string();
        assert!(error.contains("--data") && error.contains("UTF-8"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file_and_the_command_line_both() {
        let environment = [("WECOM_LOGIN_LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
        let settings = Settings::load(None, environment.clone(), []).unwrap();
        assert_eq!(settings.listen.port(), 2);
        let settings =
            Settings::load(None, environment, [("listen", Given::Text("127.0.0.1:3".to_owned()))]).unwrap();
        assert_eq!(settings.listen.port(), 3);
        let settings = load(
            "public_url = 'https://login.example.com'\ntrusted_proxies = ['10.0.0.0/8']",
            &[("WECOM_LOGIN_TRUSTED_PROXIES", "192.168.0.1, fd00::/8")],
        );
        assert_eq!(settings.unwrap().trusted_proxies.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let cases: &[Case] = &[
            ("nonsense = 1", &[], "wecom-login.toml: unknown field `nonsense`"),
            ("listen = 7", &[], "invalid type: integer `7`, expected a string"),
            ("listen = ", &[], "line 1"),
            ("listen = '8000'", &[], "listen must be an address and a port"),
            ("listen = '0.0.0.0:80'", &[], "public_url must be given"),
            ("public_url = 'http://login.example.com'", &[], "public_url must be https"),
            ("public_url = 'https://a.example.com/sub'", &[], "scheme, host and port only"),
            ("public_url = 'https://u:p@a.example.com'", &[], "scheme, host and port only"),
            ("trusted_proxies = ['all']", &[], "trusted_proxies must hold addresses"),
            ("return_origins = ['*']", &[], "return_origins must be"),
            ("origins = ['*']", &[], "origins must be"),
            ("origins = ['null']", &[], "origins must be"),
            ("origins = ['https://app.example.org/sub']", &[], "origins must be scheme, host and port only"),
            ("session_hours = 0", &[], "at least 1"),
            ("database = 'mysql://u:hidden@db/x'", &[], "database must be an address such as postgres://"),
            ("database = 'postgres://u:hidden@db/x'", &[], "database must say sslmode"),
            ("database = 'postgres://u@db/x?sslmode=prefer'", &[], "database must say sslmode"),
            (
                "database = 'postgres://u@db/x?sslmod=disable'",
                &[],
                "database has the unknown parameter sslmod",
            ),
            ("database = 'postgres://u@127.0.0.1/x'", &[], "key must be given (WECOM_LOGIN_KEY)"),
            ("redis = 'redis://127.0.0.1'", &[], "key must be given (WECOM_LOGIN_KEY)"),
            ("redis = 'http://:hidden@127.0.0.1'", &[], "redis must be an address such as redis://"),
            ("redis = 'rediss://127.0.0.1/#insecure'", &[], "certificates are always checked"),
            ("database_connections = 0", &[], "database_connections must be at least 1"),
            ("metrics_listen = '9464'", &[], "metrics_listen must be an address and a port"),
            ("audit_log = ''", &[], "audit_log must be stdout or the path of a file"),
            ("max_connections = 0", &[], "max_connections must be at least 1"),
            ("shutdown_delay = '1h'", &[], "shutdown_delay must be a duration of at most 10m"),
            ("[retention]\naudit = '3h'", &[], "retention.audit must be a duration of at least 1d"),
            (
                "[retention]\nsessions = 'forever'",
                &[],
                "retention.sessions must be a duration of at least 10m",
            ),
            ("[retention]\nlogs = '1d'", &[], "unknown field `logs`, expected one of `sessions`"),
            (
                "admins = ['zhangsan']",
                &[],
                "admins must hold members such as corpId/userId, not \"zhangsan\"",
            ),
            ("brand = 'Yunfan'", &[], "expected struct"),
            ("[brand]\nname = ' '", &[], "brand.name must be a line of text"),
            (
                "[brand]\ncolor = '#07c'",
                &[],
                "unknown field `color`, expected one of `name`, `logo`, `colour`",
            ),
            ("[brand]\ncolour = 'teal'", &[], "brand.colour must be a colour such as \"#0e6269\""),
            ("[brand]\nlogo = 'missing.png'", &[], "brand.logo cannot be read: missing.png: No such file"),
            ("[brand]\nlogo = 'Cargo.toml'", &[], "brand.logo must be an SVG, PNG, JPEG or WebP file"),
            (
                "",
                &[("WECOM_LOGIN_LISTN", "x")],
                "WECOM_LOGIN_LISTN: unknown key listn; known are admins, allow_http",
            ),
            ("", &[("WECOM_LOGIN_ALLOW_HTTP", "yes")], "WECOM_LOGIN_ALLOW_HTTP: must be true or false"),
        ];
        for (toml, environment, expected) in cases {
            let error = load(toml, environment).unwrap_err();
            assert!(error.contains(expected), "{error}\nshould say\n{expected}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn a_brand_is_a_section_that_the_environment_may_change() {
        let toml = "[brand]\nname = '云帆'\ncolour = '#7a1f5c'";
        let settings = load(toml, &[("WECOM_LOGIN_BRAND_NAME", "Yunfan")]).unwrap();
        assert_eq!(settings.brand.name.as_deref(), Some("Yunfan"));
        assert!(settings.brand.style.is_some() && settings.brand.logo.is_none());
        let settings = load("", &[("WECOM_LOGIN_BRAND_COLOUR", "#07c")]).unwrap();
        assert_eq!(settings.brand.assets().count(), 1);
    }

    #[test]
    fn plain_http_off_loopback_must_be_asked_for() {
        let toml = "public_url = 'http://login.corp.example'\nallow_http = true";
        assert_eq!(load(toml, &[]).unwrap().public_url.as_str(), "http://login.corp.example/");
    }

    #[test]
    fn a_broken_file_does_not_print_the_key() {
        let error = load("key = 'c2VjcmV0", &[]).unwrap_err();
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
}
