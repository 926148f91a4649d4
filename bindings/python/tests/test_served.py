"""Own Types in Python behind `python -m wecom_login serve`: the element API, the redirect, the session."""

from __future__ import annotations

import http.client
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from world import OFFICIAL, PATIENCE, Browser, Instance, World, run, until

META = "auths.loginTypes.Meta"

SOMEBODY_ELSE = """
from jit.errcode import Code
from wecom_login.types import QywxInnerType

class Titled(QywxInnerType):
    def getLoginCode(self, authCode, state=None):
        user = super().getLoginCode(authCode, state)
        if user["userId"] == "lisi":
            raise Code(9000001, "人事请走内部入口")
        if user["userId"] == "wangwu":
            raise ValueError("something secret")
        return {**user, "title": "ours", "userId": "somebody-else"}

class Loader:
    def __init__(self, nodes): self.nodes = nodes
    def load(self): return Titled(self.nodes)
"""


@pytest.mark.parametrize("name", ["QywxInnerType", "OurType"], ids=["override", "own type"])
def test_the_session_is_that_of_the_proven_member(wecom: World, folder: Instance, serve: Any, name: str) -> None:
    folder.listen()
    is_override = f"auths.loginTypes.{name}" == OFFICIAL
    folder.type(name, SOMEBODY_ELSE, above=META if is_override else OFFICIAL)
    folder.instance("Staff", wecom, f"auths.loginTypes.{name}")
    program = serve(folder)

    browser = Browser(program)
    answer = browser.sign_in(wecom.code("zhangsan"))
    assert (answer["errcode"], answer["data"]["title"], answer["data"]["userId"]) == (0, "ours", "somebody-else")
    assert browser.me() == "zhangsan"

    browser = Browser(program)
    answer = browser.redirect(wecom.code("zhangsan"))
    assert (answer.status, answer.location) == (303, "/")
    assert browser.me() == "zhangsan"

    # Who is refused has no session, whichever way they came.
    for browser in (Browser(program), Browser(program)):
        answer = browser.sign_in(wecom.code("lisi"))
        assert (answer["errcode"], answer["errmsg"]) == (9000001, "人事请走内部入口")
        page = browser.redirect(wecom.code("lisi"))
        assert page.status == 403 and "人事请走内部入口" in page.text
        assert browser.me() is None

    # What nobody foresaw: 50000 outside, the line inside.
    answer = Browser(program).sign_in(wecom.code("wangwu"))
    assert answer["errcode"] == 50000 and "secret" not in str(answer)
    program.wait_for_log("line 11: ValueError: something secret")


def test_what_wecom_refuses_keeps_its_meaning_through_an_own_type(wecom: World, folder: Instance, serve: Any) -> None:
    folder.listen()
    folder.type("OurType", SOMEBODY_ELSE)
    folder.instance("Staff", wecom, "auths.loginTypes.OurType")
    program = serve(folder)
    code = wecom.code("zhangsan")
    assert Browser(program).sign_in(code)["errcode"] == 0
    assert Browser(program).sign_in(code)["errcode"] == 40029
    page = Browser(program).redirect(code)
    assert "40029" in page.text and "710315" not in page.text, "WeCom's refusal, not the app's"


BARRIER = """
import threading
from wecom_login.types import QywxInnerType

ARRIVED = threading.Semaphore(0)
OPEN = threading.Event()
WAITING = []

class Slow(QywxInnerType):
    def getLoginCode(self, authCode, state=None):
        user = super().getLoginCode(authCode, state)
        WAITING.append(user["userId"])
        assert OPEN.wait(60)
        return user

    def waiting(self):
        return len(WAITING)

    def open(self):
        OPEN.set()

class Loader:
    def __init__(self, nodes): self.nodes = nodes
    def load(self): return Slow(self.nodes)
"""
BLOCKED = 24


