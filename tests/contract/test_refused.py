"""Whatever comes from outside, a question ends with an answer or a sentence, and the upstream is asked once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, make_url, text

from core.attachment import Attachment, Kind, file
from core.engine.embedded import Embedded
from core.errors import CannotBeKept
from core.preset import Preset
from core.relay import Relay
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Status, Turn
from core.worker import Worker
from tests.core.conftest import FakeChat, FakeUpstream

ODD = {"too long": "x" * 300, "NUL": "a\0b", "half a surrogate": "a\ud83db", "the other half": "a\ude00"}


class Core:
    """Core, whole, between a chat and an upstream of our own."""

    def __init__(self, database: Database) -> None:
        self.ledger, self.chat, self.upstream = Ledger(database), FakeChat(), FakeUpstream()
        upstream: Any = self.upstream
        worker = Worker(
            self.ledger, upstream, {"chat": self.chat}, {"default": Preset(model="m")}, transcript_budget=1000
        )
        self.engine = Embedded(self.ledger, worker.see_to)
        self.relay = Relay(self.ledger, self.engine.wake, {"default": Preset(model="m")}, longest_question=1000)

    async def ask(self, key: str = "1", **fields: Any) -> Turn:
        """Ask, see that to its end, and return how it ended."""
        name = fields.pop("thread", "1")
        thread = Thread(ThreadId(f"chat:{name}"), "chat", (PlaceId(f"chat:{name}"),))
        question = Question(QuestionKey(key), thread, **{"asker": "ada", "text": "Why?", **fields})
        await self.engine.start(["chat"])
        accepted = await self.relay.hear(question, Reply(""))
        await self.engine.idle()
        found = await self.ledger.turn(accepted.turn.question.key)
        assert found
        return found


@pytest.fixture
def core(database: Database) -> Core:
    return Core(database)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("field", ["key", "asker", "thread", "text"])
async def test_whatever_a_chat_tells_is_answered_once(core: Core, field: str, odd: str) -> None:
    turn = await core.ask(**{field: odd})
    assert (turn.status, turn.shown, core.chat.now) == (Status.ANSWERED, True, ["Because."])
    assert len(core.upstream.prompts) == 1


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("what", ["the answer", "the conversation"])
async def test_whatever_the_service_says_it_is_asked_once(core: Core, what: str, odd: str) -> None:
    if what == "the answer":
        core.upstream.answers = [[odd]]
    else:
        core.upstream.conversation = odd
    turn = await core.ask()
    assert (turn.status, turn.shown) == (Status.ANSWERED, True)
    assert len(core.upstream.prompts) == 1


@pytest.mark.parametrize("size", [10**30, 10**5000, -1], ids=["large", "endless", "less than nothing"])
async def test_whatever_size_a_file_has_it_is_asked_about(core: Core, size: int) -> None:
    turn = await core.ask(attachments=(file("a.pdf", "application/pdf", size, "https://example.org/a.pdf"),))
    assert turn.status is Status.ANSWERED


def refuse(connection: Connection, when: str, on: str) -> None:
    """Have the database refuse rows of turns *when* they are so, *on* update or insert."""
    if connection.dialect.name == "sqlite":
        connection.execute(
            text(f"create trigger refuse before {on} on turns when {when} begin select raise(abort, 'no'); end")
        )
        return
    connection.execute(
        text(
            "create function refuse() returns trigger language plpgsql as $$ begin"
            " raise exception 'no' using errcode = 'data_exception'; end $$"
        )
    )
    connection.execute(
        text(f"create trigger refuse before {on} on turns for each row when ({when}) execute function refuse()")
    )


@pytest.mark.parametrize("words", ["unkeepable?", "preset set instructions unkeepable"])
async def test_a_question_that_the_database_refuses_is_told_so_once(core: Core, database: Database, words: str) -> None:
    await database.run(lambda connection: refuse(connection, "new.question like '%unkeepable%'", "insert"))
    for _ in range(2):  # a platform delivers it again
        turn = await core.ask(text=words, attachments=(Attachment(Kind.STICKER),))
        assert (turn.status, turn.shown, turn.answer) == (Status.ANSWERED, True, CannotBeKept().sentence)
    assert core.chat.now == [CannotBeKept().sentence]
    assert not core.upstream.prompts
    assert (await core.ask("2")).answer == "Because."


@pytest.fixture
async def latin(newest_server: str) -> AsyncIterator[Database]:
    """A database that holds western European letters alone, as an operator's may."""
    name = f"bobbin_{uuid.uuid4().hex}"
    with psycopg.connect(newest_server, autocommit=True) as connection:
        make = "create database {} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
        connection.execute(sql.SQL(make).format(sql.Identifier(name)))
    opened = open_database(make_url(newest_server).set(database=name).render_as_string(hide_password=False))
    await migrate(opened)
    yield opened
    await opened.close()
    with psycopg.connect(newest_server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def test_letters_that_the_database_does_not_have_end_a_turn_with_a_sentence(latin: Database) -> None:
    core = Core(latin)
    core.upstream.answers = [["Because. 🧵"]]
    turn = await core.ask()
    assert (turn.status, turn.shown) == (Status.FAILED, True)
    assert CannotBeKept().sentence in turn.problem
    assert len(core.upstream.prompts) == 1
    asked = await core.ask("2", text="🧵?")
    assert (asked.answer, len(core.upstream.prompts)) == (CannotBeKept().sentence, 1)


async def test_nothing_of_a_question_that_is_refused_is_kept(core: Core, database: Database) -> None:
    await database.run(lambda connection: refuse(connection, "new.question like '%unkeepable%'", "insert"))
    turn = await core.ask(text="unkeepable", attachments=(Attachment(Kind.STICKER),))
    assert (turn.question.text, turn.question.attachments) == ("", ())
