"""Switches with which the stand-in misbehaves as the real platform now and then does."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.replies import OddReplies, Reply

NONCE_SECONDS = 180.0  # "the past few minutes", says the documentation


@dataclass(slots=True)
class Outage:
    """The next *times* calls of a route are answered with *status* instead of being done."""

    route: str
    status: int
    times: int
    retry_after: float = 1.0  # seconds; for 429
    scope: str = "user"


@dataclass(slots=True)
class Faults:
    """Routes are written as in Discord's documentation: `POST /channels/{channel_id}/messages`; `*` is every route."""

    outages: list[Outage] = field(default_factory=list)
    odd_replies: OddReplies = field(default_factory=OddReplies)
    added: dict[int, dict[str, Any]] = field(default_factory=dict)  # to the payloads of messages, by their ids
    file: Reply | None = None  # what comes in place of every file
    hello: dict[str, Any] | None = None  # what the gateway greets with instead of what it should
    latency: float = 0.0  # seconds that a REST call takes, there and back
    interaction_deadline: float = 3.0  # seconds until "The application did not respond"
    token_lifetime: float = 900.0  # seconds for which an interaction's token can be used
    interaction_delay: float = 0.0  # seconds by which the gateway is late with interactions
    nonce_lifetime: float = NONCE_SECONDS  # for which a message with the same nonce isn't posted again

    def next_calls(
        self, route: str, *, status: int, times: int = 1, retry_after: float = 1.0, scope: str = "user"
    ) -> None:
        self.outages.append(Outage(route, status, times, retry_after, scope))

    def odd(self, route: str, reply: Reply, times: int | None = 1, *, done: bool = False) -> None:
        """Have the next calls of *route* answered with *reply*; None: all, until `clear`.

        What they ask for is not done, or *done* all the same.
        """
        self.odd_replies.add(route, reply, times, done=done)

    def outage_of(self, route: str) -> Outage | None:
        """The outage that this call meets; it counts as met."""
        for outage in self.outages:
            if outage.route in (route, "*"):
                outage.times -= 1
                if outage.times <= 0:
                    self.outages.remove(outage)
                return outage
        return None

    def clear(self) -> None:
        self.outages.clear()
        self.odd_replies.clear()
        self.added.clear()
        self.hello = self.file = None
        self.latency = 0.0
        self.nonce_lifetime = NONCE_SECONDS
        self.interaction_deadline, self.token_lifetime, self.interaction_delay = 3.0, 900.0, 0.0
