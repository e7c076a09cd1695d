"""Obeys commands: who may give each, its effect, and what is told of it. Pure, over what it can do and see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core import stance
from core.commands import HELP, OF_LISTENING, PRESET_FIELDS, Verb
from core.errors import Refused, TooLong, UnknownPreset
from core.language import marked, say, say_lines, words_for
from core.preset import DEFAULT, LONGEST_MODEL, Preset, choose
from core.thread import PlaceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.commands import Command
    from core.preset import Choice, Origin
    from core.thread import Thread, ThreadId

TRYING_AGAIN = marked("Trying again: the new answer replaces my last one above.")
_NOT_YET = marked("That answer hadn't ended yet, so I left it alone. Once it has, `retry` replaces it.")
NOTHING_TO_STOP = marked("There is nothing to stop here: I'm not answering anything.")
NOT_THEIRS_TO_STOP = marked("Only the person who asked it, or someone who manages this channel, can stop that answer.")
_NOTHING_REMEMBERED = marked("You haven't asked me anything in this channel that I remember.")
_WHICH = {
    "model": marked("Which model? Write `preset set model MODEL`."),
    "instructions": marked("Which instructions? Write `preset set instructions TEXT`."),
    "follow": marked(
        "What shall I hear without a mention? Write `preset set follow thread` (what comes next in a thread that I was "
        "called into), `channel` (everything in this channel) or `mention` (nothing)."
    ),
}
_LABELS = {
    "name": marked("preset"),
    "model": marked("model"),
    "instructions": marked("instructions"),
    "follow": marked("follow"),
    "fallbacks": marked("fallbacks"),
}
# What each thread has of its own, also where one place has many.
_OF_ONE_THREAD = (Verb.RETRY, Verb.RESET, Verb.STOP)


class Told(NamedTuple):
    """The reply to the person who gave a command."""

    sentence: str
    is_done: bool = False  # did it change anything?
    is_seen: bool = False  # is that to be seen in the thread, so that nothing need be told there?


class Deeds(stance.Deeds, Protocol):
    """Everything a command can do and see, in one transaction with the record that it was given."""

    def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        """Return what is set at each of *places* that has something set, in their order."""

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

    def answer_again(self, thread: ThreadId, asker: str = "", *, turn: int | None = None) -> bool | None:
        """Have the newest question of *thread* answered again, and return True; None if it remembers none.

        One that is being answered, and not to stop, is left to that: False.

        With *asker*, the newest question of that person; with *turn*, that one alone.
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
        return say(
            "Other people asked here as well: only the person who asked it, the one who started this thread or someone who "
            "manages this channel can have it answered again."
        )
    if command.verb is Verb.STOP and not deeds.may_stop(meant, by):
        return say(NOT_THEIRS_TO_STOP)
    if command.verb is Verb.RESET and not deeds.may_forget(meant, by):
        return say(
            "Other people asked here as well: only the person who started this thread or someone who manages this channel "
            "can make me forget it."
        )
    return ""


def is_own_switch(command: Command, thread: Thread, by: str, deeds: Deeds) -> bool:
    """Is it *by*'s to give since it is about a thread alone, which *by* began?"""
    return command.switches_model and not _is_channel(thread) and deeds.may_switch(thread.id, by)


