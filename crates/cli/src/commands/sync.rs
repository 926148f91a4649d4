use anyhow::bail;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use wecom_login_directory::{COMPANIES_AT_ONCE, Report, SyncError, SyncOptions, SyncSource, by_company};
use wecom_login_model::UserId;
use wecom_login_server::{AuditLog, Dependencies, Server, Settings};
use wecom_login_store::Outcome;

use super::place::AppPlace;
use super::progress::SyncBar;
use super::serve::open;
use crate::output::say;
use crate::{Host, values};

/// Each app is looked at once. What a killed sync has read is kept for an hour, and the next one goes on from there.
///
/// Exit codes: 0 the copy is what the apps see; 1 it failed; 2 the command line is wrong; 3 removals wait for an
/// administrator, everything else was applied; 4 another sync of the company is under way; 5 somebody may have been there
/// unseen: what was seen was applied, and nobody was marked who may have been missed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The instance, by its full name or the last part of it [default: every one]
    name: Option<String>,
    /// Only this department, with all below it; nobody is marked as having left
    #[arg(long, value_name = "ID", conflicts_with_all = ["member", "force"], value_parser = values::department)]
    department: Option<u32>,
    /// Only this member
    #[arg(long, value_name = "USERID", conflicts_with = "force", value_parser = user_id)]
    member: Option<UserId>,
    /// Mark everybody as having left who has, however many they are
    #[arg(long)]
    force: bool,
    /// Print one JSON object for each instance
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: AppPlace,
}

const FAILED: u8 = 1;
const HELD: u8 = 3;
const RUNNING: u8 = 4;
const INCOMPLETE: u8 = 5;

pub(crate) async fn run(arguments: Arguments, host: &dyn Host) -> anyhow::Result<u8> {
    let server = open(settings(&arguments)?, Dependencies::default(), host).await?;
    let code = work(&server, &arguments).await;
    // What it did is to be in the audit file before the process ends.
    server.close().await;
    code
}

async fn work(server: &Server, arguments: &Arguments) -> anyhow::Result<u8> {
    let sources = sources(server, arguments.name.as_deref())?;
    if arguments.department.is_some() || arguments.member.is_some() {
        return part(server, &sources, arguments).await;
    }
    // Companies side by side; the apps of a company follow one another.
    let company = |sources: Vec<SyncSource>| async move {
        let mut codes = Vec::new();
        for source in &sources {
            codes.push(whole(server, source, arguments).await?);
        }
        anyhow::Ok(codes)
    };
    let companies = stream::iter(by_company(sources).into_values().map(company));
    let codes: Vec<_> = companies.buffer_unordered(COMPANIES_AT_ONCE).collect().await;
    let mut worst = 0;
    for code in codes.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat() {
        // A failure is told before a sync elsewhere, and that before what an administrator may look at later.
        let weight = |code| [0, HELD, INCOMPLETE, RUNNING, FAILED].iter().position(|known| *known == code);
        if weight(code) > weight(worst) {
            worst = code;
        }
    }
    Ok(worst)
}

fn settings(arguments: &Arguments) -> anyhow::Result<Settings> {
    let mut settings = arguments.place.clone().settings([])?;
    // Standard output is the command's own.
    if settings.operations.audit_log == Some(AuditLog::Stdout) {
        settings.operations.audit_log = None;
    }
    Ok(settings)
}

/// The app of the instance of that name, or every one.
fn sources(server: &Server, name: Option<&str>) -> anyhow::Result<Vec<SyncSource>> {
    let sources = server.sources();
    let Some(name) = name else {
        if sources.is_empty() {
            bail!("the app has no working sign-in instance");
        }
        return Ok(sources);
    };
    let names = server.instances();
    let last_part = |full: &str| full.rsplit('.').next() == Some(name);
    let meant: Vec<&String> = names.iter().filter(|full| *full == name || last_part(full)).collect();
    let full = match meant[..] {
        [full] => full,
        [] => bail!("there is no working instance {name}; there are {}", names.join(", ")),
        _ => bail!("{name} may be any of {}; give the full name", names.join(", ")),
    };
    let Some(instance) = server.instance(full) else { bail!("there is no instance {full}") };
    let of_the_app = |source: &SyncSource| {
        source.corp_id == *instance.corp_id() && source.agent_id == *instance.agent_id()
    };
    Ok(sources.into_iter().filter(of_the_app).collect())
}

