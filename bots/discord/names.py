"""What those are called who are mentioned in a Discord message: people, roles and channels. Pure: no network, no clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.names import CHANNEL, GROUP, SOMEONE, among_words, tame

if TYPE_CHECKING:
    from collections.abc import Mapping

    import discord

_MENTIONED = re.compile(r"<(@[!&]?|#)(\d{1,20})>")
_HIDDEN = "___hidden___"  # https://discord.com/developers/docs/resources/channel#channel-obfuscation
_OTHERWISE = {"@": SOMEONE, "@!": SOMEONE, "@&": GROUP, "#": CHANNEL}


def name_of(user: discord.abc.User, *, tells: bool) -> str:
    """Return what people see somebody called, in one line without markup; empty if that is not to be told."""
    return tame(user.display_name) if tells else ""


def names_in(
    content: str, guild: discord.Guild | None, mentioned: Mapping[int, discord.abc.User], *, tells: bool
) -> dict[str, str]:
    """Return by their ids what stands for those whom *content* mentions, known or not.

    *mentioned* are the people whom the message itself tells of. Not *tells*: people's names are left out.
    """
    names: dict[str, str] = {}
    for kind, id_ in _MENTIONED.findall(content):
        if id_ not in names:
            known = _known(kind, int(id_), guild, mentioned, tells=tells)
            names[id_] = among_words(known, _OTHERWISE[kind])
    return names


def _known(
    kind: str, id_: int, guild: discord.Guild | None, mentioned: Mapping[int, discord.abc.User], *, tells: bool
) -> str:
    if kind in ("@", "@!"):
        user = mentioned.get(id_) or (guild.get_member(id_) if guild else None)
        return user.display_name if user and tells else ""
    if guild is None:
        return ""
    found = guild.get_role(id_) if kind == "@&" else guild.get_channel_or_thread(id_)
    return found.name if found and found.name != _HIDDEN else ""
