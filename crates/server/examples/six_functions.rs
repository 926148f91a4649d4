//! The six functions of a sign-in instance, and its model, called from Rust.
//!
//! `cargo run -p wecom-login-server --example six_functions` runs it against the simulator.

use serde_json::json;
use wecom_login_auth_model::Query;
use wecom_login_auth_model::filter::Filter;
use wecom_login_element::{App, Arguments, Caller, Code};
use wecom_login_server::{Dependencies, Server, Settings};
use wecom_login_simulator::{Options, Simulator, sample};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const INSTANCE: &str = "auths.loginTypes.Staff";

/// Calls every function once and tells what came back.
pub async fn run() -> Result<Vec<String>, Failure> {
    let wecom = Simulator::start(Options::default()).await?;
    let folder = tempfile::tempdir()?;
    write_app(folder.path(), &wecom)?;
    let settings =
        Settings::local("127.0.0.1:8000".parse()?, folder.path().join("app"), folder.path().join("data"))?;
    let server = Server::open(settings, Dependencies::default()).await?;
    let app = server.app();
    let mut told = Vec::new();

    let config = call(&app, "getLoginConfig", Arguments::new()).await?;
    told.push(format!("getLoginConfig: company {}, app {}", config["corpId"], config["agentId"]));

    let code = wecom.code_for("zhangsan");
    let arguments = Arguments::new().named("authCode", code).named("state", config["state"].clone());
    let user = call(&app, "getLoginCode", arguments).await?;
    told.push(format!("getLoginCode: {} of departments {}", user["name"], user["department"]));

    let user = call(&app, "getUserInfo", Arguments::new().with("lisi")).await?;
    told.push(format!("getUserInfo: {}, {}", user["name"], user["position"]));

    let token = call(&app, "getAccessToken", Arguments::new()).await?;
    told.push(format!("getAccessToken: {} bytes", token.as_str().unwrap_or_default().len()));

    call(&app, "syncUserInfo", Arguments::new().named("userId", "zhangsan").named("forceUpdate", true))
        .await?;
    call(&app, "syncDepartmentInfo", Arguments::new().named("deptId", "2")).await?;
    let filter: Filter = "Q(department=2)".parse()?;
    for model in
        ["auths.loginTypes.Staff.QywxInnerAuthModel", "auths.loginTypes.QywxInnerType.QywxInnerAuthModel"]
    {
        let rows =
            server.auth_model(model).ok_or("the model is there")?.query(&Query::of(filter.clone())).await?;
        told.push(format!("{model}: {} members of department 2", rows.total_count));
    }

    match call(&app, "getLoginCode", Arguments::new().with("a code that was used")).await {
        Ok(_) => return Err("a code that cannot be was taken".into()),
        Err(error) => told.push(format!("a bad code is error {}", error.code)),
    }
    Ok(told)
}

async fn call(app: &App, function: &str, arguments: Arguments) -> Result<serde_json::Value, Code> {
    let element =
        app.element(INSTANCE).ok_or_else(|| Code::new(Code::UNFORESEEN, "the instance is there"))?;
    Ok(element.call(function, arguments, &Caller::Library).await?.value)
}

/// An instance is two files.
fn write_app(folder: &std::path::Path, wecom: &Simulator) -> std::io::Result<()> {
    let element = folder.join("app/auths/loginTypes/Staff");
    std::fs::create_dir_all(&element)?;
    let e_json = json!({"title": "Staff sign-in", "type": "auths.loginTypes.QywxInnerType"});
    std::fs::write(element.join("e.json"), e_json.to_string())?;
    let config = json!({
        "corpId": sample::CORP_ID,
        "corpSecret": sample::SECRET,
        "agentId": sample::AGENT_ID,
        "redirectUri": "http://127.0.0.1:8000/auth/wecom",
        "apiBase": wecom.api_url(),
    });
    std::fs::write(element.join("Staff.json"), config.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    use std::io::Write as _;
    for line in run().await? {
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}
