"""The door, against bytes exactly as a server may send them."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import secrets
import socket
import traceback
from collections.abc import Awaitable, Callable

import pytest

from core.asking.patience import Patience
from core.errors import SetupError
from core.thread import ConversationId
from core.upstream import AnswerSoFar, Prompt, Upstream
from core.upstream.errors import (
    EmptyAnswer,
    NotTheService,
    TokenRefused,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
    WrongAddress,
)

Respond = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Respond], Awaitable[str]]

PROMPT = Prompt(model="o3", question="q")
MANY = 180  # streams
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def line(answer: str, **more: str) -> bytes:
    return json.dumps({"answer": answer, **more}).encode() + b"\r\n"


def whole(body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + body


def sending(*parts: bytes, requests: list[bytes] | None = None, silent: bool = False) -> Respond:
    """Send these bytes, each in a packet of its own; then close, or stay silent until the other side leaves."""

    async def respond(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if requests is not None:
            requests.append(request)
        for part in parts:
            writer.write(part)
            await writer.drain()
        if silent:
            await reader.read()

    return respond


async def said_by(upstream: Upstream, prompt: Prompt = PROMPT) -> AnswerSoFar:
    async with upstream.ask(prompt) as stream:
        async for _ in stream:
            pass
        return stream.said()


async def test_an_answer_grows_step_by_step_and_ends(serve: Serve, token: str) -> None:
    first_seen = asyncio.Event()

    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(line("One", id="x")))
        await first_seen.wait()
        writer.write(chunk(line("One two", id="x")) + END)

    async with Upstream(await serve(respond), token) as upstream, upstream.ask(PROMPT) as stream:
        seen = []
        async for _ in stream:
            seen.append(stream.said())
            first_seen.set()
    assert seen == [AnswerSoFar("One", ConversationId("x")), AnswerSoFar("One two", ConversationId("x"))]


async def test_the_request_is_as_documented(serve: Serve, token: str) -> None:
    requests: list[bytes] = []
    url = await serve(sending(HEAD + chunk(line("a")) + END, requests=requests))
    async with Upstream(url, token) as upstream:
        prompt = Prompt("gpt", "Grüße \ud83e\u2028", ConversationId("x"), "Be terse", ("https://example.org/a.png",))
        await said_by(upstream, prompt)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /aichat/conversations HTTP/1.1\r\n")
    lines = {
        name.lower(): value for name, _, value in (each.partition(": ") for each in head.decode().split("\r\n")[1:])
    }
    assert (lines["accept"], lines["authorization"]) == ("application/x-ndjson", f"Bearer {token}")
    assert lines["content-type"] == "application/json"
    assert json.loads(body) == {
        "model": "gpt",
        "question": "Grüße ?\u2028",
        "preset": "Be terse",
        "references": ["https://example.org/a.png"],
        "stateful": True,
        "id": "x",
    }


async def test_what_is_unset_is_left_out_and_an_id_goes_only_with_stateful(serve: Serve, token: str) -> None:
    requests: list[bytes] = []
    url = await serve(sending(whole(b'{"answer":"a"}'), requests=requests))
    async with Upstream(url, token) as upstream:
        await upstream.answer(Prompt("gpt", "q", ConversationId("x"), stateful=False))
        await upstream.answer(Prompt("gpt", "q"))
    bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in requests]
    assert bodies == [{"model": "gpt", "question": "q"}, {"model": "gpt", "question": "q", "stateful": True}]
    assert b"accept: application/json\r\n" in requests[0].lower()


@pytest.mark.parametrize("suffix", ["", "/", "/base", "/base/"])
async def test_a_base_url_may_have_a_slash_or_a_path(serve: Serve, token: str, suffix: str) -> None:
    requests: list[bytes] = []
    url = await serve(sending(whole(b'{"answer":"a"}'), requests=requests))
    async with Upstream(url + suffix, token) as upstream:
        await upstream.answer(PROMPT)
    path = suffix.rstrip("/") + "/aichat/conversations"
    assert requests[0].startswith(f"POST {path} HTTP/1.1\r\n".encode())


async def test_a_body_without_its_end_is_a_cut_and_what_came_stays(serve: Serve, token: str) -> None:
    url = await serve(sending(HEAD + chunk(line("So far"))))
    async with Upstream(url, token) as upstream, upstream.ask(PROMPT) as stream:
        await anext(stream)
        with pytest.raises(UpstreamCut):
            await anext(stream)
        assert stream.said().text == "So far"


async def test_silence_after_the_first_byte_is_a_cut(serve: Serve, token: str) -> None:
    url = await serve(sending(HEAD + chunk(line("So far")), silent=True))
    async with Upstream(url, token, idle_timeout=0.1) as upstream, upstream.ask(PROMPT) as stream:
        await anext(stream)
        with pytest.raises(UpstreamCut):
            await anext(stream)
        assert stream.said().text == "So far"


@pytest.mark.parametrize("silent", [True, False], ids=["silence", "closing"])
async def test_a_question_that_may_have_been_heard_is_not_sent_again(serve: Serve, token: str, *, silent: bool) -> None:
    url = await serve(sending(silent=silent))
    async with Upstream(url, token, idle_timeout=0.1) as upstream:
        with pytest.raises(UpstreamCut) as raised:
            await said_by(upstream)
    assert not raised.value.retryable


async def test_drops_that_never_end_meet_the_total_limit(serve: Serve, token: str) -> None:
    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while not writer.is_closing():
            writer.write(chunk(b"\r\n"))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with Upstream(await serve(respond), token, total_timeout=0.2) as upstream:
        with pytest.raises(UpstreamCut):
            await said_by(upstream)


async def test_nobody_listening_is_unreachable_and_safe_to_retry(token: str) -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        async with Upstream(f"http://127.0.0.1:{taken.getsockname()[1]}", token) as upstream:
            with pytest.raises(UpstreamUnreachable) as raised:
                await said_by(upstream)
    assert raised.value.retryable


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", line(""), line("  \n"), b'{"type":"done","conversation_id":"x"}'])
async def test_an_end_without_text_is_an_empty_answer(serve: Serve, token: str, body: bytes) -> None:
    url = await serve(sending(HEAD + (chunk(body) if body else b"") + END))
    async with Upstream(url, token) as upstream:
        with pytest.raises(EmptyAnswer):
            await said_by(upstream)


async def test_an_error_in_the_middle_is_raised_and_what_came_stays(serve: Serve, token: str) -> None:
    error = b'{"error":{"code":"chat_error","message":"No."},"trace_id":"t"}\r\n'
    url = await serve(sending(HEAD + chunk(line("So far") + error) + END))
    async with Upstream(url, token) as upstream, upstream.ask(PROMPT) as stream:
        with pytest.raises(UpstreamFailed) as raised:
            await anext(stream)
        assert stream.said().text == "So far"
    assert (raised.value.status, raised.value.trace_id) == (200, "t")


async def test_another_kind_of_content_is_a_wrong_address(serve: Serve, token: str) -> None:
    url = await serve(sending(whole(b"data: {}", kind="text/event-stream")))
    async with Upstream(url, token) as upstream:
        with pytest.raises(WrongAddress):
            await said_by(upstream)


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8"])
async def test_a_page_in_its_place_is_asked_again_and_told_to_the_operator(serve: Serve, token: str, kind: str) -> None:
    """A login page, or a proxy's: perhaps for a moment only, and the service has heard nothing."""
    url = await serve(sending(whole(b"<h1>Welcome</h1>", kind=kind)))
    async with Upstream(url, token) as upstream:
        with pytest.raises(NotTheService) as raised:
            await said_by(upstream)
    assert raised.value.for_operator
    assert Patience().after(raised.value) is not None


