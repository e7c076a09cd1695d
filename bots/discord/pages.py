"""What a thread should show of a turn: its answer in pages, what went wrong, the aside, the button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bots.discord import limits, markdown
from bots.text.cut import shortened, utf16
from core.errors import EmptyAnswer
from core.turn import Status
from core.words import is_blank

if TYPE_CHECKING:
    from bots.discord.note import Note
    from core.turn import Turn

QUOTE_LIMIT = 300  # characters of a question asked by a command
ANSWER_REVISED = "Answer the edited question"
TRY_AGAIN = "Try again"
# Subtext: https://support.discord.com/hc/en-us/articles/210298617-Markdown-Text-101
_SUBTEXT = "-# "
_STILL_AT_IT = "…"
_NOTHING_CAME = "*Stopped.*"


@dataclass(frozen=True, slots=True)
class Pages:
    """Page n stands in message n. None as long as there is only a sign of life to give."""

    texts: tuple[str, ...] = ()
    is_aside: bool = False  # there is nothing to read yet but a word on how it goes
    button: str = ""  # the label of the one under the last page; empty: none


def pages_of(turn: Turn, note: Note) -> Pages:
    body, problem = markdown.pages(turn.answer, streaming=not turn.is_over), markdown.pages(turn.problem)
    if turn.status is Status.ANSWERED and not body and not turn.is_withdrawn:
        problem = markdown.pages(EmptyAnswer().sentence)  # it had thoughts, and no more
    says_something, button = bool(body or problem), _button(turn)
    aside = _aside(turn, note, says_something=says_something)
    if not says_something and not aside:
        is_awaited = turn.is_over and note.is_command and not note.has_words
        # Otherwise Discord would say “thinking…” for ever.
        return Pages((_NOTHING_CAME,), button=button) if is_awaited else Pages()
    if note.is_command and not is_blank(turn.question.text):
        body = markdown.pages(f"{_quote(turn.question.text)}\n\n{turn.answer}", streaming=not turn.is_over)
    texts = _with_aside(_with_problem(body, problem), aside, is_over=turn.is_over)
    return Pages(tuple(texts), is_aside=not says_something, button=button)


def _button(turn: Turn) -> str:
    if not turn.offers_again:
        return ""
    return ANSWER_REVISED if turn.revised else TRY_AGAIN


def _quote(question: str) -> str:
    line = shortened(" ".join(question.split()), QUOTE_LIMIT)
    # A zero-width space after "<", so that no tag of the asker's is taken for the model's.
    return "> " + discord.utils.escape_markdown(line).replace("<", "<\u200b")


def _aside(turn: Turn, note: Note, *, says_something: bool) -> str:
    line = " ".join(turn.aside.split())
    if not line and note.is_aside and not says_something and not turn.is_over:
        line = _STILL_AT_IT  # what the message said no longer holds, and what it will say isn't there yet
    shown = markdown.pages(line)
    return _SUBTEXT + shown[0] if shown else ""


def _with_problem(pages: list[str], problem: list[str]) -> list[str]:
    """Put the problem under the answer, as a paragraph of its own: in the same message if there is room."""
    if not pages or not problem:
        return pages + problem
    together = f"{pages[-1]}\n\n{problem[0]}"
    return [*pages[:-1], together, *problem[1:]] if _fits(together) else pages + problem


def _with_aside(pages: list[str], aside: str, *, is_over: bool) -> list[str]:
    """Put the aside under all that is said. It may vanish again, so that no message is begun for it on the way."""
    if not aside:
        return pages
    if pages and _fits(together := f"{pages[-1]}\n{aside}"):
        return [*pages[:-1], together]
    return [*pages, aside] if is_over or not pages else pages


def _fits(page: str) -> bool:
    return utf16(page) <= limits.CONTENT
