"""What discord.py can't read costs that alone: no connection, no other event, no other message."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bots.discord.setup import check
from bots.discord.unreadable import guard, mend
from core.backoff import Backoff
from core.errors import SetupError
from core.metrics import Metrics
from core.quote import Quote, Source
from sandbox.discord import payloads
from sandbox.discord.sessions import Session
from tests.bots.discord.conftest import House

BAD = {
    "poll": {"answers": []},
    "embeds": [{"title": "ok", "type": "rich", "timestamp": "yesterday"}],
    "attachments": [None, {"id": "x"}],
    "components": [{"type": 1}, None, 7],
    "sticker_items": [{}],
    "message_snapshots": [{"message": None}],
    "call": {"participants": 3},
    "role_subscription_data": {},
    "interaction_metadata": {"id": "1"},
    "thread": {"id": "not a number"},
    "reactions": [{}],
    "message_reference": {"message_id": "x"},
    "edited_timestamp": "yesterday",
}


def counted(house: House, what: str) -> float:
    return float(house.vitals.metrics.unreadable.labels("discord", what)._value.get())


def payload(house: House, text: str, **more: Any) -> dict[str, Any]:
    """What the gateway tells of a message of ada's in #general."""
    world = house.discord.world
    channel, ada = house.discord.channel("general"), house.discord.user("ada")
    return {
        "id": str(world.snowflakes.next()),
        "channel_id": str(channel.id),
        "guild_id": str(world.guild_id),
        "author": payloads.user_json(ada),
        "content": text.replace("@bobbin", f"<@{house.discord.bot_user_id}>"),
        "timestamp": "2026-11-25T10:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [payloads.user_json(world.bot)] if "@bobbin" in text else [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "flags": 0,
        "type": 0,
        **more,
    }


@pytest.mark.parametrize("part", BAD)
async def test_a_question_beside_something_unreadable_is_heard(house: House, part: str) -> None:
    async with house.listening():
        with capture_logs() as logs:
            house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin secret why?", **{part: BAD[part]}))
            (turn,) = await house.accepted()
        assert turn.question.text == "secret why?"
        assert counted(house, "MESSAGE_CREATE") == 1
        assert "secret" not in str([one for one in logs if "can't be read" in one["event"]])


@pytest.mark.parametrize("value", [None, 7, "text", [None], []], ids=str)
@pytest.mark.parametrize(
    "member",
    [
        *("mention_roles", "components", "attachments", "embeds", "poll", "thread", "call", "member", "application"),
        *("message_reference", "interaction_metadata", "role_subscription_data", "sticker_items", "flags", "pinned"),
        *("message_snapshots", "referenced_message", "edited_timestamp", "nonce", "reactions"),
    ],
)
async def test_a_question_is_heard_whatever_one_member_of_it_is(house: House, member: str, value: Any) -> None:
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin why?", **{member: value}))
        (turn,) = await house.accepted()
    assert turn.question.text == "why?"


@pytest.mark.parametrize(
    "odd", [7, "text", [None], {}, {"author": {}}, {"flags": None}, {"content": 7}, {"mentions": None}], ids=str
)
async def test_a_reply_is_heard_whatever_is_told_of_what_it_replies_to(house: House, odd: Any) -> None:
    replied = payload(house, "E42")
    reference = {"message_id": replied["id"], "channel_id": replied["channel_id"], "guild_id": replied["guild_id"]}
    told = replied | odd if odd and isinstance(odd, dict) else odd
    sent = payload(house, "@bobbin why?", type=19, message_reference=reference, referenced_message=told)
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", sent)
        (turn,) = await house.accepted()
    assert turn.question.text == "why?"


@pytest.mark.parametrize("question", [{}, {"text": None}, {"text": 7}, {"text": ["a"]}], ids=str)
async def test_a_question_is_heard_whatever_its_poll_asks(house: House, question: Any) -> None:
    poll = {"question": question, "answers": [{"answer_id": 1, "poll_media": {"text": "tea"}}], "layout_type": 1}
    poll |= {"expiry": "2026-11-26T10:00:00+00:00", "allow_multiselect": False}
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin why?", poll=poll))
        (turn,) = await house.accepted()
    assert turn.question.text == "why?"


SHOT = {"type": 0, "content": "E42", "embeds": [], "attachments": [], "timestamp": "2026-01-01T00:00:00+00:00"}
SHOT |= {"edited_timestamp": None, "flags": 0}


