"""Chosen moments in a turn's life, hit from outside: what the servers and the ledger show tells when they have come,
and the wires hold up what must not happen before the kill."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.count import Asked
from tests.faults.people import LOOK, Crowd
from tests.faults.world import World, until

OVERTAKEN = "the turn is another process's by now, or is asked again; leaving it"  # the worker's words
NEWEST = 50  # deliveries, or questions to the upstream, among which one of just now is looked for
Strike = Callable[[World, Crowd], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Moment:
    strike: Strike
    platforms: tuple[str, ...] = ("slack", "discord")


async def recorded_not_acknowledged(world: World, crowd: Crowd) -> None:
    """The turn is in the ledger; Slack never hears so, and sends the question again."""
    world.wires[crowd.side.name].hold_what_the_bot_says()
    _, asked = await crowd.open(streaming=False)
    await until(lambda: world.storage.row(asked.token))
    await _kill(world, "recorded, not acknowledged")


async def told_not_recorded(world: World, crowd: Crowd) -> None:
    """Slack brings a question while the database takes nothing: acknowledged, it would never come again.

    One that reads back what was said while it was away finds some of it all the same: so look at Slack's side.
    """
    with world.storage.held():
        _, asked = await crowd.open(streaming=False)
        await until(lambda: _deliveries(world, asked))  # acknowledged, or Slack has waited for that in vain
        acknowledged = any(_deliveries(world, asked))
        world.did("told, not recorded")
        await _end_all(world)
    await _start_all(world)
    if acknowledged:
        raise AssertionError("a question was acknowledged before it was recorded")


async def heard_not_answered(world: World, crowd: Crowd) -> None:
    """The upstream has the question in a conversation that goes on; nothing of its answer has come."""
    place, first = await crowd.open(streaming=False)
    await until(lambda: _is_settled(world, first))
    world.wires["upstream"].hold_what_the_bot_hears()
    asked = await crowd.ask_on(place, streaming=True)
    await until(lambda: _is_heard(world, asked))
    await _kill(world, "heard, not answered")


async def posted_not_noted(world: World, crowd: Crowd) -> None:
    """The first words stand there, but the bot wasn't told: where a post isn't idempotent it must look for them."""
    world.wires["upstream"].hold_what_the_bot_hears()
    place, asked = await crowd.open(streaming=True)
    await until(lambda: _is_heard(world, asked) and crowd.side.can_go_on(place))
    world.wires[crowd.side.name].hold_what_the_bot_hears()
    world.wires["upstream"].release()
    await until(lambda: crowd.side.texts(place))
    await _kill(world, "posted, not noted")


async def posted_and_noted(world: World, crowd: Crowd) -> None:
    """The first words stand there, and the ledger knows where."""
    place, asked = await crowd.open(streaming=True)
    await until(lambda: _is_noted(world, crowd, place, asked))
    await _kill(world, "posted and noted")


async def answered_not_shown(world: World, crowd: Crowd) -> None:
    """The whole answer is in the ledger; the thread shows its first words."""
    place, asked = await crowd.open(streaming=True)
    await until(lambda: _is_noted(world, crowd, place, asked))
    world.wires[crowd.side.name].hold_what_the_bot_says()
    await until(lambda: _status(world, asked) == "answered")
    await _kill(world, "answered, not shown")


async def shown_not_settled(world: World, crowd: Crowd) -> None:
    """The thread shows the whole answer; the bot wasn't told that it does."""
    place, asked = await crowd.open(streaming=True)
    await until(lambda: _is_noted(world, crowd, place, asked))
    world.wires[crowd.side.name].hold_what_the_bot_hears()
    await until(lambda: asked.expected in crowd.side.texts(place))
    await _kill(world, "shown, not settled")


async def short_shown_not_settled(world: World, crowd: Crowd) -> None:
    """The same of an answer whose first message is its last."""
    world.wires["upstream"].hold_what_the_bot_hears()
    place, asked = await crowd.open(streaming=False)
    await until(lambda: _is_heard(world, asked) and crowd.side.can_go_on(place))
    world.wires[crowd.side.name].hold_what_the_bot_hears()
    world.wires["upstream"].release()
    await until(lambda: asked.expected in crowd.side.texts(place))
    await _kill(world, "short, shown, not settled")


async def overtaken(world: World, crowd: Crowd) -> None:
    """The answer is on its way to a process that is frozen; when it wakes up, its turn is another's: it may write no more.

    Another process is played by us, who do to the ledger what one would.
    """
    world.wires["upstream"].hold_what_the_bot_hears()
    _, asked = await crowd.open(streaming=False)
    await until(lambda: _is_said(world, asked))
    before = sum(bot.said[OVERTAKEN] for bot in world.bots)
    await _freeze_all(world, asked)
    world.wires["upstream"].release()
    for bot in world.bots:
        bot.thaw()
    await until(lambda: sum(bot.said[OVERTAKEN] for bot in world.bots) > before or _status(world, asked) != "streaming")
    if (status := _status(world, asked)) != "streaming":
        raise AssertionError(f"a process that was overtaken writes that the turn is {status}")
    await _kill(world, "overtaken")


async def _freeze_all(world: World, asked: Asked) -> None:
    """Freeze every process, and take its turn from the one that has it: none may be in the middle of a transaction."""
    while True:
        for bot in world.bots:
            bot.freeze()
        if world.storage.overtake(asked.token):
            return
        for bot in world.bots:
            bot.thaw()
        await asyncio.sleep(LOOK)


MOMENTS = [
    Moment(told_not_recorded, platforms=("slack",)),  # Discord waits for no acknowledgement
    Moment(recorded_not_acknowledged, platforms=("slack",)),
    Moment(heard_not_answered),
    Moment(posted_not_noted),
    Moment(posted_and_noted),
    Moment(answered_not_shown),
    Moment(shown_not_settled),
    Moment(short_shown_not_settled),
    Moment(overtaken),
]


async def _kill(world: World, moment: str) -> None:
    """Kill every process, since any may have the turn, then start them again."""
    world.did(moment)
    await _end_all(world)
    await _start_all(world)


async def _end_all(world: World) -> None:
    await asyncio.gather(*(bot.kill() for bot in world.bots))
    for wire in world.wires.values():
        wire.lose()


async def _start_all(world: World) -> None:
    await asyncio.gather(*(world.start(bot) for bot in world.bots))


def _deliveries(world: World, asked: Asked) -> list[bool]:
    """Of each time that Slack brought the question, and has an answer to that or waits no more: was it acknowledged?"""
    newest = list(world.slack.deliveries)[-NEWEST:]
    return [one.acknowledged for one in newest if asked.token in str(one.parcel.payload)]


def _is_said(world: World, asked: Asked) -> bool:
    """Has the upstream sent the whole answer?"""
    newest = list(world.upstream.requests)[-NEWEST:]
    return any(request.ended == "answered" and asked.token in str(request.body) for request in newest)


def _status(world: World, asked: Asked) -> str:
    row = world.storage.row(asked.token)
    return row.status if row else ""


def _is_settled(world: World, asked: Asked) -> bool:
    row = world.storage.row(asked.token)
    return row is not None and row.shown


def _is_heard(world: World, asked: Asked) -> bool:
    return any(asked.token in turn.question for one in world.upstream.conversations.values() for turn in one.turns)


def _is_noted(world: World, crowd: Crowd, place: Any, asked: Asked) -> bool:
    """Does the reply in the ledger name the message? Both adapters keep its id there."""
    row = world.storage.row(asked.token)
    return bool(row and any(message in row.reply for message in crowd.side.message_ids(place)))
