use std::fmt::{Display, Write as _};

use serde_json::Value;

use crate::clock::Moment;
use crate::company::{Department, Member, Tag};

/// The fields of a contact event: tag and content, in the order in which they are written.
#[derive(Default, Clone)]
pub(super) struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// A text, put first: ids lead.
    pub(super) fn id(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(0, (name, cdata(value)));
        self
    }

    /// A number, put first.
    pub(super) fn number(mut self, name: &'static str, value: i64) -> Self {
        self.0.insert(0, (name, value.to_string()));
        self
    }

    fn text(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, cdata(value)));
        self
    }

    fn plain(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// Those that are not the same in `other`.
    pub(super) fn without(mut self, other: &Self) -> Self {
        self.0.retain(|field| !other.0.contains(field));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the rule of before 2022-08-15 tells of a member (WeCom 96302), without the userid.
    pub(super) fn of_member(member: &Member) -> Self {
        let mut fields = Self::default()
            .text("Name", &member.name)
            .text("Department", &list(&member.department))
            .plain("MainDepartment", member.main_department)
            .text("IsLeaderInDept", &list(&member.is_leader_in_dept))
            .text("DirectLeader", &list(&member.direct_leader));
        for (name, value) in [
            ("Position", &member.position),
            ("Mobile", &member.mobile),
            ("Email", &member.email),
            ("BizMail", &member.biz_mail),
            ("Avatar", &member.avatar),
            ("Alias", &member.alias),
            ("Telephone", &member.telephone),
            ("Address", &member.address),
        ] {
            fields = fields.text(name, value);
        }
        fields = fields.plain("Gender", &member.gender).plain("Status", member.status);
        let items: String = member.extattr["attrs"].as_array().into_iter().flatten().map(attribute).collect();
        if items.is_empty() { fields } else { fields.plain("ExtAttr", items) }
    }

    /// What is told of a member since 2022-08-15, without the userid.
    pub(super) fn new_of_member(member: &Member) -> Self {
        Self::default().text("Department", &list(&member.department))
    }

    /// What is told of a department, without its id. Names and order belong to the rule of before 2022-08-15, the
    /// order to new departments alone (WeCom 96303).
    pub(super) fn of_department(department: &Department, named: bool, ordered: bool) -> Self {
        let mut fields = Self::default();
        if named {
            fields = fields.text("Name", &department.name);
        }
        fields = fields.text("ParentId", &department.parentid.to_string());
        if ordered { fields.plain("Order", department.order) } else { fields }
    }

    /// Who came into a tag and who went (WeCom 96304).
    pub(super) fn of_tags(before: &Tag, after: &Tag) -> Self {
        fn without<T: PartialEq + Clone>(list: &[T], other: &[T]) -> Vec<T> {
            list.iter().filter(|one| !other.contains(one)).cloned().collect()
        }
        let users = [without(&after.members, &before.members), without(&before.members, &after.members)];
        let parties = [
            without(&after.departments, &before.departments),
            without(&before.departments, &after.departments),
        ];
        let mut fields = Self::default();
        for (name, users) in ["AddUserItems", "DelUserItems"].into_iter().zip(users) {
            if !users.is_empty() {
                fields = fields.text(name, &list(&users));
            }
        }
        for (name, parties) in ["AddPartyItems", "DelPartyItems"].into_iter().zip(parties) {
            if !parties.is_empty() {
                fields = fields.text(name, &list(&parties));
            }
        }
        fields
    }
}

/// A change of the contacts.
pub(super) struct ContactEvent {
    change_type: &'static str,
    fields: Fields,
}

impl ContactEvent {
    pub(super) fn new(change_type: &'static str, fields: Fields) -> Self {
        Self { change_type, fields }
    }

    /// The plain XML.
    pub(super) fn text(&self, corpid: &str, now: Moment) -> String {
        let mut text = envelope(corpid, "sys", now, "change_contact");
        element(&mut text, "ChangeType", &cdata(self.change_type));
        for (name, value) in &self.fields.0 {
            element(&mut text, name, value);
        }
        text + "</xml>"
    }
}

/// A member who entered or left an app's visible scope.
pub(super) struct AppEvent<'a> {
    pub(super) agentid: u64,
    pub(super) userid: &'a str,
    pub(super) entered: bool,
}

impl AppEvent<'_> {
    /// The plain XML.
    pub(super) fn text(&self, corpid: &str, now: Moment) -> String {
        let event = if self.entered { "subscribe" } else { "unsubscribe" };
        let mut text = envelope(corpid, self.userid, now, event);
        element(&mut text, "EventKey", &cdata(""));
        element(&mut text, "AgentID", &self.agentid.to_string());
        text + "</xml>"
    }
}

fn envelope(corpid: &str, from: &str, now: Moment, event: &str) -> String {
    let mut text = "<xml>".to_owned();
    element(&mut text, "ToUserName", &cdata(corpid));
    element(&mut text, "FromUserName", &cdata(from));
    element(&mut text, "CreateTime", &now.secs().to_string());
    element(&mut text, "MsgType", &cdata("event"));
    element(&mut text, "Event", &cdata(event));
    text
}

fn element(text: &mut String, name: &str, content: &str) {
    let _ = write!(text, "<{name}>{content}</{name}>");
}

/// The end mark inside a text is split over two sections.
pub(super) fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// One extended attribute: text or web page.
fn attribute(attribute: &Value) -> String {
    let text = |path: &str| cdata(attribute.pointer(path).and_then(Value::as_str).unwrap_or_default());
    let mut content = String::new();
    element(&mut content, "Name", &text("/name"));
    if attribute["type"] == 1 {
        element(&mut content, "Type", "1");
        let mut web = String::new();
        element(&mut web, "Title", &text("/web/title"));
        element(&mut web, "Url", &text("/web/url"));
        element(&mut content, "Web", &web);
    } else {
        element(&mut content, "Type", "0");
        let mut value = String::new();
        element(&mut value, "Value", &text("/text/value"));
        element(&mut content, "Text", &value);
    }
    format!("<Item>{content}</Item>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_section() {
        assert_eq!(cdata("a]]>b"), "<![CDATA[a]]]]><![CDATA[>b]]>");
        let event = AppEvent { agentid: 7, userid: "]]></xml>", entered: true };
        let message = wecom::callback::Message::parse(event.text("ww1", Moment(0)).as_bytes()).unwrap();
        assert_eq!(message.get("FromUserName"), Some("]]></xml>"));
    }
}
