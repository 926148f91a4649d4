//! The sign-in page with WeCom's login panel: the configuration of its script, its error messages, and its browser permissions.
//!
//! The panel of WeCom's SDK supports only WeCom's own host; our script frames other hosts (a private deployment, the
//! simulator). The panel passes its code only to a page at the origin of the redirect address; if that origin differs from
//! ours, the page has a link instead of a panel.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use url::Url;
use wecom_login_model::{Bilingual, Language};
use wecom_login_pages::{CONTENT_SECURITY_POLICY, LoginPage, Panel, Trouble, TroubleKind, title};
use wecom_login_sign_in::{Instance, State, number};

use crate::http::error_numbers::{PAGE_LOST, PANEL_BLOCKED, PANEL_FAILED, REDIRECT_HOST_UNKNOWN, explain};
use crate::http::page;
use crate::http::request::RequestContext;
use crate::http::security_headers::PERMISSIONS;
use crate::settings::Settings;
use crate::sign_in::begin::PendingSignIn;
use crate::sign_in::binding::Named;

/// The keys of getLoginConfig, and the address of WeCom's page.
pub(super) fn config(instance: &Instance, state: &State, language: Language) -> Value {
    json!({
        "corpId": instance.corp_id().as_str(),
        "agentId": instance.agent_id().to_string(),
        "redirectUri": instance.redirect_uri(),
        "state": state.as_str(),
        "loginUrl": instance.web_login_link(state, language),
    })
}

pub(super) fn page(
    settings: &Settings,
    context: &RequestContext,
    begin: &PendingSignIn,
    state: &State,
    binder: Option<&Named>,
) -> Response {
    let instance = &begin.instance;
    let in_wecom = context.is_inside_wecom();
    let link =
        if in_wecom { instance.oauth_link(state) } else { instance.web_login_link(state, context.language) };
    let (agent_id, renew_url) = (instance.agent_id().to_string(), begin.path());
    let is_ours = instance.redirect_url().origin() == settings.public_url.origin();
    // Nobody scans a code on the phone that shows it.
    let panel = (is_ours && !in_wecom).then(|| Panel {
        element: instance.full_name(),
        corp_id: instance.corp_id().as_str(),
        agent_id: &agent_id,
        redirect_uri: instance.redirect_uri(),
        state: state.as_str(),
        renew_url: &renew_url,
        is_official: instance.endpoints().is_official_login(),
    });
    let host = Url::parse(&link).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let view = LoginPage {
        title: instance.title(),
        binding: binder.map(Named::shown),
        panel,
        link_url: &link,
        notice: None,
        troubles: troubles(instance, &host),
    };
    let mut response = page::html(StatusCode::OK, view.html(&page::chrome(settings, context)));
    if panel.is_some() {
        allow(&mut response, &host);
    }
    response
}

/// Allows the page to frame WeCom's host and to request new states, and allows the frame to look for the desktop client on
/// this computer, which one-click sign-in needs.
fn allow(response: &mut Response, host: &str) {
    let policy = format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'; frame-src {host}");
    let permissions = format!("{PERMISSIONS}, local-network-access=(self \"{host}\")");
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (HeaderName::from_static("permissions-policy"), permissions),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}

fn troubles(instance: &Instance, host: &str) -> Vec<Trouble> {
    let trouble =
        |kind, title, number| Trouble { kind, title, explanation: explain(number), details: vec![] };
    let redirect = instance.redirect_url();
    let host_of_redirect = match (redirect.host_str(), redirect.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    vec![
        Trouble {
            details: vec![(Bilingual { zh: "无法访问的地址", en: "Address out of reach" }, host.to_owned())],
            ..trouble(
                TroubleKind::Blocked,
                Bilingual { zh: "二维码没有加载出来", en: "The QR code did not load" },
                PANEL_BLOCKED,
            )
        },
        trouble(TroubleKind::Declined, title::DECLINED, number::DECLINED),
        Trouble {
            details: vec![(Bilingual { zh: "要填写的域名", en: "Domain to enter" }, host_of_redirect)],
            ..trouble(TroubleKind::Domain, title::SET_UP_WRONG, REDIRECT_HOST_UNKNOWN)
        },
        trouble(TroubleKind::Failed, title::FAILED, PANEL_FAILED),
        trouble(
            TroubleKind::Lost,
            Bilingual { zh: "这个二维码已经失效", en: "This QR code has expired" },
            PAGE_LOST,
        ),
    ]
}
