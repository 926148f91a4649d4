use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::html::{Frame, Message, expired, message, page};
use super::login::{outsider_of, target};
use super::panel::Told;
use super::people::{People, badges, department_of, parameter};
use super::redirect::{self, found};
use super::sign_in::{Page, Progress, RedirectType, SignIn};
use crate::grants::{CodeScope, Person};
use crate::world::{Shared, World};

/// A step of a sign-in: which one, who, and whether on the phone that scanned it.
#[derive(Deserialize)]
pub(super) struct Step {
    key: String,
    userid: Option<String>,
    openid: Option<String>,
    decline: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    q: String,
}

impl Step {
    fn who(&self) -> Option<Person> {
        let member = self.userid.clone().map(Person::Member);
        member.or_else(|| self.openid.clone().map(Person::Outsider))
    }

    fn on_phone(&self) -> bool {
        self.phone.is_some()
    }
}

#[derive(Template)]
#[template(path = "scan.html")]
struct Scan<'a> {
    frame: Frame,
    app: &'a str,
    key: &'a str,
    phone: bool,
    target: &'static str,
    outsider: String,
    people: People,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    frame: Frame,
    app: &'a str,
    key: &'a str,
    phone: bool,
    target: &'static str,
    outsider: bool,
    name: String,
    initial: String,
    detail: String,
    badges: Vec<&'static str>,
    person: String,
}

/// The result of a sign-in for the page that embeds this one (`redirect_type=callback`).
#[derive(Template)]
#[template(path = "callback.html")]
struct Callback {
    frame: Frame,
}

/// The window that a last step is shown in: the phone's own, or where the app waits.
fn window(step: &Step, sign_in: &SignIn) -> &'static str {
    if step.on_phone() { "_self" } else { target(sign_in) }
}

fn app_name(world: &World, sign_in: &SignIn) -> String {
    let company = world.company(&sign_in.corpid);
    let app = company.and_then(|company| company.app(sign_in.agentid?));
    app.map_or_else(|| company.map(|company| company.name().to_owned()), |app| Some(app.name.clone()))
        .unwrap_or_default()
}

/// GET /wwlogin/scan: what the phone shows, and the picker on a page of its own.
pub(super) async fn scan(
    State(shared): State<Arc<Shared>>,
    Query(step): Query<Step>,
    headers: HeaderMap,
) -> Response {
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live_mut(&step.key, now) else { return expired(&headers) };
    let phone = step.on_phone();
    if phone && matches!(sign_in.progress, Progress::Waiting) {
        sign_in.progress = Progress::Scanned;
    }
    let sign_in = sign_in.clone();
    let people = People::of(&mut world, &sign_in, &step.key, &step.q, phone);
    let outsider = world.company(&sign_in.corpid).map(outsider_of).unwrap_or_default();
    let app = app_name(&world, &sign_in);
    let (frame, target) = (Frame::new(sign_in.look), window(&step, &sign_in));
    page(&Scan { frame, app: &app, key: &step.key, phone, target, outsider, people }, None)
}

/// GET /wwlogin/confirm: "sign in to this app as this person".
pub(super) async fn confirm(
    State(shared): State<Arc<Shared>>,
    Query(step): Query<Step>,
    headers: HeaderMap,
) -> Response {
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live(&step.key, now).cloned() else { return expired(&headers) };
    let words = sign_in.look.words();
    let Some(who) = step.who() else {
        return message(sign_in.look, words.unreachable_title, words.no_person, None);
    };
    let app = app_name(&world, &sign_in);
    let Some(company) = world.company_mut(&sign_in.corpid) else { return expired(&headers) };
    let visible = sign_in.agentid.map(|agentid| company.visible_to(agentid));
    let (name, detail, badges) = match &who {
        Person::Outsider(openid) => {
            let name = company.outsider(openid).map(|known| known.name.clone());
            (name.unwrap_or_else(|| words.confirm_outsider.to_owned()), openid.clone(), Vec::new())
        }
        Person::Member(userid) => {
            let Some(member) = company.member(userid) else {
                return message(sign_in.look, words.unreachable_title, words.no_person, None);
            };
            let outside = visible.is_some_and(|visible| !visible.member(&member));
            if outside && matches!(sign_in.page, Page::QrConnect) {
                return message(sign_in.look, words.no_permission, words.no_permission_help, None);
            }
            let detail =
                format!("{} · {}", department_of(company, &member, sign_in.look.language), member.userid);
            (member.name.clone(), detail, badges(&member, outside, words))
        }
    };
    let confirm = Confirm {
        frame: Frame::new(sign_in.look),
        app: &app,
        key: &step.key,
        phone: step.on_phone(),
        target: window(&step, &sign_in),
        outsider: matches!(who, Person::Outsider(_)),
        initial: name.chars().next().map(String::from).unwrap_or_default(),
        name,
        detail,
        badges,
        person: parameter(&who),
    };
    page(&confirm, None)
}