async fn whole(server: &Server, source: &SyncSource, arguments: &Arguments) -> anyhow::Result<u8> {
    let options =
        SyncOptions { started_by: "command".to_owned(), force: arguments.force, every: server.sync_every() };
    let bar = SyncBar::new(&source.instance);
    let result = server.directory().sync(source, &options, &|progress| bar.at(progress)).await;
    bar.clear();
    match result {
        Ok(report) => {
            if arguments.json {
                say(as_json(&report))?;
            } else {
                say(as_text(&report))?;
            }
            Ok(match report.run.outcome {
                Some(Outcome::Complete) => 0,
                Some(Outcome::Held) => HELD,
                _ => INCOMPLETE,
            })
        }
        Err(error) => {
            let (outcome, code) = match &error {
                SyncError::Running(_) => ("running", RUNNING),
                SyncError::Failed(_) => ("failed", FAILED),
            };
            if arguments.json {
                say(json!({"instance": source.instance, "outcome": outcome, "problem": error.to_string()}))?;
            } else {
                say(format_args!("{}: {outcome}: {error}", source.instance))?;
            }
            Ok(code)
        }
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let (run, applied) = (&report.run, &report.applied);
    json!({
        "instance": run.instance,
        "corpId": run.corp_id,
        "agentId": run.agent_id,
        "run": run.id.number(),
        "outcome": run.outcome.map(Outcome::as_str),
        "problem": run.problem,
        "departments": run.departments,
        "seen": run.seen,
        "joined": applied.joined,
        "changed": applied.changed,
        "cameBack": applied.came_back,
        "left": applied.left,
        "held": applied.held,
        "rowsWritten": applied.written,
        "databaseMs": u64::try_from(report.database.as_millis()).unwrap_or(u64::MAX),
    })
}

fn as_text(report: &Report) -> String {
    let (run, applied) = (&report.run, &report.applied);
    let outcome = run.outcome.map_or("", Outcome::as_str);
    let problem = if run.problem.is_empty() { String::new() } else { format!("\n  {}", run.problem) };
    let confirm = if run.outcome == Some(Outcome::Held) {
        format!("\n  To make the {} removals: wecom-login sync {} --force", applied.held, run.instance)
    } else {
        String::new()
    };
    format!(
        "{}: {outcome}: {} departments, {} members; {} new, {} changed, {} back, {} left, {} held{problem}{confirm}",
        run.instance,
        run.departments,
        run.seen,
        applied.joined,
        applied.changed,
        applied.came_back,
        applied.left,
        applied.held
    )
}

/// One department, or one member.
async fn part(server: &Server, sources: &[SyncSource], arguments: &Arguments) -> anyhow::Result<u8> {
    let [source] = sources else { bail!("name the instance whose department or member is meant") };
    let (login, name) = (server.login(), &source.instance);
    let Some(instance) = server.instance(name) else { bail!("there is no instance {name}") };
    if let Some(department) = arguments.department {
        login.sync_department_info(&instance, Some(&department.to_string())).await?;
    }
    if let Some(user_id) = &arguments.member {
        login.sync_user_info(&instance, &server.loaded_instances(), user_id.as_str(), true).await?;
    }
    if arguments.json {
        say(json!({"instance": source.instance, "outcome": "complete"}))?;
    } else {
        say(format_args!("{}: complete", source.instance))?;
    }
    Ok(0)
}

fn user_id(text: &str) -> Result<UserId, wecom_login_model::InvalidId> {
    UserId::parse(text)
}
