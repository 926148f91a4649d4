"""`python -m wecom_login`: the whole program, and `run` for scripts that find `app` as a global."""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import sys
from typing import List, NoReturn

from . import Q, StartError, _native, open_app


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    if sys.argv[1:2] == ["run"]:
        _run(sys.argv[2:])
        sys.exit(0)
    # Ctrl-C is the program's own to handle, as it is when it runs without Python.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = _native.main(["python -m wecom_login", *sys.argv[1:]])
    if _native.threads():
        # Python code of an own Type that does not end must not keep the program.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run(arguments: List[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m wecom_login run", description="Runs a script with the globals app and Q."
    )
    parser.add_argument("--app", metavar="DIR", default=".", help="the app folder [default: .]")
    parser.add_argument("--data", metavar="DIR", help="the folder of the database and the key [default: data]")
    parser.add_argument("--config", metavar="FILE", help="the settings file [default: wecom-login.toml, if there is one]")
    parser.add_argument("--app-path", metavar="DIR", action="append", default=[], help="a folder with parent apps")
    parser.add_argument("script", metavar="SCRIPT")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for the script")
    given = parser.parse_args(arguments)
    if not os.path.isfile(given.script):
        parser.error(f"there is no file {given.script}")
    try:
        app = open_app(given.app, config=given.config, data=given.data, appPath=given.app_path)
    except StartError as error:
        sys.exit(f"wecom-login: {error}")
    sys.argv = [given.script, *given.arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(given.script))
    with app:
        runpy.run_path(given.script, init_globals={"app": app, "Q": Q}, run_name="__main__")


if __name__ == "__main__":
    main()
