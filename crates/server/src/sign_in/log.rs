//! Records the end of each sign-in in the metrics and the audit log, once, where the answer is created.

use wecom_login_session::Session;
use wecom_login_sign_in::{SessionChange, SignInError, SignedIn};
use wecom_login_store::{Act, AuditEntry, AuditEvent};

use crate::operations::audit;
use crate::state::AppState;

/// The end of a sign-in that has neither a session nor a [`SignInError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInEnd {
    /// The member declined in WeCom.
    Declined,
    /// The app's own Type refused the sign-in with this number.
    ByTheApp(i64),
    /// The sign-in restarts automatically.
    BeginsAgain,
}

/// Records that a member is signed in, or bound to the account of their session. A session that began or continued is in the
/// audit log with its transaction.
pub(crate) async fn signed_in(app: &AppState, signed_in: &SignedIn) {
    let session = &signed_in.session;
    let outcome = match (signed_in.replayed, signed_in.change) {
        (true, _) => "told_again",
        (false, SessionChange::Began) => "ok",
        (false, SessionChange::Continued) => "continued",
        (false, SessionChange::Bound) => "bound",
    };
    app.operations.metrics.signed_in(Some(&session.instance), outcome);
    if signed_in.replayed || signed_in.change != SessionChange::Bound {
        return;
    }
    let entry = AuditEntry::new(AuditEvent::SignIn, app.config.clock.now()).outcome(outcome);
    let entry = of_whom_it_proved(entry, Some(session)).instance(&session.instance).session(&session.id);
    let entry = match session.account_id {
        Some(account) => entry.detail("account", account.0),
        None => entry,
    };
    audit::write(&app.operations, entry).await;
}

/// Records a refused sign-in; `instance` is one of the app's, or none if the sign-in names none.
pub(crate) async fn refused(app: &AppState, instance: Option<&str>, refusal: &SignInError) {
    app.operations.metrics.signed_in(instance, refusal.kind());
    let entry = entry_of_refusal(app, instance, refusal.kind(), Some(refusal.code()));
    // Other errors can be repeated with the same code.
    write(app, entry, matches!(refusal, SignInError::Terminal(_))).await;
}

/// Records another end of a sign-in.
pub(crate) async fn ended(app: &AppState, instance: Option<&str>, ended: SignInEnd) {
    let (kind, number) = match ended {
        SignInEnd::Declined => ("declined", None),
        SignInEnd::ByTheApp(number) => ("refused_by_the_app", Some(number)),
        SignInEnd::BeginsAgain => ("begins_again", None),
    };
    app.operations.metrics.signed_in(instance, kind);
    // The other ends are no refusals.
    if matches!(ended, SignInEnd::ByTheApp(_)) {
        write(app, entry_of_refusal(app, instance, kind, number), true).await;
    }
}

/// Writes a row of its own for a final refusal if WeCom has proved a member, or has refused a code, which the limit on failures
/// counts: nobody can cause such rows in any number. Other refusals are counted.
async fn write(app: &AppState, entry: AuditEntry, is_final: bool) {
    let act = Act::current();
    if is_final && (act.proved().is_some() || act.is_counted_failure()) {
        audit::write(&app.operations, entry).await;
    } else {
        app.operations.counted_events.count(entry);
    }
}

fn entry_of_refusal(app: &AppState, instance: Option<&str>, kind: &str, number: Option<i64>) -> AuditEntry {
    let mut entry =
        of_whom_it_proved(AuditEntry::new(AuditEvent::SignIn, app.config.clock.now()), None).outcome(kind);
    if let Some(instance) = instance {
        entry = entry.instance(instance);
    }
    match number {
        Some(number) => entry.detail("errcode", number),
        None => entry,
    }
}

/// Sets the actor: the member whom WeCom identified, now or when the session started, or an unknown visitor; never the member
/// who was signed in before.
fn of_whom_it_proved(mut entry: AuditEntry, session: Option<&Session>) -> AuditEntry {
    let act = Act::current();
    let proved = act.proved().map(|member| (&member.corp_id, &member.user_id));
    match proved.or_else(|| session.map(|session| (&session.corp_id, &session.user_key))) {
        Some((corp_id, user_id)) => {
            entry.actor = format!("member {corp_id}/{}", user_id.folded());
            entry.member(corp_id, user_id)
        }
        None => {
            "visitor".clone_into(&mut entry.actor);
            entry
        }
    }
}
