"""The house's own rules: which way imports point, and where each library may pass."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PLATFORMS = sorted(path.parent.name for path in (HOUSE / "bots").glob("*/settings.py"))
MODULES = sorted(path for room in ("core", "bots", "migrations", "sandbox") for path in (HOUSE / room).rglob("*.py"))

DOORS = {
    "httpx": ["core/upstream/"],
    "httpx_aiohttp": ["core/upstream/"],
    "sqlalchemy": ["core/storage/", "migrations/"],
    "alembic": ["core/storage/migrate.py", "migrations/"],
    "cryptography": ["core/secret_box.py"],
    "pydantic_settings": ["core/settings.py"],
    "slack_bolt": ["bots/slack/"],
    "slack_sdk": ["bots/slack/"],
    "discord": ["bots/discord/"],
    # What several libraries and servers of ours are made of, and what both platforms' libraries let through.
    "aiohttp": [
        "bots/web.py",
        "bots/kit.py",
        "bots/slack/",
        "bots/discord/",
        "sandbox/",
        "core/upstream/",
    ],
    "markdown_it": ["bots/text/", "sandbox/"],  # what stands in for a platform reads it on its own
    "procrastinate": ["core/engine/", "migrations/"],
    "psycopg": ["core/engine/"],
    "psycopg_pool": ["core/engine/"],
    "prometheus_client": ["core/metrics.py"],
    "stamina": ["core/asking/"],
    "typer": ["bots/cli.py"],
}
# Where the bot meets the stand-ins.
STAGE = [f"sandbox/{name}.py" for name in ("stage", "scenes", "script", "terminal")]
SHARED = ("core/", "bots/reply/")
LONGEST_FUNCTION = 60  # lines


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def place(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_arrows_never_point_up(path: Path) -> None:
    """core knows no bots; a platform knows no other platform, and not what joins them; a stand-in knows neither."""
    here, above = place(path), []
    if here.startswith("core/"):
        above = ["bots", "migrations", "sandbox", "tests"]
    if here.startswith("sandbox/") and here not in STAGE:
        above = ["bots", "core", "migrations", "tests"]
    for platform in PLATFORMS:
        if here.startswith(f"bots/{platform}/"):
            above = [f"bots.{other}" for other in PLATFORMS if other != platform]
            above += ["sandbox", "bots.app", "bots.cli", "bots.web", "bots.doctor", "bots.platforms"]
    broken = [name for name in imports(path) if any(name == up or name.startswith(f"{up}.") for up in above)]
    assert not broken


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_each_library_passes_through_one_door(path: Path) -> None:
    here = place(path)
    for name in imports(path):
        doors = DOORS.get(name.partition(".")[0])
        assert doors is None or any(here.startswith(door) for door in doors), f"{name} does not belong here"


@pytest.mark.parametrize("path", [path for path in MODULES if place(path).startswith(SHARED)], ids=place)
def test_what_all_platforms_share_has_never_heard_of_one(path: Path) -> None:
    assert not re.findall("|".join(PLATFORMS), path.read_text(), re.IGNORECASE)


def test_the_environment_is_read_in_one_place() -> None:
    readers = [place(path) for path in MODULES if re.search(r"\bos\.(environ|getenv)\b", path.read_text())]
    assert readers == ["core/settings.py"]


_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_log_line_is_a_sentence_of_ours_and_facts(path: Path) -> None:
    """No text is put together for it, and no error's text is in it: those may quote what people wrote."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if ast.unparse(node.func.value) != "log" or node.func.attr not in _LEVELS:
            continue
        sentence, where = node.args[0], f"line {node.lineno}"
        if isinstance(sentence, ast.Constant):
            said = str(sentence.value)
            first = said.partition(" ")[0]
            assert first.islower() or first.casefold() in (*PLATFORMS, "python"), where
            assert not said.endswith("."), where
            assert not re.search(r"\b(I|me|my)\b", said), where
        else:
            assert isinstance(sentence, ast.Name), f"{where}: the sentence is put together"
            assert sentence.id.isupper(), where
        assert len(node.args) == 1, f"{where}: facts have names"
        assert not re.search(r"\b(str|repr)\(\w*(error|trouble|refusal)\w*\)", ast.unparse(node)), where


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_every_function_tells_one_story(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines < LONGEST_FUNCTION, f"{node.name} is {lines} lines long"


def test_a_platform_is_found_by_its_folder() -> None:
    assert {"discord", "slack"} <= set(PLATFORMS)
