"""HTTP delivery: posts signed payloads to the app's request URL.

https://docs.slack.dev/apis/events-api/using-http-request-urls
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.delivery import Kind, Parcel, Retry, UndeliveredError

if TYPE_CHECKING:
    from sandbox.slack.faults import Faults
    from sandbox.slack.installation import Installation
    from sandbox.slack.nouns import JsonObject

MOST_REDIRECTS = 2  # https://docs.slack.dev/apis/events-api#errors
_FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class RequestUrl:
    """One address for events, commands and interactivity alike."""

    late = "http_timeout"

    def __init__(self, url: str, installation: Installation, ack_seconds: float, faults: Faults) -> None:
        self._url = url
        self._installation = installation
        self._ack_seconds = ack_seconds
        self._faults = faults
        self._client: aiohttp.ClientSession | None = None

    async def ready(self) -> None:
        """A request URL is always there to be tried."""

    async def carry(self, parcel: Parcel, retry: Retry) -> JsonObject | None:
        headers = {"Content-Type": "application/json" if parcel.kind is Kind.EVENT else _FORM}
        if retry.number:
            headers |= {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason}
        status, answer, no_retry = await self._post(_body(parcel), headers)
        if not self._faults.expect_acks:
            return None
        if not 200 <= status < 300:
            raise UndeliveredError("http_error", final=no_retry)
        return _read(answer)

    async def verify(self) -> bool:
        """Whether the address answers the challenge: https://docs.slack.dev/reference/events/url_verification"""
        challenge = secrets.token_urlsafe(24)
        asked = {
            "token": self._installation.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        try:
            status, answer, _ = await self._post(json.dumps(asked).encode(), {"Content-Type": "application/json"})
        except UndeliveredError:
            return False
        said = (_read(answer) or {}).get("challenge") if answer.startswith("{") else answer.strip()
        return status == 200 and said == challenge

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bool]:
        """Status, text, and whether the app asked for no retry. Raises UndeliveredError."""
        self._client = self._client or aiohttp.ClientSession()
        timestamp = str(int(time.time()))
        headers = headers | {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._installation.signing_secret, timestamp, body),
        }
        try:
            async with (
                asyncio.timeout(self._ack_seconds),
                self._client.post(self._url, data=body, headers=headers, max_redirects=MOST_REDIRECTS) as answer,
            ):
                return answer.status, await answer.text(), answer.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError as error:
            raise UndeliveredError(self.late) from error
        except aiohttp.TooManyRedirects as error:
            raise UndeliveredError("too_many_redirects") from error
        except aiohttp.ClientError as error:
            raise UndeliveredError("connection_failed") from error


def _body(parcel: Parcel) -> bytes:
    match parcel.kind:
        case Kind.EVENT:
            return json.dumps(parcel.payload).encode()
        case Kind.COMMAND:
            return urlencode(parcel.payload).encode()
        case Kind.INTERACTIVE:
            return urlencode({"payload": json.dumps(parcel.payload)}).encode()


def _read(answer: str) -> JsonObject | None:
    """What an acknowledgement carried; plain words are a message."""
    try:
        read = json.loads(answer)
    except ValueError:
        return {"text": answer} if answer.strip() else None
    return read if isinstance(read, dict) and read else None
