"""`QywxInnerAuthModel`: the local copy of the members, as the platform's models show rows."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, TypedDict

from ._native import Model as _Model
from ._q import Filter


class Field:
    """A field of a row: `.value`, or used as the value itself in text and comparison."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.value!r}>"

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Field) else other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)


class RowData:
    """A row: `row.userId.value` and `row["userId"]` are the same value. `dict(row)` is a plain dict.

    `department` is a list of numbers; `expiresAt`, `createdAt` and `updatedAt` are milliseconds since 1970 (UTC).
    """

    __slots__ = ("_values",)

    def __init__(self, values: Dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Field:
        # Without _values there is nothing to look in, which is so while a row is being copied.
        if name != "_values" and name in self._values:
            return Field(name, self._values[name])
        raise AttributeError(f"the row has no field {name}")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowData) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def keys(self) -> List[str]:
        """The names of the fields."""
        return list(self._values)

    def __repr__(self) -> str:
        return f"RowData({self._values!r})"


class Rows(TypedDict):
    """What `query` gives."""

    rowDatas: List[RowData]
    totalCount: int


class AuthModel:
    """The members of an instance's company, or of every company. It reads the local copy and asks nobody else.

    `accessToken` holds the SHA-256 of the token of the member's latest live session, `expiresAt` its end; both are
    empty without one. They are for your own program: do not hand them to browsers.
    """

    fullName: str

    def __init__(self, model: _Model, full_name: str) -> None:
        self._model = model
        self.fullName = full_name

    def get(self, filter: Filter = None, orderList: Optional[Sequence[Sequence[Any]]] = None, level: int = 2) -> Optional[RowData]:
        """The first row that the filter means, or None. `level` is the platform's; these rows have no related ones."""
        row = self._model.get(_text(filter), _orders(orderList))
        return None if row is None else RowData(row)

    def query(
        self,
        filter: Filter = None,
        fieldList: Optional[Sequence[str]] = None,
        orderList: Optional[Sequence[Sequence[Any]]] = None,
        page: Optional[int] = None,
        size: Optional[int] = None,
        level: int = 2,
    ) -> Rows:
        """A page of rows, from 1 on with 20 rows each unless told otherwise (1000 at most), and how many there are.

        `orderList` is `[["name", 1], ["id", -1]]`: 1 ascending, -1 descending.
        """
        fields = [str(name) for name in fieldList or ()]
        page, size = 1 if page is None else page, 20 if size is None else size
        rows, count = self._model.query(_text(filter), fields, _orders(orderList), page, size)
        return {"rowDatas": [RowData(row) for row in rows], "totalCount": count}

    def __repr__(self) -> str:
        return f"<model {self.fullName}>"


def _text(filter: Filter) -> str:
    return "Q()" if filter is None else str(filter)


def _orders(orders: Optional[Sequence[Sequence[Any]]]) -> List[tuple[str, int]]:
    return [(str(name), int(direction)) for name, direction in orders or ()]
