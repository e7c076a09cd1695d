"""What the details of an answer say, to who wants to know more about it, and no one else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.reply.page import Button, Wish
from bots.text.cut import shortened
from bots.text.reasoning import reasoning, visible
from core.commands import where_set

if TYPE_CHECKING:
    from core.preset import Choice
    from core.turn import Turn

LONGEST_REASONING = 2_000  # characters; the rest of it is of interest to nobody in a chat
BRANCH, EXPORT = "Branch off here", "Export thread"
_OF_THIS_QUESTION, _AS_THEN = "chosen for this question", "as it was set then"
# English has about four characters to a token, other alphabets fewer, Chinese and Japanese one or less:
# https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them. Nobody tells the true number.
_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Details:
    facts: tuple[tuple[str, str], ...]  # what it is, and what it says; both plain text in one line
    reasoning: str  # Markdown; empty if the model marked none
    buttons: tuple[Button, ...]


def details(turn: Turn, choice: Choice, *, branches: bool) -> Details:
    """*choice* is what is set where *turn* was asked; *branches*: is there a place for a branch?"""
    text = visible(turn.answer)
    facts = [("Preset", _preset(turn, choice))] if turn.answered_as else []
    facts.append(("Model", turn.model))
    if turn.seconds:
        facts.append(("Time", f"{turn.seconds:,.1f} seconds"))
    facts.append(("Length", f"{len(text):,} characters, about {_tokens(turn.answer):,} tokens (an estimate)"))
    facts.append(("Reference", turn.reference))
    buttons = [Button(BRANCH, turn.attempt, Wish.BRANCH, lasts=True)] if branches else []
    buttons.append(Button(EXPORT, turn.attempt, Wish.EXPORT, lasts=True))
    reasoned = shortened(reasoning(turn.answer), LONGEST_REASONING)
    return Details(tuple((name, " ".join(said.split())) for name, said in facts), reasoned, tuple(buttons))


def _preset(turn: Turn, choice: Choice) -> str:
    origin = choice.origins.get("name")
    if turn.question.preset == turn.answered_as:
        where = _OF_THIS_QUESTION
    elif origin and origin.value == turn.answered_as:
        where = where_set(origin, turn.question.thread)
    else:
        where = _AS_THEN
    # The operator's own has the name of where it is set.
    return turn.answered_as if where == turn.answered_as else f"{turn.answered_as} ({where})"


def _tokens(text: str) -> int:
    plain = sum(map(str.isascii, text))
    return -(-plain // _A_TOKEN) + len(text) - plain
