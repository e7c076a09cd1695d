"""The gateway keeps Discord's promises on identifying, resuming, intents and compression."""

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import discord
import pytest
import yarl

from sandbox.discord import LocalDiscord
from sandbox.discord.intents import Intent

ALL_MESSAGES = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.MESSAGE_CONTENT)


async def identified(socket: aiohttp.ClientWebSocketResponse, token: str, intents: int = ALL_MESSAGES) -> Any:
    """Shake hands as a bare client; the READY event."""
    assert (await socket.receive_json())["op"] == 10
    await socket.send_json({"op": 2, "d": {"token": token, "intents": intents, "properties": {}}})
    return await socket.receive_json()


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while not socket.closed:
        await socket.receive(timeout=5)
    return socket.close_code


def address(local: LocalDiscord) -> str:
    return f"{local.gateway_url}?v=10&encoding=json"


async def test_a_dropped_connection_is_resumed_and_hears_what_it_missed(local: LocalDiscord, bot: Any) -> None:
    local.gateway.drop()  # what is said from here on is not sent any more
    await local.say("ben", "general", "are you there?")
    await bot.until(lambda: "are you there?" in bot.texts())
    assert bot.events.count("READY") == 1
    assert "RESUMED" in bot.events


async def test_a_reconnect_request_is_followed_by_a_resume(local: LocalDiscord, bot: Any) -> None:
    local.gateway.ask_to_reconnect()
    await bot.until(lambda: "RESUMED" in bot.events)
    await local.say("ben", "general", "hello again")
    await bot.until(bot.texts)
    assert bot.events.count("READY") == 1


async def test_an_invalid_session_makes_a_new_one_and_what_was_missed_is_lost(
    local: LocalDiscord, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discord.backoff.ExponentialBackoff.delay", lambda _: 0.01)
    local.gateway.drop(resumable=False)
    await local.say("ben", "general", "nobody listens")
    await bot.until(lambda: bot.events.count("READY") == 2)
    await local.say("ben", "general", "now you do")
    await bot.until(bot.texts)
    assert bot.texts() == ["now you do"]


async def test_a_wrong_token_is_refused(local: LocalDiscord) -> None:
    async with discord.Client(intents=discord.Intents.none()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}})
        assert await closed_with(socket) == 4004


async def test_an_intent_that_the_portal_does_not_allow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with LocalDiscord(message_content_intent=False) as local:
        monkeypatch.setattr(discord.http.Route, "BASE", local.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(local.gateway_url))
        intents = discord.Intents.default()
        intents.message_content = True
        async with discord.Client(intents=intents) as client:
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await client.start(local.token)


async def test_without_the_content_intent_only_mentions_dms_and_own_messages_have_text(local: LocalDiscord) -> None:
    intents = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.DIRECT_MESSAGES)
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        await identified(socket, local.token, intents)
        await socket.receive_json()
        await local.say("ben", "general", "to nobody")
        await local.say("ben", "general", "@bobbin to you")
        await local.say("ben", local.open_dm("ben"), "in private")
        texts = [(await socket.receive_json())["d"]["content"] for _ in range(3)]
    assert texts == ["", f"<@{local.bot_user_id}> to you", "in private"]


async def test_events_that_were_not_asked_for_are_not_sent(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        await identified(socket, local.token, int(Intent.GUILDS))
        assert (await socket.receive_json())["t"] == "GUILD_CREATE"
        await local.say("ben", "general", "unheard")
        await local.start_thread("ben", "general", "Heard")
        assert (await socket.receive_json())["t"] == "THREAD_CREATE"


async def test_plain_and_compressed_clients_hear_the_same(local: LocalDiscord) -> None:
    unpack = zlib.decompressobj()
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{address(local)}&compress=zlib-stream") as socket:
            data = await socket.receive_bytes()
            assert data.endswith(b"\x00\x00\xff\xff")
            packed = json.loads(unpack.decompress(data))
        async with session.ws_connect(f"{address(local)}&compress=zstd-stream") as socket:
            plain = await socket.receive_json()
    assert packed == plain


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"op": 99}, 4003),
        ({"op": 2, "d": {}}, 4002),
        ({"op": 2, "d": {"token": "TOKEN", "properties": {}, "intents": 1 << 30}}, 4013),
        ({"op": 2, "d": {"token": "TOKEN", "properties": {}, "intents": 2}}, 4014),
        ({"op": 2, "d": {"token": "TOKEN", "properties": {}, "intents": 1, "shard": [3, 2]}}, 4010),
        ({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}, 4004),
    ],
)
async def test_bad_payloads_close_the_connection(local: LocalDiscord, payload: Any, code: int) -> None:
    text = json.dumps(payload).replace("TOKEN", local.token)
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        await socket.receive_json()
        await socket.send_str(text)
        assert await closed_with(socket) == code


async def test_a_second_identify_an_unknown_version_close_the_connection(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address(local)) as socket:
            await identified(socket, local.token)
            await socket.send_json({"op": 2, "d": {}})
            assert await closed_with(socket) == 4005
        async with session.ws_connect(f"{local.gateway_url}?v=6") as socket:
            assert await closed_with(socket) == 4012


async def test_silence_closes_the_connection() -> None:
    async with (
        LocalDiscord(heartbeat_seconds=0.02) as hasty,
        aiohttp.ClientSession() as session,
        session.ws_connect(address(hasty)) as socket,
    ):
        assert await closed_with(socket) == 4009


async def test_an_unknown_session_is_invalid_and_a_closed_one_is_over(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address(local)) as socket:
            ready = await identified(socket, local.token)
            await socket.close(code=1000)
        await local.wait_for(lambda: not local.gateway.is_connected)
        async with session.ws_connect(ready["d"]["resume_gateway_url"] + "?v=10") as socket:
            await socket.receive_json()
            resume = {"token": local.token, "session_id": ready["d"]["session_id"], "seq": ready["s"]}
            await socket.send_json({"op": 6, "d": resume})
            assert await socket.receive_json() == {"op": 9, "d": False}


async def test_a_bot_that_floods_the_gateway_is_cut_off(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        for number in range(121):
            await socket.send_json({"op": 1, "d": number})
        assert await closed_with(socket) == 4008


async def test_stopping_closes_every_connection(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(address(local)) as socket:
        await identified(socket, local.token)
        stopping = asyncio.create_task(local.stop())
        assert await closed_with(socket) == 1001
        await stopping
    assert not local.gateway.is_connected
