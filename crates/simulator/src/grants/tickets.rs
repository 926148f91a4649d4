use std::time::Duration;

use super::{Expiring, Holder};
use crate::company::SensitiveField;

/// A member's consent to one app: what `auth/getuserdetail` gives for a user ticket.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) userid: String,
    pub(crate) fields: Vec<SensitiveField>,
    /// A ticket is void in the hands of another app.
    pub(crate) holder: Holder,
}

/// Tickets are good for 1800 seconds (WeCom 96442); for a day expired ones (84014) differ from unknown (84015).
pub(crate) fn tickets() -> Expiring<Consent> {
    Expiring::new(86, Duration::from_mins(30)).remembered_for(Duration::from_hours(24))
}
