//! The endpoints that this crate calls: path, size limit of the answer, and whether a request consumes something.

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Api {
    /// The path below `/cgi-bin/`, also the name in logs and errors.
    pub(crate) path: &'static str,
    /// The largest accepted answer, in bytes.
    pub(crate) largest_answer: usize,
    /// True if a request that reached WeCom cannot be repeated, because WeCom has consumed its parameter.
    pub(crate) consumes: bool,
}

const SMALL: usize = 64 * 1024;
/// A member's row takes about 1 KiB; a company has at most a few 10,000 rows in one department.
const LIST: usize = 128 * 1024 * 1024;

const fn small(path: &'static str) -> Api {
    Api { path, largest_answer: SMALL, consumes: false }
}

const fn list(path: &'static str) -> Api {
    Api { path, largest_answer: LIST, consumes: false }
}

pub(crate) static GETTOKEN: Api = small("gettoken");
pub(crate) static GETUSERINFO: Api = Api { path: "auth/getuserinfo", largest_answer: SMALL, consumes: true };
pub(crate) static GETUSERDETAIL: Api = small("auth/getuserdetail");
pub(crate) static USER_GET: Api = Api { path: "user/get", largest_answer: 1024 * 1024, consumes: false };
pub(crate) static USER_LIST: Api = list("user/list");
pub(crate) static USER_SIMPLELIST: Api = list("user/simplelist");
/// 10,000 rows of a userid and a number.
pub(crate) static USER_LIST_ID: Api = list("user/list_id");
pub(crate) static DEPARTMENT_LIST: Api = list("department/list");
pub(crate) static DEPARTMENT_SIMPLELIST: Api = list("department/simplelist");
pub(crate) static DEPARTMENT_GET: Api = small("department/get");
/// The visible scope may name every member one by one.
pub(crate) static AGENT_GET: Api = list("agent/get");
pub(crate) static TAG_GET: Api = list("tag/get");
