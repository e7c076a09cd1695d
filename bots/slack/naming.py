"""Finds out what those are called whom a Slack message names by id, within the budget that Slack leaves for that.

A name is never worth waiting for: who is not known in a second stays without one.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bots.bucket import Bucket
from bots.listening.events import Overheard, Said
from bots.slack.names import NAMELESS, Names, mentioned_in, names
from bots.slack.times import USUAL
from core.bounded import Bounded
from core.errors import ChatClosed, ChatError, ChatForbidden, ChatRejected, ChatUnclear, ThreadGone, facts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
    from typing import Any

    from bots.listening.events import Heard
    from bots.slack.api import Api

WITHIN = USUAL.names
LANGUAGE_WITHIN = 0.5  # seconds: who gives a command is to be answered within three
FRESH = 3600.0  # seconds in which Slack is not asked again for a name
UNKNOWN_FOR = 300.0  # seconds in which it is not asked again for one that it didn't tell
REST = 30.0  # seconds in which nothing is asked after Slack couldn't be asked
REST_WITHOUT_LEAVE = 600.0  # seconds, after it said that the app may not ask
MOST_KNOWN = 10_000
# https://docs.slack.dev/apis/web-api/rate-limits: users.info is of tier 4 (100 a minute), conversations.info of tier 3
# (50), usergroups.list, which tells of all groups at once, of tier 2 (20). Others call the first two as well.
PEOPLE_A_MINUTE, CHANNELS_A_MINUTE, GROUPS_A_MINUTE = 40, 15, 1  # and as many at once

log = structlog.get_logger(__name__)


class _Book:
    """The names of one kind, by id. It asks for each once at a time."""

    def __init__(
        self,
        what: str,
        ask: Callable[[str], Awaitable[Mapping[str, str]]],
        a_minute: int,
        clock: Callable[[], float],
        within: float,
    ) -> None:
        """*ask* returns the names that the platform tells when it is asked for one. Raises ChatError."""
        self._what = what
        self._ask = ask
        self._clock = clock
        self._within = within
        self._bucket = Bucket(a_minute / 60, a_minute, clock)
        self._known: Bounded[str, tuple[float, str]] = Bounded(MOST_KNOWN)  # until when it is fresh, and the name
        self._asking: dict[str, asyncio.Task[None]] = {}

    def known(self, id_: str) -> str:
        return self._known.get(id_, (0.0, ""))[1]

    def is_fresh(self, id_: str) -> bool:
        return self._known.get(id_, (0.0, ""))[0] > self._clock()

    def ask(self, ids: Iterable[str]) -> set[asyncio.Task[None]]:
        """Begin to ask for those that aren't known, as far as the budget goes; return what to wait for."""
        for id_ in ids:
            if id_ not in self._asking and not self.is_fresh(id_) and self._bucket.try_take():
                task = self._asking[id_] = asyncio.create_task(self._look_up(id_))
                task.add_done_callback(lambda _, id_=id_: self._asking.pop(id_, None))  # type: ignore[misc]
        return {self._asking[id_] for id_ in ids if id_ in self._asking}

    async def _look_up(self, id_: str) -> None:
        try:
            async with asyncio.timeout(self._within):
                told = await self._ask(id_)
        except (ChatUnclear, ThreadGone, ChatRejected) as refusal:  # of this one alone
            log.debug("Slack does not tell a name", of=self._what, **facts(refusal))
            self._known[id_] = self._clock() + UNKNOWN_FOR, self.known(id_)
        except (ChatError, TimeoutError) as trouble:
            if not self._bucket.held:
                log.warning("Slack does not tell names; going on without", of=self._what, **facts(trouble))
            rest = REST_WITHOUT_LEAVE if isinstance(trouble, ChatForbidden | ChatClosed) else REST
            self._bucket.hold(max(rest, getattr(trouble, "retry_after", 0.0) or 0.0))
        else:
            self._known.update({one: (self._clock() + FRESH, name) for one, name in told.items()})
            if id_ not in told:
                self._known[id_] = self._clock() + UNKNOWN_FOR, ""


class Naming:
    """Names what messages of one installation name by id."""

    def __init__(
        self, api: Api, *, tells: bool, clock: Callable[[], float] = time.monotonic, within: float = WITHIN
    ) -> None:
        """Not *tells*: people's names are neither asked for nor told. *within* so many seconds all names of a message."""
        self._within = within
        self.tells = tells
        self._language_of = api.language_of
        self._people = _Book("people", api.names_of_person, PEOPLE_A_MINUTE, clock, within)
        self._channels = _Book("channels", api.names_of_channel, CHANNELS_A_MINUTE, clock, within)
        self._groups = _Book("groups", lambda _: api.names_of_groups(), GROUPS_A_MINUTE, clock, within)

    async def people(self, users: Collection[str]) -> Mapping[str, str]:
        """Return what people see *users* called, without those of whom that isn't known, or not to be told."""
        if not self.tells:
            return {}
        if asking := self._people.ask(users):
            await asyncio.wait(asking, timeout=self._within)
        return {user: name for user in users if (name := self._people.known(user))}

    async def of(self, message: Mapping[str, Any]) -> Names:
        """Return the names of all whom *message*, as it came from Slack, names by id."""
        mentioned = mentioned_in(message)
        people = mentioned.people if self.tells else {}
        channels, groups = _unlabelled(mentioned.channels), _unlabelled(mentioned.groups)
        asking = self._people.ask(people) | self._channels.ask(channels) | self._groups.ask(groups)
        if asking:
            await asyncio.wait(asking, timeout=self._within)
        return names(
            mentioned,
            people={one: self._people.known(one) for one in people},
            channels={one: self._channels.known(one) for one in channels},
            groups={one: self._groups.known(one) for one in groups},
            tells=self.tells,
            language=self._language_of(str(message.get("user"))),
        )

    async def language_of(self, user: str) -> str:
        """Return the language that Slack tells of *user*; empty where it doesn't, or not soon enough."""
        if self.tells and (asking := self._people.ask([user])):
            await asyncio.wait(asking, timeout=min(LANGUAGE_WITHIN, self._within))
        return self._language_of(user)

    async def read(self, read: Callable[[Names], Heard], message: Mapping[str, Any]) -> Heard:
        """Have *message* read with the names of those whom it names, if it is anything that somebody said."""
        heard = read(NAMELESS)
        return read(await self.of(message)) if isinstance(heard, Said | Overheard) else heard


def _unlabelled(those: Mapping[str, str]) -> list[str]:
    return [id_ for id_, label in those.items() if not label]
