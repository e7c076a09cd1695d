"""Files that people attach: what of them reaches the AI service, and what is said of those that don't."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import discord, slack
from sandbox.discord import File, LocalDiscord
from sandbox.replies import Reply
from sandbox.slack import LocalSlack, SharedFile
from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds
DOOR = {"public_url": "http://127.0.0.1:0"}
PASTE = b"ERROR 42: the pump stands still\nsince noon"


def png(width: int = 120, height: int = 80) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@dataclass(frozen=True)
class Sent:
    """A file, on whatever platform."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


PICTURE = Sent("pump.png", png(), "image/png")
TEXT = Sent("message.txt", PASTE, "text/plain")
LONG = Sent("server.log", b"0123456789abcde\n" * 6_000, "text/plain")
REPORT = Sent("report.pdf", b"%PDF-1.7\n" + bytes(500), "application/pdf")


class OnSlack:
    name = "slack"

    def __init__(self, local: LocalSlack) -> None:
        self.local = local
        self.dm = local.open_dm("ada")

    async def say(self, text: str, *files: Sent, **more: Any) -> None:
        shared = [SharedFile(one.name, one.content, one.media_type, **more) for one in files]
        await self.local.say("ada", self.dm, text, files=shared)

    def answers(self) -> list[str]:
        said = [one for one in self.local.messages(self.dm) if one.user == self.local.bot_user_id]
        return [slack.shown(one) for one in said]

    def serve(self, reply: Reply | None) -> None:
        self.local.faults.file = reply

    @property
    def secret(self) -> str:
        return self.local.bot_token


class OnDiscord:
    name = "discord"

    def __init__(self, local: LocalDiscord) -> None:
        self.local = local
        self.dm = local.open_dm("ada")

    async def say(self, text: str, *files: Sent) -> discord.Message:
        attached = [File(one.name, one.content, one.media_type) for one in files]
        return await self.local.say("ada", self.dm, text, attachments=attached)

    def answers(self) -> list[str]:
        return [one.content for one in self.local.messages(self.dm) if one.author.is_bot and one.content]

    def serve(self, reply: Reply | None) -> None:
        self.local.world.faults.file = reply

    @property
    def secret(self) -> str:
        return self.local.token


@pytest.fixture(params=["slack", "discord"])
def there(request: pytest.FixtureRequest) -> OnSlack | OnDiscord:
    """ada's direct conversation with the bot, on each platform in turn."""
    local = request.getfixturevalue(f"local_{request.param}")
    return OnSlack(local) if request.param == "slack" else OnDiscord(local)


async def told(there: Any, bobbin: Any, number: int = 1) -> str:
    await there.local.wait_for(lambda: len(there.answers()) >= number, PATIENCE)
    await bobbin.idle()
    return str(there.answers()[-1])


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    return [request.body for request in emulator.requests if isinstance(request.body, dict)]


@pytest.mark.parametrize("words", ["What is this?", ""])
async def test_a_picture_is_seen(running: Any, there: Any, sqlite_url: str, emulator: Emulator, words: str) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say(words, PICTURE)
        answer = await told(there, bobbin)
        [body] = bodies(emulator)
        [link] = body["references"]
        assert link.startswith(f"http://127.0.0.1:{bobbin.web.port}/files/")
        assert link.endswith("/pump.png")
    assert "pump.png (image/png, 120×80, " in answer.replace("`", "")
    assert "leaves out" not in answer
    assert body["question"].strip()


async def test_a_paste_is_in_the_question_as_data(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name) as bobbin:  # a text needs no door
        await there.say("Why?", TEXT)
        answer = await told(there, bobbin)
    [body] = bodies(emulator)
    assert '{"file": "message.txt", "text": "ERROR 42: the pump stands still\\nsince noon"}' in body["question"]
    assert body["question"].endswith("\n\nWhy?")
    assert "references" not in body
    assert "message.txt (it begins: “ERROR 42: the pump stands still”)" in answer.replace("`", "")
