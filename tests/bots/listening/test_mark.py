"""Up to where everything was heard: never too far, whatever happens in between."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from bots.listening.mark import KEPT_EVERY, LONGEST_AHEAD, Mark, Scale
from core.errors import StorageUnavailable

SCALE = Scale(a_second=1, epoch=int(time.time()) - 10_000)  # now is 10,000
NAME = "chat/seen"


class Book:
    """Notes, in memory."""

    def __init__(self, **written: str) -> None:
        self.written = written
        self.is_away = False

    async def note(self, name: str) -> str | None:
        if self.is_away:
            raise StorageUnavailable
        return self.written.get(name)

    async def write_note(self, name: str, text: str) -> None:
        if self.is_away:
            raise StorageUnavailable
        self.written[name] = text


async def loaded(book: Book, every: float = KEPT_EVERY) -> Mark:
    mark = Mark(book, NAME, SCALE, every=every)
    mark.begin()
    await mark.load()
    return mark


def begun(mark: Mark) -> int:
    """Where it begins once more."""
    mark.begin()
    return mark.since


def hear(mark: Mark, message: int) -> None:
    with mark.hearing(message):
        pass


async def kept(mark: Mark, book: Book) -> int:
    await mark.keep()
    return int(book.written[NAME])


async def test_what_could_not_be_recorded_is_not_passed_over() -> None:
    book = Book(**{NAME: "100"})
    mark = await loaded(book)
    mark.end()
    hear(mark, 200)
    with suppress(StorageUnavailable), mark.hearing(201):
        raise StorageUnavailable
    mark.miss(201)
    hear(mark, 202)
    assert await kept(mark, book) == 200
    assert begun(mark) == 200
    mark.read_back()
    mark.end()
    assert await kept(mark, book) == 202


async def test_that_it_can_not_be_written_down_is_told_once() -> None:
    book = Book(**{NAME: "100"})
    mark = await loaded(book)
    mark.end()
    told: list[int] = []
    for is_away in (True, True, False, True, True):
        book.is_away = is_away
        hear(mark, 200 + len(told))
        with capture_logs() as logs:
            await mark.keep()
        told.append(len(logs))
    assert told == [1, 0, 0, 1, 0]


async def test_the_first_time_it_begins_now() -> None:
    mark = await loaded(Book())
    assert mark.is_first
    assert mark.since >= 10_000
    assert begun(mark) >= 10_000
    assert not mark.is_first, "something may have been missed since"


async def test_who_dies_before_the_first_catching_up_ended_has_begun_all_the_same() -> None:
    book = Book()
    began = (await loaded(book)).since
    book.written = {name: str(int(text) - 60) for name, text in book.written.items()}  # a minute passes
    assert (await loaded(book)).since == began - 60


async def test_it_begins_where_the_process_before_ended() -> None:
    mark = await loaded(Book(**{NAME: "7"}))
    assert not mark.is_first
    assert mark.since == 7


async def test_what_may_have_come_in_another_order_is_heard_again_but_nothing_from_before_the_first_time() -> None:
    marks = [Mark(Book(**written), NAME, SCALE, overlap=5) for written in ({NAME: "100"}, {NAME: "3"}, {})]
    for mark in marks:
        await mark.load()
    again, at_the_beginning, first = marks
    assert (again.since, at_the_beginning.since) == (95, 0)
    assert first.since >= 10_000


async def test_without_a_database_it_is_asked_again_later() -> None:
    book = Book(**{NAME: "7"})
    book.is_away = True
    mark = Mark(book, NAME, SCALE)
    with pytest.raises(StorageUnavailable):
        await mark.load()
    mark.begin()
    hear(mark, 20)
    await mark.keep()
    book.is_away = False
    await mark.keep()
    assert book.written[NAME] == "7", "nobody knows yet what was missed"
    await mark.load()
    assert begun(mark) == 7
    mark.end()
    assert await kept(mark, book) == 20


async def test_while_older_messages_are_still_to_be_heard_newer_ones_do_not_count() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book)
    mark.begin()
    hear(mark, 20)
    assert await kept(mark, book) == 7
    assert begun(mark) == 7, "the round before came to no end"
    mark.end()
    assert await kept(mark, book) == 20
    assert begun(mark) == 20


async def test_what_is_not_recorded_yet_is_not_heard() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book)
    mark.end()
    with mark.hearing(15):
        hear(mark, 20)
        assert await kept(mark, book) == 14
    assert await kept(mark, book) == 20


async def test_what_could_not_be_recorded_is_not_heard() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book)
    mark.end()
    with pytest.raises(StorageUnavailable), mark.hearing(15):
        raise StorageUnavailable
    assert await kept(mark, book) == 7


async def test_an_old_message_in_hand_takes_nothing_back() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book)
    mark.end()
    with mark.hearing(3):
        assert await kept(mark, book) == 7


async def test_what_lies_ahead_hides_nothing_that_is_missed_later() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book)
    mark.end()
    hear(mark, 10_000 + 2 * int(LONGEST_AHEAD))
    assert await kept(mark, book) == 7


@pytest.mark.parametrize("note", ["", "nan", "-1", "9" * 400, str(10_000 + 2 * int(LONGEST_AHEAD))])
async def test_a_note_that_can_not_be_is_not_believed(note: str) -> None:
    assert 10_000 <= begun(await loaded(Book(**{NAME: note}))) < 20_000


async def test_it_is_written_down_now_and_then() -> None:
    book = Book(**{NAME: "7"})
    mark = await loaded(book, every=0.001)
    mark.end()
    keeping = asyncio.create_task(mark.keep_up())
    async with asyncio.timeout(5):
        for message in (2_000, 3_000):
            hear(mark, message)
            while book.written[NAME] != str(message):
                await asyncio.sleep(0.001)
    keeping.cancel()
