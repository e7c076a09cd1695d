"""The place of an answer in Slack, as the hands need it, and how notes of earlier versions are read."""

from __future__ import annotations

from dataclasses import dataclass

from bots.reply.note import Fields, Notes


@dataclass(frozen=True, slots=True)
class About:
    """What a private answer is about, and so where it is shown to others if its asker wants that."""

    channel: str
    thread_ts: str = ""  # empty: in a thread of its own
    link: str = ""  # to the message; empty if Slack told none


@dataclass(frozen=True, slots=True)
class Where:
    channel: str
    thread_ts: str  # empty: beside the threads; or it is still to be begun, see `opens`
    question_ts: str  # of what was asked; nothing of the answer was said before
    has_sign: bool = False  # the question wears our reaction until the turn is over
    opens: bool = False  # our first message says what was asked, and the answer stands in its thread
    about: About | None = None
    # The address of the answer from which a thread branches off that begins here, empty if Slack told none; None: it
    # doesn't.
    branch_of: str | None = None
    # Our message that is a stream, if one is: what was appended is the page's `length`. A process that doesn't know it ends
    # it, and goes on by updates.
    stream: str = ""

    @property
    def may_stream(self) -> bool:
        """Is it a place for streams? Elsewhere only whom it answers sees one grow."""
        return self.channel.startswith("D") and bool(self.thread_ts)


def notes() -> Notes[Where]:
    return Notes(Where, _earlier)


def _earlier(fields: Fields) -> Fields:
    """Until 0.1 all stood side by side: `messages` and `shown` as lists of strings, `is_plain` and `is_bare`."""
    ids = fields.get("messages", ())
    # What each shows isn't taken over: today's digests are of something else.
    messages = [{"id": id_} for id_ in ids]
    if messages and fields.get("has_footer"):
        messages[-1]["has_footer"] = True
    return {
        "where": {name: fields[name] for name in ("channel", "thread_ts", "question_ts")}
        | {"has_sign": fields.get("has_sign", False)},
        "messages": messages,
        "plainness": bool(fields.get("is_plain")) + bool(fields.get("is_bare")),
        "complete_for": fields.get("complete_for", 1),
    }
