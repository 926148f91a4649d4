use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::departments::asked_department;
use super::shown::{Shown, seen};
use super::{Call, Fields, List, Outcome, Refusal};
use crate::company::{Member, Visible};

/// `user/get` (WeCom 96255).
pub(super) fn user_get(call: &mut Call<'_>) -> Outcome {
    let visible = call.visible()?;
    let userid = call.query("userid").ok_or(Refusal::of(41009))?;
    if !Member::is_userid(userid) {
        return Err(Refusal::of(40003));
    }
    let member = call.company()?.member(userid).ok_or(Refusal::of(60111))?;
    if !visible.member(&member) {
        return Err(Refusal::of(call.world.behaviour.outside_scope));
    }
    Ok(Fields::of(json!(Shown::new(&member, &visible, call.age()?))))
}

/// `user/list`: the members of one department with the fields of `user/get` (WeCom 96260).
pub(super) fn user_list(call: &mut Call<'_>) -> Outcome {
    let (department, visible) = (asked_department(call, "department_id")?, call.visible()?);
    let age = call.age()?;
    let mut list = List::of("userlist");
    for member in call.company()?.members_of(department) {
        list.push(&Shown::new(&member, &visible, age));
    }
    Ok(list.into())
}

/// `user/simplelist`: the members of one department by name.
pub(super) fn user_simplelist(call: &mut Call<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Simple<'a> {
        userid: &'a str,
        name: &'a str,
        department: Vec<i64>,
        open_userid: &'a str,
    }
    let (department, visible) = (asked_department(call, "department_id")?, call.visible()?);
    let mut list = List::of("userlist");
    for member in call.company()?.members_of(department) {
        let department = seen(&member, &visible).map(|place| member.department[place]).collect();
        list.push(&Simple { userid: &member.userid, name: &member.name, department, open_userid: "" });
    }
    Ok(list.into())
}

/// `user/list_id`: everybody's ids with their departments, a page at a time (WeCom 96067): one row per member and
/// department, so that a page may end in the middle of a member.
pub(super) fn user_list_id(call: &mut Call<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Row<'a> {
        userid: &'a str,
        department: i64,
    }
    let limit = match call.body_value("limit") {
        None => Some(10_000),
        Some(limit) => limit.as_u64().and_then(|limit| usize::try_from(limit).ok()),
    };
    let limit = limit
        .filter(|limit| (1..=10_000).contains(limit))
        .ok_or_else(|| Refusal::with(40058, "limit must be 1 to 10000. invalid Request Parameter"))?;
    let (from, row) = match call.body("cursor") {
        None => (0, 0),
        Some(cursor) => read_cursor(cursor)
            .ok_or(Refusal::with(40058, "cursor is not valid. invalid Request Parameter"))?,
    };
    let company = call.company()?;
    let (mut list, mut next) = (List::of("dept_user"), String::new());
    let mut rows = 0;
    'pages: for (place, face) in company.faces(from) {
        let skipped = if place == from { row } else { 0 };
        for (row, department) in face.department.iter().enumerate().skip(skipped) {
            if rows == limit {
                next = written_cursor(place, row);
                break 'pages;
            }
            list.push(&Row { userid: &face.userid, department: *department });
            rows += 1;
        }
    }
    Ok(Fields::from(list).with("next_cursor", json!(next)))
}

/// A cursor says where the next page begins: the member's place and which of their departments.
fn written_cursor(place: u64, row: usize) -> String {
    format!("{place:012x}{row:04x}")
}

fn read_cursor(cursor: &str) -> Option<(u64, usize)> {
    let (place, row) = cursor.split_at_checked(12)?;
    let row = (row.len() == 4).then(|| usize::from_str_radix(row, 16).ok())??;
    Some((u64::from_str_radix(place, 16).ok()?, row))
}

/// `user/getuserid`: by mobile number.
pub(super) fn userid_by_mobile(call: &mut Call<'_>) -> Outcome {
    let visible = call.visible()?;
    let mobile = call.body("mobile").ok_or(Refusal::with(40063, "mobile is empty"))?;
    found(call.company()?.member_by_mobile(mobile), &visible)
}

/// `user/get_userid_by_email`: `email_type` 1 is the company's address (and the default), 2 the personal one.
pub(super) fn userid_by_email(call: &mut Call<'_>) -> Outcome {
    let visible = call.visible()?;
    let email = call.body("email").ok_or(Refusal::with(40063, "email is empty"))?;
    let biz = call.body_value("email_type").and_then(Value::as_i64) != Some(2);
    found(call.company()?.member_by_email(email, biz), &visible)
}

fn found(member: Option<Cow<'_, Member>>, visible: &Visible) -> Outcome {
    let member = member.filter(|member| visible.member(member)).ok_or(Refusal::of(46004))?;
    Ok(Fields::one("userid", member.userid.as_str()))
}
