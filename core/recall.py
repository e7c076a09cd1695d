"""Finds out what was said around a question: what its thread's conversation doesn't know yet."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from core.chat import earlier
from core.context import LONGEST_REMARK, Earlier, told
from core.errors import BobbinError, facts
from core.language import marked, say
from core.words import keepable

if TYPE_CHECKING:
    from core.chat import Chat
    from core.storage.ledger import Ledger
    from core.storage.rows import Known
    from core.turn import Turn

UNREAD = marked("I couldn't read what was said here before your question. Ask again if that matters.")
SAID_AGAIN_AFTER = timedelta(days=7)  # why something can't be read, in the same place

log = structlog.get_logger(__name__)


class Recall:
    """Recalls what was said before the question of one answer."""

    def __init__(self, chat: Chat, ledger: Ledger, budget: int, known: Known, patience: float) -> None:
        """*budget* in characters of what is quoted; 0: nothing is asked of the chat. *known* when the turn was taken.

        *patience* in seconds, with the chat.
        """
        self._patience = patience
        self._known = known
        self._chat = chat
        self._ledger = ledger
        self._budget = budget
        self._found: dict[bool, Earlier] = {}
        self.problem = ""  # to be told beside the answer

    async def told(self, question: str, turn: Turn, *, goes_on: bool) -> str:
        """Return *question*, which *turn* asks, after what was said before; never fails for that.

        *goes_on*: in a conversation that knows what was said up to the turn before; else it is to know all.
        """
        if not self._budget:
            return question
        if goes_on not in self._found:
            self._found[goes_on] = await self._find(turn, goes_on=goes_on)
        return told(self._found[goes_on], question, budget=self._budget)

    async def _find(self, turn: Turn, *, goes_on: bool) -> Earlier:
        known = self._known
        try:
            since = known.newest if goes_on and known.newest else known.forgotten
            async with asyncio.timeout(self._patience):
                found = await earlier(self._chat, turn, since, self._budget)
        except (BobbinError, TimeoutError) as error:
            log.warning("what was said before a question can't be read; answering without", **facts(error))
            return await self._without(turn)
        except Exception:
            log.exception("reading what was said before a question fails unexpectedly; answering without")
            return await self._without(turn)
        await self._note(found.problem, turn)
        unknown = replace(
            found,
            remarks=[one for one in found.remarks if one.key not in known.keys],
            head=[one for one in found.head if one.key not in known.keys],
        )
        return await self._with_answers(unknown)

    async def _with_answers(self, said: Earlier) -> Earlier:
        """Say what the bot has answered where somebody asked it in another conversation: people there have read that."""
        asked = [one.key for one in (*said.head, *said.remarks) if one.is_question]
        if not asked:
            return said
        try:
            answers = await self._ledger.answers(asked, LONGEST_REMARK)
        except BobbinError as error:
            log.warning("what was answered before can't be read; answering without", **facts(error))
            return said
        head, remarks = (
            [replace(one, answer=answers.get(one.key, "")) for one in part] for part in (said.head, said.remarks)
        )
        return replace(said, head=head, remarks=remarks)

    async def _without(self, turn: Turn) -> Earlier:
        await self._note(UNREAD, turn)
        return Earlier()

    async def _note(self, problem: str, turn: Turn) -> None:
        """Have *problem* told once in a place, while it lasts; by the same turn again, should it be cut off."""
        if problem:
            with suppress(BobbinError):
                await self._note_once(problem, turn)

    async def _note_once(self, problem: str, turn: Turn) -> None:
        name, today = keepable(f"unread/{turn.question.thread.channel}"), datetime.now(UTC).date()
        when, _, rest = (await self._ledger.note(name) or "").partition(" ")
        key, _, told_problem = rest.partition(" ")
        is_told = told_problem == problem and key != turn.question.key
        if not (is_told and today - _date(when) < SAID_AGAIN_AFTER):
            self.problem = say(problem)
            await self._ledger.write_note(name, f"{today.isoformat()} {turn.question.key} {problem}")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
