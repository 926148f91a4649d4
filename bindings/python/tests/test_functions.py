"""An app opened from Python: elements, the six functions, errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Optional

import pytest

import wecom_login
from wecom_login import Code
from world import OFFICIAL, Instance, World, run

STAFF = "auths.loginTypes.Staff"
KEYS = ["userId", "name", "mobile", "email", "avatar", "department", "position", "gender", "status", "isLeader"]


def test_the_six_functions_by_name_and_by_position(app: wecom_login.App, wecom: World) -> None:
    staff = app.getElement(STAFF)
    config = staff.getLoginConfig()
    assert sorted(config) == ["agentId", "corpId", "redirectUri", "state"]
    assert (config["corpId"], config["agentId"]) == (wecom.corp_id, str(wecom.agent_id))
    assert staff.getLoginConfig()["state"] != config["state"]

    user = staff.getLoginCode(authCode=wecom.code("zhangsan"), state=config["state"])
    assert type(user) is dict and set(KEYS) <= set(user)
    assert (user["userId"], user["name"], user["department"], user["isLeader"]) == ("zhangsan", "张三", [1, 2], True)
    assert staff.getLoginCode(wecom.code("lisi"))["name"] == "李四"
    assert staff.getLoginCode(wecom.code("lisi"), None)["userId"] == "lisi"

    assert staff.getUserInfo("lisi")["position"] == staff.getUserInfo(userId="lisi")["position"] == "人事主管"
    assert isinstance(staff.getAccessToken(), str) and len(staff.getAccessToken()) > 40
    for force in (True, False, 1, 0, None):
        assert staff.syncUserInfo("zhangsan", force) is None
        assert staff.syncUserInfo(userId="zhangsan", forceUpdate=force) is None
    assert staff.syncDepartmentInfo() is None
    assert staff.syncDepartmentInfo(deptId="2") is None
    assert staff.getLoginCode(wecom.code("zhangsan"))["departmentNames"] == ["云帆科技", "研发中心"]


@pytest.mark.parametrize(
    ("arguments", "named", "told"),
    [
        ((), {"code": "x"}, "code"),
        ((), {}, "authCode"),
        ((1,), {}, "authCode"),
        (("a", "b", "c"), {}, "2"),
        (("a",), {"authCode": "b"}, "authCode"),
    ],
)
def test_arguments_that_do_not_fit_are_named(app: wecom_login.App, arguments: Any, named: Any, told: str) -> None:
    with pytest.raises(Code) as caught:
        app.getElement(STAFF).getLoginCode(*arguments, **named)
    assert caught.value.code == 710308 and told in caught.value.reason


def test_a_value_that_is_none_of_jsons_is_named(app: wecom_login.App) -> None:
    with pytest.raises(TypeError, match="authCode: bytes is none of"):
        app.getElement(STAFF).getLoginCode(authCode=b"x")
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(TypeError, match="circle"):
        app.getElement(STAFF).getLoginCode(circle)


@pytest.mark.parametrize("code", ["a code that was never issued", "从前端获取的授权码", "", "\ud800", "x" * 5000, "a\0b"])
def test_a_code_that_cannot_be_is_40029(app: wecom_login.App, code: str) -> None:
    with pytest.raises(Code) as caught:
        app.getElement(STAFF).getLoginCode(code)
    assert caught.value.code == 40029
    assert str(caught.value) == f"40029: {caught.value.reason}"


def test_a_used_code_and_an_unknown_member_have_wecoms_numbers(app: wecom_login.App, wecom: World) -> None:
    staff = app.getElement(STAFF)
    code = wecom.code("zhangsan")
    staff.getLoginCode(code)
    with pytest.raises(Code) as caught:
        staff.getLoginCode(code)
    assert caught.value.code == 40029 and "hint" not in str(caught.value)
    with pytest.raises(Code) as caught:
        staff.getUserInfo("nobody-of-this-name")
    assert caught.value.code == 60111


@pytest.mark.parametrize("code", [None, "从前端获取的授权码"], ids=["a fresh code", "no code at all"])
def test_a_wrong_company_is_40013(wecom: World, folder: Instance, opened: Any, code: Optional[str]) -> None:
    folder.instance("Staff", wecom, corpId="ww0000000000000000")
    with pytest.raises(Code) as caught:
        opened(folder).getElement(STAFF).getLoginCode(code or wecom.code("zhangsan"))
    assert caught.value.code == 40013


def test_elements_are_found_by_name_by_attribute_and_by_type(app: wecom_login.App, wecom: World, staff: Instance) -> None:
    assert app.auths.loginTypes.Staff.getUserInfo("lisi")["name"] == "李四"
    assert app.auths.loginTypes.Staff == app.getElement(STAFF)
    assert [element.fullName for element in app.findElements(f".{OFFICIAL}")] == [STAFF]
    staff.instance("Guests", wecom)
    app.reload()
    names = [element.name for element in app.findElements(f".{OFFICIAL}, {STAFF}")]
    assert names == ["Guests", "Staff"]
    define = app.getElementDefine(STAFF)
    assert define["title"] == define.title == "Staff" and define["fullName"] == STAFF
    element = app.getElement(STAFF)
    assert (element.title, element.elementType, element.app) == ("Staff", OFFICIAL, app)
    assert (app.orgId, app.name, app.appId, app.version) == ("local", "portal", "local.portal", "1.0.0")


def test_what_is_not_there_is_told(app: wecom_login.App, staff: Instance) -> None:
    with pytest.raises(Code, match="auths.loginTypes.Nobody") as caught:
        app.getElement("auths.loginTypes.Nobody")
    assert caught.value.code == 710313
    for path in ("nothing", "auths.nothing"):
        with pytest.raises(AttributeError, match=path):
            eval(f"app.{path}", {"app": app})
    with pytest.raises(AttributeError, match="its functions: getLoginConfig, getLoginCode"):
        app.getElement(STAFF).getLoginKode
    with pytest.raises(Code):
        app.findElements("#title=x")
    staff.write("auths/loginTypes/Shop/e.json", "{")
    app.reload()
    assert "auths/loginTypes/Shop/e.json" in app.faults[0]
    with pytest.raises(Code, match="auths/loginTypes/Shop/e.json"):
        app.getElement("auths.loginTypes.Shop")


def test_values_of_the_environment_stand_in_for_names(
    wecom: World, folder: Instance, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFF_SECRET", wecom.secret)
    folder.instance("Staff", wecom, corpSecret="{{STAFF_SECRET}}")
    app = opened(folder)
    assert app.getElement(STAFF).getAccessToken()
    assert app.envVars["STAFF_SECRET"] == wecom.secret


def test_settings_are_those_of_the_program(
    staff: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with wecom_login.open_app(staff.folder) as app:
        app.getElement(STAFF).getLoginConfig()
    assert (tmp_path / "data" / "wecom-login.db").exists()
    assert (tmp_path / "data" / "key").stat().st_mode & 0o777 == 0o600

    (tmp_path / "wecom-login.toml").write_text("data = 'other'")
    with wecom_login.open_app(staff.folder) as app:
        monkeypatch.chdir("/")
        app.getElement(STAFF).getLoginConfig()
    assert (tmp_path / "other" / "wecom-login.db").exists(), "where the app was opened, not where it was first used"

    monkeypatch.setenv("WECOM_LOGIN_KEY", "no key")
    with pytest.raises(wecom_login.StartError, match="WECOM_LOGIN_KEY: must be 32 random bytes"):
        wecom_login.open_app(staff.folder, data=tmp_path / "third")


def test_variables_that_no_setting_has_are_logged(
    staff: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WECOM_LOGIN_DATEN", "x")
    monkeypatch.setenv("WECOM_LOGIN_PORT", "tcp://10.0.48.109:8000")
    monkeypatch.setenv("WECOM_LOGIN_SYNC_MINUTES", "60\r")
    with wecom_login.open_app(staff.folder, data=tmp_path / "data"):
        pass
    told = [record.getMessage() for record in caplog.records]
    assert any("WECOM_LOGIN_DATEN: no setting has this name" in message for message in told), told
    assert any("WECOM_LOGIN_SYNC_MINUTES: the next version does not read it" in message for message in told), told
    assert not any("WECOM_LOGIN_PORT" in message for message in told), told


def test_all_faults_of_the_settings_are_told_with_their_sources(
    staff: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wecom-login.toml").write_text("listen = 8000\n")
    monkeypatch.setenv("WECOM_LOGIN_ALLOW_HTTP", "maybe")
    monkeypatch.setenv("WECOM_LOGIN_BRAND_NAME", os.fsdecode(b"\xd4\xc6"))
    with pytest.raises(wecom_login.StartError) as told:
        wecom_login.open_app(staff.folder, data="\a")
    assert str(told.value).splitlines()[1:] == [
        "  wecom-login.toml line 1: listen: must be text in quotes (an address and a port such as 127.0.0.1:8000), "
        "not 8000",
        "  WECOM_LOGIN_ALLOW_HTTP: must be true or false (or 1, 0, yes, no, on, off), not \"maybe\"",
        "  WECOM_LOGIN_BRAND_NAME: is not UTF-8",
        "  data: must be a path without control characters, not \"\\u{7}\"",
    ]


def test_a_folder_that_is_no_app_is_told_at_once_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(wecom_login.StartError, match="cannot read"):
        wecom_login.open_app(tmp_path / "mistyped", data=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_closed_app_says_so(app: wecom_login.App) -> None:
    staff = app.getElement(STAFF)
    app.close()
    with pytest.raises(wecom_login.StartError, match="closed"):
        staff.getAccessToken()


def test_a_script_runs_with_app_as_a_global(staff: Instance, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom jit.errcode import Code\n"
        "print(app.getElement('auths.loginTypes.Staff').getLoginConfig()['agentId'], Q(id=1), sys.argv[1:])\n"
        "raise Code(9000001, 'the end')\n"
    )
    done = run("-m", "wecom_login", "run", "--app", staff.folder, "--data", tmp_path / "data", script, "--x", "1")
    assert done.stdout == "1000002 Q(id=1) ['--x', '1']\n"
    assert done.returncode == 1 and done.stderr.endswith("wecom_login.Code: 9000001: the end\n")
    assert "no file" in run("-m", "wecom_login", "run", tmp_path / "nothing.py").stderr


def test_demo_prints_one_line_and_ends_by_ctrl_c() -> None:
    from world import Browser, Program
    import sys

    program = Program([sys.executable, "-m", "wecom_login", "demo", "--json", "--port", "0"])
    ready = json.loads(program.line())
    program.url = ready["url"]
    assert Browser(program).get("/healthz").text == "ok"
    assert ready["element"] == "auths.loginTypes.QywxInnerExample"
    assert program.stop() == 0
    assert "Traceback" not in program.log and "KeyboardInterrupt" not in program.log
    assert not Path(ready["app"]).exists()
