//! The company that demos and tests start from, and a second one in which the same userid is somebody else.

use serde_json::json;

use super::{Age, App, Company, ContactSync, Department, Member, Outsider, Scope, Tag};

/// `corpid` of the sample company, 云帆科技.
pub const CORP_ID: &str = "ww5ca1ab1e5ca1ab1e";
/// The app made after 2022-06-20: seven fields withheld; sees the whole tree of departments.
pub const AGENT_ID: u64 = 1_000_002;
/// `corpsecret` of [`AGENT_ID`].
pub const SECRET: &str = "sample-secret-of-the-new-app-0123456789abcde";
/// The app made before 2022-06-20: reads every field; sees department 2 with all below it, and `qianqi`.
pub const OLD_AGENT_ID: u64 = 1_000_001;
/// `corpsecret` of [`OLD_AGENT_ID`].
pub const OLD_SECRET: &str = "sample-secret-of-the-old-app-0123456789abcde";
/// The secret of the sample company's contact sync (通讯录同步).
pub const CONTACT_SECRET: &str = "sample-secret-of-the-contact-sync-0123456789";
/// A member whom no app sees: new in the company and not yet in any department.
pub const OUT_OF_SCOPE: &str = "chenjiu";
/// A member whose account is disabled (status 2).
pub const DISABLED: &str = "zhaoliu";
/// A member who has not activated the account (status 4).
pub const NOT_ACTIVATED: &str = "sunba";
/// A member of departments 3 and 4 who leads 4.
pub const LEADER_OF_ONE: &str = "wangwu";
/// `openid` of somebody outside the company.
pub const OUTSIDER: &str = "oAAAAAsimulatedOutsider00001";
/// `corpid` of the second company, 远山贸易.
pub const SECOND_CORP_ID: &str = "wwdeca1c0ffeedecaf";
/// The second company's app. The number is also that of [`AGENT_ID`]: agentids are unique in a company only.
pub const SECOND_AGENT_ID: u64 = AGENT_ID;
/// `corpsecret` of [`SECOND_AGENT_ID`].
pub const SECOND_SECRET: &str = "sample-secret-of-the-other-company-012345678";
/// The secret of the second company's contact sync.
pub const SECOND_CONTACT_SECRET: &str = "sample-secret-of-the-other-contact-sync-0123";
/// A tag of the sample company: `zhangsan` and `wangwu`.
pub const TAG_OF_PEOPLE: i64 = 1;
/// A tag of the sample company: department 5 and `wu10`.
pub const TAG_OF_DEPARTMENT: i64 = 2;

impl Company {
    /// 云帆科技: seven departments, nine members, two tags, two apps, one outsider. See [`sample`](self) for the names.
    pub fn sample() -> Self {
        let mut company = Self::new(CORP_ID, "云帆科技");
        for (id, name, name_en, parentid, order, leader) in [
            (1, "云帆科技", "Yunfan", 0, 100, None),
            (2, "研发中心", "R&D", 1, 90, Some("zhangsan")),
            (3, "前端组", "Frontend", 2, 20, None),
            (4, "平台组", "Platform", 2, 10, Some("wangwu")),
            (5, "市场部", "Marketing", 1, 80, None),
            (6, "人力资源部", "People", 1, 70, Some("lisi")),
            (7, "财务部", "Finance", 1, 60, None),
        ] {
            company.put_department(Department {
                name_en: name_en.to_owned(),
                order,
                department_leader: leader.into_iter().map(str::to_owned).collect(),
                ..Department::new(id, name, parentid)
            });
        }
        for member in sample_members() {
            company.put_member(member);
        }
        for app in sample_apps() {
            company.put_app(app);
        }
        company.put_tag(Tag {
            tagid: TAG_OF_PEOPLE,
            tagname: "技术委员会".to_owned(),
            members: vec!["zhangsan".to_owned(), LEADER_OF_ONE.to_owned()],
            departments: Vec::new(),
        });
        company.put_tag(Tag {
            tagid: TAG_OF_DEPARTMENT,
            tagname: "年会筹备".to_owned(),
            members: vec!["wu10".to_owned()],
            departments: vec![5],
        });
        company.put_contact_sync(ContactSync::new(CONTACT_SECRET));
        company.put_outsider(Outsider {
            openid: OUTSIDER.to_owned(),
            external_userid: Some("wmAAAAsimulatedCustomer00001".to_owned()),
            name: "周客户".to_owned(),
        });
        company
    }

