"""Up to which message everything was heard: never too far, whatever happens in between."""

from __future__ import annotations

from bots.discord.seen import KEPT_EVERY, SEEN_NOTE, Seen
from core.errors import StorageUnavailable


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


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def loaded(book: Book, clock: Clock | None = None, shard: int = 0, count: int = 1) -> Seen:
    seen = Seen(book, shard, count, clock or Clock())
    await seen.load(now=1_000)
    return seen


def hear(seen: Seen, message: int) -> None:
    with seen.hearing(message):
        pass


async def kept(seen: Seen, book: Book) -> int:
    await seen.keep(at_once=True)
    return int(book.written[SEEN_NOTE])


async def test_the_first_time_it_begins_now() -> None:
    assert (await loaded(Book())).begin() == 1_000


async def test_it_begins_where_the_process_before_ended() -> None:
    assert (await loaded(Book(**{SEEN_NOTE: "7"}))).begin() == 7


async def test_without_a_database_it_begins_now() -> None:
    book = Book(**{SEEN_NOTE: "7"})
    book.is_away = True
    seen = await loaded(book)
    assert seen.begin() == 1_000
    await seen.keep(at_once=True)


async def test_while_older_messages_are_still_to_be_heard_newer_ones_do_not_count() -> None:
    book = Book(**{SEEN_NOTE: "7"})
    seen = await loaded(book)
    seen.begin()
    hear(seen, 20)
    assert await kept(seen, book) == 7
    assert seen.begin() == 7, "the round before came to no end"
    seen.end()
    assert await kept(seen, book) == 20
    assert seen.begin() == 20


async def test_what_is_not_recorded_yet_is_not_seen() -> None:
    book = Book(**{SEEN_NOTE: "7"})
    seen = await loaded(book)
    seen.end()
    with seen.hearing(15):
        hear(seen, 20)
        assert await kept(seen, book) == 14
    assert await kept(seen, book) == 20


async def test_it_is_written_down_now_and_then() -> None:
    book, clock = Book(), Clock()
    seen = await loaded(book, clock)
    seen.end()
    hear(seen, 2_000)
    await seen.keep()
    hear(seen, 3_000)
    await seen.keep()
    assert book.written[SEEN_NOTE] == "2000"
    clock.now += KEPT_EVERY
    await seen.keep()
    assert book.written[SEEN_NOTE] == "3000"


# In shards


async def test_each_shard_begins_where_it_ended_itself() -> None:
    book = Book()
    first, second = await loaded(book, shard=0, count=2), await loaded(book, shard=1, count=2)
    for seen in (first, second):
        seen.end()
        hear(seen, 2_000)
        await seen.keep(at_once=True)
    hear(first, 3_000)
    await first.keep(at_once=True)
    assert (await loaded(book, shard=0, count=2)).begin() == 3_000
    assert (await loaded(book, shard=1, count=2)).begin() == 2_000


async def test_with_another_number_of_shards_it_begins_where_the_last_of_them_ended() -> None:
    book = Book()
    for shard, message in enumerate((5_000, 4_000, 6_000)):
        seen = await loaded(book, shard=shard, count=3)
        seen.end()
        hear(seen, message)
        await seen.keep(at_once=True)
    for shard in range(5):
        seen = await loaded(book, shard=shard, count=5)
        assert seen.begin() == 4_000
        seen.end()
        hear(seen, 7_000)
        await seen.keep(at_once=True)
    assert (await loaded(book)).begin() == 4_000


async def test_who_comes_to_have_shards_begins_where_it_ended_without() -> None:
    assert (await loaded(Book(**{SEEN_NOTE: "7"}), shard=1, count=2)).begin() == 7
