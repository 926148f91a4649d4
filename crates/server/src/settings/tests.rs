//! Input and exact message, and what is read from which source.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{AuditLog, Override, Settings, SettingsError, declarations};

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

struct Input<'a> {
    toml: Option<&'a [u8]>,
    environment: &'a [(&'a str, &'a str)],
    options: Vec<(&'static str, Override)>,
}

fn toml(text: &str) -> Input<'_> {
    Input { toml: Some(text.as_bytes()), environment: &[], options: Vec::new() }
}

fn environment<'a>(environment: &'a [(&'a str, &'a str)]) -> Input<'a> {
    Input { toml: None, environment, options: Vec::new() }
}

impl<'a> Input<'a> {
    fn and(self, environment: &'a [(&'a str, &'a str)]) -> Self {
        Self { environment, ..self }
    }

    fn option(mut self, key: &'static str, text: &str) -> Self {
        self.options.push((key, Override::Text(text.to_owned())));
        self
    }

    fn load(self) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wecom-login.toml");
        let file = self.toml.map(|bytes| std::fs::write(&path, bytes).map(|()| path.as_path()).unwrap());
        let environment =
            self.environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Settings::load(file, environment, self.options)
    }

    /// The faults, with the folder of the file left out.
    fn faults(self) -> Vec<String> {
        let cut = |fault: &String| match fault.find("wecom-login.toml") {
            Some(at) if fault.starts_with('/') => fault[at..].to_owned(),
            _ => fault.clone(),
        };
        self.load().map_or_else(|error| error.faults().iter().map(cut).collect(), |_| Vec::new())
    }

    fn warnings(self) -> Vec<String> {
        self.load().unwrap().warnings().to_vec()
    }
}

#[test]
fn with_nothing_set_it_serves_loopback() {
    let settings = environment(&[("PATH", "/bin")]).load().unwrap();
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8000/");
    assert_eq!(settings.folders.data, PathBuf::from("data"));
    assert_eq!(settings.organisation.sync_every.0, Some(Duration::from_hours(1)));
    assert_eq!(settings.sessions.session_lifetime, Duration::from_hours(7 * 24));
    assert!(!settings.is_https() && settings.network.trusted_proxies.is_empty());
    assert!(settings.warnings().is_empty());
}

#[test]
fn every_default_is_a_value_of_its_key_and_is_what_holds_without_one() {
    for key in declarations().filter(|key| !key.default.is_empty()) {
        let variable = super::declaration::variable(key.name);
        let given = environment(&[(&variable, key.default)]).load().unwrap();
        let default = environment(&[]).load().unwrap();
        let without_sources = |settings: Settings| {
            let settings = Settings { names: std::collections::BTreeMap::new(), ..settings };
            format!("{settings:?}")
        };
        assert_eq!(without_sources(given), without_sources(default), "{}", key.name);
    }
}

#[test]
fn every_key_has_a_name_and_a_variable_of_its_own() {
    let former = declarations().filter_map(|key| key.formerly).map(|former| former.name);
    let names: Vec<&str> = declarations().map(|key| key.name).chain(former).collect();
    for name in &names {
        let variable = super::declaration::variable(name);
        let same = names.iter().filter(|other| super::declaration::variable(other) == variable);
        assert_eq!(same.count(), 1, "{variable}");
    }
    for key in declarations() {
        assert!(!key.en.is_empty() && !key.zh.is_empty(), "{}", key.name);
        assert!(key.en.ends_with('.') && !key.zh.ends_with('。'), "{}", key.name);
    }
}

#[test]
fn the_environment_overrides_the_file_and_the_command_line_both() {
    let listen: &[_] = &[("WECOM_LOGIN_LISTEN", "127.0.0.1:2")];
    let port = |input: Input<'_>| input.load().unwrap().network.listen.port();
    assert_eq!(port(toml("listen = '127.0.0.1:1'")), 1);
    assert_eq!(port(toml("listen = '127.0.0.1:1'").and(listen)), 2);
    assert_eq!(port(toml("listen = '127.0.0.1:1'").and(listen).option("listen", "127.0.0.1:3")), 3);
    let proxies = toml("public_url = 'https://login.example.com'\ntrusted_proxies = ['10.0.0.0/8']")
        .and(&[("WECOM_LOGIN_TRUSTED_PROXIES", "192.168.0.1, fd00::/8,")]);
    assert_eq!(proxies.load().unwrap().network.trusted_proxies.len(), 2);
    // What is overridden is not looked at.
    assert_eq!(port(toml("listen = 'nonsense'").and(listen)), 2);
}

