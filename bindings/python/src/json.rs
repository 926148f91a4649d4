//! Values between Python and the elements: what JSON can say, and nothing else.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};

/// How deep values may lie in each other.
const DEEPEST: usize = 64;

/// The value of a Python object; `name` is what an error calls it.
pub(crate) fn from_python(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Value> {
    read(object, name, 0)
}

fn read(object: &Bound<'_, PyAny>, name: &str, depth: usize) -> PyResult<Value> {
    let wrong = |problem: String| PyTypeError::new_err(format!("{name}: {problem}"));
    if depth > DEEPEST {
        return Err(wrong(format!("nested deeper than {DEEPEST} levels, or in a circle")));
    }
    if let Ok(text) = object.cast::<PyString>() {
        // A text that is no Unicode is still a text: WeCom refuses it as it refuses any other wrong code.
        return Ok(Value::String(text.to_string_lossy().into_owned()));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if object.cast::<PyInt>().is_ok() {
        let number = object.extract::<i64>().map(Number::from);
        let number = number.or_else(|_| object.extract::<u64>().map(Number::from));
        return number.map(Value::Number).map_err(|_| wrong("an int of more than 64 bits".to_owned()));
    }
    if object.cast::<PyFloat>().is_ok() {
        let number = Number::from_f64(object.extract()?);
        return number.map(Value::Number).ok_or_else(|| wrong("a float that is no number".to_owned()));
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let mut map = Map::new();
        for (key, value) in dict {
            let key =
                key.cast::<PyString>().map_err(|_| wrong("a dict with a key that is no str".to_owned()))?;
            map.insert(key.to_string_lossy().into_owned(), read(&value, name, depth + 1)?);
        }
        return Ok(Value::Object(map));
    }
    if let Ok(list) = object.cast::<PyList>() {
        return list
            .iter()
            .map(|item| read(&item, name, depth + 1))
            .collect::<PyResult<_>>()
            .map(Value::Array);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return tuple
            .iter()
            .map(|item| read(&item, name, depth + 1))
            .collect::<PyResult<_>>()
            .map(Value::Array);
    }
    let given = object.get_type().name()?;
    Err(wrong(format!("{given} is none of str, int, float, bool, None, list, tuple and dict")))
}

/// The Python object of a value.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| to_python(py, item)).collect::<PyResult<_>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(map) => object_to_python(py, map)?.into_any(),
    })
}

/// A dict of an object.
pub(crate) fn object_to_python<'py>(
    py: Python<'py>,
    map: &Map<String, Value>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in map {
        dict.set_item(key, to_python(py, value)?)?;
    }
    Ok(dict)
}
