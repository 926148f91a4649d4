//! The router, built from the declared routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use crate::http::border::{Border, border};
use crate::http::error_numbers::NOT_FOUND;
use crate::http::rejection::Rejection;
use crate::routes::route::Route;
use crate::routes::table;
use crate::state::AppState;

/// The router of the main address: the declared routes, and a fallback for every other path.
pub(crate) fn main(app: &AppState) -> Router {
    let elsewhere = table::elsewhere();
    let handlers = elsewhere
        .handlers
        .layer(from_fn_with_state(Border { app: app.clone(), route: Arc::new(elsewhere.about) }, border));
    of(app, table::declared()).fallback_service(handlers.with_state(app.clone()))
}

/// The router of the listener for metrics.
pub(crate) fn metrics(app: &AppState, open: bool) -> Router {
    of(app, table::of_metrics(open))
}

fn of(app: &AppState, routes: Vec<Route>) -> Router {
    let mut router = Router::new();
    for route in routes {
        let is_handled = route.about.is_handled();
        let at_border = from_fn_with_state(Border { app: app.clone(), route: Arc::new(route.about) }, border);
        if is_handled {
            router = router.route(route.pattern, route.handlers.layer(at_border));
        } else if let Some(folder) = route.pattern.strip_suffix('/') {
            let nothing = any(nothing).layer(at_border);
            router = router
                .route(folder, nothing.clone())
                .route(route.pattern, nothing.clone())
                .route(&format!("{}{{*path}}", route.pattern), nothing);
        } else if !route.pattern.contains('{') {
            router = router.route(route.pattern, any(nothing).layer(at_border));
        }
    }
    router.with_state(app.clone())
}

/// The handler of a reserved path.
async fn nothing() -> Rejection {
    Rejection::of(NOT_FOUND).home()
}
