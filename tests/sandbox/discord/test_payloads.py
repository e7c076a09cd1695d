"""What the local Discord sends has the keys and types of Discord's published examples."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.discord import File, LocalDiscord, Permission
from sandbox.discord.intents import Intent

EXAMPLES = Path(__file__).parents[2] / "data" / "discord"


def example(name: str) -> Any:
    read = json.loads((EXAMPLES / f"{name}.json").read_text())
    assert read.pop("_source").startswith("https://discord.com/developers/docs/")
    return read


def differences(wanted: Any, given: Any, path: str = "") -> list[str]:
    """Where *given* lacks a key of *wanted* or has another type there; null fits where either may be null."""
    if wanted is None or given is None:
        return []
    if isinstance(wanted, bool) != isinstance(given, bool) or not isinstance(given, _kin(wanted)):
        return [f"{path}: {given!r} is not like {wanted!r}"]
    found: list[str] = []
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            here = f"{path}.{key}"
            found += differences(value, given[key], here) if key in given else [f"{here} is missing"]
    if isinstance(wanted, list) and wanted:
        found += differences(wanted[0], given[0], f"{path}.0") if given else [f"{path} is empty"]
    return found


def _kin(value: Any) -> Any:
    return (int, float) if isinstance(value, (int, float)) else type(value)


async def fetched(rest: aiohttp.ClientSession, path: str) -> Any:
    async with rest.get(path) as response:
        return await response.json()


@pytest.fixture
async def events(local: LocalDiscord) -> Any:
    """A bare gateway client; call it for the next event of a name."""
    intents = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.GUILD_MESSAGE_REACTIONS | Intent.MESSAGE_CONTENT)
    url = f"{local.gateway_url}?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": intents, "properties": {}}})

        async def next_of(name: str) -> Any:
            while name != "HELLO":
                event = await socket.receive_json(timeout=5)
                if event["t"] == name:
                    return event["d"]
            return hello

        yield next_of


def test_a_difference_is_found() -> None:
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": 2.5}], "c": 0}) == []
    assert differences({"a": [{"b": 1}], "c": True}, {"a": [{"b": "1"}], "c": 1}) == [
        ".a.0.b: '1' is not like 1",
        ".c: 1 is not like True",
    ]
    assert differences({"a": 1}, {}) == [".a is missing"]


async def test_rest_objects(local: LocalDiscord, rest: aiohttp.ClientSession) -> None:
    said = await local.say("ada", "general", "wool", attachments=[File("notes.txt", b"wool", "text/plain")])
    await local.react("ben", said, "🧵")
    thread = await local.start_thread("ada", said, "Wool")
    place = f"channels/{said.channel.id}"
    message = await fetched(rest, f"{place}/messages/{said.id}")
    guild = f"guilds/{local.guild_id}"
    assert differences(example("message"), message) == []
    assert differences(example("attachment"), message["attachments"][0]) == []
    assert differences(example("text_channel"), await fetched(rest, place)) == []
    assert differences(example("thread"), await fetched(rest, f"channels/{thread.id}")) == []
    assert differences(example("dm_channel"), await fetched(rest, f"channels/{local.open_dm('ben').id}")) == []
    category = local.channel("workshop").id
    assert differences(example("category"), await fetched(rest, f"channels/{category}")) == []
    assert differences(example("member"), await fetched(rest, f"{guild}/members/{said.author.id}")) == []
    assert differences(example("role"), (await fetched(rest, f"{guild}/roles"))[0]) == []


async def test_errors(local: LocalDiscord, rest: aiohttp.ClientSession) -> None:
    path = f"channels/{local.channel('general').id}/messages"
    async with rest.post(path, json={"content": "x" * 2001}) as response:
        assert await response.json() == example("form_error")
    local.faults.next_calls("*", status=429, retry_after=0.5)
    async with rest.get("users/@me") as response:
        limited = await response.json()
    assert differences(example("rate_limited"), limited) == []
    assert set(limited) == set(example("rate_limited"))


async def test_gateway_events(local: LocalDiscord, events: Any) -> None:
    assert differences(example("hello"), await events("HELLO")) == []
    await events("READY")
    said = await local.say("ada", "general", "wool")
    created = await events("MESSAGE_CREATE")
    assert {"guild_id", "member", "channel_type"} <= set(created)
    await local.react("ben", said, "👍")
    assert differences(example("reaction_add"), await events("MESSAGE_REACTION_ADD")) == []
    local.deny("general", Permission.VIEW_CHANNEL)
    local.allow("general")
    assert differences(example("thread_list_sync"), await events("THREAD_LIST_SYNC")) == []


async def test_a_hidden_channel_has_the_flag_and_one_overwrite(local: LocalDiscord, events: Any) -> None:
    await events("READY")
    hidden = local.channel("random")
    local.deny("random", Permission.VIEW_CHANNEL)
    told = await events("CHANNEL_UPDATE")
    assert told["flags"] & 1 << 17
    assert (told["id"], told["type"], told["parent_id"]) == (str(hidden.id), 0, str(hidden.parent_id))
    deny = str(int(Permission.VIEW_CHANNEL))
    assert told["permission_overwrites"] == [{"id": str(local.guild_id), "type": 0, "allow": "0", "deny": deny}]
    local.allow("random")
    assert (await events("CHANNEL_UPDATE"))["name"] == "random"


async def test_commands_and_interactions(local: LocalDiscord, rest: aiohttp.ClientSession, events: Any) -> None:
    await events("READY")
    option = {"type": 3, "name": "question", "description": "What", "required": True}
    path = f"applications/{local.application_id}/commands"
    async with rest.put(path, json=[{"name": "ask", "description": "Ask", "options": [option]}]) as response:
        assert differences(example("application_command"), (await response.json())[0]) == []
    asked = await local.slash("ada", "general", "ask", question="Why?")
    assert differences(example("slash_interaction"), await events("INTERACTION_CREATE")) == []
    callback = f"interactions/{asked.id}/{asked.token}/callback?with_response=1"
    async with rest.post(callback, json={"type": 4, "data": {"content": "Because."}}) as response:
        answer = await response.json()
    assert differences(example("callback_response"), answer) == []
    metadata = answer["resource"]["message"]["interaction_metadata"]
    assert (metadata["user"]["username"], metadata["type"]) == ("ada", 2)
