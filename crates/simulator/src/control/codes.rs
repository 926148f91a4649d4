use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Outcome, Refused, bad, company, read};
use crate::company::SensitiveField;
use crate::grants::{CodeRequest, CodeScope, Person};
use crate::world::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    corpid: Option<String>,
    agentid: Option<Value>,
    userid: Option<String>,
    openid: Option<String>,
    scope: Option<String>,
    fields: Option<Vec<SensitiveField>>,
    host: Option<String>,
}

/// POST /_sim/code: what the sign-in page would send to the redirect URI.
pub(super) async fn issue(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let body: Body = read(&body)?;
    let now = shared.clock.now();
    let mut world = shared.world();
    let company = company(&mut world, body.corpid.as_deref())?;
    let first = company.apps().next().map(|app| app.agentid);
    let agentid = match &body.agentid {
        None => first.ok_or_else(|| bad("the company has no app"))?,
        Some(given) => number(given)?,
    };
    if company.app(agentid).is_none() {
        return Err(bad(format!("company {} has no app {agentid}", company.corpid())));
    }
    let who = match (body.userid, body.openid) {
        (Some(userid), None) if company.member(&userid).is_some() => Person::Member(userid),
        (Some(userid), None) => {
            return Err(bad(format!("company {} has no member {userid:?}", company.corpid())));
        }
        (None, Some(openid)) if (1..=64).contains(&openid.len()) => Person::Outsider(openid),
        (None, Some(_)) => return Err(bad("openid must have 1 to 64 bytes")),
        _ => return Err(bad("give either userid or openid")),
    };
    let scope = match body.scope.as_deref() {
        None | Some("web_login") => CodeScope::WebLogin,
        Some("snsapi_base") => CodeScope::Base,
        Some("snsapi_privateinfo") => {
            CodeScope::PrivateInfo(body.fields.unwrap_or_else(|| SensitiveField::ALL.to_vec()))
        }
        Some(_) => return Err(bad("scope must be web_login, snsapi_base or snsapi_privateinfo")),
    };
    let corpid = company.corpid().to_owned();
    let request = CodeRequest { corpid, agentid: Some(agentid), who, scope, host: body.host };
    Ok(Json(json!({"code": world.issue_code(request, now)})))
}

/// An agentid as a number or as text: both are in use.
pub(super) fn number(value: &Value) -> Result<u64, Refused> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.ok_or_else(|| bad("agentid must be a number"))
}
