"""The faults of the local Slack, which count down as they strike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.replies import OddReplies, Reply

if TYPE_CHECKING:
    from sandbox.slack.limits import Limit


@dataclass(frozen=True, slots=True)
class Failure:
    """How a Web API call fails: with `ok: false` and *error* when *status* is 200, else with that HTTP status."""

    status: int = 200
    error: str = "internal_error"
    retry_after: int = 1  # seconds, sent with 429: for as long the method is refused; 0: only this once


@dataclass(frozen=True, slots=True)
class Raw:
    """What comes with status 200 in place of a method's answer, as from a portal between the app and Slack."""

    body: str
    content_type: str = "application/json"


@dataclass(slots=True)
class Faults:
    """Switches; all off at first. Everything may be set while the server runs."""

    redeliver: int = 0  # send every event this many times again although it was acknowledged
    mention_first: bool = False  # app_mention before message
    lose_acks: int = 0  # treat the next acknowledgements as if they never came
    lose_events: bool = False  # what happens is never delivered, as what happened to an app away for over two hours
    # History is told as to commercial apps outside the Marketplace: 15 messages at once, one call a minute.
    # https://docs.slack.dev/apis/web-api/rate-limits#rate-limits-for-non-marketplace-apps
    few_messages: bool = False
    # Channels, by id, that have no native streams; `*`: none has.
    no_streams: set[str] = field(default_factory=set)
    # Seconds after which a stream ends by itself: slackapi/python-slack-sdk#1859.
    stream_seconds: float = 300.0
    expect_acks: bool = True  # off: whatever is sent counts as acknowledged at once
    limits: dict[str, Limit] = field(default_factory=dict)  # by method, in place of its tier
    raw: dict[str, Raw] = field(default_factory=dict)  # by method, for as long as it stands here
    # By ts: what is merged into messages that are read back, or stands in their place if it is no object.
    added: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    odd_replies: OddReplies = field(default_factory=OddReplies)
    file: Reply | None = None  # what comes in place of every file

    def fail(self, method: str, failure: Failure, times: int = 1) -> None:
        """Have the next calls of *method* fail."""
        self.failures.setdefault(method, []).extend([failure] * times)

    def rate_limit(self, method: str, retry_after: int = 1, times: int = 1) -> None:
        """Have the next call of *method* get 429, and with it all that come within *retry_after* seconds.

        With *times*, the first call after that gets 429 again, and so on.
        """
        self.fail(method, Failure(429, "ratelimited", retry_after), times)

    def odd(self, method: str, reply: Reply, times: int | None = 1, *, done: bool = False) -> None:
        """Have the next calls of *method* (`*`: of any) answered with *reply*; None: all, until `clear`.

        What they ask for is not done, or *done* all the same.
        """
        self.odd_replies.add(method, reply, times, done=done)

    def clear(self) -> None:
        """Let no call fail any more, nor be answered oddly."""
        self.failures.clear()
        self.odd_replies.clear()
        self.file = None

    def next_failure(self, method: str) -> Failure | None:
        waiting = self.failures.get(method)
        return waiting.pop(0) if waiting else None

    def loses_this_ack(self) -> bool:
        if self.lose_acks == 0:
            return False
        self.lose_acks -= 1
        return True
