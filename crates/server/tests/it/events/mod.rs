//! WeCom's events, encrypted and signed as WeCom does it, at the real address.

mod address;
mod apps;
mod damaged;
mod departments;
mod members;
mod official;
mod pushed;
mod queue;
mod quota;
mod random;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wecom::callback::{Channel, EncodingAesKey, Format};
use wecom_login_model::{Secret, SystemEntropy};
use wecom_login_simulator::{Company, sample};

use crate::browser::Page;
use crate::world::World;

const APP_TOKEN: &str = "QDG6eK";
const APP_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const CONTACTS_TOKEN: &str = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const CONTACTS_KEY: &str = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";

/// An instance that takes both kinds of events.
pub(crate) fn keys() -> Value {
    json!({
        "callbackToken": APP_TOKEN,
        "callbackAesKey": APP_KEY,
        "contactCallbackToken": CONTACTS_TOKEN,
        "contactCallbackAesKey": CONTACTS_KEY,
    })
}

fn channel(token: &str, key: &str, receiver: &str) -> Channel {
    Channel::new(Secret::new(token), EncodingAesKey::parse(key).unwrap(), receiver)
}

/// A setting of WeCom's console: from here WeCom sends.
pub(crate) struct Sender<'a> {
    world: &'a World,
    channel: Channel,
    path: String,
}

impl<'a> Sender<'a> {
    /// Contact sync (通讯录同步).
    pub(crate) fn contacts(world: &'a World) -> Self {
        Self::new(world, channel(CONTACTS_TOKEN, CONTACTS_KEY, sample::CORP_ID), "Example")
    }

    /// The app's own events (接收消息).
    fn app(world: &'a World) -> Self {
        Self::new(world, channel(APP_TOKEN, APP_KEY, sample::CORP_ID), "Example")
    }

    fn new(world: &'a World, channel: Channel, name: &str) -> Self {
        Self { world, channel, path: format!("/wecom/callback/{name}") }
    }

    /// A message, encrypted and signed anew, as at each of WeCom's attempts.
    async fn send(&self, text: impl AsRef<[u8]>) -> Page {
        let sealed = self.channel.seal(text.as_ref(), "1409659813", "1372623149", &SystemEntropy);
        let envelope = sealed.to_envelope(Format::Xml, sample::CORP_ID, None).to_text();
        let query = format!("msg_signature={}&timestamp=1409659813&nonce=1372623149", sealed.msg_signature());
        self.post(&query, envelope).await
    }

    async fn post(&self, query: &str, body: String) -> Page {
        let browser = self.world.browser();
        let path = format!("{}?{query}", self.path);
        browser.send(browser.request(reqwest::Method::POST, &path).body(body)).await
    }

    /// A message that is taken: status 200 and nothing else.
    async fn tell(&self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let page = self.send(text).await;
        let shown = String::from_utf8_lossy(text);
        assert_eq!((page.status.as_u16(), page.text.as_str()), (200, ""), "{shown}");
    }

    /// An event of contact sync.
    pub(crate) async fn change(&self, fields: &str) {
        self.tell(&change(fields, 1_403_610_513)).await;
    }

    /// An event about an app's visible scope.
    async fn scope(&self, event: &str, user_id: &str) {
        self.tell(&format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[{user_id}]]></FromUserName>\
             <CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>\
             <AgentID>{}</AgentID></xml>",
            sample::CORP_ID,
            sample::AGENT_ID,
        ))
        .await;
    }
}

/// An event of contact sync as WeCom writes it (WeCom 96302).
fn change(fields: &str, create_time: i64) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{create_time}</CreateTime><MsgType><![CDATA[event]]></MsgType>\
         <Event><![CDATA[change_contact]]></Event>{fields}</xml>",
        sample::CORP_ID,
    )
}

pub(crate) fn member(change_type: &str, user_id: &str) -> String {
    format!("<ChangeType>{change_type}</ChangeType><UserID><![CDATA[{user_id}]]></UserID>")
}

fn party(change_type: &str, id: i64) -> String {
    format!("<ChangeType>{change_type}</ChangeType><Id>{id}</Id>")
}

/// A world whose local copy is compared with its company.
pub(crate) trait LocalCopy {
    fn company<T>(&self, edit: impl FnOnce(&mut Company) -> T) -> T;
    async fn copied(&self);
    async fn read_everything(&self) -> Value;
    async fn assert_copy(&self);
}

impl LocalCopy for World {
    fn company<T>(&self, edit: impl FnOnce(&mut Company) -> T) -> T {
        self.wecom.edit(sample::CORP_ID, edit).unwrap()
    }

    /// The copy as a first sync leaves it. The one who is disabled counts as gone when read, and as there when listed:
    /// they are left out.
    async fn copied(&self) {
        self.company(|company| company.remove_member(sample::DISABLED));
        let page = self.read_everything().await;
        assert_eq!(page, Value::Null);
        self.assert_copy().await;
        self.wecom.reset_calls();
    }

    async fn read_everything(&self) -> Value {
        let element = self.app.element(crate::world::ELEMENT).unwrap();
        let arguments = wecom_login_element::Arguments::new();
        let caller = wecom_login_element::Caller::Library;
        element.call("syncDepartmentInfo", arguments, &caller).await.unwrap().value
    }

    /// The copy shows what the app may see of the company: its members with their departments, and the departments.
    async fn assert_copy(&self) {
        let (members, departments) = self.company(|company| visible(company));
        let copied: BTreeSet<_> = self.members().await.into_iter().collect();
        let wrong: Vec<_> = copied.symmetric_difference(&members).take(20).collect();
        assert!(wrong.is_empty(), "in the company or in the copy, not in both: {wrong:?}");
        assert_eq!(self.departments().await, departments, "departments");
    }
}

type Seen = (BTreeSet<(String, Vec<i64>)>, Vec<(i64, i64)>);

/// What the app may see of the company: members with their departments, departments with their parents.
fn visible(company: &Company) -> Seen {
    let scope = company.app(sample::AGENT_ID).unwrap().scope.clone();
    let tags: Vec<_> = scope.tags.iter().filter_map(|id| company.tag(*id)).collect();
    let chosen: Vec<i64> =
        tags.iter().flat_map(|tag| &tag.departments).chain(&scope.departments).copied().collect();
    let named: Vec<&String> = tags.iter().flat_map(|tag| &tag.members).chain(&scope.members).collect();
    let in_scope = |id: i64| {
        let up = std::iter::successors(Some(id), |id| Some(company.department(*id)?.parentid));
        up.take(20).any(|id| chosen.contains(&id))
    };
    let departments = company
        .departments()
        .filter(|department| in_scope(department.id))
        .map(|department| (department.id, department.parentid))
        .collect();
    let seen = |member: &wecom_login_simulator::Member| {
        let departments: Vec<i64> = member.department.iter().copied().filter(|id| in_scope(*id)).collect();
        let named = named.iter().any(|user_id| user_id.eq_ignore_ascii_case(&member.userid));
        (named || !departments.is_empty()).then(|| (member.userid.clone(), departments))
    };
    (company.members().filter_map(|member| seen(&member)).collect(), departments)
}
