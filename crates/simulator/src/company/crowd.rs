use std::borrow::Cow;

use super::Member;
use super::members::Face;
use super::sample::person;
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

/// Generated members, of whom nothing is kept but who belongs to which department (four bytes each): whoever is
/// asked for is worked out anew, always the same. A million of them take a few megabytes.
#[derive(Debug)]
pub(super) struct Crowd {
    members: u32,
    departments: u32,
    seed: u64,
    /// Where the members of each department begin in `belonging`: department 1 is at 0.
    begins: Vec<u32>,
    /// Places of members, department by department.
    belonging: Vec<u32>,
}

impl Crowd {
    pub(super) fn new(members: u32, departments: u32, seed: u64) -> Self {
        let mut crowd = Self {
            members,
            departments: departments.max(1),
            seed,
            begins: Vec::new(),
            belonging: Vec::new(),
        };
        let slots = usize::try_from(crowd.departments).unwrap_or(0) + 1;
        let mut begins = vec![0_u32; slots];
        let places = |crowd: &Self, place| {
            let (first, second) = crowd.departments_of(place);
            [Some(first), second].into_iter().flatten().map(|id| usize::try_from(id).unwrap_or(1) - 1)
        };
        // Counting sort: how many, where each begins, who.
        for place in 0..members {
            places(&crowd, place).for_each(|slot| begins[slot + 1] += 1);
        }
        for slot in 1..slots {
            begins[slot] += begins[slot - 1];
        }
        let (mut next, total) = (begins.clone(), begins.last().copied().unwrap_or(0));
        let mut belonging = vec![0; usize::try_from(total).unwrap_or(0)];
        for place in 0..members {
            for slot in places(&crowd, place) {
                belonging[usize::try_from(next[slot]).unwrap_or(0)] = place;
                next[slot] += 1;
            }
        }
        (crowd.begins, crowd.belonging) = (begins, belonging);
        crowd
    }

    pub(super) fn len(&self) -> u64 {
        u64::from(self.members)
    }

    /// Everybody's own chance, so that each can be worked out without the others.
    fn chance(&self, place: u32) -> Chance {
        Chance::seeded(self.seed ^ u64::from(place).wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// One in ten belongs to two departments.
    fn departments_of(&self, place: u32) -> (i64, Option<i64>) {
        let mut chance = self.chance(place);
        let mut draw =
            || 1 + i64::from(u32::try_from(chance.next() % u64::from(self.departments)).unwrap_or(0));
        let first = draw();
        let second = (place % 10 == 9).then(draw).filter(|second| *second != first);
        (first, second)
    }

    fn userid(place: u32) -> String {
        match place {
            0 => "zhangsan".to_owned(),
            1 => "lisi".to_owned(),
            _ => format!("m{:06}", place + 1),
        }
    }

    fn name(place: u32, chance: &mut Chance) -> String {
        let mut pick = |words: &[&'static str]| words[chance.below(words.len())];
        let drawn = [pick(&SURNAMES), pick(&GIVEN), pick(&GIVEN)];
        match place {
            0 => "张三".to_owned(),
            1 => "李四".to_owned(),
            _ => drawn.concat(),
        }
    }

    /// Whom a list shows.
    pub(super) fn face(&self, place: u64) -> Face<'_> {
        let place = u32::try_from(place).unwrap_or(0);
        let (first, second) = self.departments_of(place);
        Face {
            userid: Cow::Owned(Self::userid(place)),
            name: Cow::Owned(Self::name(place, &mut self.own_chance(place))),
            alias: "",
            department: Cow::Owned(std::iter::once(first).chain(second).collect()),
        }
    }

    /// What is drawn after the departments.
    fn own_chance(&self, place: u32) -> Chance {
        Chance::seeded(!self.seed ^ u64::from(place).wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    pub(super) fn member(&self, place: u64) -> Member {
        let place = u32::try_from(place).unwrap_or(0);
        let mut chance = self.own_chance(place);
        let name = Self::name(place, &mut chance);
        let title = TITLES[chance.below(TITLES.len())];
        let (first, second) = self.departments_of(place);
        let departments: Vec<i64> = std::iter::once(first).chain(second).collect();
        let number = u64::from(place) + 1;
        let gender = if number % 2 == 0 { "1" } else { "2" };
        let mut member = person(&Self::userid(place), &name, &departments, title, gender, number);
        if place > 1 && number % 50 == 0 {
            member.status = 4;
        }
        member.level();
        member
    }

    /// The places of a department's members, in order.
    pub(super) fn places_of(&self, department: i64) -> &[u32] {
        let slot = usize::try_from(department).unwrap_or(0).wrapping_sub(1);
        match (self.begins.get(slot), self.begins.get(slot.wrapping_add(1))) {
            (Some(from), Some(to)) => {
                let (from, to) = (usize::try_from(*from).unwrap_or(0), usize::try_from(*to).unwrap_or(0));
                &self.belonging[from..to]
            }
            _ => &[],
        }
    }

    /// The place of whoever has this key (a userid in lower case).
    pub(super) fn place(&self, key: &str) -> Option<u64> {
        let place = match key {
            "zhangsan" => 0,
            "lisi" => 1,
            _ => key.strip_prefix('m')?.parse::<u32>().ok()?.checked_sub(1)?,
        };
        (place < self.members && Self::userid(place) == key).then_some(u64::from(place))
    }

    pub(super) fn place_by_mobile(&self, mobile: &str) -> Option<u64> {
        let place = mobile.parse::<u64>().ok()?.checked_sub(13_800_000_001)?;
        (place < self.len()).then_some(place)
    }

    pub(super) fn place_by_email(&self, email: &str, biz: bool) -> Option<u64> {
        let email = email.to_ascii_lowercase();
        let host = if biz { "@yunfan.example.com" } else { "@example.com" };
        self.place(email.strip_suffix(host)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_found_by_every_key_and_in_their_departments() {
        let crowd = Crowd::new(1234, 37, 7);
        let mut belonging = 0;
        for place in 0..crowd.len() {
            let (member, face) = (crowd.member(place), crowd.face(place));
            assert_eq!((&*face.userid, &*face.name), (&*member.userid, &*member.name));
            assert_eq!(*face.department, *member.department);
            assert_eq!(crowd.place(&member.userid), Some(place));
            assert_eq!(crowd.place_by_mobile(&member.mobile), Some(place));
            assert_eq!(crowd.place_by_email(&member.email, false), Some(place));
            assert_eq!(crowd.place_by_email(&member.biz_mail, true), Some(place));
            for department in &member.department {
                assert!(crowd.places_of(*department).contains(&u32::try_from(place).unwrap()));
                belonging += 1;
            }
        }
        assert_eq!((1..=37).map(|id| crowd.places_of(id).len()).sum::<usize>(), belonging);
        assert!(crowd.places_of(0).is_empty() && crowd.places_of(38).is_empty());
        for nobody in ["m1", "m000001", "m001235", "m0000003", "m", "lisi2", ""] {
            assert_eq!(crowd.place(nobody), None, "{nobody}");
        }
        assert_eq!(
            (crowd.place_by_mobile("13800000000"), crowd.place_by_mobile("13800001235")),
            (None, None)
        );
    }
}
