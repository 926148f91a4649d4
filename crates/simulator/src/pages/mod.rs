use std::sync::Arc;
use axum::Router;
use crate::grants::Person;
use crate::world::Shared;
pub(crate) fn routes() -> Router<Arc<Shared>> { Router::new() }
pub(crate) async fn not_found() -> axum::http::StatusCode { axum::http::StatusCode::NOT_FOUND }
#[derive(Default)]
pub(crate) struct SignIns;
#[derive(Default)]
pub(crate) struct Device(Option<Person>);
impl Device { pub(crate) fn set(&mut self, person: Option<Person>) { self.0 = person; } }
