"""The adapter's timeouts, in seconds, and how much it takes at once."""

from __future__ import annotations

from dataclasses import dataclass

from core.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    reach: Backoff = Backoff(first=0.5, longest=30.0, well_after=60.0)  # between tries to reach Slack
    look: float = 5.0  # between looks at the socket; its own pings go as often
    drain: float = 3.0  # at the end, for what is under way: Slack doesn't wait longer for an acknowledgement either
    call: float = 30.0  # until a call that gets no answer fails
    # Events in hand: about as many as can be recorded before Slack delivers them again anyway. So many more wait, of a
    # kilobyte or two each. What comes beyond is left to its retries, at once, after a minute and after five:
    # https://docs.slack.dev/apis/events-api#retries
    most_in_hand: int = 500
    most_waiting: int = 5_000
    twin: float = 1.0  # for the message of a mention that may lack its files
    # Slack shows an error after 3:
    # https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
    recorded_within: float = 2.5
    context: float = 2.0  # for the workspace's budget, before a thread that isn't known is read; who asks waits for it
    names: float = 1.0  # for the names of those whom a message mentions
    say_again: float = 600.0  # between two lines in the log about wrong signatures


USUAL = Times()
