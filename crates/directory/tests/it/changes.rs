//! Whatever happens in the company, the copy is the company after a sync.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wecom_login_simulator::{Company, Department, Member as Person, sample};
use wecom_login_store::Outcome;

use crate::world::{World, agent, below, corp};

/// Something that happens; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Change {
    Join(u8),
    Leave(u8),
    Move(u8, u8),
    Rename(u8),
    Status(u8, u8),
    Lead(u8),
    OpenDepartment(u8),
    CloseDepartment(u8),
    MoveDepartment(u8, u8),
    Scope(Vec<u8>, Vec<u8>),
    SignIn(u8),
    Sync,
}

fn change() -> impl Strategy<Value = Change> {
    let some = || proptest::collection::vec(any::<u8>(), 0..4);
    prop_oneof![
        3 => any::<u8>().prop_map(Change::Join),
        3 => any::<u8>().prop_map(Change::Leave),
        3 => any::<(u8, u8)>().prop_map(|(one, to)| Change::Move(one, to)),
        2 => any::<u8>().prop_map(Change::Rename),
        2 => any::<(u8, u8)>().prop_map(|(one, to)| Change::Status(one, to)),
        1 => any::<u8>().prop_map(Change::Lead),
        1 => any::<u8>().prop_map(Change::OpenDepartment),
        1 => any::<u8>().prop_map(Change::CloseDepartment),
        1 => any::<(u8, u8)>().prop_map(|(one, to)| Change::MoveDepartment(one, to)),
        2 => (some(), some()).prop_map(|(departments, members)| Change::Scope(departments, members)),
        2 => any::<u8>().prop_map(Change::SignIn),
        4 => Just(Change::Sync),
    ]
}

fn make(world: &World, change: &Change, at: usize) -> Option<String> {
    world.edit(|company| {
        let people: Vec<String> = company.members().map(|member| member.userid.clone()).collect();
        let departments: Vec<i64> = company.departments().map(|department| department.id).collect();
        let person = |number: u8| people.get(usize::from(number) % people.len().max(1)).cloned();
        let department = |number: u8| departments[usize::from(number) % departments.len()];
        match change {
            Change::Join(to) => {
                company.put_member(Person::new(format!("New{at}"), format!("新人{at}"), &[department(*to)]));
            }
            Change::Leave(one) => drop(company.remove_member(&person(*one)?)),
            Change::Move(one, to) => {
                let to = department(*to);
                company.edit_member(&person(*one)?, |member| member.department = vec![to]);
            }
            Change::Rename(one) => {
                company.edit_member(&person(*one)?, |member| member.name = format!("改名{at}"));
            }
            Change::Status(one, to) => {
                let status = [1, 2, 4, 5][usize::from(*to) % 4];
                company.edit_member(&person(*one)?, |member| member.status = status);
            }
            Change::Lead(one) => {
                company.edit_member(&person(*one)?, |member| {
                    for leads in &mut member.is_leader_in_dept {
                        *leads = 1 - *leads;
                    }
                });
            }
            Change::OpenDepartment(parent) => {
                let id = 1000 + i64::try_from(at).unwrap();
                company.put_department(Department::new(id, format!("部门{id}"), department(*parent)));
            }
            Change::CloseDepartment(one) => {
                let id = department(*one);
                if id != 1 && below(company, &[id]).len() == 1 {
                    for user_id in &people {
                        company.edit_member(user_id, |member| {
                            if member.department.contains(&id) {
                                member.department = vec![1];
                            }
                        });
                    }
                    company.remove_department(id);
                }
            }
            Change::MoveDepartment(one, to) => {
                let (id, to) = (department(*one), department(*to));
                if id != 1 && !below(company, &[id]).contains(&to) {
                    let moved = Department { parentid: to, ..company.department(id).unwrap().clone() };
                    company.put_department(moved);
                }
            }
            Change::Scope(some, named) => {
                let some = some.iter().map(|number| department(*number)).collect();
                let named = named.iter().filter_map(|number| person(*number)).collect();
                company.edit_app(sample::AGENT_ID, |app| {
                    (app.scope.departments, app.scope.members) = (some, named);
                });
            }
            Change::SignIn(one) => return person(*one),
            Change::Sync => {}
        }
        None
    })
}

#[test]
fn the_copy_is_the_company_after_every_sync() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let cases = (1_usize..40, 1_usize..8, proptest::collection::vec(change(), 1..30));
    let result = runner.run(&cases, |(members, departments, changes)| {
        runtime.block_on(async {
            let world = World::of(Company::generated(members, departments, 7)).await;
            for (at, change) in changes.iter().chain([&Change::Sync]).enumerate() {
                if let Some(user_id) = make(&world, change, at) {
                    // By whoever signs in; who is out of sight is refused.
                    let user_id = crate::world::user(&user_id);
                    let calls = world.source().app;
                    let _ = world.directory.read_member(&calls, (&corp(), &agent()), &user_id).await;
                }
                if let Change::Sync = change {
                    // Held removals are an administrator's to make.
                    let report = world.sync_as(&world.source(), true).await.unwrap();
                    prop_assert_eq!(report.run.outcome, Some(Outcome::Complete));
                    prop_assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
                    let departments = world.departments_of(sample::AGENT_ID);
                    if !departments.is_empty() {
                        prop_assert_eq!(world.departments().await, departments);
                    }
                    let again = world.sync().await;
                    prop_assert_eq!(again.applied.written, 0, "a second sync writes nothing");
                }
            }
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