@pytest.mark.parametrize(
    "odd",
    [
        {"content": 7},
        {"content": None},
        {"embeds": [None]},
        {"embeds": "x"},
        {"attachments": [{}]},
        {"components": [7]},
        {"sticker_items": [{"name": 7}]},
        {"timestamp": None},
        {"type": None},
    ],
    ids=str,
)
async def test_a_forward_is_read_beside_one_of_an_odd_shape(house: House, odd: dict[str, Any]) -> None:
    shots = [{"message": SHOT | odd}, None, {"message": SHOT}]
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin why?", message_snapshots=shots, flags=1 << 14))
        (turn,) = await house.accepted()
    assert turn.question.quotes[-1] == Quote(Source.FORWARD, "E42")
    assert turn.question.text == "why?"


async def test_forwards_in_a_forward_are_read(house: House) -> None:
    """No page says that there are none."""
    deep: Any = []
    for level in range(9, -1, -1):
        deep = [{"message": SHOT | {"content": str(level), "message_snapshots": deep}}]
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin why?", message_snapshots=deep))
        (turn,) = await house.accepted()
    assert [one.text for one in turn.question.quotes] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "odd",
    [
        {"content": None},
        {"poll": {"question": {"text": 7}, "answers": [], "expiry": None, "layout_type": 1}},
        {"sticker_items": [{"id": "1", "name": None, "format_type": 1}]},
        {"embeds": [{"type": "rich", "title": 7, "url": 8, "fields": [{"name": 1, "value": 2}]}]},
        {"flags": 1 << 13},
        {
            "author": {
                "id": "5",
                "username": "lamp",
                "global_name": 7,
                "discriminator": "0",
                "avatar": None,
                "bot": True,
            }
        },
    ],
    ids=str,
)
async def test_a_reply_is_read_whatever_it_replies_to(house: House, odd: dict[str, Any]) -> None:
    replied = payload(house, "E42") | {"author": {**payload(house, "")["author"], "bot": True}} | odd
    reference = {"message_id": replied["id"], "channel_id": replied["channel_id"], "type": 0}
    more = {"referenced_message": replied, "message_reference": reference, "type": 19}
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin why?", **more))
        (turn,) = await house.accepted()
    assert turn.question.text == "why?"
    assert len(turn.question.quotes) <= 1


@pytest.mark.parametrize("data", [None, [], "text", 7, {}, {"id": None}, {"id": "1", "content": None}])
@pytest.mark.parametrize(
    "event", ["MESSAGE_CREATE", "MESSAGE_UPDATE", "GUILD_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE"]
)
async def test_an_event_of_no_use_is_skipped(house: House, event: str, data: Any) -> None:
    async with house.listening():
        house.discord.send_raw(event, data)
        assert (await house.asked("@bobbin still there?")).question.text == "still there?"
        assert house.discord.gateway.identified == 1


async def test_an_event_without_members_that_have_to_be_there_is_counted(house: House) -> None:
    async with house.listening():
        house.discord.send_raw("MESSAGE_DELETE", {})
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin", content=None))
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin", author=None))
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "@bobbin", author={"id": "7"}))
        await house.asked()
    assert counted(house, "MESSAGE_DELETE") == 1
    assert counted(house, "MESSAGE_CREATE") == 3


async def test_a_question_is_heard_without_the_lists_that_a_message_has(house: House) -> None:
    said = payload(house, "@bobbin why?")
    said = {name: value for name, value in said.items() if name not in ("mention_roles", "components", "embeds")}
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", said)
        (turn,) = await house.accepted()
    assert turn.question.text == "why?"


