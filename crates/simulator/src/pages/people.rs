use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::html::{Frame, expired};
use super::sign_in::{Page, SignIn};
use super::words::Words;
use crate::company::{Company, Member};
use crate::grants::Person;
use crate::world::{Shared, World};

/// So many people stand on a page; the rest are found by searching.
const SHOWN: usize = 12;

/// Somebody to choose.
pub(super) struct Choice {
    pub(super) userid: String,
    pub(super) name: String,
    pub(super) initial: String,
    pub(super) department: String,
    /// What is special about the member: disabled, outside the scope.
    pub(super) badges: Vec<&'static str>,
    pub(super) link: String,
}

/// The people to choose from.
pub(super) struct People {
    pub(super) choices: Vec<Choice>,
    pub(super) more: bool,
    pub(super) query: String,
}

#[derive(Template)]
#[template(path = "people.html")]
struct Fragment {
    frame: Frame,
    people: People,
}

/// The picker's own parameters.
#[derive(Deserialize)]
pub(super) struct Search {
    key: String,
    #[serde(default)]
    q: String,
    phone: Option<String>,
}

/// GET /wwlogin/people: the list alone, for the search while typing.
pub(super) async fn fragment(
    State(shared): State<Arc<Shared>>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live(&search.key, now).cloned() else {
        return expired(&headers);
    };
    let people = People::of(&mut world, &sign_in, &search.key, &search.q, search.phone.is_some());
    let fragment = Fragment { frame: Frame::new(sign_in.language), people };
    fragment.render().map_or_else(|_| ().into_response(), |html| Html(html).into_response())
}

/// The parameter that names a person in a link.
pub(super) fn parameter(who: &Person) -> String {
    let (name, value) = match who {
        Person::Member(userid) => ("userid", userid),
        Person::Outsider(openid) => ("openid", openid),
    };
    format!("{name}={}", byte_serialize(value.as_bytes()).collect::<String>())
}

impl People {
    /// Those who match, best known first: in scope before outside, active before the others, then by department and account.
    pub(super) fn of(world: &mut World, sign_in: &SignIn, key: &str, query: &str, phone: bool) -> Self {
        let none = Self { choices: Vec::new(), more: false, query: query.to_owned() };
        let Some(company) = world.company_mut(&sign_in.corpid) else { return none };
        let visible = sign_in.agentid.map(|agentid| company.visible_to(agentid));
        let company: &Company = company;
        let outside = |member: &Member| visible.as_ref().is_some_and(|visible| !visible.member(member));

        let sought = query.trim().to_lowercase();
        let mut found: Vec<&Member> = if sought.is_empty() && company.headcount() > 10 * SHOWN {
            // Anybody will do, and nobody wants a company of 100,000 sorted for it.
            company
                .departments()
                .flat_map(|department| company.members_of(department.id))
                .take(SHOWN + 1)
                .collect()
        } else {
            company.members().filter(|member| matches(company, member, &sought)).collect()
        };
        found.sort_by_cached_key(|member| {
            (outside(member), member.status != 1, member.main_department, Member::key(&member.userid))
        });
        found.dedup_by_key(|member| &member.userid);

        let step = match sign_in.page {
            Page::Device { .. } => "/connect/device",
            _ => "/wwlogin/confirm",
        };
        let words = sign_in.language.words();
        let choices = found.iter().take(SHOWN).map(|member| Choice {
            userid: member.userid.clone(),
            name: member.name.clone(),
            initial: member.name.chars().next().map(String::from).unwrap_or_default(),
            department: department_of(company, member, words),
            badges: badges(member, outside(member), words),
            link: format!(
                "{step}?key={key}&{}{}",
                parameter(&Person::Member(member.userid.clone())),
                if phone { "&phone=1" } else { "" }
            ),
        });
        Self { choices: choices.collect(), more: found.len() > SHOWN, ..none }
    }
}

fn matches(company: &Company, member: &Member, sought: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(sought);
    sought.is_empty()
        || holds(&member.userid)
        || holds(&member.name)
        || holds(&member.alias)
        || member.department.iter().any(|id| {
            company
                .department(*id)
                .is_some_and(|department| holds(&department.name) || holds(&department.name_en))
        })
}

/// The main department's name, as the picker shows it.
pub(super) fn department_of(company: &Company, member: &Member, words: &Words) -> String {
    company
        .department(member.main_department)
        .map_or_else(|| words.no_department.to_owned(), |department| department.name.clone())
}

/// What is special about the member.
pub(super) fn badges(member: &Member, outside: bool, words: &Words) -> Vec<&'static str> {
    let status = match member.status {
        2 => Some(words.disabled),
        4 => Some(words.not_activated),
        5 => Some(words.left),
        _ => None,
    };
    status.into_iter().chain(outside.then_some(words.out_of_scope)).collect()
}