/// GET /wwlogin/finish: back to the app, with a code or (declined) without one.
pub(super) async fn finish(
    State(shared): State<Arc<Shared>>,
    Query(step): Query<Step>,
    headers: HeaderMap,
) -> Response {
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live(&step.key, now).cloned() else { return expired(&headers) };
    let words = sign_in.look.words();
    let who = if step.decline.is_some() { None } else { step.who() };
    if who.is_none() && step.decline.is_none() {
        return message(sign_in.look, words.unreachable_title, words.no_person, None);
    }
    if let Some(Person::Member(userid)) = &who {
        match allowed(&mut world, &sign_in, userid) {
            Some(true) => {}
            Some(false) => {
                return message(sign_in.look, words.no_permission, words.no_permission_help, None);
            }
            None => return message(sign_in.look, words.unreachable_title, words.no_person, None),
        }
    }
    let callback = matches!(sign_in.page, Page::Login { redirect: RedirectType::Callback, .. });
    if step.on_phone() {
        return finish_on_phone(&mut world, &step, &sign_in, who, callback, now);
    }
    match who {
        None if callback => declined(&sign_in),
        None => found(redirect::target(&sign_in, None).as_str()),
        Some(who) => {
            let code = redirect::code(&mut world, &sign_in, who, CodeScope::WebLogin, now);
            if callback {
                let frame = Frame::new(sign_in.look).telling(&Told::code(&code, &sign_in));
                return page(&Callback { frame }, None);
            }
            found(redirect::target(&sign_in, Some(&code)).as_str())
        }
    }
}

/// Nothing is told to the page that embeds this one: the SDK has no message for it. The person may begin anew.
fn declined(sign_in: &SignIn) -> Response {
    let words = sign_in.look.words();
    let again = match &sign_in.page {
        Page::Login { again, .. } => Some(again.clone()),
        _ => None,
    };
    let (frame, title, text) = (Frame::new(sign_in.look), words.declined_title, words.declined_here);
    page(&Message { frame, title, text, value: None, again }, None)
}

/// The phone stays where it is; the page that waits at the computer goes on.
fn finish_on_phone(
    world: &mut World,
    step: &Step,
    sign_in: &SignIn,
    who: Option<Person>,
    callback: bool,
    now: crate::clock::Moment,
) -> Response {
    let words = sign_in.look.words();
    let (title, text) = if who.is_some() {
        (words.done_title, words.done_phone)
    } else {
        (words.declined_title, words.declined_phone)
    };
    let location = match who {
        // The frame itself goes to the page that tells its parent.
        Some(who) if callback => format!("/wwlogin/finish?key={}&{}", step.key, parameter(&who)),
        Some(who) => {
            let code = redirect::code(world, sign_in, who, CodeScope::WebLogin, now);
            redirect::target(sign_in, Some(&code)).into()
        }
        None if callback => format!("/wwlogin/finish?key={}&decline=1", step.key),
        None => redirect::target(sign_in, None).into(),
    };
    if let Some(sign_in) = world.sign_ins.live_mut(&step.key, now) {
        sign_in.progress = Progress::Done { location };
    }
    message(sign_in.look, title, text, None)
}

/// Whether the member may go through with it; `None` when there is no such member. On the new page everybody
/// may: the scope is asked only when the app reads the member (WeCom 96442).
fn allowed(world: &mut World, sign_in: &SignIn, userid: &str) -> Option<bool> {
    let company = world.company_mut(&sign_in.corpid)?;
    let visible = sign_in.agentid.map(|agentid| company.visible_to(agentid));
    let member = company.member(userid)?;
    let seen = visible.is_none_or(|visible| visible.member(&member));
    Some(seen || !matches!(sign_in.page, Page::QrConnect))
}

/// GET /wwlogin/status: how far the phone came, for the page that waits.
pub(super) async fn status(State(shared): State<Arc<Shared>>, Query(step): Query<Step>) -> Response {
    let now = shared.clock.now();
    let world = shared.world();
    let Some(sign_in) = world.sign_ins.live(&step.key, now) else {
        return (StatusCode::NOT_FOUND, Json(json!({"state": "expired"}))).into_response();
    };
    Json(match &sign_in.progress {
        Progress::Waiting => json!({"state": "waiting"}),
        Progress::Scanned => json!({"state": "scanned"}),
        Progress::Done { location } => json!({"state": "done", "location": location}),
    })
    .into_response()
}
