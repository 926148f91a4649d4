use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, OriginalUri, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use fast_qr::QRBuilder;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use url::Url;

use super::html::{Frame, Message, message, page};
use super::look::Look;
use super::panel::{self, Mismatch, Told};
use super::people::{People, parameter};
use super::sign_in::{Page, Progress, RedirectType, SignIn};
use super::site;
use crate::company::host_of;
use crate::grants::Person;
use crate::query::Query;
use crate::wire::Peer;
use crate::world::{Shared, World};

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
    /// One click for whoever is signed in to the desktop client: link and name.
    quick: Option<(String, String)>,
    people: People,
}

/// A request for either page.
struct Asked<'a> {
    query: Query,
    headers: &'a HeaderMap,
    /// Path and query.
    path: String,
    /// What the visitor sees this site as.
    origin: String,
}

/// GET /wwlogin/sso/login (WeCom 98171)
pub(super) async fn new_page(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&shared, &peer, &uri, &headers);
    let redirect = match asked.query.get("redirect_type") {
        Some("callback") => RedirectType::Callback,
        Some("self") => RedirectType::Itself,
        _ => RedirectType::Top,
    };
    if asked.query.get("login_type") != Some("CorpApp") {
        let look = Look::of(&asked.query, &headers);
        let words = look.words();
        return message(look, words.unreachable_title, words.login_type, None);
    }
    show(&shared, &asked, Some(redirect))
}

/// GET /wwopen/sso/qrConnect (the older WeCom 91019)
pub(super) async fn old_page(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    show(&shared, &Asked::new(&shared, &peer, &uri, &headers), None)
}

impl<'a> Asked<'a> {
    fn new(shared: &Shared, peer: &Peer, uri: &Uri, headers: &'a HeaderMap) -> Self {
        Self {
            query: Query::parse(uri.query().unwrap_or_default()),
            headers,
            path: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            origin: site::origin(shared, peer, headers),
        }
    }
}

/// The new page with its `redirect_type`, or the old one, which has none.
fn show(shared: &Shared, asked: &Asked<'_>, redirect_type: Option<RedirectType>) -> Response {
    let Asked { query, headers, .. } = asked;
    let look = Look::of(query, headers);
    let words = look.words();
    let refuse = |text| message(look, words.unreachable_title, text, None);
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
    let embedder = panel::embedder(headers);
    let mismatch = if !app.takes_login_redirect(&redirect) {
        Some((Mismatch::RedirectUri, words.login_domain_help, host_of(&redirect)))
    } else if redirect_type.is_some_and(|kind| panel::refuses(app, kind, embedder.as_ref())) {
        Some((Mismatch::Embedder, words.embedder_help, embedder.as_ref().and_then(host_of)))
    } else {
        None
    };
    let listener = embedder.as_ref().unwrap_or(&redirect).origin().ascii_serialization();
    if let Some((why, text, value)) = mismatch {
        let frame = Frame::new(look).telling(&Told::mismatch(why, words.login_domain, listener, query));
        return page(&Message { frame, title: words.login_domain, text, value, again: None }, None);
    }
    let (company_name, app_name) = (company.name().to_owned(), app.name.clone());
    let outsider = outsider_of(company);
    let (corpid, agentid) = (company.corpid().to_owned(), Some(app.agentid));
    // The old page knows neither the desktop client nor the panel.
    let at_desktop = redirect_type.and_then(|_| world.desktop.member_of(&world, &corpid)).map(str::to_owned);
    let mut frame = Frame::new(look);
    if redirect_type.is_some() {
        frame = frame.telling(&Told::desktop(at_desktop.is_some(), listener.clone(), query));
    }
    let again = asked.path.clone();
    let kind = redirect_type.map_or(Page::QrConnect, |redirect| Page::Login { redirect, listener, again });
    let sign_in = SignIn {
        corpid,
        agentid,
        redirect,
        state: query.given("state").map(str::to_owned),
        look,
        page: kind,
        progress: Progress::Waiting,
    };
    let world = &mut *world;
    let key = world.sign_ins.issue(sign_in.clone(), now, &mut world.chance);
    let scan_url = format!("{}/wwlogin/scan?key={key}&phone=1", asked.origin);
    let people = People::of(world, &sign_in, &key, "", false);
    page(
        &Login {
            frame,
            app: &app_name,
            company: &company_name,
            key: &key,
            qr: qr(&scan_url),
            scan_url,
            outsider,
            target: target(&sign_in),
            quick: at_desktop.map(|userid| quick(world, &sign_in, &key, userid)),
            people,
        },
        None,
    )
}

/// The one click of whoever is signed in to the desktop client, and the name.
fn quick(world: &World, sign_in: &SignIn, key: &str, userid: String) -> (String, String) {
    let member = world.company(&sign_in.corpid).and_then(|company| company.member(&userid));
    let name = member.map_or_else(|| userid.clone(), |member| member.name.clone());
    (format!("/wwlogin/finish?key={key}&{}", parameter(&Person::Member(userid))), name)
}

/// In which window the person goes back to the app.
pub(super) fn target(sign_in: &SignIn) -> &'static str {
    match sign_in.page {
        Page::Login { redirect: RedirectType::Itself | RedirectType::Callback, .. } => "_self",
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
