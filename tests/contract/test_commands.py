"""What people command is obeyed once, by whichever process hears of it, on every kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.backoff import Backoff
from core.commands import HELP, Command, Verb, parse
from core.errors import ModelUntried, NotAllowed, StorageUnavailable, UnknownModel
from core.obeying import Told
from core.preset import Preset
from core.relay import TWICE, Relay
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Status, Turn, TurnId

THREAD = Thread(ThreadId("chat:work/room/1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))
PRESETS = {"default": Preset(model="m"), "terse": Preset(instructions="Be brief.")}


def said(key: str, words: str, by: str = "ada") -> Question:
    return Question(QuestionKey(key), THREAD, by, words)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


class Process:
    """One of those that listen; it remembers nothing of what another has heard."""

    def __init__(self, database: Database) -> None:
        self.ledger = Ledger(database)
        self.woken: list[ThreadId] = []
        self.interrupted: list[TurnId] = []
        self.relay = Relay(
            self.ledger,
            self.woken.append,
            PRESETS,
            interrupt=self.interrupted.append,
            longest_question=100,
            backoff=Backoff(0.001, 0.01),
        )

    async def answer(self, conversation: str = "c") -> Turn:
        """The oldest open turn, shown to its end."""
        taken = await self.ledger.take(THREAD.id)
        assert taken
        turn = taken.turn if taken.turn.is_over else taken.turn.start("m").finish("Because.")
        kept = Conversation(ConversationId(conversation), "m") if turn.model else None
        await self.ledger.conclude(turn, kept, epoch=taken.epoch)
        await self.ledger.settle(turn.settle())
        return turn

    async def model(self) -> str:
        return (await self.relay.choice(THREAD)).model

    async def is_remembered(self) -> bool:
        """Would the thread's next turn know what was said before?"""
        await self.relay.ask(said("probe", "Eh?"))
        taken = await self.ledger.take(THREAD.id)
        assert taken
        return taken.conversation is not None


Start = Callable[[], Process]
Manages = Callable[[], Awaitable[bool]]


@pytest.fixture
def start(database: Database) -> Start:
    return lambda: Process(database)


async def test_words_that_are_no_command_are_asked(start: Start) -> None:
    process = start()
    accepted = await process.relay.hear(said("1", "reset my password?"))
    assert accepted.turn.status is Status.QUEUED
    assert process.woken == [THREAD.id]


async def test_a_command_is_told_in_its_thread_like_an_answer(start: Start) -> None:
    process = start()
    accepted = await process.relay.hear(said("1", "help"))
    assert (accepted.turn.status, accepted.turn.answer) == (Status.ANSWERED, HELP)
    assert process.woken == [THREAD.id]
    assert (await process.answer()).answer == HELP


async def test_a_reset_that_comes_again_does_not_forget_what_was_said_since(start: Start) -> None:
    first = start()
    await first.relay.hear(said("1", "reset"))
    await first.answer()
    await first.relay.hear(said("2", "My favourite colour is teal."))
    await first.answer()
    second = start()
    again = await second.relay.hear(said("1", "reset"))
    assert not again.is_new
    assert not second.woken
    assert await second.is_remembered()


async def test_a_reset_that_several_hear_at_once_forgets_once(start: Start) -> None:
    first = start()
    await first.relay.hear(said("1", "Why?"))
    await first.answer()
    processes = [start() for _ in range(5)]
    heard = await asyncio.gather(*(process.relay.hear(said("2", "reset")) for process in processes))
    assert sum(accepted.is_new for accepted in heard) == 1
    assert sum(len(process.woken) for process in processes) == 1
    await first.answer()
    assert not await first.is_remembered()


