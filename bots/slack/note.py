"""What the adapter must know of a turn's messages to go on with them after a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from core.turn import Reply

PLAINER_AFTER = 3  # refusals for a reason that isn't known


@dataclass(frozen=True, slots=True)
class Note:
    """Kept as `Turn.reply`. Page n of the answer stands in message n."""

    channel: str
    thread_ts: str
    question_ts: str
    has_sign: bool = False  # the question wears our reaction until the turn is over
    messages: tuple[str, ...] = ()  # the ts of each
    shown: tuple[str, ...] = ()  # a digest of what each shows; empty when that isn't known
    # The last message has a footer, which must not stay when the turn has none any more.
    has_footer: bool = False
    # Slack refused this answer's Markdown, so it stands there as plain text.
    is_plain: bool = False
    # It refused that as well, so there are no blocks at all: no button either.
    is_bare: bool = False
    # The attempt by which `messages` is known to be complete: of a later one, a process may have died between
    # posting and writing it down. 0: not known to be.
    complete_for: int = 1
    # How often in a row Slack has refused the end for a reason that isn't known here. Not written down.
    refusals: int = 0

    @classmethod
    def read(cls, reply: Reply) -> Note:
        """Raises ValueError or TypeError for what isn't a note of ours."""
        fields = json.loads(reply)
        messages = tuple(fields.pop("messages", ()))
        shown = tuple(fields.pop("shown", ())) or ("",) * len(messages)
        return cls(**fields, messages=messages, shown=shown)

    def write(self, *, is_final: bool = False) -> Reply:
        """Write it down; only of a turn that *is_final* with what each message shows."""
        fields = asdict(self)
        del fields["refusals"]
        if not is_final:
            # This changes with every update: a note that stays the same need not be saved again.
            del fields["shown"]
        return Reply(json.dumps(fields, separators=(",", ":")))

    def posted(self, ts: str, digest: str) -> Note:
        return replace(self, messages=(*self.messages, ts), shown=(*self.shown, digest))

    def updated(self, page: int, digest: str) -> Note:
        return replace(self, shown=(*self.shown[:page], digest, *self.shown[page + 1 :]))

    def cut(self, pages: int) -> Note:
        """Only the first *pages* messages are left."""
        return replace(self, messages=self.messages[:pages], shown=self.shown[:pages])

    def refused(self) -> Note:
        """Refused once more, and nobody knows why. It may be what is said: now and then plainer clothes are tried."""
        note = replace(self, refusals=self.refusals + 1)
        return note.plainer() if note.refusals % PLAINER_AFTER == 0 and not note.is_bare else note

    def plainer(self) -> Note:
        """As it is shown now, Slack refuses it: all is to be written again in plainer clothes."""
        return replace(self, is_plain=True, is_bare=self.is_plain, shown=("",) * len(self.messages))
