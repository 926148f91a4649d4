use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Outcome, Refused, bad, company, done, missing, patched, read_list};
use crate::company::{App, Company, Department, Member, Tag};
use crate::events::{self, By, Change};
use crate::world::Shared;

/// `?corpid=` (without it the first company is meant) and `?by=` (who makes the change).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    corpid: Option<String>,
    #[serde(default)]
    by: Who,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Who {
    #[default]
    Console,
    ContactSync,
}

type World = State<Arc<Shared>>;

fn within<T>(
    shared: &Shared,
    at: &Where,
    run: impl FnOnce(&mut Company) -> Result<T, Refused>,
) -> Result<T, Refused> {
    run(company(&mut shared.world(), at.corpid.as_deref())?)
}

/// Makes the changes and pushes their events.
fn change(shared: &Arc<Shared>, at: &Where, changes: Vec<Change>) -> Result<(), Refused> {
    let corpid = within(shared, at, |company| Ok(company.corpid().to_owned()))?;
    let by = match at.by {
        Who::Console => By::Console,
        Who::ContactSync => By::ContactSync,
    };
    Ok(events::change(shared, &corpid, changes, by)?)
}

fn no_member(userid: &str) -> Refused {
    missing(format!("there is no member {userid:?}"))
}

/// POST /_sim/members: one or a list, with the fields of `user/get`
pub(super) async fn add_members(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let members: Vec<Member> = read_list(&body)?;
    change(&shared, &at, members.into_iter().map(|member| Change::AddMember(Box::new(member))).collect())?;
    Ok(done())
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
    let member: Member = within(&shared, &at, |company| {
        patched(&*company.member(&userid).ok_or_else(|| no_member(&userid))?, &body)
    })?;
    let renamed = member.userid.clone();
    change(&shared, &at, vec![Change::EditMember { userid, member: Box::new(member) }])?;
    within(&shared, &at, |company| Ok(Json(json!(company.member(&renamed)))))
}

/// DELETE /_sim/members/{userid}: the member leaves
pub(super) async fn remove_member(
    State(shared): World,
    Path(userid): Path<String>,
    Query(at): Query<Where>,
) -> Outcome {
    change(&shared, &at, vec![Change::RemoveMember(userid)])?;
    Ok(done())
}

fn no_department(id: i64) -> Refused {
    missing(format!("there is no department {id}"))
}

/// POST /_sim/departments: one or a list
pub(super) async fn add_departments(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let departments: Vec<Department> = read_list(&body)?;
    change(&shared, &at, departments.into_iter().map(Change::AddDepartment).collect())?;
    Ok(done())
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
    let department: Department = within(&shared, &at, |company| {
        patched(company.department(id).ok_or_else(|| no_department(id))?, &body)
    })?;
    if department.id != id {
        return Err(bad("a department keeps its id"));
    }
    change(&shared, &at, vec![Change::EditDepartment(department.clone())])?;
    Ok(Json(json!(department)))
}

/// DELETE /_sim/departments/{id}
pub(super) async fn remove_department(
    State(shared): World,
    Path(id): Path<i64>,
    Query(at): Query<Where>,
) -> Outcome {
    change(&shared, &at, vec![Change::RemoveDepartment(id)])?;
    Ok(done())
}

fn no_tag(tagid: i64) -> Refused {
    missing(format!("there is no tag {tagid}"))
}

/// POST /_sim/tags: one or a list
pub(super) async fn add_tags(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let tags: Vec<Tag> = read_list(&body)?;
    change(&shared, &at, tags.into_iter().map(Change::AddTag).collect())?;
    Ok(done())
}

/// GET /_sim/tags/{tagid}
pub(super) async fn tag(State(shared): World, Path(tagid): Path<i64>, Query(at): Query<Where>) -> Outcome {
    within(&shared, &at, |company| {
        company.tag(tagid).map(|tag| Json(json!(tag))).ok_or_else(|| no_tag(tagid))
    })
}

/// PATCH /_sim/tags/{tagid}
pub(super) async fn edit_tag(
    State(shared): World,
    Path(tagid): Path<i64>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    let tag: Tag =
        within(&shared, &at, |company| patched(company.tag(tagid).ok_or_else(|| no_tag(tagid))?, &body))?;
    if tag.tagid != tagid {
        return Err(bad("a tag keeps its id"));
    }
    change(&shared, &at, vec![Change::EditTag(tag.clone())])?;
    Ok(Json(json!(tag)))
}

/// DELETE /_sim/tags/{tagid}
pub(super) async fn remove_tag(
    State(shared): World,
    Path(tagid): Path<i64>,
    Query(at): Query<Where>,
) -> Outcome {
    change(&shared, &at, vec![Change::RemoveTag(tagid)])?;
    Ok(done())
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

/// PATCH /_sim/apps/{agentid}: members who enter or leave its scope are told to it
pub(super) async fn edit_app(
    State(shared): World,
    Path(agentid): Path<u64>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    let app: App = within(&shared, &at, |company| patched(app_of(company, agentid)?, &body))?;
    if app.agentid != agentid {
        return Err(bad("an app keeps its agentid"));
    }
    change(&shared, &at, vec![Change::EditApp(Box::new(app.clone()))])?;
    Ok(Json(shown(&app)))
}
