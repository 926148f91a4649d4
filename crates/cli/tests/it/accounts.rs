use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::program::{command, output};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a command on the data in the folder.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let data = self.path().join("data");
        let mut command = command(arguments);
        command.args(["--data", data.to_str().unwrap()]).current_dir(self.path());
        told(&output(command))
    }

    fn list(&self) -> Vec<Value> {
        let (code, out, _) = self.run(&["account", "list", "--json"]);
        assert_eq!(code, Some(0));
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn good_lines_are_imported_and_bad_ones_named() {
    let folder = Folder::new();
    let csv = folder.write(
        "people.csv",
        "username,mobile,email,corpId,userId\n\
         zhangsan,13800000001,z@example.com,wwA,ZhangSan\n\
         lisi,12,,,\n\
         ZHANGSAN,,,,\n\
         wangwu,,,wwA,zhangsan\n\
         zhaoliu,,,,\n",
    );
    let (code, dry, _) = folder.run(&["account", "import", &csv, "--dry-run"]);
    assert_eq!(code, Some(1));
    assert!(folder.list().is_empty(), "nothing was written");
    let (code, out, error) = folder.run(&["account", "import", &csv]);
    assert_eq!(code, Some(1));
    assert_eq!(dry.replace(" (dry run: nothing was written)", ""), out);
    for line in [
        "people.csv:3: mobile must be 5 to 20 digits",
        "people.csv:4: the username stands in line 2 already",
        "people.csv:5: the member stands in line 2 already",
        "2 made, 0 completed, 0 known already, 3 not imported",
    ] {
        assert!(out.contains(line), "{out}");
    }
    assert!(
        error.contains("3 lines were not imported") && !error.contains('\r'),
        "no bar without a terminal"
    );
    let accounts = folder.list();
    assert_eq!(accounts.len(), 2);
    assert_eq!(accounts[0]["members"][0]["userId"], "ZhangSan");

    let lines = folder.write("people.jsonl", "{\"username\":\"zhangsan\",\"mobile\":\"13800000009\"}\n");
    let (code, out, _) = folder.run(&["account", "import", &lines]);
    assert_eq!((code, out.as_str()), (Some(0), "0 made, 1 completed, 0 known already, 0 not imported\n"));
    let account = &folder.list()[0];
    assert_eq!((&account["mobile"], &account["email"]), (&"13800000009".into(), &"z@example.com".into()));

    let (code, _, error) = folder.run(&["account", "import", &folder.write("people.xlsx", "x")]);
    assert_eq!(code, Some(1));
    assert!(error.contains("must end in .csv, .jsonl or .ndjson"), "{error}");
}

#[test]
fn members_are_bound_and_unbound() {
    let folder = Folder::new();
    let csv = folder.write("people.csv", "username\nboss\nclerk\n");
    assert_eq!(folder.run(&["account", "import", &csv]).0, Some(0));
    assert_eq!(folder.run(&["account", "bind", "boss", "wwA/ZhangSan"]).0, Some(0));
    let (code, _, error) = folder.run(&["account", "bind", "clerk", "wwA/zhangsan"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("wwA/zhangsan is bound to boss"), "{error}");
    assert_eq!(folder.run(&["account", "bind", "nobody", "wwA/lisi"]).0, Some(3));
    assert_eq!(folder.run(&["account", "bind", "boss", "zhangsan"]).0, Some(2), "a company goes with it");
    assert_eq!(folder.run(&["account", "bind", "boss", "wwB/zhangsan"]).0, Some(0));
    let (_, out, _) = folder.run(&["account", "list"]);
    assert_eq!(out.lines().next().unwrap(), "1\tboss\t\t\twwA/ZhangSan wwB/zhangsan");
    assert_eq!(folder.run(&["account", "unbind", "wwA/ZHANGSAN"]).0, Some(0));
    let (_, out, _) = folder.run(&["account", "list"]);
    assert_eq!(out.lines().next().unwrap(), "1\tboss\t\t\twwB/zhangsan\twwA/ZhangSan(, unbound)");
    assert_eq!(folder.list()[0]["formerMembers"][0]["reason"], "unbound");
    let csv = folder.write("again.csv", "username,corpId,userId\nboss,wwA,zhangsan\n");
    let (code, out, _) = folder.run(&["account", "import", &csv]);
    assert!(code == Some(1) && out.contains("again.csv:2: an administrator has unbound"), "F19: {out}");
    assert_eq!(folder.run(&["account", "unbind", "wwA/ZHANGSAN"]).0, Some(3));
}

#[test]
fn f14_an_administrators_account_is_listed_and_confirmed() {
    let folder = Folder::new();
    folder.write("wecom-login.toml", "admins = ['wwA/boss', 'wwA/clerk']\n");
    let csv = folder.write("people.csv", "username,corpId,userId\nboss,wwA,Boss\n");
    assert_eq!(folder.run(&["account", "import", &csv]).0, Some(0));
    let (_, out, _) = folder.run(&["admin", "list"]);
    assert_eq!(out, "wwA/boss\t-\tboss\tno account yet\nwwA/clerk\t-\t-\tno account yet\n");
    let (code, out, _) = folder.run(&["admin", "confirm", "wwA/BOSS"]);
    assert_eq!((code, out.as_str()), (Some(0), "wwA/BOSS administers with the account boss.\n"));
    let (code, out, _) = folder.run(&["admin", "list", "--json"]);
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, &rows[0]["account"], &rows[0]["boundTo"]), (Some(0), &"boss".into(), &"boss".into()));
    assert!(rows[0]["confirmedAt"].is_number() && rows[1]["account"].is_null(), "{out}");

    let csv = folder.write("more.csv", "username\nother\n");
    assert_eq!(folder.run(&["account", "import", &csv]).0, Some(0));
    assert_eq!(folder.run(&["account", "unbind", "wwA/boss"]).0, Some(0));
    assert_eq!(folder.run(&["admin", "confirm", "wwA/boss"]).0, Some(3), "bound to no account");
    assert_eq!(folder.run(&["account", "bind", "other", "wwA/boss"]).0, Some(0));
    assert!(folder.run(&["admin", "list"]).1.starts_with("wwA/BOSS\tboss\tother\tneeds confirm\n"));
    assert_eq!(folder.run(&["admin", "confirm", "wwA/boss"]).0, Some(0));
    assert!(folder.run(&["admin", "list"]).1.starts_with("wwA/boss\tother\tother\tadministers\n"));
    let (code, _, error) = folder.run(&["admin", "confirm", "wwA/zhangsan"]);
    assert!(code == Some(3) && error.contains("is not listed in the setting admins"), "{error}");
}