async def test_a_retry_that_comes_again_asks_nothing(start: Start) -> None:
    first = start()
    asked = await first.relay.hear(said("1", "Why?"))
    await first.answer()
    heard = await first.relay.hear(said("2", "retry"))
    assert "Trying again" in heard.turn.answer
    assert first.interrupted == [asked.turn.id]
    for _ in range(2):  # the question anew, and what was told
        await first.answer()
    second = start()
    await second.relay.hear(said("2", "retry"))
    assert await second.ledger.take(THREAD.id) is None
    assert not second.interrupted


async def test_a_retry_leaves_what_is_being_answered_to_that_and_says_so(start: Start) -> None:
    process = start()
    await process.relay.hear(said("1", "Why?"))
    await process.ledger.take(THREAD.id)
    heard = await process.relay.hear(said("2", "retry"))
    assert "hadn't ended yet" in heard.turn.answer
    assert not process.interrupted
    assert (await process.answer()).attempt == 2, "as taken over by another process"


async def test_a_retry_right_after_a_stop_has_it_answered_again(start: Start) -> None:
    process = start()
    asked = await process.relay.hear(said("1", "Why?"))
    await process.ledger.take(THREAD.id)
    await process.relay.hear(said("2", "stop"))
    heard = await process.relay.hear(said("3", "retry"))
    assert "Trying again" in heard.turn.answer
    assert process.interrupted == [asked.turn.id]
    taken = await process.ledger.take(THREAD.id)
    assert taken
    assert (taken.turn.id, taken.turn.status, taken.is_stopping) == (asked.turn.id, Status.QUEUED, False)


async def test_what_somebody_may_not_change_is_told_once_and_stays(start: Start) -> None:
    async def refuse() -> None:
        raise NotAllowed("Not you.")

    process = start()
    heard = [
        await process.relay.hear(said("1", "preset set model x"), may_change=refuse),
        await process.relay.hear(said("1", "preset set model x")),
    ]
    assert [accepted.turn.answer for accepted in heard] == ["Not you.", "Not you."]
    told = await process.relay.obey(Command(Verb.CLEAR_PRESET), THREAD, "ada", may_change=refuse)
    assert told == Told("Not you.")
    assert await process.model() == "m"


@pytest.mark.parametrize("words", ["why?", "help", "preset show", "retry", "reset"])
async def test_only_who_wants_to_change_a_preset_is_looked_at(start: Start, words: str) -> None:
    async def refuse() -> None:
        raise NotAllowed

    heard = await start().relay.hear(said("1", words), may_change=refuse)
    assert heard.turn.answer != NotAllowed().sentence


@pytest.fixture
async def shared(start: Start) -> Process:
    """Ada began the thread, and Ben asked last."""
    process = start()
    for key, by in (("1", "ada"), ("2", "ben")):
        await process.relay.hear(said(key, "Why?", by))
        await process.answer()
    process.woken.clear()
    return process


ALLOWED = [
    ("retry", "ben", no),  # his question
    ("retry", "ada", no),  # her thread
    ("retry", "cem", yes),
    ("reset", "ada", no),
    ("reset", "cem", yes),
]
REFUSED = [
    ("retry", "cem", no),
    ("reset", "ben", no),  # a part of it was Ada's
    ("reset", "cem", no),
]


async def gave(process: Process, given: tuple[str, str, Manages], means: str) -> str:
    """What is told of a command, given in words or by other means."""
    words, by, manages = given
    if means == "other":
        return (await process.relay.obey(Command(Verb(words)), THREAD, by, manages=manages)).sentence
    told = (await process.relay.hear(said("3", words, by), manages=manages)).turn.answer
    again = (await process.relay.hear(said("3", words, by), manages=yes)).turn.answer
    assert again == told, "delivered again, it is neither told nor done anew"
    return told


async def is_done(process: Process, words: str) -> bool:
    turn = await process.ledger.turn(QuestionKey("2"))
    assert turn
    if words == "retry":
        return turn.status is Status.QUEUED
    while taken := await process.ledger.take(THREAD.id):
        await process.ledger.settle(taken.turn.settle())
    return not await process.is_remembered()


