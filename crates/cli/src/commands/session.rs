use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::bail;
use clap::Subcommand;
use wecom_login_model::{Clock as _, CorpId, InvalidAccount, MemberRef, SystemClock, UserId};
use wecom_login_store::{Revoke, SessionRow, SessionsOf, Store};

use super::NotThere;
use super::place::Place;
use crate::output::{say, say_row};

/// Rows that are read at once.
const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the sessions that live, the latest first
    ///
    /// Columns: id, corpId/userId, instance, and when it began and ends if it is not used (seconds since 1970).
    List {
        /// Of this member only, as userId or corpId/userId
        #[arg(long, value_name = "USERID")]
        member: Option<Who>,
        /// One JSON object a line; moments in milliseconds since 1970
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// End sessions: whoever has one is signed out with their next request, also while the server runs
    ///
    /// Exit codes: 0 done, how many were ended is printed, which may be none; 1 it failed; 2 the command line is wrong;
    /// 3 no session of that id lives.
    Revoke {
        /// The session, by the id that `session list` shows
        #[arg(required_unless_present_any = ["member", "all"], conflicts_with_all = ["member", "all"])]
        id: Option<String>,
        /// Every session of this member, as userId or corpId/userId
        #[arg(long, value_name = "USERID", conflicts_with = "all")]
        member: Option<Who>,
        /// Every session of everybody
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// A member, whose company may be left out.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    corp_id: Option<CorpId>,
    user_id: UserId,
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            let MemberRef { corp_id, user_id } =
                text.parse().map_err(|error: InvalidAccount| error.to_string())?;
            return Ok(Self { corp_id: Some(corp_id), user_id });
        }
        let user_id = UserId::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { corp_id: None, user_id })
    }
}

impl Who {
    fn sessions(&self) -> SessionsOf<'_> {
        SessionsOf { corp_id: self.corp_id.as_ref(), user_id: Some(&self.user_id) }
    }
}

pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { member, json, place } => {
            let of = member.as_ref().map_or_else(SessionsOf::default, Who::sessions);
            list(&place.store().await?, of, json).await
        }
        Command::Revoke { id: Some(id), place, .. } => {
            if revoke(&place.store().await?, Revoke::One(&id)).await? == 0 {
                return Err(NotThere(format!("no session {id} lives")).into());
            }
            say(format_args!("The session {id} has ended."))
        }
        Command::Revoke { member, place, .. } => {
            let store = place.store().await?;
            let of = match &member {
                Some(who) => {
                    in_one_company(&store, who).await?;
                    who.sessions()
                }
                None => SessionsOf::default(),
            };
            let revoked = revoke(&store, Revoke::Of(of)).await?;
            say(format_args!("{revoked} sessions have ended."))
        }
    }
}

async fn revoke(store: &Store, which: Revoke<'_>) -> anyhow::Result<u64> {
    Ok(store.revoke_sessions(which, SystemClock.now()).await?)
}

/// Two companies may have members of the same userid; which one is meant is not guessed.
async fn in_one_company(store: &Store, who: &Who) -> anyhow::Result<()> {
    let (rows, _) = store.live_sessions(who.sessions(), SystemClock.now(), 0, PAGE).await?;
    let companies: BTreeSet<String> = rows.iter().map(|session| session.corp_id.to_string()).collect();
    if companies.len() > 1 {
        let names: Vec<String> =
            companies.into_iter().map(|corp| format!("{corp}/{}", who.user_id)).collect();
        bail!("{} has sessions in several companies; name one: {}", who.user_id, names.join(", "));
    }
    Ok(())
}

async fn list(store: &Store, of: SessionsOf<'_>, as_json: bool) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut offset = 0;
    loop {
        let (rows, _) = store.live_sessions(of, now, offset, PAGE).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            if as_json { say_row(serde_json::to_string(row)?)? } else { say_row(line(row))? }
        }
        offset += PAGE;
    }
}

fn line(session: &SessionRow) -> String {
    format!(
        "{}\t{}/{}\t{}\t{}\t{}",
        session.id,
        session.corp_id,
        session.user_key,
        session.instance,
        session.created_at.as_secs(),
        session.idle_until.min(session.expires_at).as_secs()
    )
}
