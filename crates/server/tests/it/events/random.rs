//! Whatever is done in the company, in whatever order and however often its events come: the copy is the company.

use wecom_login_model::{Entropy as _, SeededEntropy};
use wecom_login_simulator::{By, Change, Company, Department, Member, Rule, sample};

use super::LocalCopy as _;
use super::pushed::Console as _;
use super::pushed::subscribed;
use crate::world::World;

struct Dice(SeededEntropy);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % sides as u64).unwrap()
    }

    fn number(&self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.roll(usize::try_from(to - from + 1).unwrap())).unwrap()
    }

    fn shuffle<T>(&self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.roll(last + 1));
        }
    }
}

/// Something that an administrator could do now; some of it WeCom refuses.
fn something(company: &Company, dice: &Dice, moment: usize) -> Change {
    let (someone, former) = (format!("r{}", dice.roll(12)), format!("k{}", dice.roll(12)));
    let departments: Vec<i64> = company.departments().map(|department| department.id).collect();
    let department = departments[dice.roll(departments.len())];
    let of = |user_id: &str| company.member(user_id).map(std::borrow::Cow::into_owned);
    match dice.roll(9) {
        0..=2 => match of(&someone) {
            None => Change::AddMember(Box::new(Member::new(&someone, "某人", &[department]))),
            Some(mut member) => {
                let second = departments[dice.roll(departments.len())];
                member.department =
                    if second == department { vec![second] } else { vec![department, second] };
                member.name = format!("名{moment}");
                Change::EditMember { userid: someone, member: Box::new(member) }
            }
        },
        3 => Change::RemoveMember(someone),
        // WeCom lets a userid be changed once (301036).
        4 => match of(&former) {
            None => Change::RemoveMember(someone),
            Some(member) => {
                let member = Box::new(Member { userid: format!("{former}-{moment}"), ..member });
                Change::EditMember { userid: former, member }
            }
        },
        5 => Change::AddDepartment(Department::new(dice.number(8, 16), "新部门", dice.number(1, 7))),
        6 => {
            let of_no_use = company.members_of(department).next().is_none()
                && company.departments().all(|other| other.parentid != department);
            Change::RemoveDepartment(if of_no_use && department > 7 { department } else { 0 })
        }
        // Into the scope, out of it, and within.
        7 if department > 7 => {
            let moved = company.department(department).unwrap().clone();
            Change::EditDepartment(Department { parentid: dice.number(1, 7), ..moved })
        }
        _ => {
            let mut app = company.app(sample::AGENT_ID).unwrap().clone();
            app.scope.members = (0..dice.roll(3)).map(|_| format!("r{}", dice.roll(12))).collect();
            Change::EditApp(Box::new(app))
        }
    }
}

#[rstest::rstest]
#[tokio::test]
async fn shuffled_and_repeated_events_give_the_same_copy(
    #[values(1, 2, 3, 4, 5, 6)] seed: u64,
    #[values(Rule::New, Rule::Old)] rule: Rule,
) {
    let world: World = subscribed(rule, &[2, 5]).await;
    world.company(|company| {
        for number in 0..12 {
            company.put_member(Member::new(format!("k{number}"), "将改名", &[1 + number % 7]));
        }
    });
    world.copied().await;
    let dice = Dice(SeededEntropy::new(seed));
    let mut sent = 0;
    for moment in 0..16 {
        world.wecom.hold_events();
        for step in 0..=dice.roll(10) {
            let change = world.company(|company| something(company, &dice, moment * 100 + step));
            // A change that WeCom refuses did not happen.
            let _ = world.wecom.change(sample::CORP_ID, change, By::Console);
            if dice.roll(4) == 0 {
                world.events().work().await.unwrap();
            }
        }
        let new = world.wecom.events().into_iter().map(|event| event.id).filter(|id| *id > sent);
        let mut ids: Vec<u64> = new.flat_map(|id| vec![id; 1 + dice.roll(3)]).collect();
        sent = ids.iter().copied().max().unwrap_or(sent);
        dice.shuffle(&mut ids);
        for id in ids {
            assert!(world.wecom.send_event(id));
        }
        world.arrived().await;
    }
    assert!(sent > 40, "{sent} events");
    assert_eq!(world.events().set_aside(10).await.unwrap(), []);
}
