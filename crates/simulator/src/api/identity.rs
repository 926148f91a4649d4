use serde_json::{Map, Value, json};

use super::{Call, Outcome, Refusal};
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
        Proven::Member { userid, ticket } => {
            let mut fields = Map::from_iter([("userid".to_owned(), json!(userid))]);
            fields.extend(ticket.map(|ticket| ("user_ticket".to_owned(), json!(ticket))));
            fields
        }
        Proven::Outsider { openid, external_userid } => {
            let mut fields = Map::from_iter([("openid".to_owned(), json!(openid))]);
            fields.extend(external_userid.map(|id| ("external_userid".to_owned(), json!(id))));
            fields
        }
    })
}

/// `user/getuserinfo`, the old form with capital letters and a device.
pub(super) fn getuserinfo_legacy(call: &mut Call<'_>) -> Outcome {
    let mut fields = Map::from_iter([("DeviceId".to_owned(), json!(""))]);
    match redeem(call)? {
        Proven::Member { userid, ticket } => {
            fields.insert("UserId".to_owned(), json!(userid));
            if let Some(ticket) = ticket {
                fields.insert("user_ticket".to_owned(), json!(ticket));
                fields.insert("expires_in".to_owned(), json!(7200));
            }
        }
        Proven::Outsider { openid, external_userid } => {
            fields.insert("OpenId".to_owned(), json!(openid));
            fields.extend(external_userid.map(|id| ("external_userid".to_owned(), json!(id))));
        }
    }
    Ok(fields)
}

/// Looks at the code first and uses it up only when everything else is right.
fn redeem(call: &mut Call<'_>) -> Result<Proven, Refusal> {
    let text = call.query("code").ok_or(Refusal::of(41008))?.to_owned();
    let request = call.world.codes.live(&text, call.now).ok_or(Refusal::of(40029))?;
    let holder = call.holder()?;
    let ours =
        request.corpid == *holder.corpid && request.agentid.is_none_or(|agentid| agentid == holder.agentid());
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
            let in_scope = member.is_some_and(|member| visible.member(member));
            let userid = member.map_or(userid, |member| member.userid.clone());
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
    if !visible.member(member) {
        return Err(Refusal::of(60021));
    }
    let mut fields = Map::from_iter([
        ("userid".to_owned(), json!(member.userid)),
        ("gender".to_owned(), json!("0")),
        ("avatar".to_owned(), json!("https://wework.qpic.cn/wwpic/simulated_default/0")),
    ]);
    for field in consent.fields {
        fields.insert(field.name().to_owned(), sensitive(member, field));
    }
    Ok(fields)
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
