//! What the program says when something is wrong: input and exact message.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use wecom_login_testkit::wait::attended;

use crate::program::{PROGRAM, Program, command, output};
use crate::servers::OwnPostgres;

/// Exit code, standard output and standard error.
fn run(command: Command) -> (Option<i32>, String, String) {
    let output = output(command);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn in_folder(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.current_dir(folder);
    command
}

/// An app with one instance whose sign-in works at 127.0.0.1:8000.
fn write_app(folder: &Path) {
    let instance = folder.join("auths/loginTypes/Staff");
    std::fs::create_dir_all(&instance).unwrap();
    let e_json = r#"{"title": "Staff", "type": "auths.loginTypes.QywxInnerType"}"#;
    std::fs::write(instance.join("e.json"), e_json).unwrap();
    let config = r#"{"corpId": "ww1436e0e65a779aee", "corpSecret": "s", "agentId": 1000002, "redirectUri": "https://login.example.com/done"}"#;
    std::fs::write(instance.join("Staff.json"), config).unwrap();
}

/// F38: the same error of the system stood two or three times in one line.
#[test]
fn an_error_of_the_system_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    std::fs::write(folder.path().join("copy.db"), "").unwrap();
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    let missing = "No such file or directory (os error 2)";
    let in_use = "Address already in use (os error 98)";
    run(in_folder(folder.path(), &["apikey", "add", "one"]));
    let listening = ["simulate", "--port", &port];
    let cases: &[(&[&str], String)] = &[
        (&["serve", "--app", "nothere"], format!("--app: cannot read nothere: {missing}")),
        (&["serve", "--config", "nope.toml"], format!("nope.toml: cannot be read: {missing}")),
        (
            &["serve", "--listen", &format!("127.0.0.1:{port}")],
            format!("--listen: cannot listen on 127.0.0.1:{port}: {in_use}"),
        ),
        (&["apikey", "list", "--config", "nope.toml"], format!("nope.toml: cannot be read: {missing}")),
        (&["apikey", "add", "x", "--data", "a-file"], "--data: a-file: File exists (os error 17)".to_owned()),
        (&["backup", "copy.db"], "copy.db exists already; it stays as it is".to_owned()),
        (&["backup", "none/copy.db"], format!("none/copy.db: {missing}")),
        (&["account", "import", "none.csv"], format!("none.csv: {missing}")),
        (&["config", "check", "--app", "nothere"], "1 fault".to_owned()),
        (&listening, format!("cannot listen on 127.0.0.1:{port}: {in_use}")),
        (&["demo", "--port", &port], format!("cannot listen on 127.0.0.1:{port}: {in_use}")),
    ];
    for (arguments, message) in cases {
        let (code, _, text) = run(in_folder(folder.path(), arguments));
        assert_eq!((code, text), (Some(1), format!("wecom-login: {message}\n")), "{arguments:?}");
    }
}

/// F38: `unable to open database file` came without its path and reason.
#[test]
fn a_database_that_does_not_open_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data/wecom-login.db")).unwrap();
    let (code, _, text) = run(in_folder(folder.path(), &["account", "list"]));
    assert_eq!(code, Some(1));
    assert_eq!(text, "wecom-login: data: data/wecom-login.db: Is a directory (os error 21)\n");
    std::fs::remove_dir(folder.path().join("data/wecom-login.db")).unwrap();
    std::fs::write(
        folder.path().join("data/wecom-login.db"),
        "no database, but a text of more than a hundred bytes ".repeat(9),
    )
    .unwrap();
    let mut command = in_folder(folder.path(), &["account", "list"]);
    let (code, _, text) = run({
        command.env("WECOM_LOGIN_DATA", "data");
        command
    });
    assert_eq!(code, Some(1));
    assert!(text.starts_with("wecom-login: WECOM_LOGIN_DATA: data/wecom-login.db: "), "{text}");
}

/// F38: `invalid digit found in string`.
#[test]
fn an_option_that_is_no_number_says_what_it_must_be() {
    for (arguments, rule) in [
        (["demo", "--port", "http"], "must be a port, a whole number from 0 to 65535"),
        (["demo", "--wecom-port", "70000"], "must be a port, a whole number from 0 to 65535"),
        (["demo", "--wecom-tls=x", "--json"], "must be an address and a port such as 127.0.0.1:8443"),
        (["simulate", "--port", "-1"], "must be a port, a whole number from 0 to 65535"),
        (["simulate", "--members", "many"], "must be a whole number"),
        (["sync", "--department", "sales"], "must be the number of a department"),
    ] {
        let arguments =
            [arguments[0], &format!("{}={}", arguments[1], arguments[2]).replace("=x=--json", "=x")];
        let (code, _, text) = run(command(&arguments));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(rule), "{text}");
    }
}