@dataclass(frozen=True, slots=True)
class Commands:
    """Obeys commands, with the presets of a deployment."""

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
                return Told(_help())
            case Verb.RETRY:
                return _retry(thread, deeds)
            case Verb.RESET:
                deeds.forget(thread.id)
                return Told(
                    say("Done. I've forgotten this conversation; your next question starts a new one."),
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
            return Told(say(_WHICH[command.lacks]) if command.lacks in _WHICH else self._how_to_set())
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
            return Told(f"{say('Done.')} {self._answering(thread, deeds)}", is_done=True)
        try:
            self._check(command.wish)
        except Refused as refused:
            return Told(refused.sentence)
        deeds.set_preset(place, command.wish, by)
        parts = say("Done."), self._answering(thread, deeds), say("`model reset` goes back.")
        return Told(" ".join(parts), is_done=True)

    def _answering(self, thread: Thread, deeds: Deeds) -> str:
        """Say which model answers, and why."""
        choice = choose(dict(self.presets), deeds.presets_at(thread.layers))
        fallbacks = ", ".join(map(_quoted, choice.models[1:]))
        where = where_set(choice.origins["model"], thread)
        answering = say("Here, {model} answers ({where}).", model=_quoted(choice.model), where=where)
        if not fallbacks:
            return answering
        return f"{answering} " + say("When it doesn't answer: {models}.", models=fallbacks)

    def _suggestion(self, thread: Thread, deeds: Deeds) -> str:
        now = choose(dict(self.presets), deeds.presets_at(thread.layers)).model
        names = ", ".join(_quoted(name) for name in self.suggested if name != now)
        if not names:
            return ""
        return " " + say("`model NAME` switches to another: {models}, or any that the AI service has.", models=names)

    def _check(self, wish: Preset) -> None:
        """Raises UnknownPreset, TooLong."""
        if wish.model is not None and len(wish.model) > LONGEST_MODEL:
            raise TooLong(len(wish.model), LONGEST_MODEL)
        if wish.instructions is not None and len(wish.instructions) > self.longest_instructions:
            raise TooLong(len(wish.instructions), self.longest_instructions)
        if wish.name is not None and wish.name not in self.presets:
            raise UnknownPreset(wish.name, sorted(self.presets))

    def _changed(self, thread: Thread, deeds: Deeds) -> Told:
        done = say("Done. From now on, I'll answer here with:")
        return Told(f"{done}\n\n{self._explained(thread, deeds)}", is_done=True)

    def _explained(self, thread: Thread, deeds: Deeds) -> str:
        return _explained(choose(dict(self.presets), deeds.presets_at(thread.layers)), thread)

    def _how_to_set(self) -> str:
        names = ", ".join(f"`{name}`" for name in sorted(self.presets))
        return say(
            "Which preset? For example `preset set NAME`, `preset set model MODEL` or `preset set instructions Be short`. "
            "Available: {presets}.",
            presets=names,
        )


def _help() -> str:
    """Return what the commands are, with the words that give them in the language that is spoken."""
    own = {verb: words_for(verb) for verb in Verb}
    words = ", ".join(f"`{said[0]}` (`{verb}`)" for verb, said in own.items() if said)
    return (
        f"{say_lines(HELP)}\n\n{say('In your language, these words do the same: {words}.', words=words)}"
        if words
        else say_lines(HELP)
    )


def _retry(thread: Thread, deeds: Deeds) -> Told:
    origin, is_begun = thread.origin, deeds.answer_again(thread.id)
    if is_begun is None and origin:
        is_begun = deeds.answer_again(origin.thread, turn=origin.turn)
    if is_begun is None:
        return Told(say("I don't remember a question in this thread, so there's nothing to retry."))
    return Told(say(TRYING_AGAIN), is_done=True) if is_begun else Told(say(_NOT_YET))


def _stop(thread: ThreadId, by: str, deeds: Deeds, *, whosever: bool = False) -> Told:
    if stopped := deeds.stop_asked(thread, by, whosever=whosever):
        told = say("Stopped.")
        if stopped > 1:
            told += " " + say("Of your questions, I answer {count} no further.", count=stopped)
        return Told(told, is_done=True, is_seen=True)
    return Told(say(NOTHING_TO_STOP))


def _in_own(verb: Verb, place: Thread, by: str, deeds: Deeds) -> Told:
    """Do it in the conversation of *place* in which *by* asked last."""
    thread = deeds.newest_place(by, place.id)
    if thread is None:
        return Told(say(_NOTHING_REMEMBERED))
    if verb is Verb.STOP:
        return _stop(thread, by, deeds)
    if verb is Verb.RESET:
        deeds.forget(thread)
        return Told(say("Done. I've forgotten your last question in this channel, and what came of it."), is_done=True)
    is_begun = deeds.answer_again(thread, by)
    if is_begun is None:
        return Told(say(_NOTHING_REMEMBERED))
    if not is_begun:
        return Told(say(_NOT_YET))
    return Told(say("Trying your last question here again: the new answer replaces the one I gave."), is_done=True)


def _explained(choice: Choice, thread: Thread) -> str:
    lines = []
    for field in ("name", *PRESET_FIELDS, "fallbacks"):
        origin = choice.origins.get(field)
        if origin is not None and origin.value:
            label = say(_LABELS[field])
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
        return say("default")
    if origin.place == thread.id and not _is_channel(thread):
        return say("set in this thread")
    if origin.place == thread.channel:
        return say("set in this conversation") if thread.is_direct else say("set in this channel")
    return say("set for the whole workspace") if origin.place == thread.workspace else say("set for this category")


def _is_channel(thread: Thread) -> bool:
    return PlaceId(thread.id) == thread.channel
