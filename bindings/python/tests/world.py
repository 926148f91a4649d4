"""A simulated WeCom, an app folder, a program that serves it, and a browser: what the stories happen in."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

OFFICIAL = "auths.loginTypes.QywxInnerType"
PATIENCE = 60
"""No wait is longer, in seconds."""

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment() -> Dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WECOM_LOGIN_")}


def run(*arguments: Any, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Runs Python to its end."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, **options)


def until(what: str, condition: Callable[[], Any]) -> None:
    """Asks again and again, until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        threading.Event().wait(0.01)


class World:
    """A simulated WeCom."""

    def __init__(self, about: Dict[str, Any]) -> None:
        self.url = about["url"]
        self.corp_id = about["corpid"]
        self.agent_id = about["agentid"]
        self.secret = about["secret"]

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator["World"]:
        program = Program([sys.executable, "-m", "wecom_login", "simulate", "--json"])
        try:
            yield cls(json.loads(program.line()))
        finally:
            program.stop()

    def _ask(self, path: str, body: Optional[Any] = None, method: Optional[str] = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sim/{path}", data, headers, method=method)
        with DIRECT.open(request, timeout=PATIENCE) as answer:
            text: bytes = answer.read()
        return json.loads(text) if text else None

    def code(self, userid: str) -> str:
        """A fresh code of a member, as a redirect brings it."""
        return str(self._ask("code", {"corpid": self.corp_id, "agentid": self.agent_id, "userid": userid})["code"])

    def calls(self) -> Dict[str, int]:
        """How often each call of the API was made."""
        return dict(self._ask("calls")["calls"])

    def hold(self, endpoint: str) -> None:
        """Calls of the endpoint wait from now on."""
        self._ask("faults", {"endpoint": endpoint, "kind": "hang"})

    def wait_until_held(self) -> None:
        """Until a call waits."""
        until("a call is held", lambda: self._ask("faults")["held"] > 0)

    def release(self) -> None:
        """Lets them go."""
        self._ask("faults", method="DELETE")


class Instance:
    """An app folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = "http://127.0.0.1:8000"
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def write_json(self, path: str, value: Any) -> Path:
        return self.write(path, json.dumps(value))

    def instance(self, name: str, wecom: World, type_name: str = OFFICIAL, **config: Any) -> None:
        """Writes an instance: its two files."""
        self.write_json(f"auths/loginTypes/{name}/e.json", {"title": name, "type": type_name})
        values = {
            "corpId": wecom.corp_id,
            "corpSecret": wecom.secret,
            "agentId": wecom.agent_id,
            "redirectUri": f"{self.url}/auth/{name}",
            "apiBase": wecom.url,
            "loginBase": wecom.url,
            "oauthBase": wecom.url,
        }
        self.write_json(f"auths/loginTypes/{name}/{name}.json", {**values, **config})

    def type(self, name: str, loader: str, above: str = OFFICIAL, **define: Any) -> Path:
        """Writes a Type in Python, or with the official one's name and the Meta above an override of it."""
        folder = f"auths/loginTypes/{name}"
        self.write_json(f"{folder}/e.json", {"title": name, "type": above, **define})
        return self.write(f"{folder}/loader.py", loader)

    def listen(self) -> None:
        """Chooses the address at which the app will be served; write instances afterwards."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"


class Program:
    """A process; its log is kept, line by line."""

    def __init__(self, command: List[str], **options: Any) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True, **options)
        self.url = ""
        self._log: List[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    def serve(cls, instance: Instance, data: Path) -> "Program":
        listen = instance.url.removeprefix("http://")
        folder = str(instance.folder)
        command = ["-m", "wecom_login", "serve", "--app", folder, "--data", str(data), "--listen", listen]
        program = cls([sys.executable, *command], cwd=instance.folder.parent)
        program.url = instance.url
        program.wait_for_log("ready")
        return program

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._grown:
                self._log.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
                self._grown.notify_all()
        with self._grown:
            self._log.append("(the end)")
            self._grown.notify_all()

    @property
    def log(self) -> str:
        with self._grown:
            return "".join(self._log)

    def wait_for_log(self, text: str) -> None:
        with self._grown:
            seen = self._grown.wait_for(lambda: any(text in line or line == "(the end)" for line in self._log), PATIENCE)
            assert seen and any(text in line for line in self._log), f"no {text!r} in the log:\n{''.join(self._log)}"

    def line(self) -> str:
        assert self.process.stdout is not None
        guard = threading.Timer(PATIENCE, self.process.kill)
        guard.start()
        line: str = self.process.stdout.readline()
        guard.cancel()
        assert line, f"it said nothing within {PATIENCE} s, or ended:\n{self.log}"
        return line

    def stop(self, by: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


class Answer:
    def __init__(self, status: int, location: str, text: str) -> None:
        self.status = status
        self.location = location
        self.text = text

    def json(self) -> Any:
        return json.loads(self.text)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Browser:
    """Keeps cookies and follows no redirect."""

    def __init__(self, program: Program) -> None:
        self.url = program.url
        self._jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._jar)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, _Stay())

    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def _open(self, path: str, body: Optional[Any] = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        try:
            answer = self._opener.open(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.headers.get("location") or "", answer.read().decode())

    def get(self, path: str) -> Answer:
        return self._open(path)

    def call(self, function: str, element: str = "Staff", **arguments: Any) -> Any:
        """Calls a function over HTTP; the envelope."""
        return self._open(f"/api/local/portal/auths/loginTypes/{element}/{function}", arguments).json()

    def state(self, element: str = "Staff") -> str:
        return str(self.call("getLoginConfig", element)["data"]["state"])

    def sign_in(self, code: str, element: str = "Staff") -> Any:
        """By the element API; the envelope."""
        return self.call("getLoginCode", element, authCode=code, state=self.state(element))

    def redirect(self, code: str, element: str = "Staff") -> Answer:
        """As WeCom's redirect comes back."""
        query = urllib.parse.urlencode({"code": code, "state": self.state(element)})
        return self.get(f"/auth/{element}?{query}")

    def me(self) -> Optional[str]:
        answer = self.get("/me")
        return str(answer.json()["userId"]) if answer.status == 200 else None
