/// GET /healthz: liveness of the process.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}
