use std::borrow::Cow;

use crate::company::{App, Company, Department, Member, Tag};

/// A change of a company.
#[derive(Debug, Clone)]
pub enum Change {
    /// Somebody new.
    AddMember(Box<Member>),
    /// The member of that userid becomes this one; another userid in it renames.
    EditMember {
        /// As it is now.
        userid: String,
        /// As it will be.
        member: Box<Member>,
    },
    /// The member leaves.
    RemoveMember(String),
    /// A new department.
    AddDepartment(Department),
    /// The department of that id becomes this one.
    EditDepartment(Department),
    /// The department is closed. Those below it and its members keep pointing at it.
    RemoveDepartment(i64),
    /// A new tag.
    AddTag(Tag),
    /// The tag of that id becomes this one.
    EditTag(Tag),
    /// The tag is removed.
    RemoveTag(i64),
    /// The app of that agentid becomes this one.
    EditApp(Box<App>),
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeRefused {
    /// It is about somebody or something that is not there.
    #[error("there is no {0}")]
    Missing(String),
    /// It would add what is there already.
    #[error("{0} exists")]
    Exists(String),
    /// A value that WeCom would not take either.
    #[error("{0}")]
    Invalid(String),
}

/// What a change did, as far as somebody may want to be told.
pub(super) enum Done {
    Member { before: Option<Box<Member>>, after: Option<Box<Member>> },
    Department { before: Option<Department>, after: Option<Department> },
    Tag { before: Tag, after: Tag },
    App,
}

fn member_of(company: &Company, userid: &str) -> Result<Member, ChangeRefused> {
    let member = company.member(userid).map(Cow::into_owned);
    member.ok_or_else(|| ChangeRefused::Missing(format!("member {userid:?}")))
}

fn fits(company: &Company, member: &Member) -> Result<(), ChangeRefused> {
    let invalid = |text: String| Err(ChangeRefused::Invalid(text));
    if !Member::is_userid(&member.userid) {
        let text = "userid must be 1 to 64 letters, digits or _-@., the first a letter or a digit";
        return invalid(text.to_owned());
    }
    if ![1, 2, 4, 5].contains(&member.status) {
        return invalid("status must be 1, 2, 4 or 5".to_owned());
    }
    match member.department.iter().find(|id| company.department(**id).is_none()) {
        Some(id) => invalid(format!("there is no department {id}")),
        None => Ok(()),
    }
}

fn free(company: &Company, userid: &str) -> Result<(), ChangeRefused> {
    match company.member(userid) {
        Some(member) => Err(ChangeRefused::Exists(format!("member {:?}", member.userid))),
        None => Ok(()),
    }
}

impl Change {
    /// Makes the change, or leaves everything as it is.
    pub(super) fn make(self, company: &mut Company) -> Result<Done, ChangeRefused> {
        match self {
            Self::AddMember(member) => {
                fits(company, &member)?;
                free(company, &member.userid)?;
                let userid = member.userid.clone();
                company.put_member(*member);
                let after = company.member(&userid).map(|member| Box::new(member.into_owned()));
                Ok(Done::Member { before: None, after })
            }
            Self::EditMember { userid, mut member } => {
                let before = member_of(company, &userid)?;
                fits(company, &member)?;
                if !member.userid.eq_ignore_ascii_case(&before.userid) {
                    free(company, &member.userid)?;
                }
                let moved = member.department != before.department;
                if moved && !member.department.contains(&member.main_department) {
                    member.main_department = 0;
                }
                let renamed = member.userid.clone();
                company.edit_member(&userid, |current| *current = *member);
                let after = company.member(&renamed).map(|member| Box::new(member.into_owned()));
                Ok(Done::Member { before: Some(Box::new(before)), after })
            }
            Self::RemoveMember(userid) => {
                let before = member_of(company, &userid)?;
                company.remove_member(&userid);
                Ok(Done::Member { before: Some(Box::new(before)), after: None })
            }
            Self::AddDepartment(department) => {
                if department.id < 1 {
                    return Err(ChangeRefused::Invalid("id must be 1 or more".to_owned()));
                }
                if company.department(department.id).is_some() {
                    return Err(ChangeRefused::Exists(format!("department {}", department.id)));
                }
                company.put_department(department.clone());
                Ok(Done::Department { before: None, after: Some(department) })
            }
            Self::EditDepartment(department) => {
                let missing = || ChangeRefused::Missing(format!("department {}", department.id));
                let before = company.department(department.id).ok_or_else(missing)?.clone();
                company.put_department(department.clone());
                Ok(Done::Department { before: Some(before), after: Some(department) })
            }
            Self::RemoveDepartment(id) => {
                let before = company.remove_department(id);
                let before = before.ok_or_else(|| ChangeRefused::Missing(format!("department {id}")))?;
                Ok(Done::Department { before: Some(before), after: None })
            }
            Self::AddTag(tag) if tag.tagid < 1 => {
                Err(ChangeRefused::Invalid("tagid must be 1 or more".to_owned()))
            }
            Self::AddTag(tag) if company.tag(tag.tagid).is_some() => {
                Err(ChangeRefused::Exists(format!("tag {}", tag.tagid)))
            }
            Self::AddTag(tag) => {
                company.put_tag(tag.clone());
                Ok(Done::Tag { before: Tag { tagid: tag.tagid, ..Tag::default() }, after: tag })
            }
            Self::EditTag(tag) => {
                let before = company.tag(tag.tagid).cloned();
                let before = before.ok_or_else(|| ChangeRefused::Missing(format!("tag {}", tag.tagid)))?;
                company.put_tag(tag.clone());
                Ok(Done::Tag { before, after: tag })
            }
            Self::RemoveTag(tagid) => {
                let before = company.remove_tag(tagid);
                let before = before.ok_or_else(|| ChangeRefused::Missing(format!("tag {tagid}")))?;
                Ok(Done::Tag { before, after: Tag { tagid, ..Tag::default() } })
            }
            Self::EditApp(app) => {
                if company.app(app.agentid).is_none() {
                    return Err(ChangeRefused::Missing(format!("app {}", app.agentid)));
                }
                company.put_app(*app);
                Ok(Done::App)
            }
        }
    }
}
