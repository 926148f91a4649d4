"""From `loader.py` to classes and objects. Called by the native half; nothing here is for others.

The elements of an app can be imported by their full names (`from auths.loginTypes.QywxWithMail.loader import ...`), by
a finder that stands last, so that an installed package of the same name comes first. `auths.loginTypes.QywxInnerType`
is always the official Type, also for the app that overrides it. Where two apps of one line have a copy of an element,
the name means the more derived one; the other's module has a name below `_OTHERS`. Each reading of the app makes all
modules anew.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
import traceback
import types as modules
import weakref
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from . import types
from ._app import App
from ._code import StartError
from ._native import Core, Owner

_OFFICIAL = "auths.loginTypes.QywxInnerType"
_OTHERS = "wecom_login_apps"
_BUILT_IN = ("auths", "auths.loginTypes", _OFFICIAL)


class _Reading:
    """The apps of the last reading, and who has Python Types in this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        # The app itself first, then those that it extends: id and folder.
        self.apps: List[Tuple[str, str]] = []
        # Openings of that app, by number; all of the same folder.
        self.holders: Set[int] = set()
        self.refused: Dict[int, str] = {}
        self.made: "weakref.WeakValueDictionary[str, App]" = weakref.WeakValueDictionary()
        self.served: Optional[App] = None

    @property
    def own(self) -> str:
        return self.apps[0][1]

    @property
    def app(self) -> Optional[App]:
        return self.served or (self.made.get(self.own) if self.apps else None)


_reading = _Reading()


class _Loading(Exception):
    """What is wrong with a loader.py, in words."""


class _Refused(_Loading):
    """This process has the Python Types of another app."""


class _AppProxy:
    """The global `app` of an app's modules."""

    def __getattr__(self, name: str) -> Any:
        app = _reading.app
        if app is not None:
            return getattr(app, name)
        if name == "envVars":
            return dict(os.environ)
        raise StartError("the app is not open yet; what loader.py does while it is loaded comes too early for calls")


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Always from the source: a compiled file could be of an edit within the same second."""

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module: modules.ModuleType) -> None:
        module.__dict__["app"] = _AppProxy()
        super().exec_module(module)


class _MadeLoader(importlib.abc.Loader):
    """Modules without a file: the folders of an app, and the official Type."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: modules.ModuleType) -> None:
        if module.__name__ == _OFFICIAL:
            names = ["Loader", "QywxInnerType"]
            module.__dict__.update({name: getattr(types, name) for name in names}, __all__=names)


class _AppFinder(importlib.abc.MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]],
        target: Optional[modules.ModuleType] = None,
    ) -> Optional[importlib.machinery.ModuleSpec]:
        parts = fullname.split(".")
        folders = [folder for _, folder in _reading.apps]
        if parts[0] == _OTHERS:
            if len(parts) < 3:
                return self._package(fullname)
            folders = folders[int(parts[1][1:]) :][:1]
            parts = parts[2:]
        elif fullname in _BUILT_IN:
            return self._package(fullname)
        elif len(parts) > 1 and not _is_ours(parts[0]):
            return None
        elif len(parts) == 1 and not any(_has_elements(os.path.join(folder, parts[0])) for folder in folders):
            return None
        bases = [os.path.join(folder, *parts) for folder in folders]
        for base in bases:
            init = os.path.join(base, "__init__.py")
            if os.path.isfile(init):
                loader = _SourceLoader(fullname, init)
                # Submodules are this finder's, too.
                return importlib.util.spec_from_file_location(
                    fullname, init, loader=loader, submodule_search_locations=[]
                )
            if os.path.isfile(base + ".py"):
                return importlib.util.spec_from_file_location(
                    fullname, base + ".py", loader=_SourceLoader(fullname, base + ".py")
                )
        return self._package(fullname) if any(map(os.path.isdir, bases)) else None

    def _package(self, fullname: str) -> importlib.machinery.ModuleSpec:
        return importlib.machinery.ModuleSpec(fullname, _MadeLoader(), is_package=True)


def _is_ours(root: str) -> bool:
    spec = getattr(sys.modules.get(root), "__spec__", None)
    return isinstance(getattr(spec, "loader", None), (_MadeLoader, _SourceLoader))


def _has_elements(folder: str) -> bool:
    return any("e.json" in files for _, _, files in os.walk(folder))


def install() -> None:
    """Puts the finder last."""
    if not any(isinstance(finder, _AppFinder) for finder in sys.meta_path):
        sys.meta_path.append(_AppFinder())


