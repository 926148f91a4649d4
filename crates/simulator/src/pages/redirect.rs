use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::sign_in::{Page, SignIn};
use crate::clock::Moment;
use crate::company::host_of;
use crate::grants::{CodeRequest, CodeScope, Person};
use crate::world::World;

/// Makes the code that `who` brings back from this sign-in.
pub(super) fn code(
    world: &mut World,
    sign_in: &SignIn,
    who: Person,
    scope: CodeScope,
    now: Moment,
) -> String {
    let request = CodeRequest {
        corpid: sign_in.corpid.clone(),
        agentid: sign_in.agentid,
        who,
        scope,
        host: host_of(&sign_in.redirect),
    };
    world.issue_code(request, now)
}

/// The redirect URI with `code` and `state` put behind the query that it has. The sign-in page leaves an absent
/// state out; the OAuth page sends it empty (WeCom 91860). Without a code the person declined.
pub(super) fn target(sign_in: &SignIn, code: Option<&str>) -> Url {
    let mut url = sign_in.redirect.clone();
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(code.map(|code| ("code", code)));
        let oauth = matches!(sign_in.page, Page::Device { .. } | Page::Consent { .. });
        let state = sign_in.state.as_deref().or(oauth.then_some(""));
        query.extend_pairs(state.map(|state| ("state", state)));
    }
    // Without either, the empty query that the serializer leaves behind goes too.
    if url.query() == Some("") {
        url.set_query(None);
    }
    url
}

/// 302, never kept by a cache: the address holds a code.
pub(super) fn found(location: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
