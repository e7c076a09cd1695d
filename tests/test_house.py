"""The house's own rules: which way imports point, and where each library may pass."""

from __future__ import annotations

import ast
import keyword
import re
import sys
import tokenize
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from io import StringIO
from itertools import combinations
from pathlib import Path

import pytest

from bots import platforms

HOUSE = Path(__file__).parent.parent
PLATFORMS = sorted(path.parent.name for path in (HOUSE / "bots").glob("*/settings.py"))
MODULES = sorted(path for room in ("core", "bots", "migrations", "sandbox") for path in (HOUSE / room).rglob("*.py"))

DOORS = {
    "httpx": ["core/upstream/"],
    "httpx_aiohttp": ["core/upstream/"],
    "sqlalchemy": ["core/storage/", "migrations/"],
    "alembic": ["core/storage/migrate.py", "migrations/"],
    "cryptography": ["core/secret_box.py"],
    "pydantic_settings": ["core/settings.py", "core/sections.py"],
    # What several libraries and servers of ours are made of.
    "aiohttp": ["bots/web.py", "bots/kit.py", "bots/fetch.py", "bots/files.py", "sandbox/", "core/upstream/"],
    "markdown_it": ["bots/text/", "sandbox/"],  # what stands in for a platform reads it on its own
    "procrastinate": ["core/engine/", "migrations/"],
    "psycopg": ["core/engine/"],
    "psycopg_pool": ["core/engine/"],
    "prometheus_client": ["core/metrics.py"],
    "typer": ["bots/cli.py"],
    "prompt_toolkit": ["sandbox/prompt.py"],
}
# Where the bot meets the stand-ins.
STAGE = [
    f"sandbox/{name}.py"
    for name in (
        "stage",
        "scenes/scene",
        "scenes/form",
        "scenes/slack",
        "scenes/discord",
        "script",
        "printed",
        "terminal",
        "rehearsal",
        "recording",
    )
]
SHARED = ("core/", "bots/reply/", "bots/listening/")
HTTP = ("aiohttp", "httpx", "yarl")  # an adapter may bring its own
EVERYDAY = ("line", "signal")  # what a platform may be called
EVERYWHERE = ("structlog", "pydantic")
LONGEST_FUNCTION = 60  # lines
LONGEST_TWIN = 11  # lines


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


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def needs(node: ast.AST) -> Iterator[str]:
    """The names that are imported when a module runs, also late, within a function."""
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        # Of a package it may be a module that is meant; what the package's own file holds is for others to import.
        yield from (f"{node.module}.{name.name}" for name in node.names)
        yield node.module
    if not is_for_types_only(node):
        for below in ast.iter_child_nodes(node):
            yield from needs(below)


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {place(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in MODULES}
    graph = {}
    for module, path in names.items():
        wanted = {name for name in needs(ast.parse(path.read_text())) if name in names and name != module}
        # `from package import module` needs the module; that the package is run before it is no circle of ours.
        graph[module] = {name for name in wanted if not any(other.startswith(f"{name}.") for other in wanted)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_each_library_passes_through_one_door(path: Path) -> None:
    here = place(path)
    for name in imports(path):
        library = name.partition(".")[0]
        doors = DOORS.get(library)
        if library in HTTP and here.startswith(tuple(f"bots/{platform}/" for platform in PLATFORMS)):
            continue
        assert doors is None or any(here.startswith(door) for door in doors), f"{name} does not belong here"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_a_platform_brings_stays_in_its_folder(platform: str) -> None:
    inside = [path for path in MODULES if place(path).startswith(f"bots/{platform}/")]
    known = {*sys.stdlib_module_names, *HTTP, *EVERYWHERE, *DOORS, "bots", "core"}
    brought = {name.partition(".")[0] for path in inside for name in imports(path)} - known
    for path in set(MODULES) - set(inside):
        assert not brought & {name.partition(".")[0] for name in imports(path)}, place(path)


@pytest.mark.parametrize("path", [path for path in MODULES if place(path).startswith(SHARED)], ids=place)
def test_what_all_platforms_share_has_never_heard_of_one(path: Path) -> None:
    """By its name, or by what begins with it; a platform may be called by an everyday word."""
    text = path.read_text()
    for platform in (*PLATFORMS, *EVERYDAY):
        assert not re.search(rf"\b{platform.title()}\b|[\"'`]{platform}\b(?! )", text), platform


def shapes(path: Path) -> list[str]:
    """Each line as it is without its names, words and numbers; comments and imports left out."""
    rows: dict[int, str] = {}
    for token in tokenize.generate_tokens(StringIO(path.read_text()).readline):
        if token.type in (tokenize.NAME, tokenize.OP, tokenize.STRING, tokenize.NUMBER):
            is_word = token.type == tokenize.OP or keyword.iskeyword(token.string)
            rows[token.start[0]] = rows.get(token.start[0], "") + f"{token.string if is_word else token.type} "
    return [row for row in rows.values() if not row.startswith(("import", "from"))]


@pytest.mark.parametrize(("one", "other"), list(combinations(PLATFORMS, 2)))
def test_nothing_stands_in_two_adapters(one: str, other: str) -> None:
    """No passage of the same shape, whatever its names: what two platforms do alike is shared."""
    length, seen = LONGEST_TWIN + 1, dict[tuple[str, ...], str]()
    for platform in (one, other):
        for path in (HOUSE / "bots" / platform).glob("*.py"):
            lines = shapes(path)
            for passage in (tuple(lines[at : at + length]) for at in range(len(lines) - length + 1)):
                twin = seen.setdefault(passage, place(path)) if platform == one else seen.get(passage)
                assert platform == one or twin is None, f"{twin} and {place(path)}"


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


THEIRS = ("BASE", "DEFAULT_GATEWAY")  # discord.py has its addresses in class attributes


def test_no_test_turns_a_constant_of_ours() -> None:
    """What a test needs shorter or smaller is a value that whoever builds the thing gives it."""
    for path in (HOUSE / "tests").rglob("*.py"):
        turned = re.findall(r"setattr\([^()]*?\b([A-Z][A-Z_]+)\"", path.read_text())
        assert set(turned) <= set(THEIRS), place(path)


def test_a_platform_is_found_by_its_folder() -> None:
    assert platforms.names() == PLATFORMS != []
