"""An answer of the emulator on its way out, well or as a fault wants it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate

from aiohttp import web

from sandbox.upstream import wire
from sandbox.upstream.asked import Form, Refusal, form
from sandbox.upstream.faults import ERRORS
from sandbox.upstream.mind import Turn, pieces, think

SILENCE = 3600.0  # seconds, if a fault names none
HUGE = 50_000  # characters
_SEPARATORS = " Split\u2028by\u0085lines."


@dataclass(slots=True)
class Request:
    """A request that came in, and how it ended."""

    body: object  # as parsed from JSON; the bytes if that can't be
    headers: dict[str, str]  # in lower case, without the token
    arrived: float = field(default_factory=time.time)  # seconds since the epoch
    ended: str = ""  # empty while it lasts: `answered`, `cut`, `client left`, or the refusal's status and code

    def as_json(self) -> dict[str, object]:
        body = self.body.decode("utf-8", "replace") if isinstance(self.body, bytes) else self.body
        return {"body": body, "headers": self.headers, "arrived": self.arrived, "ended": self.ended}


class Answer:
    """One answer on its way out."""

    def __init__(self, text: str, turn: Turn, faults: Mapping[str, str], *, pace: float, seen: Request) -> None:
        self._text = text
        self._turn = turn
        self._faults = faults
        self._pace = pace
        self._seen = seen

    async def send(self, request: web.Request, conversation: str | None) -> web.StreamResponse:
        """Write it in the form that the request accepts."""
        wanted = form(request.headers.get("Accept", ""))
        response = web.StreamResponse(headers={"Content-Type": wanted})
        is_packed = "gzip" in self._faults and "gzip" in request.headers.get("Accept-Encoding", "")
        gzip = wire.Gzip() if is_packed else None
        if gzip:
            response.headers["Content-Encoding"] = "gzip"
        response.enable_chunked_encoding()
        await response.prepare(request)
        if wanted is Form.WHOLE:
            is_whole = await self._write_whole(response, gzip, conversation)
        else:
            is_whole = await self._write_steps(response, gzip, wanted, conversation)
        if not is_whole:
            return hang_up(request, response, self._seen)
        if gzip:
            await response.write(gzip.end())
        await response.write_eof()
        self._seen.ended = "answered"
        return response

    async def _write_whole(
        self, response: web.StreamResponse, gzip: wire.Gzip | None, conversation: str | None
    ) -> bool:
        data = wire.whole(self._text, conversation, self._faults)
        self._turn.answer = self._text
        if "cut" in self._faults:
            await _write(response, gzip, data[: len(data) // 2])
            return False
        await _write(response, gzip, data)
        return True

    async def _write_steps(
        self, response: web.StreamResponse, gzip: wire.Gzip | None, wanted: Form, conversation: str | None
    ) -> bool:
        """Write one step for every piece, at the pace; False if it breaks off."""
        cut = pieces(self._text)
        steps = (wire.lines if wanted is Form.LINES else wire.events)(cut, conversation, self._faults)
        last = int(_number(self._faults, "cut", 3)) if "cut" in self._faults else None
        for number, step in enumerate(steps):
            if number == last:
                return False
            if number and self._pace:
                await asyncio.sleep(self._pace)
            if number == len(cut) // 2:
                await asyncio.sleep(silence(self._faults, "silent_within"))
            self._turn.answer += "".join(cut[number : number + 1])
            await self._write_step(response, gzip, step)
        return last is None

    async def _write_step(self, response: web.StreamResponse, gzip: wire.Gzip | None, step: bytes) -> None:
        if "split" not in self._faults:
            await _write(response, gzip, step)
            return
        middle = len(step) // 2
        for half in (step[:middle], step[middle:]):
            await _write(response, gzip, half)
            await asyncio.sleep(0.001)  # so that the halves leave in packets of their own


async def _write(response: web.StreamResponse, gzip: wire.Gzip | None, data: bytes) -> None:
    await response.write(gzip.step(data) if gzip else data)


def answer_text(turn: Turn, earlier: Sequence[Turn], faults: Mapping[str, str]) -> str:
    if "empty" in faults:
        return ""
    text = think(turn, earlier)
    if "huge" in faults:
        length = int(_number(faults, "huge", HUGE))
        text = ((text + "\n\n") * (length // (len(text) + 2) + 1))[:length]
    return text + _SEPARATORS if "raw" in faults else text


def instead_of_answer(faults: Mapping[str, str]) -> web.Response | None:
    """Return what a fault wants in place of an answer. Raises Refusal for an error of the documented form."""
    for name in ("too_many_requests", "rate_limited"):
        if name in faults:
            raise Refusal(name, headers=_retry_after(faults[name]))
    if code := next((name for name in ERRORS if name in faults), None):
        raise Refusal(code, status=int(_number(faults, code, ERRORS[code][0])))
    message, trace = "Something went wrong.", str(uuid.uuid4())
    bodies: dict[str, dict[str, object]] = {
        "error_string": {"error": message, "trace_id": trace},
        "error_null": {"error": None, "trace_id": trace},
        "error_flat": {"message": message, "error": "api_error"},
        "error_untraced": {"success": False, "error": {"code": "api_error", "message": message}},
    }
    if name := next((name for name in bodies if name in faults), ""):
        return web.json_response(bodies[name], status=500)
    if "html" in faults:
        page = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1><hr>nginx</body></html>"
        return web.Response(text=page, content_type="text/html", status=int(_number(faults, "html", 502)))
    if "plain" in faults:
        return web.Response(text="upstream connect error", status=int(_number(faults, "plain", 503)))
    if "redirect" in faults:
        return web.Response(status=302, headers={"Location": "/elsewhere"})
    return None


def _retry_after(value: str) -> dict[str, str]:
    if value == "date":
        return {"Retry-After": formatdate(time.time() + 2, usegmt=True)}
    return {"Retry-After": value} if value else {}


def silence(faults: Mapping[str, str], name: str) -> float:
    """Return the seconds of silence that a fault of this name wants, 0 if there is none."""
    return _number(faults, name, SILENCE) if name in faults else 0.0


def _number(faults: Mapping[str, str], name: str, usual: float) -> float:
    return float(faults[name]) if faults[name] else usual


def hang_up(request: web.Request, response: web.StreamResponse, seen: Request) -> web.StreamResponse:
    """Close the connection with what was written, so that the end of the body never comes."""
    seen.ended = "cut"
    if request.transport:
        request.transport.close()
    return response