def test_python_code_that_blocks_holds_up_nobody_else(wecom: World, folder: Instance, serve: Any) -> None:
    folder.listen()
    functions = [{"name": "waiting", "loginRequired": 0}, {"name": "open", "loginRequired": 0}]
    folder.type("Slow", BARRIER, functionList=functions)
    folder.instance("Slowly", wecom, "auths.loginTypes.Slow")
    folder.instance("Staff", wecom)
    program = serve(folder)
    with ThreadPoolExecutor(BLOCKED) as people:
        slow = [Browser(program) for _ in range(BLOCKED)]
        waiting = [people.submit(browser.sign_in, wecom.code("lisi"), "Slowly") for browser in slow]
        watcher = Browser(program)
        until("all of them block", lambda: watcher.call("waiting", "Slowly")["data"] == BLOCKED)

        browser = Browser(program)
        assert browser.sign_in(wecom.code("zhangsan"))["data"]["name"] == "张三"
        assert browser.redirect(wecom.code("zhangsan")).status == 303 and browser.me() == "zhangsan"
        assert not any(one.done() for one in waiting), "they block to the end"

        watcher.call("open", "Slowly")
        assert [one.result(PATIENCE)["errcode"] for one in waiting] == [0] * BLOCKED
        assert [one.me() for one in slow] == ["lisi"] * BLOCKED


def test_a_server_ends_though_python_code_does_not(wecom: World, folder: Instance, serve: Any) -> None:
    folder.listen()
    folder.type("Slow", BARRIER, functionList=[{"name": "waiting", "loginRequired": 0}])
    folder.instance("Slowly", wecom, "auths.loginTypes.Slow")
    program = serve(folder)
    browser, watcher = Browser(program), Browser(program)
    body = json.dumps({"authCode": wecom.code("lisi"), "state": browser.state("Slowly")}).encode()
    person = http.client.HTTPConnection(program.url.removeprefix("http://"), timeout=PATIENCE)
    headers = {"content-type": "application/json", "cookie": browser.cookies()}
    person.request("POST", "/api/local/portal/auths/loginTypes/Slowly/getLoginCode", body, headers)
    until("it blocks", lambda: watcher.call("waiting", "Slowly")["data"] == 1)
    person.close()
    assert program.stop(signal.SIGTERM) == 0


def test_an_edit_of_a_loader_takes_effect_and_a_broken_one_is_told(wecom: World, folder: Instance, serve: Any) -> None:
    folder.listen()
    loader = folder.type("OurType", SOMEBODY_ELSE)
    folder.instance("Staff", wecom, "auths.loginTypes.OurType")
    program = serve(folder)

    def title() -> Any:
        return Browser(program).sign_in(wecom.code("zhangsan"))["data"]["title"]

    assert title() == "ours"
    loader.write_text(SOMEBODY_ELSE.replace('"ours"', '"edited"'))
    until("the edit takes effect", lambda: title() == "edited")
    loader.write_text("x = undefined\n")
    program.wait_for_log("auths/loginTypes/OurType/loader.py: line 1: NameError: name 'undefined' is not defined")
    assert title() == "edited"


def test_an_own_type_reaches_the_app_that_is_served(wecom: World, folder: Instance, serve: Any) -> None:
    folder.listen()
    folder.type(
        "Reaching",
        """
        from wecom_login import Q
        from wecom_login.types import QywxInnerType

        class Reaching(QywxInnerType):
            def getLoginCode(self, authCode, state=None):
                user = super().getLoginCode(authCode, state)
                row = app.getElement("auths.loginTypes.Staff").QywxInnerAuthModel.get(Q(userId=user["userId"]))
                boss = app.auths.loginTypes.Staff.getUserInfo("lisi")
                return {**user, "row": row.name.value, "boss": boss["name"], "org": app.orgId}

        class Loader:
            def __init__(self, nodes): self.nodes = nodes
            def load(self): return Reaching(self.nodes)
        """,
    )
    folder.instance("Staff", wecom, "auths.loginTypes.Reaching")
    data = Browser(serve(folder)).sign_in(wecom.code("zhangsan"))["data"]
    assert (data["row"], data["boss"], data["org"]) == ("张三", "李四", "local")


def test_config_check_knows_types_in_python(wecom: World, folder: Instance) -> None:
    folder.type("OurType", SOMEBODY_ELSE)
    folder.instance("Staff", wecom, "auths.loginTypes.OurType")
    done = run("-m", "wecom_login", "config", "check", "--app", folder.folder)
    assert (done.returncode, done.stdout) == (0, "Settings and elements are in order.\n"), done
    folder.type("OurType", "class Loader")
    done = run("-m", "wecom_login", "config", "check", "--app", folder.folder)
    assert done.returncode == 1 and "loader.py: line 1: SyntaxError" in done.stdout


def test_a_wrong_command_line_is_told_as_the_program_tells_it() -> None:
    done = run("-m", "wecom_login", "serv")
    assert done.returncode == 2 and "serve" in done.stderr
    assert "--json" in run("-m", "wecom_login", "demo", "--help").stdout
