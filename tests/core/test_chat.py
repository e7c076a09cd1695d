"""What core makes of a chat that can do no more than listen and show."""

from __future__ import annotations

import asyncio

import pytest

from core.chat import appeal, ready
from core.errors import ChatRejected
from core.relay import Relay
from core.turn import Reply, Turn
from tests.core.test_presentation import TURN


class Plain:
    name = "plain"

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def show(self, turn: Turn) -> Reply:
        return turn.reply


class Talented(Plain):
    def __init__(self) -> None:
        self.done: list[str] = []

    async def ready(self, turn: Turn) -> None:
        self.done.append(f"ready for {turn.id}")

    async def appeal(self, turn: Turn) -> None:
        self.done.append(f"appealed for {turn.id}")


async def test_of_a_chat_without_a_pace_only_ends_are_shown() -> None:
    growing = asyncio.create_task(ready(Plain(), TURN.grow("Because")))
    await ready(Plain(), TURN.finish("Because."))
    assert not growing.done()
    growing.cancel()


async def test_where_nothing_is_private_the_appeal_is_refused() -> None:
    with pytest.raises(ChatRejected):
        await appeal(Plain(), TURN)


async def test_what_a_chat_can_do_beside_it_does() -> None:
    chat = Talented()
    await ready(chat, TURN)
    await appeal(chat, TURN)
    assert chat.done == ["ready for 1", "appealed for 1"]