/// F38: one fault in public_url was reported as two, and the second was about an address that nobody had given.
#[test]
fn config_check_reports_all_faults_and_invents_none() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let check = |toml: &str, arguments: &[&str]| {
        std::fs::write(folder.path().join("wecom-login.toml"), toml).unwrap();
        let (code, faults, _) = run(in_folder(folder.path(), &[&["config", "check"], arguments].concat()));
        (code, faults)
    };
    let public_url = "public_url = 'https://login.example.com'\n";
    assert_eq!(check(public_url, &[]), (Some(0), "Settings and elements are in order.\n".to_owned()));

    let fault = "wecom-login.toml line 1: public_url: must be scheme, host and port only, such as \
                 https://login.example.com, not \"login.example.com\"\n";
    assert_eq!(check("public_url = 'login.example.com'", &[]), (Some(1), fault.to_owned()));

    // The elements are looked at all the same.
    let broken = folder.path().join("auths/loginTypes/Broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("e.json"), r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType"}"#)
        .unwrap();
    std::fs::write(broken.join("Broken.json"), "{}").unwrap();
    let element = "element auths.loginTypes.Broken, auths/loginTypes/Broken/Broken.json, key corpId: is missing or empty\n";
    assert_eq!(
        check(
            "public_url = 'login.example.com'\nlisten = 8000\nsync_every = '9d'",
            &["--listen", "0.0.0.0:80"]
        ),
        (
            Some(1),
            format!(
                "{fault}wecom-login.toml line 3: sync_every: must be at most 7d, or never, not \"9d\"\n{element}"
            )
        )
    );
    // The folder of the app is not known when the file cannot be read, unless it is given.
    let missing = "nope.toml: cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(check("", &["--config", "nope.toml"]), (Some(1), missing.to_owned()));
    let both = format!("{missing}{element}");
    assert_eq!(check("", &["--config", "nope.toml", "--app", "."]), (Some(1), both));
    assert_eq!(
        check("app = 7", &[]),
        (Some(1), "wecom-login.toml line 1: app: must be text in quotes (a path), not 7\n".to_owned())
    );
}

#[test]
fn config_check_looks_at_what_a_start_would_open() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/key"), "n0tAkey").unwrap();
    let mut command =
        in_folder(folder.path(), &["config", "check", "--public-url", "https://login.example.com"]);
    command.env("WECOM_LOGIN_AUDIT_LOG", "none/audit.log");
    let (code, faults, _) = run(command);
    let expected = "data/key: the key must be 32 random bytes in Base64 (44 characters), as `openssl rand -base64 32` \
                    makes them\nWECOM_LOGIN_AUDIT_LOG: none/audit.log: its folder does not exist\n";
    assert_eq!((code, faults.as_str()), (Some(1), expected));
}

/// F44: `7d` was refused in an instance, and `24 h` only taken there.
#[test]
fn durations_of_an_instance_are_written_as_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let config = folder.path().join("auths/loginTypes/Staff/Staff.json");
    let text = std::fs::read_to_string(&config).unwrap();
    for (duration, is_right) in
        [("7d", true), ("24 h", true), ("0s", true), ("90m", true), ("7", false), ("1w", false)]
    {
        let fresh_for = format!(r#"{{"userFreshFor": "{duration}","#);
        std::fs::write(&config, text.replacen('{', &fresh_for, 1)).unwrap();
        let arguments = ["config", "check", "--public-url", "https://login.example.com"];
        let (code, faults, _) = run(in_folder(folder.path(), &arguments));
        let fault = "element auths.loginTypes.Staff, auths/loginTypes/Staff/Staff.json, key userFreshFor: must be a \
                     duration such as 90s, 15m, 24h or 7d\n";
        let expected = if is_right { "Settings and elements are in order.\n" } else { fault };
        assert_eq!((code, faults.as_str()), (Some(i32::from(!is_right)), expected), "{duration}");
    }
}

