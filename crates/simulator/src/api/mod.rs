//! The server API below `/cgi-bin/`.
//!
//! Each endpoint is a row of a table: what it takes, which empty fields its failures keep, and the function that
//! answers once the checks that all share are passed. Their order is the live service's: path, token present,
//! token valid, address, permission, parameters.

mod answer;
mod apps;
mod call;
mod departments;
mod fields;
mod identity;
mod members;
mod serve;
mod shown;
mod tags;
mod token;

use answer::Empty;
pub(crate) use answer::{Outcome, Refusal};
pub(crate) use call::Call;
pub(crate) use fields::{Fields, List};
pub(crate) use serve::serve;

/// Whose secret a call takes (WeCom 90313, 48002; 96079).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody's yet: `gettoken` alone needs no token and has no address gate.
    Open,
    /// An app's and contact sync's.
    All,
    /// An app's.
    Apps,
    /// Contact sync's.
    ContactSync,
    /// An app's; contact sync's only from addresses of old (48009).
    Details,
}

/// One call of the API.
pub(crate) struct Endpoint {
    /// What stands behind `/cgi-bin/`.
    pub(crate) path: &'static str,
    /// Parameters come as a JSON body instead of in the query.
    post: bool,
    access: Access,
    /// Takes authorization codes.
    redeems: bool,
    /// Fields that stand in a failure too, empty.
    empty: &'static [(&'static str, Empty)],
    /// Its 40014 has neither hint nor address, as measured on the live service.
    bare_40014: bool,
    run: fn(&mut Call<'_>) -> Outcome,
}

const GET: Endpoint = Endpoint {
    path: "",
    post: false,
    access: Access::All,
    redeems: false,
    empty: &[],
    bare_40014: false,
    run: |_| Err(Refusal::of(-1)),
};
const POST: Endpoint = Endpoint { post: true, ..GET };

/// Lists that a failed read of one member still carries (measured).
const MEMBER: &[(&str, Empty)] = &[
    ("department", Empty::List),
    ("order", Empty::List),
    ("is_leader_in_dept", Empty::List),
    ("direct_leader", Empty::List),
];

const ENDPOINTS: &[Endpoint] = &[
    Endpoint { path: "gettoken", access: Access::Open, run: token::gettoken, ..GET },
    Endpoint { path: "auth/getuserinfo", redeems: true, run: identity::getuserinfo, ..GET },
    Endpoint { path: "user/getuserinfo", redeems: true, run: identity::getuserinfo_legacy, ..GET },
    Endpoint { path: "auth/getuserdetail", access: Access::Apps, run: identity::getuserdetail, ..POST },
    Endpoint {
        path: "user/get",
        bare_40014: true,
        empty: MEMBER,
        access: Access::Details,
        run: members::user_get,
        ..GET
    },
    Endpoint {
        path: "user/simplelist",
        empty: &[("userlist", Empty::List)],
        access: Access::Details,
        run: members::user_simplelist,
        ..GET
    },
    Endpoint {
        path: "user/list",
        empty: &[("userlist", Empty::List)],
        access: Access::Details,
        run: members::user_list,
        ..GET
    },
    Endpoint {
        path: "user/list_id",
        empty: &[("dept_user", Empty::List)],
        access: Access::ContactSync,
        run: members::user_list_id,
        ..POST
    },
    Endpoint { path: "user/getuserid", run: members::userid_by_mobile, ..POST },
    Endpoint { path: "user/get_userid_by_email", run: members::userid_by_email, ..POST },
    Endpoint {
        path: "department/list",
        empty: &[("department", Empty::List)],
        access: Access::Details,
        run: departments::department_list,
        ..GET
    },
    Endpoint {
        path: "department/simplelist",
        bare_40014: true,
        empty: &[("department_id", Empty::List)],
        run: departments::department_simplelist,
        ..GET
    },
    Endpoint { path: "department/get", access: Access::Details, run: departments::department_get, ..GET },
    Endpoint { path: "tag/list", empty: &[("taglist", Empty::List)], run: tags::tag_list, ..GET },
    Endpoint {
        path: "tag/get",
        empty: &[("userlist", Empty::List), ("partylist", Empty::List)],
        run: tags::tag_get,
        ..GET
    },
    Endpoint { path: "agent/get", run: apps::agent_get, ..GET },
    Endpoint {
        path: "get_api_domain_ip",
        empty: &[("ip_list", Empty::List)],
        run: apps::get_api_domain_ip,
        ..GET
    },
];

/// The endpoint of that name, if WeCom has it.
pub(crate) fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
}
