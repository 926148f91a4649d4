use wecom::callback::Message;
use wecom_login_model::{AgentId, DepartmentId, UserId};

use super::{EventTask, Leaver};

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

impl ContactEvent {
    /// What a decrypted message says; `None` for other events, and for those that name nobody whom WeCom could mean.
    /// An app's own event must be of this app.
    pub fn of(message: &Message, agent_id: &AgentId) -> Option<Self> {
        if message.get("MsgType") != Some("event") {
            return None;
        }
        let user = |field| UserId::parse(message.get(field)?.trim()).ok();
        let of_app = || message.get("AgentID").is_none_or(|named| named.trim() == agent_id.as_str());
        match message.get("Event")? {
            "change_contact" => match message.get("ChangeType")?.trim() {
                "create_user" => Some(Self::Member(user("UserID")?)),
                "update_user" => Some(match (user("UserID")?, user("NewUserID")) {
                    (from, Some(to)) => Self::Renamed { from, to },
                    (user_id, None) => Self::Member(user_id),
                }),
                "delete_user" => Some(Self::Left(user("UserID")?)),
                "create_party" | "update_party" | "delete_party" => {
                    Some(Self::Department(department(message.get("Id")?)?))
                }
                "update_tag" => {
                    let items = |fields: [&'static str; 2]| {
                        fields
                            .into_iter()
                            .filter_map(|field| message.get(field))
                            .flat_map(|list| list.split(','))
                    };
                    let users = items(["AddUserItems", "DelUserItems"]);
                    let parties = items(["AddPartyItems", "DelPartyItems"]);
                    Some(Self::Tag(
                        users.filter_map(|item| UserId::parse(item.trim()).ok()).collect(),
                        parties.filter_map(department).collect(),
                    ))
                }
                _ => None,
            },
            "subscribe" if of_app() => Some(Self::EnteredScope(user("FromUserName")?)),
            "unsubscribe" if of_app() => Some(Self::LeftScope(user("FromUserName")?)),
            _ => None,
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

fn department(text: &str) -> Option<DepartmentId> {
    text.trim().parse().ok().filter(|id| *id > 0).map(DepartmentId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &str) -> Option<ContactEvent> {
        let text = format!("<xml><MsgType><![CDATA[event]]></MsgType>{fields}</xml>");
        let message = Message::parse(text.as_bytes()).unwrap();
        ContactEvent::of(&message, &AgentId::parse("1000002").unwrap())
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
    fn what_names_nobody_says_nothing() {
        for fields in [
            "<ChangeType>create_user</ChangeType>",
            "<ChangeType>delete_user</ChangeType><UserID>张三</UserID>",
            "<ChangeType>update_party</ChangeType><Id>x</Id>",
            "<ChangeType>update_party</ChangeType><Id>0</Id>",
            "<ChangeType>something_new</ChangeType><UserID>a</UserID>",
            "",
        ] {
            assert_eq!(change(fields), None, "{fields}");
        }
        assert_eq!(of("<Event>batch_job_result</Event>"), None);
        let text =
            b"<xml><MsgType>text</MsgType><Event>subscribe</Event><FromUserName>a</FromUserName></xml>";
        let message = Message::parse(text).unwrap();
        assert_eq!(ContactEvent::of(&message, &AgentId::parse("1").unwrap()), None);
    }
}
