"""The place of an answer in Discord, as the hands need it, and how notes of earlier versions are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bots.reply.note import Fields, Note, Notes

if TYPE_CHECKING:
    from core.turn import Turn

# The id of a message is Discord's; with this before it, it is the command's, and reached by its token.
BY_TOKEN = "@"  # noqa: S105 (no secret)
# The response to the command, as long as nothing was written into it:
# https://discord.com/developers/docs/interactions/receiving-and-responding#edit-original-interaction-response
ORIGINAL = f"{BY_TOKEN}original"


@dataclass(frozen=True, slots=True)
class Starter:
    """The message that a thread is still to be made from."""

    channel: int
    message: int
    name: str  # of the thread


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the response to a slash command."""

    application: int
    sealed: str
    until: float  # seconds since 1970; later, the channel is the way


@dataclass(frozen=True, slots=True)
class Where:
    # Where the answer goes; a thread has the id of its starter, so this is known before the thread is there.
    channel: int
    starter: Starter | None = None  # None once the thread is there
    reply_to: int | None = None  # the message in the same channel that is answered
    is_command: bool = False  # people see who used a command, not the question: the answer quotes it
    token: Token | None = None
    # The bot itself is not in that place: somebody brought it along, and nothing but the token opens it.
    is_foreign: bool = False
    about: int | None = None  # the message in the same channel that was picked to ask about
    # What stands for the message that asked, where a click did: of Discord's ids, so that it says when that was.
    since: int | None = None
    # The address of the answer from which a thread branches off that hangs on our first message; empty: it doesn't.
    branch_of: str = ""
    # How often messages were given up, deleted or closed: by the nonces of until then Discord would know them again.
    given_up: int = 0

    def is_by_token_only(self, turn: Turn) -> bool:
        """Does nothing but a token show the answer: nobody else is to see it, or the bot doesn't see the place?"""
        return turn.question.is_private or self.is_foreign


def said_to_wait(note: Note[Where]) -> Note[Where]:
    """As it is of a question that waited: the response to its command says so, and nothing of the answer."""
    if note.messages and note.messages[0].id == ORIGINAL:
        return note.placed(0, replace(note.messages[0], is_aside=True))
    return note


def notes() -> Notes[Where]:
    return Notes(Where, _earlier)


def _earlier(fields: Fields) -> Fields:
    """Until 0.1 all stood side by side, and messages were `posts`."""
    posts = fields.pop("posts", ())
    return {"where": fields, "messages": [_message(post) for post in posts]}


def _message(post: Fields) -> dict[str, Any]:
    id_ = f"{BY_TOKEN if post.get('by_token') else ''}{post['id'] or 'original'}"
    return {"id": id_, "is_aside": post.get("is_aside", False), "has_footer": post.get("has_button", False)}
