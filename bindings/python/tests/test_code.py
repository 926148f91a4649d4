"""jit.errcode.Code, and that an installed `jit` is never hidden."""

from __future__ import annotations

import base64
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wecom_login import Code
from world import PATIENCE, environment, run

USE = "import wecom_login\nfrom jit.errcode import Code\nprint(Code.__module__, Code(1, 'x').code)"


def test_it_is_the_platforms() -> None:
    from jit.errcode import Code as Imported

    assert Imported is Code
    error = Code(40013, "a {brace} stays")
    assert isinstance(error, Exception) and str(error) == "40013: a {brace} stays"
    template = Code(code=9000001, reason="Custom error: {message}")
    with pytest.raises(Code) as caught:
        raise template.formatReason(message="why")
    assert (caught.value.code, caught.value.reason) == (9000001, "Custom error: why")
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.reason, repr(again)) == (40013, error.reason, "Code(40013, 'a {brace} stays')")


def test_without_this_package_there_is_no_jit() -> None:
    assert "ModuleNotFoundError" in run("-c", "import jit").stderr
    assert "ModuleNotFoundError" in run("-c", "import wecom_login, jit.other").stderr


def wheel(folder: Path) -> Path:
    """The distribution of a real `jit`, as another project would publish it."""
    files = {
        "jit/__init__.py": "",
        "jit/errcode.py": "class Code(Exception):\n    def __init__(self, code, reason):\n        self.code = f'theirs {code}'\n        self.reason = reason\n",
        "jit-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: jit\nVersion: 1.0\n",
        "jit-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    path = folder / "jit-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "jit-1.0.dist-info/RECORD": record + "jit-1.0.dist-info/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("ours_first", [True, False])
def test_an_installed_jit_is_never_hidden(tmp_path: Path, ours_first: bool) -> None:
    ours = Path(os.environ["PYTHON_WHEEL"])
    target = tmp_path / "site"
    for one in [ours, wheel(tmp_path)] if ours_first else [wheel(tmp_path), ours]:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--target", str(target), str(one)], check=True, capture_output=True, timeout=PATIENCE)
    # Without the environment's own site-packages, so that these two are all there is.
    use = [sys.executable, "-S", "-c", f"import sys; sys.path.append({str(target)!r})\n{USE}"]
    done = subprocess.run(use, env=environment(), capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "jit.errcode theirs 1\n"

    # Without it ours answers.
    shutil.rmtree(target / "jit")
    done = subprocess.run(use, env=environment(), capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "wecom_login 1\n"


def test_a_jit_without_errcode_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "jit").mkdir()
    (tmp_path / "jit" / "__init__.py").write_text("errcode = 'its own'\n")
    done = run("-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport wecom_login, jit\nprint(jit.errcode)\nimport jit.errcode")
    assert done.stdout == "its own\n" and "ModuleNotFoundError" in done.stderr
