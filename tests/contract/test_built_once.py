"""A turn's statements are built once, since that takes several times as long as to run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ClauseElement, Engine, event

from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply


@contextmanager
def executed() -> Iterator[list[ClauseElement]]:
    """The statements of what is done meanwhile, in any database; kept, so that no two have the same address."""
    statements: list[ClauseElement] = []

    def note(_connection: object, statement: ClauseElement, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_execute", note)


async def a_turn(ledger: Ledger, number: int) -> None:
    thread = Thread(ThreadId(f"chat:{number}"), "chat", (PlaceId("chat:w"), PlaceId("chat:w/c")))
    await ledger.accept(Question(QuestionKey(f"key {number}"), thread, "ada", "Why?"), Reply("{}"))
    taken = await ledger.take(thread.id)
    assert taken
    assert taken.turn.question.key == f"key {number}"
    answered = taken.turn.start("gpt-5.1").finish("Because.")
    await ledger.conclude(answered, Conversation(ConversationId(f"{number}"), "gpt-5.1"), epoch=taken.epoch)
    assert await ledger.answers([QuestionKey(f"key {number}")], 3) == {f"key {number}": "Bec"}
    assert await ledger.settle_and_take(answered.settle()) is None


async def test_a_second_turn_builds_no_statement(database_url: str) -> None:
    database = open_database(database_url)
    await migrate(database)
    ledger = Ledger(database)
    with executed() as first:
        await a_turn(ledger, 1)
    with executed() as second:
        await a_turn(ledger, 2)
    await database.close()
    assert len(second) == len(first)
    assert [str(statement) for statement in second if not any(statement is one for one in first)] == []
