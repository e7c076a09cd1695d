"""What becomes of a show that is broken off, on hands that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from bots.reply.delivery import Deed, Delivery
from bots.reply.note import Message, Note
from bots.reply.page import Page
from tests.bots.reply.test_wanted import STREAMING, Renderer

LONG = STREAMING.grow("Because it is late, and nobody is here.")


class Hands:
    """Post nothing before they may; say what they have posted."""

    def __init__(self) -> None:
        self.where = "here"
        self.posted: list[str | None] = []
        self.is_posting, self.may_post, self.is_preparing = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.is_free = True

    async def prepare(self, deed: Deed) -> None:
        self.is_preparing.set()
        if not self.is_free:
            await asyncio.Event().wait()

    async def post(self, number: int, page: Page, plainness: int) -> str:
        self.is_posting.set()
        await self.may_post.wait()
        self.posted.append(page.text)
        return str(number)

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:
        raise NotImplementedError

    async def delete(self, message: Message) -> None:
        raise NotImplementedError

    async def find(self, note: Note[str], pages: Sequence[Page | None]) -> Mapping[int, str] | None:
        return None

    def is_deleted(self, message: Message) -> bool:
        return False


@pytest.fixture
def hands() -> Hands:
    return Hands()


def delivery(hands: Hands) -> Delivery[str]:
    return Delivery(hands, Renderer(), LONG, Note("here"))


async def test_what_is_being_posted_when_nobody_waits_any_more_is_known_and_the_rest_is_left(hands: Hands) -> None:
    showing = delivery(hands)
    task = asyncio.create_task(showing.run())
    await hands.is_posting.wait()
    task.cancel()
    await asyncio.sleep(0)
    hands.may_post.set()
    await task
    assert hands.posted == ["Because it"]
    assert [message.id for message in showing.note.messages] == ["0"]


async def test_who_waits_for_leave_to_post_ends_at_once(hands: Hands) -> None:
    hands.is_free = False
    showing = delivery(hands)
    task = asyncio.create_task(showing.run())
    await hands.is_preparing.wait()
    task.cancel()
    await task
    assert not hands.posted
    assert showing.note.complete_for == 1


async def test_what_hangs_is_broken_off_when_asked_twice_and_stays_in_doubt(hands: Hands) -> None:
    showing = delivery(hands)
    task = asyncio.create_task(showing.run())
    await hands.is_posting.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert showing.note.complete_for < 1
