use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::html::{Frame, expired};
use super::sign_in::{Page, SignIn};
use super::words::{Language, Words};
use crate::company::{Company, Face, Member};
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
    let fragment = Fragment { frame: Frame::new(sign_in.look), people };
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
    /// The first of those who match, in the order in which the company was written.
    pub(super) fn of(world: &mut World, sign_in: &SignIn, key: &str, query: &str, phone: bool) -> Self {
        let none = Self { choices: Vec::new(), more: false, query: query.to_owned() };
        let Some(company) = world.company_mut(&sign_in.corpid) else { return none };
        let visible = sign_in.agentid.map(|agentid| company.visible_to(agentid));
        let company: &Company = company;
        let outside = |member: &Member| visible.as_ref().is_some_and(|visible| !visible.member(member));
        let sought = query.trim().to_lowercase();
        // Nobody wants a large company gone through to see its first.
        let found = company.faces(0).map(|(_, face)| face).filter(|face| matches(company, face, &sought));
        let found: Vec<_> = found.take(SHOWN + 1).filter_map(|face| company.member(&face.userid)).collect();

        let step = match sign_in.page {
            Page::Device { .. } => "/connect/device",
            _ => "/wwlogin/confirm",
        };
        let choices = found.iter().take(SHOWN).map(|member| Choice {
            userid: member.userid.clone(),
            name: member.name.clone(),
            initial: member.name.chars().next().map(String::from).unwrap_or_default(),
            department: department_of(company, member, sign_in.look.language),
            badges: badges(member, outside(member), sign_in.look.words()),
            link: format!(
                "{step}?key={key}&{}{}",
                parameter(&Person::Member(member.userid.clone())),
                if phone { "&phone=1" } else { "" }
            ),
        });
        Self { choices: choices.collect(), more: found.len() > SHOWN, ..none }
    }
}

fn matches(company: &Company, member: &Face<'_>, sought: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(sought);
    sought.is_empty()
        || holds(&member.userid)
        || holds(&member.name)
        || holds(member.alias)
        || member.department.iter().any(|id| {
            company
                .department(*id)
                .is_some_and(|department| holds(&department.name) || holds(&department.name_en))
        })
}

/// The main department's name in the page's language, as the picker shows it.
pub(super) fn department_of(company: &Company, member: &Member, language: Language) -> String {
    let Some(department) = company.department(member.main_department) else {
        return language.words().no_department.to_owned();
    };
    match language {
        Language::English if !department.name_en.is_empty() => department.name_en.clone(),
        _ => department.name.clone(),
    }
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
