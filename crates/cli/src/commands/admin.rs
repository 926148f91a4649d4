use clap::Subcommand;
use wecom_login_accounts::{AdministratorRow, Confirmed};
use wecom_login_model::{MemberRef, Username};

use super::NotThere;
use super::place::{Absent, Place};
use crate::output::{say, say_row};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the entries of the setting admins with the accounts that they stand for
    ///
    /// Columns: corpId/userId, the entry's account, the account that the member has now, and the state: `administers`,
    /// `no account yet`, `needs confirm`.
    List {
        /// One JSON object a line; moments in milliseconds since 1970
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Give an entry of the setting admins the account that the member has now
    ///
    /// An entry stands for an account: the one that the member had when the entry was first read, or their first one. When the
    /// member gets another account, or was deleted in WeCom and is back, they administer no more until this confirms that it is
    /// the right person. Exit code 3: the member is not listed, or has no account.
    Confirm {
        /// The member, as corpId/userId
        member: MemberRef,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json, place } => {
            for row in place.accounts(Absent::Tell).await?.administrators().await? {
                if json { say_row(serde_json::to_string(&row)?)? } else { say_row(line(&row))? }
            }
            Ok(())
        }
        Command::Confirm { member, place } => confirm(&member, place).await,
    }
}

async fn confirm(member: &MemberRef, place: Place) -> anyhow::Result<()> {
    match place.accounts(Absent::Tell).await?.confirm_administrator(member).await? {
        None => Err(NotThere(format!("{member} is not listed in the setting admins")).into()),
        Some(Confirmed::NotBound) => {
            Err(NotThere(format!("{member} has no account; they must sign in first")).into())
        }
        Some(Confirmed::Done(username)) => {
            say(format_args!("{member} administers with the account {username}."))
        }
    }
}

fn line(row: &AdministratorRow) -> String {
    let name =
        |username: &Option<Username>| username.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let state = if row.is_in_force() {
        "administers"
    } else if row.account.is_none() && row.suspended_at.is_none() {
        "no account yet"
    } else {
        "needs confirm"
    };
    format!("{}\t{}\t{}\t{state}", row.member, name(&row.account), name(&row.bound_to))
}
