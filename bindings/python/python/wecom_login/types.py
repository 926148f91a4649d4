"""The official Types, for own ones in Python to build on.

An own Type is an element folder with a `loader.py`; `Loader.load` makes one object for each instance:

    from wecom_login.types import QywxInnerType

    class WithMail(QywxInnerType):
        def getLoginCode(self, authCode, state=None):
            user = super().getLoginCode(authCode, state)
            user["companyMail"] = user["userId"].lower() + "@example.com"
            return user

    class Loader:
        def __init__(self, nodes):
            self.nodes = nodes

        def load(self):
            return WithMail(self.nodes)

`super()` is what the class overrides or builds on, whichever app it is in. Who is signed in is decided by WeCom's
proof alone: a function may refuse, and may change what the caller sees.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, Union, overload

from ._native import Owner as _Owner

__all__ = ["Loader", "Node", "QywxInnerType"]


class Node:
    """One app's copy of an element. A Loader gets them all, the most derived app's first."""

    appId: str
    fullName: str
    define: Dict[str, Any]
    """What this copy's e.json says."""
    folders: List[str]
    """Its folders; none for an element that is built in."""

    def __init__(self, app_id: str, full_name: str, folders: Sequence[str], define: Mapping[str, Any]) -> None:
        self.appId = app_id
        self.fullName = full_name
        self.folders = list(folders)
        self.define = dict(define)

    @property
    def name(self) -> str:
        """The last part of the full name."""
        return self.fullName.rsplit(".", 1)[-1]

    @overload
    def getFile(self, name: str, isBinary: Literal[False] = False) -> str: ...

    @overload
    def getFile(self, name: str, isBinary: Literal[True]) -> bytes: ...

    @overload
    def getFile(self, name: str, isBinary: bool) -> Union[str, bytes]: ...

    def getFile(self, name: str, isBinary: bool = False) -> Union[str, bytes]:
        """A file of this copy. Raises FileNotFoundError."""
        for folder in self.folders:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
                return content if isBinary else content.decode("utf-8-sig")
        raise FileNotFoundError(f"{self.fullName} of {self.appId} has no file {name}")

    def __repr__(self) -> str:
        return f"<{self.fullName} of {self.appId}>"


class QywxInnerType:
    """`auths.loginTypes.QywxInnerType`: sign-in with WeCom through a self-built app."""

    nodes: Sequence[Node]
    _owner: Optional[_Owner] = None

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def getLoginConfig(self) -> Any:
        """corpId, agentId, redirectUri and a new state, for one use within 10 minutes."""
        return self._next("getLoginConfig")

    def getLoginCode(self, authCode: str, state: Optional[str] = None) -> Any:
        """Exchanges WeCom's code; who it is, as a dict."""
        return self._next("getLoginCode", authCode=authCode, state=state)

    def getUserInfo(self, userId: str) -> Any:
        """The member as WeCom tells them now, as a dict."""
        return self._next("getUserInfo", userId=userId)

    def getAccessToken(self) -> Any:
        """The app's access token."""
        return self._next("getAccessToken")

    def syncUserInfo(self, userId: str, forceUpdate: Optional[bool] = False) -> Any:
        """Brings a member's row up to date."""
        return self._next("syncUserInfo", userId=userId, forceUpdate=forceUpdate)

    def syncDepartmentInfo(self, deptId: Optional[str] = None) -> Any:
        """Brings a department with all below it, or every visible one, up to date, with its members."""
        return self._next("syncDepartmentInfo", deptId=deptId)

    def _next(self, function: str, **arguments: Any) -> Any:
        if self._owner is None:
            raise RuntimeError(f"{type(self).__name__}.{function}: call it once the app is open, not while it is loaded")
        return self._owner.pass_on(function, **arguments)


class Loader:
    """The official Loader; an own one may build on it."""

    nodes: Sequence[Node]

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def load(self) -> Any:
        """The object that the instance has the functions of."""
        return QywxInnerType(self.nodes)

    def renderTemplateString(self, text: str, **values: str) -> str:
        """Puts values in the place of `{{name}}`. Raises KeyError for a name without one."""
        return re.sub(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}", lambda match: values[match.group(1)], text)
