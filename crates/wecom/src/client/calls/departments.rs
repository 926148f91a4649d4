//! Departments in the app's visible scope (WeCom 90208, 95406, 95407). A list may have several roots, because the
//! parent of a visible department need not be visible.

use serde::Deserialize;

use super::{Calls, Listing, Parameters};
use crate::client::api::{Api, DEPARTMENT_GET, DEPARTMENT_LIST, DEPARTMENT_SIMPLELIST};
use crate::client::error::Kind;
use crate::client::wire::{self, Rows};
use crate::{DepartmentId, Error, UserId};

/// A department.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Department {
    /// The department.
    #[serde(deserialize_with = "wire::required_department")]
    pub id: DepartmentId,
    /// Name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: Option<String>,
    /// English name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name_en: Option<String>,
    /// Its leaders.
    #[serde(default, rename = "department_leader", deserialize_with = "wire::user_ids")]
    pub leaders: Vec<UserId>,
    /// The parent department; `None` for the root. It may be outside the visible scope.
    #[serde(default, rename = "parentid", deserialize_with = "wire::department")]
    pub parent_id: Option<DepartmentId>,
    /// Rank among its siblings, 0 to 2^32 - 1; higher ranks come first.
    #[serde(default, deserialize_with = "wire::number")]
    pub order: Option<i64>,
}

/// A department's position in the tree (`department/simplelist`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DepartmentNode {
    /// The department.
    #[serde(deserialize_with = "wire::required_department")]
    pub id: DepartmentId,
    /// The parent department; `None` for the root. It may be outside the visible scope.
    #[serde(default, rename = "parentid", deserialize_with = "wire::department")]
    pub parent_id: Option<DepartmentId>,
    /// Rank among its siblings, 0 to 2^32 - 1; higher ranks come first.
    #[serde(default, deserialize_with = "wire::number")]
    pub order: Option<i64>,
}

#[derive(Deserialize)]
struct DepartmentList {
    #[serde(default)]
    department: Rows<Department>,
}

#[derive(Deserialize)]
struct NodeList {
    #[serde(default)]
    department_id: Rows<DepartmentNode>,
}

#[derive(Deserialize)]
struct OneDepartment {
    department: Option<Department>,
}

impl Calls {
    /// The department `below` and its subtree; without it, all visible departments (`department/list`). WeCom
    /// documents it as slow and recommends [`department_ids`](Self::department_ids) with
    /// [`department`](Self::department).
    pub async fn departments(&self, below: Option<DepartmentId>) -> Result<Listing<Department>, Error> {
        let answer: DepartmentList = self.below(&DEPARTMENT_LIST, below).await?;
        Ok(Listing::new(DEPARTMENT_LIST.path, answer.department))
    }

    /// Like [`departments`](Self::departments), but only the tree (`department/simplelist`).
    pub async fn department_ids(
        &self,
        below: Option<DepartmentId>,
    ) -> Result<Listing<DepartmentNode>, Error> {
        let answer: NodeList = self.below(&DEPARTMENT_SIMPLELIST, below).await?;
        Ok(Listing::new(DEPARTMENT_SIMPLELIST.path, answer.department_id))
    }

    /// One department (`department/get`).
    pub async fn department(&self, id: DepartmentId) -> Result<Department, Error> {
        let answer: OneDepartment =
            self.call(&DEPARTMENT_GET, Parameters::query(&[("id", &id.to_string())])).await?;
        answer.department.ok_or_else(|| Error::of_call(DEPARTMENT_GET.path, Kind::Incomplete("department")))
    }

    async fn below<T: serde::de::DeserializeOwned>(
        &self,
        api: &'static Api,
        below: Option<DepartmentId>,
    ) -> Result<T, Error> {
        match below {
            None => self.call(api, Parameters::query(&[])).await,
            Some(id) => self.call(api, Parameters::query(&[("id", &id.to_string())])).await,
        }
    }
}
