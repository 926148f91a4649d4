use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Call, Outcome, Refusal};
use crate::company::{Age, Company, Department, Member, Visible};

/// `user/get` (WeCom 96255).
pub(super) fn user_get(call: &mut Call<'_>) -> Outcome {
    let visible = call.visible()?;
    let userid = call.query("userid").ok_or(Refusal::of(41009))?;
    if !Member::is_userid(userid) {
        return Err(Refusal::of(40003));
    }
    let member = call.company()?.member(userid).ok_or(Refusal::of(60111))?;
    if !visible.member(member) {
        return Err(Refusal::of(call.world.behaviour.outside_scope));
    }
    Ok(shown(member, &visible, call.app()?.made))
}

/// `user/list`: the members of one department with the fields of `user/get` (WeCom 96260).
pub(super) fn user_list(call: &mut Call<'_>) -> Outcome {
    let (department, visible) = (asked_department(call, "department_id")?, call.visible()?);
    let age = call.app()?.made;
    let list: Vec<Value> = call
        .company()?
        .members_of(department)
        .map(|member| Value::Object(shown(member, &visible, age)))
        .collect();
    Ok(one("userlist", list))
}

/// `user/simplelist`: the members of one department by name.
pub(super) fn user_simplelist(call: &mut Call<'_>) -> Outcome {
    let (department, visible) = (asked_department(call, "department_id")?, call.visible()?);
    let list: Vec<Value> = call
        .company()?
        .members_of(department)
        .map(|member| {
            let departments: Vec<i64> = seen(member, &visible).map(|place| member.department[place]).collect();
            json!({"userid": member.userid, "name": member.name, "department": departments, "open_userid": ""})
        })
        .collect();
    Ok(one("userlist", list))
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
    let biz = call.body_number("email_type") != Some(2);
    found(call.company()?.member_by_email(email, biz), &visible)
}

fn found(member: Option<&Member>, visible: &Visible) -> Outcome {
    let member = member.filter(|member| visible.member(member)).ok_or(Refusal::of(46004))?;
    Ok(one("userid", member.userid.as_str()))
}

/// `department/list`: the visible ones, or those of one subtree (WeCom 95406). Parents may be missing.
pub(super) fn department_list(call: &mut Call<'_>) -> Outcome {
    let list: Vec<Value> = listed(call)?.into_iter().map(|department| json!(department)).collect();
    Ok(one("department", list))
}

/// `department/simplelist`: as `department/list`, ids only (WeCom 95406).
pub(super) fn department_simplelist(call: &mut Call<'_>) -> Outcome {
    let list: Vec<Value> = listed(call)?
        .into_iter()
        .map(|department| {
            json!({"id": department.id, "parentid": department.parentid, "order": department.order})
        })
        .collect();
    Ok(one("department_id", list))
}

/// `department/get` (WeCom 95407).
pub(super) fn department_get(call: &mut Call<'_>) -> Outcome {
    let id = asked_department(call, "id")?;
    Ok(one("department", json!(call.company()?.department(id))))
}

/// The visible departments of the subtree that the call asks for.
fn listed(call: &mut Call<'_>) -> Result<Vec<Department>, Refusal> {
    let root = if call.query("id").is_some() { Some(asked_department(call, "id")?) } else { None };
    let visible = call.visible()?;
    let company = call.company()?;
    let within = root.map(|root| below(company, root));
    Ok(company
        .departments()
        .filter(|department| visible.department(department.id))
        .filter(|department| within.as_ref().is_none_or(|within| within.contains(&department.id)))
        .cloned()
        .collect())
}

fn below(company: &Company, root: i64) -> BTreeSet<i64> {
    let mut children = std::collections::HashMap::<i64, Vec<i64>>::new();
    for department in company.departments() {
        children.entry(department.parentid).or_default().push(department.id);
    }
    let (mut reached, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(children.get(&id).into_iter().flatten());
        }
    }
    reached
}

/// The department of that parameter, if it is a number (60123), exists (60003) and may be seen (60011).
fn asked_department(call: &mut Call<'_>, parameter: &str) -> Result<i64, Refusal> {
    let id = call.query(parameter).and_then(|text| text.parse().ok()).ok_or(Refusal::of(60123))?;
    if call.company()?.department(id).is_none() {
        return Err(Refusal::of(60003));
    }
    if call.visible()?.department(id) { Ok(id) } else { Err(Refusal::of(60011)) }
}

/// Where in the member's list the departments stand that the app may see.
fn seen<'a>(member: &'a Member, visible: &'a Visible) -> impl Iterator<Item = usize> + 'a {
    (0..member.department.len()).filter(|place| visible.department(member.department[*place]))
}

/// The member as the app receives it: only departments that it may see, and without the seven fields that apps
/// made after 2022-06-20 no longer get (WeCom 96255).
fn shown(member: &Member, visible: &Visible, age: Age) -> Map<String, Value> {
    let places: Vec<usize> = seen(member, visible).collect();
    let departments: Vec<i64> = places.iter().map(|place| member.department[*place]).collect();
    let orders: Vec<u32> = places.iter().map(|place| member.order[*place]).collect();
    let leads: Vec<u8> = places.iter().map(|place| member.is_leader_in_dept[*place]).collect();
    let mut fields = Map::from_iter(
        [
            ("userid", json!(member.userid)),
            ("name", json!(member.name)),
            ("order", json!(orders)),
            ("is_leader_in_dept", json!(leads)),
            ("direct_leader", json!(member.direct_leader)),
            ("position", json!(member.position)),
            ("alias", json!(member.alias)),
            ("telephone", json!(member.telephone)),
            ("status", json!(member.status)),
            ("gender", json!("0")),
            ("extattr", if member.extattr.is_null() { json!({"attrs": []}) } else { member.extattr.clone() }),
            ("external_position", json!(member.external_position)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if departments.contains(&member.main_department) {
        fields.insert("main_department".to_owned(), json!(member.main_department));
    }
    fields.insert("department".to_owned(), json!(departments));
    if !member.external_profile.is_null() {
        fields.insert("external_profile".to_owned(), member.external_profile.clone());
    }
    if age == Age::Before {
        for (name, value) in [
            ("gender", &member.gender),
            ("mobile", &member.mobile),
            ("email", &member.email),
            ("biz_mail", &member.biz_mail),
            ("avatar", &member.avatar),
            ("thumb_avatar", &member.thumb_avatar),
            ("qr_code", &member.qr_code),
            ("address", &member.address),
        ] {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    fields
}

fn one(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}
