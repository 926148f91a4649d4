use serde_json::{Value, json};

use super::{Call, Fields, Outcome, Refusal};
use crate::company::{Member, SensitiveField};
use crate::grants::{CodeScope, Consent, Found, Person};

/// The person whom a code proves.
enum Proven {
    Member { userid: String, ticket: Option<String> },
    Outsider { openid: String, external_userid: Option<String> },
}

/// `auth/getuserinfo` (WeCom 96442, 98177).
pub(super) fn getuserinfo(call: &mut Call<'_>) -> Outcome {
    Ok(match redeem(call)? {
        Proven::Member { userid, ticket } => given("user_ticket", ticket, Fields::one("userid", userid)),
        Proven::Outsider { openid, external_userid } => {
            given("external_userid", external_userid, Fields::one("openid", openid))
        }
    })
}

/// `user/getuserinfo`, the old form with capital letters and a device.
pub(super) fn getuserinfo_legacy(call: &mut Call<'_>) -> Outcome {
    let fields = match redeem(call)? {
        Proven::Member { userid, ticket: None } => Fields::one("UserId", userid),
        Proven::Member { userid, ticket } => {
            given("user_ticket", ticket, Fields::one("UserId", userid)).with("expires_in", json!(7200))
        }
        Proven::Outsider { openid, external_userid } => {
            given("external_userid", external_userid, Fields::one("OpenId", openid))
        }
    };
    Ok(fields.with("DeviceId", json!("")))
}

fn given(name: &str, value: Option<String>, fields: Fields) -> Fields {
    match value {
        Some(value) => fields.with(name, json!(value)),
        None => fields,
    }
}

/// Looks at the code first and uses it up only when everything else is right.
fn redeem(call: &mut Call<'_>) -> Result<Proven, Refusal> {
    let text = call.query("code").ok_or(Refusal::of(41008))?.to_owned();
    let request = call.world.codes.live(&text, call.now).ok_or(Refusal::of(40029))?;
    let holder = call.holder()?;
    // Contact sync cannot redeem codes: its token is no app's (50001).
    let app = holder.agentid();
    let ours = request.corpid == *holder.corpid
        && app.is_some()
        && request.agentid.is_none_or(|agentid| Some(agentid) == app);
    let at_home = request.host.as_deref().is_none_or(|host| call.app().is_ok_and(|app| app.trusts(host)));
    if !ours || !at_home {
        return Err(Refusal::of(50001));
    }
    let request = call.world.codes.take(&text).ok_or(Refusal::of(40029))?;
    match request.who {
        Person::Outsider(openid) => {
            let external_userid =
                call.company()?.outsider(&openid).and_then(|outsider| outsider.external_userid.clone());
            Ok(Proven::Outsider { openid, external_userid })
        }
        Person::Member(userid) => {
            // The company's spelling; a member who is gone since the code was made is still named.
            let visible = call.visible()?;
            let member = call.company()?.member(&userid);
            let in_scope = member.as_ref().is_some_and(|member| visible.member(member));
            let userid = member.map_or(userid, |member| member.into_owned().userid);
            let ticket = match request.scope {
                CodeScope::PrivateInfo(ticked) if in_scope => {
                    let chosen = &call.app()?.sensitive_fields;
                    let fields = ticked.into_iter().filter(|field| chosen.contains(field)).collect();
                    let consent = Consent { userid: userid.clone(), fields, holder: call.holder()?.clone() };
                    let world = &mut *call.world;
                    Some(world.tickets.issue(consent, call.now, &mut world.chance))
                }
                _ => None,
            };
            Ok(Proven::Member { userid, ticket })
        }
    }
}

/// `auth/getuserdetail` (WeCom 96443): what the member ticked, a default portrait and gender "0" for the rest.
pub(super) fn getuserdetail(call: &mut Call<'_>) -> Outcome {
    let ticket = call.body("user_ticket").ok_or(Refusal::of(84090))?;
    let holder = call.holder()?;
    let consent = match call.world.tickets.find(ticket, call.now) {
        Found::Live(consent) if consent.holder == *holder => consent.clone(),
        Found::Expired(consent) if consent.holder == *holder => return Err(Refusal::of(84014)),
        _ => return Err(Refusal::of(84015)),
    };
    let visible = call.visible()?;
    let member = call.company()?.member(&consent.userid).ok_or(Refusal::of(60111))?;
    if !visible.member(&member) {
        return Err(Refusal::of(60021));
    }
    let fields = Fields::one("userid", member.userid.as_str())
        .with("gender", json!("0"))
        .with("avatar", json!("https://wework.qpic.cn/wwpic/simulated_default/0"));
    Ok(consent
        .fields
        .into_iter()
        .fold(fields, |fields, field| fields.with(field.name(), sensitive(&member, field))))
}

fn sensitive(member: &Member, field: SensitiveField) -> Value {
    Value::from(match field {
        SensitiveField::Avatar => member.avatar.as_str(),
        SensitiveField::Gender => &member.gender,
        SensitiveField::Mobile => &member.mobile,
        SensitiveField::Email => &member.email,
        SensitiveField::BizMail => &member.biz_mail,
        SensitiveField::QrCode => &member.qr_code,
        SensitiveField::Address => &member.address,
    })
}
