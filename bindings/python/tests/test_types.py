"""Own Types in Python, in this process: loader.py, the chain of classes, errors, reloads."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

import wecom_login
from wecom_login import Code, StartError
from world import OFFICIAL, Instance, World

STAFF = "auths.loginTypes.Staff"
META = "auths.loginTypes.Meta"

MAIL = """
from {official} import QywxInnerType

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
"""

PATH = """
from wecom_login.types import QywxInnerType

class {name}(QywxInnerType):
    def getUserInfo(self, userId):
        user = super().getUserInfo(userId)
        return {{**user, "path": ["{name}", *user.get("path", [])]}}

class Loader:
    def __init__(self, nodes): self.nodes = nodes
    def load(self): return {name}(self.nodes)
"""


@pytest.mark.parametrize("official", ["wecom_login.types", "auths.loginTypes.QywxInnerType"])
def test_a_new_type_counts_for_the_instances_that_name_it(
    wecom: World, folder: Instance, opened: Any, official: str
) -> None:
    folder.type("WithMail", MAIL.format(official=official))
    folder.instance("Staff", wecom, "auths.loginTypes.WithMail")
    folder.instance("Other", wecom)
    app = opened(folder)
    assert app.faults == []
    assert app.getElement(STAFF).getLoginCode(wecom.code("zhangsan"))["companyMail"] == "zhangsan@example.com"
    assert "companyMail" not in app.getElement("auths.loginTypes.Other").getLoginCode(wecom.code("zhangsan"))
    assert app.getElement(STAFF).getUserInfo("lisi")["name"] == "李四", "what it does not define is the official one's"
    assert [element.name for element in app.findElements(f".{OFFICIAL}")] == ["Other", "Staff"]
    assert app.getElement(OFFICIAL).QywxInnerType is wecom_login.types.QywxInnerType
    assert app.getElement("auths.loginTypes.WithMail").loader.WithMail.__name__ == "WithMail"


def test_an_override_counts_for_instances_that_were_not_edited_until_it_is_removed(
    app: wecom_login.App, staff: Instance, wecom: World
) -> None:
    element = app.getElement(STAFF)
    assert "path" not in element.getUserInfo("lisi")
    loader = staff.type("QywxInnerType", PATH.format(name="Ours"), above=META)
    app.reload()
    assert element.getUserInfo("lisi")["path"] == ["Ours"]
    assert element.getLoginConfig()["corpId"] == wecom.corp_id
    loader.unlink()
    (loader.parent / "e.json").unlink()
    app.reload()
    assert "path" not in element.getUserInfo("lisi")
    assert app.faults == []


def test_the_classes_of_a_line_of_apps_stand_in_order(wecom: World, tmp_path: Path) -> None:
    base = Instance(tmp_path / "parents" / "acme" / "base" / "1_2_0")
    own = Instance(tmp_path / "portal")
    own.write_json("app.json", {"orgId": "acme", "name": "portal", "extends": [{"appId": "acme.base", "version": "1.2.0"}]})
    base.type("Derived", PATH.format(name="BaseDerived"))
    base.type("QywxInnerType", PATH.format(name="BaseOverride"), above=META)
    base.instance("Staff", wecom, "auths.loginTypes.Derived")
    own.type("QywxInnerType", PATH.format(name="OwnOverride"), above=META)
    own.type("Derived", PATH.format(name="OwnDerived"))
    with wecom_login.open_app(own.folder, data=tmp_path / "data", appPath=[tmp_path / "parents"]) as app:
        path = app.getElement(STAFF).getUserInfo("lisi")["path"]
    assert path == ["OwnDerived", "BaseDerived", "OwnOverride", "BaseOverride"]


def test_a_class_that_is_a_python_base_already_is_passed_once(wecom: World, folder: Instance, opened: Any) -> None:
    folder.type("First", PATH.format(name="First"))
    second = PATH.format(name="Second").replace("wecom_login.types import QywxInnerType", "auths.loginTypes.First.loader import First")
    folder.type("Second", second.replace("(QywxInnerType)", "(First)"), above="auths.loginTypes.First")
    folder.instance("Staff", wecom, "auths.loginTypes.Second")
    app = opened(folder)
    assert app.getElement(STAFF).getUserInfo("lisi")["path"] == ["Second", "First"], app.faults


def test_a_loader_gets_the_copies_of_the_instance_most_derived_first(wecom: World, tmp_path: Path) -> None:
    base = Instance(tmp_path / "parents" / "acme" / "base" / "1_0_0")
    own = Instance(tmp_path / "portal")
    own.write_json("app.json", {"orgId": "acme", "name": "portal", "extends": [{"appId": "acme.base", "version": "1.0.0"}]})
    base.instance("Staff", wecom, "auths.loginTypes.Told")
    base.write("auths/loginTypes/Staff/note.txt", "of the base")
    own.write_json("auths/loginTypes/Staff/e.json", {"title": "Ours"})
    base.type(
        "Told",
        """
        import json
        from wecom_login.types import Loader as Official, QywxInnerType

        class Told(QywxInnerType):
            pass

        class Loader(Official):
            def load(self):
                told = Told(self.nodes)
                config = self.nodes[1].getFile("Staff.json")
                told.corp = json.loads(self.renderTemplateString(config, **app.envVars))["corpId"]
                told.seen = [(node.appId, node.name, node.define["title"]) for node in self.nodes]
                told.note = self.nodes[1].getFile("note.txt", isBinary=True)
                try:
                    self.nodes[0].getFile("note.txt")
                except FileNotFoundError as error:
                    told.error = str(error)
                return told
        """,
    )
    with wecom_login.open_app(own.folder, data=tmp_path / "data", appPath=[tmp_path / "parents"]) as app:
        staff = app.getElement(STAFF)
        assert staff.seen == [("acme.portal", "Staff", "Ours"), ("acme.base", "Staff", "Staff")]
        assert (staff.corp, staff.note) == (wecom.corp_id, b"of the base")
        assert staff.error == "auths.loginTypes.Staff of acme.portal has no file note.txt"


OWN_FUNCTIONS = """
import threading
from wecom_login.types import QywxInnerType

