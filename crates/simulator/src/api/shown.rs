use serde::Serialize;
use serde_json::{Value, json};

use crate::company::{Age, Member, Visible};

/// A member as the caller receives it: only departments that it may see, and without the seven fields that apps made
/// after 2022-06-20 no longer get (WeCom 96255).
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    userid: &'a str,
    name: &'a str,
    department: Vec<i64>,
    order: Vec<u32>,
    is_leader_in_dept: Vec<u8>,
    direct_leader: &'a [String],
    position: &'a str,
    alias: &'a str,
    telephone: &'a str,
    status: u8,
    gender: &'a str,
    extattr: Value,
    external_position: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    main_department: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_profile: Option<&'a Value>,
    #[serde(flatten)]
    withheld: Option<Withheld<'a>>,
}

/// What only apps of before 2022-06-20 get; `gender` is "0" for the others.
#[derive(Serialize)]
struct Withheld<'a> {
    mobile: &'a str,
    email: &'a str,
    biz_mail: &'a str,
    avatar: &'a str,
    thumb_avatar: &'a str,
    qr_code: &'a str,
    address: &'a str,
}

/// Where in the member's list the departments stand that the caller may see.
pub(super) fn seen<'a>(member: &'a Member, visible: &'a Visible) -> impl Iterator<Item = usize> + 'a {
    (0..member.department.len()).filter(|place| visible.department(member.department[*place]))
}

impl<'a> Shown<'a> {
    pub(super) fn new(member: &'a Member, visible: &Visible, age: Age) -> Self {
        let places: Vec<usize> = seen(member, visible).collect();
        let department: Vec<i64> = places.iter().map(|place| member.department[*place]).collect();
        let main = Some(member.main_department).filter(|id| department.contains(id));
        let withheld = (age == Age::Before).then(|| Withheld {
            mobile: &member.mobile,
            email: &member.email,
            biz_mail: &member.biz_mail,
            avatar: &member.avatar,
            thumb_avatar: &member.thumb_avatar,
            qr_code: &member.qr_code,
            address: &member.address,
        });
        Self {
            userid: &member.userid,
            name: &member.name,
            order: places.iter().map(|place| member.order[*place]).collect(),
            is_leader_in_dept: places.iter().map(|place| member.is_leader_in_dept[*place]).collect(),
            department,
            direct_leader: &member.direct_leader,
            position: &member.position,
            alias: &member.alias,
            telephone: &member.telephone,
            status: member.status,
            gender: if withheld.is_some() { &member.gender } else { "0" },
            extattr: if member.extattr.is_null() { json!({"attrs": []}) } else { member.extattr.clone() },
            external_position: &member.external_position,
            main_department: main,
            external_profile: Some(&member.external_profile).filter(|profile| !profile.is_null()),
            withheld,
        }
    }
}
