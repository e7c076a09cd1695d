"""The page over HTTP and its WebSocket, without a bot: what is served to whom, and what acts do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from sandbox.bot import State as Process
from sandbox.discord import LocalDiscord
from sandbox.ledger import Ledger
from sandbox.page.server import STATIC, Served, served
from sandbox.slack import LocalSlack, shown
from sandbox.stage import Hearing, Stage
from sandbox.upstream import Emulator

VENDOR = STATIC / "vendor"


class Gone:
    """A bot that isn't there."""

    state, life, health, is_running = Process.ENDED, 0, "", False


@dataclass
class Scene:
    stage: Stage
    page: Served
    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    _number: int = 0

    async def act(self, name: str, **fields: Any) -> dict[str, Any]:
        self._number += 1
        await self.socket.send_json({"act": name, "id": self._number, "person": "ada", **fields})
        async with asyncio.timeout(20):
            while True:
                told = await self.read()
                if told.get("done") == self._number:
                    return told

    async def read(self) -> dict[str, Any]:
        told = cast("dict[str, Any]", await self.socket.receive_json(timeout=20))
        for state in told.get("states", ()):
            self.states[state["key"]] = state
        return told

    async def until(self, of: str, **fields: Any) -> dict[str, Any]:
        """The state of that kind with those fields, as soon as it is told."""
        while True:
            for state in self.states.values():
                if state.get("type") == of and all(state.get(name) == value for name, value in fields.items()):
                    return state
            await self.read()

    def key(self, kind: str, platform: str, name: str) -> str:
        found = [one for one in self.states.values() if (one.get("type"), one.get("platform")) == (kind, platform)]
        return next(str(one["key"]) for one in found if one["name"] == name)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as parts:
        slack = await parts.enter_async_context(LocalSlack())
        discord = await parts.enter_async_context(LocalDiscord())
        emulator = await parts.enter_async_context(Emulator())
        ledger = Ledger(tmp_path / "none.db")
        stage = Stage(cast("Any", Gone()), Hearing(), ledger, slack, discord, emulator, emulator.url, {})
        page = await parts.enter_async_context(served(stage, port=0))
        session = await parts.enter_async_context(aiohttp.ClientSession(page.address))
        origin = page.address.rstrip("/")
        socket = await parts.enter_async_context(session.ws_connect("/feed", headers={"Origin": origin}))
        scene = Scene(stage, page, session, socket)
        await scene.read()
        yield scene
        assert not page.watching.done()


async def test_the_page_and_its_files_are_served_with_a_strict_policy(scene: Scene) -> None:
    for path in ("/", *(f"/static/{one.relative_to(STATIC)}" for one in STATIC.rglob("*.js"))):
        async with scene.session.get(path) as answer:
            assert answer.status == 200, path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/none.js", "/none"])
