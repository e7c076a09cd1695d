"""Slack's own Stop button, read as which answer is to end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.slack.ids import is_ts, key_of, thread_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.turn import QuestionKey

MOST_STREAMS = 10  # that are looked at; an answer has one at a time


@dataclass(frozen=True, slots=True)
class Stop:
    """A press of it."""

    key: QuestionKey  # of what was asked by the message that the thread hangs on
    marks: tuple[str, ...]  # one of these stands in the note of the answer
    within: str  # how the ids of the threads of its channel begin
    by: str


def read_stop(body: Mapping[str, Any], team: str) -> Stop:
    """https://docs.slack.dev/reference/events/agent_session_stopped

    Raises ValueError or TypeError for what is no such event.
    """
    event = body["event"]
    channel, thread_ts, by = event["channel"], event["thread_ts"], event["user"]
    streaming = event.get("streaming_message_ts") or ()
    if not (isinstance(channel, str) and is_ts(thread_ts) and isinstance(by, str)):
        raise TypeError
    streams = tuple(ts for ts in streaming if is_ts(ts))[:MOST_STREAMS] if isinstance(streaming, list | tuple) else ()
    # Before there is a stream, the note knows the thread.
    marks = streams or (f'"thread_ts":"{thread_ts}"',)
    return Stop(key_of(team, channel, thread_ts), marks, thread_in(team, channel).id, by)
