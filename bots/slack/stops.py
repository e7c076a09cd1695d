"""Reads clicks on Slack's own Stop button, as if somebody had reacted to the answer with ❌. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bots.listening.events import Reacted
from bots.reply.page import Wish
from bots.slack.ids import is_ts, key_of, thread_in

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_STREAMS = 10  # that are looked at; an answer has one at a time


def read_stop(body: Mapping[str, Any], team: str) -> list[Reacted]:
    """https://docs.slack.dev/reference/events/agent_session_stopped

    Raises KeyError or TypeError for what is no such event.
    """
    event = body["event"]
    channel, thread_ts, by = event["channel"], event["thread_ts"], event["user"]
    if not (isinstance(channel, str) and is_ts(thread_ts) and isinstance(by, str)):
        raise TypeError
    streaming = event.get("streaming_message_ts")
    streams = list(filter(is_ts, streaming))[:MOST_STREAMS] if isinstance(streaming, list) else []
    # Before there is a stream, the note of an answer knows its thread.
    marks = [f'"{ts}"' for ts in streams] or [f'"thread_ts":"{thread_ts}"']
    key, within = key_of(team, channel, thread_ts), thread_in(team, channel).id
    return [Reacted(key, mark, within, by=by, wish=Wish.STOP) for mark in marks]
