"""Commands that people type, or give by a platform's own means: parsing, effect and reply. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, overload

from core import stance
from core.errors import Refused, TooLong, UnknownPreset
from core.models import may_be_name
from core.preset import DEFAULT, LONGEST_MODEL, OPEN, Follow, Preset, choose
from core.thread import PlaceId
from core.words import seen, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.preset import Choice, Origin
    from core.thread import Thread, ThreadId

HELP = """\
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
- `help`: show this list"""

TRYING_AGAIN = "Trying again: the new answer replaces my last one above."
NOTHING_TO_STOP = "There is nothing to stop here: I'm not answering anything."
NOT_THEIRS_TO_STOP = "Only the person who asked it, or someone who manages this channel, can stop that answer."
_NOT_THEIRS = "Other people asked here as well: only {0} or someone who manages this channel can {1}."
_PRESET_FIELDS = ("model", "instructions", "follow")
_WHICH = {
    "model": "Which model? Write `preset set model MODEL`.",
    "instructions": "Which instructions? Write `preset set instructions TEXT`.",
    "follow": (
        "What shall I hear without a mention? Write `preset set follow thread` (what comes next in a thread that I was "
        "called into), `channel` (everything in this channel) or `mention` (nothing)."
    ),
}
# A command is the whole message, so that a question that begins with such a word stays a question.
_SIMPLE = re.compile(
    r"(?P<verb>help|stop|halt|retry|reset|mute|unmute|leave|preset(?:\s+(?:show|reset|set))?)[.!]?", re.IGNORECASE
)
_ALSO = {"preset": "preset show", "halt": "stop"}
# A word behind it that is no name begins a question.
_MODEL = re.compile(r"model(?:\s+(?P<name>\S+?))?[.!]?", re.IGNORECASE)
_BACK = ("reset", "default")
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
# What each thread has of its own, also where one place has many.
_OF_ONE_THREAD = (Verb.RETRY, Verb.RESET, Verb.STOP)


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody wants to be done, rather than answered."""

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


class Told(NamedTuple):
    """What to tell the person who gave a command."""

    sentence: str
    is_done: bool = False  # did it change anything?
    is_seen: bool = False  # is that to be seen in the thread, so that nothing need be told there?


class Deeds(stance.Deeds, Protocol):
    """What a command can do and see; all of it, and the record that it was given, is kept or none of it is."""

    def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        """What is set at each of *places* that has something set, in their order."""

    def set_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        """Set the fields that *wish* decides. A named preset replaces what had been set field by field."""

    def clear_preset(self, place: PlaceId, by: str) -> None:
        """Leave every field at *place* open."""

    def clear_model(self, place: PlaceId, by: str) -> None:
        """Leave the model at *place* open, and nothing else."""

    def may_switch(self, thread: ThreadId, by: str) -> bool:
        """Did *by* begin *thread*, or has nobody yet?"""

    def may_forget(self, thread: ThreadId, by: str) -> bool:
        """Did *by* begin *thread*, or ask all that it remembers?"""

    def may_answer_again(self, thread: ThreadId, by: str) -> bool:
        """Did *by* begin *thread*, or ask its newest question?"""

    def may_stop(self, thread: ThreadId, by: str) -> bool:
        """Is nothing being answered in *thread*, or something that *by* asked?"""

    def stop_asked(self, thread: ThreadId, by: str, *, whosever: bool) -> int:
        """Stop what is being answered in *thread*, or waits to be, of what *by* asked; return how many questions that are.

        *whosever*: where there is none of theirs, the one that is being answered.
        """

    def forget(self, thread: ThreadId) -> None:
        """Let the next turn of *thread* begin without memory."""

    def newest_place(self, asker: str, within: ThreadId) -> ThreadId | None:
        """Return the thread in which *asker* asked last, of *within* and those whose id begins with it and a slash."""

    def answer_again(self, thread: ThreadId, asker: str = "") -> bool:
        """Have the newest question of *thread* answered again; return whether there is one that it remembers.

        With *asker*, the newest question of that person.
        """


