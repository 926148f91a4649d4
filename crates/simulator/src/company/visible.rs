use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Department, Member, Scope};

/// The visible scope of an app, spread out: every department below the chosen ones.
#[derive(Debug, Default)]
pub(crate) struct Visible {
    departments: HashSet<i64>,
    members: HashSet<String>,
}

impl Visible {
    pub(super) fn of(scope: &Scope, departments: &BTreeMap<i64, Department>) -> Self {
        let mut children = HashMap::<i64, Vec<i64>>::new();
        for department in departments.values() {
            children.entry(department.parentid).or_default().push(department.id);
        }
        let mut reached = HashSet::new();
        let mut open: Vec<i64> =
            scope.departments.iter().copied().filter(|id| departments.contains_key(id)).collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(children.get(&id).into_iter().flatten());
            }
        }
        let members = scope.members.iter().map(|userid| Member::key(userid)).collect();
        Self { departments: reached, members }
    }

    /// True when the app may see the department.
    pub(crate) fn department(&self, id: i64) -> bool {
        self.departments.contains(&id)
    }

    /// True when the app may see the member: by name or by one of the member's departments.
    pub(crate) fn member(&self, member: &Member) -> bool {
        member.department.iter().any(|id| self.department(*id))
            || self.members.contains(&Member::key(&member.userid))
    }
}