#[test]
fn serve_reports_all_faults_of_the_settings_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wecom-login.toml"), "listen = 8000\nlog = 1\n").unwrap();
    let mut command = in_folder(folder.path(), &["serve"]);
    command.env("WECOM_LOGIN_ALLOW_HTTP", "maybe");
    let (code, _, text) = run(command);
    assert_eq!(code, Some(1));
    assert_eq!(
        text,
        "wecom-login: the settings have 3 faults\n  \
         wecom-login.toml line 1: listen: must be text in quotes (an address and a port such as 127.0.0.1:8000), not 8000\n  \
         wecom-login.toml line 2: log: unknown key; docs/settings.md lists the known ones\n  \
         WECOM_LOGIN_ALLOW_HTTP: must be true or false (or 1, 0, yes, no, on, off), not \"maybe\"\n"
    );
    assert!(!folder.path().join("data").exists(), "nothing is left behind");
}

/// F11, F12: what env files and Kubernetes bring along keeps no server from starting.
#[test]
fn it_starts_with_the_variables_of_an_env_file_and_of_a_service() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let mut command = in_folder(folder.path(), &["serve"]);
    command.envs([
        ("WECOM_LOGIN_LISTEN", "127.0.0.1:0\r"),
        ("WECOM_LOGIN_DATA", "./kept\r"),
        ("WECOM_LOGIN_DATABASE", ""),
        ("WECOM_LOGIN_KEY", ""),
        ("WECOM_LOGIN_SYNC_MINUTES", "0\r"),
        ("WECOM_LOGIN_PORT", "tcp://10.0.48.109:8000"),
        ("WECOM_LOGIN_SERVICE_HOST", "10.0.48.109"),
        ("WECOM_LOGIN_LISTN", "x"),
    ]);
    let mut program = Program::start(command);
    let mut log =
        program.wait_for_log("WECOM_LOGIN_LISTN: no setting has this name; did you mean WECOM_LOGIN_LISTEN?");
    let (mut seen, mut line) = (String::new(), String::new());
    let ((), late) = attended(program.id(), || {
        while !line.contains("ready") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "{seen}");
            seen.push_str(&line);
        }
    });
    assert!(!late, "it is not ready: {seen}");
    assert!(
        seen.contains("WECOM_LOGIN_SYNC_MINUTES: the next version does not read it; set sync_every"),
        "{seen}"
    );
    assert!(!seen.contains("WECOM_LOGIN_PORT") && !seen.contains("SERVICE_HOST"), "{seen}");
    assert!(folder.path().join("kept/wecom-login.db").exists());
    program.kill();
}

/// F38: a reader that goes away (`| head -1`) was reported as an error.
#[test]
fn a_reader_that_has_gone_away_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let names = (0..4_000).map(|number| format!("somebody-with-a-long-name-{number}\n"));
    let list: String = std::iter::once("username\n".to_owned()).chain(names).collect();
    std::fs::write(folder.path().join("people.csv"), list).unwrap();
    assert_eq!(run(in_folder(folder.path(), &["account", "import", "people.csv"])).0, Some(0));
    for (arguments, expected) in [
        (&["account", "list"][..], Some(0)),
        (&["account", "list", "--json"], Some(0)),
        (&["config", "schema"], Some(0)),
        (&["--help"], Some(0)),
        (&["account", "import", "people.csv"], Some(0)),
    ] {
        let mut command = in_folder(folder.path(), arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Closed before it writes, or after its first line: both are a reader that has gone.
        let mut line = [0; 1];
        let ((code, text), late) = attended(child.id(), || {
            if arguments.contains(&"list") {
                BufReader::with_capacity(1, child.stdout.as_mut().unwrap()).read_exact(&mut line).unwrap();
            }
            drop(child.stdout.take());
            let mut text = String::new();
            child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
            (child.wait().unwrap().code(), text)
        });
        assert!(!late, "{arguments:?} did not end");
        assert_eq!((code, text.as_str()), (expected, ""), "{arguments:?}");
    }
}

/// The log goes to standard error, which may be a pipe to `head` as well.
#[test]
fn a_server_whose_log_nobody_reads_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder.path()).args(["serve", "--listen", &free.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while std::net::TcpStream::connect(free).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        assert!(std::time::Instant::now() < deadline, "it does not listen");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// F38: every command printed `relation "_sqlx_migrations" already exists, skipping`.
#[test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login --test it notices -- --ignored"]
fn notices_of_postgresql_are_not_printed() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), OwnPostgres::start());
    for _ in 0..2 {
        let mut command = in_folder(folder.path(), &["account", "list"]);
        command.env("WECOM_LOGIN_DATABASE", postgres.url("sslmode=disable"));
        command.env("WECOM_LOGIN_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        assert_eq!(run(command), (Some(0), String::new(), String::new()));
    }
}