#[test]
fn a_mistyped_folder_is_no_empty_one() {
    let folder = Folder::new();
    for arguments in [
        &["account", "list"][..],
        &["account", "unbind", "wwA/zhangsan"],
        &["account", "bind", "boss", "wwA/zhangsan"],
        &["admin", "list"],
        &["admin", "confirm", "wwA/zhangsan"],
        &["apikey", "list"],
        &["apikey", "remove", "billing"],
        &["session", "list"],
    ] {
        let (code, out, error) = folder.run(arguments);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{arguments:?}");
        assert!(error.contains("there is no database in the data folder"), "{error}");
    }
    assert!(!folder.path().join("data").exists(), "and none is made");
}

#[test]
fn a_key_is_shown_once() {
    let folder = Folder::new();
    let (code, key, log) = folder.run(&["apikey", "add", "billing"]);
    let key = key.trim();
    assert_eq!(code, Some(0), "{log}");
    assert!(key.starts_with("wecom-login-key_") && key.len() == 59 && !log.contains(key), "{key}");
    assert_eq!(folder.run(&["apikey", "add", "billing"]).0, Some(1));
    assert_eq!(folder.run(&["apikey", "add", "two words"]).0, Some(2));
    let (_, out, _) = folder.run(&["apikey", "list"]);
    assert!(out.starts_with("billing\t") && out.ends_with("\tnever\n") && !out.contains(key), "{out}");
    assert_eq!(folder.run(&["apikey", "remove", "billing"]).0, Some(0));
    assert_eq!(folder.run(&["apikey", "remove", "billing"]).0, Some(3));
    assert_eq!(folder.run(&["apikey", "list", "--json"]).1, "");
}