def begin(number: int, apps: List[Tuple[str, Any]]) -> None:
    """An app is about to be read by the opening of this number: itself and those that it extends."""
    with _reading.lock:
        own = os.fspath(apps[0][1])
        if _reading.holders - {number} and _reading.own != own:
            _reading.refused[number] = (
                f"the Python Types of {_reading.own} run in this process, and a process runs those of one app: "
                "close that app first, or open this one in another process"
            )
            return
        _reading.refused.pop(number, None)
        _reading.apps = [(app_id, os.fspath(folder)) for app_id, folder in apps]
        # All at once: a root that is gone would no longer tell whose its submodules are.
        for name in [name for name in sys.modules if _is_ours(name.split(".")[0])]:
            del sys.modules[name]


def made(app: App) -> None:
    """An app was opened by `open_app`."""
    _reading.made[os.path.realpath(app.folder)] = app


def opened(core: Core) -> None:
    """The program serves this app."""
    _reading.served = App(core, os.environ)


def release(number: int) -> None:
    """The app is closed; another one may have Python Types now."""
    with _reading.lock:
        _reading.holders.discard(number)
        _reading.refused.pop(number, None)


def load_type(number: int, app_id: str, full_name: str, folder: str) -> Any:
    """The class `Loader` of a loader.py."""
    with _reading.lock:
        if number in _reading.refused:
            raise _Refused(_reading.refused[number])
        _reading.holders.add(number)
        index = [known for known, _ in _reading.apps].index(app_id)
        module = _import(full_name, index, os.path.join(folder, "loader.py"))
    loader = getattr(module, "Loader", None)
    if loader is None:
        raise _Loading("it has no class Loader; write one with __init__(self, nodes) and load(self)")
    return loader


def _import(full_name: str, index: int, file: str) -> modules.ModuleType:
    below = os.path.relpath(os.path.dirname(file), _reading.apps[index][1]).replace(os.sep, ".")
    name = f"{below}.loader"
    if full_name != _OFFICIAL and not _stands_for_another(name, file):
        return importlib.import_module(name)
    return importlib.import_module(f"{_OTHERS}.a{index}.{name}")


def _stands_for_another(name: str, file: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return True
    return spec is None or spec.origin is None or not os.path.samefile(spec.origin, file)


def load_instance(
    loader: Any,
    full_name: str,
    copies: List[Tuple[str, List[str], Dict[str, Any]]],
    owner: Owner,
) -> Tuple[Any, Set[str], List[str]]:
    """The object for an instance, the functions that it has of its own, and the names of its classes."""
    nodes = [types.Node(app_id, full_name, folders, define) for app_id, folders, define in copies]
    loaded = loader(nodes).load()
    if loaded is None:
        raise _Loading("load() returns nothing; it must return the object that has the functions")
    kind = type(loaded)
    if isinstance(loaded, types.QywxInnerType):
        if loaded._owner is not None:
            raise _Loading("load() returns the same object for two instances; it must make one for each")
        loaded._owner = owner
    official = vars(types.QywxInnerType)
    names = set()
    for name in set(dir(kind)) | set(getattr(loaded, "__dict__", ())):
        found = getattr(loaded, "__dict__", {}).get(name, getattr(kind, name, None))
        if not name.startswith("_") and callable(found) and found is not official.get(name):
            names.add(name)
    line = [_name_of(base) for base in kind.__mro__ if base not in (object, types.QywxInnerType)]
    return loaded, names, line


def _name_of(kind: type) -> str:
    file = getattr(sys.modules.get(kind.__module__), "__file__", kind.__module__)
    return f"{file}:{kind.__qualname__}"


def problem_of(error: BaseException) -> str:
    """What is wrong, in one line, with file and line where the app's own code is."""
    if isinstance(error, (_Loading, StartError)):
        return str(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    place = None
    if isinstance(error, SyntaxError) and error.filename:
        text = f"{type(error).__name__}: {error.msg}"
        place = (error.filename, error.lineno)
    else:
        for frame, line in traceback.walk_tb(error.__traceback__):
            if any(frame.f_code.co_filename.startswith(folder + os.sep) for _, folder in _reading.apps):
                place = (frame.f_code.co_filename, line)
    if place is None:
        return text
    file = os.path.basename(place[0])
    return f"line {place[1]}: {text}" if file == "loader.py" else f"{file}, line {place[1]}: {text}"