async def test_an_edit_is_heard_without_what_is_unreadable(house: House) -> None:
    async with house.listening():
        asked = await house.asked("@bobbin why?")
        edit = payload(house, "@bobbin why not?", edited_timestamp="2026-11-25T10:00:01+00:00", poll={})
        edit["id"] = asked.question.key.rpartition(":")[2].rpartition("/")[2]
        edit["timestamp"] = discord.utils.utcnow().isoformat()
        house.discord.send_raw("MESSAGE_UPDATE", edit)
        async with asyncio.timeout(5):
            while (turn := await house.ledger.turn(asked.question.key)) is None or turn.question.text != "why not?":
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", [discord.Client, discord.AutoShardedClient])
def test_of_a_server_just_what_is_unreadable_is_left_out(kind: type[discord.Client]) -> None:
    client, metrics = kind(intents=discord.Intents.none()), Metrics()
    guard(client, metrics)
    channel = {"type": 0, "name": "general", "position": 0, "permission_overwrites": [], "parent_id": None}
    guild: dict[str, Any] = {
        "id": "1",
        "name": "workshop",
        "afk_channel_id": "nowhere",
        "owner_id": "2",
        "roles": [{"id": "1", "name": "@everyone", "permissions": "0", "position": 0}, None, {"id": "5"}],
        "channels": [{"id": "3", **channel}, {"id": "4", "type": "new"}, None],
        "threads": [{}],
        "emojis": [None],
        "stickers": [{"id": "7"}],
        "voice_states": [{"channel_id": "x"}],
        "members": [{"user": None}],
        "stage_instances": [{}],
        "guild_scheduled_events": [{}],
        "soundboard_sounds": [{}],
        "presences": None,
    }
    client._connection.parsers["GUILD_CREATE"](guild)
    (known,) = client.guilds
    assert (known.name, known.owner_id, [one.id for one in known.channels]) == ("workshop", 2, [3])
    assert 1 in [role.id for role in known.roles]
    assert metrics.unreadable.labels("discord", "GUILD_CREATE")._value.get() == 1


def test_without_what_is_essential_nothing_is_left() -> None:
    assert mend({"id": "x", "name": "y"}, lambda data: int(data["id"]), frozenset({"id"})) is None


@pytest.mark.parametrize("frame", ["no JSON", "[]", "7", '{"op":0,"t":"READY","s":9,"d":null}', '{"op":10,"d":{}}'])
async def test_after_a_frame_that_is_none_it_connects_once_more(house: House, frame: str) -> None:
    async with house.listening():
        house.discord.send_frame(frame)
        async with asyncio.timeout(20):
            while house.discord.gateway.identified < 2:
                await asyncio.sleep(0.01)
        assert (await house.asked("@bobbin still there?")).question.text == "still there?"


async def test_a_wrong_greeting_is_survived(house: House) -> None:
    house.discord.faults.hello = {}
    listening = asyncio.create_task(house.chat.listen(house.relay))
    async with asyncio.timeout(10):
        while house.discord.gateway.greeted < 2:
            await asyncio.sleep(0.01)
        house.discord.faults.hello = None
        while not house.discord.gateway.identified:
            await asyncio.sleep(0.01)
    await house.asked("@bobbin there?")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_message_of_the_future_hides_nothing_that_is_missed(house: House) -> None:
    async with house.listening():
        house.discord.send_raw("MESSAGE_CREATE", payload(house, "not for you", id=str(2**63 - 1)))
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"


@pytest.mark.parametrize(
    "change",
    [
        {"data": None},
        {"data": []},
        {"data": {"id": "1", "name": "ask", "type": 1, "options": None}},
        {"data": {"id": "1", "name": "ask", "type": 1, "options": "text"}},
        {"data": {"id": "1", "name": "ask", "type": 1, "options": [None]}},
        {"data": {"id": "1", "name": "ask", "type": 1, "options": [{"name": "question", "type": 3}]}},
        {"data": {"id": "1", "name": "ask", "type": 1, "options": [{"name": "question", "type": 3, "value": 7}]}},
        {"data": {"id": "1", "name": "ask", "type": 1, "resolved": 7, "options": []}},
        {"data": {"id": "1", "type": 1}},
        {"data": {"id": "1", "name": "ask", "type": 9}},
        {"data": {"id": "1", "name": "gone", "type": 1}},
        {"token": None},
        {"type": 4, "data": {"id": "1", "name": "preset", "type": 1, "options": None}},
    ],
    ids=str,
)
async def test_a_command_of_a_strange_shape_is_no_traceback(house: House, change: dict[str, Any]) -> None:
    said = {
        "id": str(house.discord.world.snowflakes.next()),
        "application_id": "1",
        "type": 2,
        "version": 1,
        "token": "t",
        "channel_id": str(house.discord.channel("general").id),
        "guild_id": str(house.discord.world.guild_id),
        "channel": {"id": str(house.discord.channel("general").id), "type": 0},
        "user": payloads.user_json(house.discord.user("ada")),
        "data": {"id": "1", "name": "ask", "type": 1, "options": [{"name": "question", "type": 3, "value": "why?"}]},
        "locale": "en",
        "entitlements": [],
        "authorizing_integration_owners": {},
        "attachment_size_limit": 1,
    }
    async with house.listening():
        with capture_logs() as logs:
            house.discord.send_raw("INTERACTION_CREATE", said | change)
            assert (await house.asked("@bobbin still there?")).question.text == "still there?"
        assert not [one for one in logs if one["log_level"] == "error"]


