"""Who is refused is told so once, in words that give nobody away."""

from __future__ import annotations

from typing import Any, cast

import pytest

from core.access import Asker, Rules, bot_asker
from core.admission import Admission
from core.errors import ChatBusy, StorageUnavailable, Unwelcome
from core.metrics import Metrics
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.thread import PlaceId, Thread, ThreadId
from tests.clock import Clock

HERE = Thread(ThreadId("chat:work/1"), "chat", (PlaceId("chat:work"),))


class Chat:
    """Describes people, if it can."""

    name = "chat"

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.asker = Asker(frozenset({"ada"}))

    async def listen(self, relay: Any) -> None: ...

    async def show(self, turn: Any) -> Any: ...

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        del asker, thread, rules
        if self.trouble:
            raise self.trouble
        return self.asker


class Plain:
    """A chat that knows no more of people than their ids."""

    name = "chat"

    async def listen(self, relay: Any) -> None: ...

    async def show(self, turn: Any) -> Any: ...


class Books:
    """What is recorded, and whether it can be."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False

    async def is_first(self, occasion: str, within: Any) -> bool:
        del within
        if self.is_away:
            raise StorageUnavailable
        self.asked.append(occasion)
        return self.asked.count(occasion) == 1


def admission(rules: Rules, chat: Any, books: Any, **more: Any) -> Admission:
    return Admission({"chat": rules}, {"chat": chat}, cast("Ledger", books), **more)


DENIED = Rules(deny_people=frozenset({"ada"}))


async def refusal(of: Admission, asker: str = "ada") -> Unwelcome:
    with pytest.raises(Unwelcome) as refused:
        await of.admit(asker, HERE)
    return refused.value


async def test_it_is_told_once_a_day_and_costs_nothing_meanwhile() -> None:
    books, clock = Books(), Clock()
    door = admission(DENIED, Plain(), books, contact=" Ada\nin  #help ", clock=clock)
    first = await refusal(door)
    assert first.is_news
    assert first.sentence == "I may not answer you here. If you think that I should, please ask Ada in #help."
    for _ in range(100):
        assert not (await refusal(door)).is_news
    assert len(books.asked) == 1
    clock.now += 86_400
    await refusal(door)
    assert len(books.asked) == 2


async def test_another_process_may_have_told_it() -> None:
    books = Books()
    assert (await refusal(admission(DENIED, Plain(), books))).is_news
    assert not (await refusal(admission(DENIED, Plain(), books))).is_news


async def test_over_restarts_it_is_told_once_a_day(database: Database) -> None:
    told = [(await refusal(Admission({"chat": DENIED}, {}, Ledger(database)))).is_news for _ in range(3)]
    assert told == [True, False, False]


async def test_without_a_database_nobody_is_told_and_nobody_let_in() -> None:
    books = Books()
    books.is_away = True
    door = admission(DENIED, Plain(), books)
    assert not (await refusal(door)).is_news
    books.is_away = False
    assert (await refusal(door)).is_news


@pytest.mark.parametrize(
    "rules",
    [
        Rules(deny_people=frozenset({"ada"})),
        Rules(allow_people=frozenset({"ben"})),
        Rules(allow_roles=frozenset({"staff"})),
        Rules(deny_channels=frozenset({"general"})),
        Rules(guests=False),
        Rules(),
    ],
)
async def test_the_words_are_the_same_whatever_the_reason(rules: Rules) -> None:
    chat = Chat()
    chat.asker = Asker(
        frozenset({"ada"}), channels=frozenset({"general"}), is_guest=not rules.guests, is_external=rules == Rules()
    )
    assert (await refusal(admission(rules, chat, Books()))).sentence == (
        "I may not answer you here. If you think that I should, please ask the people who run me."
    )


@pytest.mark.parametrize("trouble", [ChatBusy("no", code="no"), TimeoutError()])
async def test_while_the_platform_does_not_tell_they_are_asked_to_try_again(trouble: Exception) -> None:
    chat, metrics = Chat(), Metrics()
    chat.trouble = trouble
    door = admission(Rules(), chat, Books(), metrics=metrics)
    assert [(await refusal(door)).is_news for _ in range(2)] == [True, False]
    assert "try again" in (await refusal(door)).sentence
    assert metrics._registry.get_sample_value("bobbin_askers_refused_total", {"chat": "chat", "why": "unsure"}) == 3
    chat.trouble = None
    await door.admit("ada", HERE)


async def test_a_bot_is_told_nothing() -> None:
    books = Books()
    refused = await refusal(admission(Rules(), Plain(), books), bot_asker("B1"))
    assert not refused.is_news
    assert not books.asked
