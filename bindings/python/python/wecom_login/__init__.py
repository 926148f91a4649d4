"""Sign in with WeCom (企业微信): apps, their elements, and the server.

    import wecom_login

    app = wecom_login.open_app("portal")
    staff = app.getElement("auths.loginTypes.Staff")
    print(staff.getLoginConfig()["corpId"])

`from jit.errcode import Code` works once this package is imported. `python -m wecom_login demo` starts a simulated
WeCom with a server; `python -m wecom_login --help` tells the rest.
"""

import atexit
import os

from . import _jit, _loading, _native
from ._app import App, Element, ElementAttrDict, open_app
from ._code import Code, StartError
from ._model import AuthModel, Field, RowData, Rows
from ._q import Q

__all__ = [
    "App",
    "AuthModel",
    "Code",
    "Element",
    "ElementAttrDict",
    "Field",
    "Q",
    "RowData",
    "Rows",
    "StartError",
    "open_app",
]

_jit.install()
_loading.install()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_native.before_fork,
        after_in_parent=_native.after_fork_in_parent,
        after_in_child=_native.after_fork_in_child,
    )
atexit.register(_native.at_exit)
