"""The record of a reply's messages that lets this process, or a later one, go on with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from bots.reply.page import Page  # pydantic reads it
from core.bounded import Bounded
from core.turn import Reply

if TYPE_CHECKING:
    from core.turn import Turn, TurnId

W = TypeVar("W")
Fields = dict[str, Any]

PLAINER_AFTER = 3  # refusals in a row for a reason that isn't known
MOST_KEPT = 10_000  # notes in memory, beside those in the ledger
_NOT_WRITTEN = {"refusals", "tried", "begun", "file_tries", "is_full"}
_FIRST_BOUND = 250  # characters; each following bound is twice as many


@dataclass(frozen=True, slots=True)
class Message:
    """A message of ours with a page of the answer."""

    id: str  # the platform's, opaque here
    digest: str = ""  # of what it shows; empty when that isn't known
    is_aside: bool = False  # it says only how it goes, nothing of the answer
    has_footer: bool = False  # something stands below that must not outlive what it was for
    has_stop: bool = False  # the button that stops the answer stands below, and means it whoever has gone on with it
    # Characters of an answer that grows there; 0 once it is over. Written down rounded up, so that a note need not be
    # saved with each update.
    length: int = 0
    is_earlier: bool = False  # it shows an answer in whose place somebody has asked for another one since


@dataclass(frozen=True, slots=True)
class File:
    """The file that holds an answer of too many pages."""

    id: str = ""  # the platform's, opaque here; empty if it took none
    digest: str = ""  # of what it holds


NO_FILE = File()


@dataclass(frozen=True, slots=True)
class Note(Generic[W]):
    """Kept as `Turn.reply`. *where* is the platform's own: what its hands must know of the place."""

    where: W
    messages: tuple[Message, ...] = ()
    # How often the platform has refused what the messages looked like: the higher, the plainer they are.
    plainness: int = 0
    file: File = NO_FILE
    is_end: bool = False  # does `plainness` say so of how the turn ended?
    # The attempt by which `messages` are known to be all that stand there: of a later one, a process may have died
    # between posting and writing it down. Less than 1: not known to be, and `tried` is the page in doubt.
    complete_for: int = 1
    tried: Page | None = None  # not written down
    # How often in a row the platform refused the end for a reason that isn't known here. Not written down.
    refusals: int = 0
    file_tries: int = 0  # of which it is not known what became. Not written down
    is_full: bool = False  # the pages that may be shown are, and more has come since. Not written down
    begun: int = 0  # the newest attempt at which somebody wanted another answer. Not written down

    def write(self, *, is_final: bool = False) -> Reply:
        """Write it down; only of a turn that *is_final* with what each message shows.

        That changes with every update, and a note that stays the same need not be saved again.
        """
        note = self if is_final else self.forgetting_what_is_shown().rounded()
        written = _adapter(type(self.where)).dump_json(note, exclude=_NOT_WRITTEN, exclude_defaults=True)
        return Reply(written.decode())

    def placed(self, number: int, message: Message) -> Note[W]:
        return replace(self, messages=(*self.messages[:number], message, *self.messages[number + 1 :]))

    def cut(self, count: int) -> Note[W]:
        """Return it with the first *count* messages alone."""
        return replace(self, messages=self.messages[:count])

    def forgetting_what_is_shown(self) -> Note[W]:
        return self._with_each(lambda message: replace(message, digest=""))

    def doubting(self, id_: str) -> Note[W]:
        """Return it with nothing known any more of what the message with that id shows."""
        return self._with_each(lambda message: replace(message, digest="") if message.id == id_ else message)

    def rounded(self) -> Note[W]:
        """Return it as far as it is known to a process that did not write the messages."""
        return self._with_each(lambda message: replace(message, length=_bound(message.length)))

    def for_(self, turn: Turn) -> Note[W]:
        """Return it as it is for *turn*, which may have been asked again, or have ended, since."""
        note = self
        if turn.is_anew and note.begun != turn.attempt:
            earlier = note._with_each(lambda one: replace(one, digest="", length=0, is_earlier=True))
            note = replace(earlier, begun=turn.attempt, plainness=0, is_end=False, is_full=False, refusals=0)
        if turn.is_over and not note.is_end:
            # What was refused was half an answer: the whole is tried in full dress.
            note = replace(note.forgetting_what_is_shown() if note.plainness else note, plainness=0, is_end=True)
        return note

    def ended(self) -> Note[W]:
        """Return it as it is once the thread shows how the turn ended: nothing grows any more."""
        return self._with_each(lambda message: replace(message, length=0))

    def _with_each(self, change: Callable[[Message], Message]) -> Note[W]:
        return replace(self, messages=tuple(map(change, self.messages)))

    def plainer(self) -> Note[W]:
        """Return it for a page that is refused as it looks now: all is to be written again, plainer."""
        return replace(self.forgetting_what_is_shown(), plainness=self.plainness + 1)

    def refused(self, plainest: int) -> Note[W]:
        """Refused once more, and nobody knows why. It may be how it looks: now and then something plainer is tried."""
        note = replace(self, refusals=self.refusals + 1)
        return note.plainer() if note.refusals % PLAINER_AFTER == 0 and note.plainness < plainest else note


@dataclass(frozen=True, slots=True)
class _Kept(Generic[W]):
    attempt: int
    before: Reply  # with what note the turn came
    note: Note[W]


class Notes(Generic[W]):
    """The newest notes of one platform: more than the ledger has of them, and kept when showing fails."""

    def __init__(self, where: type[W], earlier: Callable[[Fields], Fields] = lambda fields: fields) -> None:
        """*earlier* turns the fields of a note that was stored before there was `where` into those of a Note."""
        self._where = where
        self._earlier = earlier
        self._kept: Bounded[TurnId, _Kept[W]] = Bounded(MOST_KEPT)

    def read(self, reply: Reply) -> Note[W]:
        """Raises ValueError for what isn't a note of ours."""
        fields = json.loads(reply)
        if isinstance(fields, dict) and "where" not in fields:
            try:
                fields = self._earlier(fields)
            except (LookupError, TypeError, AttributeError) as error:
                raise ValueError("not a Note") from error
        note: Note[W] = _adapter(self._where).validate_python(fields)
        return note

    def newest(self, turn: Turn) -> Note[W]:
        """Raises ValueError if the turn has no note of ours."""
        return self._newest(turn).for_(turn)

    def _newest(self, turn: Turn) -> Note[W]:
        kept = self._kept.get(turn.id)
        if kept and turn.attempt == kept.attempt:
            return kept.note
        if kept and turn.attempt == kept.attempt + 1:
            # Nobody else can have shown it since; the attempt that was broken off may not have saved its note.
            is_complete = kept.note.complete_for >= kept.attempt
            return replace(kept.note, complete_for=turn.attempt) if is_complete else kept.note
        if kept and turn.reply in (kept.before, kept.note.write()):
            # Somebody else may have written into the same messages.
            return kept.note.forgetting_what_is_shown().rounded()
        return self.read(turn.reply)

    def keep(self, turn: Turn, note: Note[W]) -> None:
        self._kept[turn.id] = _Kept(turn.attempt, turn.reply, note)


def _bound(length: int) -> int:
    bound = _FIRST_BOUND if length > 0 else 0
    while bound < length:
        bound *= 2
    return bound


_adapters: dict[object, TypeAdapter[Any]] = {}  # one for each platform


def _adapter(where: type[Any]) -> TypeAdapter[Any]:
    if where not in _adapters:
        _adapters[where] = TypeAdapter(Note[where])  # type: ignore[valid-type]
    return _adapters[where]
