from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, update
from structlog.testing import capture_logs

from core.answer import MOST_INTERRUPTIONS, TOO_LONG
from core.attachment import MOST, Attachment, Kind
from core.backoff import Backoff
from core.commands import Command, Verb
from core.engine.embedded import Embedded
from core.errors import (
    CannotBeKept,
    ChatBusy,
    ChatClosed,
    ChatForbidden,
    ChatRejected,
    ChatUnclear,
    NotAllowed,
    NothingAsked,
    StorageUnavailable,
    ThreadGone,
)
from core.metrics import Metrics
from core.obeying import NOTHING_TO_STOP, Told
from core.presentation import Times
from core.preset import Preset
from core.quote import Quote, Source
from core.relay import Relay
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.storage.tables import turns
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Accepted, Question, QuestionKey, Status, Turn
from core.upstream.errors import (
    BadRequest,
    ConversationTooLarge,
    EmptyAnswer,
    TokenRefused,
    UnknownConversation,
    UpstreamCut,
    UpstreamFailed,
)
from core.worker import Worker
from tests.core.conftest import to_its_end

PRESETS = {"default": Preset(model="gpt-5.1", instructions=""), "pirate": Preset(instructions="Arr.")}
CHANNEL = PlaceId("chat:work/room")
Ask = Callable[..., Awaitable[Accepted]]


def thread(name: str = "1") -> Thread:
    return Thread(ThreadId(f"chat:work/room/{name}"), "chat", (PlaceId("chat:work"), CHANNEL))


QUICK = Backoff(first=0.001, longest=0.01, give_up_after=60.0)
TIMES = Times(end=QUICK, keep=QUICK)


class Rig:
    """Core, whole, between a chat and an upstream of our own."""

    def __init__(
        self, chat: Any, upstream: Any, database: Database, *, tells_names: bool = True, times: Times = TIMES
    ) -> None:
        self.chat, self.upstream = chat, upstream
        self.ledger = Ledger(database)
        self.metrics = Metrics()
        self.worker = Worker(
            self.ledger,
            upstream,
            {"chat": chat},
            PRESETS,
            transcript_budget=1000,
            metrics=self.metrics,
            tells_names=tells_names,
            times=times,
        )
        self.engine = Embedded(self.ledger, self.worker.see_to, backoff=QUICK)
        self.relay = self.with_wishes()
        self._keys = 0

    def with_wishes(self, **wishes: Any) -> Relay:
        return Relay(
            self.ledger,
            self.engine.wake,
            PRESETS,
            interrupt=self.worker.interrupt,
            **{"stop": self.worker.stop, "longest_question": 100, **wishes},
        )

    async def ask(self, text: str, where: Thread | None = None, key: str = "", **more: Any) -> Accepted:
        self._keys += 1
        key = key or str(self._keys)
        return await self.relay.ask(Question(QuestionKey(key), where or thread(), "ada", text, **more))

    async def set_preset(self, wish: Preset) -> None:
        told = await self.relay.obey(Command(Verb.SET_PRESET, wish), thread(), "ada")
        assert told.is_done

    async def over(self) -> None:
        """Wait until nothing is left to do."""
        await self.engine.idle()

    async def turn(self, accepted: Accepted) -> Turn:
        found = await self.ledger.turn(accepted.turn.question.key)
        assert found is not None
        return found

    async def answered(self, text: str) -> Turn:
        accepted = await self.ask(text)
        await self.over()
        return await self.turn(accepted)


@pytest.fixture
async def memory(sqlite_url: str) -> AsyncIterator[Database]:
    database = open_database(sqlite_url)
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
async def rig(chat: Any, upstream: Any, memory: Database) -> AsyncIterator[Rig]:
    async with opened(chat, upstream, memory) as rig:
        yield rig


@asynccontextmanager
async def opened(chat: Any, upstream: Any, database: Database, **how: Any) -> AsyncIterator[Rig]:
    rig = Rig(chat, upstream, database, **how)
    await rig.engine.start(["chat"])
    yield rig
    await rig.engine.stop(grace=0)


async def test_a_question_is_answered_in_one_message(rig: Rig) -> None:
    rig.upstream.answers = [["Be", "cau", "se."]]
    turn = await rig.answered("Why?")
    assert (turn.status, turn.answer, turn.shown, turn.model) == (Status.ANSWERED, "Because.", True, "gpt-5.1")
    assert rig.chat.now == ["Because."]


async def test_what_came_so_far_is_shown_while_it_streams(rig: Rig) -> None:
    rest = asyncio.Event()
    rig.upstream.answers = [["Be", rest, "cause."]]
    await rig.ask("Why?")
    await asyncio.wait_for(rig.chat.until("Be"), 5)
    assert rig.chat.now == ["Be"]
    rest.set()
    await asyncio.wait_for(rig.chat.until("Because."), 5)


async def test_a_chat_at_its_limit_is_shown_the_newest_and_always_the_end(rig: Rig) -> None:
    rig.chat.gate.clear()
    rig.upstream.answers = [["a"] * 50]
    await rig.answered("Why?")
    assert rig.chat.messages == [["a" * 50]]


async def test_the_thread_goes_on_in_its_conversation(rig: Rig) -> None:
    await rig.answered("One?")
    await rig.answered("Two?")
    first, second = rig.upstream.prompts
    assert (first.conversation, second.conversation) == (None, "c-1")
    assert second.question == "Two?"


