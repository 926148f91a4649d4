use std::collections::HashMap;
use std::time::Duration;

use super::Holder;
use crate::chance::Chance;
use crate::clock::Moment;
use crate::company::SensitiveField;

/// A ticket is good for 1800 seconds (WeCom 96442).
const LIFETIME: Duration = Duration::from_mins(30);
/// Expired tickets are told apart from unknown ones (84014, 84015) for this long.
const REMEMBERED: Duration = Duration::from_hours(24);

/// User tickets: what `auth/getuserdetail` takes.
#[derive(Default)]
pub(crate) struct Tickets {
    issued: HashMap<String, Ticket>,
}

/// A member's consent to one app.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) userid: String,
    pub(crate) fields: Vec<SensitiveField>,
    holder: Holder,
    expires: Moment,
}

/// What a ticket is worth to the app that shows it.
pub(crate) enum TicketState {
    Valid(Ticket),
    Expired,
    Invalid,
}

impl Tickets {
    pub(crate) fn issue(
        &mut self,
        holder: &Holder,
        userid: &str,
        fields: Vec<SensitiveField>,
        now: Moment,
        chance: &mut Chance,
    ) -> String {
        self.issued.retain(|_, ticket| ticket.expires + REMEMBERED > now);
        let text = chance.text(86);
        let ticket =
            Ticket { userid: userid.to_owned(), fields, holder: holder.clone(), expires: now + LIFETIME };
        self.issued.insert(text.clone(), ticket);
        text
    }

    pub(crate) fn check(&self, ticket: &str, holder: &Holder, now: Moment) -> TicketState {
        match self.issued.get(ticket) {
            Some(ticket) if ticket.holder != *holder => TicketState::Invalid,
            Some(ticket) if ticket.expires <= now => TicketState::Expired,
            Some(ticket) => TicketState::Valid(ticket.clone()),
            None => TicketState::Invalid,
        }
    }
}