/// F11: a file of variables with Windows line ends made a folder named `data\r`, and its port was refused.
#[test]
fn white_space_around_values_is_not_part_of_them() {
    let settings = environment(&[
        ("WECOM_LOGIN_LISTEN", " 127.0.0.1:18110\r"),
        ("WECOM_LOGIN_DATA", "./data\r"),
        ("WECOM_LOGIN_ALLOW_HTTP", "true\r"),
        ("WECOM_LOGIN_ADMINS", "wwa/zhangsan\r,\twwa/lisi \r"),
        ("WECOM_LOGIN_KEY", "\u{feff}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"),
        ("WECOM_LOGIN_SHUTDOWN_DELAY", "10s\r"),
        ("WECOM_LOGIN_MAX_CONNECTIONS", "100\r"),
        ("WECOM_LOGIN_BRAND_NAME", "\u{3000}云帆\r"),
    ])
    .load()
    .unwrap();
    assert_eq!((settings.network.listen.port(), settings.network.max_connections), (18110, 100));
    assert_eq!(settings.folders.data, PathBuf::from("./data"));
    assert!(settings.network.allow_http && settings.storage.key.is_some());
    assert_eq!(settings.brand.name.as_deref(), Some("云帆"));
    let settings = toml("data = '''./data\r\n'''\r\n[retention]\r\naudit = ' 3d '\r\n").load().unwrap();
    assert_eq!(settings.folders.data, PathBuf::from("./data"));
    assert_eq!(settings.retention.audit, Duration::from_hours(72));
    let with_mark = Input { toml: Some(b"\xef\xbb\xbfdata = 'x'"), ..environment(&[]) };
    assert_eq!(with_mark.load().unwrap().folders.data, PathBuf::from("x"));
    assert_eq!(toml("").option("data", " x\r\n").load().unwrap().folders.data, PathBuf::from("x"));
}

/// F11: an empty variable counted as set.
#[test]
fn a_blank_value_is_not_set() {
    for blank in ["", " ", "\r", "\u{3000}\t"] {
        let names = declarations().map(|key| key.name);
        let former = declarations().filter_map(|key| key.formerly).map(|former| former.name);
        let variables: Vec<String> = names.chain(former).map(super::declaration::variable).collect();
        let variables: Vec<(&str, &str)> = variables.iter().map(|name| (name.as_str(), blank)).collect();
        let settings = environment(&variables).load().unwrap();
        assert!(settings.storage.database.is_none() && settings.storage.redis.is_none());
        assert!(settings.storage.key.is_none() && settings.operations.metrics_listen.is_none());
        assert_eq!(settings.network.max_connections, 4096);
        assert!(settings.warnings().is_empty());
        // It leaves what the file says.
        let settings = toml("data = 'kept'").and(&variables).option("data", blank).load().unwrap();
        assert_eq!(settings.folders.data, PathBuf::from("kept"));
    }
    assert!(toml("audit_log = ' '\ndatabase = ''\nadmins = ['', ' ']").load().is_ok());
}

/// F11: `TRUE`, `1` and `yes` were refused.
#[test]
fn a_switch_may_be_written_in_several_ways() {
    for (text, on) in [
        ("true", true),
        ("TRUE", true),
        ("True", true),
        ("1", true),
        ("yes", true),
        ("Yes", true),
        ("ON", true),
        ("false", false),
        ("FALSE", false),
        ("0", false),
        ("no", false),
        ("NO", false),
        ("off", false),
    ] {
        let settings = environment(&[("WECOM_LOGIN_ALLOW_HTTP", text)]).load().unwrap();
        assert_eq!(settings.network.allow_http, on, "{text}");
        let settings = toml(&format!("allow_http = '{text}'")).load().unwrap();
        assert_eq!(settings.network.allow_http, on, "{text}");
    }
    assert!(toml("allow_http = 1").load().unwrap().network.allow_http);
    assert!(toml("allow_http = true").load().unwrap().network.allow_http);
}