async def test_turns_of_a_thread_run_one_after_another_and_threads_side_by_side(rig: Rig) -> None:
    all_three = asyncio.Event()
    rig.upstream.answers = [[all_three, "Because."] for _ in range(12)]
    for number in range(12):
        await rig.ask(f"{number}", thread(str(number % 3)))
    while rig.upstream.streaming < 3:
        await asyncio.sleep(0.001)
    all_three.set()
    await rig.over()
    assert rig.upstream.most_streaming == 3
    for name in range(3):
        asked = [prompt.question for prompt in rig.upstream.prompts if int(prompt.question.split()[-1]) % 3 == name]
        assert asked == sorted(asked, key=int)
    assert rig.chat.now == ["Because."] * 12


async def test_one_question_delivered_often_is_answered_once(rig: Rig) -> None:
    accepted = await asyncio.gather(*(rig.ask("Why?", key="same") for _ in range(5)))
    await rig.over()
    assert sum(one.is_new for one in accepted) == 1
    assert len(rig.upstream.prompts) == len(rig.chat.messages) == 1


async def test_a_file_alone_is_asked_about_in_words_that_are_recorded(rig: Rig) -> None:
    picture = Attachment(Kind.IMAGE, "a.png", 3, "https://example.org/a.png")
    accepted = await rig.relay.ask(Question(QuestionKey("1"), thread(), "ada", " \u200b", (picture,)))
    await rig.over()
    [prompt] = rig.upstream.prompts
    assert prompt.question == accepted.turn.question.text
    assert prompt.question.startswith('Please look at the attached image "a.png"')
    assert prompt.references == ("https://example.org/a.png",)


async def test_what_can_not_be_read_is_told_beside_every_answer_to_it_and_after_a_fallback(rig: Rig) -> None:
    rig.upstream.answers = [["One."], ["Two."]]
    recording = Attachment(Kind.AUDIO, "a.mp3", 3, "https://example.org/a.mp3")
    accepted = await rig.relay.ask(Question(QuestionKey("1"), thread(), "ada", "Why?", (recording,)))
    await rig.over()
    aside = 'I can\'t listen to audio yet, so this answer leaves out "a.mp3".'
    assert (await rig.turn(accepted)).aside == aside
    await rig.relay.again(QuestionKey("1"))
    await rig.over()
    assert ((await rig.turn(accepted)).answer, (await rig.turn(accepted)).aside) == ("Two.", aside)
    assert [prompt.references for prompt in rig.upstream.prompts] == [(), ()]


async def test_a_question_of_more_than_can_be_sent_along_keeps_what_can(rig: Rig) -> None:
    many = (Attachment(Kind.IMAGE, "a.png", 3, "https://example.org/a.png"),) * 100
    accepted = await rig.relay.ask(Question(QuestionKey("1"), thread(), "ada", "Why?", many))
    await rig.over()
    assert len((await rig.turn(accepted)).question.attachments) == MOST


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.org/a.png?x", 'image "a.png"'),
        ("https://example.org/a.mp3", "I can't listen to audio yet. Ask me something in words"),
        ("", "Mention me and ask"),
    ],
)
async def test_what_an_earlier_version_accepted_without_words_is_not_asked_without(
    chat: Any, upstream: Any, memory: Database, url: str, words: str
) -> None:
    """It waits in the database when the new version starts, and may be asked again after that."""
    waiting = Question(QuestionKey("1"), thread(), "ada", "")
    accepted = await Ledger(memory).accept(waiting, NOTHING_SHOWN)
    earlier = update(turns).values(references=[url] if url else [])
    await memory.run(lambda connection: connection.execute(earlier))
    async with opened(chat, upstream, memory) as rig:
        await rig.over()
        first = await rig.turn(accepted)
        await rig.relay.again(QuestionKey("1"))
        await rig.over()
    if url.endswith(".png?x"):
        assert [words in prompt.question for prompt in upstream.prompts] == [True, True]
    else:
        assert not upstream.prompts
        assert first.status is Status.FAILED
        assert words in first.problem


@pytest.mark.parametrize(("text", "hint"), [("   ", NothingAsked().sentence), ("x" * 101, "101 characters")])
async def test_what_cannot_be_asked_gets_a_hint_and_no_call(rig: Rig, text: str, hint: str) -> None:
    await rig.answered(text)
    assert hint in rig.chat.now[0]
    assert rig.upstream.prompts == []


async def test_a_hint_is_no_part_of_what_is_remembered(rig: Rig) -> None:
    await rig.answered(" ")
    await rig.answered("Why?")
    assert rig.upstream.prompts[0].question == "Why?"


@pytest.mark.parametrize(("chosen", "instructions"), [("pirate", "Arr."), ("gone", "Be short.")])
async def test_a_preset_chosen_for_a_question_is_above_what_is_set(rig: Rig, chosen: str, instructions: str) -> None:
    await rig.set_preset(Preset(model="o3", instructions="Be short."))
    rig.upstream.answers = [["Yes."], ["No."]]
    await rig.ask("Why?", preset=chosen)
    await rig.answered("And now?")
    first, second = rig.upstream.prompts
    assert (first.instructions, first.model) == (instructions, "o3")
    assert (second.instructions, second.model) == ("Be short.", "o3")


