"""Filters of `QywxInnerAuthModel`, in both grammars of the platform."""

from __future__ import annotations

from typing import Any, ClassVar, List, Union


class _Join:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"Q.{self._name}"


class Q:
    """A filter: `Q(userId='x', id__gte=2)`, or `Q(Q('userId', '=', 'x'), Q.AND, Q('id', '>=', 2))`.

    `Q()` means every row. `&` and `|` join filters, too. Field names, operators and values are checked when the filter
    is used. `str()` gives the text form, which is as good as the object.
    """

    AND: ClassVar[_Join] = _Join("AND")
    OR: ClassVar[_Join] = _Join("OR")

    _text: str

    def __init__(self, *parts: Any, **conditions: Any) -> None:
        if conditions:
            if parts:
                raise TypeError("Q takes conditions by name or parts by position, not both")
            inner = ", ".join(f"{name}={_value(value)}" for name, value in conditions.items())
        elif len(parts) == 3 and isinstance(parts[0], str) and isinstance(parts[1], str):
            inner = f"{parts[0]!r}, {parts[1]!r}, {_value(parts[2])}"
        else:
            inner = ", ".join(_part(part, place) for place, part in enumerate(parts))
        self._text = f"Q({inner})"

    def __and__(self, other: Q) -> Q:
        return Q(self, Q.AND, other)

    def __or__(self, other: Q) -> Q:
        return Q(self, Q.OR, other)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def _part(part: Any, place: int) -> str:
    if isinstance(part, (Q, _Join)):
        return repr(part)
    raise TypeError(f"Q: part {place + 1} must be a Q, Q.AND or Q.OR, not {type(part).__name__}")


def _value(value: Any) -> str:
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, str):
        # Without what JSON and SQL cannot hold; such a text equals none.
        return repr(str(value).encode("utf-8", "replace").decode("utf-8"))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if hasattr(value, "value"):
        return _value(value.value)
    raise TypeError(f"Q: a value must be str, int, bool, None or a list of those, not {type(value).__name__}")


Filter = Union[Q, str, None]
Orders = List[List[Any]]
