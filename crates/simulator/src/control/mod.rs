//! Control over HTTP, for tests in other languages: everything below `/_sim/`. JSON in, JSON out; bad input is
//! 400 with `{"error": "..."}`.

mod callbacks;
mod codes;
mod contacts;
mod desktop;
mod events;
mod guard;
mod input;
mod knobs;
mod ownership;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, patch, post};

use crate::world::Shared;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/code", post(codes::issue))
        .route("/_sim/calls", get(knobs::calls).delete(knobs::reset_calls))
        .route("/_sim/faults", get(knobs::faults).post(knobs::add_faults).delete(knobs::clear_faults))
        .route("/_sim/clock", get(knobs::clock).post(knobs::advance))
        .route("/_sim/tokens", post(knobs::tokens))
        .route("/_sim/behaviour", get(knobs::behaviour).patch(knobs::behave))
        .route("/_sim/device", post(knobs::device).delete(knobs::no_device))
        .route("/_sim/desktop", get(desktop::show).post(desktop::set).delete(desktop::remove))
        .route("/_sim/verify-domain", get(ownership::file).post(ownership::verify))
        .route("/_sim/reset", post(knobs::reset))
        .route("/_sim/members", post(contacts::add_members))
        .route(
            "/_sim/members/{userid}",
            get(contacts::member).patch(contacts::edit_member).delete(contacts::remove_member),
        )
        .route("/_sim/departments", post(contacts::add_departments))
        .route(
            "/_sim/departments/{id}",
            get(contacts::department).patch(contacts::edit_department).delete(contacts::remove_department),
        )
        .route("/_sim/tags", post(contacts::add_tags))
        .route(
            "/_sim/tags/{tagid}",
            get(contacts::tag).patch(contacts::edit_tag).delete(contacts::remove_tag),
        )
        .route(
            "/_sim/apps/{agentid}/callback",
            get(callbacks::app).put(callbacks::save_app).delete(callbacks::remove_app),
        )
        .route("/_sim/contact-sync", get(callbacks::contact_sync).patch(callbacks::edit_contact_sync))
        .route(
            "/_sim/contact-sync/callback",
            get(callbacks::sync).put(callbacks::save_sync).delete(callbacks::remove_sync),
        )
        .route("/_sim/events", get(events::list).post(events::push).delete(events::forget))
        .route("/_sim/events/hold", post(events::hold))
        .route("/_sim/events/release", post(events::release))
        .route("/_sim/events/settle", post(events::settle))
        .route("/_sim/apps/{agentid}", patch(contacts::edit_app).get(contacts::app))
        .layer(from_fn(guard::loopback_only))
}
