//! Writes the two files of an instance, and says what to enter in WeCom's console.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use wecom_login_model::{AgentId, CorpId, Secret};

use crate::output::say;

const FOLDER: &str = "auths/loginTypes";

/// What is not given is asked for on a terminal. The app's Secret is never an argument: other users of the machine see
/// those.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The instance's name, such as Staff
    #[arg(value_parser = name)]
    name: String,
    /// The app folder, made if absent
    #[arg(long, value_name = "DIR", default_value = ".")]
    app: PathBuf,
    /// The title on the sign-in page [default: the name]
    #[arg(long)]
    title: Option<String>,
    /// 企业ID: 我的企业 → 企业信息
    #[arg(long, value_name = "ID")]
    corp_id: Option<String>,
    /// AgentId: 应用管理 → the app
    #[arg(long, value_name = "ID")]
    agent_id: Option<String>,
    /// Where WeCom sends the browser back to, such as https://login.example.com/auth/wecom
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    /// A file that holds the app's Secret and nothing else
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

fn name(text: &str) -> Result<String, &'static str> {
    let word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let named = word && begins && text.len() <= 64;
    if named { Ok(text.to_owned()) } else { Err("must be letters, digits and _, the first a letter") }
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let folder = arguments.app.join(FOLDER).join(&arguments.name);
    let (element, config) = (folder.join("e.json"), folder.join(format!("{}.json", arguments.name)));
    for file in [&element, &config] {
        if file.exists() {
            bail!("{} is there already; nothing was written", file.display());
        }
    }
    let corp_id = given(arguments.corp_id, "corp-id", "corpId (企业ID)", |text| Ok(CorpId::parse(text)?))?;
    let agent_id = given(arguments.agent_id, "agent-id", "agentId", |text| Ok(AgentId::parse(text)?))?;
    let redirect = given(
        arguments.redirect_uri,
        "redirect-uri",
        "redirectUri, such as https://login.example.com/auth/wecom",
        Redirect::parse,
    )?;
    let secret = secret(arguments.secret_file.as_deref())?;

    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let title = arguments.title.unwrap_or_else(|| arguments.name.clone());
    // The file with the secret first: were it to fail, no half of an instance would be found.
    write(
        &config,
        &json!({
            "corpId": corp_id,
            "corpSecret": secret.expose(),
            "agentId": agent_id,
            "redirectUri": redirect.text,
        }),
        0o600,
    )?;
    write(&element, &json!({"title": title, "type": "auths.loginTypes.QywxInnerType"}), 0o644)?;
    say(next_steps(&element, &config, &redirect, &format!("auths.loginTypes.{}", arguments.name)))
}

#[derive(Debug)]
struct Redirect {
    text: String,
    origin: String,
    /// Host, and the port where it is not the scheme's own.
    host: String,
}

impl Redirect {
    fn parse(text: String) -> anyhow::Result<Self> {
        let rule = "must be an absolute address with a path, such as https://login.example.com/auth/wecom";
        let url = url::Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http"))
            .context(rule)?;
        if url.query().is_some() || url.fragment().is_some() {
            bail!("must have no ?query and no #fragment");
        }
        let broken = text.chars().any(|char| char.is_whitespace() || char.is_control());
        if url.path() == "/" || !url.username().is_empty() || url.password().is_some() || broken {
            bail!(rule);
        }
        let origin = url.origin().ascii_serialization();
        let host = origin.split_once("://").map(|(_, host)| host.to_owned()).context(rule)?;
        Ok(Self { text, origin, host })
    }
}

/// The value of a flag, or what is typed in; asked for again until it can be one.
fn given<T>(
    flag: Option<String>,
    name: &str,
    question: &str,
    parse: impl Fn(String) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if let Some(text) = flag {
        return parse(text).with_context(|| format!("--{name}"));
    }
    if !std::io::stdin().is_terminal() {
        bail!("--{name} is missing, and there is no terminal to ask on");
    }
    loop {
        write!(std::io::stderr(), "{question}: ")?;
        let mut text = String::new();
        if std::io::stdin().read_line(&mut text)? == 0 {
            bail!("--{name} was not given");
        }
        match parse(text.trim().to_owned()) {
            Ok(value) => return Ok(value),
            Err(error) => writeln!(std::io::stderr(), "  {error:#}")?,
        }
    }
}

fn secret(file: Option<&Path>) -> anyhow::Result<Secret> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None if std::io::stdin().is_terminal() => rpassword::prompt_password("corpSecret (not shown): ")?,
        None => bail!("--secret-file is missing, and there is no terminal to ask on"),
    };
    let text = Secret::new(text);
    let secret = text.expose().trim();
    if secret.is_empty() || secret.chars().any(|char| char.is_whitespace() || char.is_control()) {
        bail!("the Secret must be one word");
    }
    Ok(Secret::new(secret))
}

/// Writes a new file; one that is there stays.
fn write(path: &Path, value: &Value, mode: u32) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).with_context(|| path.display().to_string())?;
    writeln!(file, "{value:#}").with_context(|| path.display().to_string())
}

fn next_steps(element: &Path, config: &Path, redirect: &Redirect, full_name: &str) -> String {
    let Redirect { origin, host, .. } = redirect;
    let name = full_name.rsplit('.').next().unwrap_or(full_name);
    format!(
        "Written: {}\n         {}\n\n\
         In WeCom's admin console, on the app's page, enter\n\
         \x20 企业微信授权登录 → Web网页 → 授权回调域    {host}\n\
         \x20 网页授权及JS-SDK → 可信域名              {host}\n\
         \x20 企业可信IP                              the address from which the server reaches the internet\n\
         \x20 应用主页 (workbench home page)           {origin}/login?element={full_name}\n\
         and, if you like, for events (docs/organisation.md), with their keys in the configuration\n\
         \x20 接收消息 → 设置API接收                   {origin}/wecom/callback/{name}\n\
         \x20 通讯录同步 → 设置接收事件服务器           {origin}/wecom/callback/{name}\n\n\
         In wecom-login.toml, or as an option of serve\n\
         \x20 public_url = \"{origin}\"",
        element.display(),
        config.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_told_a_port_only_where_it_is_not_the_schemes_own() {
        for (text, host) in [
            ("https://login.example.com:443/auth/wecom", "login.example.com"),
            ("https://login.example.com:8443/auth/wecom", "login.example.com:8443"),
            ("http://127.0.0.1:8000/auth/wecom", "127.0.0.1:8000"),
        ] {
            let redirect = Redirect::parse(text.to_owned()).unwrap();
            assert_eq!((redirect.text.as_str(), redirect.host.as_str()), (text, host));
        }
        for text in ["https://:8000/x", "https://a.example.com", "https://a.example.com/", "ftp://a/x", "/x"]
        {
            assert!(Redirect::parse(text.to_owned()).is_err(), "{text}");
        }
        for text in ["https://a/x?y=1", "https://a/x#y", "https://me@a/x", "https://a/x y"] {
            assert!(Redirect::parse(text.to_owned()).is_err(), "{text}");
        }
    }
}
