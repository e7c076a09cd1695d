"""Up to which message each shard has heard everything, also when there were more or fewer of them before."""

from __future__ import annotations

import time

from bots.discord.catch_up import SEEN_NOTE, mark_of
from bots.discord.ids import SCALE
from bots.listening.mark import Mark
from tests.bots.listening.test_mark import Book, hear

NOW = SCALE.at(time.time())
WINDOW = 5_000 << 22  # what may come in another order is heard again


async def loaded(book: Book, shard: int = 0, count: int = 1) -> Mark:
    mark = mark_of(book, shard, count)
    await mark.load()
    return mark


async def heard(book: Book, message: int, shard: int, count: int) -> int:
    """A shard hears a message, and ends; return from where it began."""
    mark = await loaded(book, shard, count)
    since = mark.since
    mark.end()
    hear(mark, message)
    await mark.keep()
    return since + WINDOW


async def test_each_shard_begins_where_it_ended_itself() -> None:
    book = Book(**{SEEN_NOTE: str(NOW - 9)})
    for shard, message in enumerate((NOW - 3, NOW - 4)):
        await heard(book, message, shard, 2)
    assert (await loaded(book, shard=0, count=2)).since == NOW - 3 - WINDOW
    assert (await loaded(book, shard=1, count=2)).since == NOW - 4 - WINDOW


async def test_with_another_number_of_shards_it_begins_where_the_last_of_them_ended() -> None:
    book = Book(**{SEEN_NOTE: str(NOW - 5)})
    for shard, message in enumerate((NOW - 3, NOW - 4, NOW - 2)):
        await heard(book, message, shard, 3)
    del book.written[SEEN_NOTE]
    for shard in range(5):
        assert await heard(book, NOW - 1, shard, 5) == NOW - 4
    assert (await loaded(book)).since == NOW - 4 - WINDOW


async def test_who_comes_to_have_shards_begins_where_it_ended_without() -> None:
    assert (await loaded(Book(**{SEEN_NOTE: str(NOW - 7)}), shard=1, count=2)).since == NOW - 7 - WINDOW
