//! How a session begins: the member is still there, has an account, and takes the place of the browser's former session, all in
//! one transaction. Nothing that was read before it decides anything.

use wecom_login_model::{AgentId, CorpId, Fingerprint, MemberRef, Timestamp, UserId};

use super::{COLUMNS, LIVE, SessionRow, note_ended, session_row};
use crate::audit::note;
use crate::bindings::{NoAccount, account_for};
use crate::database::{PEOPLE, Transaction, sql};
use crate::{AuditEntry, AuditEvent, EndReason, Error, MatchOn, OK, Rehire, Store};

/// The audit outcome of a sign-in that proved the session's member again.
const CONTINUED: &str = "continued";

/// A session that is about to begin.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// The session's public name; it opens nothing.
    pub id: &'a str,
    /// The fingerprint of its token.
    pub token_hash: Fingerprint,
    /// The redirect that proved the member, if one did.
    pub sign_in: Option<SignInOutcome<'a>>,
    /// The company.
    pub corp_id: &'a CorpId,
    /// The member.
    pub user_id: &'a UserId,
    /// The instance through which the member signed in.
    pub instance: &'a str,
    /// Its app.
    pub agent_id: &'a AgentId,
    /// Now.
    pub created_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_until: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// How a member without an account gets one.
    pub account: AccountRule<'a>,
    /// The browser's former sessions, which this one replaces.
    pub former: Option<FormerSessions<'a>>,
}

/// What is kept of a sign-in with its session, so that a second delivery of the same redirect gets the same answer.
#[derive(Debug, Clone, Copy)]
pub struct SignInOutcome<'a> {
    /// The fingerprint of the redirect: it can make one session only.
    pub redirect: Fingerprint,
    /// The session's token, sealed.
    pub sealed_token: &'a str,
    /// Until when the token is given out again.
    pub until: Timestamp,
}

/// How a member without an account gets one.
#[derive(Debug, Clone, Copy)]
pub struct AccountRule<'a> {
    /// Bind the member to the one account with this value, if nobody is bound to it. The value is `None` where WeCom was not
    /// asked for it, because the member had an account when the sign-in began.
    pub find_by: Option<(MatchOn, Option<&'a str>)>,
    /// Names, in lower case, of accounts that are never found.
    pub barred: &'a [String],
    /// Create an account if none is found.
    pub register: bool,
    /// What a member who left and came back gets.
    pub rehire: Rehire,
}

/// The sessions that the browser has when a sign-in ends. It has several if another page of the host has set cookies of our name.
#[derive(Debug, Clone, Copy)]
pub struct FormerSessions<'a> {
    /// The fingerprints of their tokens.
    pub token_hashes: &'a [Fingerprint],
    /// The first that is the same member's, through the same instance, continues, and no other session begins.
    pub may_continue: bool,
}

/// The result of a sign-in's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// A new session. `registered` tells that its account was created for it.
    New {
        /// The session.
        session: SessionRow,
        /// True if the member's account was created with it.
        registered: bool,
    },
    /// The browser's session continues: it is the same member's.
    Continued(SessionRow),
    /// The member has left the company, or the visible scope of the app.
    Left,
    /// The redirect had a session before, which has ended.
    Ended,
    /// The member has no account and gets none.
    NoAccount(NoAccount),
}

/// The outcome of an earlier delivery of a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOutcome {
    /// The session; `None` if it has ended.
    pub session: Option<SessionRow>,
    /// The sealed token; `None` when it is no longer given out.
    pub sealed_token: Option<String>,
}

impl Store {
    /// Ends a sign-in, in one transaction: decides which account the member has, begins the session for it, ends the browser's
    /// former session, and writes the audit log.
    ///
    /// No session begins for a member who is marked as having left or who has no account: marking or unbinding a member
    /// ends their sessions, and one that began after that would never be ended. A redirect that has made a session keeps that
    /// one, which takes the new token, so that a process that died half-way leaves no second session.
    pub async fn begin_session(&self, new: &NewSession<'_>) -> Result<Begun, Error> {
        // Most members have an account. Their sign-ins need not wait for each other.
        let mut transaction = self.database.begin_unserialized().await?;
        if let Some(begun) = attempt(&mut transaction, new, self.database.for_share()).await? {
            transaction.commit().await?;
            return Ok(begun);
        }
        drop(transaction);
        self.begin_after_decision(new).await
    }