class Greeting(QywxInnerType):
    greeted = 0

    def greet(self, userId, loud=False):
        self.greeted += 1
        text = "你好，" + self.getUserInfo(userId)["name"]
        return text + "!" if loud else text

    def elsewhere(self, userId):
        told = []
        thread = threading.Thread(target=lambda: told.append(self.getUserInfo(userId)["name"]))
        thread.start()
        thread.join()
        return told[0] + " " + app.getElement("auths.loginTypes.Other").getUserInfo(userId)["position"]

    def keep(self, thing):
        return thing

class Loader:
    def __init__(self, nodes): self.nodes = nodes
    def load(self): return Greeting(self.nodes)
"""


def test_functions_of_its_own(wecom: World, folder: Instance, opened: Any) -> None:
    args = [{"name": "userId", "dataType": "Stext"}, {"name": "loud", "dataType": "Checkbox", "required": 0}]
    folder.type("Greeting", OWN_FUNCTIONS, functionList=[{"name": "greet", "args": args}])
    folder.instance("Staff", wecom, "auths.loginTypes.Greeting")
    folder.instance("Other", wecom)
    app = opened(folder)
    staff = app.getElement(STAFF)
    assert staff.greet("lisi") == "你好，李四"
    assert staff.greet(userId="lisi", loud=1) == "你好，李四!"
    with pytest.raises(Code, match="userId"):
        staff.greet()
    # What no functionList declares is the object's own, with Python's values.
    assert staff.elsewhere("lisi") == "李四 人事主管"
    thing = object()
    assert staff.keep(thing) is thing and staff.greeted == 2
    for _ in range(100):
        staff.greet("lisi")
    assert staff.greeted == 102, "one object for an instance, kept between calls"


def test_a_type_from_the_meta_is_whatever_its_object_is(wecom: World, folder: Instance, opened: Any) -> None:
    folder.type(
        "Plain",
        """
        class Plain:
            def hello(self, name="world"): return {"hello": [name]}

        class Loader(object):
            def __init__(self, nodes): self.nodes = nodes
            def load(self): return Plain()
        """,
        above=META,
        functionList=[{"name": "hello", "args": [{"name": "name", "dataType": "Stext", "required": 0}]}],
    )
    folder.write_json("a/One/e.json", {"title": "One", "type": "auths.loginTypes.Plain"})
    folder.write_json("a/One/One.json", {})
    app = opened(folder)
    assert app.faults == []
    assert app.a.One.hello() == {"hello": ["world"]}
    assert app.a.One.hello("x") == {"hello": ["x"]}


BROKEN = {
    "import nothing_of_this_name\nclass Loader: ...": "line 1: ModuleNotFoundError: No module named 'nothing_of_this_name'",
    "\n\nclass Loader\n": "line 3: SyntaxError",
    "x = 1": "it has no class Loader",
    "class Loader:\n    def __init__(self, nodes): pass\n    def load(self):\n        return 1 / 0": "line 4: ZeroDivisionError",
    "class Loader:\n    def __init__(self): pass": "TypeError",
    "class Loader:\n    def __init__(self, nodes): pass\n    def load(self): pass": "load() returns nothing",
    "import sys\nsys.exit('enough')": "line 2: SystemExit: enough",
    "from .helper import x\nclass Loader: ...": "helper.py, line 2: NameError",
    "app.getElement('x')\nclass Loader: ...": "the app is being opened",
}


@pytest.mark.parametrize(("loader", "told"), BROKEN.items(), ids=range(len(BROKEN)))
def test_what_is_wrong_in_a_loader_is_told_with_its_line_and_takes_nobody_along(
    wecom: World, folder: Instance, opened: Any, loader: str, told: str
) -> None:
    folder.type("Broken", loader)
    folder.write("auths/loginTypes/Broken/helper.py", "\nx = undefined\n")
    folder.instance("Staff", wecom, "auths.loginTypes.Broken")
    folder.instance("Other", wecom)
    app = opened(folder)
    fault = next(fault for fault in app.faults if "loader.py" in fault)
    assert "auths/loginTypes/Broken/loader.py: " in fault and told in fault
    with pytest.raises(Code) as caught:
        app.getElement(STAFF)
    assert caught.value.code == 710313 and told in caught.value.reason
    assert app.getElement("auths.loginTypes.Other").getUserInfo("lisi")["name"] == "李四"


def test_an_edit_takes_effect_and_one_that_breaks_what_worked_takes_none(
    wecom: World,
    folder: Instance,
    opened: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    loader = folder.type("Path", PATH.format(name="One"))
    folder.instance("Staff", wecom, "auths.loginTypes.Path")
    app = opened(folder)
    staff = app.getElement(STAFF)
    assert staff.getUserInfo("lisi")["path"] == ["One"]
    # Of the same length, within the same second: no compiled file stands in the way.
    loader.write_text(loader.read_text().replace("One", "Two"))
    app.reload()
    assert staff.getUserInfo("lisi")["path"] == ["Two"]
    with caplog.at_level(logging.ERROR, "wecom_login"):
        loader.write_text("def half(:\n")
        app.reload()
    assert "loader.py: line 1: SyntaxError" in caplog.text and "served as it was" in caplog.text
    assert staff.getUserInfo("lisi")["path"] == ["Two"], "the last good state"
    loader.write_text(PATH.format(name="Three"))
    app.reload()
    assert staff.getUserInfo("lisi")["path"] == ["Three"]
    assert not list(folder.folder.rglob("__pycache__"))


ERRORS = """
from jit.errcode import Code
from wecom_login.types import QywxInnerType

