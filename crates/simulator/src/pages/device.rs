use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use url::form_urlencoded::{byte_serialize, parse};

use super::html::{Frame, expired, message, page};
use super::login::outsider_of;
use super::people::People;
use super::redirect::found;
use super::sign_in::{Page, SignIn};
use crate::grants::Person;
use crate::header_bytes::cookies;
use crate::wire::Peer;
use crate::world::{Shared, World};

/// Whose WeCom client opens the OAuth page, where the browser's cookie does not say.
#[derive(Default)]
pub(crate) struct Device(Option<Person>);

impl Device {
    pub(crate) fn set(&mut self, person: Option<Person>) {
        self.0 = person;
    }
}

#[derive(Template)]
#[template(path = "device.html")]
struct Choose<'a> {
    frame: Frame,
    key: &'a str,
    outsider: String,
    people: People,
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    key: String,
    userid: Option<String>,
    openid: Option<String>,
    q: Option<String>,
}

/// Cookies do not tell ports apart, so the name does: two simulators on one machine keep two devices.
fn cookie_name(shared: &Shared) -> String {
    format!("sim_device_{}", shared.url.rsplit(':').next().unwrap_or_default())
}

/// Who holds the device: the browser's own choice first, then the one set for the whole simulator. Somebody
/// whom the company does not know counts as no choice.
pub(super) fn holder(shared: &Shared, world: &World, headers: &HeaderMap, corpid: &str) -> Option<Person> {
    let chosen = cookies(headers, &cookie_name(shared)).find_map(|value| read(value, corpid));
    chosen.or_else(|| world.device.0.clone()).filter(|person| match person {
        Person::Member(userid) => {
            world.company(corpid).is_some_and(|company| company.member(userid).is_some())
        }
        Person::Outsider(_) => true,
    })
}

/// A cookie's value holds company, kind and identifier, form-encoded twice over so that it is a cookie's text.
fn read(value: &str, corpid: &str) -> Option<Person> {
    let pairs: Vec<_> = parse(value.replace('!', "&").replace('~', "=").as_bytes()).into_owned().collect();
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if get("corpid")? != corpid {
        return None;
    }
    get("userid").map(Person::Member).or_else(|| get("openid").map(Person::Outsider))
}

fn written(corpid: &str, person: &Person) -> String {
    let (kind, id) = match person {
        Person::Member(userid) => ("userid", userid),
        Person::Outsider(openid) => ("openid", openid),
    };
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("corpid~{}!{kind}~{}", encoded(corpid), encoded(id))
}

/// The question whose phone it is.
pub(super) fn ask(world: &mut World, sign_in: &SignIn, key: &str, query: &str) -> Response {
    let people = People::of(world, sign_in, key, query, false);
    let outsider = world.company(&sign_in.corpid).map(outsider_of).unwrap_or_default();
    page(&Choose { frame: Frame::new(sign_in.look), key, outsider, people }, None)
}

/// GET /connect/device: the answer, kept in a cookie, and back to the OAuth page.
pub(super) async fn choose(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let now = shared.clock.now();
    let mut world = shared.world();
    let Some(sign_in) = world.sign_ins.live(&chosen.key, now).cloned() else {
        return expired(&headers);
    };
    let Page::Device { back } = &sign_in.page else {
        let words = sign_in.look.words();
        return message(sign_in.look, words.unreachable_title, words.no_person, None);
    };
    let person = chosen.userid.map(Person::Member).or_else(|| chosen.openid.map(Person::Outsider));
    let Some(person) = person else {
        return ask(&mut world, &sign_in, &chosen.key, chosen.q.as_deref().unwrap_or_default());
    };
    let mut response = found(back);
    let cookie = format!(
        "{}={}; Path=/connect; HttpOnly; SameSite=Lax{}",
        cookie_name(&shared),
        written(&sign_in.corpid, &person),
        if peer.scheme == "https" { "; Secure" } else { "" }
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_names_person_and_company() {
        for person in [Person::Member("a-b.c@d".to_owned()), Person::Outsider("o;=&~! 张".to_owned())] {
            let value = written("ww1", &person);
            assert!(value.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte)));
            assert_eq!(read(&value, "ww1"), Some(person));
            assert_eq!(read(&value, "ww2"), None);
        }
        assert_eq!(read("anything", "ww1"), None);
    }
}
