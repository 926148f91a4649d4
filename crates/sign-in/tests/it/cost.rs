//! What a sign-in costs in SQL statements, write transactions and rows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use wecom_login_store::Act;
use wecom_login_testkit::world::{API, world};

/// The texts of the statements that requests run on this thread.
#[derive(Debug, Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    /// Those since the last call, each as its verb and its table.
    fn taken(&self) -> Vec<String> {
        let texts = std::mem::take(&mut *self.0.lock().unwrap());
        texts.iter().map(|text| in_short(text)).collect()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        // Not the server's own work beside its requests.
        let of_a_request = Act::current().request_id().is_some();
        if of_a_request && event.metadata().target() == "wecom_login_store::sql" {
            event.record(&mut Text(&mut self.0.lock().unwrap()));
        }
    }
}

struct Text<'a>(&'a mut Vec<String>);

impl Visit for Text<'_> {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.push(value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn in_short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().rposition(|other| *other == word);
        at.and_then(|at| words.get(at + 1)).map(|name| name.trim_end_matches(['(', ')']).to_owned())
    };
    match after("INTO") {
        Some(table) => format!("INSERT {table}"),
        None => match words[0] {
            "UPDATE" => format!("UPDATE {}", words[1]),
            verb => format!("{verb} {}", after("FROM").unwrap_or_default()),
        },
    }
}

#[tokio::test]
async fn a_known_member_costs_one_call_two_write_transactions_and_five_statements() {
    let world = world().start().await;
    world.sign_in(&world.browser(), "zhangsan").await;
    let calls = ["auth/getuserinfo", "user/get"];
    let before = calls.map(|call| world.wecom.calls_of(call));

    // The failures of the address are read once a second.
    world.advance(Duration::from_secs(1));
    let browser = world.browser();
    let statements = Statements::default();
    let _listening = statements.listen();
    let redirect = world.redirect(&browser, "zhangsan").await;
    assert_eq!(statements.taken(), [""; 0], "a state is issued without a statement");
    assert_eq!(browser.get(&redirect).await.location(), "/");
    assert_eq!(
        statements.taken(),
        // The claim is a transaction of its own; the last two are one.
        [
            "SELECT key_values",
            "INSERT key_values",
            "SELECT members",
            "INSERT sessions",
            "INSERT audit_events"
        ]
    );
    let colleague = world.browser();
    let redirect = world.redirect(&colleague, "zhangsan").await;
    assert_eq!(colleague.get(&redirect).await.location(), "/");
    assert_eq!(statements.taken().len(), 4, "within the same second");
    let after = calls.map(|call| world.wecom.calls_of(call));
    assert_eq!([after[0] - before[0], after[1] - before[1]], [2, 0]);
}

/// F1: without a cookie, with one, and with an invented one.
#[tokio::test]
async fn issuing_a_state_writes_nothing() {
    let world = world().start().await;
    let stranger = world.browser();
    let statements = Statements::default();
    let _listening = statements.listen();
    for path in ["/login", "/login?return_to=/reports", &format!("/login?return_to=/{}", "a".repeat(1400))] {
        stranger.forget_cookies();
        assert_eq!(stranger.get(path).await.status.as_u16(), 200);
        assert_eq!(stranger.get(path).await.status.as_u16(), 200);
        let request = world.browser().request(reqwest::Method::GET, path);
        let invented = request.header("cookie", format!("wecom_login_browser={}", "a".repeat(32)));
        assert_eq!(stranger.send(invented).await.status.as_u16(), 200);
    }
    for _ in 0..100 {
        let config = stranger.post_json(&format!("{API}/getLoginConfig"), &json!({})).await.json();
        assert_eq!(config["errcode"], 0, "no browser runs out of states");
    }
    assert_eq!(statements.taken(), [""; 0]);
}
