"""The kit that every adapter is given, and the protocols that it must provide."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aiohttp import web

from bots.reply.page import MOST_PAGES
from core.errors import referring
from core.language import marked, say

if TYPE_CHECKING:
    from bots.finding import Finding
    from core.secret_box import SecretBox
    from core.thread import Thread, ThreadId
    from core.turn import TurnId
    from core.vitals import Vitals

OUR_OWN = marked("our direct messages")  # what people call a channel where nobody else is

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Notes(Protocol):
    """Small facts that an adapter keeps over restarts."""

    async def note(self, name: str) -> str | None:
        """Return what was written under *name*, None if nothing was."""

    async def write_note(self, name: str, text: str) -> None:
        """Keep *text* under *name*."""


class Ground(Notes, Protocol):
    """And from where threads go on."""

    async def grow(self, thread: Thread, of: ThreadId, after: TurnId) -> None:
        """Have *thread*, unless it has turns, go on from what was said in another up to the turn *after*."""


# Takes a row as it stands and the time in seconds since 1970, the same for all processes; returns the row to be.
Change = Callable[[dict[str, Any], float], dict[str, Any]]


class Budgets(Protocol):
    """The budgets that all processes use up together, by name: each is a row, changed by one of them at a time."""

    async def change(self, name: str, change: Change) -> None:
        """Have *change* change the row *name*, empty at first; it may be called again. Raises StorageUnavailable."""


class Routes(Protocol):
    """The web door, as far as an adapter may hang something of its own in it."""

    def post(self, path: str, answer: Route) -> None:
        """Have *answer* take POST requests to *path*."""


@runtime_checkable
class Checked(Protocol):
    """A chat that can tell whether its platform still lets it do what it is there for."""

    def check(self) -> AsyncGenerator[Finding, None]:
        """Yield what is found, nothing while that can't be told: the platform is away, or busy.

        Raises SetupError when a token is refused. It is called every minute or so.
        """


def appeal(channel: str, reference: str, contact: str = "") -> str:
    """What to tell whoever asked in a *channel* in which the bot may not write; all of it as the platform takes it."""
    sentence = say(
        "I couldn't answer you in {channel} because I'm not allowed to post there. Ask somebody who manages the channel or "
        "the app to let me, then ask again.",
        channel=channel,
    )
    return referring(sentence, reference, contact)


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything of Bobbin's that an adapter is given."""

    notes: Ground
    secret_box: SecretBox
    vitals: Vitals
    routes: Routes
    budgets: Budgets | None = None  # None: no other process is on the database
    most_pages: int = MOST_PAGES  # messages in which an answer is shown
    hears_alone: bool = True  # does no other process take a part of what a platform tells?
    names: bool = True  # may it be told what people are called?
    contact: str = ""  # whom people should tell of what only an operator can mend
    bots: frozenset[str] = frozenset()  # ids of other bots, and of workflows, that may ask
    buttons: bool = False  # are people offered what they can do with a finished answer?