STRANGE = {
    "no JSON": b"garbage\n\x00\xff\n{\n",
    "a list": b'["a"]\n',
    "numbers": b'{"answer": 5, "id": 7}\n',
    "an error as a list": b'{"error": ["api_error"]}\n',
    "an error of odd parts": b'{"error": {"code": 5, "status": "500", "message": {"a": []}}}\n',
    "depth": b'{"answer": ' + b"[" * 100_000 + b"\n",
    "a number beyond all": b'{"answer": ' + b"9" * 5_000 + b"}\n",
}


@pytest.mark.parametrize("asked", ["streamed", "whole"])
@pytest.mark.parametrize("kind", STRANGE)
async def test_whatever_comes_is_told_as_one_of_our_errors(serve: Serve, token: str, kind: str, asked: str) -> None:
    url = await serve(sending(whole(STRANGE[kind])))
    async with Upstream(url, token) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await (said_by(upstream) if asked == "streamed" else upstream.answer(PROMPT))
    assert raised.value.sentence


@pytest.mark.parametrize("status", [202, 204, 206, 300, 400, 407, 418, 425, 499, 599, 999])
@pytest.mark.parametrize("told", [b"", b"<html>", b'{"answer":"a"}', b"[5]", b'{"error":["x"]}'])
async def test_whatever_the_status_it_is_told_as_one_of_our_errors(
    serve: Serve, token: str, status: int, told: bytes
) -> None:
    url = await serve(sending(whole(told, status=f"{status} Odd")))
    async with Upstream(url, token) as upstream:
        with pytest.raises(UpstreamError):
            await said_by(upstream)


