use crate::program::{Program, command, output};

fn failure(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    Program::start(command).finish()
}

#[test]
fn a_wrong_command_line_is_exit_code_2_and_a_failure_1() {
    assert_eq!(failure(&["serve", "--nonsense"], &[]).0, Some(2));
    assert_eq!(failure(&[], &[]).0, Some(2));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments =
        ["serve", "--app", "/no/such/folder", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    assert_eq!(failure(&arguments, &[]).0, Some(1));
    assert!(!data.exists(), "nothing is left behind");
}

#[test]
fn a_key_that_is_none_is_named_and_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let key = [("WECOM_LOGIN_KEY", "n0tAkey")];
    let (_, text) = failure(&["serve", "--app", path, "--data", path, "--listen", "127.0.0.1:0"], &key);
    assert!(text.contains("WECOM_LOGIN_KEY: must be 32 random bytes"), "{text}");
    assert!(!text.contains("n0tAkey"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_variable_of_others_may_be_anything() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = command(&["config", "check", "--app", "/no/such/folder"]);
    command.env("GREETING", std::ffi::OsStr::from_bytes(b"\xc4\xe3\xba\xc3"));
    let (code, text) = Program::start(command).finish();
    assert_eq!(code, Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn an_app_is_checked_with_the_apps_that_it_extends() {
    let folder = tempfile::tempdir().unwrap();
    let (app, base) = (folder.path().join("app"), folder.path().join("apps, ours/acme/base/1_0_0"));
    for path in [&app, &base] {
        std::fs::create_dir_all(path).unwrap();
    }
    let parent = r#"{"orgId": "acme", "name": "base", "version": "1.0.0"}"#;
    std::fs::write(base.join("app.json"), parent).unwrap();
    let extends =
        r#"{"orgId": "acme", "name": "staff", "extends": [{"appId": "acme.base", "version": "1.0.0"}]}"#;
    std::fs::write(app.join("app.json"), extends).unwrap();
    let instance = base.join("auths/loginTypes/Staff");
    std::fs::create_dir_all(&instance).unwrap();
    let json = r#"{"title": "Staff", "type": "auths.loginTypes.QywxInnerType"}"#;
    std::fs::write(instance.join("e.json"), json).unwrap();
    let config = r#"{"corpId": "ww1436e0e65a779aee", "corpSecret": "s", "agentId": 1000002, "redirectUri": "http://127.0.0.1:8000/done"}"#;
    std::fs::write(instance.join("Staff.json"), config).unwrap();

    let told = |more: &[&str]| {
        let mut command = command(&["config", "check", "--app", app.to_str().unwrap()]);
        command.args(more);
        let output = output(command);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, faults) = told(&[]);
    assert!(code == Some(1) && faults.contains("acme.base 1.0.0"), "{faults}");
    let apps = folder.path().join("apps, ours");
    let (code, faults) = told(&["--app-path", apps.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{faults}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = failure(&["serve", "--listen", &address], &[]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains(&format!("--listen: cannot listen on {address}: Address already in use")),
        "{text}"
    );
}

#[test]
fn broken_elements_are_logged_together_and_the_server_serves() {
    let folder = tempfile::tempdir().unwrap();
    for (name, config) in [("One", "{}"), ("Two", r#"{"corpId": 7}"#)] {
        let element = folder.path().join("auths/loginTypes").join(name);
        std::fs::create_dir_all(&element).unwrap();
        let json = r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType"}"#;
        std::fs::write(element.join("e.json"), json).unwrap();
        std::fs::write(element.join(format!("{name}.json")), config).unwrap();
    }
    let data = folder.path().join("data");
    let arguments = ["serve", "--app", folder.path().to_str().unwrap(), "--data", data.to_str().unwrap()];
    let mut program = Program::start({
        let mut command = command(&arguments);
        command.args(["--listen", "127.0.0.1:0"]);
        command
    });
    program.wait_for_log("auths/loginTypes/One/One.json, key corpId: is missing or empty");
    program.kill();
}

#[test]
fn a_signal_stops_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let mut program =
        Program::start(command(&["serve", "--app", path, "--data", path, "--listen", "127.0.0.1:0"]));
    let mut log = program.wait_for_log("ready");
    program.signal(libc::SIGTERM);
    assert_eq!(program.finish().0, Some(0));
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut log, &mut rest).unwrap();
    assert!(rest.contains("stopping"), "{rest}");
}
