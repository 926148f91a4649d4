//! A company: who works there, in which departments, and which apps it has.
//!
//! Every question that an API call asks is one look-up in an index, so that a company of a million answers like
//! one of three.

mod app;
mod contact_sync;
mod crowd;
mod department;
mod generated;
mod member;
mod members;
pub mod sample;
mod tag;
mod visible;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use app::host_of;
pub use app::{Age, App, Scope, SensitiveField};
pub use contact_sync::ContactSync;
pub use department::Department;
pub use member::Member;
pub(crate) use members::Face;
use members::Members;
pub use tag::Tag;
pub(crate) use visible::Visible;

/// Somebody outside the company who can still open its links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outsider {
    /// The identifier that `auth/getuserinfo` gives for a non-member.
    pub openid: String,
    /// Given as well when the person is a customer of somebody in the app's scope.
    pub external_userid: Option<String>,
    /// Name on the simulator's pages only; WeCom never gives it out.
    pub name: String,
}

/// A company with its contacts and apps.
#[derive(Debug, Clone, Default)]
pub struct Company {
    corpid: String,
    name: String,
    departments: BTreeMap<i64, Department>,
    members: Members,
    tags: BTreeMap<i64, Tag>,
    contact_sync: ContactSync,
    apps: BTreeMap<u64, App>,
    outsiders: BTreeMap<String, Outsider>,
    visible: HashMap<u64, Arc<Visible>>,
}

impl Company {
    /// A company with a root department of its own name and nobody in it.
    pub fn new(corpid: impl Into<String>, name: impl Into<String>) -> Self {
        let mut company = Self { corpid: corpid.into(), name: name.into(), ..Self::default() };
        company.put_department(Department::new(1, company.name.clone(), 0));
        company
    }

    /// `corpid`.
    pub fn corpid(&self) -> &str {
        &self.corpid
    }

