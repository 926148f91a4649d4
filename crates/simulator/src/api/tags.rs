use serde_json::json;

use super::{Call, Fields, List, Outcome, Refusal};

/// `tag/list`: every tag of the company, whatever the scope.
pub(super) fn tag_list(call: &mut Call<'_>) -> Outcome {
    let mut list = List::of("taglist");
    for tag in call.company()?.tags() {
        list.push(&json!({"tagid": tag.tagid, "tagname": tag.tagname}));
    }
    Ok(list.into())
}

/// `tag/get`: who is in a tag, as far as the caller may see them.
pub(super) fn tag_get(call: &mut Call<'_>) -> Outcome {
    let tagid: i64 = call.query("tagid").and_then(|text| text.parse().ok()).ok_or(Refusal::of(40068))?;
    let visible = call.visible()?;
    let company = call.company()?;
    let tag = company.tag(tagid).ok_or(Refusal::of(40068))?;
    let mut list = List::of("userlist");
    for member in tag.members.iter().filter_map(|userid| company.member(userid)) {
        if visible.member(&member) {
            list.push(&json!({"userid": member.userid, "name": member.name}));
        }
    }
    let departments = tag.departments.iter().filter(|id| visible.department(**id));
    let departments: Vec<i64> = departments.copied().filter(|id| company.department(*id).is_some()).collect();
    Ok(Fields::from(list).with("tagname", json!(tag.tagname)).with("partylist", json!(departments)))
}
