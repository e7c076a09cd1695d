"""Finds out who asks in Discord, as far as a rule needs it: which of the server's roles they have."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import discord

from bots.discord.errors import translated
from bots.discord.ids import around, guild_of
from core.access import Asker, bot_asker, id_of, is_bot
from core.bounded import Bounded
from core.errors import ChatUnclear

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.access import Rules
    from core.thread import Thread

MOST_KNOWN = 10_000  # members
FRESH = 300.0  # seconds in which Discord is not asked again


class Askers:
    """Remembers the roles that events tell of for a while, so that Discord need not be asked."""

    def __init__(self, client: discord.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._roles: Bounded[tuple[int, int], tuple[float, frozenset[str]]] = Bounded(MOST_KNOWN)

    def heard(self, author: discord.abc.User) -> None:
        if isinstance(author, discord.Member):
            roles = frozenset(str(role.id) for role in author.roles)
            self._roles[author.guild.id, author.id] = self._clock(), roles

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        """As `core.chat.Describes`."""
        guild = guild_of(thread.id)
        roles: frozenset[str] | None = frozenset()
        if rules.roles and not is_bot(asker):
            roles = await self._roles_of(int(asker), guild, rules)
        return Asker(
            ids=frozenset({id_of(asker)}),
            channels=around(thread) if guild else frozenset(),
            workspace=str(guild) if guild else "",
            is_direct=thread.is_direct,
            roles=roles,
            is_bot=is_bot(asker),
        )

    async def _roles_of(self, user: int, guild: int | None, rules: Rules) -> frozenset[str] | None:
        """In a direct conversation those that somebody has where the rules' roles are; None if nobody knows where."""
        if guild:
            return await self._roles_in(guild, user)
        homes = {role: [one.id for one in self._client.guilds if one.get_role(int(role))] for role in rules.roles}
        if not all(homes.values()):
            return None
        found = [await self._roles_in(home, user) for home in {home for some in homes.values() for home in some}]
        return frozenset().union(*found)

    async def _roles_in(self, guild: int, user: int) -> frozenset[str]:
        """https://discord.com/developers/docs/resources/guild#get-guild-member. Raises a ChatError."""
        told_at, roles = self._roles.get((guild, user), (0.0, None))
        if roles is None or self._clock() - told_at > FRESH:
            with translated():
                roles = _read(await self._asked(guild, user))
            self._roles[guild, user] = self._clock(), roles
        return roles

    async def _asked(self, guild: int, user: int) -> Any:
        try:
            return await self._client.http.get_member(guild, user)
        except discord.NotFound:  # who is no member has no role
            return {"roles": []}


def _read(member: Any) -> frozenset[str]:
    roles = member.get("roles") if isinstance(member, dict) else None
    if not isinstance(roles, list):
        raise ChatUnclear("no roles in the answer")
    return frozenset(map(str, roles))


def listed_bot(message: discord.Message, bots: Collection[str], me: int) -> str:
    """Return what a bot, or a webhook, is called that is one of the listed *bots* and said *message*; else nothing.

    The bot itself is none of them, whatever stands in the list.
    """
    if not (message.author.bot or message.webhook_id) or message.author.id == me:
        return ""
    ids = [str(id_) for id_ in (message.author.id, message.webhook_id, message.application_id) if id_]
    return next((bot_asker(id_) for id_ in ids if id_ in bots), "")