@pytest.mark.parametrize("means", ["words", "other"])
@pytest.mark.parametrize("given", ALLOWED, ids=lambda given: "-".join(given[:2]))
async def test_a_shared_thread_is_its_beginners_and_its_askers_and_who_manages_the_channel(
    shared: Process, given: tuple[str, str, Manages], means: str
) -> None:
    assert "someone who manages this channel" not in await gave(shared, given, means)
    assert await is_done(shared, given[0])


@pytest.mark.parametrize("means", ["words", "other"])
@pytest.mark.parametrize("given", REFUSED, ids=lambda given: "-".join(given[:2]))
async def test_a_shared_thread_is_nobody_elses(shared: Process, given: tuple[str, str, Manages], means: str) -> None:
    assert "someone who manages this channel" in await gave(shared, given, means)
    assert not await is_done(shared, given[0])


async def test_what_was_forgotten_is_nobodys(shared: Process) -> None:
    await shared.relay.hear(said("3", "reset", "ada"))
    await shared.answer()
    await shared.relay.hear(said("4", "Why?", "ben"))
    await shared.answer()
    assert "forgotten" in (await shared.relay.obey(Command(Verb.RESET), THREAD, "ben", manages=no)).sentence


async def test_whoever_it_is_may_command_where_nobody_has_asked(start: Start) -> None:
    relay = start().relay
    assert "nothing to retry" in (await relay.obey(Command(Verb.RETRY), THREAD, "cem", manages=no)).sentence
    assert (await relay.obey(Command(Verb.RESET), THREAD, "cem", manages=no)).is_done


@pytest.mark.parametrize("words", ["why?", "help", "preset show", "preset set model x", "retry", "reset"])
async def test_who_manages_is_asked_only_when_that_decides(shared: Process, words: str) -> None:
    async def fail() -> bool:
        raise AssertionError

    await shared.relay.hear(said("3", words, "ada"), manages=fail)


