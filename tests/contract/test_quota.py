"""No more is open at once than there is room for, on every kind of database; and what waits has its turn fairly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.metrics import Metrics
from core.preset import Preset
from core.quota import Quota
from core.relay import Relay
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Accepted, Question, QuestionKey, Reply, Status

PRESETS = {"default": Preset(model="m")}
QUOTA = Quota(person=2, thread=3, workspace=5)


def thread(name: str = "1", workspace: str = "work") -> Thread:
    return Thread(ThreadId(f"chat:{workspace}/{name}"), "chat", (PlaceId(f"chat:{workspace}"),))


class Core:
    """What listens, and the ledger that it records in."""

    def __init__(self, database: Database, quota: Quota | None = QUOTA) -> None:
        self.ledger = Ledger(database, quota=quota)
        self.woken: list[ThreadId] = []
        self.metrics = Metrics()
        self.relay = Relay(self.ledger, self.woken.append, PRESETS, longest_question=100, metrics=self.metrics)
        self._keys = iter(range(1_000))

    async def ask(self, asker: str = "ada", where: Thread | None = None, text: str = "Why?", key: str = "") -> Accepted:
        key = key or f"{asker}/{next(self._keys)}"
        return await self.relay.hear(Question(QuestionKey(key), where or thread(key), asker, text), Reply("note"))

    async def show_all(self, where: Thread) -> None:
        while taken := await self.ledger.take(where.id):
            turn = taken.turn if taken.turn.is_over else taken.turn.start("m").finish("Because.")
            await self.ledger.conclude(turn, None, epoch=taken.epoch)
            await self.ledger.settle(turn.settle())

    def counted(self, of: str) -> float:
        return self.metrics._registry.get_sample_value("bobbin_questions_over_quota_total", {"of": of}) or 0.0


@pytest.fixture
def core(database: Database) -> Core:
    return Core(database)


async def test_one_person_has_so_many_open_and_no_more(core: Core) -> None:
    first, second = await core.ask(), await core.ask()
    refused = await core.ask()
    assert [one.turn.status for one in (first, second)] == [Status.QUEUED] * 2
    assert (refused.turn.status, refused.turn.shown, refused.exceeded) == (Status.ANSWERED, False, "person")
    assert "2 questions open" in refused.turn.answer
    assert core.woken[-1] == refused.turn.question.thread.id, "it is to be told"
    assert (await core.ask("ben")).exceeded is None
    assert (await core.ask(where=thread("1", "elsewhere"))).exceeded is None, "there, ada has none"
    await core.show_all(first.turn.question.thread)
    await core.show_all(refused.turn.question.thread)
    assert (await core.ask()).exceeded is None
    assert core.counted("person") == 1


async def test_a_refusal_that_comes_again_says_nothing_twice(core: Core) -> None:
    for _ in range(2):
        await core.ask()
    refused = await core.ask(key="3")
    again = await core.ask(key="3")
    assert (again.is_new, again.turn.id, again.turn.answer) == (False, refused.turn.id, refused.turn.answer)
    for key in ("ada/0", "ada/1"):
        await core.show_all(thread(key))
    assert not (await core.ask(key="3")).is_new, "and there being room now makes no question of it"
    assert core.counted("person") == 1


async def test_who_is_being_told_so_is_not_told_again(core: Core) -> None:
    """Else the refusals would flood the thread in the questions' place."""
    for _ in range(2):
        await core.ask()
    told, *others = [await core.ask() for _ in range(20)]
    assert (told.turn.shown, {one.turn.shown for one in others}) == (False, {True})
    assert len(core.woken) == 3
    assert await core.ledger.take(others[0].turn.question.thread.id) is None
    await core.show_all(told.turn.question.thread)
    assert not (await core.ask()).turn.shown, "told, and asking too much again"
    assert core.counted("person") == 21


async def test_a_thread_has_so_many_open_and_no_more(core: Core) -> None:
    for asker in ("ada", "ben", "cem"):
        assert (await core.ask(asker, thread())).exceeded is None
    refused = await core.ask("dee", thread())
    assert (refused.exceeded, "3 questions are open in this thread" in refused.turn.answer) == ("thread", True)
    assert (await core.ask("dee", thread("2"))).exceeded is None


async def test_a_workspace_has_so_many_open_and_no_more(core: Core) -> None:
    for asker in ("ada", "ben", "cem", "dee", "eve"):
        assert (await core.ask(asker)).exceeded is None
    refused = [await core.ask(asker) for asker in ("fay", "gus")]
    assert {one.exceeded for one in refused} == {"workspace"}
    assert not any(one.turn.shown for one in refused), "each of them is told"
    assert (await core.ask("fay", thread("1", "elsewhere"))).exceeded is None


@pytest.mark.parametrize("words", ["preset set model o3", "help", ""])
async def test_what_takes_no_model_counts_as_well(core: Core, words: str) -> None:
    for _ in range(2):
        await core.ask()
    assert (await core.ask(text=words)).exceeded == "person"
    assert (await core.relay.choice(thread())).model == "m"


async def test_of_many_at_once_no_more_are_taken(database: Database) -> None:
    core = Core(database)
    accepted = await asyncio.gather(*(core.ask() for _ in range(30)))
    # On PostgreSQL transactions that run side by side don't see each other.
    assert 2 <= sum(one.exceeded is None for one in accepted) <= 2 + 8


async def test_with_no_quota_there_is_no_limit(database: Database) -> None:
    core = Core(database, None)
    assert [one.exceeded for one in [await core.ask() for _ in range(10)]] == [None] * 10


async def test_what_waits_has_its_turn_by_workspace_then_person_then_thread(database: Database) -> None:
    core = Core(database, None)

    async def ask(workspace: str, asker: str, *names: str) -> None:
        for name in names:
            await core.ask(asker, thread(name, workspace))

    await ask("work", "ada", "a1", "a2", "a3")
    await ask("work", "ben", "b1", "b2")
    await ask("home", "eve", "e1", "e2")
    await ask("work", "ben", "a1")  # behind ada's: the thread is hers until then
    order = ["work/a1", "home/e1", "work/b1", "home/e2", "work/a2", "work/b2", "work/a3"]
    assert await core.ledger.open_threads(["chat"]) == [f"chat:{name}" for name in order]
    assert await core.ledger.open_threads(["chat"], at_most=2) == ["chat:work/a1", "chat:home/e1"]


async def test_an_accepted_question_tells_how_many_its_asker_has_open_already(database: Database) -> None:
    behind: list[int] = []

    def summon(_connection: object, _thread: Thread, count: int = 0) -> None:
        behind.append(count)

    ledger = Ledger(database, summon, quota=Quota(9, 9, 9))
    asked: Callable[[str, str], Question] = lambda key, asker: Question(QuestionKey(key), thread(key), asker, "Why?")  # noqa: E731
    for key, asker in (("1", "ada"), ("2", "ada"), ("3", "ben"), ("4", "ada")):
        await ledger.accept(asked(key, asker), NOTHING_SHOWN)
    assert behind == [0, 1, 0, 2]
