"""A thread as a file of Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.reply.opening import name
from bots.text.reasoning import visible
from core.language import marked, say
from core.turn import GOES_ON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.turn import Turn

FILE_NAME = "thread.md"
LONGEST = 1_000_000  # characters
_OPENING = marked("A conversation with Bobbin")
_LEFT_OUT = marked("What was said before is left out, since it is too long.")
_WENT_ON = marked("The answer went on:")
_STOPPED = marked("Stopped here.")


def exported(seen: Sequence[Turn], *, is_all: bool, longest: int = LONGEST) -> str:
    """Return the newest of the turns *seen*, which come oldest first, that there is room for; *is_all*: were there no others?"""
    parts: list[str] = []
    room = longest
    for turn in reversed(seen):
        part = _part(turn)
        if len(part) > room:
            is_all = False
            break
        parts.append(part)
        room -= len(part)
    left_out = [] if is_all else [f"*{say(_LEFT_OUT)}*\n"]
    return "\n".join([f"# {say(_OPENING)}\n", *left_out, *reversed(parts)])


def _part(turn: Turn) -> str:
    question = turn.question
    asked = "\n".join(f"> {line}".rstrip() for line in question.words.splitlines())
    began = f"*{say(_WENT_ON)}*\n" if GOES_ON in question.key else f"## {name(question)}\n\n{asked}\n"
    stopped = f"\n*{say(_STOPPED)}*\n" if turn.may_go_on else ""
    return f"{began}\n{visible(turn.answer)}\n{stopped}"