async def test_a_redirect_is_not_followed(serve: Serve, token: str) -> None:
    """Wherever it leads, the token does not go there."""
    elsewhere: list[bytes] = []
    target = await serve(sending(whole(b'{"answer":"a"}'), requests=elsewhere))
    url = await serve(sending(whole(b"", status="307 Temporary Redirect", more=f"Location: {target}\r\n")))
    async with Upstream(url, token) as upstream:
        with pytest.raises(WrongAddress) as raised:
            await said_by(upstream)
    assert not raised.value.retryable
    assert not elsewhere


@pytest.mark.parametrize("parts", [1, 7])
async def test_a_compressed_stream_is_read(serve: Serve, token: str, parts: int) -> None:
    packed = gzip.compress(line("One") + line("One two"))
    size = len(packed) // parts + 1
    pieces = [chunk(packed[at : at + size]) for at in range(0, len(packed), size)]
    url = await serve(sending(HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), *pieces, END))
    async with Upstream(url, token) as upstream:
        assert (await said_by(upstream)).text == "One two"


async def test_a_whole_answer_may_be_laid_out_over_lines(serve: Serve, token: str) -> None:
    url = await serve(sending(whole(json.dumps({"answer": "a\nb", "id": "x"}, indent=2).encode())))
    async with Upstream(url, token) as upstream:
        assert await upstream.answer(PROMPT) == AnswerSoFar("a\nb", ConversationId("x"))


async def test_a_whole_answer_that_breaks_off_is_a_cut(serve: Serve, token: str) -> None:
    url = await serve(sending(whole(b'{"answer":"a"}').replace(b"Length: 14", b"Length: 99")))
    async with Upstream(url, token) as upstream:
        with pytest.raises(UpstreamCut):
            await upstream.answer(PROMPT)


async def test_only_a_bounded_part_of_a_refusal_is_read(serve: Serve, token: str) -> None:
    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(chunk(b"x" * 10_000))
            await writer.drain()

    async with Upstream(await serve(respond), token) as upstream:
        with pytest.raises(UpstreamFailed) as raised:
            await said_by(upstream)
    assert len(raised.value.detail) == 500


