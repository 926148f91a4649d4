use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Outcome, Refused, bad, company, done, missing, patched, read_list};
use crate::company::{App, Company, Department, Member};
use crate::world::Shared;

/// `?corpid=`; without it the first company is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    corpid: Option<String>,
}

type World = State<Arc<Shared>>;

fn within<T>(
    shared: &Shared,
    at: &Where,
    run: impl FnOnce(&mut Company) -> Result<T, Refused>,
) -> Result<T, Refused> {
    run(company(&mut shared.world(), at.corpid.as_deref())?)
}

fn no_member(userid: &str) -> Refused {
    missing(format!("there is no member {userid:?}"))
}

fn checked(company: &Company, member: Member) -> Result<Member, Refused> {
    if !Member::is_userid(&member.userid) {
        return Err(bad("userid must be 1 to 64 letters, digits or _-@., the first a letter or a digit"));
    }
    if ![1, 2, 4, 5].contains(&member.status) {
        return Err(bad("status must be 1, 2, 4 or 5"));
    }
    match member.department.iter().find(|id| company.department(**id).is_none()) {
        Some(id) => Err(bad(format!("there is no department {id}"))),
        None => Ok(member),
    }
}

/// POST /_sim/members: one or a list, with the fields of `user/get`
pub(super) async fn add_members(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let members: Vec<Member> = read_list(&body)?;
    within(&shared, &at, |company| {
        for member in &members {
            checked(company, member.clone())?;
            if company.member(&member.userid).is_some() {
                return Err(Refused(StatusCode::CONFLICT, format!("member {:?} exists", member.userid)));
            }
        }
        for member in members {
            company.put_member(member);
        }
        Ok(done())
    })
}

/// GET /_sim/members/{userid}: with every field
pub(super) async fn member(
    State(shared): World,
    Path(userid): Path<String>,
    Query(at): Query<Where>,
) -> Outcome {
    within(&shared, &at, |company| {
        company.member(&userid).map(|member| Json(json!(member))).ok_or_else(|| no_member(&userid))
    })
}

/// PATCH /_sim/members/{userid}: a new `userid` renames the member
pub(super) async fn edit_member(
    State(shared): World,
    Path(userid): Path<String>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    within(&shared, &at, |company| {
        let current = company.member(&userid).ok_or_else(|| no_member(&userid))?;
        let mut member = checked(company, patched(current, &body)?)?;
        let renamed = !member.userid.eq_ignore_ascii_case(&userid);
        if renamed && company.member(&member.userid).is_some() {
            return Err(Refused(StatusCode::CONFLICT, format!("member {:?} exists", member.userid)));
        }
        let moved = member.department != current.department;
        if moved && !member.department.contains(&member.main_department) {
            member.main_department = 0;
        }
        company.remove_member(&userid);
        company.put_member(member.clone());
        Ok(Json(json!(member)))
    })
}

/// DELETE /_sim/members/{userid}: the member leaves
pub(super) async fn remove_member(
    State(shared): World,
    Path(userid): Path<String>,
    Query(at): Query<Where>,
) -> Outcome {
    within(&shared, &at, |company| {
        company.remove_member(&userid).ok_or_else(|| no_member(&userid))?;
        Ok(done())
    })
}

fn no_department(id: i64) -> Refused {
    missing(format!("there is no department {id}"))
}

/// POST /_sim/departments: one or a list
pub(super) async fn add_departments(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let departments: Vec<Department> = read_list(&body)?;
    within(&shared, &at, |company| {
        for department in &departments {
            if department.id < 1 {
                return Err(bad("id must be 1 or more"));
            }
            if company.department(department.id).is_some() {
                return Err(Refused(StatusCode::CONFLICT, format!("department {} exists", department.id)));
            }
        }
        for department in departments {
            company.put_department(department);
        }
        Ok(done())
    })
}

/// GET /_sim/departments/{id}
pub(super) async fn department(
    State(shared): World,
    Path(id): Path<i64>,
    Query(at): Query<Where>,
) -> Outcome {
    within(&shared, &at, |company| {
        company.department(id).map(|department| Json(json!(department))).ok_or_else(|| no_department(id))
    })
}

/// PATCH /_sim/departments/{id}
pub(super) async fn edit_department(
    State(shared): World,
    Path(id): Path<i64>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    within(&shared, &at, |company| {
        let department = patched(company.department(id).ok_or_else(|| no_department(id))?, &body)?;
        if department.id != id {
            return Err(bad("a department keeps its id"));
        }
        company.put_department(department.clone());
        Ok(Json(json!(department)))
    })
}

/// DELETE /_sim/departments/{id}
pub(super) async fn remove_department(
    State(shared): World,
    Path(id): Path<i64>,
    Query(at): Query<Where>,
) -> Outcome {
    within(&shared, &at, |company| {
        company.remove_department(id).ok_or_else(|| no_department(id))?;
        Ok(done())
    })
}

fn app_of(company: &Company, agentid: u64) -> Result<&App, Refused> {
    company.app(agentid).ok_or_else(|| missing(format!("there is no app {agentid}")))
}

/// An app without its secret.
fn shown(app: &App) -> Value {
    let mut value = json!(app);
    if let Value::Object(fields) = &mut value {
        fields.remove("secret");
    }
    value
}

/// GET /_sim/apps/{agentid}
pub(super) async fn app(State(shared): World, Path(agentid): Path<u64>, Query(at): Query<Where>) -> Outcome {
    within(&shared, &at, |company| Ok(Json(shown(app_of(company, agentid)?))))
}

/// PATCH /_sim/apps/{agentid}
pub(super) async fn edit_app(
    State(shared): World,
    Path(agentid): Path<u64>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    within(&shared, &at, |company| {
        let app = patched(app_of(company, agentid)?, &body)?;
        if app.agentid != agentid {
            return Err(bad("an app keeps its agentid"));
        }
        company.put_app(app.clone());
        Ok(Json(shown(&app)))
    })
}
