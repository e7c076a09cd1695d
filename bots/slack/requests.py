"""Takes requests over HTTP: nothing is read before it is certain that Slack sent it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bots.listening.unreadable import MALFORMED
from bots.slack.times import USUAL
from bots.slack.unreadable import EVENT, skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from core.metrics import Metrics

# https://docs.slack.dev/authentication/verifying-requests-from-slack
_TIMESTAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
_LONGEST_TIMESTAMP = 12  # digits
# Events are JSON, commands and clicks are forms: https://docs.slack.dev/apis/events-api, …/interactivity
_CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")

log = structlog.get_logger(__name__)


class RefusedError(Exception):
    """A request that is not taken."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Reader:
    """Makes of what was posted what Bolt takes."""

    def __init__(
        self,
        signing_secret: str,
        metrics: Metrics,
        *,
        say_again: float = USUAL.say_again,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._metrics = metrics
        self._clock = clock
        self._say_again = say_again
        self._said_at = -say_again

    async def read(self, request: web.Request) -> AsyncBoltRequest:
        """Raises RefusedError."""
        try:
            body = (await request.read()).decode()
        except UnicodeDecodeError:
            raise self._malformed() from None
        self._check(body, request.headers.get(_TIMESTAMP, ""), request.headers.get(_SIGNATURE, ""))
        if request.content_type not in _CONTENT_TYPES or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
            raise self._malformed()
        try:
            read = AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
        # What Bolt raises for JSON of another shape than Slack's is whatever its first step into it does.
        except (*MALFORMED, RecursionError) as error:
            if not _is_event(body):
                raise self._malformed() from None
            skipped(EVENT, error, self._metrics)
            raise RefusedError(
                200, "That can't be read."
            ) from None  # it would come again and again, and fail every time
        what: object = read.body  # a form may hold any JSON
        if not isinstance(what, dict) or not what:
            raise self._malformed()
        return read

    def _check(self, body: str, timestamp: str, signature: str) -> None:
        is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP
        if not is_number or not signature.isascii() or not self._verifier.is_valid(body, timestamp, signature):
            self._metrics.refused.labels("unsigned").inc()
            if is_number and signature:
                self._say(time.time() - int(timestamp))
            raise RefusedError(401, "The signature is not Slack's.")

    def _say(self, behind: float) -> None:
        """Tell who runs the bot, now and then: what anybody may send is no reason to fill the log."""
        if self._clock() - self._said_at < self._say_again:
            return
        self._said_at = self._clock()
        log.warning(
            "a request to /slack/events has a wrong signature: BOBBIN_SLACK__SIGNING_SECRET is wrong, this machine's clock "
            "is, or somebody else sent it",
            clock_off_by=f"{behind / 60:+.0f} minutes",
        )

    def _malformed(self) -> RefusedError:
        self._metrics.refused.labels("malformed").inc()
        return RefusedError(400, "That is nothing that Slack sends.")


def _is_event(body: str) -> bool:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and read.get("type") == "event_callback"


def signature_of(request: AsyncBoltRequest) -> str:
    """Return what tells a request from every other; empty over a socket."""
    return next(iter(request.headers.get(_SIGNATURE.lower(), ())), "")
