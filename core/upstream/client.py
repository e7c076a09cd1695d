"""The door to the upstream: one question out, one answer in, streaming or whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self, cast

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from core.errors import SetupError
from core.upstream.errors import (
    EmptyAnswer,
    NotTheService,
    UpstreamCut,
    UpstreamError,
    UpstreamUnreachable,
    WrongAddress,
)
from core.upstream.ndjson import LINE_BYTES, Lines
from core.upstream.prompt import AnswerSoFar, Prompt
from core.upstream.refusals import STREAMING, refusal

PATH = "/aichat/conversations"  # https://docs.acedata.cloud/en/guides/aichat/aichat_conversations
NDJSON = "application/x-ndjson"
JSON = "application/json"
MOST_CONNECTIONS = 100_000  # what bounds them is core.asking.limits
DETAIL_CHARACTERS = 500  # of the service's own words: enough for a log
REFUSAL_BYTES = 64 * 1024  # of a refusal's body; proxies send whole pages
KEEPALIVE = 15.0  # seconds; well under the 60 and more after which proxies drop an idle connection unasked
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class Stream:
    """An answer on its way. Iterating makes one step each time bytes came in, and ends with the intact end of the body.

    Raises UpstreamCut if it breaks off or stays silent, EmptyAnswer if it ends without a word, and what a line in
    the middle reports, with status 200. What came before stays readable in `said`.
    """

    def __init__(self, body: AsyncIterator[bytes], door: _Door, lines: Lines, trace_id: str | None) -> None:
        self._body = body
        self._door = door
        self._lines = lines
        self.trace_id = trace_id  # the service's own reference, from the head of its answer

    def said(self) -> AnswerSoFar:
        """Return the answer so far. Costs something only when there is something new."""
        return self._lines.said()

    @property
    def most(self) -> int:
        """At most so many characters the answer has so far. Costs nothing."""
        return self._lines.most

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        with self._door.translating():
            data = await anext(self._body, None)
            if data is not None:
                self._lines.feed(data)
                return
            self._lines.finish()
            if not self.said().text.strip():
                raise EmptyAnswer("the stream ended without text", status=STREAMING, trace_id=self.trace_id)
        raise StopAsyncIteration


class Upstream:
    """The service, reached with one token."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        proxy: str | None = None,
        connect_timeout: float = 10,
        idle_timeout: float = 150,
        total_timeout: float = 900,
    ) -> None:
        """Take the service's base URL and token, and the URL of a *proxy*; connections are made when first needed.

        Times are in seconds: for connecting, without a single byte (models that reason are silent for minutes), and
        for one whole answer. Raises SetupError.
        """
        base = _base(url)
        self._endpoint = str(base).rstrip("/") + PATH
        self._token = _sendable(token)
        self._total = total_timeout
        timeout = httpx.Timeout(idle_timeout, connect=connect_timeout, pool=None)
        # Over aiohttp, since httpx's own transport looks through all connections whenever one of them changes, and
        # takes twice the time for each piece: docs/decisions/0006-httpx-over-aiohttp.md.
        self._client = HttpxAiohttpClient(
            timeout=timeout,
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEEPALIVE),
            proxy=proxy,
            # httpx is to read the environment for certificates (SSL_CERT_FILE) alone, not for another proxy.
            verify=httpx.create_ssl_context(trust_env=True),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Answers still on their way break off."""
        await self._client.aclose()

    @asynccontextmanager
    async def ask(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Ask, and have the answer streamed. Entering waits for its head; leaving early hangs up.

        Raises an UpstreamError. Nothing of an answer has come if entering raises; yet only what is `retryable`
        is safe to send again: an UpstreamCut even here means that the service may have heard the question.
        """
        async with self._answered(prompt, NDJSON) as (response, door), aclosing(_chunks(response)) as body:
            lines = Lines(continuing=prompt.conversation is not None)
            yield Stream(body, door, lines, response.headers.get("x-trace-id"))

    async def answer(self, prompt: Prompt) -> AnswerSoFar:
        """Ask, and wait for the whole answer. Raises an UpstreamError."""
        async with self._answered(prompt, JSON) as (response, door):
            with door.translating():
                body = await _read(response, LINE_BYTES + 1)
                return _whole(body, continuing=prompt.conversation is not None)

    @asynccontextmanager
    async def _answered(self, prompt: Prompt, accept: str) -> AsyncIterator[tuple[httpx.Response, _Door]]:
        """Send the question and hand over an answer whose head is good."""
        door = _Door(self._token)
        # One deadline for all of it: one for each piece costs more than to read the piece.
        async with door.within(self._total), AsyncExitStack() as stack:
            request = self._client.build_request(
                "POST",
                self._endpoint,
                content=_body(prompt),
                headers={"Authorization": f"Bearer {self._token}", "Accept": accept, "Content-Type": JSON},
            )
            with door.translating():
                response = await self._client.send(request, stream=True)
                stack.push_async_callback(response.aclose)
                await _check(response, continuing=prompt.conversation is not None)
            yield response, door


