use serde_json::{Value, json};
use wecom_login_testkit::cookies;

use crate::program::{Program, command, http};

#[tokio::test]
async fn one_line_says_where_everything_is_and_it_is_there() {
    let (program, ready) = Program::start_json(command(&["demo", "--json", "--port", "0"]));
    let text = |key: &str| ready[key].as_str().unwrap_or_else(|| panic!("{key}: {ready}")).to_owned();
    let (url, wecom, app, element) = (text("url"), text("wecom"), text("app"), text("element"));
    assert!(url.starts_with("http://127.0.0.1:") && wecom.starts_with("http://localhost:"), "two sites");
    assert_eq!(element, "auths.loginTypes.QywxInnerExample");

    let read = |file: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(format!("{app}/{file}")).unwrap()).unwrap()
    };
    let config = read("auths/loginTypes/QywxInnerExample/QywxInnerExample.json");
    let redirect = config["redirectUri"].as_str().unwrap().to_owned();
    assert!(redirect.starts_with(&url), "the redirect comes back to the server");
    let app_json = read("app.json");
    let api = format!(
        "{url}/api/{}/{}/{}",
        app_json["orgId"].as_str().unwrap(),
        app_json["name"].as_str().unwrap(),
        element.replace('.', "/")
    );

    let http = http();
    assert_eq!(http.get(format!("{url}/healthz")).send().await.unwrap().text().await.unwrap(), "ok");
    let config_answer = http.post(format!("{api}/getLoginConfig")).json(&json!({})).send().await.unwrap();
    let cookie = cookies::pairs(config_answer.headers()).remove(0);
    let config_answer: Value = config_answer.json().await.unwrap();
    let code = json!({"corpid": config["corpId"], "agentid": config["agentId"].as_str().unwrap().parse::<u64>().unwrap(), "userid": "zhangsan"});
    let code: Value =
        http.post(format!("{wecom}/_sim/code")).json(&code).send().await.unwrap().json().await.unwrap();
    let body = json!({"authCode": code["code"], "state": config_answer["data"]["state"]});
    let user: Value = http
        .post(format!("{api}/getLoginCode"))
        .header("cookie", cookie)
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&user["data"]["name"], &user["errcode"]), (&json!("张三"), &json!(0)), "{user}");
    assert_eq!(user["data"]["departmentNames"], json!(["云帆科技", "研发中心"]), "{user}");

    let folder = std::path::Path::new(&app).parent().unwrap().to_owned();
    program.signal(libc::SIGINT);
    assert_eq!(program.finish().0, Some(0));
    assert!(!folder.exists(), "nothing is left behind");
}

#[test]
fn a_given_folder_is_kept_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--json", "--port", "0", "--data", folder.path().to_str().unwrap()];
    for _ in 0..2 {
        let (program, _) = Program::start_json(command(&arguments));
        program.signal(libc::SIGTERM);
        assert_eq!(program.finish().0, Some(0));
    }
    assert!(folder.path().join("data/wecom-login.db").exists());
}
