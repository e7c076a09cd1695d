"""What processes read that follow one another at once, counts together."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from bots.slack import starts
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

THREAD = "1795791277.165974"


class Kept:
    def __init__(self, text: str | None = None, *, is_away: bool = False) -> None:
        self.text = text
        self.is_away = is_away

    async def note(self, name: str) -> str | None:
        assert name == starts.STARTS_NOTE
        if self.is_away:
            raise StorageUnavailable
        return self.text

    async def write_note(self, name: str, text: str) -> None:
        assert name == starts.STARTS_NOTE
        self.text = text


async def test_who_begins_soon_after_others_has_less_to_read_with(house: House) -> None:
    room = []
    for _ in range(3):
        house.chat = house.build()
        async with house.listening():
            bucket = house.chat._pace.reads(THREAD)
            room.append(sum(bucket.wait_for(kept) == 0 for kept in range(30)))
    # As many, half, and a quarter; what was there to be read back is read already.
    assert 18 <= room[0] <= 20
    assert 8 <= room[1] <= 10
    assert 3 <= room[2] <= 5


async def test_what_is_long_ago_or_to_come_does_not_count() -> None:
    now = time.time()
    kept = Kept(json.dumps([now - 3600, now - 30, now - 1, now + 3600]))
    assert await starts.count(kept) == 2
    assert await starts.count(kept) == 3


@pytest.mark.parametrize("text", [None, "", "{", "7", '["a"]', "[[]]", "[null]"])
async def test_a_note_that_can_not_be_read_is_written_anew(text: str | None) -> None:
    kept = Kept(text)
    assert await starts.count(kept) == 0
    assert await starts.count(kept) == 1


async def test_without_the_database_it_begins_as_ever() -> None:
    assert await starts.count(Kept(is_away=True)) == 0


async def test_of_many_starts_only_the_newest_are_remembered() -> None:
    kept = Kept()
    for _ in range(2 * starts.MOST):
        await starts.count(kept)
    assert await starts.count(kept) == starts.MOST
