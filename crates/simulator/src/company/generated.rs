use super::sample::{CORP_ID, person, sample_apps};
use super::{Company, Department};
use crate::chance::Chance;

const SURNAMES: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何",
    "林", "高", "罗", "郑", "梁", "欧阳", "司马",
];
const GIVEN: [&str; 24] = [
    "伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "秀",
    "霞", "平", "刚", "桂", "文", "华", "宇",
];
const TITLES: [&str; 8] = ["工程师", "产品经理", "设计师", "测试工程师", "销售", "客服", "会计", "行政专员"];
const BRANCHES: [&str; 8] = ["研发", "产品", "市场", "销售", "财务", "人力", "客服", "运营"];

impl Company {
    /// The sample company's apps over generated contacts: `members` people in `departments` departments (at
    /// least the root). The same seed gives the same company. The first two are `zhangsan` and `lisi`, the rest
    /// `m000003` and so on; one in fifty is not activated, one in ten belongs to two departments.
    pub fn generated(members: usize, departments: usize, seed: u64) -> Self {
        let mut chance = Chance::seeded(seed);
        let mut company = Self::new(CORP_ID, "云帆科技");
        let last = i64::try_from(departments.max(1)).unwrap_or(i64::MAX);
        for id in 2..=last {
            // Each department has up to eight below it: 30,000 departments are five levels deep.
            let parent = (id - 2) / 8 + 1;
            let branch = BRANCHES[usize::try_from((id - 2) % 8).unwrap_or(0)];
            company.put_department(Department {
                order: u32::try_from(last - id).unwrap_or(0),
                ..Department::new(id, format!("{branch}{id}部"), parent)
            });
        }
        for number in 1..=members {
            let pick = |chance: &mut Chance, words: &[&'static str]| words[chance.below(words.len())];
            let (userid, name) = match number {
                1 => ("zhangsan".to_owned(), "张三".to_owned()),
                2 => ("lisi".to_owned(), "李四".to_owned()),
                _ => {
                    let surname = pick(&mut chance, &SURNAMES);
                    let (first, second) = (pick(&mut chance, &GIVEN), pick(&mut chance, &GIVEN));
                    (format!("m{number:06}"), format!("{surname}{first}{second}"))
                }
            };
            let mut at = vec![1 + i64::try_from(chance.below(departments.max(1))).unwrap_or(0)];
            if number % 10 == 0 {
                let second = 1 + i64::try_from(chance.below(departments.max(1))).unwrap_or(0);
                if second != at[0] {
                    at.push(second);
                }
            }
            let gender = ["1", "2"][number % 2];
            let title = pick(&mut chance, &TITLES);
            let mut member = person(&userid, &name, &at, title, gender, u64::try_from(number).unwrap_or(0));
            if number > 2 && number % 50 == 0 {
                member.status = 4;
            }
            company.put_member(member);
        }
        for app in sample_apps() {
            company.put_app(app);
        }
        company
    }
}

#[cfg(test)]
mod tests {
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
}
