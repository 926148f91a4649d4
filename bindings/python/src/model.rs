//! `QywxInnerAuthModel` for Python: filters come as text, rows go as dicts.

use std::future::Future;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};
use wecom_login_auth_model::filter::Filter;
use wecom_login_auth_model::{Field, Order, Page, Query};
use wecom_login_directory::{AuthModel, Error};
use wecom_login_element::{Code, number};

use crate::app::Inner;
use crate::error::raise;
use crate::json::object_to_python;
use crate::{process, start_error};

/// The rows of an instance's company, or of every company.
#[pyclass(frozen, module = "wecom_login._native")]
pub(crate) struct Model {
    pub(crate) inner: Arc<Inner>,
    pub(crate) full_name: String,
}

fn bad(problem: impl ToString) -> Code {
    Code::new(number::BAD_ARGUMENTS, problem.to_string())
}

fn orders(list: &[(String, i64)]) -> Result<Vec<Order>, Code> {
    let order = |(name, direction): &(String, i64)| {
        Order::parse(name, *direction).map_err(|error| bad(format_args!("orderList: {error}")))
    };
    list.iter().map(order).collect()
}

fn dict<'py>(py: Python<'py>, row: &Value) -> PyResult<Bound<'py, PyDict>> {
    match row {
        Value::Object(map) => object_to_python(py, map),
        _ => Ok(PyDict::new(py)),
    }
}

impl Model {
    fn run<T: Send, F: Future<Output = Result<T, Error>>>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(AuthModel) -> F + Send,
    ) -> PyResult<T> {
        let answer = py.detach(|| {
            let _under_way = process::begin();
            let opened = self.inner.opened()?;
            let model = opened.server().and_then(|server| server.auth_model(&self.full_name));
            let model = model.ok_or_else(|| format!("there is no model {}", self.full_name))?;
            Ok(opened.handle.block_on(ask(model)))
        });
        answer.map_err(|problem: String| start_error(py, &problem))?.map_err(|error| {
            tracing::error!(%error, "the local copy cannot be read");
            raise(py, &Code::new(Code::UNFORESEEN, "本地数据读取失败，详情见日志。"))
        })
    }
}

#[pymethods]
impl Model {
    /// The first row that the filter means, or None.
    fn get<'py>(
        &self,
        py: Python<'py>,
        filter: &str,
        order_list: Vec<(String, i64)>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let filter: Filter = filter.parse().map_err(|error| raise(py, &bad(error)))?;
        let order = orders(&order_list).map_err(|code| raise(py, &code))?;
        let row = self.run(py, |model| async move { model.get(&filter, &order).await })?;
        row.map(|row| dict(py, &json!(row.whole()))).transpose()
    }

    /// A page of the rows that the filter means, and how many there are in all.
    fn query<'py>(
        &self,
        py: Python<'py>,
        filter: &str,
        field_list: Vec<String>,
        order_list: Vec<(String, i64)>,
        page: i64,
        size: i64,
    ) -> PyResult<(Vec<Bound<'py, PyDict>>, u64)> {
        let query = || {
            let fields = Query::fields_of(field_list.iter().map(String::as_str));
            Ok(Query {
                filter: filter.parse().map_err(bad)?,
                fields: fields.map_err(|error| bad(format_args!("fieldList: {error}")))?,
                order: orders(&order_list)?,
                page: Page::new(page, size).map_err(bad)?,
            })
        };
        let query = query().map_err(|code: Code| raise(py, &code))?;
        let rows = self.run(py, |model| async move { model.query(&query).await })?;
        let fields: &[Field] = if rows.fields.is_empty() { &Field::ALL } else { &rows.fields };
        let dicts =
            rows.rows.iter().map(|row| dict(py, &json!(row.select(fields)))).collect::<PyResult<_>>()?;
        Ok((dicts, rows.total_count))
    }
}