def refusal(command: Command, thread: Thread, by: str, deeds: Deeds, *, own: bool = False) -> str:
    """Return what to tell if *command* is not for *by* to give, who does not manage the channel; empty if it is.

    *own*: as for `Relay.obey`. What somebody asked can be answered again for that person; what others go on with can't be
    forgotten for them.
    """
    meant = deeds.newest_place(by, thread.id) if own else thread.id
    if meant is None or (own and command.verb is Verb.RETRY):
        return ""
    if command.verb is Verb.RETRY and not deeds.may_answer_again(meant, by):
        return _NOT_THEIRS.format("the person who asked it, the one who started this thread", "have it answered again")
    if command.verb is Verb.STOP and not deeds.may_stop(meant, by):
        return NOT_THEIRS_TO_STOP
    if command.verb is Verb.RESET and not deeds.may_forget(meant, by):
        return _NOT_THEIRS.format("the person who started this thread", "make me forget it")
    return ""


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
        return None
    verb = " ".join(simple["verb"].lower().split())
    return Command(Verb(_ALSO.get(verb, verb)))


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


def is_own_switch(command: Command, thread: Thread, by: str, deeds: Deeds) -> bool:
    """Is it *by*'s to give since it is about a thread alone, which *by* began?"""
    return command.switches_model and not _is_channel(thread) and deeds.may_switch(thread.id, by)


@dataclass(frozen=True, slots=True)
class Commands:
    """How a deployment obeys them."""

    presets: Mapping[str, Preset]  # by name
    longest_instructions: int  # characters
    suggested: tuple[str, ...] = ()  # models to name where people may not know any

    def obey(self, command: Command, thread: Thread, by: str, deeds: Deeds, *, own: bool = False) -> Told:
        """Do what *command* wants in *thread* and return what to tell. *by*: who gave it, for the record.

        *own*: as for `Relay.obey`.
        """
        if own and command.verb in _OF_ONE_THREAD:
            return _in_own(command.verb, thread, by, deeds)
        if command.verb is Verb.STOP:
            return _stop(thread.id, by, deeds, whosever=command.whosever)
        if command.verb in OF_LISTENING:
            return Told(*self._listen(command.verb, thread, by, deeds))
        if command.verb is Verb.SHOW_MODEL:
            return Told(self._answering(thread, deeds) + self._suggestion(thread, deeds))
        if command.switches_model:
            return self._switch(command, thread, by, deeds)
        return self._obey(command, thread, by, deeds)

    def _obey(self, command: Command, thread: Thread, by: str, deeds: Deeds) -> Told:
        match command.verb:
            case Verb.HELP:
                return Told(HELP)
            case Verb.RETRY:
                return _retry(thread, deeds)
            case Verb.RESET:
                deeds.forget(thread.id)
                return Told(
                    "Done. I've forgotten this conversation; your next question starts a new one.",
                    is_done=True,
                )
            case Verb.SHOW_PRESET:
                return Told(self._explained(thread, deeds))
            case Verb.CLEAR_PRESET:
                deeds.clear_preset(thread.channel, by)
                return self._changed(thread, deeds)
            case _:
                return self._set(command, thread, by, deeds)

    def _listen(self, verb: Verb, thread: Thread, by: str, deeds: Deeds) -> stance.Reply:
        if verb is Verb.LEAVE:
            return stance.leave(thread, by, deeds)
        follow = choose(dict(self.presets), deeds.presets_at(thread.layers)).follow
        return (stance.mute if verb is Verb.MUTE else stance.unmute)(thread, by, deeds, follow)

    def _set(self, command: Command, thread: Thread, by: str, deeds: Deeds) -> Told:
        """Set for the channel the fields that the wish decides, and keep its others.

        Naming a preset starts afresh: what had been set field by field goes.
        """
        wish = command.wish
        if wish.is_open:
            return Told(_WHICH.get(command.lacks) or self._how_to_set())
        try:
            self._check(wish)
        except Refused as refused:
            return Told(refused.sentence)
        deeds.set_preset(thread.channel, wish, by)
        return self._changed(thread, deeds)

    def _switch(self, command: Command, thread: Thread, by: str, deeds: Deeds) -> Told:
        """Set the model of the very thread, or leave it to what is around it."""
        place = PlaceId(thread.id)
        if command.verb is Verb.CLEAR_MODEL:
            deeds.clear_model(place, by)
            return Told(f"Done. {self._answering(thread, deeds)}", is_done=True)
        try:
            self._check(command.wish)
        except Refused as refused:
            return Told(refused.sentence)
        deeds.set_preset(place, command.wish, by)
        return Told(f"Done. {self._answering(thread, deeds)} `model reset` goes back.", is_done=True)

    def _answering(self, thread: Thread, deeds: Deeds) -> str:
        """Say which model answers, and why."""
        choice = choose(dict(self.presets), deeds.presets_at(thread.layers))
        fallbacks = ", ".join(map(_quoted, choice.models[1:]))
        stepping_in = f" When it doesn't answer: {fallbacks}." if fallbacks else ""
        where = where_set(choice.origins["model"], thread)
        return f"Here, {_quoted(choice.model)} answers ({where}).{stepping_in}"

    def _suggestion(self, thread: Thread, deeds: Deeds) -> str:
        now = choose(dict(self.presets), deeds.presets_at(thread.layers)).model
        names = ", ".join(_quoted(name) for name in self.suggested if name != now)
        return f" `model NAME` switches to another: {names}, or any that the AI service has." if names else ""

    def _check(self, wish: Preset) -> None:
        """Raises UnknownPreset, TooLong."""
        if wish.model is not None and len(wish.model) > LONGEST_MODEL:
            raise TooLong(len(wish.model), LONGEST_MODEL)
        if wish.instructions is not None and len(wish.instructions) > self.longest_instructions:
            raise TooLong(len(wish.instructions), self.longest_instructions)
        if wish.name is not None and wish.name not in self.presets:
            raise UnknownPreset(wish.name, sorted(self.presets))

    def _changed(self, thread: Thread, deeds: Deeds) -> Told:
        return Told("Done. From now on, I'll answer here with:\n\n" + self._explained(thread, deeds), is_done=True)

    def _explained(self, thread: Thread, deeds: Deeds) -> str:
        return _explained(choose(dict(self.presets), deeds.presets_at(thread.layers)), thread)

    def _how_to_set(self) -> str:
        names = ", ".join(f"`{name}`" for name in sorted(self.presets))
        return (
            "Which preset? For example `preset set NAME`, `preset set model MODEL` or `preset set instructions Be short`. "
            f"Available: {names}."
        )


