"""Too much, and what can't be kept: answers without end, one person who asks without end, values no database takes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from sandbox.slack import Message as SlackMessage
from tests.faults.count import Asked
from tests.faults.people import Crowd, DiscordSide, SlackSide, is_ended, question
from tests.faults.strange import message
from tests.faults.world import World, until

if TYPE_CHECKING:
    from tests.faults.bots import Bot
    from tests.faults.harm import Harm, Play

HUGE = 8_000_000  # characters
MOST_MESSAGES = 12  # of one answer: its pages, as `limits.pages` has it by default, its file and what is said of that
ENDS_WITHIN = 30.0  # seconds: as many as the compose file grants
SLOW = 2.0  # seconds between two of 1,500 pieces
MENTIONS = 5_000
PATIENCE = 120.0  # seconds
FLOODED = 360.0  # seconds for what Slack brings again at last, as it does after six minutes
# NUL, half of a character, and a whole one in two halves.
ODD_TEXT = "a\0b \ud83d c \ud83d\ude00 d"
LONGEST = 300  # characters, which no id has


async def endless(world: World, play: Play) -> None:
    """An answer of eight million characters, at once; and one that would take an hour, through which it is to end."""
    await much_at_once(world, play)
    await ended_meanwhile(world, play)


async def much_at_once(world: World, play: Play) -> None:
    for crowd in play.crowds:
        began = time.monotonic()
        place, asked = await _ask_for_much(world, crowd, pace=0.0)
        await until(lambda: _is_shown(world, asked), PATIENCE)  # noqa: B023 (awaited here)
        texts = crowd.side.texts(place)
        play.remarks.append(
            f"{crowd.side.name}, {HUGE:,} characters: {len(texts)} messages of {sum(map(len, texts)):,} characters "
            f"after {time.monotonic() - began:.1f} s"
        )


async def ended_meanwhile(world: World, play: Play) -> None:
    begun = [(crowd, *await _ask_for_much(world, crowd, pace=SLOW)) for crowd in play.crowds]
    for crowd, place, _ in begun:
        await until(lambda: crowd.side.texts(place), PATIENCE)  # noqa: B023 (awaited here)
    world.did("SIGTERM")
    await asyncio.gather(*(_end_in_time(bot, play) for bot in world.bots))
    for bot in world.bots:
        await world.start(bot)


async def _end_in_time(bot: Bot, play: Play) -> None:
    began = time.monotonic()
    code = await bot.stop()
    took = time.monotonic() - began
    play.remarks.append(f"{bot.name}: SIGTERM during an answer without end: ended with {code} after {took:.1f} s")
    if code or took > ENDS_WITHIN:
        raise AssertionError(f"{bot.name} did not end in time")


async def _ask_for_much(world: World, crowd: Crowd, pace: float) -> tuple[Any, Asked]:
    """Ask what is answered without end."""
    world.upstream.pace = pace
    world.upstream.faults.read(f"huge={HUGE},no_cumulative")
    place, asked = await crowd.open(streaming=False, most=MOST_MESSAGES)
    await until(lambda: any(asked.token in str(request.body) for request in list(world.upstream.requests)[-9:]))
    await world.mend()
    return place, asked


def _is_shown(world: World, asked: Asked) -> bool:
    row = world.storage.row(asked.token)
    return row is not None and row.shown


def mentions(count: int) -> Harm:
    """One person mentions the bot so often, and a second one asks one question."""

    async def harm(world: World, play: Play) -> None:
        for crowd in play.crowds:
            before = [bot.megabytes for bot in world.bots]
            world.did("mentions")
            began = time.monotonic()
            for _ in range(count):
                await crowd.insist()
            said, asking = time.monotonic() - began, time.monotonic()
            place, asked = await crowd.open(streaming=False)
            await until(lambda: is_ended(asked, crowd.side.texts(place)), FLOODED)  # noqa: B023 (awaited here)
            waited = time.monotonic() - asking
            await world.settled({one.token for one in crowd.asked}, FLOODED)
            after = [bot.megabytes for bot in world.bots]
            play.remarks.append(
                f"{crowd.side.name}, {count:,} mentions by one person within {said:.1f} s: a second one answered after "
                f"{waited:.1f} s; from {before} to {after} MB"
            )

    return harm


async def odd_values(world: World, play: Play) -> None:
    """Ids of 300 characters, NUL and halves of characters: in questions, of those who ask, and of conversations."""
    for crowd in play.crowds:
        await _answered(crowd, *await crowd.open(streaming=False, beside=ODD_TEXT))
        await _answered(crowd, *await _ask_as_somebody_odd(world, crowd))
    for kind in ("long", "nul", "half"):
        before = len(world.upstream.requests)
        world.upstream.faults.set("odd_id", kind)
        for crowd in play.crowds:
            place, asked = await crowd.open(streaming=False)
            await _answered(crowd, place, asked)
            await _answered(crowd, place, await crowd.ask_on(place, streaming=False))
        world.upstream.faults.clear()
        play.remarks.append(
            f"a conversation whose id is {kind}: {len(world.upstream.requests) - before} calls for "
            f"{2 * len(play.crowds)} questions"
        )
        world.did("odd values")


async def _answered(crowd: Crowd, place: Any, asked: Asked) -> None:
    await until(lambda: is_ended(asked, crowd.side.texts(place)))


async def _ask_as_somebody_odd(world: World, crowd: Crowd) -> tuple[Any, Asked]:
    """What somebody says, which is no question, becomes one in an event that names somebody with a very long id."""
    words = question(streaming=False)
    match crowd.side:
        case SlackSide():
            said: Any = await _say_on_slack(world, words.text)
        case DiscordSide():
            said = await world.discord.say("ada", "general", words.text)
            me = {"id": str(world.discord.bot_user_id), "username": "bobbin", "discriminator": "0", "avatar": None}
            somebody = {"id": "9" * LONGEST, "username": "x", "discriminator": "0", "avatar": None}
            event = message(world, 0) | {"id": str(said.id), "author": somebody, "mentions": [me]}
            world.discord.send_raw("MESSAGE_CREATE", event | {"content": f"<@{me['id']}> {words.text}"})
    return said, crowd.note(words, said)


async def _say_on_slack(world: World, text: str) -> SlackMessage:
    said = await world.slack.say("ada", "general", text)
    mention = {"type": "app_mention", "channel": said.channel, "user": "U" * LONGEST, "ts": said.ts}
    words = f"<@{world.slack.bot_user_id}> {text}"
    world.slack.send_raw(mention | {"event_ts": said.ts, "text": words, "team": world.slack.team_id})
    return said
