"""Discord's ids, and those by which core knows what they name: put together and taken apart here, and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bots.listening.mark import Scale
from core.thread import PlaceId, Thread, ThreadId
from core.turn import BRANCHES, GOES_ON, QuestionKey

if TYPE_CHECKING:
    from collections.abc import Iterable


NAME = "discord"
_DIRECT = "dm"  # in the place of a guild
_SINCE = re.compile(rf"(?:/shared|(?:{GOES_ON}|{BRANCHES})\w*)+\Z", re.ASCII)
# Ids of messages rise with time, in 1/2^22 of a millisecond: https://discord.com/developers/docs/reference#snowflakes
SCALE = Scale(a_second=1_000 << 22, epoch=discord.utils.DISCORD_EPOCH // 1_000)


def key_of(message: int) -> QuestionKey:
    """Return the key of the question that a message asks."""
    return QuestionKey(f"{NAME}:{message}")


def key_of_command(interaction: int) -> QuestionKey:
    return QuestionKey(f"{NAME}:interaction/{interaction}")


def message_of(key: QuestionKey) -> int:
    """Return the id of the message, or interaction, that asked; also of what became of its answer since."""
    return int(re.split("[:/]", _SINCE.sub("", key))[-1])


def age(message: int) -> float:
    """For how many seconds a message with this id has been there."""
    return (discord.utils.utcnow() - discord.utils.snowflake_time(message)).total_seconds()


def thread_in(guild: int | None, channel: int, around: Iterable[int] = (), *, command: int = 0) -> Thread:
    """Return a channel or Discord's thread; of it, what goes on with the *command* that asked there, if given.

    *around*: the ids of what it lies in beside the guild, widest first. Without a guild it is a direct conversation.
    """
    own = f"/{command}" if command else ""
    if guild is None:
        place = f"{NAME}:{_DIRECT}/{channel}"
        return Thread(ThreadId(place + own), NAME, (PlaceId(place),), is_direct=True)
    places = (PlaceId(f"{NAME}:{guild}"), *(PlaceId(f"{NAME}:{guild}/{one}") for one in around))
    return Thread(ThreadId(f"{NAME}:{guild}/{channel}{own}"), NAME, places)


def around(thread: Thread) -> frozenset[str]:
    """Return the ids of the channels, categories and Discord's threads that a thread in a guild lies in."""
    return frozenset(place.split("/")[1] for place in thread.layers[1:])


def channel_of(thread: ThreadId) -> int:
    """Return the id of the channel, or Discord's thread, where a thread takes place."""
    return int(thread.split("/")[1])


def has_own_place(thread: ThreadId) -> bool:
    """Is it a conversation that began with a command, of the several in one place?"""
    return thread.count("/") > 1


def guild_of(thread: ThreadId) -> int | None:
    """Return the id of the guild where a thread takes place; None of a direct conversation."""
    guild = thread.removeprefix(f"{NAME}:").partition("/")[0]
    return None if guild == _DIRECT else int(guild)
