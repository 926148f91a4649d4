//! The audit log: who did what, when, from where, to whom, and what came of it. Never a token, a code or a state.
//!
//! What changes sessions and bindings writes its row in the transaction of the change: neither is there without the other.
//! Whatever was written is told to the store's [`AuditSink`] once it is committed, which is how the same events come to a file.

mod act;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use wecom_login_model::{CorpId, Timestamp, UserId};

pub use act::Act;

use crate::database::{Loaded, Row, Statement, Transaction, Value as Bound, sql};
use crate::{Error, Store};

/// What the audit log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditEvent {
    /// Somebody signed in, or was refused.
    SignIn,
    /// A session ended before its time.
    SessionEnded,
    /// A member left the company, or is seen by no app any more.
    MemberLeft,
    /// A member was bound to an account.
    BindingMade,
    /// A member was untied from their account.
    BindingRemoved,
    /// An administrator's entry was given the account that the member has now.
    AdministratorConfirmed,
    /// A list of accounts was imported.
    AccountsImported,
    /// An API key was made.
    ApiKeyAdded,
    /// An API key was removed.
    ApiKeyRemoved,
    /// Members or departments were read from WeCom, by the schedule or on demand.
    Sync,
    /// Somebody who is no administrator, or has no valid key, asked for what administrators may.
    AdministrationRefused,
}

impl AuditEvent {
    /// Its name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SessionEnded => "session_ended",
            Self::MemberLeft => "member_left",
            Self::BindingMade => "binding_made",
            Self::BindingRemoved => "binding_removed",
            Self::AdministratorConfirmed => "administrator_confirmed",
            Self::AccountsImported => "accounts_imported",
            Self::ApiKeyAdded => "api_key_added",
            Self::ApiKeyRemoved => "api_key_removed",
            Self::Sync => "sync",
            Self::AdministrationRefused => "administration_refused",
        }
    }
}

/// The outcome of what succeeded.
pub const OK: &str = "ok";

/// One event. As JSON it is one line of the audit file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When, in milliseconds since the Unix epoch.
    pub at: Timestamp,
    /// What; see [`AuditEvent`].
    pub event: String,
    /// `ok`, or the kind of the refusal.
    pub outcome: String,
    /// Who: `member corpId/userId`, `API key name`, `command line`, `system`, or `visitor` for nobody who is known.
    pub actor: String,
    /// The instance's full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The company of the member that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corp_id: Option<String>,
    /// The member that it is about, in lower case.
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    pub user_key: Option<String>,
    /// The session's public name; it opens nothing.
    #[serde(rename = "session", skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request's id, as in the log and on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// More, by event.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl AuditEntry {
    /// Something that succeeded, by whom and for which request the current [`Act`] tells.
    pub fn new(event: AuditEvent, at: Timestamp) -> Self {
        let act = Act::current();
        let nobody = if act.address().is_some() { "visitor" } else { "system" };
        Self {
            at,
            event: event.as_str().to_owned(),
            outcome: OK.to_owned(),
            actor: act.by().unwrap_or(nobody).to_owned(),
            instance: None,
            corp_id: None,
            user_key: None,
            session_id: None,
            address: act.address().map(str::to_owned),
            request_id: act.request_id().map(str::to_owned),
            detail: Map::new(),
        }
    }

    /// With another outcome.
    pub fn outcome(mut self, outcome: &str) -> Self {
        outcome.clone_into(&mut self.outcome);
        self
    }

    /// Through this instance.
    pub fn instance(mut self, full_name: &str) -> Self {
        self.instance = Some(full_name.to_owned());
        self
    }

    /// About this member.
    pub fn member(mut self, corp_id: &CorpId, user_id: &UserId) -> Self {
        self.corp_id = Some(corp_id.as_str().to_owned());
        self.user_key = Some(user_id.folded());
        self
    }

    /// Done by the member whom it is about, unless somebody is known to act.
    pub fn by_the_member(mut self) -> Self {
        if let (None, Some(corp_id), Some(user_key)) = (Act::current().by(), &self.corp_id, &self.user_key) {
            self.actor = format!("member {corp_id}/{user_key}");
        }
        self
    }

    /// About this session.
    pub fn session(mut self, id: &str) -> Self {
        self.session_id = Some(id.to_owned());
        self
    }

    /// With one more detail.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// Is told of every event that was written, after its commit. It must not wait.
pub trait AuditSink: fmt::Debug + Send + Sync {
    /// This was written.
    fn written(&self, entry: &AuditEntry);
}