class Errors(QywxInnerType):
    OWN = Code(code=9000001, reason="no {what}")

    def getUserInfo(self, userId):
        if userId == "own":
            raise self.OWN.formatReason(what="entry")
        if userId == "value":
            raise ValueError("something secret")
        if userId == "answer":
            return object()
        try:
            return super().getUserInfo(userId)
        except Code as error:
            return {"caught": error.code}

class Loader:
    def __init__(self, nodes): self.nodes = nodes
    def load(self): return Errors(self.nodes)
"""


def test_errors_pass_through_and_anything_unforeseen_is_50000_with_its_cause(
    wecom: World, folder: Instance, opened: Any
) -> None:
    folder.type("Errors", ERRORS)
    folder.instance("Staff", wecom, "auths.loginTypes.Errors")
    staff = opened(folder).getElement(STAFF)
    with pytest.raises(Code) as caught:
        staff.getUserInfo("own")
    assert (caught.value.code, caught.value.reason) == (9000001, "no entry")
    with pytest.raises(Code) as caught:
        staff.getUserInfo("value")
    assert caught.value.code == 50000 and "secret" not in str(caught.value)
    assert repr(caught.value.__cause__) == "ValueError('something secret')"
    assert caught.value.__cause__ is not None and caught.value.__cause__.__traceback__ is not None
    with pytest.raises(Code) as caught:
        staff.getUserInfo("answer")
    assert "what getUserInfo returns: object is none of" in str(caught.value.__cause__)
    assert staff.getUserInfo("nobody-of-this-name") == {"caught": 60111}
    with pytest.raises(Code) as caught:
        staff.getLoginCode("used up")
    assert caught.value.code == 40029


def test_a_second_app_with_types_in_python_is_an_error_until_the_first_is_closed(
    wecom: World, tmp_path: Path, opened: Any
) -> None:
    folders = [Instance(tmp_path / name) for name in ("one", "two", "three")]
    for folder in folders[:2]:
        folder.type("Path", PATH.format(name=folder.folder.name.title()))
        folder.instance("Staff", wecom, "auths.loginTypes.Path")
    folders[2].instance("Staff", wecom)
    first, second, plain = (opened(folder, folder.folder.name + "-data") for folder in folders)
    assert first.getElement(STAFF).getUserInfo("lisi")["path"] == ["One"]
    with pytest.raises(StartError, match="a process runs those of one app") as caught:
        second.getElement(STAFF)
    assert str(folders[0].folder) in str(caught.value)
    assert plain.getElement(STAFF).getUserInfo("lisi")["name"] == "李四", "an app without any is no second one"
    assert first.getElement(STAFF).getUserInfo("lisi")["path"] == ["One"]
    first.close()
    assert second.getElement(STAFF).getUserInfo("lisi")["path"] == ["Two"]


def test_an_installed_package_is_not_hidden_by_an_apps_folder(
    wecom: World, folder: Instance, opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site" / "auths"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("WHOSE = 'installed'\n")
    monkeypatch.syspath_prepend(str(installed.parent))
    for name in [name for name in sys.modules if name.split(".")[0] == "auths"]:
        monkeypatch.delitem(sys.modules, name)
    folder.type("Path", PATH.format(name="Path"))
    folder.instance("Staff", wecom, "auths.loginTypes.Path")
    assert opened(folder).getElement(STAFF).getUserInfo("lisi")["path"] == ["Path"]
    import auths  # type: ignore[import-not-found]

    assert auths.WHOSE == "installed"
    monkeypatch.delitem(sys.modules, "auths")
