use wecom::callback::Message;
use wecom_login_model::{AgentId, DepartmentId, UserId};

use super::{EventTask, Leaver};

/// Longer kinds are cut.
const LONGEST_KIND: usize = 60;

/// An event that concerns the copy (WeCom 96302, 96303, 96304 for contact sync, 90240 for the app's own).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactEvent {
    /// create_user, and update_user without a new userid.
    Member(UserId),
    /// update_user with NewUserID.
    Renamed {
        /// The former userid.
        from: UserId,
        /// The new one.
        to: UserId,
    },
    /// delete_user.
    Left(UserId),
    /// create_party, update_party, delete_party.
    Department(DepartmentId),
    /// update_tag: members and departments that have got it or lost it. A scope may be made of tags.
    Tag(Vec<UserId>, Vec<DepartmentId>),
    /// subscribe: the member has entered the app's visible scope.
    EnteredScope(UserId),
    /// unsubscribe: the member has left it.
    LeftScope(UserId),
}

/// An authentic message that cannot be understood. It names kinds and fields, never values: those may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// The kind of message, such as `change_contact/delete_user`, as far as it is known.
    pub kind: String,
    /// What is missing or wrong.
    pub problem: &'static str,
}

impl ContactEvent {
    /// What a decrypted message says; `None` for messages and events that do not concern the copy. An app's own event must
    /// be of this app.
    pub fn of(message: &Message, agent_id: &AgentId) -> Result<Option<Self>, NotUnderstood> {
        match (message.get("MsgType"), message.get("Event")) {
            (Some("event") | None, Some("change_contact")) => Self::of_contacts(message).map(Some),
            (Some("event") | None, Some(event @ ("subscribe" | "unsubscribe"))) => {
                Self::of_scope(message, event, agent_id)
            }
            (Some("event"), None) => Err(NotUnderstood::new("event", "it has no Event")),
            (None, None) if message.get("InfoType").is_none() => {
                Err(NotUnderstood::new("message", "it has neither MsgType nor Event"))
            }
            _ => Ok(None),
        }
    }

    fn of_contacts(message: &Message) -> Result<Self, NotUnderstood> {
        let change = message.get("ChangeType").unwrap_or_default();
        let fail = |problem| Err(NotUnderstood::new(&format!("change_contact/{change}"), problem));
        let user = |field| message.get(field).and_then(|text| UserId::parse(text).ok());
        match change {
            "create_user" | "update_user" | "delete_user" => {
                let Some(user_id) = user("UserID") else { return fail("UserID is missing or damaged") };
                let new = message.get("NewUserID").filter(|text| change == "update_user" && !text.is_empty());
                match (change, new, user("NewUserID")) {
                    ("delete_user", ..) => Ok(Self::Left(user_id)),
                    (_, Some(_), Some(to)) => Ok(Self::Renamed { from: user_id, to }),
                    // Reading the former userid would show somebody who has left.
                    (_, Some(_), None) => fail("NewUserID is damaged"),
                    (_, None, _) => Ok(Self::Member(user_id)),
                }
            }
            "create_party" | "update_party" | "delete_party" => {
                match message.get("Id").and_then(department) {
                    Some(id) => Ok(Self::Department(id)),
                    None => fail("Id is missing or damaged"),
                }
            }
            "update_tag" => {
                let items = |fields: [&'static str; 2]| {
                    let lists = fields.into_iter().filter_map(|field| message.get(field));
                    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|item| !item.is_empty())
                };
                let users = items(["AddUserItems", "DelUserItems"]).map(|item| UserId::parse(item).ok());
                let parties = items(["AddPartyItems", "DelPartyItems"]).map(department);
                match (users.collect::<Option<Vec<_>>>(), parties.collect::<Option<Vec<_>>>()) {
                    (Some(users), Some(parties)) if users.is_empty() && parties.is_empty() => {
                        fail("it names no member and no department")
                    }
                    (Some(users), Some(parties)) => Ok(Self::Tag(users, parties)),
                    _ => fail("a list of members or departments is damaged"),
                }
            }
            "" => fail("ChangeType is missing"),
            _ => fail("ChangeType is unknown"),
        }
    }

    fn of_scope(message: &Message, event: &str, agent_id: &AgentId) -> Result<Option<Self>, NotUnderstood> {
        if message.get("AgentID").is_some_and(|named| named != agent_id.as_str()) {
            return Ok(None);
        }
        let from = message.get("FromUserName").unwrap_or_default();
        // `CorpId/userid`: a member of another company that shares its contacts (WeCom 96442).
        if from.contains('/') {
            return Ok(None);
        }
        match UserId::parse(from) {
            Ok(user_id) if event == "subscribe" => Ok(Some(Self::EnteredScope(user_id))),
            Ok(user_id) => Ok(Some(Self::LeftScope(user_id))),
            Err(_) => Err(NotUnderstood::new(event, "FromUserName is missing or damaged")),
        }
    }

    /// True for what is said about one app's visible scope.
    pub(super) fn is_of_scope(&self) -> bool {
        matches!(self, Self::EnteredScope(_) | Self::LeftScope(_))
    }

    /// What is to be read again, and whose sessions end.
    pub(super) fn asks<'a>(&self, agent_id: &'a AgentId) -> (Vec<EventTask>, Option<Leaver<'a>>) {
        let member = |user_id: &UserId| EventTask::Member(user_id.clone());
        match self {
            Self::Member(user_id) | Self::EnteredScope(user_id) => (vec![member(user_id)], None),
            Self::Renamed { from, to } => {
                (vec![EventTask::Rename { from: from.clone(), to: to.clone() }], None)
            }
            Self::Left(user_id) => (vec![member(user_id)], Some(Leaver::Company(user_id.clone()))),
            Self::LeftScope(user_id) => {
                (vec![member(user_id)], Some(Leaver::Scope { user_id: user_id.clone(), agent_id }))
            }
            Self::Department(id) => (vec![EventTask::Department(*id)], None),
            Self::Tag(users, departments) => {
                let departments = departments.iter().map(|id| EventTask::Department(*id));
                (users.iter().map(member).chain(departments).collect(), None)
            }
        }
    }
}