    /// 远山贸易: a second company, in which `zhangsan` is 张山.
    pub fn second_sample() -> Self {
        let mut company = Self::new(SECOND_CORP_ID, "远山贸易");
        company.put_department(Department::new(2, "采购部", 1));
        company.put_member(person("zhangsan", "张山", &[2], "采购经理", "1", 901));
        company.put_member(person("heshui", "何水", &[1], "总经理", "2", 902));
        company.put_contact_sync(ContactSync::new(SECOND_CONTACT_SECRET));
        company.put_app(App::new(SECOND_AGENT_ID, "远山门户", SECOND_SECRET));
        company
    }
}

pub(super) fn sample_apps() -> [App; 2] {
    [
        App::new(AGENT_ID, "云帆工作台", SECRET),
        App {
            made: Age::Before,
            scope: Scope { departments: vec![2], members: vec!["qianqi".to_owned()], tags: Vec::new() },
            ..App::new(OLD_AGENT_ID, "云帆旧门户", OLD_SECRET)
        },
    ]
}

fn sample_members() -> Vec<Member> {
    let leads = |flags: &[u8], member: Member| Member { is_leader_in_dept: flags.to_vec(), ..member };
    vec![
        Member {
            alias: "jack".to_owned(),
            direct_leader: vec!["lisi".to_owned()],
            order: vec![1, 2],
            extattr: json!({"attrs": [{"type": 0, "name": "工号", "text": {"value": "YF0001"}}]}),
            ..leads(&[0, 1], person("zhangsan", "张三", &[1, 2], "后台工程师", "1", 1))
        },
        leads(&[0, 1], person("lisi", "李四", &[2, 6], "人事主管", "2", 2)),
        leads(&[0, 1], person(LEADER_OF_ONE, "王五", &[3, 4], "平台架构师", "1", 3)),
        Member { status: 2, ..person(DISABLED, "赵六", &[5], "市场专员", "2", 4) },
        person("qianqi", "钱七", &[5], "市场经理", "2", 5),
        Member { status: 4, ..person(NOT_ACTIVATED, "孙八", &[7], "会计", "1", 6) },
        person(OUT_OF_SCOPE, "陈九", &[], "顾问", "1", 7),
        person("Ouyang.Na", "欧阳娜", &[3], "设计师", "2", 8),
        Member {
            mobile: String::new(),
            email: String::new(),
            ..person("wu10", "吴十", &[7], "出纳", "0", 9)
        },
    ]
}

/// A member with every field filled, in a way that tells people apart.
pub(super) fn person(
    userid: &str,
    name: &str,
    departments: &[i64],
    position: &str,
    gender: &str,
    number: u64,
) -> Member {
    let portrait = format!("https://wework.qpic.cn/wwpic/simulated_{number}");
    Member {
        position: position.to_owned(),
        gender: gender.to_owned(),
        mobile: format!("{}", 13_800_000_000 + number),
        email: format!("{}@example.com", userid.to_ascii_lowercase()),
        biz_mail: format!("{}@yunfan.example.com", userid.to_ascii_lowercase()),
        avatar: format!("{portrait}/0"),
        thumb_avatar: format!("{portrait}/100"),
        telephone: format!("020-{:06}", 100_000 + number),
        qr_code: format!("https://open.work.weixin.qq.com/wwopen/userQRCode?vcode=simulated{number}"),
        address: format!("广州市海珠区新港中路{number}号"),
        ..Member::new(userid, name, departments)
    }
}
