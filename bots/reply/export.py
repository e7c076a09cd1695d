"""A thread as a file of Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.reply.opening import name
from bots.text.reasoning import visible
from core.turn import GOES_ON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.turn import Turn

FILE_NAME = "thread.md"
LONGEST = 1_000_000  # characters
_OPENING = "# A conversation with Bobbin\n"
_LEFT_OUT = "*What was said before is left out, since it is too long.*\n"
_WENT_ON = "*The answer went on:*\n"
_STOPPED = "\n*Stopped here.*\n"


def exported(seen: Sequence[Turn], *, is_all: bool) -> str:
    """Return the newest of the turns *seen*, which come oldest first, that there is room for; *is_all*: were there no others?"""
    parts: list[str] = []
    room = LONGEST
    for turn in reversed(seen):
        part = _part(turn)
        if len(part) > room:
            is_all = False
            break
        parts.append(part)
        room -= len(part)
    left_out = [] if is_all else [_LEFT_OUT]
    return "\n".join([_OPENING, *left_out, *reversed(parts)])


def _part(turn: Turn) -> str:
    question = turn.question
    asked = "\n".join(f"> {line}".rstrip() for line in question.words.splitlines())
    began = _WENT_ON if GOES_ON in question.key else f"## {name(question)}\n\n{asked}\n"
    stopped = _STOPPED if turn.may_go_on else ""
    return f"{began}\n{visible(turn.answer)}\n{stopped}"