# Read back


async def test_a_message_that_is_unreadable_does_not_keep_the_others_of_its_channel(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    added = house.discord.added
    parts: list[dict[str, Any]] = [{"poll": {"answers": []}}, {"author": None}, {"id": None}, {"content": 7}]
    for number, part in enumerate(parts):
        chatter = await house.discord.say("ben", "general", f"chatter {number}")
        added[chatter.id] = part
    missed = await house.discord.say("ada", "general", "@bobbin missed")
    added[missed.id] = {"embeds": [{"timestamp": "yesterday"}], "interaction_metadata": None}
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"
    assert counted(house, "history") == 5


async def test_a_question_that_has_become_unreadable_is_not_taken_for_a_deleted_one(house: House) -> None:
    async with house.listening():
        asked = await house.asked("before", to=house.discord.open_dm("ada"))
        direct = house.discord.open_dm("ada")
    house.discord.added[house.discord.messages(direct)[0].id] = {"content": None}
    await house.discord.say("ada", direct, "after")
    house.chat = house.build()
    async with house.listening():
        await house.accepted(2)
        turn = await house.ledger.turn(asked.question.key)
        assert turn
        assert not turn.is_withdrawn


# Before there is a connection


@pytest.mark.parametrize("body", ["<html>", '"text"', "[]", "7", "{}", "null"])
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_what_answers_in_discords_place_is_told_by_the_doctor_and_survived(
    house: House, body: str, content_type: str
) -> None:
    house.have_times(reach=Backoff(first=0.01, longest=0.1))
    answers = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal answers
        answers += 1
        return web.Response(text=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    section = house.section.model_copy(update={"api_url": f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"})
    try:
        with pytest.raises(SetupError, match="is not Discord"):
            await anext(check(section))
        portal = House(house.discord, section, house.ledger, times=house.times)
        listening = asyncio.create_task(portal.chat.listen(portal.relay))
        async with asyncio.timeout(10):
            while answers < 4 and not listening.done():
                await asyncio.sleep(0.01)
        assert not listening.done()
        assert portal.vitals.troubles
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    finally:
        await runner.cleanup()


# What Discord tells when a connection begins


def tell(monkeypatch: pytest.MonkeyPatch, event: str, **members: Any) -> None:
    """Have Discord say something else in an *event* from now on."""
    dispatch = Session.dispatch

    def changed(self: Session, name: str, data: Any) -> None:
        dispatch(self, name, data | members if name == event else data)

    monkeypatch.setattr(Session, "dispatch", changed)


@pytest.mark.parametrize("members", [{"channels": 7}, {"roles": None}, {"channels": None, "roles": "x"}], ids=str)
async def test_what_was_missed_in_a_server_is_read_though_its_channels_or_roles_are_unreadable(
    house: House, monkeypatch: pytest.MonkeyPatch, members: dict[str, Any]
) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "random", "@bobbin missed")
    tell(monkeypatch, "GUILD_CREATE", **members)
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"
        assert (await house.asked("@bobbin still there?", to="random")).question.text == "still there?"


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize(
    "members",
    [
        {"guilds": None},
        {"guilds": "x"},
        {"guilds": [None, 7, {}, {"id": "x"}]},
    ],
    ids=str,
)
async def test_a_session_begins_though_something_in_its_greeting_is_unreadable(
    house: House, monkeypatch: pytest.MonkeyPatch, members: dict[str, Any], shards: int
) -> None:
    tell(monkeypatch, "READY", **members)
    if shards > 1:
        monkeypatch.setattr(discord.Client, "before_identify_hook", AsyncMock())  # five seconds, otherwise
        house = house.sharded(shards)
    with capture_logs() as logs:
        async with house.listening(), asyncio.timeout(10):
            while house.discord.gateway.identified < shards:
                await asyncio.sleep(0.01)
            assert (await house.asked("@bobbin why?")).question.text == "why?"
    assert counted(house, "READY") == house.discord.gateway.identified
    assert not [one for one in logs if one["log_level"] == "error"]
