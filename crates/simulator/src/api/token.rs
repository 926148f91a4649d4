use std::time::Duration;

use serde_json::json;

use super::{Call, Fields, Outcome, Refusal};
use crate::behaviour::Renewal;

/// `gettoken` (WeCom 91039). A missing secret is seen before a missing company, as measured.
pub(super) fn gettoken(call: &mut Call<'_>) -> Outcome {
    let limit = call.world.behaviour.wrong_secrets;
    if call.world.wrong_secrets.closed(call.ip, limit, call.now) {
        return Err(Refusal::of(45009));
    }
    let secret = call.query("corpsecret").ok_or(Refusal::of(41004))?;
    let corpid = call.query("corpid").ok_or(Refusal::of(41002))?;
    if call.world.company(corpid).is_none() {
        return Err(Refusal::of(40013));
    }
    let Some(holder) = call.world.holder_of(corpid, secret) else {
        call.world.wrong_secrets.note(call.ip, limit, call.now);
        return Err(Refusal::of(40001));
    };

    let renewal = call.world.behaviour.renewal;
    let kept = call.world.tokens.current(&holder, call.now).filter(|_| renewal == Renewal::Same);
    let (token, left) = kept.unwrap_or_else(|| {
        if renewal == Renewal::NewAndRevokeOld {
            call.world.tokens.revoke(|other| *other == holder);
        }
        let lifetime = Duration::from_secs(call.world.behaviour.token_seconds);
        let world = &mut *call.world;
        (world.tokens.issue(&holder, lifetime, call.now, &mut world.chance), lifetime)
    });
    Ok(Fields::one("access_token", token).with("expires_in", json!(left.as_secs())))
}
