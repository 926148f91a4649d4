use wecom::Calls;
use wecom_login_model::{AgentId, CorpId};

/// An app that looks at its company.
#[derive(Debug, Clone)]
pub struct SyncSource {
    /// The instance by which it is configured, by full name.
    pub instance: String,
    /// The company.
    pub corp_id: CorpId,
    /// The app.
    pub agent_id: AgentId,
    /// Its calls, patient ones ([`wecom::Budget::of_a_company`]).
    pub app: Calls,
    /// Those with the secret of contact sync, if there is one.
    pub contact: Option<Calls>,
    /// The company's other apps that are configured. They are asked about members that this one no longer sees.
    pub others: Vec<OtherApp>,
}

/// Another app of the same company.
#[derive(Debug, Clone)]
pub struct OtherApp {
    /// The app.
    pub agent_id: AgentId,
    /// Its calls.
    pub app: Calls,
}

impl SyncSource {
    /// Every app of the company that is configured.
    pub fn apps(&self) -> Vec<AgentId> {
        let others = self.others.iter().map(|other| &other.agent_id);
        others.chain([&self.agent_id]).cloned().collect()
    }
}
