"""Slack's ids, and those by which core knows what they name: put together and taken apart here, and nowhere else."""

from __future__ import annotations

import hashlib
import re
from typing import TypeGuard

from bots.listening.mark import Scale
from core.thread import PlaceId, Thread, ThreadId
from core.turn import QuestionKey

NAME = "slack"
# What is asked by a command or in a form, and the thread that is then begun, are known before there is any message: by
# the use of the command, or the form, in place of a ts.
ASK = "ask."
_OCCASION = re.compile(r"[A-Za-z0-9.]{1,80}", re.ASCII)
# https://docs.slack.dev/messaging/retrieving-messages#individual_messages
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
CLOCKS_DIFFER_BY = 60.0  # seconds at most: ours and Slack's
Place = tuple[str, str]  # a channel and the ts of a thread in it; empty: the channel beside its threads


def is_ts(ts: object) -> TypeGuard[str]:
    """Can it be compared with the others?"""
    return isinstance(ts, str) and bool(_TS.fullmatch(ts))


def position(ts: str) -> int:
    """Return where a message stands among others: microseconds. Raises ValueError for what is no ts."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def ts_at(position: int) -> str:
    return f"{position // 1_000_000}.{position % 1_000_000:06}"


def asked_by(ts: str) -> str:
    """Return a ts before which all stands that was said when somebody asked in a form: *ts* is as early as that may be."""
    return ts_at(position(ts) + round(CLOCKS_DIFFER_BY * 1_000_000))


SCALE = Scale(a_second=1_000_000, read=lambda text: position(text) if is_ts(text) else None, write=ts_at)


def key_of(team: str, channel: str, ts: str) -> QuestionKey:
    """Return the key of the question that a message asks."""
    return QuestionKey(f"{NAME}:{team}/{channel}/{ts}")


def ask_id(occasion: str) -> str:
    """Return what stands for the ts of a question that no message asks, the same for the same *occasion*."""
    return ASK + (
        occasion if _OCCASION.fullmatch(occasion) else hashlib.blake2b(occasion.encode(), digest_size=16).hexdigest()
    )


def is_ask(id_: str) -> bool:
    """Is it that of a question that no message asks, or of the thread that such a question begins?"""
    return f"/{ASK}" in id_


def message_of(key: QuestionKey) -> tuple[str, str, str]:
    """Return the installation, the channel and the ts of the message that asked. Raises ValueError for no key of ours.

    What no message asked has no ts, but its own id.
    """
    name, _, ids = key.partition(":")
    team, channel, ts, *_ = ids.split("/")
    if name != NAME:
        raise ValueError("not a key of ours")
    return team, channel, ts


def workspace_of(team: str) -> PlaceId:
    return PlaceId(f"{NAME}:{team}")


def thread_in(team: str, channel: str, thread_ts: str = "") -> Thread:
    """Without *thread_ts* the channel itself, where it has to stand for a thread."""
    within = (workspace_of(team), PlaceId(f"{NAME}:{team}/{channel}"))
    return Thread(
        ThreadId("/".join(filter(None, (within[-1], thread_ts)))), NAME, within, is_direct=channel.startswith("D")
    )


def around(thread: Thread) -> tuple[str, str]:
    """Return the installation and the channel of a thread."""
    team, channel = thread.channel.removeprefix(f"{NAME}:").split("/")
    return team, channel


def place_of(thread: ThreadId) -> Place:
    """Return the channel and the ts of a thread; empty is that of a direct conversation beside its threads."""
    _, channel, *thread_ts = thread.split("/")
    return channel, thread_ts[0] if thread_ts else ""
