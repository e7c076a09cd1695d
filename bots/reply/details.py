"""The details of an answer, for the one person who wants to know more about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.reply.page import Button, Wish
from bots.text.cut import shortened
from bots.text.reasoning import reasoning, visible
from core.language import marked, number, say
from core.obeying import where_set
from core.preset import DEFAULT

if TYPE_CHECKING:
    from core.preset import Choice
    from core.turn import Turn

LONGEST_REASONING = 2_000  # characters; the rest of it is of interest to nobody in a chat
BRANCH, EXPORT = marked("Branch off here"), marked("Export thread")
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
    facts = [(say("Preset"), _preset(turn, choice))] if turn.answered_as else []
    facts.append((say("Model"), turn.model))
    if turn.seconds:
        facts.append((say("Time"), say("{seconds} seconds", seconds=number(turn.seconds, 1))))
    length = say(
        "{characters} characters, about {tokens} tokens (an estimate)",
        characters=number(len(text)),
        tokens=number(_tokens(turn.answer)),
    )
    facts.append((say("Length"), length))
    facts.append((say("Reference"), turn.reference))
    buttons = [Button(say(BRANCH), turn.attempt, Wish.BRANCH, lasts=True)] if branches else []
    buttons.append(Button(say(EXPORT), turn.attempt, Wish.EXPORT, lasts=True))
    reasoned = shortened(reasoning(turn.answer), LONGEST_REASONING)
    return Details(tuple((name, " ".join(said.split())) for name, said in facts), reasoned, tuple(buttons))


def _preset(turn: Turn, choice: Choice) -> str:
    origin = choice.origins.get("name")
    if turn.question.preset == turn.answered_as:
        where = say("chosen for this question")
    elif origin == (DEFAULT, DEFAULT) and turn.answered_as == DEFAULT:
        return turn.answered_as  # the operator's own has the name of where it is set
    elif origin and origin.value == turn.answered_as:
        where = where_set(origin, turn.question.thread)
    else:
        where = say("as it was set then")
    return f"{turn.answered_as} ({where})"


def _tokens(text: str) -> int:
    plain = sum(map(str.isascii, text))
    return -(-plain // _A_TOKEN) + len(text) - plain
