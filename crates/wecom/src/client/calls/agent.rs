//! The app itself and its visible scope (WeCom 90227).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Calls, Parameters};
use crate::client::api::AGENT_GET;
use crate::client::wire;
use crate::{AgentId, DepartmentId, Error, UserId};

/// An app and its visible scope (可见范围): the union of members, departments with their subtrees, and tags.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Agent {
    /// The app.
    #[serde(default, rename = "agentid", deserialize_with = "agent_id")]
    pub agent_id: Option<AgentId>,
    /// Name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: Option<String>,
    /// Description.
    #[serde(default, deserialize_with = "wire::text")]
    pub description: Option<String>,
    /// Members who are listed individually.
    #[serde(default, rename = "allow_userinfos", deserialize_with = "allowed_users")]
    pub visible_users: Vec<UserId>,
    /// Departments that are visible with their subtrees.
    #[serde(default, rename = "allow_partys", deserialize_with = "allowed_departments")]
    pub visible_departments: Vec<DepartmentId>,
    /// Tags whose members are visible.
    #[serde(default, rename = "allow_tags", deserialize_with = "allowed_tags")]
    pub visible_tags: Vec<i64>,
    /// True if the app is disabled.
    #[serde(default, rename = "close", deserialize_with = "wire::yes")]
    pub closed: bool,
    /// The trusted domain (可信域名) for the page inside the app.
    #[serde(default, deserialize_with = "wire::text")]
    pub redirect_domain: Option<String>,
    /// The page that the workbench opens.
    #[serde(default, deserialize_with = "wire::text")]
    pub home_url: Option<String>,
}

impl Calls {
    /// The app (`agent/get`). Only the client's own app: any other one fails with 301002.
    pub async fn agent(&self, agent_id: &AgentId) -> Result<Agent, Error> {
        self.call(&AGENT_GET, Parameters::query(&[("agentid", agent_id.as_str())])).await
    }
}

fn agent_id<'de, D: Deserializer<'de>>(input: D) -> Result<Option<AgentId>, D::Error> {
    Ok(wire::text(input)?.and_then(|text| AgentId::parse(text).ok()))
}

/// The list at `key` of an object such as `{"user":[…]}`.
fn inner_list<'de, D: Deserializer<'de>>(input: D, key: &str) -> Result<Vec<Value>, D::Error> {
    let mut object = Value::deserialize(input)?;
    Ok(match object.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    })
}

fn allowed_users<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<UserId>, D::Error> {
    let users = inner_list(input, "user")?;
    Ok(users.iter().filter_map(|user| wire::as_user_id(user.get("userid")?)).collect())
}

fn allowed_departments<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<DepartmentId>, D::Error> {
    Ok(inner_list(input, "partyid")?.iter().filter_map(wire::as_number).map(DepartmentId).collect())
}

fn allowed_tags<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<i64>, D::Error> {
    Ok(inner_list(input, "tagid")?.iter().filter_map(wire::as_number).collect())
}
