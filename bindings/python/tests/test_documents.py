"""The READMEs print the examples that are run here; user code is checked by mypy, and the stubs against the module."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import wecom_login
from wecom_login import Code
from world import Program, World, run

PACKAGE = Path(__file__).parents[1]
EXAMPLES = PACKAGE / "examples"
DOCUMENTS = [PACKAGE / "README.md", PACKAGE / "README.zh-CN.md", PACKAGE.parents[1] / "docs" / "elements.md"]


@pytest.fixture
def company(wecom: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.setenv("WECOM_CORP_ID", wecom.corp_id)
    monkeypatch.setenv("WECOM_CORP_SECRET", wecom.secret)
    monkeypatch.setenv("WECOM_AGENT_ID", str(wecom.agent_id))
    monkeypatch.setenv("WECOM_API_BASE", wecom.url)
    monkeypatch.setenv("WECOM_PAGES", wecom.url)
    monkeypatch.chdir(tmp_path)
    return wecom


def test_the_page_style_script_runs_against_the_demo(tmp_path: Path) -> None:
    demo = Program([sys.executable, "-m", "wecom_login", "demo", "--json", "--port", "0", "--data", str(tmp_path / "demo")])
    ready = json.loads(demo.line())
    done = run("-m", "wecom_login", "run", "--app", ready["app"], "--data", tmp_path / "demo/data", EXAMPLES / "hello.py")
    assert demo.stop() == 0
    assert (done.returncode, done.stderr) == (0, "")
    company, *leaders, error = done.stdout.splitlines()
    assert company == "company ww5ca1ab1e5ca1ab1e" and error == "error 40029"
    assert "leader zhangsan 张三" in leaders


def test_the_typed_script_runs(company: World, tmp_path: Path) -> None:
    script = [EXAMPLES / "staff.py", EXAMPLES / "portal"]
    done = run(*script, "2")
    assert done.stderr == ""
    assert "张三" in done.stdout.strip().split(", ")
    done = run(*script, "77")
    assert done.returncode == 1 and done.stderr.startswith("WeCom refused with 60003: ")


def test_the_own_type_and_the_override_do_what_they_say(company: World, tmp_path: Path) -> None:
    with wecom_login.open_app(EXAMPLES / "portal", data=tmp_path / "data") as app:
        assert app.faults == []
        staff = app.getElement("auths.loginTypes.Staff")
        assert staff.getLoginCode(company.code("zhangsan"))["companyMail"] == "zhangsan@example.com"
        assert staff.mailOf("LiSi") == "lisi@example.com"
    with wecom_login.open_app(EXAMPLES / "one_department", data=tmp_path / "data") as app:
        assert app.faults == []
        staff = app.getElement("auths.loginTypes.Staff")
        assert staff.getLoginCode(company.code("zhangsan"))["name"] == "张三"
        with pytest.raises(Code) as caught:
            staff.getLoginCode(company.code("wu10"))
        assert caught.value.code == 9000001


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_python_sample_of_a_document_is_an_example(document: Path) -> None:
    samples = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    files = {file.read_text(encoding="utf-8") for file in EXAMPLES.rglob("*.py")}
    assert samples
    for sample in samples:
        assert sample in files, sample


@pytest.mark.parametrize(
    "arguments",
    [
        ["mypy", "--strict", str(EXAMPLES / "staff.py")],
        ["mypy", "--strict", "-p", "wecom_login"],
        ["mypy.stubtest", "wecom_login"],
    ],
    ids=["a user's script", "the package", "stubs"],
)
def test_types_are_right(arguments: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))
    done = run("-m", *arguments, cwd=tmp_path_factory.mktemp("types"))
    assert done.returncode == 0, done.stdout + done.stderr
