"""What readers of the page's feed are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sandbox.page.feed import Feed, State


def state(key: str, kind: str = "message", **more: object) -> State:
    return {"type": kind, "key": key, **more}


class Reader:
    """Somebody who may be slow."""

    def __init__(self) -> None:
        self.batches: list[list[State]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def send(self, states: list[State]) -> None:
        self.batches.append(states)
        await self.may_go_on.wait()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)


async def test_a_reader_gets_everything_and_then_what_changed() -> None:
    feed, reader = Feed({}), Reader()
    feed.put(state("a", text="one"))
    async with feed.reading(reader.send) as read:
        reading = asyncio.create_task(read())
        await reader.until(lambda: reader.batches)
        assert reader.batches == [[state("a", text="one")]]
        feed.put(state("b", text="two"))
        feed.drop("a")
        await reader.until(lambda: len(reader.batches) == 2)
        assert reader.batches[1] == [state("b", text="two"), {"key": "a", "gone": True}]
        reading.cancel()


async def test_who_is_slow_gets_the_last_of_each_alone() -> None:
    feed, reader = Feed({}), Reader()
    async with feed.reading(reader.send) as read:
        reader.may_go_on.clear()
        reading = asyncio.create_task(read())
        await reader.until(lambda: reader.batches)
        for number in range(1_000):
            feed.put(state("a", text=number))
        reader.may_go_on.set()
        await reader.until(lambda: len(reader.batches) == 2)
        assert reader.batches[1] == [state("a", text=999)]
        reading.cancel()


async def test_what_did_not_change_is_not_told_again() -> None:
    feed, reader = Feed({}), Reader()
    async with feed.reading(reader.send) as read:
        reading = asyncio.create_task(read())
        feed.put(state("a"))
        await reader.until(lambda: reader.batches)
        feed.put(state("a"))
        feed.put(state("b"))
        await reader.until(lambda: len(reader.batches) == 2)
        assert reader.batches[1] == [state("b")]
        reading.cancel()


def test_of_each_kind_the_newest_are_kept() -> None:
    feed = Feed({"message": 3})
    for number in range(10):
        feed.put(state(f"m{number}"))
    feed.put(state("p", "place"))
    assert [one["key"] for one in feed.all("message")] == ["m7", "m8", "m9"]
    assert feed.get("m1") is None
    assert feed.get("p") == state("p", "place")


def test_one_that_changes_keeps_its_place() -> None:
    feed = Feed({"message": 2})
    feed.put(state("a"))
    feed.put(state("b"))
    feed.put(state("a", text="new"))
    feed.put(state("c"))
    assert [one["key"] for one in feed.all("message")] == ["b", "c"]
