use serde_json::{Value, json};

use super::{Call, Fields, Outcome, Refusal};

/// `agent/get`: the token's own app, with its visible scope.
pub(super) fn agent_get(call: &mut Call<'_>) -> Outcome {
    let asked = call.query("agentid").ok_or(Refusal::of(41011))?;
    let asked: u64 = asked.parse().map_err(|_| Refusal::of(40056))?;
    if call.holder()?.agentid().is_none() {
        return Err(Refusal::of(301_002));
    }
    let app = call.app()?;
    if call.company()?.app(asked).is_none() {
        return Err(Refusal::of(40056));
    }
    if asked != app.agentid {
        return Err(Refusal::of(301_002));
    }
    let members: Vec<Value> = app.scope.members.iter().map(|userid| json!({"userid": userid})).collect();
    let answer = json!({
        "agentid": app.agentid,
        "name": app.name,
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": members},
        "allow_partys": {"partyid": app.scope.departments},
        "allow_tags": {"tagid": app.scope.tags},
        "close": u8::from(!app.enabled),
        "redirect_domain": app.oauth_domains.first().map_or("", String::as_str),
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    });
    Ok(Fields::of(answer))
}

/// `get_api_domain_ip`: where this API answers.
#[expect(clippy::unnecessary_wraps, reason = "an entry of the endpoint table")]
pub(super) fn get_api_domain_ip(_: &mut Call<'_>) -> Outcome {
    Ok(Fields::one("ip_list", json!(["127.0.0.1"])))
}
