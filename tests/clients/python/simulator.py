"""Starts the simulator that the clients under test talk to, and leads their requests there."""

import json
import os
import subprocess
import threading
import urllib.parse
import urllib.request

import requests

WECOM = "https://qyapi.weixin.qq.com"
PHONE = "Mozilla/5.0 (Linux; Android 14) wxwork/4.1.30 MicroMessenger/7.0.1"


PATIENCE = 60
"""No wait is longer, in seconds."""


def line(process):
    """The next line that a child process says."""
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    said = process.stdout.readline()
    guard.cancel()
    if not said:
        raise AssertionError(f"{process.args[0]} said nothing within {PATIENCE} s, or ended")
    return said


class Simulator:
    """`wecom-login simulate --json` as a child process; BIN_WECOM_LOGIN names the program."""

    def __init__(self):
        program = os.environ.get("BIN_WECOM_LOGIN")
        if not program:
            raise RuntimeError("set BIN_WECOM_LOGIN to the wecom-login program")
        self._process = subprocess.Popen(
            [program, "simulate", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        ready = json.loads(line(self._process))
        self.url = ready["url"]
        self.corpid = ready["corpid"]
        self.agentid = str(ready["agentid"])
        self.secret = ready["secret"]

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def control(self, method, path, body=None):
        """One request below /_sim/; gives the answer's JSON."""
        request = urllib.request.Request(
            f"{self.url}/_sim/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def code(self, **person):
        """A code as the sign-in page would give it, for userid= or openid=."""
        body = {"corpid": self.corpid, "agentid": self.agentid, **person}
        return self.control("POST", "code", body)["code"]

    def open_in_client(self, link):
        """Opens an OAuth link in the person's WeCom client; gives the parameters of the redirect."""
        parts = urllib.parse.urlsplit(link)
        here = f"{self.url}{parts.path}?{parts.query}"
        answer = requests.get(here, headers={"user-agent": PHONE}, allow_redirects=False, timeout=PATIENCE)
        assert answer.status_code == 302, answer.text
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))


class ToSimulator(requests.adapters.HTTPAdapter):
    """Sends what is meant for WeCom to the simulator; the client above it is not touched."""

    def __init__(self, simulator):
        super().__init__()
        self._simulator = simulator

    def send(self, request, **options):
        request.url = self._simulator.url + request.url.removeprefix(WECOM)
        return super().send(request, **options)