/// F12: a Service named wecom-login kept the program from starting.
#[test]
fn the_variables_of_a_kubernetes_service_are_ignored() {
    let names = ["", "METRICS_", "REDIS_", "KEY_", "STAGING_2_"];
    for name in names {
        let variable = |end: &str| format!("WECOM_LOGIN_{name}{end}");
        let link = "tcp://10.0.48.109:8000";
        let variables = [
            (variable("PORT"), link),
            (variable("SERVICE_HOST"), "10.0.48.109"),
            (variable("SERVICE_PORT"), "8000"),
            (variable("SERVICE_PORT_HTTP"), "8000"),
            (variable("SERVICE_PORT_HTTP_METRICS"), "8000"),
            (variable("PORT_8000_TCP"), link),
            (variable("PORT_8000_TCP_PROTO"), "tcp"),
            (variable("PORT_8000_TCP_PORT"), "8000"),
            (variable("PORT_8000_TCP_ADDR"), "10.0.48.109"),
            (variable("PORT_53_UDP_ADDR"), "10.0.48.109"),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, *value)).collect();
        assert_eq!(environment(&variables).warnings(), Vec::<String>::new());
    }
}

#[test]
fn an_unknown_variable_of_our_prefix_is_a_warning() {
    let cases = [
        ("WECOM_LOGIN_LISTN", "no setting has this name; did you mean WECOM_LOGIN_LISTEN?"),
        ("WECOM_LOGIN_PUBLIC_URI", "no setting has this name; did you mean WECOM_LOGIN_PUBLIC_URL?"),
        ("WECOM_LOGIN_BRAND_COLOR", "no setting has this name; did you mean WECOM_LOGIN_BRAND_COLOUR?"),
        ("WECOM_LOGIN_listen", "no setting has this name; did you mean WECOM_LOGIN_LISTEN?"),
        ("WECOM_LOGIN_PORT", "no setting has this name; docs/settings.md lists them"),
        ("WECOM_LOGIN_CORP_SECRET_OF_STAFF", "no setting has this name; docs/settings.md lists them"),
    ];
    for (name, warning) in cases {
        assert_eq!(environment(&[(name, "8000")]).warnings(), [format!("{name}: {warning}")]);
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_utf_8_is_named() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let path = PathBuf::from(bytes(b"d\xff"));
    let error = Settings::load(None, [], [("data", Override::Path(path))]).unwrap_err();
    assert_eq!(error.to_string(), "--data: is not UTF-8");
    let variables = [
        ("WECOM_LOGIN_BRAND_NAME".into(), bytes(b"\xd4\xc6\xb7\xab")),
        ("GREETING".into(), bytes(b"\xc4\xe3")),
        (bytes(b"WECOM_LOGIN_\xff"), bytes(b"\xff")),
    ];
    let error = Settings::load(None, variables, []).unwrap_err();
    assert_eq!(error.to_string(), "WECOM_LOGIN_BRAND_NAME: is not UTF-8");
    assert_eq!(
        error.warnings(),
        ["WECOM_LOGIN_\u{fffd}: no setting has this name; docs/settings.md lists them"]
    );
}

/// A file with one fault, and the fault. What must not be shown is called `hidden`.
const FILES: &[(&str, &str)] = &[
    (
        "data = 'x'\n\nlisten = 8000",
        "line 3: listen: must be text in quotes (an address and a port such as 127.0.0.1:8000), not 8000",
    ),
    ("listen = '8000'", "line 1: listen: must be an address and a port such as 127.0.0.1:8000, not \"8000\""),
    (
        "listen = 'localhost:80'",
        "line 1: listen: must be an address and a port such as 127.0.0.1:8000, not \"localhost:80\"",
    ),
    (
        "listen = ['127.0.0.1:1']",
        "line 1: listen: must be text in quotes (an address and a port such as 127.0.0.1:8000), not a list",
    ),
    (
        "public_url = true",
        "line 1: public_url: must be text in quotes (scheme, host and port only, such as https://login.example.com), not true or false",
    ),
    ("nonsense = 1", "line 1: nonsense: unknown key; docs/settings.md lists the known ones"),
    ("lisen = 'x'", "line 1: lisen: unknown key; did you mean listen?"),
    ("public-url = 'x'", "line 1: public-url: unknown key; did you mean public_url?"),
    ("retention_audit = '3d'", "line 1: retention_audit: unknown key; did you mean retention.audit?"),
    ("[retention]\n\naudits = '1d'", "line 3: retention.audits: unknown key; did you mean retention.audit?"),
    ("[brand]\ncolor = '#07c'", "line 2: brand.color: unknown key; did you mean brand.colour?"),
    ("[sessions]\nidle = '1d'", "line 1: sessions: unknown key; docs/settings.md lists the known ones"),
    ("brand = 'Yunfan'", "line 1: brand: must be a table: [brand] and its keys on the lines below"),
    (
        "public_url = 'http://login.example.com'",
        "line 1: public_url: must be https: over plain http anyone on the network path can take over sessions. On a network that you trust, set allow_http = true",
    ),
    (
        "public_url = 'https://a.example.com/sub'",
        "line 1: public_url: must be scheme, host and port only, such as https://login.example.com, not \"https://a.example.com/sub\"",
    ),
    (
        "public_url = 'https://u:hidden@a.example.com'",
        "line 1: public_url: must be scheme, host and port only, such as https://login.example.com",
    ),
    (
        "trusted_proxies = ['all', '10.0.0.0/8', '10.0.0.0/99']",
        "line 1: trusted_proxies: must hold addresses or networks such as 10.0.0.0/8, not \"all\" or \"10.0.0.0/99\"",
    ),
    (
        "trusted_proxies = '10.0.0.0/8'",
        "line 1: trusted_proxies: must be a list such as [\"first\", \"second\"], not \"10.0.0.0/8\"",
    ),
    (
        "trusted_proxies = [1]",
        "line 1: trusted_proxies: must be a list of texts such as [\"first\", \"second\"], not a list of other things",
    ),
    (
        "return_origins = ['*']",
        "line 1: return_origins: must hold origins (scheme, host and port only) such as https://app.example.com, not \"*\"",
    ),
    (
        "origins = ['null']",
        "line 1: origins: must hold origins (scheme, host and port only) such as https://app.example.com, not \"null\"",
    ),
    ("admins = ['zhangsan']", "line 1: admins: must hold members such as corpId/userId, not \"zhangsan\""),
    ("allow_http = 2", "line 1: allow_http: must be true or false (or 1, 0, yes, no, on, off), not \"2\""),
    (
        "allow_http = 1979-05-27",
        "line 1: allow_http: must be true or false (or 1, 0, yes, no, on, off), not a date or a time",
    ),
    (
        "max_connections = 0",
        "line 1: max_connections: must be a whole number from 1 to 4294967295, not \"0\"",
    ),
    (
        "max_connections = -1",
        "line 1: max_connections: must be a whole number from 1 to 4294967295, not \"-1\"",
    ),
    (
        "max_connections = 1.5",
        "line 1: max_connections: must be a whole number, not a number with a fraction",
    ),
    (
        "database_connections = 'many'",
        "line 1: database_connections: must be a whole number from 1 to 4294967295, not \"many\"",
    ),
    (
        "metrics_listen = '9464'",
        "line 1: metrics_listen: must be an address and a port such as 127.0.0.1:8000, not \"9464\"",
    ),
    ("shutdown_delay = '1h'", "line 1: shutdown_delay: must be at most 10m, not \"1h\""),
    (
        "shutdown_delay = 10",
        "line 1: shutdown_delay: must be text in quotes (a duration such as 90s, 15m, 24h or 7d), not 10",
    ),
    (
        "session_idle = '1w'",
        "line 1: session_idle: must be a duration such as 90s, 15m, 24h or 7d, not \"1w\"",
    ),
    ("session_lifetime = '0s'", "line 1: session_lifetime: must be at least 1m, not \"0s\""),
    ("sync_every = '8d'", "line 1: sync_every: must be at most 7d, or never, not \"8d\""),
    (
        "sync_every = 'hourly'",
        "line 1: sync_every: must be a duration such as 15m, 24h or 7d, or never, not \"hourly\"",
    ),
    ("[retention]\naudit = '3h'", "line 2: retention.audit: must be at least 1d, not \"3h\""),
    ("[brand]\nname = \"a\\u0007b\"", "line 2: brand.name: must be one line of text, not \"a\\u{7}b\""),
    (
        "[brand]\ncolour = 'teal'",
        "line 2: brand.colour: must be a colour such as #0e6269 or #07c, not \"teal\"",
    ),
    (
        "[brand]\nlogo = 'missing.png'",
        "line 2: brand.logo: cannot be read: \"missing.png\": No such file or directory (os error 2)",
    ),
    (
        "[brand]\nlogo = 'Cargo.toml'",
        "line 2: brand.logo: must be an SVG, PNG, JPEG or WebP file of at most 512 KiB, not \"Cargo.toml\"",
    ),
    (
        "key = 'hidden'",
        "line 1: key: must be 32 random bytes in Base64 (44 characters), as `openssl rand -base64 32` makes them",
    ),
    (
        "database = 'mysql://u:hidden@db/x'",
        "line 1: database: must be an address such as postgres://user:password@host/database?sslmode=verify-full",
    ),
    (
        "redis = 'http://:hidden@127.0.0.1'",
        "line 1: redis: must be an address such as redis://:password@host:6379/0, or rediss:// for TLS",
    ),
    (
        "redis = 7",
        "line 1: redis: must be text in quotes (an address such as redis://:password@host:6379/0), not a number",
    ),
];

/// F38, F11: a fault names file, line and key, or variable, or option; the value is escaped.
#[test]
fn a_fault_names_its_source_and_the_value_and_what_it_should_be() {
    let address = "must be an address and a port such as 127.0.0.1:8000";
    for (text, fault) in FILES {
        // A database or Redis without a key would be a fault of its own.
        let key: &[_] = if text.starts_with("key") { &[] } else { &[("WECOM_LOGIN_KEY", KEY)] };
        let faults = toml(text).and(key).faults();
        assert_eq!(faults, [format!("wecom-login.toml {fault}")], "{text}");
    }
    let variables = [
        ("WECOM_LOGIN_LISTEN", "8000\u{1b}[2J", format!("{address}, not \"8000\\u{{1b}}[2J\"")),
        (
            "WECOM_LOGIN_LISTEN",
            "\"127.0.0.1:8000\"",
            "stands in quotes, which belong to the value here; leave them out".to_owned(),
        ),
        (
            "WECOM_LOGIN_ALLOW_HTTP",
            "maybe",
            "must be true or false (or 1, 0, yes, no, on, off), not \"maybe\"".to_owned(),
        ),
        (
            "WECOM_LOGIN_MAX_CONNECTIONS",
            "4k",
            "must be a whole number from 1 to 4294967295, not \"4k\"".to_owned(),
        ),
        ("WECOM_LOGIN_DATA", "a\nb", "must be a path without control characters, not \"a\\nb\"".to_owned()),
        ("WECOM_LOGIN_RETENTION_AUDIT", "3h", "must be at least 1d, not \"3h\"".to_owned()),
    ];
    for (name, value, fault) in variables {
        assert_eq!(environment(&[(name, value)]).faults(), [format!("{name}: {fault}")]);
    }
    let faults = environment(&[]).option("listen", "8000").faults();
    assert_eq!(faults, [format!("--listen: {address}, not \"8000\"")]);
    let long = "x".repeat(200);
    let faults = environment(&[("WECOM_LOGIN_LISTEN", &long)]).faults();
    assert_eq!(faults, [format!("WECOM_LOGIN_LISTEN: {address}, not \"{}…\"", &long[..80])]);
}

/// F38: a secret is never shown, whatever is wrong with it.
#[test]
fn a_secret_is_not_printed() {
    for text in [
        "key = 'hidden",
        "key = \"hidden\nx = 1",
        "key = hidden",
        "key = ['hidden']",
        "key = '''hidden\n=x",
        "database = 'hidden'",
        "database = 'postgres://u:hid#den@h/x'",
        "redis = 'rediss://:hid@den@h'",
        "database = ['hidden']",
        "hidden\n",
        "key = 'hidden' 'hidden'",
    ] {
        let error = toml(text).load().unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hid"), "{text}: {told}");
    }
    let settings = environment(&[
        ("WECOM_LOGIN_KEY", KEY),
        ("WECOM_LOGIN_DATABASE", "postgres://u:hidden@127.0.0.1/x"),
        ("WECOM_LOGIN_REDIS", "redis://:hidden@127.0.0.1"),
    ]);
    let told = format!("{:?}", settings.load().unwrap());
    assert!(!told.contains("hidden") && !told.contains("AAAA"), "{told}");
}

#[test]
fn every_fault_is_reported_and_none_is_invented() {
    let input = toml(
        "listen = 8000\npublic_url = 'https://a.example.com/x'\nlisten = '127.0.0.1:1'\nadmin = []\n\n[retention]\naudit = '1h'\n",
    );
    let input = input.and(&[
        ("WECOM_LOGIN_SHUTDOWN_DELAY", "soon"),
        ("WECOM_LOGIN_DATABASE", "postgres://u:p@db/x"),
        ("WECOM_LOGIN_ADMINS", "me"),
    ]);
    assert_eq!(
        input.option("app_path", "\u{7}").faults(),
        [
            "wecom-login.toml line 1: listen: must be text in quotes (an address and a port such as 127.0.0.1:8000), not 8000",
            "wecom-login.toml line 2: public_url: must be scheme, host and port only, such as https://login.example.com, not \"https://a.example.com/x\"",
            "wecom-login.toml line 3: listen: duplicate key",
            "wecom-login.toml line 4: admin: unknown key; did you mean admins?",
            "wecom-login.toml line 7: retention.audit: must be at least 1d, not \"1h\"",
            "WECOM_LOGIN_ADMINS: must hold members such as corpId/userId, not \"me\"",
            "WECOM_LOGIN_DATABASE: must say sslmode=verify-full (with sslrootcert for a certificate authority of your own), or sslmode=disable on a network that you trust",
            "WECOM_LOGIN_SHUTDOWN_DELAY: must be a duration such as 90s, 15m, 24h or 7d, not \"soon\"",
            "--app-path: must be a list such as [\"first\", \"second\"], not \"\\u{7}\"",
        ]
    );
}

/// A rule about two keys is applied only when both are known.
#[test]
fn what_only_follows_from_another_fault_is_not_reported() {
    let beyond = "is not on loopback, so public_url must be set too, such as https://login.example.com";
    let shared = "key must be set too (WECOM_LOGIN_KEY): every replica needs the same one. `openssl rand -base64 32` makes it";
    let cases: &[(Input<'_>, &[&str])] = &[
        (
            environment(&[("WECOM_LOGIN_LISTEN", "0.0.0.0:80")]),
            &[&format!("WECOM_LOGIN_LISTEN: 0.0.0.0:80 {beyond}")],
        ),
        (environment(&[]).option("listen", "[::]:80"), &[&format!("--listen: [::]:80 {beyond}")]),
        (
            environment(&[("WECOM_LOGIN_LISTEN", "0.0.0.0:80"), ("WECOM_LOGIN_PUBLIC_URL", "x")]),
            &[
                "WECOM_LOGIN_PUBLIC_URL: must be scheme, host and port only, such as https://login.example.com, not \"x\"",
            ],
        ),
        (
            environment(&[
                ("WECOM_LOGIN_PUBLIC_URL", "http://a.example.com"),
                ("WECOM_LOGIN_ALLOW_HTTP", "x"),
            ]),
            &["WECOM_LOGIN_ALLOW_HTTP: must be true or false (or 1, 0, yes, no, on, off), not \"x\""],
        ),
        (
            environment(&[("WECOM_LOGIN_REDIS", "redis://127.0.0.1")]),
            &[&format!("WECOM_LOGIN_REDIS: {shared}")],
        ),
        (
            environment(&[("WECOM_LOGIN_DATABASE", "postgres://u@127.0.0.1/x"), ("WECOM_LOGIN_KEY", "x")]),
            &[
                "WECOM_LOGIN_KEY: must be 32 random bytes in Base64 (44 characters), as `openssl rand -base64 32` makes them",
            ],
        ),
    ];
    for (input, faults) in cases {
        let input =
            Input { toml: input.toml, environment: input.environment, options: input.options.clone() };
        assert_eq!(input.faults(), *faults);
    }
    // A file that is not read to its end may set public_url further down.
    let faults = toml("listen = '0.0.0.0:80'\n[\n").faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("wecom-login.toml line 2: "), "{faults:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_once() {
    let error = Settings::load(Some("/no/such.toml".as_ref()), [], []).unwrap_err();
    assert_eq!(error.to_string(), "/no/such.toml: cannot be read: No such file or directory (os error 2)");
    let gbk = Input { toml: Some(b"data = 'x'\n[brand]\nname = '\xd4\xc6\xb7\xab'"), ..environment(&[]) };
    assert_eq!(gbk.faults(), ["wecom-login.toml line 3: is not UTF-8; save the file as UTF-8"]);
    let utf_16 = Input { toml: Some(b"\xff\xfed\0a\0t\0a\0"), ..environment(&[]) };
    assert_eq!(utf_16.faults(), ["wecom-login.toml line 1: is not UTF-8; save the file as UTF-8"]);
}

/// F44: the former names are read for one more version.
#[test]
fn former_names_are_read_with_a_warning() {
    let text = "session_idle_hours = 12\nsession_hours = 48\nsync_minutes = 0\n";
    let settings = toml(text).load().unwrap();
    assert_eq!(settings.sessions.session_idle, Duration::from_hours(12));
    assert_eq!(settings.sessions.session_lifetime, Duration::from_hours(48));
    assert_eq!(settings.organisation.sync_every.0, None);
    let warnings = settings.warnings();
    assert_eq!(warnings.len(), 3);
    let warning = "wecom-login.toml line 1: session_idle_hours: the next version does not read it; set session_idle = \"12h\" instead";
    assert!(warnings[0].ends_with(warning), "{warnings:?}");
    let input = environment(&[("WECOM_LOGIN_SYNC_MINUTES", "30\r")]);
    assert_eq!(
        input.warnings(),
        ["WECOM_LOGIN_SYNC_MINUTES: the next version does not read it; set sync_every = \"30m\" instead"]
    );

    let both = toml("sync_minutes = 5").and(&[("WECOM_LOGIN_SYNC_EVERY", "10m")]);
    assert_eq!(
        both.faults(),
        [
            "wecom-login.toml line 1: sync_minutes: is the former name of sync_every, which is set too (WECOM_LOGIN_SYNC_EVERY)"
        ]
    );
    assert_eq!(
        environment(&[("WECOM_LOGIN_SESSION_HOURS", "2d")]).faults(),
        [
            "WECOM_LOGIN_SESSION_HOURS: must be a whole number; session_lifetime takes its place, a duration such as 24h"
        ]
    );
    assert_eq!(
        toml("sync_minutes = 99999").faults(),
        ["wecom-login.toml line 1: sync_minutes: must be at most 7d, or never, not \"99999m\""]
    );
}

#[test]
fn a_schedule_may_be_turned_off() {
    for (text, every) in [
        ("never", None),
        ("Never", None),
        ("0s", None),
        ("0d", None),
        ("1m", Some(60)),
        ("7d", Some(604_800)),
    ] {
        let settings = toml(&format!("sync_every = '{text}'")).load().unwrap();
        assert_eq!(settings.organisation.sync_every.0, every.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn folders_of_the_command_line_may_hold_commas() {
    let folders = vec![PathBuf::from("apps, ours"), PathBuf::from("theirs")];
    let given = [("data", Override::Path("a,b".into())), ("app_path", Override::Paths(folders.clone()))];
    let settings = Settings::load(None, [], given).unwrap();
    assert_eq!((settings.folders.data, settings.folders.app_path), (PathBuf::from("a,b"), folders));
}

#[test]
fn a_setting_is_named_with_the_place_where_it_is_set() {
    let settings =
        toml("\ndata = 'x'").and(&[("WECOM_LOGIN_APP", "y")]).option("listen", "127.0.0.1:0").load().unwrap();
    assert!(settings.naming("data").ends_with("wecom-login.toml line 2: data"));
    assert_eq!(settings.naming("app"), "WECOM_LOGIN_APP");
    assert_eq!(settings.naming("listen"), "--listen");
    assert_eq!(settings.naming("redis"), "redis");
}

#[test]
fn a_brand_is_a_table_that_the_environment_may_change() {
    let text = "[brand]\nname = '云帆'\ncolour = '#7a1f5c'";
    let settings = toml(text).and(&[("WECOM_LOGIN_BRAND_NAME", "Yunfan")]).load().unwrap();
    assert_eq!(settings.brand.name.as_deref(), Some("Yunfan"));
    assert!(settings.brand.colour.is_some() && settings.brand.logo.is_none());
    assert_eq!(
        environment(&[("WECOM_LOGIN_BRAND_COLOUR", "#07c")]).load().unwrap().brand.assets().count(),
        1
    );
}

#[test]
fn plain_http_beyond_loopback_must_be_asked_for() {
    let settings = toml("public_url = 'http://login.corp.example'\nallow_http = true").load().unwrap();
    assert_eq!(settings.public_url.as_str(), "http://login.corp.example/");
}

#[test]
fn the_audit_log_is_a_file_or_standard_output() {
    let log =
        |text: &str| environment(&[("WECOM_LOGIN_AUDIT_LOG", text)]).load().unwrap().operations.audit_log;
    assert_eq!(log("stdout\r"), Some(AuditLog::Stdout));
    assert_eq!(log("/var/log/audit.log"), Some(AuditLog::File("/var/log/audit.log".into())));
}
