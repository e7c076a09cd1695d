"""What make runs to install: it says how far that is, also where there is no terminal, and never beside another one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).parent.parent / "deploy/install.py"
PIP = """#!/bin/sh
echo "$@" >> asked
echo 'Collecting one==1 (from -r lock)'
echo 'Collecting two==2 (from -r lock)'
{more}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """With a pip that is not the true one."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/pip").touch()
    (tmp_path / "lock").write_text("one==1 \\\n    --hash=sha256:aa\ntwo==2 \\\n    --hash=sha256:bb\n")
    be_pip(tmp_path, "exit 0")
    return tmp_path


def be_pip(checkout: Path, more: str) -> None:
    program = checkout / ".venv/bin/python"
    program.write_text(PIP.format(more=more))
    program.chmod(0o755)


def install(checkout: Path, *words: str, often: float = 4.0) -> subprocess.Popen[str]:
    """*often*: seconds between two signs of life."""
    code = f"import runpy, sys; sys.argv = {['', 'lock', *words]!r}; found = runpy.run_path({str(INSTALL)!r});"
    code += (
        f"found['main'].__globals__['SELDOM'] = {often}; sys.exit(found['main'](found['Path']('lock'), sys.argv[2:]))"
    )
    return subprocess.Popen(  # noqa: S603  # ours
        [sys.executable, "-c", code], cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_says_what_it_does_and_for_how_long_it_will(checkout: Path) -> None:
    out, err = install(checkout, "--editable", ".").communicate(timeout=60)
    assert out.startswith("Installing up to 2 packages into .venv; that takes a minute or two.\n")
    assert out.rstrip().startswith("Installed, after ", out.rstrip().rindex("\n") + 1)
    assert not err
    asked = (checkout / "asked").read_text().splitlines()
    assert ["--require-hashes -r lock" in asked[0], asked[1].endswith("install --editable .")] == [True, True]


def test_it_gives_signs_of_life(checkout: Path) -> None:
    be_pip(checkout, "echo 'Installing collected packages: one, two'\nread line < go\n")
    os.mkfifo(checkout / "go")
    process = install(checkout, often=0.0)
    assert process.stdout
    said = ""
    while "packages are in place" not in said:
        said = process.stdout.readline()
        assert said
    (checkout / "go").write_text("go\n")
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_what_pip_says_is_shown_when_it_fails(checkout: Path) -> None:
    be_pip(checkout, "echo 'ERROR: no space left' >&2; exit 3")
    process = install(checkout)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "This failed: .venv/bin/python -m pip" in out) == (3, True)
    assert "ERROR: no space left" in err


def test_it_waits_for_another_make_that_is_installing(checkout: Path) -> None:
    folder = os.open(checkout, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = install(checkout)
    assert process.stdout
    assert process.stdout.readline() == "Another make is installing here; this one waits for it.\n"
    assert not (checkout / "asked").exists()
    os.close(folder)
    process.communicate(timeout=60)
    assert (process.returncode, (checkout / "asked").exists()) == (0, True)
