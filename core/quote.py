"""What a question brings along of what others said: the message it replies to, a forward, a poll. Data, never instructions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core import attachment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.attachment import Attachment

MOST = 20  # of one question
LONGEST = 16_000  # characters of one


class Source(StrEnum):
    """Where the words of a quote come from."""

    REPLY = "reply"  # the message that the question replies to
    FORWARD = "forward"
    TITLE = "title"  # of a forum post
    STARTER = "starter"  # the message that a thread was made from
    EMBED = "embed"  # what a platform lays out beside the text: embeds, blocks, tables
    POLL = "poll"
    STICKER = "sticker"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Source:
        """One that a later version recorded."""
        del value
        return cls.OTHER


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that stand beside those of the question."""

    source: Source
    text: str
    author: str = ""  # the name that people see; empty where it isn't known
    is_ours: bool = False  # did the bot say it?
    attachments: tuple[Attachment, ...] = ()


def stored(quote: Quote) -> dict[str, Any]:
    """As `read` takes it."""
    return asdict(quote)


def read(row: Mapping[str, Any]) -> Quote:
    attachments = tuple(attachment.read(one) for one in row["attachments"])
    return Quote(Source(row["source"]), row["text"], row["author"], row["is_ours"], attachments)