ECHOES = {
    "documented": lambda t: whole(json.dumps({"error": {"code": "invalid_token", "message": f"Not {t}!"}, "trace_id": t}).encode(), status="401 No"),
    "as its code": lambda t: whole(json.dumps({"error": t}).encode(), status="401 No"),
    "in a page": lambda t: whole(f"<h1>Authorization: Bearer {t}</h1>".encode(), status="401 No", kind="text/html"),
    "at the edge of what is kept": lambda t: whole(b"x" * 490 + t.encode(), status="401 No", kind="text/plain"),
    "in a header": lambda t: whole(b"", status="401 No", more=f"X-Trace-Id: {t}\r\n"),
    "in a broken header": lambda t: f"HTTP/1.1 200 OK\r\nBad {t}\r\n\r\n".encode(),
    "in the stream": lambda t: HEAD + chunk(json.dumps({"error": f"Not {t}"}).encode() + b"\n") + END,
    "in a broken chunk": lambda t: HEAD + f"{t}\r\n".encode(),
}  # fmt: skip


@pytest.mark.parametrize("echo", ECHOES)
async def test_the_token_is_in_no_error_and_no_log(
    serve: Serve, token: str, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = await serve(sending(ECHOES[echo](token)))
    async with Upstream(url, token) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await said_by(upstream)
        own = repr(upstream) + str(upstream)
    error = raised.value
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + own
    logged = "".join(f"{each.getMessage()} {each.args}" for each in caplog.records if echo not in HEADERS_LOGGED)
    assert token[:12] not in told
    assert token[:12] not in logged


# httpcore writes the head of every answer to its log at DEBUG; that is the server's echo, and not our request.
HEADERS_LOGGED = {"in a header", "in a broken header", "in a broken chunk"}


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\nb", "tökn"])
def test_a_token_that_no_header_takes_is_refused_unquoted(bad: str) -> None:
    with pytest.raises(SetupError) as raised:
        Upstream("https://api.example.com", f"secret{bad}token" if bad.strip() else bad)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["", "api.example.com", "ftp://x", "https://", "https://u:p@x", "https://x?a=b", "http://x:y"]
)
def test_a_wrong_url_is_refused(url: str, token: str) -> None:
    with pytest.raises(SetupError):
        Upstream(url, token)


async def test_many_stream_at_once(serve: Serve, token: str) -> None:
    """More than HTTP clients allow unless told otherwise."""
    url = await serve(sending(HEAD + chunk(line("a")), silent=True))
    async with Upstream(url, token) as upstream, asyncio.TaskGroup() as group:
        full = asyncio.Event()
        entered = 0

        async def stream() -> None:
            nonlocal entered
            async with upstream.ask(PROMPT):
                entered += 1
                if entered == MANY:
                    full.set()
                await full.wait()

        for _ in range(MANY):
            group.create_task(stream())
        await asyncio.wait_for(full.wait(), 30)


async def test_leaving_early_hangs_up(serve: Serve, token: str) -> None:
    left = asyncio.Event()

    async def respond(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(line("a")))
        await reader.read()
        left.set()

    async with Upstream(await serve(respond), token) as upstream:
        async with upstream.ask(PROMPT) as stream:
            await anext(stream)
        await asyncio.wait_for(left.wait(), 5)


async def test_being_cancelled_hangs_up(serve: Serve, token: str) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def respond(_: bytes, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        left.set()

    async with Upstream(await serve(respond), token) as upstream:
        task = asyncio.create_task(upstream.answer(PROMPT))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 5)


async def test_a_proxy_of_the_environment_does_not_see_what_is_for_this_machine(
    serve: Serve, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:9/{secrets.token_hex(2)}")
    async with Upstream(await serve(sending(whole(b'{"answer":"a"}'))), token) as upstream:
        assert (await upstream.answer(PROMPT)).text == "a"


async def test_a_late_token_error_is_for_the_operator(serve: Serve, token: str) -> None:
    body = b'{"error":{"code":"token_expired","message":"Expired."},"trace_id":"t"}'
    url = await serve(sending(whole(body, status="401 Unauthorized", more="Retry-After: 7\r\n")))
    async with Upstream(url, token) as upstream:
        with pytest.raises(TokenRefused) as raised:
            await upstream.answer(PROMPT)
    error = raised.value
    assert (error.for_operator, error.code, error.status, error.trace_id, error.retry_after) == (
        True,
        "token_expired",
        401,
        "t",
        7,
    )
