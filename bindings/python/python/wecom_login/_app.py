"""`app`: elements by their full names."""

from __future__ import annotations

import importlib
import os
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from ._code import Code
from ._model import AuthModel
from ._native import Core as _Core

_NO_ELEMENT = 710313
_MODEL = "QywxInnerAuthModel"

Path = Union[str, "os.PathLike[str]"]


class ElementAttrDict(Dict[str, Any]):
    """What an element's e.json says, as a dict and as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the e.json has no key {name}") from None


class App:
    """An app folder. Opened by `open_app`; the elements are looked up anew at each call, so edits take effect.

    It may be used from many threads. Before a fork it closes its database and opens it again, in parent and child, at
    the next call. `close()`, or leaving a `with` block, ends it.
    """

    _core: _Core
    envVars: Dict[str, str]
    """The environment that the app was opened with: the values of `{{NAME}}`."""

    def __init__(self, core: _Core, env_vars: Mapping[str, str]) -> None:
        self._core = core
        self.envVars = dict(env_vars)

    @property
    def folder(self) -> str:
        """The app's folder."""
        return str(self._core.folder)

    @property
    def orgId(self) -> str:
        """The organisation, `local` without an app.json."""
        return self._core.identity()[0]

    @property
    def name(self) -> str:
        """The app's name."""
        return self._core.identity()[1]

    @property
    def version(self) -> str:
        """The app's version."""
        return self._core.identity()[2]

    @property
    def appId(self) -> str:
        """`orgId.name`."""
        return ".".join(self._core.identity()[:2])

    @property
    def faults(self) -> List[str]:
        """What is wrong with elements, one sentence each, naming element, file and key or line."""
        return [text for _, text in self._core.faults()]

    def getElement(self, fullName: str) -> Any:
        """The element, or the model, of that full name. Raises Code 710313, which tells what is wrong with it."""
        kind = self._core.kind(fullName)
        if kind == "model":
            return AuthModel(self._core.model(fullName), fullName)
        if kind is None:
            chain = [fullName]
            while chain[-1] and chain[-1] not in chain[:-1]:
                chain.append((self._core.define(chain[-1]) or {}).get("type") or "")
            wrong = [text for name, text in self._core.faults() if name in chain]
            told = "；".join(wrong) or "检查名称和 e.json 的位置。"
            raise Code(_NO_ELEMENT, f"没有可用的元素 {fullName}：{told}")
        return Element(self, fullName)

    def findElements(self, selector: str) -> List[Any]:
        """The elements of a selector: a full name, `.` and a Type's full name for its instances, or several with
        commas between."""
        return [Element(self, name) for name in self._core.find(selector)]

    def getElementDefine(self, fullName: str) -> ElementAttrDict:
        """What the e.json files of an element say together, and its `fullName`; nothing is loaded for it."""
        define = self._core.define(fullName)
        if define is None:
            raise Code(_NO_ELEMENT, f"没有元素 {fullName}，或者它的 e.json 读不出来。")
        return ElementAttrDict(define)

    def reload(self) -> None:
        """Looks at the app's files now, as is done every two seconds. An edit that breaks what worked takes no
        effect; the reason goes to the log `wecom_login`."""
        self._core.look()

    def close(self) -> None:
        """Closes the database and ends what runs in the background."""
        self._core.close()

    def __enter__(self) -> App:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _step(self, name)

    def __repr__(self) -> str:
        return f"<app {self.folder}>"


class Element:
    """An element. Its functions are its attributes; what they give are plain dicts, lists and values.

    An instance of an own Type has the attributes of the object that its Loader has made, too; a Type has the names of
    its Python package.
    """

    def __init__(self, app: App, full_name: str) -> None:
        self.app = app
        self.fullName = full_name

    @property
    def name(self) -> str:
        """The last part of the full name."""
        return self.fullName.rsplit(".", 1)[-1]

    @property
    def define(self) -> ElementAttrDict:
        """What its e.json files say together."""
        return self.app.getElementDefine(self.fullName)

    @property
    def title(self) -> str:
        """The name shown to people."""
        return self._described()[0]

    @property
    def elementType(self) -> str:
        """The full name of its Type; empty for a Meta."""
        return self._described()[1]

    def _described(self) -> Tuple[str, str, List[str]]:
        described = self.app._core.describe(self.fullName)
        if described is None:
            raise Code(_NO_ELEMENT, f"没有可用的元素 {self.fullName}。")
        return described

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        core = self.app._core
        _, _, functions = self._described()
        if core.kind(self.fullName) == "instance":
            if name in functions:
                function = core.function(self.fullName, name)
                # Found at once next time; which code it runs is looked up at each call.
                self.__dict__[name] = function
                return function
            if name == _MODEL and core.kind(f"{self.fullName}.{_MODEL}"):
                return self.app.getElement(f"{self.fullName}.{_MODEL}")
            loaded = core.object(self.fullName)
            if loaded is not None and hasattr(loaded, name):
                return getattr(loaded, name)
        try:
            return _step(self.app, f"{self.fullName}.{name}")
        except AttributeError:
            pass
        try:
            return getattr(importlib.import_module(self.fullName), name)
        except (ImportError, AttributeError):
            known = ", ".join(functions) or "none"
            raise AttributeError(f"the element {self.fullName} has no {name}; its functions: {known}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and (self.app, self.fullName) == (other.app, other.fullName)

    def __hash__(self) -> int:
        return hash(self.fullName)

    def __repr__(self) -> str:
        return f"<element {self.fullName}>"


class _Path:
    """The first parts of a full name: `app.auths.loginTypes` on the way to an element."""

    def __init__(self, app: App, name: str) -> None:
        self._app = app
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _step(self._app, f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<{self._name} of {self._app!r}>"


def _step(app: App, name: str) -> Any:
    if app._core.kind(name) is not None:
        return app.getElement(name)
    if any(known.startswith(f"{name}.") for known in app._core.names()):
        return _Path(app, name)
    wrong = [text for element, text in app._core.faults() if element == name or element.startswith(f"{name}.")]
    told = f": {'; '.join(wrong)}" if wrong else ""
    raise AttributeError(f"the app has no element {name}{told}")


def open_app(
    dir: Path,
    *,
    config: Optional[Path] = None,
    data: Optional[Path] = None,
    appPath: Sequence[Path] = (),
) -> App:
    """Opens the app in a folder. Settings are those of the program: `wecom-login.toml` in the working folder (or
    `config`), then `WECOM_LOGIN_...` in the environment, then these arguments.

    Settings and folder are looked at now; the database is opened at the first call. Raises StartError.
    """
    environment = {name: value for name, value in os.environ.items() if _is_text(name) and _is_text(value)}
    core = _Core(
        os.fspath(dir),
        None if config is None else os.fspath(config),
        None if data is None else os.fspath(data),
        [os.fspath(path) for path in appPath],
        list(os.environ.items()),
    )
    from . import _loading

    app = App(core, environment)
    _loading.made(app)
    return app


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