async def test_a_command_is_tried_for_as_long_as_there_is_patience(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, tries = start(), iter(range(10))
    obey = process.ledger.obey

    async def away(*given: object) -> object:
        if next(tries) < 2:
            raise StorageUnavailable
        return await obey(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(process.ledger, "obey", away)
    with pytest.raises(StorageUnavailable):
        await process.relay.hear(said("1", "preset set model x"))
    assert await process.model() == "m"
    await process.relay.hear(said("1", "preset set model x"), patience=60)
    assert await process.model() == "x"


async def test_what_is_commanded_by_other_means_is_done_once_for_each_occasion(start: Start) -> None:
    first, second = start(), start()

    async def choose(process: Process, model: str, occasion: str) -> str:
        wish = Command(Verb.SET_PRESET, Preset(model=model))
        return (await process.relay.obey(wish, THREAD, "ada", occasion=occasion)).sentence

    assert "`one`" in await choose(first, "one", "chat/1")
    assert "`two`" in await choose(first, "two", "chat/2")
    assert await choose(second, "one", "chat/1") == TWICE
    assert await second.model() == "two"
    assert not first.woken, "nothing is to be shown in the thread"
    assert await first.ledger.active_threads("chat", datetime.now(UTC) - timedelta(hours=1), 10) == []


async def test_what_changes_nothing_may_come_twice(start: Start) -> None:
    process = start()
    for verb in (Verb.HELP, Verb.SHOW_PRESET):
        told = [await process.relay.obey(Command(verb), THREAD, "ada", occasion="chat/1") for _ in range(2)]
        assert told[0] == told[1]


async def test_a_retry_by_other_means_wakes_its_thread(start: Start) -> None:
    process = start()
    asked = await process.relay.hear(said("1", "Why?"))
    await process.answer()
    told = await process.relay.obey(Command(Verb.RETRY), THREAD, "ada", occasion="chat/1")
    assert told.is_done
    assert process.woken == [THREAD.id, THREAD.id]
    assert process.interrupted == [asked.turn.id]


async def test_a_question_that_becomes_a_command_is_neither_answered_nor_obeyed(start: Start) -> None:
    process = start()
    await process.relay.hear(said("1", "Why?"))
    await process.answer()
    await process.relay.revise(said("1", "preset set model x"))
    turn = await process.ledger.turn(QuestionKey("1"))
    assert turn
    assert (turn.revised, turn.shown) == ("", True)
    assert await process.model() == "m"


@pytest.mark.parametrize("on_delete", ["withdraw", "keep"])
async def test_what_was_deleted_before_it_was_heard_is_neither_answered_nor_obeyed(
    start: Start, on_delete: str
) -> None:
    first, second = start(), start()
    deleting = Relay(first.ledger, first.woken.append, PRESETS, longest_question=100, on_delete=on_delete)  # type: ignore[arg-type]
    await deleting.withdraw(QuestionKey("1"))
    await deleting.withdraw(QuestionKey("2"))
    heard = [
        await second.relay.hear(said("1", "preset set model x")),
        await second.relay.hear(said("2", "Why?")),
    ]
    assert not any(accepted.is_new for accepted in heard)
    assert not second.woken
    assert await second.model() == "m"
    assert not await second.relay.again(QuestionKey("2"))


async def test_where_words_are_no_commands_an_edit_to_them_is_offered(start: Start) -> None:
    process = start()
    await process.relay.ask(said("1", "Why?"))
    await process.answer()
    await process.relay.revise(said("1", "help"), words_command=False)
    turn = await process.ledger.turn(QuestionKey("1"))
    assert turn
    assert (turn.revised, turn.offers_again) == ("help", True)


@pytest.mark.parametrize("word", ["stop", "mute", "unmute", "leave"])
async def test_an_edit_to_what_is_obeyed_by_word_everywhere_asks_nothing(start: Start, word: str) -> None:
    process = start()
    await process.relay.ask(said("1", "Why?"))
    await process.answer()
    await process.relay.revise(said("1", word), words_command=False)
    turn = await process.ledger.turn(QuestionKey("1"))
    assert turn
    assert (turn.revised, turn.offers_again) == ("", False)


def edited(key: str, words: str, edition: int) -> Question:
    return replace(said(key, words), edition=edition)


@pytest.mark.parametrize("on_edit", ["redo", "offer"])
async def test_edits_that_come_in_any_order_to_several_processes_end_in_the_newest(start: Start, on_edit: str) -> None:
    processes = start(), start()
    relays = [
        Relay(one.ledger, one.woken.append, PRESETS, longest_question=100, on_edit=on_edit)  # type: ignore[arg-type]
        for one in processes
    ]
    await relays[0].hear(said("1", "Why?"))
    await processes[0].answer()
    for number, edition in enumerate((3, 1, 2, 3)):
        await relays[number % 2].revise(edited("1", f"Why {edition}?", edition))
    turn = await processes[1].ledger.turn(QuestionKey("1"))
    assert turn
    assert (turn.revised or turn.question.text) == "Why 3?"


async def test_an_edit_back_to_what_was_asked_is_the_newest_as_well(start: Start) -> None:
    first, second = start(), start()
    await first.relay.hear(said("1", "Why?"))  # not answered yet
    await first.relay.revise(edited("1", "Why?", 2))
    await second.relay.revise(edited("1", "Who?", 1))
    turn = await first.ledger.turn(QuestionKey("1"))
    assert turn
    assert turn.question.text == "Why?"


async def test_an_edit_to_a_command_is_the_newest_as_well(start: Start) -> None:
    first, second = start(), start()
    await first.relay.hear(said("1", "Why?"))
    await first.answer()
    await first.relay.revise(edited("1", "reset", 2))
    await second.relay.revise(edited("1", "Who?", 1))
    turn = await first.ledger.turn(QuestionKey("1"))
    assert turn
    assert not turn.revised


async def test_an_edit_heard_before_its_message_is_asked_once(start: Start) -> None:
    first, second = start(), start()
    assert (await first.relay.hear(edited("1", "Who?", 2))).is_new
    late = await second.relay.hear(said("1", "Why?"))
    await second.relay.revise(edited("1", "How?", 1))
    assert (late.is_new, late.turn.question.text) == (False, "Who?")
    turn = await first.ledger.turn(QuestionKey("1"))
    assert turn
    assert (turn.question.text, turn.question.edition) == ("Who?", 2)


async def test_a_message_that_two_processes_are_brought_at_once_is_one_question(start: Start) -> None:
    processes = [start() for _ in range(4)]
    heard = await asyncio.gather(*(one.relay.hear(said("1", "Why?")) for one in processes))
    assert [accepted.is_new for accepted in heard].count(True) == 1


# A thread's own model


async def model_in(process: Process, thread: Thread) -> str:
    return (await process.relay.choice(thread)).model


OTHER = Thread(ThreadId("chat:work/room/2"), "chat", THREAD.within)


@pytest.mark.parametrize("means", ["words", "other"])
async def test_a_thread_is_switched_alone_and_back(start: Start, means: str) -> None:
    process = start()

    async def give(key: str, words: str) -> str:
        if means == "words":
            return (await process.relay.hear(said(key, words))).turn.answer
        command = parse(words)
        assert command
        return (await process.relay.obey(command, THREAD, "ada", occasion=key)).sentence

    await process.relay.hear(said("0", "preset set instructions Be brief."))
    assert "`gpt-4o` answers (set in this thread)" in await give("1", "model GPT-4o")
    assert (await model_in(process, THREAD), await model_in(process, OTHER)) == ("gpt-4o", "m")
    assert "`gpt-4o` answers (set in this thread)" in await give("2", "model")
    assert "`m` answers (default)" in await give("3", "model reset")
    assert await model_in(process, THREAD) == "m"
    assert (await process.relay.choice(THREAD)).instructions == "Be brief."
    again = await give("1", "model GPT-4o")
    assert again == TWICE or "`gpt-4o`" in again
    assert await model_in(process, THREAD) == "m"


async def test_in_place_of_a_channel_only_its_model_is_left_open(start: Start) -> None:
    process, channel = start(), Thread(ThreadId(THREAD.channel), "chat", THREAD.within)
    for wish in (Preset(name="terse"), Preset(model="o3")):
        await process.relay.obey(Command(Verb.SET_PRESET, wish), channel, "ada")
    assert await model_in(process, THREAD) == "o3"
    await process.relay.obey(Command(Verb.CLEAR_MODEL), channel, "ada")
    choice = await process.relay.choice(THREAD)
    assert (choice.model, choice.instructions) == ("m", "Be brief.")


@pytest.mark.parametrize(("by", "is_done"), [("ada", True), ("ben", False)])
async def test_who_began_a_thread_may_switch_it_and_others_as_for_presets(
    shared: Process, by: str, *, is_done: bool
) -> None:
    async def refuse() -> None:
        raise NotAllowed("Not you.")

    heard = await shared.relay.hear(said("3", "model gpt-4o", by), may_change=refuse)
    assert (heard.turn.answer == "Not you.") is not is_done
    channel = Thread(ThreadId(THREAD.channel), "chat", THREAD.within)
    told = await shared.relay.obey(Command(Verb.CLEAR_MODEL), channel, by, may_change=refuse)
    assert told == Told("Not you.")


async def test_a_thread_that_nobody_began_yet_is_whoevers(start: Start) -> None:
    async def refuse() -> None:
        raise NotAllowed

    assert "`gpt-4o`" in (await start().relay.hear(said("1", "model gpt-4o"), may_change=refuse)).turn.answer


class Trials:
    """Says what it is told to, and counts."""

    def __init__(self, database: Database) -> None:
        self.refused: BaseException | None = None
        self.asked: list[str] = []
        self.process = Process(database)
        self.process.relay = Relay(
            self.process.ledger,
            self.process.woken.append,
            PRESETS,
            longest_question=100,
            trial=self,  # type: ignore[arg-type]
        )

    async def check(self, name: str, **_: object) -> None:
        self.asked.append(name)
        await asyncio.sleep(0)
        if self.refused:
            raise self.refused


@pytest.fixture
def trials(database: Database) -> Trials:
    return Trials(database)


async def test_what_is_known_is_set_without_asking_and_what_isnt_is_tried_once(trials: Trials) -> None:
    relay = trials.process.relay
    await relay.hear(said("1", "model gpt-4o"))
    assert not trials.asked
    for _ in range(3):
        await relay.hear(said("2", "model new-1"))
    assert trials.asked == ["new-1"]
    assert await trials.process.model() == "new-1"


@pytest.mark.parametrize("words", ["model new-1", "preset set model new-1"])
async def test_a_model_that_is_refused_is_told_and_not_set(trials: Trials, words: str) -> None:
    trials.refused = UnknownModel("new-1", ["o1"])
    heard = await trials.process.relay.hear(said("1", words))
    assert heard.turn.answer == "The AI service has no model `new-1`, or doesn't let me use it. Did you mean `o1`?"
    trials.refused = None
    await trials.process.relay.hear(said("1", words))
    assert await trials.process.model() == "m", "handed in again, it was told before"


async def test_a_process_that_dies_while_it_tries_has_neither_set_nor_recorded_anything(
    trials: Trials, start: Start
) -> None:
    trials.refused = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await trials.process.relay.hear(said("1", "model new-1"))
    assert await trials.process.ledger.turn(QuestionKey("1")) is None
    trials.refused = None
    heard = await trials.process.relay.hear(said("1", "model new-1"))
    assert heard.is_new
    assert await start().model() == "new-1"


async def test_two_processes_that_try_at_once_obey_once_and_tell_what_was_done(
    trials: Trials, database: Database
) -> None:
    other = Trials(database)
    other.refused = UnknownModel("new-1", [])
    heard = await asyncio.gather(
        trials.process.relay.hear(said("1", "model new-1")), other.process.relay.hear(said("1", "model new-1"))
    )
    assert [one.is_new for one in heard].count(True) == 1
    turn = await trials.process.ledger.turn(QuestionKey("1"))
    assert turn
    assert turn.answer.startswith("Done.") is (await trials.process.model() == "new-1")


async def test_an_occasion_whose_model_is_refused_can_come_again(trials: Trials) -> None:
    relay, command = trials.process.relay, Command(Verb.SET_MODEL, Preset(model="new-1"))
    trials.refused = ModelUntried("new-1")
    assert not (await relay.obey(command, THREAD, "ada", occasion="chat/1")).is_done
    trials.refused = None
    assert (await relay.obey(command, THREAD, "ada", occasion="chat/1")).is_done
    assert await relay.obey(command, THREAD, "ada", occasion="chat/1") == Told(TWICE)


async def test_who_may_not_change_it_has_nothing_tried(trials: Trials) -> None:
    async def refuse() -> None:
        raise NotAllowed

    await trials.process.relay.hear(said("1", "preset set model new-1"), may_change=refuse)
    assert not trials.asked


# Commands that mean somebody's own conversation, of the many in a place

PLACE = Thread(ThreadId("chat:work/room"), "chat", THREAD.within)


async def ask_in(process: Process, name: str, asker: str) -> Turn:
    thread = Thread(ThreadId(name), "chat", THREAD.within)
    accepted = await process.relay.ask(Question(QuestionKey(f"{name}#{asker}"), thread, asker, "Why?"))
    taken = await process.ledger.take(thread.id)
    assert taken
    turn = taken.turn.start("m").finish("Because.")
    await process.ledger.conclude(turn, Conversation(ConversationId("c"), "m"), epoch=taken.epoch)
    await process.ledger.settle(turn.settle())
    assert accepted.is_new
    return turn


async def own(process: Process, verb: Verb, by: str) -> Told:
    return await process.relay.obey(Command(verb), PLACE, by, own=True)


async def test_a_persons_own_last_question_of_a_place_is_answered_again(start: Start) -> None:
    process = start()
    first = await ask_in(process, "chat:work/room/1", "ada")
    last = await ask_in(process, "chat:work/room/2", "ada")
    await ask_in(process, "chat:work/room/2", "ben")
    for elsewhere in ("chat:work/room2/3", "chat:work/roo_/3", "chat:other/room/3"):
        await ask_in(process, elsewhere, "ada")
    process.woken.clear()
    assert (await own(process, Verb.RETRY, "ada")).is_done
    assert process.woken == [last.question.thread.id]
    again = await process.ledger.turn(last.question.key)
    untouched = await process.ledger.turn(first.question.key)
    assert again
    assert untouched
    assert (again.status, untouched.status) == (Status.QUEUED, Status.ANSWERED)


async def test_what_is_forgotten_is_not_answered_again_nor_is_what_came_before_it(start: Start) -> None:
    process = start()
    await ask_in(process, "chat:work/room/1", "ada")
    await ask_in(process, "chat:work/room/2", "ada")
    assert (await own(process, Verb.RESET, "ada")).is_done
    assert not (await own(process, Verb.RETRY, "ada")).is_done


async def test_who_has_asked_nothing_in_a_place_has_nothing_there(start: Start) -> None:
    process = start()
    await ask_in(process, "chat:work/room/1", "ada")
    assert not (await own(process, Verb.RETRY, "ben")).is_done
    assert not (await own(process, Verb.RESET, "ben")).is_done
    await process.relay.withdraw(QuestionKey("chat:work/room/1#ada"))
    assert not (await own(process, Verb.RESET, "ada")).is_done


async def test_what_others_go_on_with_is_not_forgotten_for_them(start: Start) -> None:
    process = start()
    await ask_in(process, "chat:work/room/1", "ada")
    bens = await ask_in(process, "chat:work/room/1", "ben")
    told = await own(process, Verb.RESET, "ben")
    assert not told.is_done
    assert "the person who started this thread" in told.sentence
    assert (await own(process, Verb.RETRY, "ben")).is_done
    again = await process.ledger.turn(bens.question.key)
    assert again
    assert again.status is Status.QUEUED
    assert (await own(process, Verb.RESET, "ada")).is_done


async def test_a_conversation_that_the_place_itself_was_is_a_persons_own_as_well(start: Start) -> None:
    """As in what earlier versions have recorded."""
    process = start()
    turn = await ask_in(process, "chat:work/room", "ada")
    process.woken.clear()
    assert (await own(process, Verb.RETRY, "ada")).is_done
    assert process.woken == [turn.question.thread.id]


# Turns known by a message of their answer


async def test_a_turn_is_found_by_what_the_chat_has_noted_within_a_range_of_keys(start: Start) -> None:
    process = start()
    for key, note in (("chat:10", '"7"'), ("chat:12", '"17"'), ("chat:13", '"1_"'), ("chat:20", '"17"')):
        await process.relay.ask(said(key, "Why?"), Reply(note))
    found = process.relay.turn_noting
    in_range = [(QuestionKey("chat:10"), QuestionKey("chat:15"))]
    turn = await found('"17"', in_range)
    assert turn
    assert turn.question.key == "chat:12"
    assert await found('"17"', [(QuestionKey("chat:13"), QuestionKey("chat:15"))]) is None
    assert await found('"_7"', in_range) is None
    newest = await found('"17"', [*in_range, (QuestionKey("chat:16"), QuestionKey("chat:20"))])
    assert newest
    assert newest.question.key == "chat:20"