impl NotUnderstood {
    /// `kind` holds words of WeCom; anything else in it is left out.
    pub(super) fn new(kind: &str, problem: &'static str) -> Self {
        let is_of_word = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '/');
        Self { kind: kind.chars().filter(is_of_word).take(LONGEST_KIND).collect(), problem }
    }
}

fn department(text: &str) -> Option<DepartmentId> {
    text.trim().parse().ok().filter(|id| *id > 0).map(DepartmentId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<ContactEvent>, NotUnderstood> {
        let message = Message::parse(text.as_bytes()).unwrap();
        ContactEvent::of(&message, &AgentId::parse("1000002").unwrap())
    }

    fn of(fields: &str) -> Option<ContactEvent> {
        read(&format!("<xml><MsgType><![CDATA[event]]></MsgType>{fields}</xml>")).unwrap()
    }

    fn change(fields: &str) -> Option<ContactEvent> {
        of(&format!("<Event>change_contact</Event>{fields}"))
    }

    fn user(text: &str) -> UserId {
        UserId::parse(text).unwrap()
    }

    #[test]
    fn members_come_change_and_go() {
        let created = "<ChangeType><![CDATA[create_user]]></ChangeType><UserID><![CDATA[zhangsan]]></UserID>\
                       <Department><![CDATA[1,2]]></Department>";
        assert_eq!(change(created), Some(ContactEvent::Member(user("zhangsan"))));
        let old_rule = "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID><Name>张三</Name>\
                        <ExtAttr><Item><Name>爱好</Name><Type>0</Type></Item></ExtAttr>";
        assert_eq!(change(old_rule), Some(ContactEvent::Member(user("zhangsan"))));
        let renamed =
            "<ChangeType>update_user</ChangeType><UserID>a1</UserID><NewUserID>zhangsan</NewUserID>";
        let (from, to) = (user("a1"), user("zhangsan"));
        assert_eq!(change(renamed), Some(ContactEvent::Renamed { from, to }));
        let deleted = "<ChangeType>delete_user</ChangeType><UserID>zhangsan</UserID>";
        assert_eq!(change(deleted), Some(ContactEvent::Left(user("zhangsan"))));
    }

    #[test]
    fn departments_and_tags() {
        for kind in ["create_party", "update_party", "delete_party"] {
            let event = change(&format!("<ChangeType>{kind}</ChangeType><Id>7</Id><ParentId>1</ParentId>"));
            assert_eq!(event, Some(ContactEvent::Department(DepartmentId(7))), "{kind}");
        }
        let tag = "<ChangeType>update_tag</ChangeType><TagId>1</TagId><AddUserItems>a, b,</AddUserItems>\
                   <DelUserItems>c</DelUserItems><AddPartyItems>2</AddPartyItems>";
        let users = vec![user("a"), user("b"), user("c")];
        assert_eq!(change(tag), Some(ContactEvent::Tag(users, vec![DepartmentId(2)])));
    }

    #[test]
    fn an_app_is_told_of_its_own_scope() {
        let event = |name: &str, agent: &str| {
            of(&format!("<FromUserName>lisi</FromUserName><Event>{name}</Event>{agent}"))
        };
        let own = "<AgentID>1000002</AgentID>";
        assert_eq!(event("subscribe", own), Some(ContactEvent::EnteredScope(user("lisi"))));
        assert_eq!(event("unsubscribe", ""), Some(ContactEvent::LeftScope(user("lisi"))));
        assert_eq!(event("unsubscribe", "<AgentID>1000003</AgentID>"), None);
        assert_eq!(event("enter_agent", own), None);
    }

    #[test]
    fn messages_and_other_events_are_not_ours() {
        for text in [
            "<xml><MsgType>text</MsgType><Content>change_contact</Content></xml>",
            "<xml><MsgType>text</MsgType><Event>subscribe</Event><FromUserName>a</FromUserName></xml>",
            "<xml><MsgType>event</MsgType><Event>enter_agent</Event><FromUserName>\u{fffd}</FromUserName></xml>",
            "<xml><MsgType>event</MsgType><Event>batch_job_result</Event></xml>",
            "<xml><Event>change_external_contact</Event><ChangeType>x</ChangeType></xml>",
            "<xml><Event>subscribe</Event><FromUserName>ww1/lisi</FromUserName></xml>",
            "<xml><InfoType>suite_ticket</InfoType></xml>",
        ] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    /// F10: each of these was answered 200 and forgotten.
    #[test]
    fn a_change_without_a_usable_identifier_is_not_understood() {
        for (fields, kind) in [
            ("<ChangeType>create_user</ChangeType>", "change_contact/create_user"),
            ("<ChangeType>delete_user</ChangeType><UserID>张三</UserID>", "change_contact/delete_user"),
            ("<ChangeType>delete_user</ChangeType><UserID>li\u{fffd}</UserID>", "change_contact/delete_user"),
            (
                "<ChangeType>update_user</ChangeType><UserID>a</UserID><NewUserID>\u{fffd}</NewUserID>",
                "change_contact/update_user",
            ),
            ("<ChangeType>update_party</ChangeType><Id>x</Id>", "change_contact/update_party"),
            ("<ChangeType>update_party</ChangeType><Id>0</Id>", "change_contact/update_party"),
            ("<ChangeType>update_tag</ChangeType><TagId>1</TagId>", "change_contact/update_tag"),
            (
                "<ChangeType>update_tag</ChangeType><AddUserItems>a,\u{fffd}</AddUserItems>",
                "change_contact/update_tag",
            ),
            ("<ChangeType>something_new</ChangeType><UserID>a</UserID>", "change_contact/something_new"),
            ("<ChangeType>li si 13800000000 \u{fffd}</ChangeType>", "change_contact/lisi13800000000"),
            ("", "change_contact/"),
        ] {
            for message_type in ["<MsgType>event</MsgType>", ""] {
                let text = format!("<xml>{message_type}<Event>change_contact</Event>{fields}</xml>");
                assert_eq!(read(&text).unwrap_err().kind, kind, "{text}");
            }
        }
    }

    #[test]
    fn an_event_without_its_kind_or_its_member_is_not_understood() {
        for (text, kind) in [
            ("<xml><MsgType>event</MsgType></xml>", "event"),
            ("<xml><ToUserName>ww1</ToUserName></xml>", "message"),
            ("<xml><Event>unsubscribe</Event><FromUserName>\u{fffd}</FromUserName></xml>", "unsubscribe"),
            ("<xml><MsgType>event</MsgType><Event>subscribe</Event></xml>", "subscribe"),
        ] {
            assert_eq!(read(text).unwrap_err().kind, kind, "{text}");
        }
    }

    #[test]
    fn an_empty_new_userid_is_none() {
        let event = change("<ChangeType>update_user</ChangeType><UserID>a1</UserID><NewUserID> </NewUserID>");
        assert_eq!(event, Some(ContactEvent::Member(user("a1"))));
    }
}
