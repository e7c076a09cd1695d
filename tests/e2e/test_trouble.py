"""An upstream in trouble, over sockets: everybody gets an answer or a sentence, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.asking.breaker import BACKOFF, FAILURES
from core.asking.service import Service
from core.backoff import Backoff
from core.engine.embedded import Embedded
from core.preset import Preset
from core.relay import Relay
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Status, Turn
from core.upstream import Upstream
from core.worker import Worker
from sandbox.upstream import Emulator

PRESETS = {"default": Preset(model="gpt-5.1", instructions="", fallbacks=())}


class Wall:
    """A chat that takes everything and remembers what every thread shows."""

    name = "wall"

    def __init__(self) -> None:
        self.shows: dict[QuestionKey, Turn] = {}

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def ready(self, turn: Turn) -> None:
        await asyncio.sleep(0)

    async def show(self, turn: Turn) -> Reply:
        self.shows[turn.question.key] = turn
        return Reply("shown")


class Rig:
    """Core, whole, between a wall and the emulator, with a clock of its own and pauses too short to notice."""

    def __init__(self, database: Database, emulator: Emulator) -> None:
        self.now = 1000.0
        self.emulator = emulator
        self.wall = Wall()
        self.service = Service(
            [Upstream(emulator.url, f"local-{secrets.token_hex(8)}")],
            backoff=Backoff(0.001, 0.01),
            rest=Backoff(10, 60),
            per_second=1000,
            clock=lambda: self.now,
        )
        ledger = Ledger(database)
        worker = Worker(ledger, self.service, {"wall": self.wall}, PRESETS, transcript_budget=24_000)
        self.engine = Embedded(ledger, worker.see_to)
        self.relay = Relay(ledger, self.engine.wake, PRESETS, longest_question=16_000)

    async def ask(self, text: str, *, thread: object = 0, workspace: str = "work") -> None:
        where = Thread(ThreadId(f"wall:{workspace}/{thread}"), "wall", (PlaceId(f"wall:{workspace}"),))
        await self.relay.ask(Question(QuestionKey(text), where, "ada", text))

    @property
    def ends(self) -> Counter[Status]:
        return Counter(turn.status for turn in self.wall.shows.values())


@pytest.fixture
async def rig(sqlite_url: str, emulator: Emulator) -> AsyncIterator[Rig]:
    database = open_database(sqlite_url)
    await migrate(database)
    rig = Rig(database, emulator)
    await rig.engine.start(["wall"])
    yield rig
    await rig.engine.stop(grace=0)
    await rig.service.aclose()
    await database.close()


def asked_twice(emulator: Emulator, questions: list[str]) -> list[Any]:
    """Each question that stands more than once in one conversation. What a rebuilt one was told before is no question."""
    return [
        (conversation.id, question)
        for conversation in emulator.conversations.values()
        for question in questions
        if sum(turn.question.endswith(question) for turn in conversation.turns) > 1
    ]


async def test_in_a_bad_month_everybody_gets_an_answer_or_a_sentence_and_nothing_is_heard_twice(rig: Rig) -> None:
    rig.emulator.faults.read("api_error@0.27,cut=1@0.1,expired@0.05")
    questions = [f"say exactly: <{thread}.{turn}>" for turn in range(5) for thread in range(40)]
    for question in questions:
        await rig.ask(question, thread=question.partition(".")[0])
    await rig.engine.idle()
    assert len(rig.wall.shows) == 200
    assert set(rig.ends) <= {Status.ANSWERED, Status.FAILED}
    assert rig.ends[Status.ANSWERED] > 180
    for key, turn in rig.wall.shows.items():
        if turn.status is Status.ANSWERED:
            assert turn.answer == key.removeprefix("say exactly: ")
        else:
            assert "Reference:" in turn.problem
    assert asked_twice(rig.emulator, questions) == []
    assert len(rig.emulator.requests) > 200


async def test_down_and_back_again(rig: Rig) -> None:
    rig.emulator.faults.set("api_error")
    for number in range(30):
        await rig.ask(f"say exactly: {number}", thread=number)
    await rig.engine.idle()
    calls = len(rig.emulator.requests)
    assert calls < FAILURES + 30
    for number in range(100, 130):
        await rig.ask(f"say exactly: {number}", thread=number)
    await rig.engine.idle()
    assert len(rig.emulator.requests) == calls
    assert rig.ends == {Status.FAILED: 60}
    assert "down right now" in rig.wall.shows[QuestionKey("say exactly: 100")].problem

    rig.now += BACKOFF.longest * 1.3
    await rig.ask("say exactly: probe")
    await rig.engine.idle()
    assert len(rig.emulator.requests) == calls + 1

    rig.emulator.faults.clear()
    rig.now += BACKOFF.longest * 1.3
    for key in [QuestionKey(f"say exactly: {number}") for number in range(100, 130)]:
        assert await rig.relay.again(key)
        await rig.engine.idle()
        assert (rig.wall.shows[key].status, rig.wall.shows[key].answer) == (Status.ANSWERED, key[-3:])


async def test_five_hundred_questions_of_one_workspace_delay_another_by_a_slot(rig: Rig) -> None:
    rig.emulator.first_delay = 0.02
    for number in range(500):
        await rig.ask(f"say exactly: {number}", thread=number, workspace="busy")
    while len(rig.emulator.requests) < 20:
        await asyncio.sleep(0.001)
    already = len(rig.emulator.requests)
    await rig.ask("say exactly: other", workspace="quiet")
    await rig.engine.idle()
    arrived = [request.body["question"] for request in rig.emulator.requests if isinstance(request.body, dict)]
    # Recorded takes a moment, in which the slots go on turning over once or twice.
    assert arrived.index("say exactly: other") < already + 3 * 20
    assert rig.ends == {Status.ANSWERED: 501}