def _setting(what: str, value: str | None) -> Command:
    """Return a command with an open wish where it isn't said what to set."""
    what = seen(what)
    field = what.lower()
    if field in _PRESET_FIELDS:
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


def _retry(thread: Thread, deeds: Deeds) -> Told:
    if deeds.answer_again(thread.id):
        return Told(TRYING_AGAIN, is_done=True)
    return Told("I don't remember a question in this thread, so there's nothing to retry.")


def _stop(thread: ThreadId, by: str, deeds: Deeds, *, whosever: bool = False) -> Told:
    if stopped := deeds.stop_asked(thread, by, whosever=whosever):
        waiting = f" Of your questions, I answer {stopped} no further." if stopped > 1 else ""
        return Told(f"Stopped.{waiting}", is_done=True, is_seen=True)
    return Told(NOTHING_TO_STOP)


def _in_own(verb: Verb, place: Thread, by: str, deeds: Deeds) -> Told:
    """Do it in the conversation of *place* in which *by* asked last."""
    thread = deeds.newest_place(by, place.id)
    if thread is None:
        return Told("You haven't asked me anything in this channel that I remember.")
    if verb is Verb.STOP:
        return _stop(thread, by, deeds)
    if verb is Verb.RESET:
        deeds.forget(thread)
        return Told("Done. I've forgotten your last question in this channel, and what came of it.", is_done=True)
    if deeds.answer_again(thread, by):
        return Told("Trying your last question here again: the new answer replaces the one I gave.", is_done=True)
    return Told("You haven't asked me anything in this channel that I remember.")


def _explained(choice: Choice, thread: Thread) -> str:
    lines = []
    for field in ("name", *_PRESET_FIELDS, "fallbacks"):
        origin = choice.origins.get(field)
        if origin is not None and origin.value:
            label = "preset" if field == "name" else field
            is_plain = field == "name" and origin == (DEFAULT, DEFAULT)
            where = "" if is_plain else f" ({where_set(origin, thread)})"
            lines.append(f"- **{label}**: {_quoted(origin.value)}{where}")
    return "\n".join(lines)


def _quoted(value: str) -> str:
    line = " ".join(value.split()).replace("`", "ˋ")
    return f"`{line}`"


def where_set(origin: Origin, thread: Thread) -> str:
    """Say where a field of a preset is set, as seen from *thread*."""
    if origin.place == DEFAULT:
        return "default"
    if origin.place == thread.id and not _is_channel(thread):
        return "set in this thread"
    if origin.place == thread.channel:
        return "set in this conversation" if thread.is_direct else "set in this channel"
    return "set for the whole workspace" if origin.place == thread.workspace else "set for this category"


def _is_channel(thread: Thread) -> bool:
    return PlaceId(thread.id) == thread.channel
