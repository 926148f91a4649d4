use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Department, Face, Member, Scope, Tag};

/// The visible scope of an app, spread out: every department below the chosen ones.
#[derive(Debug, Default)]
pub(crate) struct Visible {
    /// Contact sync sees the whole company.
    everything: bool,
    departments: HashSet<i64>,
    members: HashSet<String>,
}

impl Visible {
    pub(super) fn of(
        scope: &Scope,
        departments: &BTreeMap<i64, Department>,
        tags: &BTreeMap<i64, Tag>,
    ) -> Self {
        let mut children = HashMap::<i64, Vec<i64>>::new();
        for department in departments.values() {
            children.entry(department.parentid).or_default().push(department.id);
        }
        let tags: Vec<&Tag> = scope.tags.iter().filter_map(|tagid| tags.get(tagid)).collect();
        let chosen = scope.departments.iter().chain(tags.iter().flat_map(|tag| &tag.departments));
        let mut open: Vec<i64> = chosen.copied().filter(|id| departments.contains_key(id)).collect();
        let mut reached = HashSet::new();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(children.get(&id).into_iter().flatten());
            }
        }
        let members = scope.members.iter().chain(tags.iter().flat_map(|tag| &tag.members));
        let members = members.map(|userid| Member::key(userid)).collect();
        Self { everything: false, departments: reached, members }
    }

    pub(crate) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// True when the app may see the department.
    pub(crate) fn department(&self, id: i64) -> bool {
        self.everything || self.departments.contains(&id)
    }

    /// True when the app may see the member: by name or by one of the member's departments.
    pub(crate) fn member(&self, member: &Member) -> bool {
        self.sees(&member.userid, &member.department)
    }

    pub(crate) fn face(&self, face: &Face<'_>) -> bool {
        self.sees(&face.userid, &face.department)
    }

    fn sees(&self, userid: &str, departments: &[i64]) -> bool {
        self.everything
            || departments.iter().any(|id| self.departments.contains(id))
            || (!self.members.is_empty() && self.members.contains(&Member::key(userid)))
    }
}
