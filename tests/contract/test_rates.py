"""No more is asked in a minute and a day than is allowed, on every kind of database and by every process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from core.access import bot_asker
from core.commands import Command, Verb
from core.errors import BotsAlone, TooMany
from core.metrics import Metrics
from core.preset import Preset
from core.rates import Rates
from core.relay import Relay
from core.storage import rates
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Accepted, Question, QuestionKey, Status
from tests.clock import Clock
from tests.contract import crowd

PRESETS = {"default": Preset(model="m")}
RATES = Rates(person_minute=3, person_day=5, channel_minute=4, channel_day=8)


def thread(name: str = "1", channel: str = "general") -> Thread:
    return Thread(ThreadId(f"chat:work/{name}"), "chat", (PlaceId("chat:work"), PlaceId(f"chat:work/{channel}")))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_700_000_000.0)
    monkeypatch.setattr(rates, "clock", clock)
    return clock


class Core:
    def __init__(self, database: Database, limits: Rates = RATES, *, bot_turns: int = 0) -> None:
        self.ledger = Ledger(database, rates=limits, bot_turns=bot_turns)
        self.woken: list[ThreadId] = []
        self.metrics = Metrics()
        self.relay = Relay(self.ledger, self.woken.append, PRESETS, longest_question=100, metrics=self.metrics)
        self._keys = iter(range(1_000))

    async def ask(
        self, asker: str = "ada", channel: str = "general", text: str = "Why?", key: str = "", where: str = ""
    ) -> Accepted:
        key = key or f"{asker}/{next(self._keys)}"
        return await self.relay.hear(Question(QuestionKey(key), thread(where or key, channel), asker, text))

    async def answer(self, accepted: Accepted) -> None:
        taken = await self.ledger.take(accepted.turn.question.thread.id)
        assert taken
        turn = taken.turn.start("m").finish("Because.")
        await self.ledger.conclude(turn, None, epoch=taken.epoch)
        await self.ledger.settle(turn.settle())


@pytest.fixture
def core(database: Database, clock: Clock) -> Core:
    del clock
    return Core(database)


@asynccontextmanager
async def two(url: str, limits: Rates = RATES, *, bot_turns: int = 0) -> AsyncIterator[list[Core]]:
    """Two that share nothing but the database."""
    databases = [open_database(url) for _ in range(2)]
    try:
        await migrate(databases[0])
        yield [Core(database, limits, bot_turns=bot_turns) for database in databases]
    finally:
        for database in databases:
            await database.close()


async def test_one_person_asks_so_many_in_a_minute_and_no_more(core: Core, clock: Clock) -> None:
    for channel in ("general", "random", "general"):
        assert (await core.ask(channel=channel)).exceeded is None
        clock.now += 10
    refused = await core.ask()
    assert (refused.exceeded, refused.turn.status, refused.turn.shown) == ("person_minute", Status.ANSWERED, False)
    assert refused.turn.answer.endswith("Please ask this one again in 30 seconds.")
    assert core.woken[-1] == refused.turn.question.thread.id, "it is to be told"
    clock.now += 29.9
    assert (await core.ask()).exceeded == "person_minute"
    clock.now += 0.1
    assert (await core.ask()).exceeded is None


async def test_a_limit_is_told_once_in_the_time_for_which_it_holds(core: Core, clock: Clock) -> None:
    for _ in range(3):
        await core.ask()
    told = [await core.ask() for _ in range(20)]
    assert [one.turn.shown for one in told] == [False] + [True] * 19
    assert len(core.woken) == 4
    clock.now += 60
    await core.ask()
    await core.ask()
    assert (await core.ask()).exceeded == "person_day"
    assert core.metrics._registry.get_sample_value("bobbin_questions_over_quota_total", {"of": "person_minute"}) == len(
        told
    )


async def test_asking_whether_there_is_a_model_counts_as_a_question(core: Core) -> None:
    class Trial:
        """The service has whatever model is named, and knows it when it was asked."""

        async def check(self, name: str, *, count: Callable[[], Awaitable[None]], **_: object) -> None:
            del name
            await count()

    core.relay.permission._trial = Trial()  # type: ignore[assignment]
    for number in range(3):
        assert "answers" in (await core.ask(text=f"model new-{number}")).turn.answer
    told = await core.relay.obey(Command(Verb.SET_PRESET, Preset(model="new-3")), thread(), "ada")
    assert told.sentence.startswith("You've asked me 3 questions within a minute")
    assert (await core.ask()).exceeded == "person_minute"


async def test_what_is_refused_uses_up_nothing(core: Core, clock: Clock) -> None:
    for asker in ("ada", "ben", "cem", "dee"):
        assert (await core.ask(asker)).exceeded is None
    for _ in range(10):
        assert (await core.ask("ada")).exceeded == "channel_minute"
    for _ in range(2):
        assert (await core.ask("ada", "random")).exceeded is None
    assert (await core.ask("ada", "random")).exceeded == "person_minute"
    clock.now += 60
    for _ in range(2):
        assert (await core.ask("ada", "random")).exceeded is None
    assert (await core.ask("ada", "random")).exceeded == "person_day"


async def test_a_channels_limit_is_told_to_each_who_meets_it_once(core: Core) -> None:
    for asker in ("ada", "ben", "cem", "dee"):
        await core.ask(asker)
    told = [await core.ask(asker) for asker in ("eve", "fay", "eve", "fay")]
    assert {one.exceeded for one in told} == {"channel_minute"}
    assert [one.turn.shown for one in told] == [False, False, True, True]
    assert (await core.ask("eve", "random")).exceeded is None


async def test_a_day_ends_a_day_after_it_began(core: Core, clock: Clock) -> None:
    for _ in range(5):
        await core.ask()
        clock.now += 3_600
    refused = await core.ask()
    assert refused.exceeded == "person_day"
    assert refused.turn.answer.endswith("Please ask this one again in 19 hours.")
    clock.now += 19 * 3_600
    assert (await core.ask()).exceeded is None


async def test_a_clock_that_was_wrong_shuts_nobody_out(core: Core, clock: Clock) -> None:
    clock.now += 10 * 365 * 86_400
    for _ in range(4):
        await core.ask()
    clock.now -= 10 * 365 * 86_400
    assert (await core.ask()).exceeded is None


@pytest.mark.parametrize("words", ["help", "preset show", "preset set model o3", "", "x" * 200])
async def test_what_asks_the_service_nothing_is_not_counted(core: Core, words: str) -> None:
    for _ in range(10):
        assert (await core.ask(text=words)).exceeded is None
    for _ in range(3):
        assert (await core.ask()).exceeded is None


async def test_what_is_delivered_twice_counts_once(core: Core) -> None:
    for _ in range(10):
        await core.ask(key="1")
    for _ in range(2):
        assert (await core.ask()).exceeded is None
    refused = await core.ask(key="2")
    assert refused.exceeded == "person_minute"
    again = await core.ask(key="2")
    assert (again.is_new, again.turn.answer) == (False, refused.turn.answer)


async def test_what_is_answered_again_counts_as_well(core: Core) -> None:
    first = await core.ask(where="1")
    await core.answer(first)
    assert (await core.ask(text="retry", where="1")).turn.answer.startswith("Trying again")
    await core.answer(first)
    assert await core.relay.again(first.turn.question.key, by="ada")
    await core.answer(first)
    refused = await core.ask(text="retry", where="1")
    assert "within a minute" in refused.turn.answer
    with pytest.raises(TooMany):
        await core.relay.again(first.turn.question.key, by="ada")
    turn = await core.ledger.turn(first.turn.question.key)
    assert turn
    assert turn.status is Status.ANSWERED, "nothing of it is done"
    assert await core.relay.again(first.turn.question.key, by="ben"), "that is another person's wish"


async def test_an_edit_that_is_answered_at_once_counts_and_else_is_offered(core: Core) -> None:
    relay = Relay(core.ledger, core.woken.append, PRESETS, longest_question=100, on_edit="redo")
    question = (await core.ask()).turn.question

    async def edit(words: str) -> None:
        await relay.revise(Question(question.key, question.thread, "ada", words))

    await edit("What, not yet begun?")
    accepted = await core.ledger.accept(question, NOTHING_SHOWN)
    await core.answer(accepted)
    for words in ("Who?", "Where?"):
        await edit(words)
        await core.answer(accepted)
    await edit("When?")
    turn = await core.ledger.turn(question.key)
    assert turn
    assert (turn.status, turn.question.text, turn.revised) == (Status.ANSWERED, "Where?", "When?")


async def test_a_crowd_of_one_in_two_processes_is_counted_exactly(postgres_url: str) -> None:
    async with two(postgres_url, Rates(person_minute=20, channel_minute=50)) as cores:
        asked = await asyncio.gather(*(cores[n % 2].ask(key=f"{n}", channel=f"c{n % 7}") for n in range(60)))
        assert sum(one.exceeded is None for one in asked) == 20
        assert sum(not one.turn.shown for one in asked if one.exceeded) == 1, "told once, by whichever"
        many = await asyncio.gather(*(cores[n % 2].ask(f"p{n}", key=f"p{n}", channel="busy") for n in range(80)))
        assert sum(one.exceeded is None for one in many) == 50


async def test_so_it_is_by_two_processes_of_the_system(postgres_url: str) -> None:
    async with two(postgres_url):
        asking = [
            await asyncio.create_subprocess_exec(sys.executable, crowd.__file__, postgres_url, name, stdout=PIPE)
            for name in ("one", "other")
        ]
        told = [(await one.communicate())[0] for one in asking]
    accepted = [int(said.split()[-1]) for said in told]
    assert sum(accepted) == crowd.ALLOWED
    assert max(accepted) <= crowd.ASKED


async def test_counting_takes_two_statements_and_looks_at_no_history(database: Database) -> None:
    """However many turns there are: it doesn't read them."""
    core, said = Core(database), list[str]()
    await core.ask("ben")
    question = Question(QuestionKey("1"), thread(), "ada", "Why?")

    def count(connection: Connection) -> None:
        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            said.append(statement)

        event.listen(connection.engine, "before_cursor_execute", note)
        try:
            assert rates.spend(connection, RATES, question.asker, question.thread) is None
        finally:
            event.remove(connection.engine, "before_cursor_execute", note)

    await database.run(count)
    assert len(said) == 2
    assert not any("turns" in statement for statement in said)


