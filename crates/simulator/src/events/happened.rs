use std::sync::Arc;

use super::change::Done;
use super::text::{AppEvent, ContactEvent, Fields};
use super::{By, Callback, Change, ChangeRefused, Receiver, Rule};
use crate::clock::Moment;
use crate::company::{Company, Member, Visible};

/// Makes a change and tells what is to be pushed: the receiver and the plain XML.
pub(super) fn happened<'a>(
    company: &mut Company,
    change: Change,
    by: By,
    now: Moment,
    callback: impl Fn(Receiver) -> Option<&'a Callback>,
) -> Result<Vec<(Receiver, String)>, ChangeRefused> {
    let agentids: Vec<u64> = company.apps().map(|app| app.agentid).collect();
    let listening = agentids.into_iter().filter(|agentid| callback(Receiver::App(*agentid)).is_some());
    let before: Vec<(u64, Arc<Visible>)> =
        listening.map(|agentid| (agentid, company.visible_to(agentid))).collect();
    let done = change.make(company)?;

    let mut pushed = Vec::new();
    let corpid = company.corpid().to_owned();
    let of_sync = callback(Receiver::ContactSync).filter(|_| by == By::Console);
    if let Some(event) = of_sync.and_then(|callback| contact_event(&done, callback.rule)) {
        pushed.push((Receiver::ContactSync, event.text(&corpid, now)));
    }
    for (agentid, before) in before {
        let after = company.visible_to(agentid);
        let mut tell = |userid: &str, entered| {
            let event = AppEvent { agentid, userid, entered };
            pushed.push((Receiver::App(agentid), event.text(&corpid, now)));
        };
        match &done {
            Done::Member { before: old, after: new } => {
                let saw = old.as_deref().filter(|member| before.member(member));
                let sees = new.as_deref().filter(|member| after.member(member));
                match (saw, sees) {
                    (None, Some(member)) => tell(&member.userid, true),
                    (Some(member), None) => tell(&member.userid, false),
                    _ => {}
                }
            }
            // Nobody moved, but what is visible did.
            _ => {
                for (_, face) in company.faces(0) {
                    let sees = after.face(&face);
                    if before.face(&face) != sees {
                        tell(&face.userid, sees);
                    }
                }
            }
        }
    }
    Ok(pushed)
}

/// What contact sync is told of it. Since 2022-08-15 it is ids, departments and parents alone, and a change of
/// anything else is no event at all.
fn contact_event(done: &Done, rule: Rule) -> Option<ContactEvent> {
    let old = rule == Rule::Old;
    match done {
        Done::Member { before: None, after: Some(member) } => {
            let fields = if old { Fields::of_member(member) } else { Fields::new_of_member(member) };
            Some(ContactEvent::new("create_user", fields.id("UserID", &member.userid)))
        }
        Done::Member { before: Some(before), after: Some(after) } => {
            let of =
                |member: &Member| if old { Fields::of_member(member) } else { Fields::new_of_member(member) };
            let mut fields = of(after).without(&of(before));
            if before.userid != after.userid {
                fields = fields.id("NewUserID", &after.userid);
            }
            let told = !fields.is_empty();
            told.then(|| ContactEvent::new("update_user", fields.id("UserID", &before.userid)))
        }
        Done::Member { before: Some(member), after: None } => {
            Some(ContactEvent::new("delete_user", Fields::default().id("UserID", &member.userid)))
        }
        Done::Department { before: None, after: Some(department) } => {
            let fields = Fields::of_department(department, old, old);
            Some(ContactEvent::new("create_party", fields.number("Id", department.id)))
        }
        Done::Department { before: Some(before), after: Some(after) } => {
            let of = |department| Fields::of_department(department, old, false);
            let fields = of(after).without(&of(before));
            let told = !fields.is_empty();
            told.then(|| ContactEvent::new("update_party", fields.number("Id", after.id)))
        }
        Done::Department { before: Some(department), after: None } => {
            Some(ContactEvent::new("delete_party", Fields::default().number("Id", department.id)))
        }
        Done::Tag { before, after } => {
            let fields = Fields::of_tags(before, after);
            let told = !fields.is_empty();
            told.then(|| ContactEvent::new("update_tag", fields.number("TagId", after.tagid)))
        }
        Done::Member { before: None, after: None }
        | Done::Department { before: None, after: None }
        | Done::App => None,
    }
}
