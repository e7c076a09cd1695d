"""What a press of each button under a finished answer changes, whatever the platform, and however often it is pressed."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from bots.reply.page import Wish
from core.storage.ledger import Ledger
from core.storage.tables import feedback, turns
from core.turn import Status, Turn


class Changed(NamedTuple):
    verdicts: int = 0
    questions: int = 0  # beside the one that was answered
    is_done_again: bool = False


NOTHING = Changed()
# By who asked; and by somebody else, to whom neither another answer nor more of it is due.
BY_ASKER = {
    Wish.GOOD: Changed(verdicts=1),
    Wish.BAD: Changed(verdicts=1),
    Wish.CONTINUE: Changed(questions=1),
    Wish.AGAIN: Changed(is_done_again=True),
    Wish.MORE: NOTHING,
    Wish.EXPORT: NOTHING,
    Wish.BRANCH: Changed(questions=1),
}
BY_ANOTHER = {**BY_ASKER, Wish.CONTINUE: NOTHING, Wish.AGAIN: NOTHING}
CASES = [(user, wish, of[wish]) for user, of in (("ada", BY_ASKER), ("ben", BY_ANOTHER)) for wish in of]


async def changed(ledger: Ledger, turn: Turn) -> Changed:
    """What is so by now, of an answer that was alone."""

    def count(connection: Connection) -> list[int]:
        return [connection.scalar(select(func.count()).select_from(of)) or 0 for of in (feedback, turns)]

    verdicts, questions = await ledger._database.run(count)
    now = await ledger.turn(turn.question.key)
    return Changed(verdicts, questions - 1, is_done_again=now is not None and now.status is Status.QUEUED)
