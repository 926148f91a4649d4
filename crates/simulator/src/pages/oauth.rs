use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use url::Url;

use super::html::{Frame, expired, message, page};
use super::look::Look;
use super::redirect::{self, found};
use super::sign_in::{Page, Progress, SignIn};
use super::{device, people};
use crate::clock::Moment;
use crate::company::{SensitiveField, host_of};
use crate::grants::{CodeScope, Person};
use crate::header_bytes::text;
use crate::query::Query;
use crate::world::{Shared, World};

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent<'a> {
    frame: Frame,
    app: &'a str,
    key: &'a str,
    name: String,
    detail: String,
    initial: String,
    fields: Vec<(&'static str, &'static str)>,
}

/// GET /connect/oauth2/authorize (WeCom 96441)
pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let query = Query::parse(uri.query().unwrap_or_default());
    let look = Look::of(&query, &headers);
    let words = look.words();
    let now = shared.clock.now();
    let mut world = shared.world();

    let agent = text(&headers, header::USER_AGENT).unwrap_or_default();
    // WeCom's client says both words, WeChat's only the second: there the WeCom plug-in opens the page, and who it
    // is depends on whether that WeChat is bound to a member (WeCom 96441).
    let client = agent.contains("wxwork/") || agent.contains("MicroMessenger");
    if world.behaviour.oauth_needs_client && !client {
        return message(look, words.open_in_client, words.open_in_client_help, None);
    }
    let mut sign_in = match checked(&world, &query, look) {
        Ok(sign_in) => sign_in,
        Err(Refusal { title, text, value }) => return message(look, title, text, value),
    };
    let Some(who) = device::holder(&shared, &world, &headers, &sign_in.corpid) else {
        let back = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        sign_in.page = Page::Device { back };
        let world = &mut *world;
        let key = world.sign_ins.issue(sign_in.clone(), now, &mut world.chance);
        return device::ask(world, &sign_in, &key, "");
    };
    match (&who, sign_in.agentid) {
        // Without agentid the page acts as if it had been asked for snsapi_base (WeCom 96441).
        (Person::Member(userid), Some(agentid)) if query.get("scope") == Some("snsapi_privateinfo") => {
            let userid = userid.clone();
            ask_consent(&mut world, sign_in, agentid, &userid, now)
        }
        _ => {
            let code = redirect::code(&mut world, &sign_in, who, CodeScope::Base, now);
            found(redirect::target(&sign_in, Some(&code)).as_str())
        }
    }
}

/// What the page says instead of going on.
struct Refusal {
    title: &'static str,
    text: &'static str,
    value: Option<String>,
}

/// The link's parameters, or what is wrong with them.
fn checked(world: &World, query: &Query, look: Look) -> Result<SignIn, Refusal> {
    let words = look.words();
    let refuse = |text| Refusal { title: words.unreachable_title, text, value: None };
    let company = query.get("appid").and_then(|corpid| world.company(corpid));
    let company = company.ok_or_else(|| refuse(words.no_company))?;
    let app = match query.get("agentid") {
        None => None,
        Some(text) => {
            let app = text.parse().ok().and_then(|agentid| company.app(agentid));
            Some(app.ok_or_else(|| refuse(words.no_app))?)
        }
    };
    if query.get("response_type") != Some("code") {
        return Err(refuse(words.response_type));
    }
    // snsapi_userinfo is the old name of a consent that no longer exists; it acts as snsapi_base.
    if !["snsapi_base", "snsapi_userinfo", "snsapi_privateinfo"]
        .contains(&query.get("scope").unwrap_or_default())
    {
        return Err(refuse(words.scope));
    }
    let state = query.get("state").unwrap_or_default();
    if state.len() > 128 || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal { title: words.bad_state, text: words.bad_state_help, value: None });
    }
    let redirect =
        Url::parse(query.get("redirect_uri").unwrap_or_default()).map_err(|_| refuse(words.no_redirect))?;
    let trusted = app.map_or_else(
        || company.apps().any(|app| app.takes_oauth_redirect(&redirect)),
        |app| app.takes_oauth_redirect(&redirect),
    );
    if !trusted {
        let value = host_of(&redirect);
        return Err(Refusal { title: words.oauth_domain, text: words.oauth_domain_help, value });
    }
    Ok(SignIn {
        corpid: company.corpid().to_owned(),
        agentid: app.map(|app| app.agentid),
        redirect,
        state: Some(state.to_owned()),
        look,
        page: Page::Device { back: String::new() },
        progress: Progress::Waiting,
    })
}

fn ask_consent(world: &mut World, mut sign_in: SignIn, agentid: u64, userid: &str, now: Moment) -> Response {
    let words = sign_in.look.words();
    let Some(company) = world.company_mut(&sign_in.corpid) else {
        return message(sign_in.look, words.unreachable_title, words.no_company, None);
    };
    let visible = company.visible_to(agentid);
    let (Some(member), Some(app)) = (company.member(userid), company.app(agentid)) else {
        return message(sign_in.look, words.unreachable_title, words.no_person, None);
    };
    if !visible.member(&member) {
        return message(sign_in.look, words.no_permission, words.no_permission_help, None);
    }
    let chosen = app.sensitive_fields.clone();
    let named = SensitiveField::ALL.into_iter().zip(words.fields);
    let shown = named.filter(|(field, _)| chosen.contains(field)).map(|(field, word)| (field.name(), word));
    let mut consent = Consent {
        frame: Frame::new(sign_in.look),
        app: &app.name.clone(),
        key: "",
        name: member.name.clone(),
        detail: format!(
            "{} · {}",
            people::department_of(company, &member, sign_in.look.language),
            member.userid
        ),
        initial: member.name.chars().next().map(String::from).unwrap_or_default(),
        fields: shown.collect(),
    };
    let redirect = sign_in.redirect.clone();
    sign_in.page = Page::Consent { who: Person::Member(member.userid.clone()), fields: chosen };
    let key = world.sign_ins.issue(sign_in, now, &mut world.chance);
    consent.key = &key;
    page(&consent, Some(&redirect))
}

/// POST /connect/consent: back to the app with what was ticked, or (refused) without a code.
pub(super) async fn consent(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let has = |name: &str, value: &str| pairs.iter().any(|(key, given)| key == name && given == value);
    let key = pairs.iter().find(|(name, _)| name == "key").map(|(_, key)| key.as_str()).unwrap_or_default();
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live(key, now).cloned() else {
        return expired(&headers);
    };
    let Page::Consent { who, fields } = &sign_in.page else {
        let words = sign_in.look.words();
        return message(sign_in.look, words.unreachable_title, words.no_person, None);
    };
    if !has("answer", "allow") {
        return found(redirect::target(&sign_in, None).as_str());
    }
    let ticked = fields.iter().copied().filter(|field| has("field", field.name())).collect();
    let code = redirect::code(&mut world, &sign_in, who.clone(), CodeScope::PrivateInfo(ticked), now);
    found(redirect::target(&sign_in, Some(&code)).as_str())
}
