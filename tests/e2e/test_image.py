"""What the Dockerfile puts together, run without a container engine: its files alone, its variables, as PID 1 of uid 1000.

Not tried here: the base image, the building, and what only an engine does (volumes, restarts, the health check's pace).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import bots
from sandbox import slack
from sandbox.upstream import Emulator
from tests import empty

HOUSE = Path(__file__).parent.parent.parent
DOCKERFILE = (HOUSE / "Dockerfile").read_text().rpartition("\nFROM ")[2].replace("\\\n", " ")
ISOLATED = (
    "unshare",
    "--user",
    "--map-user=1000",
    "--map-group=1000",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
)
PATIENCE = 40.0  # seconds


def can_be_isolated() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


pytestmark = pytest.mark.skipif(not can_be_isolated(), reason="needs Linux that lets users make namespaces")


def said(word: str) -> list[str]:
    """What follows *word* in the Dockerfile's last stage, each time."""
    return re.findall(rf"^{word} +(.*)$", DOCKERFILE, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Image:
    """The files of a container, in a folder."""

    root: Path

    def variables(self, more: dict[str, str]) -> dict[str, str]:
        found = empty.variables(self.root / "venv/bin")
        for name, value in re.findall(r"(\w+)=(\S+)", " ".join(said("ENV"))):
            found[name] = (
                re.sub(r"(?<![\w.])/", f"{self.root}/", value.replace(":$PATH", "")) if "/" in value else value
            )
            if "$PATH" in value:
                found[name] += f":{os.environ['PATH']}"
        return found | more

    @property
    def folder(self) -> Path:
        return self.root / said("WORKDIR")[-1].lstrip("/")

    async def start(self, *words: str, isolated: bool = True, more: dict[str, str]) -> Process:
        return await asyncio.create_subprocess_exec(
            *(ISOLATED if isolated else ()),
            *words,
            cwd=self.folder,
            env=self.variables(more),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )

    async def run(self, *command: str, **more: str) -> Process:
        """Start what the image starts, with this command or its own."""
        return await self.start(
            *json.loads(said("ENTRYPOINT")[-1]), *(command or json.loads(said("CMD")[-1])), more=more
        )

    async def is_healthy(self, **more: str) -> bool:
        [check] = re.findall(r"HEALTHCHECK .*CMD (\[.*\])", DOCKERFILE)
        process = await self.start(*json.loads(check), isolated=False, more=more)
        await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode == 0


@pytest.fixture
def image(tmp_path: Path) -> Image:
    root = tmp_path / "image"
    root.mkdir()
    empty.environment(root / "venv")
    ignore = shutil.ignore_patterns("__pycache__")
    for what in said("COPY"):
        if what.startswith("--from"):
            continue
        source, to = what.split()
        target = root / to.lstrip("/") / (Path(source).name if to.endswith("/") else "")
        target.parent.mkdir(parents=True, exist_ok=True)
        if (HOUSE / source).is_dir():
            shutil.copytree(HOUSE / source, target, ignore=ignore)
        else:
            shutil.copy(HOUSE / source, target)
    made = Image(root)
    made.folder.mkdir(exist_ok=True)
    return made


@pytest.fixture
def joined(emulator: Emulator, local_slack: slack.LocalSlack) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "BOBBIN_UPSTREAM__URL": emulator.url,
        "BOBBIN_UPSTREAM__TOKEN": "emulated",
        "BOBBIN_SLACK__API_URL": local_slack.api_url,
        "BOBBIN_SLACK__BOT_TOKEN": local_slack.bot_token,
        "BOBBIN_SLACK__APP_TOKEN": local_slack.app_token,
        "BOBBIN_WEB__HOST": "127.0.0.1",
        "BOBBIN_WEB__PORT": str(port),
    }


async def until(process: Process, event: str) -> list[dict[str, Any]]:
    """Read the log until *event*; every line of it is JSON."""
    assert process.stderr
    lines: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE):
        while not lines or lines[-1]["event"] != event:
            line = await process.stderr.readline()
            assert line, f"it ended before saying {event!r}: {lines}"
            lines.append(json.loads(line))
    return lines


def pid_of_the_first(process: Process) -> int:
    """Outside, what PID 1 inside is: the only child of what isolates it."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


async def test_it_answers_is_healthy_and_goes_at_the_second_signal(
    image: Image, joined: dict[str, str], local_slack: slack.LocalSlack, emulator: Emulator
) -> None:
    emulator.pace = 0.2  # the last answer takes longer than the test
    process = await image.run(**joined)
    try:
        first, *_, ready = await until(process, "ready")
        assert (first["event"], first["version"]) == ("starting", bots.__version__)
        assert f"{image.root}/bobbin/bots/bobbin.toml" in first["settings"]
        assert ready["listens"] == ["slack"]
        assert (image.folder / "bobbin.db").exists()
        port = {"BOBBIN_WEB__PORT": joined["BOBBIN_WEB__PORT"], "BOBBIN_WEB__HOST": "127.0.0.1"}
        assert await image.is_healthy(**port, http_proxy="http://127.0.0.1:9")
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{joined['BOBBIN_WEB__PORT']}/healthz")
        assert "server" not in answer.headers
        await local_slack.say("ada", "general", "@bobbin preset set reviewer")
        await local_slack.wait_for(lambda: "You review code" in slack.shown(local_slack.messages("general")[-1]), 10)
        await local_slack.say("ada", "random", "@bobbin count to 100")
        await local_slack.wait_for(lambda: len(local_slack.messages("random")) > 1, 10)
        pid = pid_of_the_first(process)
        os.kill(pid, signal.SIGTERM)
        await until(process, "ending")
        os.kill(pid, signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 5)
        assert process.returncode == 128 + signal.SIGTERM
        assert not await image.is_healthy(**port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def fails(image: Image, **more: str) -> str:
    """Start it, and have it end for its set-up; return what it says about that, as its log is written."""
    process = await image.run(**more)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    lines = [json.loads(line) for line in err.decode().splitlines()]
    assert process.returncode == 2, lines
    assert lines[-1]["level"] == "error"
    return str(lines[-1]["event"])


async def test_a_volume_that_can_not_be_written_to_ends_it_in_a_sentence(image: Image, joined: dict[str, str]) -> None:
    image.folder.chmod(0o555)
    sentence = await fails(image, **joined)
    assert "uid 1000" in sentence
    assert str(image.folder) in sentence
    assert "0555" in sentence


async def test_a_folder_in_the_place_of_the_settings_ends_it(image: Image, joined: dict[str, str]) -> None:
    (image.folder / "bobbin.toml").mkdir()
    assert "bobbin.toml is a folder" in await fails(image, **joined)


async def test_settings_that_it_may_not_read_end_it(image: Image, joined: dict[str, str]) -> None:
    (image.folder / "bobbin.toml").write_text("")
    (image.folder / "bobbin.toml").chmod(0)
    assert "bobbin.toml can't be read (Permission denied)" in await fails(image, **joined)


def test_the_image_sets_nothing_that_an_operator_may_set_elsewhere() -> None:
    assert not re.findall(r"BOBBIN_\w+", " ".join(said("ENV")))
    assert said("USER")[-1].isdecimal()  # an engine told to refuse root can't tell from a name


def test_it_carries_the_licence(image: Image) -> None:
    assert list(image.root.rglob("bobbin/LICENSE"))
