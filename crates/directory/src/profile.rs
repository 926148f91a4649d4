use wecom::{Department, User, UserDetail};
use wecom_login_model::{Department as OurDepartment, DepartmentId, Profile};
use wecom_login_store::Consent;

/// A member as the local copy keeps them; what WeCom withheld is `""`.
pub(crate) fn of(user: &User) -> Profile {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let leads = user.department.iter().zip(&user.is_leader_in_dept).filter(|(_, leads)| **leads);
    Profile {
        name: text(&user.name),
        alias: text(&user.alias),
        position: text(&user.position),
        mobile: text(&user.mobile),
        email: text(&user.email),
        biz_mail: text(&user.biz_mail),
        avatar: text(&user.avatar),
        gender: text(&user.gender),
        departments: user.department.clone(),
        leads: leads.map(|(department, _)| *department).collect(),
        main_department: user.main_department,
        status: user.status.map(Into::into),
    }
}

pub(crate) fn department(department: &Department) -> OurDepartment {
    OurDepartment {
        id: department.id,
        name: department.name.clone().unwrap_or_default(),
        // WeCom gives the root's parent as 0, which is no department.
        parent: department.parent_id.filter(|parent| *parent != DepartmentId(0)),
        order: department.order.unwrap_or_default(),
    }
}

/// What the member gave by consent. Gender `"0"` is what WeCom says without consent (WeCom 95833).
pub(crate) fn consent(detail: &UserDetail) -> Consent {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    Consent {
        mobile: text(&detail.mobile),
        email: text(&detail.email),
        biz_mail: text(&detail.biz_mail),
        avatar: text(&detail.avatar),
        gender: detail.gender.clone().filter(|gender| gender != "0").unwrap_or_default(),
    }
}
