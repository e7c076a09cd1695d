"""What the ledger promises, on every kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from core.attachment import Attachment, Kind
from core.errors import Overtaken, SetupError, StorageUnavailable
from core.obeying import Told
from core.preset import Preset
from core.quota import Quota
from core.quote import Quote, Source
from core.storage.database import Database, open_database
from core.storage.deeds import Deeds, newest_asked
from core.storage.ledger import Ledger
from core.storage.queue import Taken
from core.storage.tables import notes, turns
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, ActiveThread, Question, QuestionKey, Reply, Status, Turn

if TYPE_CHECKING:
    from core.storage.deeds import Deed

ROOM = PlaceId("chat:work/room")
ALONG = (Attachment(Kind.IMAGE, "a.png", 3, "https://example.org/a.png"), Attachment(Kind.STICKER))


def thread(name: str = "1") -> Thread:
    return Thread(ThreadId(f"chat:work/room/{name}"), "chat", (PlaceId("chat:work"), ROOM))


def question(key: str, where: Thread | None = None, text: str = "Why?") -> Question:
    return Question(QuestionKey(key), where or thread(), "ada", text, ALONG)


async def accept(ledger: Ledger, key: str, where: Thread | None = None) -> Turn:
    return (await ledger.accept(question(key, where), NOTHING_SHOWN)).turn


async def take(ledger: Ledger, where: Thread | None = None) -> Taken:
    taken = await ledger.take((where or thread()).id)
    assert taken is not None
    return taken


async def answer(ledger: Ledger, conversation: Conversation | None = None) -> Turn:
    taken = await take(ledger)
    turn = taken.turn.start("m").finish("Because.")
    await ledger.conclude(turn, conversation, epoch=taken.epoch)
    await ledger.settle(turn.settle())
    return turn


async def do(ledger: Ledger, act: Callable[[Deeds], object]) -> None:
    def deed(deeds: Deeds) -> Told:
        act(deeds)
        return Told("Done.")

    await ledger.obey_once("", deed, timedelta(0))


async def is_first(ledger: Ledger, occasion: str, within: timedelta = timedelta(hours=1)) -> bool:
    return await ledger.obey_once(occasion, lambda _: Told("Done."), within) is not None


def set_o3(deeds: Deeds) -> Told:
    deeds.set_preset(ROOM, Preset(model="o3"), "ada")
    return Told("Done.")


def again(deeds: Deeds) -> Told:
    return Told(str(deeds.answer_again(thread().id)))


async def test_what_was_accepted_is_found_again_whole(ledger: Ledger) -> None:
    asked = question("1")
    accepted = await ledger.accept(asked, Reply("note"))
    assert accepted.is_new
    assert accepted.turn.question == asked
    assert await ledger.turn(asked.key) == accepted.turn


async def test_what_an_earlier_version_recorded_of_files_is_asked_about(ledger: Ledger, database: Database) -> None:
    """It knew their URLs alone, and no words for them."""
    urls = ["https://example.org/files/1/a%20pump.png?ex=1&hm=2", "https://example.org/b.ogg?x", "https://[", "x"]
    await ledger.accept(question("1"), NOTHING_SHOWN)
    earlier = {"question": "", "references": urls}
    await database.run(lambda connection: connection.execute(update(turns).values(**earlier, attachments=[])))
    asked = (await take(ledger)).turn.question
    assert [one.url for one in asked.attachments if one.is_read] == [urls[0], *urls[2:]]
    assert asked.words.endswith('"a pump.png", "_", "x"')
    picture = {"question": "", "references": urls[:1]}
    await database.run(lambda connection: connection.execute(update(turns).values(**picture)))
    assert 'the attached image "a pump.png"' in (await take(ledger)).turn.question.words


async def test_what_a_later_version_records_of_attachments_can_be_read(ledger: Ledger, database: Database) -> None:
    hologram = {"kind": "hologram", "name": "", "size": None, "url": "", "depth": 3}
    await ledger.accept(question("1"), NOTHING_SHOWN)
    await database.run(lambda connection: connection.execute(update(turns).values(attachments=[hologram])))
    assert (await take(ledger)).turn.question.attachments == (Attachment(Kind.OTHER),)


async def test_a_question_is_accepted_once(ledger: Ledger) -> None:
    first = await ledger.accept(question("1"), Reply("first"))
    again = await ledger.accept(question("1", text="redelivered"), Reply("second"))
    assert not again.is_new
    assert again.turn == first.turn


async def test_one_question_handed_in_everywhere_at_once_is_one_turn(ledger: Ledger) -> None:
    accepted = await asyncio.gather(*(ledger.accept(question("1"), NOTHING_SHOWN) for _ in range(10)))
    assert sum(one.is_new for one in accepted) == 1
    assert len({one.turn.id for one in accepted}) == 1


async def test_turns_of_a_thread_come_in_the_order_of_acceptance(ledger: Ledger) -> None:
    keys = [(await accept(ledger, str(number))).question.key for number in range(3)]
    assert [(await answer(ledger)).question.key for _ in keys] == keys
    assert await ledger.take(thread().id) is None


@pytest.mark.parametrize("quota", [None, Quota(person=10, thread=10, workspace=10)])
async def test_who_asks_is_told_how_many_are_before(database: Database, quota: Quota | None) -> None:
    ledger = Ledger(database, quota=quota)
    accepted = [await ledger.accept(question(key), NOTHING_SHOWN) for key in ("1", "2", "3")]
    elsewhere = await ledger.accept(question("4", thread("2")), NOTHING_SHOWN)
    await answer(ledger)
    later = await ledger.accept(question("5"), NOTHING_SHOWN)
    assert [(one.before, one.turn.waited) for one in (*accepted, elsewhere, later)] == [
        (0, False),
        (1, True),
        (2, True),
        (0, False),
        (2, True),
    ]


async def test_a_turn_that_bobbin_answers_itself_is_only_to_be_shown(ledger: Ledger) -> None:
    told = (await ledger.accept(question("1"), NOTHING_SHOWN, told="Hello!")).turn
    taken = await take(ledger)
    assert (told.status, taken.turn.status, taken.turn.answer) == (Status.ANSWERED, Status.ANSWERED, "Hello!")
    assert not taken.was_interrupted


async def test_a_turn_that_was_begun_is_known_to_be_interrupted(ledger: Ledger) -> None:
    await accept(ledger, "1")
    assert not (await take(ledger)).was_interrupted
    again = await take(ledger)
    assert again.was_interrupted
    assert again.turn.attempt == 2


async def test_whoever_was_overtaken_can_write_no_more(ledger: Ledger) -> None:
    await accept(ledger, "1")
    slow = (await take(ledger)).turn.start("m")
    quick = (await take(ledger)).turn.start("m").finish("Quick.")
    await ledger.conclude(quick, None, epoch=0)
    for write in (ledger.save, ledger.settle):
        with pytest.raises(Overtaken):
            await write(slow.finish("Slow.").settle())
    with pytest.raises(Overtaken):
        await ledger.conclude(slow.finish("Slow."), Conversation(ConversationId("slow"), "m"), epoch=0)
    found = await ledger.turn(quick.question.key)
    assert found is not None
    assert found.answer == "Quick."
    assert (await take(ledger)).conversation is None


async def test_the_reply_is_kept_while_the_turn_goes_on(ledger: Ledger) -> None:
    await accept(ledger, "1")
    await ledger.save((await take(ledger)).turn.start("m").replied(Reply("message 7")))
    assert (await take(ledger)).turn.reply == "message 7"


async def test_a_thread_goes_on_with_its_conversation(ledger: Ledger) -> None:
    conversation = Conversation(ConversationId("c"), "m")
    await accept(ledger, "1")
    assert (await take(ledger)).conversation is None
    await answer(ledger, conversation)
    await accept(ledger, "2")
    assert (await take(ledger)).conversation == conversation


async def test_what_is_forgotten_stays_forgotten_though_a_turn_was_under_way(ledger: Ledger) -> None:
    await accept(ledger, "1")
    taken = await take(ledger)
    under_way = taken.turn.start("m")
    await do(ledger, lambda deeds: deeds.forget(thread().id))
    conversation = Conversation(ConversationId("c"), "m")
    await ledger.conclude(under_way.finish("Because."), conversation, epoch=taken.epoch)
    await ledger.settle(under_way.finish("Because.").settle())
    later = await accept(ledger, "2")
    assert (await take(ledger)).conversation is None
    assert await ledger.transcript(thread().id, later.id, 10) == []


async def test_the_transcript_is_what_the_upstream_answered_here_before(ledger: Ledger) -> None:
    other = thread("2")
    for key in ("1", "2", "3"):
        await accept(ledger, key)
        await answer(ledger)
    await ledger.accept(question("told"), NOTHING_SHOWN, told="Bobbin's own words")
    await accept(ledger, "elsewhere", other)
    newest = await accept(ledger, "4")
    transcript = await ledger.transcript(thread().id, newest.id, 2)
    assert [turn.question.key for turn in transcript] == ["2", "3"]
    assert [turn.answer for turn in transcript] == ["Because.", "Because."]


async def test_a_question_asked_anew_waits_again_and_nobody_else_writes_to_it(ledger: Ledger) -> None:
    await accept(ledger, "1")
    at_it = (await take(ledger)).turn.start("m")
    anew = await ledger.reopen(QuestionKey("1"), "Why not?")
    assert anew is not None
    assert (anew.status, anew.question.text, anew.answer) == (Status.QUEUED, "Why not?", "")
    with pytest.raises(Overtaken):
        await ledger.save(at_it)
    assert not (await take(ledger)).was_interrupted
    assert await ledger.reopen(QuestionKey("unknown")) is None


async def test_an_answer_done_anew_does_not_bring_back_an_outdated_conversation(ledger: Ledger) -> None:
    conversation = Conversation(ConversationId("c"), "m")
    for key in ("1", "2"):
        await accept(ledger, key)
        await answer(ledger, conversation)
    await ledger.reopen(QuestionKey("1"))
    assert (await take(ledger)).conversation is None
    await answer(ledger, conversation)  # which can't know of the second turn
    await accept(ledger, "3")
    assert (await take(ledger)).conversation is None


async def test_a_revision_is_offered_once(ledger: Ledger) -> None:
    await accept(ledger, "1")
    assert await ledger.offer(QuestionKey("1"), "Why not?") is None  # not over yet
    await answer(ledger)
    offered = await ledger.offer(QuestionKey("1"), "Why not?")
    assert offered is not None
    assert offered.offers_again
    assert await ledger.offer(QuestionKey("1"), "Why not?") is None
    anew = await ledger.reopen(QuestionKey("1"))
    assert anew is not None
    assert (anew.question.text, anew.revised) == ("Why not?", "")


async def test_what_is_withdrawn_is_forgotten(ledger: Ledger) -> None:
    brings = replace(question("1"), asker_name="Ada", quotes=(Quote(Source.REPLY, "secret", "Ben"),))
    await ledger.accept(brings, NOTHING_SHOWN)
    await answer(ledger, Conversation(ConversationId("c"), "m"))
    gone = await ledger.withdraw(QuestionKey("1"))
    assert gone is not None
    assert (gone.question.text, gone.question.attachments, gone.answer, gone.shown) == ("", (), "", False)
    assert (gone.question.asker_name, gone.question.quotes) == ("", ())
    assert await ledger.withdraw(QuestionKey("1")) is None
    assert await ledger.reopen(QuestionKey("1")) is None
    await ledger.settle((await take(ledger)).turn.settle())
    later = await accept(ledger, "2")
    assert (await take(ledger)).conversation is None
    assert await ledger.transcript(thread().id, later.id, 10) == []


async def test_the_newest_question_is_the_upstreams_and_remembered(ledger: Ledger, database: Database) -> None:
    async def newest() -> str | None:
        turn = await database.run(lambda connection: newest_asked(connection, thread().id))
        return turn.question.key if turn else None

    assert await newest() is None
    for key in ("1", "2"):
        await accept(ledger, key)
        await answer(ledger)
    await accept(ledger, "elsewhere", thread("2"))
    await ledger.accept(question("told"), NOTHING_SHOWN, told="Bobbin's own words")
    assert await newest() == "2"
    await ledger.withdraw(QuestionKey("2"))
    assert await newest() == "1"
    await do(ledger, lambda deeds: deeds.forget(thread().id))
    assert await newest() is None
    await accept(ledger, "waits")
    assert await newest() == "waits"


async def test_a_restart_finds_every_thread_that_waits_and_no_other(ledger: Ledger) -> None:
    await accept(ledger, "1", thread("b"))
    await accept(ledger, "2", thread("a"))
    await accept(ledger, "3")
    await answer(ledger)
    assert await ledger.open_threads(["chat"]) == [thread("b").id, thread("a").id]
    assert await ledger.open_threads(["another chat"]) == []


async def test_it_knows_where_people_asked_lately(ledger: Ledger) -> None:
    before = datetime.now(UTC)
    for key, where in (("1", "a"), ("2", "b"), ("3", "a")):
        await accept(ledger, key, thread(where))
    one, two, three = (QuestionKey(key) for key in "123")
    a, b = ActiveThread(thread("a"), one, three), ActiveThread(thread("b"), two, two)
    assert await ledger.active_threads("chat", before, 10) == [a, b]
    assert await ledger.active_threads("chat", before, 1) == [a]
    assert await ledger.active_threads("chat", datetime.now(UTC), 10) == []
    assert await ledger.active_threads("another chat", before, 10) == []


async def test_a_preset_is_kept_field_by_field(ledger: Ledger) -> None:
    await do(ledger, lambda deeds: deeds.set_preset(ROOM, Preset(model="o3"), "ada"))
    await do(ledger, lambda deeds: deeds.set_preset(ROOM, Preset(instructions="Be brief."), "ben"))
    assert await ledger.presets_at(thread().layers) == [(ROOM, Preset(model="o3", instructions="Be brief."))]
    await accept(ledger, "1")
    assert (await take(ledger)).presets == [(ROOM, Preset(model="o3", instructions="Be brief."))]


async def test_naming_a_preset_starts_afresh(ledger: Ledger) -> None:
    await do(ledger, lambda deeds: deeds.set_preset(ROOM, Preset(model="o3"), "ada"))
    await do(ledger, lambda deeds: deeds.set_preset(ROOM, Preset(name="pirate"), "ada"))
    assert await ledger.presets_at([ROOM]) == [(ROOM, Preset(name="pirate"))]
    await do(ledger, lambda deeds: deeds.clear_preset(ROOM, "ada"))
    assert await ledger.presets_at([ROOM]) == [(ROOM, Preset())]


async def test_on_each_occasion_a_deed_is_done_once_and_again_when_that_is_forgotten(ledger: Ledger) -> None:
    assert sorted(await asyncio.gather(*(is_first(ledger, "trigger") for _ in range(10)))) == [False] * 9 + [True]
    assert [await is_first(ledger, "x" * 5_000) for _ in range(2)] == [True, False]
    assert await is_first(ledger, "other", timedelta(0))
    assert await is_first(ledger, "other")
    assert not await is_first(ledger, "other", timedelta(0))
    assert [await is_first(ledger, "") for _ in range(2)] == [True, True]


async def test_what_was_done_long_ago_leaves_nothing(ledger: Ledger) -> None:
    await ledger.write_note("hash", "1")
    for number in range(10):
        assert await is_first(ledger, str(number), timedelta(0))
    assert await is_first(ledger, "last")
    count = await ledger._database.run(lambda connection: connection.scalar(select(func.count()).select_from(notes)))
    assert count == 2


# Commands


async def test_a_command_handed_in_everywhere_at_once_is_obeyed_once(ledger: Ledger) -> None:
    """Also where several processes think otherwise of which thread it belongs to."""
    said = [question("1", thread(str(number % 2))) for number in range(10)]
    done: list[Deeds] = []

    def deed(deeds: Deeds) -> Told:
        done.append(deeds)
        return Told("Done.")

    obeyed = await asyncio.gather(*(ledger.obey(one, NOTHING_SHOWN, deed) for one in said))
    assert len(done) == 1
    assert sum(one.accepted.is_new for one in obeyed) == 1
    assert {one.accepted.turn.answer for one in obeyed} == {"Done."}
    found = await ledger.turn(QuestionKey("1"))
    assert found
    assert (found.status, found.answer, found.shown) == (Status.ANSWERED, "Done.", False)
    assert await ledger.open_threads(["chat"]) == [found.question.thread.id]


@pytest.mark.parametrize("is_said", [True, False])
async def test_a_deed_that_breaks_off_has_not_been_done_nor_recorded(ledger: Ledger, *, is_said: bool) -> None:
    await accept(ledger, "1")
    await answer(ledger, Conversation(ConversationId("c"), "m"))

    def all_of_them(deeds: Deeds) -> Told:
        deeds.set_preset(ROOM, Preset(model="o3"), "ada")
        deeds.answer_again(thread().id)
        deeds.forget(thread().id)
        return Told("Done.")

    def broken(deeds: Deeds) -> Told:
        all_of_them(deeds)
        raise ZeroDivisionError

    async def obey(deed: Deed) -> bool:
        if is_said:
            return (await ledger.obey(question("command"), NOTHING_SHOWN, deed)).accepted.is_new
        return await ledger.obey_once("command", deed, timedelta(hours=1)) is not None

    before = await ledger.turn(QuestionKey("1"))
    with pytest.raises(ZeroDivisionError):
        await obey(broken)
    assert await ledger.turn(QuestionKey("1")) == before
    assert await ledger.turn(QuestionKey("command")) is None
    assert await ledger.presets_at([ROOM]) == []
    await accept(ledger, "2")
    assert (await take(ledger)).conversation is not None
    assert await obey(all_of_them), "it had not been recorded"
    assert await ledger.presets_at([ROOM]) == [(ROOM, Preset(model="o3"))]
    assert (await take(ledger)).conversation is None
    assert not await obey(all_of_them)


async def test_the_record_that_fails_takes_the_deed_with_it(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(ledger, "_summon", fail)
    with pytest.raises(StorageUnavailable):
        await ledger.obey(question("1"), NOTHING_SHOWN, set_o3)
    assert await ledger.turn(QuestionKey("1")) is None
    assert await ledger.presets_at([ROOM]) == []


async def test_what_is_being_answered_is_left_to_that(ledger: Ledger) -> None:
    await accept(ledger, "1")
    at_it = (await take(ledger)).turn.start("m")
    assert await ledger.reopen(QuestionKey("1")) is None
    obeyed = await ledger.obey(question("2"), NOTHING_SHOWN, again)
    assert (obeyed.accepted.turn.answer, obeyed.reopened) == ("False", None)
    await ledger.save(at_it.grow("Be"))


async def test_asked_for_again_the_newest_question_waits_again(ledger: Ledger) -> None:
    assert (await ledger.obey(question("0"), NOTHING_SHOWN, again)).accepted.turn.answer == "None"
    await ledger.settle((await take(ledger)).turn.settle())
    await accept(ledger, "1")
    await answer(ledger)
    obeyed = await ledger.obey(question("2"), NOTHING_SHOWN, again)
    assert obeyed.reopened
    assert (obeyed.reopened.question.key, obeyed.reopened.status) == ("1", Status.QUEUED)
    assert (await take(ledger)).turn.question.key == "1"


async def test_a_button_counts_for_the_attempt_that_it_was_shown_for(ledger: Ledger) -> None:
    await accept(ledger, "1")
    shown_for = (await answer(ledger)).attempt
    clicks = [ledger.reopen(QuestionKey("1"), of_attempt=shown_for) for _ in range(10)]
    assert sum(turn is not None for turn in await asyncio.gather(*clicks)) == 1
    later = (await answer(ledger)).attempt
    assert await ledger.reopen(QuestionKey("1"), of_attempt=shown_for) is None
    assert await ledger.reopen(QuestionKey("1"), of_attempt=later) is not None


# Deleted before it was known


@pytest.mark.parametrize("verb", ["withdraw", "bury"])
async def test_what_was_deleted_before_it_came_is_not_asked(ledger: Ledger, verb: str) -> None:
    for _ in range(2):
        assert await getattr(ledger, verb)(QuestionKey("1")) is None
    accepted = await ledger.accept(question("1"), NOTHING_SHOWN)
    obeyed = await ledger.obey(question("1"), NOTHING_SHOWN, set_o3)
    assert not accepted.is_new
    assert not obeyed.accepted.is_new
    assert accepted.turn.is_withdrawn
    assert await ledger.presets_at([ROOM]) == []
    assert await ledger.open_threads(["chat", ""]) == []
    assert await ledger.take(thread().id) is None
    assert await ledger.active_threads("chat", datetime.now(UTC) - timedelta(hours=1), 10) == []
    for nothing in (ledger.reopen, ledger.withdraw):
        assert await nothing(QuestionKey("1")) is None
    assert await ledger.offer(QuestionKey("1"), "Eh?") is None


async def test_what_is_known_stays_when_others_are_buried(ledger: Ledger) -> None:
    await accept(ledger, "1")
    await ledger.bury(QuestionKey("1"))
    assert (await take(ledger)).turn.question.text == "Why?"


async def test_of_a_question_and_its_deletion_at_the_same_moment_nothing_is_answered(ledger: Ledger) -> None:
    for number in range(20):
        key = QuestionKey(str(number))
        await asyncio.gather(ledger.accept(question(key), NOTHING_SHOWN), ledger.withdraw(key))
        turn = await ledger.turn(key)
        assert turn
        assert turn.is_withdrawn


async def test_deletions_of_long_ago_leave_nothing(ledger: Ledger, database: Database) -> None:
    await accept(ledger, "asked")
    for number in range(30):
        await ledger.withdraw(QuestionKey(str(number)))
    forgetful = Ledger(database, tombstones_kept=timedelta(0))
    for number in range(30, 40):
        await forgetful.withdraw(QuestionKey(str(number)))
    left = await database.run(lambda connection: connection.scalars(select(turns.c.key).order_by(turns.c.id)).all())
    assert left == ["asked", "39"]


async def test_notes_last(ledger: Ledger) -> None:
    assert await ledger.note("hash") is None
    await ledger.write_note("hash", "1")
    await ledger.write_note("hash", "2")
    assert await ledger.note("hash") == "2"


async def test_text_of_every_kind_comes_back_as_it_went_in(ledger: Ledger) -> None:
    text = "naïve 日本語 👩‍👩‍👧 \u2028 \"'\\ <@everyone> ${x} %s :p " + "long " * 20_000
    accepted = await ledger.accept(question("1", text=text), NOTHING_SHOWN)
    found = await ledger.turn(accepted.turn.question.key)
    assert found is not None
    assert found.question.text == text


@pytest.mark.parametrize("odd", ["x" * 300, "\0", "\ud83d", "\0" + "x" * 300], ids=["long", "NUL", "half", "both"])
async def test_ids_from_outside_are_kept_however_odd(ledger: Ledger, odd: str) -> None:
    """Platforms send none of these, so that one that comes is malformed: it may not block a thread, nor be another's."""
    one, other = (Thread(ThreadId(f"{odd}{end}"), "chat", (PlaceId(odd),)) for end in "ab")
    for where in (one, other, one):
        key = QuestionKey(f"{where.id}/key")
        accepted = await ledger.accept(Question(key, where, asker=odd, text=odd), Reply(odd))
        found = await ledger.turn(key)
        assert found
        assert found.id == accepted.turn.id
    assert not accepted.is_new
    assert len(await ledger.open_threads(["chat"])) == 2
    taken = await take(ledger, one)
    turn = taken.turn.start(odd[:200]).grow(odd).remark(odd)
    await ledger.save(turn)
    await ledger.conclude(turn.fail(odd), None, epoch=taken.epoch, trace=odd)
    await ledger.settle(turn.fail(odd).settle(), gave_up=odd)
    assert await ledger.open_threads(["chat"]) == [other.id]
    await ledger.reopen(taken.turn.question.key, odd)
    await ledger.offer(taken.turn.question.key, odd)
    await do(ledger, lambda deeds: deeds.set_preset(PlaceId(odd), Preset(model="m", instructions=odd), by=odd))
    [(place, _)] = await ledger.presets_at([PlaceId(odd)])
    assert place == odd
    await ledger.write_note(odd, odd)
    assert await ledger.note(odd)


async def test_a_database_that_cannot_be_reached_is_said_to_be() -> None:
    database = open_database("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(StorageUnavailable):
        await Ledger(database).accept(question("1"), NOTHING_SHOWN)
    await database.close()


def test_a_folder_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(SetupError, match="/nowhere/at/all"):
        open_database("sqlite:////nowhere/at/all/bobbin.db")
