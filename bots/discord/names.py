"""Names of the people, roles and channels that a Discord message mentions. No network, no clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from core.bounded import Bounded
from core.names import CHANNEL, GROUP, SOMEONE, among_words, tame

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KNOWN = 10_000
_MENTIONED = re.compile(r"<(@[!&]?|#)(\d{1,20})>")
_HIDDEN = "___hidden___"  # https://discord.com/developers/docs/resources/channel#channel-obfuscation
_OTHERWISE = {"@": SOMEONE, "@!": SOMEONE, "@&": GROUP, "#": CHANNEL}


class Names:
    """The names that people see.

    What somebody is called in a server, only messages that come live tell: https://discord.com/developers/docs/resources/message#message-object
    has no member. So it is remembered, for those that are read back.
    """

    def __init__(self, *, tells: bool = True, most: int = MOST_KNOWN) -> None:
        """Not *tells*: no person's name is told."""
        self.tells = tells
        self._known: Bounded[tuple[int, int], str] = Bounded(most)  # by server and person
        self._reposted: Bounded[int, str] = Bounded(most)  # who people see said a reposted message

    def learn(self, message: discord.Message) -> None:
        for user in (message.author, *message.mentions):
            if isinstance(user, discord.Member):
                self._known[user.guild.id, user.id] = user.display_name

    def learn_repost(self, message: discord.Message, shown: str) -> None:
        """People see *shown* as the author of *message*, which was reposted for who wrote it."""
        self._reposted[message.id] = shown

    def author_of(self, message: discord.Message) -> str:
        """As `of`, of who said *message*."""
        shown = tame(self._reposted.get(message.id)) if self.tells else ""
        return shown or self.of(message.author, message.guild)

    def of(self, user: discord.abc.User, guild: discord.Guild | None) -> str:
        """Return what people see *user* called, in one line without markup; empty if that is not to be told."""
        if not self.tells:
            return ""
        known = self._known.get((guild.id, user.id), "") if guild and not isinstance(user, discord.Member) else ""
        return tame(known) or tame(user.display_name)

    def mentioned_in(
        self, content: str, guild: discord.Guild | None, people: Mapping[int, discord.abc.User]
    ) -> dict[str, str]:
        """Return by their ids what stands for those whom *content* mentions; *people* are those of whom its message tells."""
        names: dict[str, str] = {}
        for kind, id_ in _MENTIONED.findall(content):
            if id_ not in names:
                known = self._known_as(kind, int(id_), guild, people)
                names[id_] = among_words(known, _OTHERWISE[kind])
        return names

    def _known_as(
        self, kind: str, id_: int, guild: discord.Guild | None, people: Mapping[int, discord.abc.User]
    ) -> str:
        if kind in ("@", "@!"):
            if user := people.get(id_) or (guild.get_member(id_) if guild else None):
                return self.of(user, guild)
            return self._known.get((guild.id, id_), "") if guild and self.tells else ""
        if guild is None:
            return ""
        found = guild.get_role(id_) if kind == "@&" else guild.get_channel_or_thread(id_)
        return found.name if found and found.name != _HIDDEN else ""
