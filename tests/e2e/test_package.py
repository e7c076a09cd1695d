"""What is installed from the wheel, and by `make run`, works outside of this folder."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import bots
from bots import platforms
from tests import empty

HOUSE = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.xdist_group("package"), pytest.mark.timeout(240)]  # one builds it for all


def run(*words: str | Path, here: Path, programs: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        words, cwd=here, env=empty.variables(programs) | more, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(where)]
    subprocess.run(words, cwd=HOUSE, check=True, capture_output=True)  # noqa: S603
    [made] = where.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of an environment are that has the wheel, and of ours nothing else."""
    programs = empty.environment(tmp_path_factory.mktemp("environment"))
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--ignore-installed", str(wheel)], check=True, capture_output=True)  # noqa: S603
    return programs


def test_the_wheel_holds_all_of_it_and_nothing_else(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    kept = subprocess.run(["git", "ls-files"], cwd=HOUSE, capture_output=True, text=True, check=False).stdout.split()  # noqa: S607
    rooms = ("bots/", "core/", "migrations/", "sandbox/")
    assert {name.partition("/")[0] for name in inside if ".dist-info/" not in name} == {room[:-1] for room in rooms}
    assert {name for name in kept if name.startswith(rooms) and (HOUSE / name).exists()} <= inside
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_the_version_is_written_in_one_place(wheel: Path) -> None:
    assert "version" not in tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    assert wheel.name.startswith(f"bobbin_bot-{bots.__version__}-")
    assert re.search(rf"^## {re.escape(bots.__version__)}\b", (HOUSE / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_it_claims_to_be_typed_only_if_it_says_so_to_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as inside:
        [metadata] = [name for name in inside.namelist() if name.endswith(".dist-info/METADATA")]
        assert "Typing :: Typed" not in inside.read(metadata).decode()
        assert not [name for name in inside.namelist() if name.endswith("py.typed")]


def test_it_runs_where_nothing_of_ours_is_near(installed: Path, tmp_path: Path) -> None:
    said = run("bobbin", "--version", here=tmp_path, programs=installed)
    assert (said.returncode, said.stdout) == (0, f"bobbin {bots.__version__}\n"), said.stderr
    where = run("python", "-c", "import bots; print(bots.__file__)", here=tmp_path, programs=installed)
    assert Path(where.stdout).is_relative_to(installed.parent)
    said = run("bobbin", "doctor", here=tmp_path, programs=installed)
    assert said.returncode == 1
    assert f"✓ settings: OK (from {installed.parent}" in said.stdout
    assert "bots/bobbin.toml" in said.stdout
    assert "✗ upstream: There is no token" in said.stdout
    assert run("bobbin", "migrate", here=tmp_path, programs=installed).returncode == 0
    assert (tmp_path / "bobbin.db").exists()
    assert '"socket_mode_enabled"' in run("bobbin", "manifest", "slack", here=tmp_path, programs=installed).stdout


def test_it_speaks_other_languages_there(installed: Path, tmp_path: Path) -> None:
    words = "from core.language import say, speaking\nwith speaking('de'): print(say('Share'))"
    said = run("python", "-c", words, here=tmp_path, programs=installed)
    assert said.stdout == "Teilen\n", said.stderr


def test_its_sandbox_plays_with_the_presets_that_came_along(installed: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("slack ada #general: @bobbin preset set reviewer\ndiscord ben dm: say exactly: two\n")
    said = run("bobbin", "sandbox", "--script", script, here=tmp_path, programs=installed)
    assert said.returncode == 0, said.stderr
    assert "bobbin │ two" in said.stdout
    assert "You review code" in said.stdout


def test_the_settings_that_come_along_are_a_start_for_ones_own(installed: Path, tmp_path: Path) -> None:
    sample = run("bobbin", "settings", here=tmp_path, programs=installed).stdout
    assert set(tomllib.loads(sample)["presets"]) >= {"default", "brief"}
    (tmp_path / "mine.toml").write_text(f"{sample}\n[presets.mine]\nmodel = 'o3'\n")
    for more in ({}, {"BOBBIN_CONFIG": "mine.toml"}):
        option = [] if more else ["--config", "mine.toml"]
        said = run("bobbin", *option, "doctor", here=tmp_path, programs=installed, **more)
        assert f"✓ settings: OK (from {tmp_path / 'mine.toml'}" in said.stdout, said.stderr
    said = run("bobbin", "--config", "yours.toml", "run", here=tmp_path, programs=installed)
    assert (said.returncode, "yours.toml" in said.stderr) == (2, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_it(installed: Path, tmp_path: Path, shell: str) -> None:
    more = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    said = run("bobbin", "--show-completion", shell, here=tmp_path, programs=installed, **more)
    assert (said.returncode, "_BOBBIN_COMPLETE" in said.stdout) == (0, True)


def test_bash_is_told_the_commands(installed: Path, tmp_path: Path) -> None:
    more = {"_BOBBIN_COMPLETE": "complete_bash", "COMP_WORDS": "bobbin manifest ", "COMP_CWORD": "2"}
    said = run("bobbin", here=tmp_path, programs=installed, **more)
    assert said.stdout.split() == platforms.names()


def test_make_puts_the_command_beside_its_python(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "a checkout", tmp_path / "elsewhere"
    checkout.mkdir()
    elsewhere.mkdir()
    for name in ("Makefile", "requirements.lock", "deploy", "bots", "core", "migrations", "sandbox"):
        (checkout / name).symlink_to(HOUSE / name)
    programs = empty.environment(checkout / ".venv")
    (checkout / ".venv/run").touch()  # what it would install is there
    made = run("make", "--dry-run", "run", here=checkout, programs=programs)
    assert ".venv/bin/bobbin run" in made.stdout.splitlines()  # a make around it adds lines of its own
    made = run("make", ".venv/bin/bobbin", here=checkout, programs=programs)
    assert made.returncode == 0, made.stderr
    link = elsewhere / "bobbin"
    link.symlink_to(programs / "bobbin")
    for command in (programs / "bobbin", link):
        said = run(command, "--version", here=elsewhere, programs=programs)
        assert said.stdout == f"bobbin {bots.__version__}\n", said.stderr
