"""`jit.errcode`, where no platform is installed.

A finder that stands last answers for `jit` only when nothing else does; an installed `jit` is never hidden, whether it
came before or after this package.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Optional, Sequence

from ._code import Code


class _JitLoader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "jit.errcode":
            module.__dict__["Code"] = Code


class _JitFinder(importlib.abc.MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]],
        target: Optional[ModuleType] = None,
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname == "jit":
            return importlib.machinery.ModuleSpec(fullname, _JitLoader(), is_package=True)
        if fullname == "jit.errcode":
            spec = getattr(sys.modules.get("jit"), "__spec__", None)
            if isinstance(getattr(spec, "loader", None), _JitLoader):
                return importlib.machinery.ModuleSpec(fullname, _JitLoader())
        return None


def install() -> None:
    """Puts the finder last."""
    if not any(isinstance(finder, _JitFinder) for finder in sys.meta_path):
        sys.meta_path.append(_JitFinder())
