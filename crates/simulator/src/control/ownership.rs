use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::codes::number;
use super::input::{Outcome, Refused, bad, company, read};
use crate::outbound::{Outbound, Reply};
use crate::world::{Shared, World};

/// How long the console waits for the file.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    corpid: Option<String>,
    agentid: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    corpid: Option<String>,
    agentid: Option<Value>,
    /// `host` or `host:port`.
    domain: String,
    scheme: Option<String>,
}

/// The app meant: company and agentid.
fn app(world: &mut World, corpid: Option<&str>, agentid: Option<&Value>) -> Result<(String, u64), Refused> {
    let agentid = agentid.map(number).transpose()?;
    let company = company(world, corpid)?;
    let app = match agentid {
        Some(agentid) => company.app(agentid),
        None => company.apps().next(),
    };
    let app = app.ok_or_else(|| bad(format!("company {} has no such app", company.corpid())))?;
    Ok((company.corpid().to_owned(), app.agentid))
}

/// GET /_sim/verify-domain: the file that the console offers for download
pub(super) async fn file(State(shared): State<Arc<Shared>>, Query(whose): Query<Whose>) -> Outcome {
    let mut world = shared.world();
    let app = app(&mut world, whose.corpid.as_deref(), whose.agentid.as_ref())?;
    let content = world.ownership_token(app);
    Ok(Json(json!({"file": name(&content), "content": content})))
}

fn name(content: &str) -> String {
    format!("WW_verify_{content}.txt")
}

/// POST /_sim/verify-domain: sets a trusted domain as the console does, after it has found the file there
pub(super) async fn verify(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let asked: Asked = read(&body)?;
    let scheme = asked.scheme.as_deref().unwrap_or("http");
    let (app, content) = {
        let mut world = shared.world();
        let app = app(&mut world, asked.corpid.as_deref(), asked.agentid.as_ref())?;
        let content = world.ownership_token(app.clone());
        (app, content)
    };
    let url =
        Outbound::on_this_machine(&format!("{scheme}://{}/{}", asked.domain, name(&content))).map_err(bad)?;
    let bare =
        url.path().len() == name(&content).len() + 1 && url.username().is_empty() && url.query().is_none();
    if !bare {
        return Err(bad("domain must be host or host:port alone"));
    }
    let reply = tokio::select! {
        reply = shared.outbound.get(&url) => reply,
        () = shared.clock.sleep(PATIENCE) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    };
    Ok(Json(match reply.and_then(|reply| compared(&reply, &content)) {
        Ok(()) => {
            let mut world = shared.world();
            if let Some(company) = world.company_mut(&app.0) {
                company.edit_app(app.1, |app| {
                    if !app.oauth_domains.contains(&asked.domain) {
                        app.oauth_domains.push(asked.domain.clone());
                    }
                });
            }
            json!({"verified": true, "url": url})
        }
        Err(reason) => json!({"verified": false, "url": url, "errcode": 85005, "reason": reason}),
    }))
}

/// The file is served as it was downloaded: its content and not one byte more, so no line end either.
fn compared(reply: &Reply, content: &str) -> Result<(), String> {
    if reply.status != 200 {
        return Err(format!("HTTP status {}, not 200", reply.status));
    }
    if reply.body == content.as_bytes() {
        return Ok(());
    }
    let got = String::from_utf8_lossy(&reply.body);
    if got.trim_start_matches('\u{feff}').trim() == content {
        return Err("blanks, a line end or a byte order mark stand around the content".to_owned());
    }
    Err(format!("the body begins {:?}, not {content:?}", got.chars().take(40).collect::<String>()))
}