async def test_the_preset_of_the_place_answers(rig: Rig) -> None:
    await rig.set_preset(Preset(name="pirate"))
    await rig.set_preset(Preset(model="o3"))
    turn = await rig.answered("Why?")
    assert (turn.model, rig.upstream.prompts[0].model, rig.upstream.prompts[0].instructions) == ("o3", "o3", "Arr.")


async def test_another_model_begins_another_conversation_that_is_told_the_old_one(rig: Rig) -> None:
    await rig.answered("My name is Ada.")
    await rig.set_preset(Preset(model="o3"))
    await rig.answered("Who am I?")
    prompt = rig.upstream.prompts[1]
    assert prompt.conversation is None
    assert "My name is Ada." in prompt.question
    assert prompt.question.endswith("Who am I?")


async def test_a_reset_begins_without_memory(rig: Rig) -> None:
    await rig.answered("My name is Ada.")
    await rig.relay.obey(Command(Verb.RESET), thread(), "ada")
    await rig.answered("Who am I?")
    assert rig.upstream.prompts[1].conversation is None
    assert rig.upstream.prompts[1].question == "Who am I?"


@pytest.mark.parametrize("named", ["c" * 300, "c\0", "\ud83d"], ids=["long", "NUL", "half"])
async def test_a_conversation_whose_name_cannot_be_kept_is_not_gone_on_with(
    chat: Any, upstream: Any, database: Database, named: str
) -> None:
    async with opened(chat, upstream, database) as rig:
        rig.upstream.conversation = named
        assert (await rig.answered("My name is Ada.")).status is Status.ANSWERED
        assert (await rig.answered("Who am I?")).status is Status.ANSWERED
        first, second = rig.upstream.prompts
        assert (first.conversation, second.conversation) == (None, None)
        assert "My name is Ada." in second.question
        assert rig.metrics._registry.get_sample_value("bobbin_conversations_unnamed_total") == 2


