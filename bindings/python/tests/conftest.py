from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Iterator

import pytest

import wecom_login
from world import Instance, Program, World


@pytest.fixture(autouse=True)
def no_settings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests do not reach them."""
    for name in [name for name in os.environ if name.startswith("WECOM_LOGIN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def wecom() -> Iterator[World]:
    """A simulated WeCom for tests that do not look at how often it is called."""
    with World.start() as world:
        yield world


@pytest.fixture
def quiet_wecom() -> Iterator[World]:
    """A simulated WeCom of the test's own."""
    with World.start() as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> Instance:
    return Instance(tmp_path / "portal")


@pytest.fixture
def staff(wecom: World, folder: Instance) -> Instance:
    """An app with one instance, auths.loginTypes.Staff."""
    folder.instance("Staff", wecom)
    return folder


@pytest.fixture
def app(staff: Instance, tmp_path: Path) -> Iterator[wecom_login.App]:
    with wecom_login.open_app(staff.folder, data=tmp_path / "data") as app:
        yield app


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    """Opens apps, and closes them with the test."""
    apps = []

    def open_app(instance: Instance, data: str = "data") -> wecom_login.App:
        apps.append(wecom_login.open_app(instance.folder, data=tmp_path / data))
        return apps[-1]

    yield open_app
    for app in apps:
        app.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Serves an app as its own process; ends with the test."""
    programs = []

    def start(instance: Instance) -> Program:
        programs.append(Program.serve(instance, tmp_path / "served"))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()

