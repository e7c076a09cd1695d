"""What is composed while it is recorded is in the language of who asked, on every kind of database."""

from __future__ import annotations

from dataclasses import replace

from core.language import say, speaking, usually
from core.preset import Preset
from core.quota import Quota
from core.relay import Relay
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey

PRESETS = {"default": Preset(model="m")}


def said(key: str, words: str, language: str = "", *, is_private: bool = False) -> Question:
    thread = Thread(ThreadId(f"chat:work/room/{key}"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))
    return Question(QuestionKey(key), thread, "ada", words, is_private=is_private, language=language)


def relay(database: Database, quota: Quota | None = None) -> Relay:
    return Relay(Ledger(database, quota=quota), lambda _: None, PRESETS, longest_question=100)


async def test_a_command_is_given_and_told_in_the_language_of_who_gives_it(database: Database) -> None:
    heard = [
        (await relay(database).hear(said(key, words, language))).turn
        for key, words, language in (("1", "reset", "de"), ("2", "zurücksetzen", "de"), ("3", "reset", ""))
    ]
    assert [turn.answer for turn in heard] == [
        "Erledigt. Ich habe dieses Gespräch vergessen; mit deiner nächsten Frage beginnt ein neues.",
        "Erledigt. Ich habe dieses Gespräch vergessen; mit deiner nächsten Frage beginnt ein neues.",
        "Done. I've forgotten this conversation; your next question starts a new one.",
    ]
    asked = (await relay(database).hear(said("4", "zurücksetzen", "fr"))).turn
    assert not asked.is_over, "in another language it is a question"


async def test_who_asks_too_much_is_told_so_in_their_language(database: Database) -> None:
    strict = relay(database, Quota(person=1, thread=9, workspace=9))
    await strict.hear(said("1", "?", "ru"))
    refused = await strict.hear(said("2", "?", "ru"))
    assert refused.turn.answer.startswith("У вас ко мне 1 открытый вопрос")


async def test_of_whom_nothing_is_known_is_told_in_the_usual_language(database: Database) -> None:
    with usually("ja"):
        told = (await relay(database).hear(said("1", "x" * 101))).turn
        with speaking("ja"):
            assert told.answer.startswith(say("That's too long for me."))


async def test_whoever_takes_a_turn_up_knows_its_language(database: Database) -> None:
    await relay(database).ask(said("1", "Wie?", "de"))
    taken = await Ledger(database).take(ThreadId("chat:work/room/1"))
    assert taken
    assert taken.turn.question.language == "de"


async def test_what_is_shared_speaks_as_its_asker_does(database: Database) -> None:
    ledger, question = Ledger(database), said("1", "Wie?", "de", is_private=True)
    await ledger.accept(question, NOTHING_SHOWN)
    taken = await ledger.take(question.thread.id)
    assert taken
    turn = taken.turn.start("m").finish("So.")
    await ledger.conclude(turn, None, epoch=taken.epoch)
    await ledger.settle(turn.settle())
    shared = await relay(database).share(question.key, "ada", replace(question.thread, id=ThreadId("chat:work/room/2")))
    assert shared
    assert shared.turn.question.language == "de"