async def test_an_answer_that_the_database_refuses_fails_its_turn_and_no_other(
    chat: Any, upstream: Any, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.run(refuse_some)
    async with opened(chat, upstream, database) as rig:
        rig.upstream.answers = [["It is ", "unkeepable."]]
        with capture_logs() as logs:
            turn = await asyncio.wait_for(rig.answered("Why?"), 20)
        assert (turn.status, turn.answer, turn.shown) == (Status.FAILED, "", True)
        assert CannotBeKept().sentence in rig.chat.now[0]
        assert len(rig.upstream.prompts) == 1
        assert any(line["log_level"] == "error" for line in logs)
        assert "unkeepable" not in f"{logs}{[str(line.get('exc_info')) for line in logs]}{caplog.text}"
        assert (await rig.answered("And?")).answer == "Because."


def refuse_some(connection: Connection) -> None:
    """Have a database refuse a row, as it would one with a value too long."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "create trigger refuse before update on turns when new.answer like '%unkeep%' "
            "begin select raise(abort, 'too long'); end"
        )
        return
    connection.exec_driver_sql(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        " raise exception 'too long' using errcode = 'string_data_right_truncation'; end $$"
    )
    connection.exec_driver_sql(
        "create trigger refuse before update on turns for each row when (new.answer ~ 'unkeep') execute function refuse()"
    )


async def test_a_conversation_that_is_gone_is_rebuilt(rig: Rig) -> None:
    await rig.answered("My name is Ada.")
    rig.upstream.answers = [[UnknownConversation(code="not_found", status=404)], ["Ada."]]
    turn = await rig.answered("Who am I?")
    assert turn.answer == "Ada."
    assert [prompt.conversation for prompt in rig.upstream.prompts] == [None, "c-1", None]
    assert "My name is Ada." in rig.upstream.prompts[2].question


async def test_an_answer_from_another_conversation_is_not_believed(rig: Rig) -> None:
    """A 200 with another id means: the service has silently lost its memory."""
    await rig.answered("My name is Ada.")
    rig.upstream.conversation = "c-2"
    rig.upstream.answers = [["I don't ", "know you."], ["Ada."]]
    await rig.answered("Who am I?")
    assert rig.chat.now[1] == "Ada."
    assert "My name is Ada." in rig.upstream.prompts[2].question
    await rig.answered("Sure?")
    assert rig.upstream.prompts[3].conversation == "c-2"


@pytest.mark.parametrize(
    "error", [UpstreamFailed("boom", status=500), BadRequest("model?"), TokenRefused(), EmptyAnswer()]
)
async def test_an_upstream_that_fails_is_told_in_words_with_a_reference(rig: Rig, error: Exception) -> None:
    rig.upstream.answers = [[error], [error]]
    turn = await rig.answered("Why?")
    assert turn.status is Status.FAILED
    assert turn.shown
    [shown] = rig.chat.now
    assert turn.reference in shown
    assert "boom" not in shown


@pytest.mark.parametrize("cut", [UpstreamCut(), EmptyAnswer()])
async def test_a_cut_answer_is_asked_for_once_more_in_a_rebuilt_conversation(rig: Rig, cut: Exception) -> None:
    await rig.answered("My name is Ada.")
    rig.upstream.answers = [["Half an ans", cut], ["Ada."]]
    turn = await rig.answered("Who am I?")
    assert (turn.status, turn.answer) == (Status.ANSWERED, "Ada.")
    assert rig.chat.now[1] == "Ada."
    assert rig.upstream.prompts[2].conversation is None
    assert "My name is Ada." in rig.upstream.prompts[2].question


async def test_what_came_before_a_second_cut_stays_and_the_next_question_is_rebuilt(rig: Rig) -> None:
    await rig.answered("One?")
    rig.upstream.answers = [["Half", UpstreamCut()], ["Half an ans", UpstreamCut()]]
    turn = await rig.answered("Two?")
    assert (turn.status, turn.answer) == (Status.FAILED, "Half an ans")
    assert rig.chat.now[1].startswith("Half an ans")
    await rig.answered("Three?")
    assert rig.upstream.prompts[3].conversation is None


async def edit(rig: Rig, accepted: Accepted, text: str) -> None:
    await rig.relay.revise(replace(accepted.turn.question, text=text))
    await rig.over()


async def test_an_edited_question_is_offered_to_be_answered_anew(rig: Rig) -> None:
    accepted = await rig.ask("Whi?")
    await rig.over()
    await edit(rig, accepted, "Why?")
    offered = await rig.turn(accepted)
    assert (offered.answer, offered.revised, offered.shown) == ("Because.", "Why?", True)
    assert rig.chat.turns[-1].offers_again
    rig.upstream.answers = [["Now I see."]]
    assert await rig.relay.again(accepted.turn.question.key)
    await rig.over()
    assert rig.chat.now == ["Now I see."]
    assert (await rig.turn(accepted)).question.text == "Why?"
    assert not rig.chat.turns[-1].offers_again


async def test_an_edited_question_is_answered_anew_at_once_if_that_is_wished(rig: Rig) -> None:
    rig.relay = rig.with_wishes(on_edit="redo")
    await rig.answered("My name is Ada.")
    accepted = await rig.ask("Whi?")
    await rig.over()
    rig.upstream.answers = [["Now I see."]]
    await edit(rig, accepted, "Why?")
    assert rig.chat.now == ["Because.", "Now I see."]
    anew = rig.upstream.prompts[-1]
    assert anew.conversation is None
    assert "My name is Ada." in anew.question
    assert "Whi?" not in anew.question


async def test_an_edit_that_is_none_changes_nothing(rig: Rig) -> None:
    """Platforms send one when they have looked at a link."""
    rig.relay = rig.with_wishes(on_edit="redo")
    accepted = await rig.ask("Why?")
    await rig.over()
    await edit(rig, accepted, "Why?")
    await rig.relay.revise(Question(QuestionKey("never accepted"), thread(), "ada", "Eh?"))
    await rig.over()
    assert len(rig.upstream.prompts) == 1


async def test_an_edit_while_it_streams_breaks_off_and_begins_anew(rig: Rig) -> None:
    rig.upstream.answers = [["Wro", asyncio.Event()], ["Right."]]
    accepted = await rig.ask("Whi?")
    await asyncio.wait_for(rig.chat.until("Wro"), 5)
    await edit(rig, accepted, "Why?")
    assert rig.chat.now == ["Right."]
    assert rig.upstream.prompts[-1].question == "Why?"
    assert rig.upstream.streaming == 0


async def test_an_earlier_answer_done_anew_is_known_to_the_next_question(rig: Rig) -> None:
    accepted = await rig.ask("One?")
    await rig.over()
    await rig.answered("Two?")
    await rig.relay.again(accepted.turn.question.key)
    await rig.over()
    await rig.answered("Three?")
    last = rig.upstream.prompts[-1]
    assert last.conversation is None
    assert "One?" in last.question
    assert "Two?" in last.question


async def test_a_failed_turn_offers_to_try_again(rig: Rig) -> None:
    rig.upstream.answers = [[UpstreamFailed("boom", status=500)]]
    accepted = await rig.ask("Why?")
    await rig.over()
    assert rig.chat.turns[-1].offers_again
    await rig.relay.again(accepted.turn.question.key)
    await rig.over()
    assert rig.chat.now == ["Because."]


async def test_a_deleted_question_takes_its_answer_with_it_and_is_forgotten(rig: Rig) -> None:
    accepted = await rig.ask("My name is Ada.")
    await rig.over()
    await rig.relay.withdraw(accepted.turn.question.key)
    await rig.over()
    gone = rig.chat.turns[-1]
    assert gone.is_withdrawn
    assert (gone.answer, gone.question.text) == ("", "")
    await rig.answered("Who am I?")
    assert rig.upstream.prompts[-1].conversation is None
    assert rig.upstream.prompts[-1].question == "Who am I?"
    assert not await rig.relay.again(accepted.turn.question.key)


async def test_a_question_deleted_while_it_streams_is_broken_off(rig: Rig) -> None:
    rig.upstream.answers = [["Ad", asyncio.Event()]]
    accepted = await rig.ask("Who am I?")
    await asyncio.wait_for(rig.chat.until("Ad"), 5)
    await rig.relay.withdraw(accepted.turn.question.key)
    await rig.over()
    assert rig.upstream.streaming == 0
    assert (await rig.turn(accepted)).status is Status.STOPPED


async def test_answers_stay_if_that_is_wished(rig: Rig) -> None:
    rig.relay = rig.with_wishes(on_edit="ignore", on_delete="keep")
    accepted = await rig.ask("Whi?")
    await rig.over()
    await edit(rig, accepted, "Why?")
    await rig.relay.withdraw(accepted.turn.question.key)
    await rig.over()
    assert rig.chat.now == ["Because."]
    assert (await rig.turn(accepted)).question.text == "Whi?"


async def test_a_bug_of_ours_does_not_leave_anybody_waiting(rig: Rig) -> None:
    rig.upstream.answers = [[LookupError("nobody thought of this")]]
    turn = await rig.answered("Why?")
    assert turn.status is Status.FAILED
    assert "nobody thought" not in rig.chat.now[0]
    assert (await rig.answered("And now?")).status is Status.ANSWERED


async def test_a_platform_that_is_busy_is_shown_the_end_later(rig: Rig) -> None:
    rig.upstream.answers = [["Be", "cause."]]
    rig.chat.refusals = [ChatBusy(retry_after=0.001)] * 6
    turn = await rig.answered("Why?")
    assert turn.shown
    assert rig.chat.now == ["Because."]


async def test_a_reply_that_nobody_understands_ends_neither_updates_nor_the_turn(rig: Rig) -> None:
    rest = asyncio.Event()
    rig.upstream.answers = [["Be", rest, "cause."]]
    rig.chat.refusals = [ChatUnclear(code="http_200", retry_after=0.001)] * 3
    with structlog.testing.capture_logs() as log:
        await rig.ask("Why?")
        await asyncio.wait_for(rig.chat.until("Be"), 5)
        rig.chat.refusals = [
            ChatUnclear(code="new", retry_after=0.001),
            ChatUnclear(code="http_200", retry_after=0.001),
        ]
        rest.set()
        await rig.over()
    assert rig.chat.now == ["Because."]
    assert [line["code"] for line in log if line["log_level"] == "error"] == ["http_200", "new"]
    assert b'bobbin_chat_replies_unclear_total{chat="chat"} 5.0' in rig.metrics.page()


@pytest.mark.parametrize("refusal", [ChatForbidden(), ChatRejected()])
async def test_a_platform_that_refuses_for_good_ends_the_turn_and_not_the_thread(rig: Rig, refusal: Exception) -> None:
    rig.chat.gate.clear()
    rig.chat.refusals = [refusal]
    turn = await rig.answered("Why?")
    assert turn.shown
    assert turn.answer == "Because."
    await rig.answered("And now?")
    assert rig.chat.now == ["Because."]


async def test_an_answer_that_was_deleted_is_not_written_on(rig: Rig) -> None:
    for_ever = asyncio.Event()
    rig.upstream.answers = [["Be", for_ever, "cause."]]
    accepted = await rig.ask("Why?")
    await asyncio.wait_for(rig.chat.until("Be"), 5)
    rig.chat.refusals = [ThreadGone(), ThreadGone()]
    for_ever.set()
    await rig.over()
    turn = await rig.turn(accepted)
    assert turn.shown
    assert rig.chat.now == ["Be"]


async def test_a_restart_answers_in_the_same_message_and_rebuilds(rig: Rig, memory: Database) -> None:
    await rig.answered("My name is Ada.")
    rig.upstream.answers = [["Ad", asyncio.Event()]]
    accepted = await rig.ask("Who am I?")
    await asyncio.wait_for(rig.chat.until("Ad"), 5)
    await rig.engine.stop(grace=0)

    again = Rig(rig.chat, rig.upstream, memory)
    rig.upstream.answers = [["Ada."]]
    await again.engine.start(["chat"])
    await again.over()
    assert rig.chat.now == ["Because.", "Ada."]
    assert rig.upstream.prompts[-1].conversation is None
    assert "My name is Ada." in rig.upstream.prompts[-1].question
    assert (await again.turn(accepted)).attempt == 2


async def test_running_answers_may_end_when_the_process_does(rig: Rig) -> None:
    rest = asyncio.Event()
    rig.upstream.answers = [["Be", rest, "cause."]]
    accepted = await rig.ask("Why?")
    await asyncio.wait_for(rig.chat.until("Be"), 5)
    stopping = asyncio.create_task(rig.engine.stop(grace=10))
    rest.set()
    await stopping
    assert (await rig.turn(accepted)).shown


async def test_an_answer_that_was_saved_is_only_shown_again(rig: Rig, memory: Database) -> None:
    """Answered is not shown: what the upstream said is not asked for twice."""
    rig.chat.gate.clear()
    rig.chat.refusals = [ChatBusy(retry_after=60)]
    accepted = await rig.ask("Why?")
    while rig.chat.refusals or not (await rig.turn(accepted)).is_over:
        await asyncio.sleep(0.001)
    await rig.engine.stop(grace=0)
    again = Rig(rig.chat, rig.upstream, memory)
    await again.engine.start(["chat"])
    await again.over()
    assert rig.chat.now == ["Because."]
    assert len(rig.upstream.prompts) == 1


async def test_a_turn_that_takes_its_process_down_is_given_up(rig: Rig) -> None:
    await rig.engine.stop(grace=0)
    accepted = await rig.ask("Why?")
    for _ in range(MOST_INTERRUPTIONS + 1):
        await rig.ledger.take(thread().id)
    await rig.engine.start(["chat"])
    await rig.over()
    assert (await rig.turn(accepted)).status is Status.FAILED
    assert rig.upstream.prompts == []


async def test_a_turn_may_be_asked_anew_as_often_as_people_like(rig: Rig) -> None:
    accepted = await rig.ask("Why?")
    await rig.over()
    for _ in range(MOST_INTERRUPTIONS + 3):
        await rig.relay.again(accepted.turn.question.key)
        await rig.over()
    assert (await rig.turn(accepted)).status is Status.ANSWERED


async def test_a_platform_that_refuses_the_token_loses_nothing(rig: Rig) -> None:
    rig.chat.gate.clear()
    rig.chat.refusals = [ChatClosed(code="invalid_auth")] * 50
    turn = await rig.answered("Why?")
    assert turn.shown
    assert rig.chat.now == ["Because."]


async def test_an_end_that_cannot_be_made_does_not_hold_up_the_thread(rig: Rig) -> None:
    rig.chat.gate.clear()
    rig.chat.refusals = [LookupError("a fault of the adapter's")]
    await rig.answered("Why?")
    await rig.answered("And now?")
    assert rig.chat.now == ["Because."]


async def test_where_nothing_may_be_written_nothing_more_is_asked(rig: Rig) -> None:
    for_ever = asyncio.Event()
    rig.upstream.answers = [["Be", for_ever]]
    rig.chat.refusals = [ChatForbidden()] * 2
    turn = await rig.answered("Why?")
    assert turn.status is Status.STOPPED
    assert rig.upstream.streaming == 0
    assert rig.chat.now == []


async def test_that_nothing_may_be_written_is_told_once_in_each_channel(rig: Rig) -> None:
    for number in range(3):
        rig.chat.refusals = [ChatForbidden()] * 2
        await rig.answered(f"Why {number}?")
    assert [turn.question.text for turn in rig.chat.appeals] == ["Why 0?"]


async def test_a_silent_upstream_does_not_keep_a_deleted_answer_alive(rig: Rig) -> None:
    for_ever = asyncio.Event()
    rig.upstream.answers = [["Be", for_ever]]
    rig.chat.gate.clear()
    accepted = await rig.ask("Why?")
    while not rig.upstream.streaming:
        await asyncio.sleep(0.001)
    rig.chat.refusals = [ThreadGone()] * 2
    rig.chat.gate.set()
    await rig.over()
    assert (await rig.turn(accepted)).status is Status.STOPPED


async def test_what_was_posted_last_is_known_to_the_next_process(rig: Rig, memory: Database) -> None:
    """Stopped in the middle of the final show, when the message is out and its number not yet kept."""
    posting, posted = asyncio.Event(), asyncio.Event()
    show = rig.chat.show

    async def slow(turn: Turn) -> Any:
        reply = await show(turn)
        posting.set()
        await posted.wait()
        return reply

    rig.chat.gate.clear()
    rig.chat.show = lambda turn: to_its_end(slow(turn))
    await rig.ask("Why?")
    await posting.wait()
    stopping = asyncio.create_task(rig.engine.stop(grace=0))
    await asyncio.sleep(0.01)
    posted.set()
    await stopping
    rig.chat.show = show
    again = Rig(rig.chat, rig.upstream, memory)
    await again.engine.start(["chat"])
    await again.over()
    assert rig.chat.now == ["Because."]


async def test_a_conversation_that_grew_too_large_is_rebuilt_with_less(rig: Rig) -> None:
    await rig.answered("My name is Ada.")
    rig.upstream.answers = [[ConversationTooLarge(status=413)], ["Ada."]]
    assert (await rig.answered("Who am I?")).answer == "Ada."


async def test_a_name_that_may_not_be_told_any_more_is_not(chat: Any, upstream: Any, memory: Database) -> None:
    """Neither of what is retold, nor of what waited meanwhile."""
    told: dict[str, Any] = {"asker_name": "Zoë", "quotes": (Quote(Source.REPLY, "E42", "Zacharias"),)}
    async with opened(chat, upstream, memory) as rig:
        await rig.ask("Why?", **told)
        await rig.over()
        await rig.set_preset(Preset(model="o3"))
    [prompt] = upstream.prompts
    assert "Zoë" in prompt.question
    assert "Zacharias" in prompt.question
    waiting = Question(QuestionKey("waiting"), thread(), "ada", "And now?", **told)
    await Ledger(memory).accept(waiting, NOTHING_SHOWN)
    async with opened(chat, upstream, memory, tells_names=False) as rig:
        await rig.over()
    _, prompt = upstream.prompts
    assert prompt.question.count("E42") == 2
    assert "Zoë" not in prompt.question
    assert "Zacharias" not in prompt.question


async def test_a_database_that_is_away_when_the_thread_is_retold_fails_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.answered("My name is Ada.")
    await rig.set_preset(Preset(model="o3"))
    transcript, away = rig.ledger.transcript, [StorageUnavailable()]

    async def sometimes(*what: Any) -> Any:
        if away:
            raise away.pop()
        return await transcript(*what)

    monkeypatch.setattr(rig.ledger, "transcript", sometimes)
    assert (await rig.answered("Who am I?")).status is Status.ANSWERED
    assert not away


async def test_an_edit_taken_back_is_no_offer_any_more(rig: Rig) -> None:
    accepted = await rig.ask("Why?")
    await rig.over()
    await edit(rig, accepted, "Whi?")
    await edit(rig, accepted, "Why?")
    assert not rig.chat.turns[-1].offers_again


async def test_an_offer_costs_no_memory(rig: Rig) -> None:
    accepted = await rig.ask("Why?")
    await rig.over()
    await edit(rig, accepted, "Whi?")
    await rig.answered("And now?")
    assert rig.upstream.prompts[-1].conversation == "c-1"


async def test_text_that_no_database_takes_is_mended(rig: Rig) -> None:
    accepted = await rig.ask("W\0hy?")
    assert "\0" not in accepted.turn.question.text


async def test_a_database_that_is_away_for_a_while_costs_nothing(
    rig: Rig, memory: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest, run, away = asyncio.Event(), memory.run, [StorageUnavailable()] * 2

    async def sometimes(work: Any, **how: Any) -> Any:
        if rest.is_set() and away:
            raise away.pop()
        return await run(work, **how)

    rig.upstream.answers = [["Be", rest, "cause."]]
    accepted = await rig.ask("Why?")
    await asyncio.wait_for(rig.chat.until("Be"), 5)
    monkeypatch.setattr(memory, "run", sometimes)
    rest.set()
    await rig.over()
    assert (await rig.turn(accepted)).shown
    assert rig.chat.now == ["Because."]
    assert not away


@pytest.mark.parametrize("pieces", [["word "] * 1_000, ["word " * 1_000, asyncio.Event()], ["w" * 1_000]])
async def test_an_answer_that_does_not_end_is_hung_up_on(rig: Rig, pieces: list[Any]) -> None:
    rig.worker._longest_answer = 99
    rig.upstream.answers = [pieces, ["So."]]
    turn = await rig.answered("Why?")
    assert (turn.status, turn.shown) == (Status.ANSWERED, True)
    assert turn.answer == ("word " * 19).strip() or turn.answer == "w" * 99
    assert turn.aside == TOO_LONG.format(n=99)
    assert all(len(shown) <= 99 for message in rig.chat.messages for shown in message)
    assert rig.upstream.streaming == 0
    # Nobody knows what the service remembers of it.
    await rig.answered("And?")
    assert rig.upstream.prompts[-1].conversation is None
    assert turn.answer[:50] in rig.upstream.prompts[-1].question


async def test_what_broke_off_goes_on_below_and_the_service_is_told_where(rig: Rig) -> None:
    rig.worker._longest_answer = 99
    rig.upstream.answers = [["word "] * 1_000, ["And so on."], ["Again."]]
    turn = await rig.answered("Why?")
    assert turn.may_go_on
    assert (turn.answered_as, turn.seconds > 0) == ("default", True)

    async def no() -> bool:
        return False

    for is_new in (True, False):
        went_on = await rig.relay.aftermath.go_on(turn, turn.attempt, "ada", name="", reply=NOTHING_SHOWN, manages=no)
        assert went_on is is_new
    await rig.over()
    assert rig.chat.now == [turn.answer, "And so on."]
    prompt = rig.upstream.prompts[-1]
    assert prompt.conversation is None
    assert prompt.question.endswith(f"> {turn.answer[-99:]}")
    await rig.relay.again(turn.question.key, of_attempt=turn.attempt, by="ada")
    await rig.over()
    redone = await rig.ledger.turn(turn.question.key)
    assert redone
    assert (redone.answer, redone.may_go_on) == ("Again.", False)


async def test_an_answer_that_just_has_room_is_whole(rig: Rig) -> None:
    rig.worker._longest_answer = 100
    rig.upstream.answers = [["word "] * 20]
    turn = await rig.answered("Why?")
    assert (turn.answer, turn.aside) == ("word " * 20, "")


async def test_what_came_so_far_stays_when_somebody_mutes_the_bot_and_what_waits_is_not_begun(rig: Rig) -> None:
    rig.upstream.answers = [["One two.", asyncio.Event()]]
    running = await rig.ask("Count!")
    await rig.chat.until("One two.")
    waiting = await rig.ask("And backwards?")
    told = await rig.relay.obey(Command(Verb.MUTE), thread(), "ben")
    await rig.over()
    assert told.is_done
    assert (await rig.turn(running)).status is Status.STOPPED
    assert (await rig.turn(running)).answer == "One two."
    assert ((await rig.turn(waiting)).status, (await rig.turn(waiting)).model) == (Status.STOPPED, "")
    assert len(rig.upstream.prompts) == 1
    assert rig.chat.now == ["One two."]


async def test_a_stopped_answer_is_known_to_the_next_question_and_can_be_tried_again(rig: Rig) -> None:
    rig.upstream.answers = [["One two.", asyncio.Event()]]
    await rig.ask("Count!")
    await rig.chat.until("One two.")
    await rig.relay.obey(Command(Verb.MUTE), thread(), "ada")
    await rig.over()
    await rig.answered("Go on")
    assert "One two." in rig.upstream.prompts[-1].question
    told = await rig.relay.obey(Command(Verb.RETRY), thread(), "ada")
    await rig.over()
    assert told.is_done
    assert len(rig.upstream.prompts) == 3


async def test_an_answer_of_another_process_is_stopped_as_well(chat: Any, upstream: Any, memory: Database) -> None:
    """It learns of it when it asks whether the turn is still its own."""
    async with opened(chat, upstream, memory, times=replace(TIMES, lease=0.05)) as rig:
        more = asyncio.Event()
        rig.upstream.answers = [["One two.", more, " Three.", asyncio.Event()]]
        running = await rig.ask("Count!")
        await rig.chat.until("One two.")
        await rig.with_wishes(stop=lambda _: None).obey(Command(Verb.MUTE), thread(), "ben")
        await asyncio.sleep(0.06)  # it has asked not so long ago
        more.set()
        await rig.over()
        assert (await rig.turn(running)).status is Status.STOPPED
        assert (await rig.turn(running)).answer == "One two. Three."


async def test_a_question_in_another_thread_is_none_of_a_mutes_business(rig: Rig) -> None:
    more = asyncio.Event()
    rig.upstream.answers = [["One two.", more, " Three."]]
    running = await rig.ask("Count!")
    await rig.chat.until("One two.")
    await rig.relay.obey(Command(Verb.MUTE), thread("2"), "ada")
    more.set()
    await rig.over()
    assert (await rig.turn(running)).status is Status.ANSWERED


async def test_who_asked_stops_it_and_what_waits_is_answered_next(rig: Rig) -> None:
    rig.upstream.answers = [["One two.", asyncio.Event()], ["Three."]]
    running = await rig.ask("Count!")
    await rig.chat.until("One two.")
    waiting = await rig.ask("And now?")
    assert (running.turn.waited, waiting.turn.waited) == (False, True)
    told = await rig.relay.stopping.stop(running.turn.question.key, by="ada", of_attempt=1)
    await rig.over()
    assert told == Told("", is_done=True)
    turn = await rig.turn(running)
    assert (turn.status, turn.answer, turn.stopped_by) == (Status.STOPPED, "One two.", "ada")
    assert (await rig.turn(waiting)).answer == "Three."
    assert rig.upstream.streaming == 0


async def test_a_stop_is_for_who_asked_and_for_who_manages_the_channel(rig: Rig) -> None:
    async def manages() -> bool:
        return True

    rig.upstream.answers = [["One two.", asyncio.Event()]]
    key = (await rig.ask("Count!")).turn.question.key
    await rig.chat.until("One two.")
    with pytest.raises(NotAllowed):
        await rig.relay.stopping.stop(key, by="ben")
    assert (await rig.relay.stopping.stop(key, by="ben", manages=manages)).is_done
    await rig.over()
    assert "come to its end" in (await rig.relay.stopping.stop(key, by="ben")).sentence
    assert "can't find" in (await rig.relay.stopping.stop(QuestionKey("unknown"), by="ben")).sentence


async def test_what_waits_is_answered_instead_of_what_its_asker_asked_before(rig: Rig) -> None:
    rig.upstream.answers = [["One two.", asyncio.Event()], ["Four."]]
    running = await rig.ask("Count!")
    await rig.chat.until("One two.")
    between, wanted = await rig.ask("And then?"), await rig.ask("Rather this!")
    with pytest.raises(NotAllowed):
        await rig.relay.stopping.instead(wanted.turn.question.key, by="ben")
    assert (await rig.relay.stopping.instead(wanted.turn.question.key, by="ada")).is_done
    await rig.over()
    ends = [await rig.turn(one) for one in (running, between, wanted)]
    assert [turn.status for turn in ends] == [Status.STOPPED, Status.STOPPED, Status.ANSWERED]
    assert not (await rig.relay.stopping.instead(wanted.turn.question.key, by="ada")).is_done


async def test_a_stop_that_is_heard_while_a_turn_is_taken_is_not_lost(rig: Rig) -> None:
    take = rig.ledger.take

    async def stopped_just_then(thread: ThreadId) -> Any:
        taken = await take(thread)
        if taken and not taken.is_stopping:
            await rig.relay.stopping.stop(taken.turn.question.key, by="ada")
        return taken

    rig.ledger.take = stopped_just_then  # type: ignore[method-assign]
    rig.upstream.answers = [["One two.", asyncio.Event()]]
    turn = await rig.answered("Count!")
    assert (turn.status, turn.answer) == (Status.STOPPED, "")
    assert not rig.upstream.prompts


async def test_the_words_stop_what_their_speaker_asked_and_are_answered_only_if_there_is_nothing(rig: Rig) -> None:
    async def said(number: int, by: str, text: str) -> Accepted:
        return await rig.relay.hear(Question(QuestionKey(f"said-{number}"), thread(), by, text))

    rig.upstream.answers = [["One two.", asyncio.Event()]]
    await rig.ask("Count!")
    await rig.chat.until("One two.")
    refused = await said(1, "ben", "stop")
    assert (refused.turn.shown, refused.whisper) == (True, refused.turn.answer)
    assert not (await said(1, "ben", "stop")).is_new
    assert (await said(2, "ada", "Halt!")).turn.shown
    await rig.over()
    assert not (await said(3, "ada", "stop")).turn.shown
    await rig.over()
    assert rig.chat.now == ["One two.", NOTHING_TO_STOP]
