"""A private answer that its asker shares: once, in one transaction, for the thread to know."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from core.attachment import Attachment, Kind
from core.preset import Preset
from core.quote import Quote, Source
from core.relay import Relay
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.storage.tables import threads
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey, Reply, Status, Turn

ROOM = PlaceId("chat:work/room")
PICTURE = Attachment(Kind.IMAGE, "a.png", 3, "https://example.org/a.png")
PRIVATE = Question(
    QuestionKey("q"),
    Thread(ThreadId("chat:work/dm"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/dm"))),
    "ada",
    "Why?",
    (PICTURE,),
    asker_name="Ada",
    quotes=(Quote(Source.REPLY, "So it is.", "Ben", attachments=(PICTURE,)),),
    is_private=True,
    preset="terse",
)
HERE = Thread(ThreadId("chat:work/room/1"), "chat", (PlaceId("chat:work"), ROOM))


@pytest.fixture
def woken() -> list[ThreadId]:
    return []


@pytest.fixture
def relay(ledger: Ledger, woken: list[ThreadId]) -> Relay:
    presets = {"default": Preset(model="m", instructions=""), "terse": Preset(instructions="Be short.")}
    return Relay(ledger, woken.append, presets, longest_question=100)


async def answered(ledger: Ledger, asked: Question = PRIVATE, **how: Any) -> Turn:
    await ledger.accept(asked, NOTHING_SHOWN)
    taken = await ledger.take(asked.thread.id)
    assert taken
    turn = taken.turn.start("m").finish("Because.")
    conversation = Conversation(ConversationId("c"), "m")
    await ledger.conclude(replace(turn, **how), conversation, epoch=taken.epoch)
    await ledger.settle(replace(turn, **how).settle())
    return turn


async def test_it_is_another_turn_that_is_over_and_still_to_be_shown(
    relay: Relay, ledger: Ledger, woken: list[ThreadId]
) -> None:
    private = await answered(ledger)
    shared = await relay.share(PRIVATE.key, "ada", HERE, Reply("note"))
    assert shared
    assert shared.is_new
    asked = Question(
        QuestionKey("q/shared"),
        HERE,
        "ada",
        "Why?",
        asker_name="Ada",
        quotes=(Quote(Source.REPLY, "So it is.", "Ben"),),
        is_unseen=True,
        preset="terse",
    )
    assert await ledger.turn(asked.key) == shared.turn
    assert shared.turn.question == asked
    assert (shared.turn.answer, shared.turn.model, shared.turn.status) == ("Because.", "m", Status.ANSWERED)
    assert (shared.turn.reply, shared.turn.shown) == ("note", False)
    assert woken == [HERE.id]
    taken = await ledger.take(HERE.id)
    assert taken
    assert taken.turn.is_over
    assert await ledger.turn(PRIVATE.key) == replace(private, shown=True)


async def test_it_is_shared_once_by_whom_and_whereto_ever_it_is_clicked(relay: Relay, ledger: Ledger) -> None:
    await answered(ledger)
    elsewhere = [replace(HERE, id=ThreadId(f"chat:work/room/{number}")) for number in range(5)]
    shared = await asyncio.gather(*(relay.share(PRIVATE.key, "ada", thread) for thread in elsewhere))
    assert sum(bool(one and one.is_new) for one in shared) == 1
    assert len({one.turn.question.thread.id for one in shared if one}) == 1


async def test_a_click_too_many_leaves_no_thread(relay: Relay, ledger: Ledger, database: Database) -> None:
    await answered(ledger)
    await relay.share(PRIVATE.key, "ada", HERE)
    await relay.share(PRIVATE.key, "ada", replace(HERE, id=ThreadId("chat:work/room/2")))
    known = await database.run(lambda connection: list(connection.scalars(threads.select())))
    assert "chat:work/room/2" not in known


async def test_nobody_but_the_asker_can_share_it(relay: Relay, ledger: Ledger) -> None:
    await answered(ledger)
    assert await relay.share(PRIVATE.key, "ben", HERE) is None
    assert await relay.share(QuestionKey("another"), "ada", HERE) is None


async def test_only_a_whole_private_answer_can_be_shared(relay: Relay, ledger: Ledger) -> None:
    await ledger.accept(PRIVATE, NOTHING_SHOWN)
    assert await relay.share(PRIVATE.key, "ada", HERE) is None
    public = replace(PRIVATE, key=QuestionKey("public"), is_private=False, thread=HERE)
    await answered(ledger, public)
    assert await relay.share(public.key, "ada", HERE) is None


async def test_what_was_withdrawn_cant_be_shared(relay: Relay, ledger: Ledger) -> None:
    await answered(ledger)
    await relay.withdraw(PRIVATE.key)
    assert await relay.share(PRIVATE.key, "ada", HERE) is None


async def test_a_follow_up_in_the_thread_is_told_of_it(relay: Relay, ledger: Ledger) -> None:
    """The conversation that the thread had knows nothing of it."""
    before = Question(QuestionKey("before"), HERE, "ben", "And?")
    await answered(ledger, before)
    await answered(ledger)
    await relay.share(PRIVATE.key, "ada", HERE)
    shared = await ledger.take(HERE.id)
    assert shared
    await ledger.settle(shared.turn.settle())
    await ledger.accept(replace(before, key=QuestionKey("after")), NOTHING_SHOWN)
    taken = await ledger.take(HERE.id)
    assert taken
    assert taken.conversation is None
    retold = await ledger.transcript(HERE.id, taken.turn.id, 10)
    assert [turn.question.key for turn in retold] == ["before", "q/shared"]


async def test_a_turn_under_way_does_not_bring_back_a_conversation_without_it(relay: Relay, ledger: Ledger) -> None:
    asked = Question(QuestionKey("running"), HERE, "ben", "And?")
    await ledger.accept(asked, NOTHING_SHOWN)
    running = await ledger.take(HERE.id)
    assert running
    await answered(ledger)
    await relay.share(PRIVATE.key, "ada", HERE)
    turn = running.turn.start("m").finish("Well.")
    await ledger.conclude(turn, Conversation(ConversationId("c"), "m"), epoch=running.epoch)
    await ledger.settle(turn.settle())
    shared = await ledger.take(HERE.id)
    assert shared
    await ledger.settle(shared.turn.settle())
    await ledger.accept(replace(asked, key=QuestionKey("after")), NOTHING_SHOWN)
    after = await ledger.take(HERE.id)
    assert after
    assert after.conversation is None
