"""Threads and forks: one token for all, and no connection across a fork."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, List

import pytest

import wecom_login
from wecom_login import Q
from world import PATIENCE, Instance, World

STAFF = "auths.loginTypes.Staff"

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


_at_next_fork: List[threading.Thread] = []


def _start_what_waits() -> None:
    while _at_next_fork:
        _at_next_fork.pop().start()


# Hooks run last one first: this one before the package's own.
os.register_at_fork(before=_start_what_waits)


def in_a_child(work: Callable[[], Any]) -> str:
    """What the work gives in a forked child, as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        # A child that hangs must not hang the tests.
        signal.alarm(PATIENCE)
        try:
            told = str(work())
        except BaseException:
            told = traceback.format_exc()
        os.write(writer, told.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return told


def test_thirty_two_threads_at_once_cost_one_gettoken(quiet_wecom: World, folder: Instance, opened: Any) -> None:
    folder.instance("Staff", quiet_wecom)
    app = opened(folder)
    start = threading.Barrier(32)

    def ask(_: int) -> str:
        start.wait(PATIENCE)
        return str(app.getElement(STAFF).getAccessToken())

    with ThreadPoolExecutor(32) as threads:
        assert len(set(threads.map(ask, range(32), timeout=PATIENCE))) == 1
    assert quiet_wecom.calls() == {"gettoken": 1}


def test_the_interpreter_is_free_while_a_call_waits(quiet_wecom: World, folder: Instance, opened: Any) -> None:
    folder.instance("Staff", quiet_wecom)
    staff = opened(folder).getElement(STAFF)
    quiet_wecom.hold("user/get")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(staff.getUserInfo, "zhangsan")
        quiet_wecom.wait_until_held()
        assert not waiting.done() and staff.getLoginConfig()["corpId"] == quiet_wecom.corp_id
        quiet_wecom.release()
        assert waiting.result(PATIENCE)["name"] == "张三"


def test_a_child_goes_on_with_connections_of_its_own(quiet_wecom: World, folder: Instance, opened: Any) -> None:
    folder.instance("Staff", quiet_wecom)
    app = opened(folder)
    staff = app.getElement(STAFF)
    token = staff.getAccessToken()
    staff.syncUserInfo("zhangsan")

    def work() -> Any:
        assert staff.getAccessToken() == token
        staff.syncUserInfo("lisi")
        return staff.QywxInnerAuthModel.query(Q())["totalCount"]

    assert in_a_child(work) == "2"
    assert in_a_child(lambda: in_a_child(work)) == "2", "and a child's child"
    assert staff.QywxInnerAuthModel.query(Q())["totalCount"] == 2
    assert staff.getAccessToken() == token
    assert quiet_wecom.calls()["gettoken"] == 1


def test_an_app_that_was_opened_before_the_fork_and_used_after_it(app: wecom_login.App) -> None:
    assert in_a_child(lambda: app.getElement(STAFF).getLoginConfig()["agentId"]) == "1000002"


_shared: Any = None


def _work(userid: str) -> str:
    return str(_shared.getElement(STAFF).getUserInfo(userid)["name"])


def test_workers_of_multiprocessing(quiet_wecom: World, folder: Instance, opened: Any) -> None:
    global _shared
    folder.instance("Staff", quiet_wecom)
    _shared = opened(folder)
    _shared.getElement(STAFF).getAccessToken()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map_async(_work, ["zhangsan", "lisi"] * 8).get(PATIENCE) == ["张三", "李四"] * 8
    assert quiet_wecom.calls()["gettoken"] == 1


def test_a_fork_waits_for_calls_under_way(quiet_wecom: World, folder: Instance, opened: Any) -> None:
    folder.instance("Staff", quiet_wecom)
    staff = opened(folder).getElement(STAFF)
    quiet_wecom.hold("user/get")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(staff.getUserInfo, "zhangsan")
        quiet_wecom.wait_until_held()
        # Nobody lets the call go before the fork has begun.
        _at_next_fork.append(threading.Thread(target=quiet_wecom.release))
        assert in_a_child(lambda: staff.getUserInfo("lisi")["name"]) == "李四"
        assert waiting.result(PATIENCE)["name"] == "张三"


def test_a_fork_from_inside_a_call_leaves_the_child_an_error(wecom: World, folder: Instance, opened: Any) -> None:
    folder.type(
        "Forking",
        """
        import os
        import signal
        from wecom_login.types import QywxInnerType

        class Forking(QywxInnerType):
            def getUserInfo(self, userId):
                reader, writer = os.pipe()
                child = os.fork()
                if child == 0:
                    signal.alarm(60)
                    try:
                        told = app.getElement("auths.loginTypes.Staff").getAccessToken()
                    except Exception as error:
                        told = f"{type(error).__name__}: {error}"
                    os.write(writer, told.encode())
                    os._exit(0)
                os.close(writer)
                with os.fdopen(reader) as pipe:
                    told = pipe.read()
                os.waitpid(child, 0)
                return {"child": told, "parent": super().getUserInfo(userId)["name"]}

        class Loader:
            def __init__(self, nodes): self.nodes = nodes
            def load(self): return Forking(self.nodes)
        """,
    )
    folder.instance("Staff", wecom, "auths.loginTypes.Forking")
    told = opened(folder).getElement(STAFF).getUserInfo("lisi")
    assert told["parent"] == "李四"
    assert told["child"].startswith("StartError: this process was forked while the app was in use")