# Bots


@pytest.fixture
def with_bots(database: Database) -> Core:
    return Core(database, Rates(), bot_turns=3)


async def test_bots_alone_are_left_alone_after_so_many_turns(with_bots: Core) -> None:
    lamp, bell = bot_asker("B1"), bot_asker("B2")
    for asker, words in ((lamp, "Why?"), (bell, "help"), (lamp, "Why?")):
        assert (await with_bots.ask(asker, text=words, where="1")).is_new
    for words in ("Why?", "help", "reset"):
        with pytest.raises(BotsAlone):
            await with_bots.ask(bell, text=words, key=f"left alone/{words}", where="1")
        assert await with_bots.ledger.turn(QuestionKey(f"left alone/{words}")) is None, "nothing of it is recorded"
    assert (await with_bots.ask(bell, where="2", key="known")).is_new, "elsewhere is elsewhere"
    for _ in range(2):
        await with_bots.ask(bell, where="2")
    assert not (await with_bots.ask(bell, where="2", key="known")).is_new, "what is delivered twice is no further one"
    assert (await with_bots.ask("ada", where="1")).is_new
    for _ in range(3):
        assert (await with_bots.ask(lamp, where="1")).is_new, "a person has asked"
    with pytest.raises(BotsAlone):
        await with_bots.ask(lamp, where="1")


async def test_of_bots_at_the_same_moment_no_more_get_through(postgres_url: str) -> None:
    async with two(postgres_url, Rates(), bot_turns=3) as cores:
        asking = (cores[n % 2].ask(bot_asker(f"B{n}"), key=f"{n}", where="1") for n in range(12))
        asked = await asyncio.gather(*asking, return_exceptions=True)
        assert sum(isinstance(one, Accepted) for one in asked) == 3
        assert sum(isinstance(one, BotsAlone) for one in asked) == 9
