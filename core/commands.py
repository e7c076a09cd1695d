"""Commands that people type, or give by a platform's own means: what there are, and the words that give them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, overload

from core.language import marked_lines, speaking, words_for
from core.models import may_be_name
from core.preset import OPEN, Follow, Preset
from core.words import seen, trimmed

if TYPE_CHECKING:
    from core.turn import Question

HELP = marked_lines("""\
Mention me with a question and I'll answer in a thread. I remember what you ask me there.

- `preset show`: show the model and instructions I use here, and where they are set
- `preset set NAME`: switch to a ready-made preset
- `preset set model MODEL`: switch this channel to another model
- `preset set instructions TEXT`: tell me how to answer in this channel
- `preset set follow MODE`: what I hear without a mention: `thread` (what comes next where I was called), `channel` \
(everything here) or `mention` (nothing)
- `preset reset`: go back to the default settings
- `stop`: stop the answer that I'm writing for you; so does ❌ on it, or on your question
- `model NAME`: switch this thread alone to another model; `model` says which one answers and why, `model reset` goes back
- `retry`: answer the last question again
- `reset`: forget this conversation and start fresh
- `mute`: be quiet in this thread, and stop answering, until you write `unmute`; 🔇 on a message does the same
- `leave`: stop following this thread until you mention me again
- `help`: show this list""")

PRESET_FIELDS = ("model", "instructions", "follow")
# A command is the whole message, so that a question that begins with such a word stays a question.
_SIMPLE = re.compile(
    r"(?P<verb>help|stop|halt|retry|reset|mute|unmute|leave|preset(?:\s+(?:show|reset|set))?)[.!]?", re.IGNORECASE
)
_ALSO = {"preset": "preset show", "halt": "stop"}
# A word behind it that is no name begins a question.
_MODEL = re.compile(r"model(?:\s+(?P<name>\S+?))?[.!]?", re.IGNORECASE)
_BACK = ("reset", "default")
_LONGEST_WORDS = 60  # characters, by far, of a command in any language
_COPIED = re.compile(r"`([^`]+)`")  # with the marks with which HELP shows it
_SET = re.compile(r"preset\s+set\s+(?P<what>\S+)(?:\s+(?P<value>.+))?", re.IGNORECASE | re.DOTALL)


class Verb(StrEnum):
    HELP = "help"
    RETRY = "retry"
    RESET = "reset"
    SHOW_PRESET = "preset show"
    SET_PRESET = "preset set"
    CLEAR_PRESET = "preset reset"
    SHOW_MODEL = "model"
    SET_MODEL = "model set"
    CLEAR_MODEL = "model reset"
    MUTE = "mute"
    UNMUTE = "unmute"
    LEAVE = "leave"
    STOP = "stop"


# What is told about listening without a mention; and what is obeyed by word on every platform.
OF_LISTENING = frozenset({Verb.MUTE, Verb.UNMUTE, Verb.LEAVE})
BY_WORD = OF_LISTENING | {Verb.STOP}


@dataclass(frozen=True, slots=True)
class Command:
    """A wish that something be done, rather than answered."""

    verb: Verb
    wish: Preset = OPEN  # what is to be set; open if that was not said
    lacks: str = ""  # the field that was named without a value
    whosever: bool = False  # it may concern what others asked

    @property
    def changes_preset(self) -> bool:
        return self.verb in (Verb.SET_PRESET, Verb.CLEAR_PRESET)

    @property
    def switches_model(self) -> bool:
        """Does it change which model answers in the thread where it is given?"""
        return self.verb in (Verb.SET_MODEL, Verb.CLEAR_MODEL)

    @property
    def changes_anything(self) -> bool:
        verbs = (Verb.RETRY, Verb.RESET, *BY_WORD)
        return self.changes_preset or self.switches_model or self.verb in verbs

    def naming(self, model: str) -> Command:
        """The same for another *model*."""
        return replace(self, wish=replace(self.wish, model=model))


def parse(words: str) -> Command | None:
    """Return the command that *words* give; None when they are none."""
    words = trimmed(words)
    if copied := _COPIED.fullmatch(words):
        words = trimmed(copied[1])
    if setting := _SET.fullmatch(words):
        return _setting(setting["what"], setting["value"])
    if switching := _MODEL.fullmatch(seen(words)):
        return switch(switching["name"] or "", may_be_other=True)
    if not (simple := _SIMPLE.fullmatch(seen(words))):
        return _in_their_language(words)
    verb = " ".join(simple["verb"].lower().split())
    return Command(Verb(_ALSO.get(verb, verb)))


def given_in(question: Question) -> Command | None:
    """Return the command that *question* gives in the language of who says it; None when it is none."""
    with speaking(question.language):
        return parse(question.text)


@overload
def switch(name: str, *, may_be_other: Literal[False] = False) -> Command: ...
@overload
def switch(name: str, *, may_be_other: bool) -> Command | None: ...
def switch(name: str, *, may_be_other: bool = False) -> Command | None:
    """Return the command that *name* makes of `model`; with *may_be_other*, None for a word that looks like no name."""
    is_quoted, name = name.startswith("`"), trimmed(name).strip("`")
    if not name:
        return Command(Verb.SHOW_MODEL)
    if name.lower() in _BACK:
        return Command(Verb.CLEAR_MODEL)
    if may_be_other and not is_quoted and not may_be_name(name):
        return None
    return Command(Verb.SET_MODEL, Preset(model=name))


def _in_their_language(words: str) -> Command | None:
    """Return the command that *words* give in the language that is spoken, and are no more than that."""
    if len(words) > _LONGEST_WORDS:
        return None
    word = " ".join(seen(words).lstrip("¡").rstrip(".!。！").lower().split())
    verb = next((verb for verb in Verb if word in words_for(verb)), None)
    return Command(verb) if verb else None


def _setting(what: str, value: str | None) -> Command:
    """Return a command with an open wish where it isn't said what to set."""
    what = seen(what)
    field = what.lower()
    if field in PRESET_FIELDS:
        if value is None:
            return Command(Verb.SET_PRESET, lacks=field)
        wish = _wish(field, trimmed(value))
        return Command(Verb.SET_PRESET, wish, lacks=field if wish.is_open else "")
    return Command(Verb.SET_PRESET, Preset(name=what) if value is None else OPEN)


def _wish(field: str, value: str) -> Preset:
    """Return an open wish for a value that the field can't have."""
    if field == "follow":
        word = value.strip("`.!").lower()
        return Preset(follow=Follow(word)) if word in tuple(Follow) else OPEN
    return Preset(model=value.strip("` ") or None) if field == "model" else Preset(instructions=value)
