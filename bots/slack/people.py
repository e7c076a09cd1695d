"""Looks up who somebody is in Slack: member or guest, admin or not; and remembers it, since Slack limits the asking."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from core.bounded import Bounded
from core.errors import ChatError, ChatForbidden, NotAllowed, facts
from core.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bots.slack.api import Api

LOOK_UP_TIMEOUT = 1.0  # seconds
FRESH = 300.0  # seconds in which Slack is not asked again
KEPT = 86_400.0  # seconds for which it is still believed when Slack doesn't tell
MOST_KNOWN = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    is_member: bool  # of this installation, and no guest
    is_admin: bool
    is_guest: bool = False
    is_external: bool = False  # of another organisation


class People:
    """The people of one installation."""

    def __init__(
        self, api: Api, team: str, *, most: int = MOST_KNOWN, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*team* is the installation's: a workspace's id, or an organisation's. So many people are remembered at *most*."""
        self._api = api
        self._team = team
        self._clock = clock
        self._known: Bounded[str, tuple[float, Person]] = Bounded(most)

    async def check_member(self, user: str) -> None:
        """Raises NotAllowed for guests, and while Slack doesn't tell who is one."""
        try:
            person = await self.look_up(user)
        except ChatForbidden as refusal:
            log.warning("Slack refuses to tell who is a guest; nobody may change presets", **facts(refusal))
            raise NotAllowed(
                say("I may not look up who is a guest, so I change nothing. Please tell the person who runs me.")
            ) from refusal
        except (ChatError, TimeoutError) as trouble:
            log.warning("Slack doesn't tell who is a guest; refusing a change", **facts(trouble))
            raise NotAllowed(
                say(
                    "Slack doesn't tell me right now who is a guest, so I change nothing. Please try again in a minute."
                )
            ) from trouble
        if not person.is_member:
            raise NotAllowed(say("Guests can't change presets. `preset show` shows the current one."))

    async def manages(self, user: str, channel: str) -> bool:
        """Does somebody manage *channel*: as an admin, or as who made it? No, while Slack doesn't tell."""
        try:
            person = await self.look_up(user)
            if person.is_admin:
                return True
            async with asyncio.timeout(LOOK_UP_TIMEOUT):
                return person.is_member and await self._api.creator(channel) == user
        except (ChatError, TimeoutError) as trouble:
            log.warning("Slack doesn't tell who manages a channel; refusing a command", **facts(trouble))
            return False

    async def look_up(self, user: str) -> Person:
        """Raises ChatError or TimeoutError when Slack doesn't tell, and hasn't told lately."""
        asked_at, known = self._known.get(user, (0.0, None))
        if known and self._clock() - asked_at < FRESH:
            return known
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT):
                person = self._read(await self._api.person(user))
        except (ChatError, TimeoutError):
            if known and self._clock() - asked_at < KEPT:
                return known
            raise
        self._known[user] = self._clock(), person
        return person

    def _read(self, person: Mapping[str, Any]) -> Person:
        """https://docs.slack.dev/reference/objects/user-object"""
        # In an organisation somebody's own workspace may be another than this one, and has an id beside the whole's.
        whole = person.get("enterprise_user")
        whole = whole if isinstance(whole, dict) else {}
        workspaces = whole.get("teams")
        homes = [
            person.get("team_id"),
            whole.get("enterprise_id"),
            *(workspaces if isinstance(workspaces, list) else []),
        ]
        is_guest = any(person.get(flag) for flag in ("is_restricted", "is_ultra_restricted"))
        is_external = bool(person.get("is_stranger")) or self._team not in homes
        is_member = not (is_guest or is_external)
        ranks = (person.get("is_admin"), person.get("is_owner"), whole.get("is_admin"), whole.get("is_owner"))
        return Person(is_member, is_member and any(ranks), is_guest, is_external)
