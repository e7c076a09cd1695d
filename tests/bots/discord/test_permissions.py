"""The invite asks for what the bot needs, and for nothing else."""

from __future__ import annotations

import pytest

from bots.discord.ids import message_of
from bots.discord.setup import PERMISSIONS
from core.errors import ChatError, ThreadGone
from core.turn import Turn
from sandbox.discord.permissions import Permission
from tests.bots.discord.conftest import House

ASKED = [one for one in Permission if one & PERMISSIONS.value]
# Without it the bot hears nothing at all.
OF_USE_AFTER_THAT = [one for one in ASKED if one != Permission.VIEW_CHANNEL]
LONG = "word " * 1_000
EVERYTHING: list[object] = ["", "", 1, True, [True], ["⏳"]]


async def shown(house: House, turn: Turn) -> str:
    try:
        await house.show(turn)
    except (ChatError, ThreadGone) as refusal:
        return type(refusal).__name__
    return ""


async def visit(house: House, *denied: Permission) -> list[object]:
    """Have the bot do all that it ever does; return what people see of it."""
    house.most_pages = 1
    house.chat = house.build()
    house.discord.deny("general", *denied)
    house.discord.deny("random", Permission.CREATE_PUBLIC_THREADS, *denied)
    async with house.listening():
        turn = await house.asked("@bobbin why?")
        asked, where = message_of(turn.question.key), house.chat._notes.newest(turn).where
        in_thread = await shown(house, turn.start("m").finish(LONG))
        reply = await house.asked("@bobbin and why not?", to="random")
        in_channel = await shown(house, reply.start("m").finish("Because."))
        house.chat._hourglass.on(turn, where)
        await house.until(lambda: not house.chat._hourglass._tasks)
    threads = house.discord.threads("general")
    (question,) = [one for one in house.discord.messages("general") if one.id == asked]
    return [
        in_thread,
        in_channel,
        len(threads),
        any(one.attachments for thread in threads for one in house.said(thread)),
        [bool(one.reply_to) for one in house.said("random")],
        list(question.reactions),
    ]


async def test_it_asks_for_all_that_is_needed(house: House) -> None:
    assert sum(ASKED) == PERMISSIONS.value  # the local Discord knows of each
    assert await visit(house, *(one for one in Permission if one not in ASKED)) == EVERYTHING


@pytest.mark.parametrize("permission", OF_USE_AFTER_THAT, ids=lambda one: one.name)
async def test_without_any_of_it_something_is_missing(house: House, permission: Permission) -> None:
    assert await visit(house, permission) != EVERYTHING
