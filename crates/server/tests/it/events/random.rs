//! Whatever happens in the company, in whatever order and however often its events come: the copy is the company.

use wecom_login_model::{Entropy as _, SeededEntropy};
use wecom_login_simulator::{Department, Member};

use super::{Sender, change, keys, member, party};
use crate::world::{World, world};

struct Dice(SeededEntropy);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % sides as u64).unwrap()
    }

    fn shuffle<T>(&self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.roll(last + 1));
        }
    }
}

/// Something happens in the company; its event.
fn happen(world: &World, dice: &Dice, moment: usize) -> String {
    world.company(|company| {
        let (user_id, former) = (format!("r{}", dice.roll(12)), format!("k{}", dice.roll(12)));
        let department = i64::try_from(2 + dice.roll(9)).unwrap();
        let exists = company.department(department).is_some();
        let empty = company.members_of(department).next().is_none()
            && company.departments().all(|other| other.parentid != department);
        match dice.roll(8) {
            0..=2 if exists => {
                let new = company.member(&user_id).is_none();
                company.put_member(Member::new(&user_id, format!("名{moment}"), &[department]));
                member(if new { "create_user" } else { "update_user" }, &user_id)
            }
            3 if company.member(&user_id).is_some() => {
                company.remove_member(&user_id);
                member("delete_user", &user_id)
            }
            // WeCom lets a userid be changed once (301036).
            4 if company.member(&former).is_some() => {
                let new = format!("{former}-{moment}");
                let renamed = company.remove_member(&former).unwrap();
                company.put_member(Member { userid: new.clone(), ..renamed });
                format!("{}<NewUserID>{new}</NewUserID>", member("update_user", &former))
            }
            5 if !exists => {
                company.put_department(Department::new(department, "新部门", 1));
                party("create_party", department)
            }
            6 if exists && empty && department > 7 => {
                company.remove_department(department);
                party("delete_party", department)
            }
            7 if exists && department > 7 => {
                let moved = company.department(department).unwrap().clone();
                let parentid = i64::try_from(1 + dice.roll(7)).unwrap();
                company.put_department(Department { parentid, ..moved });
                party("update_party", department)
            }
            _ => {
                company.edit_member("lisi", |member| member.position = format!("职位{moment}"));
                member("update_user", "lisi")
            }
        }
    })
}

#[rstest::rstest]
#[tokio::test]
async fn shuffled_and_repeated_events_give_the_same_copy(#[values(1, 2, 3, 4)] seed: u64) {
    let world = world().config(keys()).start().await;
    world.company(|company| {
        for number in 0..12 {
            company.put_member(Member::new(format!("k{number}"), "将改名", &[1 + number % 7]));
        }
    });
    world.copied().await;
    let (sender, dice) = (Sender::contacts(&world), Dice(SeededEntropy::new(seed)));
    let mut moment = 0;
    for round in 0..12 {
        let mut events = Vec::new();
        for _ in 0..=dice.roll(10) {
            moment += 1;
            // Several events share a second, and some are alike.
            let event = change(&happen(&world, &dice, moment), 1_403_610_513 + round);
            for _ in 0..=dice.roll(2) {
                events.push(event.clone());
            }
            if dice.roll(3) == 0 {
                world.events().work().await.unwrap();
            }
        }
        dice.shuffle(&mut events);
        for event in events {
            sender.tell(&event).await;
        }
        world.settle().await;
        world.assert_copy().await;
    }
    assert_eq!(world.events().set_aside(10).await.unwrap(), []);
}
