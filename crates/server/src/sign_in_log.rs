//! How sign-ins end, for the metrics and the audit log: told once, where the answer is made.

use std::sync::Arc;

use wecom_login_login::{Refusal, SignedIn};
use wecom_login_session::Session;
use wecom_login_store::{Act, AuditEntry, AuditEvent, Store};

use crate::metrics::Metrics;
use crate::site::Site;

/// What ends a sign-in without a [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The member pressed "no" in WeCom.
    Declined,
    /// Too many failures from this address: nothing was looked at.
    LockedOut,
    /// The app's own Type refused, with this number.
    ByTheApp(i64),
    /// It begins again by itself.
    BeginsAgain,
}

impl Site {
    /// Somebody is signed in, or bound to the account of their session.
    pub(crate) async fn note_signed_in(&self, signed_in: &SignedIn) {
        let session = &signed_in.session;
        let outcome = match (signed_in.again, &signed_in.token) {
            (true, _) => "told_again",
            (false, Some(_)) => "ok",
            (false, None) => "bound",
        };
        self.metrics.signed_in(Some(&session.instance), outcome);
        if signed_in.again {
            return;
        }
        let entry = AuditEntry::new(AuditEvent::SignIn, self.clock.now()).outcome(outcome);
        let entry = of_whom_it_proved(entry, Some(session)).instance(&session.instance).session(&session.id);
        self.write(match session.account_id {
            Some(account) => entry.detail("account", account.0),
            None => entry,
        })
        .await;
    }

    /// A sign-in was refused; `instance` is one that the app has, if the sign-in named one.
    pub(crate) async fn note_refused(&self, instance: Option<&str>, refusal: &Refusal) {
        self.metrics.signed_in(instance, refusal.kind());
        let entry = entry_of_refusal(self, instance, refusal.kind(), Some(refusal.code()));
        if refusal.is_of_storage() {
            // Nobody waits for the same storage a second time.
            tokio::spawn(write(self.store.clone(), self.metrics.clone(), entry));
        } else {
            self.write(entry).await;
        }
    }

    /// A sign-in ended in another way.
    pub(crate) async fn note_ended(&self, instance: Option<&str>, ended: Ended) {
        let (kind, number) = match ended {
            Ended::Declined => ("declined", None),
            Ended::LockedOut => ("locked_out", None),
            Ended::ByTheApp(number) => ("refused_by_the_app", Some(number)),
            Ended::BeginsAgain => ("begins_again", None),
        };
        self.metrics.signed_in(instance, kind);
        // The others can be had as often as somebody likes, with one address of ours and no code: whoever did so on purpose
        // would fill the table.
        if matches!(ended, Ended::ByTheApp(_)) {
            self.write(entry_of_refusal(self, instance, kind, number)).await;
        }
    }

    /// Writes an event that stands for itself. One that the database does not take is in the log instead.
    pub(crate) async fn write(&self, entry: AuditEntry) {
        write(self.store.clone(), self.metrics.clone(), entry).await;
    }
}

async fn write(store: Store, metrics: Arc<Metrics>, entry: AuditEntry) {
    let line = serde_json::to_string(&entry).unwrap_or_default();
    if let Err(error) = store.audit(entry).await {
        metrics.lost_audit_row();
        tracing::error!(%error, audit = line, "an audit event is not in the database");
    }
}

fn entry_of_refusal(site: &Site, instance: Option<&str>, kind: &str, number: Option<i64>) -> AuditEntry {
    let mut entry =
        of_whom_it_proved(AuditEntry::new(AuditEvent::SignIn, site.clock.now()), None).outcome(kind);
    if let Some(instance) = instance {
        entry = entry.instance(instance);
    }
    match number {
        Some(number) => entry.detail("errcode", number),
        None => entry,
    }
}

/// Whoever was signed in before does not act here: it is the member whom WeCom proved, now or before the session that is
/// taken over; or nobody who is known.
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
