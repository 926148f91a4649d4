use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use futures_util::stream;

use super::answer::{Answer, Trace};
use super::call::Pressure;
use super::{Access, Call, Endpoint, Outcome, Refusal, endpoint};
use crate::faults::FaultKind;
use crate::limits::Allowed;
use crate::query::Query;
use crate::wire::Peer;
use crate::world::{Shared, World};

/// The largest request body that is read.
const BODY_BYTES: usize = 1 << 20;

/// Answers one call below `/cgi-bin/`.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(path): Path<String>,
    request: Request,
) -> Response<Body> {
    let Some(endpoint) = endpoint(&path) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let (corpid, mut pressure, at_once) = {
        let mut world = shared.world();
        world.count(endpoint.path);
        let behaviour = &world.behaviour;
        // `gettoken` has a rule of its own: wrong secrets count.
        let of_wecom = |calls| if endpoint.access == Access::Open { u32::MAX } else { calls };
        let allowed = Allowed {
            per_minute: of_wecom(behaviour.calls_per_minute),
            per_hour: of_wecom(behaviour.calls_per_hour),
        };
        let at_once = behaviour.concurrent_calls;
        (whose(&world, &query), Pressure { crowded: false, allowed }, at_once)
    };
    let (per_minute, ordered) = shared.faults.limits(endpoint.path, &corpid);
    let at_once = ordered.and_then(|limit| usize::try_from(limit).ok()).or(at_once);
    pressure.allowed.per_minute = per_minute.unwrap_or(pressure.allowed.per_minute);
    let under_way = shared.faults.enter(Arc::clone(&corpid), endpoint.path);
    pressure.crowded = at_once.is_some_and(|limit| under_way.at_once > limit);
    let fault = if pressure.crowded { None } else { shared.faults.strike(endpoint.path, &corpid) };
    match fault {
        Some(FaultKind::Latency { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(FaultKind::Hang) => shared.faults.hold().await,
        Some(FaultKind::Reset) => {
            peer.reset();
            return empty(StatusCode::OK);
        }
        Some(FaultKind::Status { code }) => return gateway_page(code),
        Some(FaultKind::WrongJson) => {
            return Answer::text("<html><body>Bad Gateway</body></html>").into_response();
        }
        Some(FaultKind::Errcode { code }) => {
            return finish(&shared, &peer, endpoint, |_| Err(Refusal::of(code))).into_response();
        }
        // Limits strike nobody: they are in `pressure`.
        Some(
            FaultKind::CutBody
            | FaultKind::Damaged { .. }
            | FaultKind::HoldAnswer
            | FaultKind::PerMinute { .. }
            | FaultKind::Concurrent { .. },
        )
        | None => {}
    }

    let body =
        if endpoint.post { to_bytes(body, BODY_BYTES).await.unwrap_or_default() } else { Bytes::new() };
    let posted = parts.method == Method::POST;
    let mut answer = finish(&shared, &peer, endpoint, |world| {
        Call::new(world, shared.clock.now(), peer.ip, query, &body).answer(endpoint, posted, pressure)
    });
    match fault {
        Some(FaultKind::CutBody) => cut(answer),
        Some(FaultKind::Damaged { field, by }) => {
            by.strike(field, &mut answer.body);
            answer.into_response()
        }
        Some(FaultKind::HoldAnswer) => {
            shared.faults.hold().await;
            answer.into_response()
        }
        _ => answer.into_response(),
    }
}

/// The company whose call it is: limits are a company's own. Of a token that is none nobody's.
fn whose(world: &World, query: &Query) -> Arc<str> {
    let holder = query.get("access_token").and_then(|token| world.tokens.whose(token));
    let asked = || query.get("corpid").filter(|corpid| world.company(corpid).is_some()).map(Arc::from);
    holder.or_else(asked).unwrap_or_default()
}

fn finish(
    shared: &Shared,
    peer: &Peer,
    endpoint: &Endpoint,
    run: impl FnOnce(&mut World) -> Outcome,
) -> Answer {
    let now = shared.clock.now();
    let mut world = shared.world();
    let outcome = run(&mut world);
    Answer::of(endpoint, outcome, Trace { ip: peer.ip, now, chance: &mut world.chance })
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("nginx"));
    response
}

fn gateway_page(code: u16) -> Response<Body> {
    let mut response = empty(StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    *response.body_mut() =
        format!("<html><head><title>{code}</title></head><body>nginx</body></html>").into();
    response
}

/// The whole length is announced, half is sent, then the connection breaks.
fn cut(answer: Answer) -> Response<Body> {
    let whole = answer.body.len();
    let half = Bytes::copy_from_slice(&answer.body[..whole / 2]);
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(whole));
    *response.body_mut() = Body::from_stream(stream::unfold(Some(half), |rest| async move {
        if let Some(half) = rest {
            return Some((Ok(half), None));
        }
        // One turn of the runtime lets the first half out before the break.
        tokio::task::yield_now().await;
        Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)), None))
    }));
    response
}