class _Door:
    """The bounds of one request: its time, and that nobody reads the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Break off whatever the body does after so many *seconds*, with an UpstreamCut."""
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise  # somebody else's
            raise UpstreamCut(f"the answer was not whole after {seconds:g} s") from error

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Say as an UpstreamError what goes wrong with the service, and take the token out of it.

        Some servers quote the request.
        """
        try:
            yield
        except UpstreamError as error:
            error.detail = self._for_log(error.detail)
            error.code = self._for_log(error.code)
            error.trace_id = self._for_log(error.trace_id) if error.trace_id else None
            raise
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
            detail = self._for_log(_told(error))
            # httpx's own names would not do: here a connection lost after the question was sent is a ConnectTimeout.
            if isinstance(error.__cause__, _NEVER_CONNECTED):
                raise UpstreamUnreachable(detail) from self._cause(error)
            # The question was on its way, so it may be in the conversation's history, answer or not: asking the
            # same again there could put it in twice. Hence a cut, even if no byte of an answer came.
            raise UpstreamCut(detail) from self._cause(error)

    def _for_log(self, text: str) -> str:
        return text.replace(self._token, "[token]")[:DETAIL_CHARACTERS]  # in this order: half a token is one too many

    def _cause(self, error: Exception) -> Exception | None:
        """A parser's complaint quotes what the server sent, which could quote the token."""
        return None if self._token in str(error) else error


def _base(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url.strip())
    except httpx.InvalidURL:
        base = httpx.URL("")
    if base.scheme not in ("http", "https") or not base.host or base.userinfo or base.query or base.fragment:
        raise SetupError("The upstream's URL must look like https://api.example.com, with nothing after the path.")
    return base


def _sendable(token: str) -> str:
    """Header values take visible ASCII; httpx would quote any other in its complaint."""
    token = token.strip()
    if not token or not all("!" <= character <= "~" for character in token):
        raise SetupError("The upstream token is empty or holds characters that no token has. Please copy it again.")
    return token


def _body(prompt: Prompt) -> bytes:
    fields: dict[str, object] = {"model": prompt.model, "question": prompt.question}
    if prompt.instructions:
        fields["preset"] = prompt.instructions
    if prompt.references:
        fields["references"] = list(prompt.references)
    if prompt.stateful:
        fields["stateful"] = True
        if prompt.conversation:
            fields["id"] = prompt.conversation
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")  # half a surrogate pair is no text


async def _check(response: httpx.Response, *, continuing: bool) -> None:
    """Look at the head of an answer before its body is taken for one."""
    kind = response.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if response.status_code == httpx.codes.OK and (
        "json" in kind or kind in ("text/plain", "application/octet-stream")
    ):
        return
    body = await _read(response, REFUSAL_BYTES)
    error = refusal(response.status_code, response.headers, body, continuing=continuing)
    if response.is_success:
        if (
            kind == "text/html"
        ):  # the service has not heard the question, so it may be asked again: no status of its own
            raise NotTheService(f"a page came with status {response.status_code} where an answer should be")
        raise WrongAddress(f"{kind or 'nothing'} came where an answer should be", status=response.status_code)
    raise error


def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Its type hides that it can be closed, and whoever stops early has to."""
    return cast("AsyncGenerator[bytes, None]", response.aiter_bytes())


async def _read(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async with aclosing(_chunks(response)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= limit:
                break
    return bytes(body[:limit])


def _whole(body: bytes, *, continuing: bool) -> AnswerSoFar:
    """Read a JSON answer. Laid out over several lines or not, it is one object."""
    lines = Lines(continuing=continuing)
    lines.feed(body.replace(b"\r", b" ").replace(b"\n", b" "))  # no string in JSON holds either unescaped
    lines.finish()
    said = lines.said()
    if not said.text.strip():
        raise EmptyAnswer("the answer holds no text", status=STREAMING)
    return said


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
