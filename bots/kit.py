"""What every adapter is given, and what it must provide."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aiohttp import web

from bots.reply.page import MOST_PAGES
from core.language import say

if TYPE_CHECKING:
    from bots.finding import Finding
    from core.secret_box import SecretBox
    from core.vitals import Vitals

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Notes(Protocol):
    """Small facts that an adapter keeps over restarts."""

    async def note(self, name: str) -> str | None:
        """Return what was written under *name*, None if nothing was."""

    async def write_note(self, name: str, text: str) -> None:
        """Keep *text* under *name*."""


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


def appeal(channel: str, reference: str) -> str:
    """What to tell whoever asked in a *channel* in which the bot may not write."""
    return say(
        "I couldn't answer you in {channel} because I'm not allowed to post there. Ask somebody who manages the channel or "
        "the app to let me, then ask again. (Reference: `{reference}`)",
        channel=channel,
        reference=reference,
    )


@dataclass(frozen=True, slots=True)
class Kit:
    """What an adapter may use of the rest."""

    notes: Notes
    secret_box: SecretBox
    vitals: Vitals
    routes: Routes
    most_pages: int = MOST_PAGES  # messages in which an answer is shown
    hears_alone: bool = True  # does no other process take a part of what a platform tells?
    names: bool = True  # may it be told what people are called?
    bots: frozenset[str] = frozenset()  # ids of other bots, and of workflows, that may ask
