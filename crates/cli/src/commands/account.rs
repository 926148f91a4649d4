use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use wecom_login_accounts::import::{Format, List};
use wecom_login_accounts::{AccountRow, BindingEnd, Bound, FormerMember};
use wecom_login_model::{MemberRef, Username};

use super::NotThere;
use super::place::{Absent, AppPlace, Place};
use super::progress::Progress;
use crate::Host;
use crate::output::{say, say_row};

/// Rows that are read at once.
const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Import accounts from CSV with a header (.csv) or JSON lines (.jsonl, .ndjson)
    ///
    /// Columns: username, and as wanted mobile, email, corpId and userId; the last two bind the member. Good lines are
    /// imported, bad ones are named; the exit code is 1 when any was bad. corpId without userId: only sign-ins of
    /// this company find the account. Where the app serves several companies, corpId is required.
    Import {
        /// The file, in UTF-8
        file: PathBuf,
        /// Tell what would come of it, and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: AppPlace,
    },
    /// List the accounts with their members, and with those who left or were unbound
    ///
    /// Columns: number, username, mobile, email, members, former members. A former member stands as
    /// corpId/userId(name, reason); `?` means that the next sign-in decides whether they get the account again.
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Bind a member to an account
    Bind {
        /// The account
        username: Username,
        /// The member, as corpId/userId
        member: MemberRef,
        #[command(flatten)]
        place: Place,
    },
    /// Unbind a member from their account, and end their sessions
    ///
    /// The account stays. No sign-in finds it for this member again: they get a new account if the instance creates one.
    /// Of a member who left, it decides that they do not get the account again.
    Unbind {
        /// The member, as corpId/userId
        member: MemberRef,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: Command, host: &dyn Host) -> anyhow::Result<()> {
    match command {
        Command::Import { file, dry_run, place } => import(file, dry_run, place, host).await,
        Command::List { json, place } => list(json, place).await,
        Command::Bind { username, member, place } => bind(username, member, place).await,
        Command::Unbind { member, place } => {
            if !place.accounts(Absent::Tell).await?.unbind(&member).await? {
                return Err(NotThere(format!("{member} is bound to no account")).into());
            }
            say(format_args!("{member} is bound to no account any more, and signed out."))
        }
    }
}

async fn import(file: PathBuf, dry_run: bool, place: AppPlace, host: &dyn Host) -> anyhow::Result<()> {
    let name = file.display();
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    let format = Format::of_extension(&extension)
        .with_context(|| format!("{name}: the name must end in .csv, .jsonl or .ndjson"))?;
    let bytes = std::fs::read(&file).with_context(|| name.to_string())?;
    let list = List::read(&bytes, format).with_context(|| name.to_string())?;
    let (accounts, companies) = place.accounts_and_companies(host).await?;
    let list = if companies > 1 { list.requiring_companies() } else { list };
    let mut progress = Progress::new(list.len());
    let report = accounts.import(list, dry_run, |done| progress.at(done)).await?;
    for bad in &report.bad {
        say(format_args!("{name}:{}: {}", bad.line, bad.reason))?;
    }
    let bad = report.bad.len();
    say(format_args!(
        "{} made, {} completed, {} known already, {bad} not imported{}",
        report.created,
        report.updated,
        report.unchanged,
        if dry_run { " (dry run: nothing was written)" } else { "" }
    ))?;
    if bad > 0 {
        bail!("{name}: {bad} lines were not imported");
    }
    Ok(())
}

async fn list(as_json: bool, place: Place) -> anyhow::Result<()> {
    let accounts = place.accounts(Absent::Tell).await?;
    let mut offset = 0;
    loop {
        let (rows, _) = accounts.list(offset, PAGE).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            if as_json { say_row(serde_json::to_string(row)?)? } else { say_row(line(row))? }
        }
        offset += PAGE;
    }
}

fn line(row: &AccountRow) -> String {
    let account = &row.account;
    let members: Vec<String> = row.members.iter().map(ToString::to_string).collect();
    let former: Vec<String> = row.former_members.iter().map(former).collect();
    let fields =
        [account.id.to_string(), account.username.to_string(), account.mobile.clone(), account.email.clone()];
    let mut line = format!("{}\t{}", fields.join("\t"), members.join(" "));
    if !former.is_empty() {
        line.push('\t');
        line.push_str(&former.join(" "));
    }
    line
}

fn former(former: &FormerMember) -> String {
    let reason = match former.reason {
        BindingEnd::Unseen => "unseen",
        BindingEnd::Deleted => "deleted",
        BindingEnd::Unbound => "unbound",
    };
    let undecided = if former.is_undecided { "?" } else { "" };
    format!("{}({}, {reason}){undecided}", former.member, former.name)
}

async fn bind(username: Username, member: MemberRef, place: Place) -> anyhow::Result<()> {
    match place.accounts(Absent::Tell).await?.bind_by_name(&member, &username).await? {
        Bound::Done => say(format_args!("{member} is bound to {username}.")),
        Bound::NoAccount => Err(NotThere(format!("there is no account {username}")).into()),
        Bound::Left => bail!("{member} has left the company; bind them when they are back"),
        Bound::Elsewhere(other) => {
            bail!("{member} is bound to {other}; unbind it first: wecom-login account unbind {member}")
        }
    }
}
