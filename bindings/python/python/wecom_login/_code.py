"""The errors of the package. `Code` is what `jit.errcode` gives."""

from __future__ import annotations

from typing import Any


class Code(Exception):
    """An error with a number and a reason; `str()` holds both and nothing else.

    The number is WeCom's errcode where WeCom refused, one of docs/error-codes.md otherwise, and 50000 for what nobody
    foresaw. Write your own as `raise Code(9000001, "...")`, or keep one and raise it with `formatReason`.
    """

    code: int
    reason: str

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def formatReason(self, **values: Any) -> Code:
        """The same error, with `{name}` in its reason replaced."""
        return type(self)(self.code, self.reason.format(**values))

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"Code({self.code!r}, {self.reason!r})"


class StartError(Exception):
    """The app cannot be opened, or not used as it is: its folder, a setting, the database, a fork."""


for _error in (Code, StartError):
    _error.__module__ = "wecom_login"
