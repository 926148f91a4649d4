use super::crowd::Crowd;
use super::members::Members;
use super::sample::{CONTACT_SECRET, CORP_ID, sample_apps};
use super::{Company, ContactSync, Department};

const BRANCHES: [&str; 8] = ["研发", "产品", "市场", "销售", "财务", "人力", "客服", "运营"];

impl Company {
    /// The sample company's apps over generated contacts: `members` people (at most 4,000,000,000) in `departments`
    /// departments (at least the root). The same seed gives the same company. The first two are `zhangsan` and
    /// `lisi`, the rest `m000003` and so on; one in fifty is not activated, one in ten belongs to two departments.
    /// A million members take a few megabytes.
    pub fn generated(members: usize, departments: usize, seed: u64) -> Self {
        let members = u32::try_from(members).unwrap_or(4_000_000_000).min(4_000_000_000);
        let departments = u32::try_from(departments).unwrap_or(u32::MAX).max(1);
        let mut company = Self::new(CORP_ID, "云帆科技");
        let last = i64::from(departments);
        for id in 2..=last {
            // Each department has up to eight below it: 30,000 departments are five levels deep.
            let parent = (id - 2) / 8 + 1;
            let branch = BRANCHES[usize::try_from((id - 2) % 8).unwrap_or(0)];
            company.put_department(Department {
                order: u32::try_from(last - id).unwrap_or(0),
                ..Department::new(id, format!("{branch}{id}部"), parent)
            });
        }
        company.members = Members::of(Crowd::new(members, departments, seed));
        for app in sample_apps() {
            company.put_app(app);
        }
        company.put_contact_sync(ContactSync::new(CONTACT_SECRET));
        company
    }
}

#[cfg(test)]
mod tests {
    use crate::company::Member;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_company() {
        let (one, two) = (Company::generated(300, 40, 7), Company::generated(300, 40, 7));
        let other = Company::generated(300, 40, 8);
        assert_eq!((one.headcount(), one.departments().count()), (300, 40));
        assert_eq!(one.member("m000123"), two.member("m000123"));
        assert_ne!(one.member("m000123"), other.member("m000123"));
        assert!(
            one.departments().all(|department| {
                department.parentid == 0 || one.department(department.parentid).is_some()
            })
        );
    }

    #[test]
    fn generated_members_are_edited_like_all_others() {
        let mut company = Company::generated(50, 1, 7);
        let order =
            |company: &Company| company.members().map(|member| member.userid.clone()).collect::<Vec<_>>();
        let before = order(&company);
        assert!(company.edit_member("M000007", |member| {
            member.name = "改名".to_owned();
            member.mobile = "1".to_owned();
        }));
        assert_eq!(order(&company), before);
        assert_eq!(company.member("m000007").unwrap().name, "改名");
        assert!(company.member_by_mobile("13800000007").is_none());
        assert_eq!(company.member_by_mobile("1").unwrap().userid, "m000007");
        assert_eq!(company.members_of(1).filter(|member| member.userid == "m000007").count(), 1);
        assert!(company.remove_member("m000007").is_some() && company.remove_member("m000008").is_some());
        assert!(company.remove_member("m000008").is_none());
        assert_eq!((company.headcount(), company.members_of(1).count()), (48, 48));
        assert!(
            company.member("m000007").is_none()
                && company.member_by_email("m000008@example.com", false).is_none()
        );
        // Whoever comes back, or is new, comes last.
        company.put_member(Member::new("m000008", "回", &[1]));
        company.put_member(Member::new("new", "新", &[1]));
        let after = order(&company);
        assert_eq!((company.headcount(), &after[48..]), (50, &["m000008".to_owned(), "new".to_owned()][..]));
        assert_eq!(company.members().count(), 50);
    }
}