/// Writes the event in the transaction of what it tells.
pub(crate) async fn note(transaction: &mut Transaction, entry: AuditEntry) -> Result<(), Error> {
    insert(&entry).execute(&mut *transaction).await?;
    transaction.tell(entry);
    Ok(())
}

const EVENTS: Loaded = Loaded {
    table: "audit_events",
    columns: &[
        "happened_at",
        "event",
        "outcome",
        "actor",
        "instance",
        "corp_id",
        "user_key",
        "session_id",
        "address",
        "request_id",
        "detail",
    ],
};

/// The same of many at once.
pub(crate) async fn note_all(transaction: &mut Transaction, entries: Vec<AuditEntry>) -> Result<(), Error> {
    transaction.load(EVENTS, entries.iter().flat_map(values_of).collect()).await?;
    for entry in entries {
        transaction.tell(entry);
    }
    Ok(())
}

impl Store {
    /// With a sink for audit events; clones made from here on have it too.
    #[must_use]
    pub fn with_audit_sink(self, sink: Arc<dyn AuditSink>) -> Self {
        Self { database: self.database.with_sink(sink.clone()), audit: Some(sink), ..self }
    }

    /// Writes an event of its own. The sink is told in any case: one of the two is better than none.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), Error> {
        let written = insert(&entry).execute(self.database.writer()).await;
        if let Some(sink) = &self.audit {
            sink.written(&entry);
        }
        written.map(drop)
    }

    /// Writes many events in one transaction; the sink is told in any case.
    pub async fn audit_all(&self, entries: &[AuditEntry]) -> Result<(), Error> {
        let write = async {
            let mut transaction = self.database.begin("audit").await?;
            transaction.load(EVENTS, entries.iter().flat_map(values_of).collect()).await?;
            transaction.commit().await
        };
        let written = write.await;
        if let Some(sink) = &self.audit {
            for entry in entries {
                sink.written(entry);
            }
        }
        written
    }

    /// The events after number `after`, oldest first, `limit` at most, with their numbers.
    pub async fn audit_entries(&self, after: i64, limit: i64) -> Result<Vec<(i64, AuditEntry)>, Error> {
        let rows = sql(
            "SELECT id, happened_at, event, outcome, actor, instance, corp_id, user_key, session_id, address,
                request_id, detail
             FROM audit_events WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(entry).collect()
    }

    /// Deletes events older than `keep`, at most `limit`; tells how many.
    pub async fn purge_audit(&self, now: Timestamp, keep: Duration, limit: i64) -> Result<u64, Error> {
        sql("DELETE FROM audit_events WHERE id IN
             (SELECT id FROM audit_events WHERE happened_at < $1 ORDER BY happened_at LIMIT $2)")
        .bind((now - keep).as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await
    }
}

/// In the order of the columns of [`EVENTS`].
fn values_of(entry: &AuditEntry) -> [Bound; 11] {
    [
        entry.at.as_millis().into(),
        (&entry.event).into(),
        (&entry.outcome).into(),
        (&entry.actor).into(),
        entry.instance.as_deref().into(),
        entry.corp_id.as_deref().into(),
        entry.user_key.as_deref().into(),
        entry.session_id.as_deref().into(),
        entry.address.as_deref().into(),
        entry.request_id.as_deref().into(),
        Value::Object(entry.detail.clone()).to_string().into(),
    ]
}

fn insert(entry: &AuditEntry) -> Statement {
    let places = (1..=EVENTS.columns.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
    let text = format!("INSERT INTO {} ({}) VALUES ({places})", EVENTS.table, EVENTS.columns.join(", "));
    values_of(entry).into_iter().fold(sql(text), Statement::bind)
}

fn entry(row: &Row) -> Result<(i64, AuditEntry), Error> {
    let detail = serde_json::from_str(&row.get::<String>("detail")?)
        .map_err(|error| Error::corrupt("table audit_events, detail", error))?;
    let entry = AuditEntry {
        at: Timestamp::from_millis(row.get("happened_at")?),
        event: row.get("event")?,
        outcome: row.get("outcome")?,
        actor: row.get("actor")?,
        instance: row.get("instance")?,
        corp_id: row.get("corp_id")?,
        user_key: row.get("user_key")?,
        session_id: row.get("session_id")?,
        address: row.get("address")?,
        request_id: row.get("request_id")?,
        detail,
    };
    Ok((row.get("id")?, entry))
}