    /// The same for a member who has no account yet, has left, or whose redirect had a session that has ended.
    async fn begin_after_decision(&self, new: &NewSession<'_>) -> Result<Begun, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let member = MemberRef { corp_id: new.corp_id.clone(), user_id: new.user_id.clone() };
        if has_left(&mut transaction, new).await? {
            return Ok(Begun::Left);
        }
        let registered = match account_for(&mut transaction, &member, &new.account, new.created_at).await? {
            Ok(account) => account.is_new,
            Err(reason) => return Ok(Begun::NoAccount(reason)),
        };
        let begun = match attempt(&mut transaction, new, self.database.for_share()).await? {
            Some(Begun::New { session, .. }) => Begun::New { session, registered },
            Some(begun) => begun,
            None => return Ok(Begun::Ended),
        };
        transaction.commit().await?;
        Ok(begun)
    }

    /// The outcome that an earlier delivery of this redirect has had; `None` if it made no session.
    pub async fn outcome_of(
        &self,
        redirect: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<KeptOutcome>, Error> {
        let row = sql(format!(
            "SELECT {COLUMNS}, ended_at, outcome_token, outcome_until FROM sessions WHERE sign_in = $1"
        ))
        .bind(redirect.to_hex())
        .fetch_optional(self.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let session = session_row(&row)?;
        let lives = row.get::<Option<i64>>("ended_at")?.is_none()
            && now < session.idle_until
            && now < session.expires_at;
        let kept = row.get::<Option<i64>>("outcome_until")?.is_some_and(|until| now.as_millis() < until);
        Ok(Some(KeptOutcome {
            session: lives.then_some(session),
            sealed_token: if kept { row.get("outcome_token")? } else { None },
        }))
    }

    /// Erases the sealed tokens of outcomes that are no longer given out, at most `limit`; returns how many.
    pub async fn purge_outcomes(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        sql("UPDATE sessions SET outcome_token = NULL WHERE id IN
             (SELECT id FROM sessions WHERE outcome_token IS NOT NULL AND outcome_until <= $1
              ORDER BY outcome_until LIMIT $2)")
        .bind(now.as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await
    }
}

/// Continues the former session or begins the new one. `None` if neither is possible as things are: the member has left or has
/// no account, or the redirect's session has ended.
async fn attempt(
    transaction: &mut Transaction,
    new: &NewSession<'_>,
    for_share: &str,
) -> Result<Option<Begun>, Error> {
    if let Some(session) = prove_again(transaction, new).await? {
        end_former(transaction, new, &session).await?;
        note(transaction, signed_in(&session, new, CONTINUED)).await?;
        return Ok(Some(Begun::Continued(session)));
    }
    let Some(session) = insert(transaction, new, for_share).await? else { return Ok(None) };
    end_former(transaction, new, &session).await?;
    note(transaction, signed_in(&session, new, OK)).await?;
    Ok(Some(Begun::New { session, registered: false }))
}

/// Writes the session, unless the member has left, the app does not see them or they have no account; these rows stay as they are
/// until the transaction ends.
async fn insert(
    transaction: &mut Transaction,
    new: &NewSession<'_>,
    for_share: &str,
) -> Result<Option<SessionRow>, Error> {
    let outcome = new.sign_in;
    let row = sql(format!(
        "WITH bound AS (SELECT account_id FROM bindings WHERE corp_id = $4 AND user_key = $5 {for_share}),
            member AS (SELECT left_at FROM members WHERE corp_id = $4 AND user_key = $5 {for_share}),
            visibility AS (SELECT answer FROM member_visibility
                WHERE corp_id = $4 AND user_key = $5 AND agent_id = $12 {for_share})
         INSERT INTO sessions (id, token_hash, sign_in, corp_id, user_key, instance, created_at, idle_until,
            expires_at, proved_at, outcome_token, outcome_until, agent_id, account_id)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $7, $10, $11, $12, account_id FROM bound
         WHERE NOT EXISTS (SELECT 1 FROM member WHERE left_at IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM visibility WHERE answer = 0)
         ON CONFLICT (sign_in) DO UPDATE SET token_hash = excluded.token_hash,
            outcome_token = excluded.outcome_token, outcome_until = excluded.outcome_until
         WHERE sessions.ended_at IS NULL
         RETURNING {COLUMNS}"
    ))
    .bind(new.id)
    .bind(new.token_hash.to_hex())
    .bind(outcome.map(|outcome| outcome.redirect.to_hex()))
    .bind(new.corp_id.as_str())
    .bind(new.user_id.folded())
    .bind(new.instance)
    .bind(new.created_at.as_millis())
    .bind(new.idle_until.as_millis())
    .bind(new.expires_at.as_millis())
    .bind(outcome.map(|outcome| outcome.sealed_token))
    .bind(outcome.map(|outcome| outcome.until.as_millis()))
    .bind(new.agent_id.as_str())
    .fetch_optional(transaction)
    .await?;
    row.as_ref().map(session_row).transpose()
}

/// Writes the time of the proof to the first former session that may continue: an active one of the same member through the same
/// instance.
async fn prove_again(
    transaction: &mut Transaction,
    new: &NewSession<'_>,
) -> Result<Option<SessionRow>, Error> {
    let Some(former) = new.former.filter(|former| former.may_continue) else { return Ok(None) };
    for token_hash in former.token_hashes {
        if let Some(session) = continue_session(transaction, new, *token_hash).await? {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

async fn continue_session(
    transaction: &mut Transaction,
    new: &NewSession<'_>,
    token_hash: Fingerprint,
) -> Result<Option<SessionRow>, Error> {
    let row = sql(format!(
        "UPDATE sessions SET proved_at = $2, idle_until = $6
         WHERE token_hash = $1 AND corp_id = $3 AND user_key = $4 AND instance = $5 AND {LIVE}
            AND account_id IS NOT NULL
         RETURNING {COLUMNS}"
    ))
    .bind(token_hash.to_hex())
    .bind(new.created_at.as_millis())
    .bind(new.corp_id.as_str())
    .bind(new.user_id.folded())
    .bind(new.instance)
    .bind(new.idle_until.as_millis())
    .fetch_optional(transaction)
    .await?;
    row.as_ref().map(session_row).transpose()
}

/// Ends the former sessions but the one that the browser has from now on.
async fn end_former(
    transaction: &mut Transaction,
    new: &NewSession<'_>,
    current: &SessionRow,
) -> Result<(), Error> {
    let hashes: Vec<String> =
        new.former.iter().flat_map(|former| former.token_hashes).map(|hash| hash.to_hex()).collect();
    if hashes.is_empty() {
        return Ok(());
    }
    let now = new.created_at;
    let mut end = sql("UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id <> $3 AND ended_at IS NULL AND token_hash IN (")
        .bind(now.as_millis())
        .bind(EndReason::Replaced.as_str())
        .bind(&current.id);
    end.push_list(&hashes);
    end.push(&format!(") RETURNING {COLUMNS}"));
    let ended = end.fetch_all(&mut *transaction).await?;
    note_ended(transaction, &ended, EndReason::Replaced, now).await
}

async fn has_left(transaction: &mut Transaction, new: &NewSession<'_>) -> Result<bool, Error> {
    let left =
        sql("SELECT 1 AS gone FROM members WHERE corp_id = $1 AND user_key = $2 AND left_at IS NOT NULL
         UNION ALL SELECT 1 FROM member_visibility
            WHERE corp_id = $1 AND user_key = $2 AND agent_id = $3 AND answer = 0")
        .bind(new.corp_id.as_str())
        .bind(new.user_id.folded())
        .bind(new.agent_id.as_str())
        .fetch_optional(transaction)
        .await?;
    Ok(left.is_some())
}

/// The actor is the member that WeCom proved, never the one who was signed in before.
fn signed_in(session: &SessionRow, new: &NewSession<'_>, outcome: &str) -> AuditEntry {
    let mut entry = AuditEntry::new(AuditEvent::SignIn, new.created_at)
        .outcome(outcome)
        .member(&session.corp_id, &session.user_key)
        .instance(&session.instance)
        .session(&session.id);
    entry.actor = format!("member {}/{}", session.corp_id, session.user_key.folded());
    match session.account_id {
        Some(account) => entry.detail("account", account.0),
        None => entry,
    }
}
