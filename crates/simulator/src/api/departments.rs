use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::{Call, Fields, List, Outcome, Refusal};
use crate::company::{Company, Department};

/// `department/list`: the visible ones, or those of one subtree (WeCom 95406). Parents may be missing.
pub(super) fn department_list(call: &mut Call<'_>) -> Outcome {
    let mut list = List::of("department");
    each_listed(call, |department| list.push(department))?;
    Ok(list.into())
}

/// `department/simplelist`: as `department/list`, ids only (WeCom 95406).
pub(super) fn department_simplelist(call: &mut Call<'_>) -> Outcome {
    let mut list = List::of("department_id");
    each_listed(call, |department| {
        list.push(&json!({"id": department.id, "parentid": department.parentid, "order": department.order}));
    })?;
    Ok(list.into())
}

/// `department/get` (WeCom 95407).
pub(super) fn department_get(call: &mut Call<'_>) -> Outcome {
    let id = asked_department(call, "id")?;
    Ok(Fields::one("department", json!(call.company()?.department(id))))
}

/// The visible departments of the subtree that the call asks for.
fn each_listed(call: &mut Call<'_>, mut take: impl FnMut(&Department)) -> Result<(), Refusal> {
    let root = if call.query("id").is_some() { Some(asked_department(call, "id")?) } else { None };
    let visible = call.visible()?;
    let company = call.company()?;
    let within = root.map(|root| below(company, root));
    company
        .departments()
        .filter(|department| visible.department(department.id))
        .filter(|department| within.as_ref().is_none_or(|within| within.contains(&department.id)))
        .for_each(&mut take);
    Ok(())
}

fn below(company: &Company, root: i64) -> BTreeSet<i64> {
    let mut children = HashMap::<i64, Vec<i64>>::new();
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
pub(super) fn asked_department(call: &mut Call<'_>, parameter: &str) -> Result<i64, Refusal> {
    let id = call.query(parameter).and_then(|text| text.parse().ok()).ok_or(Refusal::of(60123))?;
    if call.company()?.department(id).is_none() {
        return Err(Refusal::of(60003));
    }
    if call.visible()?.department(id) { Ok(id) } else { Err(Refusal::of(60011)) }
}