    /// The company's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member, found without regard to case.
    pub fn member(&self, userid: &str) -> Option<Cow<'_, Member>> {
        self.members.get(userid)
    }

    /// How many members there are.
    pub fn headcount(&self) -> usize {
        self.members.len()
    }

    /// Every member, in the order they came.
    pub fn members(&self) -> impl Iterator<Item = Cow<'_, Member>> {
        self.members.iter(0).map(|(_, member)| member)
    }

    /// Everybody from that place on, with their places.
    pub(crate) fn faces(&self, from: u64) -> impl Iterator<Item = (u64, Face<'_>)> {
        self.members.faces(from)
    }

    /// The members who belong to the department itself, in the order they came.
    pub fn members_of(&self, department: i64) -> impl Iterator<Item = Cow<'_, Member>> {
        self.members.of_department(department)
    }

    /// Adds the member, or puts it in the place of the one with the same userid.
    pub fn put_member(&mut self, member: Member) {
        self.members.put(member);
    }

    /// Takes the member out of the contacts, as WeCom does with leavers. Gives back whom it took.
    pub fn remove_member(&mut self, userid: &str) -> Option<Member> {
        self.members.remove(userid)
    }

    /// Changes the member in place; false when there is none with that userid.
    pub fn edit_member(&mut self, userid: &str, edit: impl FnOnce(&mut Member)) -> bool {
        let Some(place) = self.members.place(userid) else { return false };
        let Some(mut member) = self.members.remove(userid) else { return false };
        edit(&mut member);
        self.members.put_at(place, member);
        true
    }

    /// The member with this mobile number.
    pub(crate) fn member_by_mobile(&self, mobile: &str) -> Option<Cow<'_, Member>> {
        self.members.by_mobile(mobile)
    }

    /// The member with this address, the company's own (`biz`) or the personal one.
    pub(crate) fn member_by_email(&self, email: &str, biz: bool) -> Option<Cow<'_, Member>> {
        self.members.by_email(email, biz)
    }

    /// The department.
    pub fn department(&self, id: i64) -> Option<&Department> {
        self.departments.get(&id)
    }

    /// Every department, by id.
    pub fn departments(&self) -> impl Iterator<Item = &Department> {
        self.departments.values()
    }

    /// Adds the department, or puts it in the place of the one with the same id.
    pub fn put_department(&mut self, department: Department) {
        self.visible.clear();
        self.departments.insert(department.id, department);
    }

    /// Takes the department away. Those below it and its members keep pointing at it, as they do in answers of
    /// the live service that arrive between two of its own steps.
    pub fn remove_department(&mut self, id: i64) -> Option<Department> {
        self.visible.clear();
        self.departments.remove(&id)
    }

    /// The app.
    pub fn app(&self, agentid: u64) -> Option<&App> {
        self.apps.get(&agentid)
    }

    /// Every app, by agentid.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// Adds the app, or puts it in the place of the one with the same agentid.
    pub fn put_app(&mut self, app: App) {
        self.visible.remove(&app.agentid);
        self.apps.insert(app.agentid, app);
    }

    /// Changes the app in place; false when there is none with that agentid.
    pub fn edit_app(&mut self, agentid: u64, edit: impl FnOnce(&mut App)) -> bool {
        self.visible.remove(&agentid);
        self.apps.get_mut(&agentid).map(edit).is_some()
    }

    /// Somebody outside the company.
    pub fn outsider(&self, openid: &str) -> Option<&Outsider> {
        self.outsiders.get(openid)
    }

    /// Everybody known outside the company.
    pub fn outsiders(&self) -> impl Iterator<Item = &Outsider> {
        self.outsiders.values()
    }

    /// Adds somebody outside the company.
    pub fn put_outsider(&mut self, outsider: Outsider) {
        self.outsiders.insert(outsider.openid.clone(), outsider);
    }

    /// The tag.
    pub fn tag(&self, tagid: i64) -> Option<&Tag> {
        self.tags.get(&tagid)
    }

    /// Every tag, by id.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.values()
    }

    /// Adds the tag, or puts it in the place of the one with the same id.
    pub fn put_tag(&mut self, tag: Tag) {
        self.visible.clear();
        self.tags.insert(tag.tagid, tag);
    }

    /// Takes the tag away. Gives back what it took.
    pub fn remove_tag(&mut self, tagid: i64) -> Option<Tag> {
        self.visible.clear();
        self.tags.remove(&tagid)
    }

    /// Contact sync.
    pub fn contact_sync(&self) -> &ContactSync {
        &self.contact_sync
    }

    /// Sets contact sync.
    pub fn put_contact_sync(&mut self, contact_sync: ContactSync) {
        self.contact_sync = contact_sync;
    }

    /// What the app may see, worked out once and kept until departments, tags or the app change.
    pub(crate) fn visible_to(&mut self, agentid: u64) -> Arc<Visible> {
        if let Some(visible) = self.visible.get(&agentid) {
            return Arc::clone(visible);
        }
        let scope = self.apps.get(&agentid).map(|app| app.scope.clone()).unwrap_or_default();
        let visible = Arc::new(Visible::of(&scope, &self.departments, &self.tags));
        self.visible.insert(agentid, Arc::clone(&visible));
        visible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userids_are_found_without_case_and_a_second_spelling_replaces_the_first() {
        let mut company = Company::new("ww1", "one");
        company.put_member(Member::new("ZhangSan", "a", &[1]));
        company.put_member(Member::new("zhangsan", "b", &[1]));
        assert_eq!(company.headcount(), 1);
        assert_eq!(company.member("ZHANGSAN").unwrap().name, "b");
        assert_eq!(company.members_of(1).count(), 1);
    }

    #[test]
    fn indexes_follow_every_change() {
        let mut company = Company::new("ww1", "one");
        company.put_member(Member { mobile: "138".to_owned(), ..Member::new("a", "a", &[1]) });
        assert!(company.edit_member("A", |member| {
            member.mobile = "139".to_owned();
            member.department = vec![2];
        }));
        assert!(company.member_by_mobile("138").is_none());
        assert_eq!(company.member_by_mobile("139").unwrap().userid, "a");
        assert_eq!((company.members_of(1).count(), company.members_of(2).count()), (0, 1));
        assert!(company.remove_member("a").is_some());
        assert!(company.member_by_mobile("139").is_none());
        assert!(!company.edit_member("a", |_| ()));
    }

    #[test]
    fn members_keep_the_place_in_which_they_came() {
        let mut company = Company::new("ww1", "one");
        for userid in ["z", "a", "m"] {
            company.put_member(Member::new(userid, userid, &[1]));
        }
        company.edit_member("a", |member| member.userid = "b".to_owned());
        company.put_member(Member::new("Z", "z", &[1]));
        let order =
            |company: &Company| company.members().map(|member| member.userid.clone()).collect::<Vec<_>>();
        assert_eq!(order(&company), ["Z", "b", "m"]);
        company.remove_member("m");
        company.put_member(Member::new("c", "c", &[1]));
        assert_eq!(order(&company), ["Z", "b", "c"]);
    }

    #[test]
    fn the_scope_follows_departments_and_apps() {
        let mut company = Company::new("ww1", "one");
        company.put_department(Department::new(2, "two", 1));
        company.put_app(App {
            scope: Scope { departments: vec![2], ..Scope::default() },
            ..App::new(7, "app", "secret")
        });
        assert!(!company.visible_to(7).department(3));
        company.put_department(Department::new(3, "three", 2));
        assert!(company.visible_to(7).department(3));
        company.edit_app(7, |app| app.scope.departments.clear());
        assert!(!company.visible_to(7).department(3));
    }
}