async def test_nothing_else_is(scene: Scene, path: str) -> None:
    async with scene.session.get(path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
@pytest.mark.parametrize("path", ["/", "/feed", "/static/app.js", "/file/slack/F1"])
async def test_a_page_elsewhere_gets_nothing(scene: Scene, path: str, headers: dict[str, str]) -> None:
    async with scene.session.get(path, headers=headers) as answer:
        assert answer.status == 403


async def test_the_feed_is_for_our_page_alone(scene: Scene) -> None:
    for headers in ({}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "null"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await scene.session.ws_connect("/feed", headers=headers)
        assert refusal.value.status == 403


async def test_no_token_is_told(scene: Scene) -> None:
    slack, discord = scene.stage.slack, scene.stage.discord
    for secret in (slack.bot_token, slack.app_token, slack.signing_secret, discord.token):
        assert secret not in str(scene.states)


async def test_what_is_said_on_the_page_is_said_on_the_platform(scene: Scene) -> None:
    place = scene.key("place", "slack", "general")
    assert "error" not in await scene.act("slack.say", place=place, text="hello <b>you</b>")
    said = await scene.until("message", platform="slack")
    assert shown(scene.stage.slack.messages("general")[0]) == "hello <b>you</b>"
    await scene.act("slack.say", place=place, text="again", thread=said["key"])
    assert (await scene.until("message", thread=said["key"]))["text"] == "again"
    await scene.act("slack.edit", message=said["key"], text="changed")
    assert (await scene.until("message", key=said["key"], edited=True))["text"] == "changed"
    place = scene.key("place", "discord", "general")
    assert "error" not in await scene.act("discord.say", place=place, text="hello", person="ben")
    message = await scene.until("message", platform="discord")
    await scene.act("discord.thread", message=message["key"], title="Side")
    thread = await scene.until("place", kind="thread", name="Side")
    await scene.act("discord.say", place=thread["key"], text="inside")
    await scene.until("message", place=thread["key"], text="inside")
    assert "error" not in await scene.act(
        "discord.post", place=scene.key("place", "discord", "ideas"), title="A post", text="words"
    )
    await scene.until("place", kind="thread", name="A post")


async def test_who_types_is_told(scene: Scene) -> None:
    await scene.stage.discord.type_in("bobbin", "general")
    place = scene.key("place", "discord", "general")
    assert (await scene.until("status", place=place))["text"] == "bobbin is typing…"


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_files_come_along_and_can_be_had_again(scene: Scene, platform: str) -> None:
    files = [
        {"name": "a.html", "kind": "text/html", "content": base64.b64encode(b"<script>").decode()},
        {"name": "b.png", "kind": "image/png", "content": base64.b64encode(b"\x89PNG").decode()},
    ]
    await scene.act(f"{platform}.say", place=scene.key("place", platform, "general"), text="", files=files)
    message = await scene.until("message", platform=platform)
    page, picture = message["files"]
    async with scene.session.get(page["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (b"<script>", "application/octet-stream")
        assert answer.headers["Content-Disposition"].startswith("attachment")
    async with scene.session.get(picture["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (b"\x89PNG", "image/png")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ({"act": "slack.say", "text": "x" * 50_000}, "40,000 are the most"),
        ({"act": "slack.say", "text": " "}, "nothing to send"),
        ({"act": "slack.say", "text": 7}, "has to be text"),
        ({"act": "slack.say", "text": "hi", "person": "carol"}, "carol"),
        ({"act": "slack.say", "text": "hi", "thread": "slack C 1.0"}, "1.0"),
        ({"act": "slack.say", "text": "/bobbin hi", "thread": "slack C 1.0"}, "no slash commands in threads"),
        ({"act": "slack.say", "text": "hi", "files": [{"name": "a", "kind": "b", "content": "~"}]}, "can't be read"),
        ({"act": "slack.say", "text": "hi", "files": 7}, "10 files"),
        ({"act": "slack.click", "message": "slack C 1.0", "action": "a"}, "not there any more"),
        ({"act": "discord.click", "message": "discord 1", "action": "a"}, "not there any more"),
        ({"act": "discord.submit", "view": "discord modal 1"}, "not open any more"),
        ({"act": "fault.kill"}, "not running"),
        ({"act": "no.such"}, "Load it anew"),
        ({}, "Load it anew"),
    ],
    ids=lambda one: str(one)[:40],
)
async def test_what_can_not_be_done_is_refused_with_a_sentence(scene: Scene, act: dict[str, Any], why: str) -> None:
    fields = {"place": scene.key("place", "slack", "general"), **act}
    assert why in (await scene.act(fields.pop("act", ""), **fields))["error"]


@pytest.mark.parametrize("sent", ["no JSON", "[]", "7", "[" * 100_000, '{"act": "\\ud800"}'])
async def test_what_is_no_act_is_refused(scene: Scene, sent: str) -> None:
    await scene.socket.send_str(sent)
    while "done" not in (told := await scene.read()):
        pass
    assert told["error"]


async def test_discord_counts_what_people_write(scene: Scene) -> None:
    told = await scene.act("discord.say", place=scene.key("place", "discord", "general"), text="x" * 2_001)
    assert told["error"] == "Discord takes 2000 characters, not 2001."


async def test_what_is_switched_on_is_told(scene: Scene) -> None:
    for name in ("down", "cut", "redeliver"):
        await scene.act(f"fault.{name}", on=True)
        await scene.until("fault", name=name, on=True)
        await scene.act(f"fault.{name}", on=False)
        await scene.until("fault", name=name, on=False)
    await scene.act("fault.limit")
    await scene.until("fault", name="limit", on=True)
    assert scene.stage.slack.faults.failures["chat.update"]


async def test_with_the_real_service_its_faults_are_not_offered(scene: Scene) -> None:
    object.__setattr__(scene.stage, "upstream", "https://real.example")
    assert "real AI service" in (await scene.act("fault.down", on=True))["error"]
    assert not scene.stage.emulator.faults.as_json()


async def test_a_taken_port_makes_way_for_the_next(scene: Scene) -> None:
    taken = int(scene.page.address.rsplit(":", 1)[1].strip("/"))
    async with served(scene.stage, port=taken) as second:
        assert int(second.address.rsplit(":", 1)[1].strip("/")) > taken


def test_what_is_vendored_is_what_was_brought() -> None:
    listed = {line[66:]: line[:64] for line in (VENDOR / "SHA256SUMS").read_text().splitlines()}
    there = {str(one.relative_to(VENDOR)) for one in VENDOR.rglob("*") if one.is_file()} - {"SHA256SUMS"}
    assert there == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    assert "BSD 3-Clause" in (VENDOR / "lit-html/LICENSE").read_text()


def test_no_module_makes_markup_of_text() -> None:
    """Nor fetches anything from elsewhere."""
    for file in STATIC.glob("*.js"):
        code = file.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|unsafeHTML|\beval\(", code), file
        assert not re.search(r"from '(?!\./)", code), file