#[test]
fn a_new_instance_is_two_files_that_are_never_overwritten() {
    let folder = Folder::new();
    let secret = folder.write("secret", "the-secret-of-the-app\n");
    let app = folder.path().join("portal");
    let run = |more: &[&str]| {
        let mut command = command(&["new", "Staff", "--app", app.to_str().unwrap()]);
        command.args(more);
        told(&output(command))
    };
    let address = "https://login.example.com:8443/auth/wecom";
    let all = [
        "--corp-id",
        "ww1436e0e65a779aee",
        "--agent-id",
        "1000002",
        "--redirect-uri",
        address,
        "--secret-file",
        &secret,
    ];
    let (code, _, error) = run(&all[..6]);
    assert_eq!(code, Some(1));
    assert!(error.contains("--secret-file is missing, and there is no terminal"), "{error}");
    assert!(!app.exists(), "nothing is written by halves");
    let (code, out, _) = run(&all);
    assert_eq!(code, Some(0));
    for text in [
        "授权回调域    login.example.com:8443\n",
        "https://login.example.com:8443/login?element=auths.loginTypes.Staff",
        "public_url = \"https://login.example.com:8443\"",
    ] {
        assert!(out.contains(text), "{out}");
    }
    assert!(!out.contains("the-secret"));
    let config = app.join("auths/loginTypes/Staff/Staff.json");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&config).unwrap()).unwrap();
    assert_eq!(written["corpSecret"], "the-secret-of-the-app");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (code, _, error) = run(&all);
    assert_eq!(code, Some(1));
    assert!(error.contains("is there already; nothing was written"), "{error}");
    assert_eq!(told(&output(command(&["new", "../x"]))).0, Some(2));

    let check = |public_url: &str| {
        let path = app.to_str().unwrap();
        told(&output(command(&["config", "check", "--app", path, "--public-url", public_url])))
    };
    assert_eq!(check("https://login.example.com:8443").0, Some(0));
    let (code, out, _) = check("https://login.example.com");
    assert_eq!(code, Some(1));
    assert!(
        out.contains("sign-in in the browser is off: redirectUri is at https://login.example.com:8443"),
        "{out}"
    );
}

#[test]
fn config_check_lists_all_that_is_wrong() {
    let folder = Folder::new();
    let app = folder.path().join("app");
    let configs = [
        ("One", "{}"),
        ("Two", r#"{"corpId": 7}"#),
        (
            "Three",
            r#"{"corpId":"wwA","agentId":1,"corpSecret":"s",
        "redirectUri":"http://127.0.0.1:8000/x","bindBy":"name"}"#,
        ),
    ];
    for (name, config) in configs {
        let element = app.join("auths/loginTypes").join(name);
        std::fs::create_dir_all(&element).unwrap();
        let json = r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType"}"#;
        std::fs::write(element.join("e.json"), json).unwrap();
        std::fs::write(element.join(format!("{name}.json")), config).unwrap();
    }
    let settings = folder.write("settings.toml", "admins = ['zhangsan']");
    let path = app.to_str().unwrap();
    let arguments = ["config", "check", "--app", path, "--config", &settings];
    let (code, out, error) = told(&output(command(&arguments)));
    assert_eq!(code, Some(1));
    for fault in [
        "settings.toml line 1: admins: must hold members such as corpId/userId, not \"zhangsan\"",
        "One.json, key corpId: is missing or empty",
        "Two.json, key corpId: must be a string",
        "Three.json, key bindBy: must be one of none, userId, mobile, bizMail",
    ] {
        assert!(out.contains(fault), "{out}");
    }
    assert!(error.contains("4 faults"), "{error}");
}
