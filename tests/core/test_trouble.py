"""What people see when the upstream is in trouble: another model steps in, or they are told how long it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import structlog

from core.asking.service import Service
from core.attachment import Attachment, Kind
from core.backoff import Backoff
from core.engine.embedded import Embedded
from core.errors import ChatRejected, ThreadGone
from core.metrics import Metrics
from core.preset import Preset
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Status, Turn
from core.upstream import Upstream
from core.upstream.errors import (
    BadRequest,
    CircuitOpen,
    ConversationTooLarge,
    ModelRefused,
    ModerationRefused,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
    UsedUp,
    WrongAddress,
)
from core.worker import Worker

PRESETS = {"default": Preset(model="gpt-5.1", instructions="", fallbacks=("o3", "grok-3"))}
WAITED = 0.2  # seconds
INSTEAD = "Answered by o3 because gpt-5.1 was unavailable."


class Rig:
    """Core, whole, between a chat and an upstream of our own."""

    def __init__(self, chat: Any, upstream: Any, ledger: Ledger) -> None:
        self.chat, self.upstream, self.ledger = chat, upstream, ledger
        self.metrics = Metrics()
        # Each model is asked once: what is tried here is what comes after the retries.
        service = Service(
            [cast("Upstream", upstream)],
            in_flight=1,
            told_after=0.02,
            metrics=self.metrics,
            backoff=Backoff(0.0001, 0.001),
        )
        worker = Worker(
            ledger, service, {"chat": chat}, PRESETS, transcript_budget=1000, metrics=self.metrics, contact="#help_bots"
        )
        self.engine = Embedded(ledger, worker.see_to)
        self.relay = Relay(ledger, self.engine.wake, PRESETS, interrupt=worker.interrupt, longest_question=100)

    async def ask(self, text: str, where: str = "1", files: tuple[Attachment, ...] = ()) -> Turn:
        room = PlaceId("chat:work")
        thread = Thread(ThreadId(f"chat:work/{where}"), "chat", (room,))
        question = Question(QuestionKey(text), thread, "ada", text, files)
        return (await self.relay.ask(question)).turn

    async def answered(self, text: str, files: tuple[Attachment, ...] = ()) -> Turn:
        turn = await self.ask(text, files=files)
        await self.engine.idle()
        found = await self.ledger.turn(turn.question.key)
        assert found is not None
        return found

    async def until_aside(self, aside: str) -> None:
        async with self.chat.changed:
            await self.chat.changed.wait_for(lambda: any(turn.aside == aside for turn in self.chat.turns))

    def measured(self, name: str, **labels: str) -> float:
        return self.metrics._registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def rig(chat: Any, upstream: Any, sqlite_url: str) -> AsyncIterator[Rig]:
    database = open_database(sqlite_url)
    await migrate(database)
    rig = Rig(chat, upstream, Ledger(database))
    await rig.engine.start(["chat"])
    yield rig
    await rig.engine.stop(grace=0)
    await database.close()


FILE = Attachment(Kind.TEXT, "notes.txt", 10, "https://files.example/notes.txt")
TOO_LONG = "Your message is too long for the AI service. Please shorten it."
REPHRASE = (
    "The AI service didn't accept this question. Please rephrase it. If that doesn't help, tell the person who runs me."
)
BROKE_OFF = "The AI service broke off before it answered. Please try again."


@pytest.mark.parametrize(
    ("answer", "files", "said"),
    [
        ([ConversationTooLarge()], (), TOO_LONG),
        ([ConversationTooLarge()], (FILE,), ConversationTooLarge().sentence),
        ([BadRequest()], (), REPHRASE),
        ([BadRequest()], (FILE,), BadRequest().sentence),
        ([ModelRefused()], (), ModelRefused().sentence),
        ([UpstreamCut()], (), BROKE_OFF),
        (["Half an ans", UpstreamCut()], (), UpstreamCut().sentence),
    ],
)
async def test_people_are_told_what_applies_to_their_question(
    rig: Rig, answer: list[Any], files: tuple[Attachment, ...], said: str
) -> None:
    rig.upstream.answers = [answer] * 6
    turn = await rig.answered("Why?", files)
    contact = "Contact: #help&#95;bots. " if "the person who runs me" in said else ""
    assert turn.problem == f"{said} ({contact}Reference: `{turn.reference}`)"
    # No other try is offered of what would fail again.
    assert turn.is_final is any(
        isinstance(error, BadRequest | ConversationTooLarge) and not isinstance(error, ModelRefused) for error in answer
    )
    assert turn.offers_again is not turn.is_final


async def test_of_a_conversation_that_is_too_large_a_new_thread_helps(rig: Rig) -> None:
    await rig.answered("One?")
    rig.upstream.answers = [[ConversationTooLarge()]] * 6
    assert ConversationTooLarge().sentence in (await rig.answered("Two?")).problem


def models(rig: Rig) -> list[str]:
    return [prompt.model for prompt in rig.upstream.prompts]


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (UpstreamFailed(status=500), 4),
        (UpstreamBusy(status=429), 4),
        (UpstreamUnreachable(), 4),
        (UpstreamBusy(status=429, retry_after=3600), 1),
        (UpstreamCut(), 2),
        (UpstreamFailed(status=200), 1),
    ],
)
async def test_another_model_steps_in_and_says_so(rig: Rig, error: Exception, times: int) -> None:
    rig.upstream.answers = [[error]] * times
    turn = await rig.answered("Why?")
    assert (turn.status, turn.answer, turn.model, turn.aside) == (Status.ANSWERED, "Because.", "o3", INSTEAD)
    assert models(rig) == ["gpt-5.1"] * times + ["o3"]
    assert rig.chat.turns[-1].aside == INSTEAD


async def test_nobody_waits_for_a_model_that_is_away_where_another_can_step_in(rig: Rig) -> None:
    for number, failures in enumerate((4, 4, 2)):  # with the tenth in a row it is left alone for a second
        rig.upstream.answers = [[UpstreamUnreachable()]] * failures
        turn = await rig.answered(f"Why {number}?")
        assert turn.model == "o3"  # waited for, gpt-5.1 would have answered


async def test_the_next_question_is_the_presets_own_model_again_and_told_what_was_said(rig: Rig) -> None:
    rig.upstream.answers = [[UpstreamFailed(status=500)]] * 4
    await rig.answered("My name is Ada.")
    turn = await rig.answered("Who am I?")
    assert (turn.model, turn.aside) == ("gpt-5.1", "")
    last = rig.upstream.prompts[-1]
    assert (last.model, last.conversation) == ("gpt-5.1", None)
    assert "My name is Ada." in last.question


async def test_who_stepped_in_goes_on_in_its_own_conversation_and_starts_none_of_anothers(rig: Rig) -> None:
    fails: list[str | Exception | asyncio.Event] = [UpstreamFailed(status=500)]
    await rig.answered("One?")
    rig.upstream.answers = [fails] * 4
    await rig.answered("Two?")
    rig.upstream.answers = [fails] * 4
    await rig.answered("Three?")
    asked = [(prompt.model, prompt.conversation) for prompt in rig.upstream.prompts]
    assert asked[1:6] == [("gpt-5.1", "c-1")] * 4 + [("o3", None)]
    assert asked[6:] == [("gpt-5.1", None)] * 4 + [("o3", "c-1")]
    assert "One?" in rig.upstream.prompts[5].question
    assert rig.upstream.prompts[-1].question == "Three?"


async def test_a_conversation_that_was_cut_is_left_even_if_another_model_then_fails(rig: Rig) -> None:
    """It may hold the question already: whoever asks it again must not find it there."""
    await rig.answered("One?")
    rig.upstream.answers = [[UpstreamCut()]] * 2 + [[UpstreamFailed(status=500)]] * 4
    assert (await rig.answered("Two?")).status is Status.FAILED
    await rig.answered("Three?")
    assert rig.upstream.prompts[-1].conversation is None


async def test_they_step_in_one_after_another_and_with_none_left_it_is_told(rig: Rig) -> None:
    rig.upstream.answers = [[UpstreamFailed(status=500)]] * 20
    turn = await rig.answered("Why?")
    assert models(rig) == ["gpt-5.1"] * 4 + ["o3"] * 2 + ["grok-3"] * 2
    assert (turn.status, turn.aside) == (Status.FAILED, "")
    assert UpstreamFailed().sentence in turn.problem


@pytest.mark.parametrize("error", [ModerationRefused(), BadRequest(status=400), UsedUp(code="used_up")])
async def test_nobody_steps_in_for_what_no_other_model_would_mend(rig: Rig, error: Exception) -> None:
    rig.upstream.answers = [[error]]
    assert (await rig.answered("Why?")).status is Status.FAILED
    assert models(rig) == ["gpt-5.1"]


async def test_what_people_have_read_stays_and_is_not_replaced_by_another_model(rig: Rig) -> None:
    rig.upstream.answers = [["Half", UpstreamCut()], ["Half an ans", UpstreamCut()]]
    turn = await rig.answered("Why?")
    assert (turn.status, turn.answer, turn.model) == (Status.FAILED, "Half an ans", "gpt-5.1")
    assert models(rig) == ["gpt-5.1"] * 2


async def test_while_all_models_are_down_people_are_told_when_to_ask_again(rig: Rig) -> None:
    rig.upstream.answers = [[UpstreamFailed(status=500)]] * 1000
    for number in range(12):
        await rig.answered(f"{number}?")
    calls = len(models(rig))
    turn = await rig.answered("Why?")
    assert len(models(rig)) == calls
    assert "down right now" in turn.problem
    assert turn.offers_again
    ended = [one for one in rig.chat.turns if one.id == turn.id and one.is_over][-1]
    assert 5 <= ended.helps_at - time.time() <= 600


async def test_who_waits_is_told_how_many_are_before_and_it_goes_when_the_answer_begins(rig: Rig) -> None:
    rest, begins, more = asyncio.Event(), asyncio.Event(), asyncio.Event()
    rig.upstream.answers = [["a", rest], [begins, "b", more], ["c"]]
    for name in "abc":
        await rig.ask(name, name)
        while not any(turn.question.text == "a" for turn in rig.chat.turns):
            await asyncio.sleep(0.001)
    await asyncio.wait_for(rig.until_aside("1 question is ahead of yours."), 5)
    rest.set()
    await asyncio.wait_for(rig.until_aside("You're next."), 5)
    await asyncio.wait_for(rig.until_aside("Starting now…"), 5)
    begins.set()
    more.set()
    await rig.engine.idle()
    for turn in rig.chat.turns:
        assert not (turn.aside and turn.answer)
    for name in "abc":
        found = await rig.ledger.turn(QuestionKey(name))
        assert found
        assert (found.status, found.aside) == (Status.ANSWERED, "")


async def test_that_one_had_to_wait_is_not_said_beside_a_failure(rig: Rig) -> None:
    rest = asyncio.Event()
    rig.upstream.answers = [["a", rest], [BadRequest(status=400)]]
    await rig.ask("a", "a")
    await asyncio.wait_for(rig.chat.until("a"), 5)
    await rig.ask("b", "b")
    await asyncio.wait_for(rig.until_aside("You're next."), 5)
    rest.set()
    await rig.engine.idle()
    failed = await rig.ledger.turn(QuestionKey("b"))
    assert failed
    assert (failed.status, failed.aside) == (Status.FAILED, "")


async def test_a_question_that_is_deleted_while_it_waits_takes_no_slot(rig: Rig) -> None:
    rest = asyncio.Event()
    rig.upstream.answers = [["a", rest]]
    await rig.ask("a", "a")
    await asyncio.wait_for(rig.chat.until("a"), 5)
    waiting = await rig.ask("b", "b")
    await asyncio.wait_for(rig.until_aside("You're next."), 5)
    await rig.relay.withdraw(waiting.question.key)
    while rig.measured("bobbin_upstream_waiting"):
        await asyncio.sleep(0.001)
    rest.set()
    await rig.engine.idle()
    assert [prompt.question for prompt in rig.upstream.prompts] == ["a"]


@pytest.mark.parametrize(("error", "loud"), [(UsedUp(code="used_up"), 1), (WrongAddress(status=404), 3)])
async def test_a_token_that_is_refused_is_loud_once(rig: Rig, error: UpstreamError, loud: int) -> None:
    rig.upstream.answers = [[error]] * 3
    with structlog.testing.capture_logs() as lines:
        for number in range(3):
            assert error.sentence in (await rig.answered(f"{number}?")).problem
    assert len([line for line in lines if line["log_level"] == "error"]) == loud


async def test_turns_and_what_was_never_shown_are_counted(rig: Rig) -> None:
    await rig.answered("One?")
    rig.upstream.answers = [[BadRequest(status=400)]]
    await rig.answered("Two?")
    assert rig.measured("bobbin_turns_total", status="answered") == 1
    assert rig.measured("bobbin_turns_total", status="failed") == 1
    assert rig.measured("bobbin_first_text_seconds_count") == 1
    rig.chat.gate.clear()
    rig.chat.refusals = [ChatRejected()]
    await rig.answered("Three?")
    assert rig.measured("bobbin_shows_given_up_total") == 1


async def test_what_somebody_deleted_is_no_trouble(rig: Rig) -> None:
    rig.chat.refusals = [ThreadGone()] * 2
    with structlog.testing.capture_logs() as lines:
        turn = await rig.answered("Why?")
    assert not [line for line in lines if line["log_level"] in ("warning", "error")]
    assert rig.measured("bobbin_shows_given_up_total") == 0
    assert turn.shown


def test_resting_is_no_reason_to_ask_at_once_again() -> None:
    assert not CircuitOpen.retryable
