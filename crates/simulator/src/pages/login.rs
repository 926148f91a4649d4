use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use fast_qr::QRBuilder;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use url::Url;

use super::html::{Frame, message, page};
use super::people::People;
use super::sign_in::{Page, Progress, RedirectType, SignIn};
use super::words::Language;
use crate::company::host_of;
use crate::query::Query;
use crate::world::Shared;

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    frame: Frame,
    app: &'a str,
    company: &'a str,
    key: &'a str,
    qr: String,
    scan_url: String,
    outsider: String,
    target: &'static str,
    people: People,
}

/// GET /wwlogin/sso/login (WeCom 98171)
pub(super) async fn new_page(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let redirect_type = match query.get("redirect_type") {
        Some("callback") => RedirectType::Callback,
        Some("self") => RedirectType::Itself,
        _ => RedirectType::Top,
    };
    if query.get("login_type") != Some("CorpApp") {
        let language = Language::of(query.get("lang"), &headers);
        let words = language.words();
        return message(language, words.unreachable_title, words.login_type, None);
    }
    show(&shared, &query, &headers, Page::Login(redirect_type))
}

/// GET /wwopen/sso/qrConnect (the older WeCom 91019)
pub(super) async fn old_page(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    show(&shared, &Query::parse(query.as_deref().unwrap_or_default()), &headers, Page::QrConnect)
}

fn show(shared: &Shared, query: &Query, headers: &HeaderMap, kind: Page) -> Response {
    let language = Language::of(query.get("lang"), headers);
    let words = language.words();
    let refuse = |text| message(language, words.unreachable_title, text, None);
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(company) = query.get("appid").and_then(|corpid| world.company(corpid)) else {
        return refuse(words.no_company);
    };
    let Some(app) = query.get("agentid").and_then(|text| company.app(text.parse().ok()?)) else {
        return refuse(words.no_app);
    };
    let Ok(redirect) = Url::parse(query.get("redirect_uri").unwrap_or_default()) else {
        return refuse(words.no_redirect);
    };
    if !app.takes_login_redirect(&redirect) {
        return message(language, words.login_domain, words.login_domain_help, host_of(&redirect));
    }
    let (company_name, app_name) = (company.name().to_owned(), app.name.clone());
    let outsider = outsider_of(company);
    let sign_in = SignIn {
        corpid: company.corpid().to_owned(),
        agentid: Some(app.agentid),
        redirect,
        state: query.given("state").map(str::to_owned),
        language,
        page: kind,
        progress: Progress::Waiting,
    };
    let world = &mut *world;
    let key = world.sign_ins.issue(sign_in.clone(), now, &mut world.chance);
    let scan_url = format!("{}/wwlogin/scan?key={key}&phone=1", shared.url);
    let people = People::of(world, &sign_in, &key, "", false);
    page(
        &Login {
            frame: Frame::new(language),
            app: &app_name,
            company: &company_name,
            key: &key,
            qr: qr(&scan_url),
            scan_url,
            outsider,
            target: target(&sign_in),
            people,
        },
        None,
    )
}

/// In which window the person goes back to the app.
pub(super) fn target(sign_in: &SignIn) -> &'static str {
    match sign_in.page {
        Page::Login(RedirectType::Itself | RedirectType::Callback) => "_self",
        _ => "_top",
    }
}

/// The openid of whoever clicks "I am not a member".
pub(super) fn outsider_of(company: &crate::company::Company) -> String {
    company
        .outsiders()
        .next()
        .map_or_else(|| "oAAAAAsimulatedStranger".to_owned(), |known| known.openid.clone())
}

fn qr(text: &str) -> String {
    QRBuilder::new(text).build().map(|code| SvgBuilder::default().margin(2).to_str(&code)).unwrap_or_default()
}
