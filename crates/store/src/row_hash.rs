//! A member's values in 64 bits, so that a sync finds what has changed without comparing every column.
//!
//! Only what WeCom told goes in. A value that the member gave by consent, and that WeCom withholds from the app, is no
//! part of it: the row keeps it and stays unchanged. A changed member is overlooked with a chance of 2^-64.

use sha2::{Digest as _, Sha256};
use wecom_login_model::{DepartmentId, Profile, UserId};

pub(crate) fn row_hash(user_id: &UserId, told: &Profile) -> i64 {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    // "0" is what WeCom says in place of a gender that it withholds (WeCom 95833).
    let gender = if told.gender == "0" { "" } else { &told.gender };
    let texts = [
        user_id.as_str(),
        &told.name,
        &told.alias,
        &told.position,
        &told.mobile,
        &told.email,
        &told.biz_mail,
        &told.avatar,
        gender,
    ];
    for text in texts {
        part(text.as_bytes());
    }
    for list in [&told.departments, &told.leads] {
        let numbers: Vec<u8> = list.iter().flat_map(|DepartmentId(id)| id.to_be_bytes()).collect();
        part(&numbers);
    }
    for number in [told.main_department.map(|id| id.0), told.status.map(i64::from)] {
        part(&number.map(i64::to_be_bytes).map_or(Vec::new(), Vec::from));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use wecom_login_model::MemberStatus;

    use super::*;

    #[test]
    fn every_value_that_was_told_counts() {
        let user_id = UserId::parse("zhangsan").unwrap();
        let change = |change: fn(&mut Profile)| {
            let mut profile = Profile::default();
            change(&mut profile);
            row_hash(&user_id, &profile)
        };
        let all: [i64; 15] = [
            change(|_| ()),
            row_hash(&UserId::parse("ZhangSan").unwrap(), &Profile::default()),
            change(|profile| profile.name = "x".into()),
            change(|profile| profile.alias = "x".into()),
            change(|profile| profile.position = "x".into()),
            change(|profile| profile.mobile = "x".into()),
            change(|profile| profile.email = "x".into()),
            change(|profile| profile.biz_mail = "x".into()),
            change(|profile| profile.avatar = "x".into()),
            change(|profile| profile.gender = "1".into()),
            change(|profile| profile.departments = vec![DepartmentId(1), DepartmentId(2)]),
            change(|profile| profile.departments = vec![DepartmentId(2), DepartmentId(1)]),
            change(|profile| profile.leads = vec![DepartmentId(1)]),
            change(|profile| profile.main_department = Some(DepartmentId(1))),
            change(|profile| profile.status = Some(MemberStatus::Active)),
        ];
        assert_eq!(HashSet::from(all).len(), all.len());
        assert_eq!(change(|profile| profile.gender = "0".into()), all[0], "withheld");
    }
}
