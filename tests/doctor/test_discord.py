"""Wrong set-ups of Discord, one a row: the doctor names the fault and its mend in a line."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from aiohttp import web

from sandbox.discord import LocalDiscord
from sandbox.replies import Reply
from tests.doctor.conftest import Doctor


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py has its addresses in class attributes; what a test sets must not outlive it."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(
        discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    )


@pytest.fixture
async def local() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


def variables(local: LocalDiscord, **more: str) -> dict[str, str]:
    given = {"TOKEN": local.token, "API_URL": local.api_url, "GATEWAY_URL": local.gateway_url, **more}
    return {f"DISCORD__{name}": value for name, value in given.items()}


async def test_all_is_well(doctor: Doctor, local: LocalDiscord) -> None:
    report = await doctor(**variables(local))
    assert (report.code, report.faults) == (0, set())
    assert report.found["discord"].startswith("✓ logged in as bobbin")
    assert report.found["discord"].count("\n") == 1


WRITTEN = {
    "token in quotes": ({"TOKEN": '"a.b.c"'}, "BOBBIN_DISCORD__TOKEN", "quotation marks; write it without"),
    "“Bot ” before the token": ({"TOKEN": "Bot a.b.c"}, "the word “Bot”", "set it to the token alone"),
    "line break": ({"TOKEN": "a.b.c\nx"}, "a line break", "copy the token"),
    "typo": ({"TOEKN": "x"}, "BOBBIN_DISCORD__TOEKN", "did you mean BOBBIN_DISCORD__TOKEN?"),
    "gateway over https": ({"GATEWAY_URL": "https://x"}, "discord.gateway_url", "must begin with wss://"),
    "shards that aren't there": ({"SHARDS": "0,1"}, "discord.shards", "with 1 in all, they are numbered 0 to 0"),
    "shards that are no numbers": ({"SHARDS": "all"}, "discord.shards", 'must be a whole number, not "all"'),
}


@pytest.mark.parametrize(("more", "fault", "mend"), WRITTEN.values(), ids=WRITTEN)
async def test_what_is_written(
    doctor: Doctor, local: LocalDiscord, more: dict[str, str], fault: str, mend: str
) -> None:
    report = await doctor(**variables(local, **more))
    assert report.code == 2
    assert fault in report.found["settings"]
    assert mend in report.found["settings"]


@pytest.mark.parametrize("written", ["0,1", "[0,1]", "0, 1"])
async def test_shards_may_be_written_plainly(doctor: Doctor, local: LocalDiscord, written: str) -> None:
    report = await doctor(**variables(local, SHARDS=written, SHARD_COUNT="2"))
    assert (report.code, report.faults) == (0, set())


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "DISCORD_BOT_TOKEN"])
async def test_a_variable_without_the_prefix(doctor: Doctor, name: str) -> None:
    report = await doctor(**{f"BARE__{name}": "x"})
    assert report.code == 1
    assert f"{name} is set, but Bobbin reads BOBBIN_DISCORD__TOKEN: set that instead" in report.found["discord"]


REFUSED = {
    "wrong token": ({"TOKEN": "a.b.c"}, "does not accept BOBBIN_DISCORD__TOKEN. Copy the token again"),
    "client secret": ({"TOKEN": secrets.token_hex(16)}, "is it the client secret? Copy the token again"),
    "unreachable": ({"API_URL": "http://127.0.0.1:9/api/v10"}, "Is the network there, and is BOBBIN_DISCORD__API_URL"),
    "gateway URL wrong": (
        {"GATEWAY_URL": "ws://127.0.0.1:9"},
        "Correct BOBBIN_DISCORD__GATEWAY_URL, or leave it unset",
    ),
}


@pytest.mark.parametrize(("more", "mend"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(doctor: Doctor, local: LocalDiscord, more: dict[str, str], mend: str) -> None:
    report = await doctor(**variables(local, **more))
    assert mend in report.found["discord"]
    assert more.get("TOKEN", "hush") not in report.found["discord"]


async def test_an_intent_that_is_off(doctor: Doctor) -> None:
    async with LocalDiscord(message_content_intent=False) as local:
        report = await doctor(**variables(local))
        assert "switch on “Message Content Intent” at https://" in report.found["discord"]
        report = await doctor(**variables(local, MESSAGE_CONTENT="false"))
        assert "discord" not in report.faults


async def test_a_page_in_discords_place(doctor: Doctor, local: LocalDiscord) -> None:
    local.faults.odd("*", Reply(), None)
    report = await doctor(**variables(local))
    assert "is not Discord" in report.found["discord"]
    assert "Is a proxy or a login page in between, and is BOBBIN_DISCORD__API_URL right?" in report.found["discord"]


@pytest.mark.parametrize("greeting", ["no websocket", "nonsense", '{"op": 9}', "closes"])
async def test_something_else_in_the_gateways_place(doctor: Doctor, local: LocalDiscord, greeting: str) -> None:
    async def greet(request: web.Request) -> web.StreamResponse:
        if greeting == "no websocket":
            return web.Response(text="hello")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if greeting != "closes":
            await socket.send_str(greeting)
        await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        return socket

    app = web.Application()
    app.router.add_get("/", greet)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    report = await doctor(**variables(local, GATEWAY_URL=f"ws://127.0.0.1:{runner.addresses[0][1]}/"))
    assert "gateway does not answer at ws://127.0.0.1" in report.found["discord"]
    await runner.cleanup()


async def test_in_no_server(doctor: Doctor, local: LocalDiscord) -> None:
    local.faults.odd("GET /users/@me/guilds", Reply(body="[]", content_type="application/json"))
    report = await doctor(**variables(local))
    assert report.code == 0
    assert "! the bot is in no server yet: invite it with https://" in report.found["discord"]
