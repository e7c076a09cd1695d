"""Set-ups that are wrong, and what the doctor says of them: each test prints its rows, to be read with `pytest -s`."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bots.doctor import examine
from sandbox.upstream import Emulator

GOOD, BAD = "a-good-token", "a-bad-token"


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor said."""

    code: int
    found: dict[str, str]  # by part, the lines about it with their marks

    @property
    def faults(self) -> set[str]:
        """The parts that are at fault."""
        return {part for part, lines in self.found.items() if "✗" in lines}


NOTHING: Mapping[str, Any] = MappingProxyType({})
Doctor = Callable[..., Awaitable[Report]]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(token=GOOD) as running:
        yield running


@pytest.fixture
def doctor(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Doctor:
    """Examines what variables say, *how* is for `examine`; those without the prefix are given as BARE__…; None unsets one."""
    for name in [name for name in os.environ if name.startswith(("BOBBIN_", "PG"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    async def examined(how: Mapping[str, Any] = NOTHING, **variables: str) -> Report:
        given = {"UPSTREAM__URL": emulator.url, "UPSTREAM__TOKEN": GOOD, "WEB__HOST": "127.0.0.1", "WEB__PORT": "0"}
        for name, value in {**given, **variables}.items():
            monkeypatch.setenv(name.removeprefix("BARE__") if name.startswith("BARE__") else f"BOBBIN_{name}", value)
        before = files(tmp_path)
        capsys.readouterr()
        code = await examine(**how)
        said = capsys.readouterr().out
        print(f"\n{request.node.callspec.id if hasattr(request.node, 'callspec') else request.node.name}\n{said}")
        assert files(tmp_path) == before, "it made a file"
        found: dict[str, str] = defaultdict(str)
        for line in said.splitlines():
            mark, _, rest = line.partition(" ")
            part, _, sentence = rest.partition(": ")
            found[part] += f"{mark} {sentence}\n"
        return Report(code, found)

    return examined
