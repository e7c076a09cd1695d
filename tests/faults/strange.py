"""What nobody foresaw: events and history that can't be read, odd replies, other files, absurd waits, stalled connections."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from sandbox.replies import Reply
from tests.faults.people import Crowd, is_ended
from tests.faults.world import World, until

if TYPE_CHECKING:
    from tests.faults.count import Asked
    from tests.faults.harm import Play

POSTS = {"slack": "chat.postMessage", "discord": "POST /channels/{channel_id}/messages"}
UPDATES = {"slack": "chat.update", "discord": "PATCH /channels/{channel_id}/messages/{message_id}"}
PATIENCE = 60.0  # seconds until an answer must be there; waits of a minute are bounded to that
AWAY = 60.0  # seconds that a platform is gone, in the scenario of that name
BETWEEN_QUESTIONS = 2.0  # seconds
FLOOD = 1_100  # connections

# Parts of a message that Discord's documentation does not foresee, or that discord.py 2.7 can't parse.
BAD_PARTS: list[dict[str, Any]] = [
    {"poll": {"answers": []}},
    {"embeds": None},
    {"attachments": [{"id": None}]},
    {"author": None},
    {"author": {"id": "seven"}},
    {"mentions": [{"username": "nobody"}]},
    {"timestamp": "yesterday"},
    {"type": "nineteen", "flags": "none"},
    {"components": [{"type": 1, "components": None}]},
    {"message_snapshots": [{}]},
    {"sticker_items": [{}]},
]
# Events of a shape that Slack's documentation does not foresee.
BAD_EVENTS: list[Any] = [
    {"type": "message"},
    {"type": "message", "channel": 7, "user": ["U1"], "ts": None, "text": {}},
    {"type": "message", "channel": "C1", "user": "U1", "ts": "soon", "text": "hi"},
    {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2"},
    {"type": "message", "subtype": "message_deleted", "channel": "C1", "ts": "1.2"},
    {"type": "message", "subtype": "message_changed", "channel": "C1", "message": [], "previous_message": 1},
    {"type": "app_mention", "channel": None, "user": None, "ts": "1.2", "text": None},
]
ABSURD_WAITS = ("86400", "Fri, 31 Dec 9999 23:59:59 GMT", "-5", "soon", "1e400")
ODD = [
    Reply(),
    Reply(body="", content_type="application/json"),
    Reply(body="{}", content_type="application/json"),
    Reply(body='["x"]', content_type="application/json"),
    Reply(body='{"ok": tru', content_type="application/json"),
    Reply(body='{"ok": true}', content_type="application/json"),
    Reply(body='{"ok": false, "error": "a_code_nobody_knows"}', content_type="application/json"),
    Reply(400, '{"code": 999999, "message": "?"}', "application/json"),
    Reply(400, '{"code": 999999, "message": "?"}', "application/json; charset=utf-8"),
    Reply(400, '["x"]', "application/json"),
    Reply(403),
    Reply(404),
    Reply(408),
    Reply(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
]
# What comes in place of a file: nothing for now or for good, a login page, another kind, somebody else's, and silence.
IN_PLACE_OF_A_FILE = {
    "away": Reply(503),
    "too much": Reply(429, headers={"Retry-After": "1"}),
    "gone": Reply(404),
    "a page": Reply(),
    "a page after a while": Reply(after=2.0),
    "another kind": Reply(body=b"PK\x03\x04" + bytes(range(256)), content_type="text/plain"),
    "packed": Reply(body=b"\x1f\x8b" * 99, content_type="text/plain", headers={"Content-Encoding": "gzip"}),
    "elsewhere": Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
    "nothing in it": Reply(body="", content_type="text/plain"),
    "silence": Reply(after=30.0),  # longer than all files of a question are waited for
}


async def unreadable(world: World, play: Play) -> None:
    """Events that can't be parsed, and what was said while the bot was away beside messages that can't."""
    numbers = itertools.count(1)
    while play.goes_on():
        for bad in BAD_PARTS:
            world.discord.send_raw("MESSAGE_CREATE", message(world, next(numbers)) | bad)
        for name in ("GUILD_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "INTERACTION_CREATE", "A_NEW_ONE"):
            world.discord.send_raw(name, {"id": str(next(numbers)), "guild_id": None, "channels": [None], "type": "?"})
        for event in BAD_EVENTS:
            world.slack.send_raw(event)
        poll = await world.discord.say("ben", "general", "a poll")
        world.discord.added[poll.id] = {"poll": {"answers": []}}
        said = await world.slack.say("ben", "general", "something strange")
        world.slack.faults.added[said.ts] = "no object at all"
        await play.pause(1.5, 3)
        await world.kill(play.random.choice(world.bots), "kill beside what can't be read")


async def files(world: World, play: Play) -> None:
    """File hosts are away, slow, or lie, one way after another; kills while they are, and after."""
    for what in itertools.cycle(play.random.sample(sorted(IN_PLACE_OF_A_FILE), len(IN_PLACE_OF_A_FILE))):
        if not play.goes_on():
            break
        world.serve_files(IN_PLACE_OF_A_FILE[what])
        world.did(f"files: {what}")
        await play.pause(0.5, 1.5)
        if play.random.random() < 0.5:
            await world.kill(play.random.choice(world.bots))
        world.serve_files()
        await play.pause(0.3, 1)
        if play.random.random() < 0.5:
            await world.kill(play.random.choice(world.bots))


def message(world: World, number: int) -> dict[str, Any]:
    local = world.discord
    channel = next(one for one in local.world.channels.values() if one.name == "general")
    return {
        "id": str(((int(time.time() * 1000) - 1_420_070_400_000) << 22) + number),
        "channel_id": str(channel.id),
        "guild_id": str(local.guild_id),
        "author": {"id": "7", "username": "x", "discriminator": "0", "avatar": None},
        "content": "",
        "timestamp": "2026-11-25T10:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }


async def odd_replies(world: World, play: Play) -> None:
    """Each odd reply at the first post, at an update, and at the last update; what was asked for is done, or not."""
    for done in (False, True):
        for reply in ODD:
            if done and reply.status == 429:
                continue  # who says that it was too much has not done it
            await asyncio.gather(*(_at_each_call(world, crowd, reply, done=done) for crowd in play.crowds))
            world.did("odd reply")


async def _at_each_call(world: World, crowd: Crowd, reply: Reply, *, done: bool) -> None:
    faults = world.slack.faults if crowd.side.name == "slack" else world.discord.faults
    post, update = POSTS[crowd.side.name], UPDATES[crowd.side.name]
    faults.odd(post, reply, done=done)
    await _answered(crowd, *await crowd.open(streaming=False))
    faults.odd(update, reply, done=done)  # the first one
    place, asked = await crowd.open(streaming=True)
    await until(lambda: crowd.side.texts(place), PATIENCE)
    # From here on every update is answered so, until the whole answer is recorded and its last one has been tried.
    faults.odd(update, reply, times=None, done=done)
    await until(lambda: _is_recorded(world, asked), PATIENCE)
    await asyncio.sleep(0.2)
    faults.clear()
    await _answered(crowd, place, asked)


def _is_recorded(world: World, asked: Asked) -> bool:
    row = world.storage.row(asked.token)
    return row is not None and row.status in ("answered", "failed", "stopped")


async def _answered(crowd: Crowd, place: Any, asked: Asked) -> None:
    """Wait for it. One that never comes is found when everything is counted."""
    with contextlib.suppress(TimeoutError):
        await until(lambda: is_ended(asked, crowd.side.texts(place)), PATIENCE * 1.5)


async def absurd_waits(world: World, play: Play) -> None:
    """A day, a date, a negative number, no number: in one channel, while people ask in others."""
    slack, discord = world.slack.faults, world.discord.faults
    muted = []
    for wish in ABSURD_WAITS:
        refusal = '{"ok": false, "error": "ratelimited"}'
        slack.odd(POSTS["slack"], Reply(429, refusal, "application/json", {"Retry-After": wish}))
        number = wish if wish.lstrip("-").isdigit() else f'"{wish}"'
        body = f'{{"message": "slow", "retry_after": {number}, "global": false}}'
        discord.odd(POSTS["discord"], Reply(429, body, "application/json", {"Retry-After": wish, "Via": "1.1 local"}))
        muted += [(crowd, *await crowd.open(streaming=False)) for crowd in play.crowds]
        await until(lambda: not (slack.odd_replies.is_waiting or discord.odd_replies.is_waiting))
        for crowd in play.crowds:
            asking = time.monotonic()
            await _answered(crowd, *await crowd.open(streaming=False))
            play.remarks.append(
                f"{crowd.side.name}, told to wait {wish} in one channel: another answered after "
                f"{time.monotonic() - asking:.1f} s"
            )
        world.did("absurd wait")
    await asyncio.gather(*(_answered(*one) for one in muted))


async def flood(world: World, play: Play) -> None:
    """Idle and stalled connections at a web door, while people ask; its health page answers all the while."""
    waits: list[float] = []
    port = world.bots[0].port
    async with _flooded(port), aiohttp.ClientSession() as session:
        world.did("flood")
        while play.goes_on():
            asking = time.monotonic()
            async with asyncio.timeout(5), session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                assert answer.status == 200
            waits.append(time.monotonic() - asking)
            await asyncio.sleep(0.1)
    play.remarks.append(
        f"{FLOOD} connections: /healthz after {statistics.median(waits):.3f} s (median), {max(waits):.3f} s (maximum)"
    )


@asynccontextmanager
async def _flooded(port: int) -> AsyncIterator[None]:
    writers: list[asyncio.StreamWriter] = []
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"

    async def pour() -> None:
        for number in itertools.count():
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(writer)
                if number % 2:
                    writer.write(head + b"x" * 50_000)
            if len(writers) > FLOOD:
                writers.pop(0).close()
                await asyncio.sleep(0.01)

    pouring = asyncio.create_task(pour())
    try:
        await until(lambda: len(writers) >= FLOOD)
        yield
    finally:
        pouring.cancel()
        for writer in writers:
            writer.close()


async def away(world: World, play: Play) -> None:
    """For a minute one platform is gone, or answers with pages; the other goes on, and afterwards so does the first."""
    for crowd in play.crowds:
        other = next(one for one in play.crowds if one is not crowd)
        for how in ("gone", "html"):
            await _away(world, play, crowd, other, how)


async def _away(world: World, play: Play, crowd: Crowd, other: Crowd, how: str) -> None:
    name, wire = crowd.side.name, world.wires[crowd.side.name]
    faults = world.slack.faults if name == "slack" else world.discord.faults
    if how == "gone":
        wire.cut()
    else:
        faults.odd("*", Reply(), times=None)
    world.did(f"{name} {how}")
    began, waits, kept = time.monotonic(), [], []
    while time.monotonic() < began + AWAY:
        asking = time.monotonic()
        kept.append(await crowd.open(streaming=False))
        await _answered(other, *await other.open(streaming=False))
        waits.append(time.monotonic() - asking)
        await asyncio.sleep(BETWEEN_QUESTIONS)
    wire.mend()
    faults.clear()
    back = time.monotonic()
    for place, asked in kept:
        await until(lambda: is_ended(asked, crowd.side.texts(place)), 2 * PATIENCE)  # noqa: B023 (awaited here)
    play.remarks.append(
        f"{name} {how} for {AWAY:.0f} s: {len(waits)} asked on {other.side.name} meanwhile, answered after p50 "
        f"{statistics.median(waits):.2f} s, max {max(waits):.2f} s; {len(kept)} on {name}, the last one answered "
        f"{time.monotonic() - back:.1f} s after it was back"
    )
