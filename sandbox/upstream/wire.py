"""How an answer looks on the wire: lines, events, or one object; well formed, or as a fault wants it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence

_ERROR_WITHIN: dict[str, dict[str, object]] = {
    "object": {"error": {"code": "chat_error", "message": "The model failed in the middle."}, "trace_id": "within"},
    "string": {"error": "The model failed in the middle."},
    "type": {"type": "error", "message": "The model failed in the middle."},
}
_UNKNOWN = ({"type": "thinking", "content": "Hm."}, {"type": "card", "card": {"answer": "not this"}})


def whole(text: str, conversation: str | None, faults: Mapping[str, str]) -> bytes:
    """Return the JSON answer."""
    payload = {"answer": text}
    if conversation and "no_id" not in faults:
        payload["id"] = conversation
    return _dump(payload, faults)


def lines(pieces: Sequence[str], conversation: str | None, faults: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the NDJSON lines of an answer, with one step for every piece."""
    end = b"\n" if "lf" in faults else b"\r\n"
    error = _ERROR_WITHIN[faults["error_within"] or "object"] if "error_within" in faults else None
    answer = ""
    for number, piece in enumerate(pieces):
        answer += piece
        is_last = number == len(pieces) - 1
        if "delta_short" in faults and number % 2 and not is_last:
            continue
        if error and number == len(pieces) // 2:
            yield _dump(error, faults) + end
            return
        payload = {} if "no_cumulative" in faults else {"answer": answer}
        payload["delta_answer"] = piece
        if conversation and _names_it(faults, is_first=number == 0, is_last=is_last):
            payload["id"] = conversation
        yield _between(number, faults, end) + _dump(payload, faults) + end
    if "done" in faults:
        usage = {"prompt_tokens": 1, "completion_tokens": len(pieces), "total_tokens": len(pieces) + 1}
        event = {"type": "done", "conversation_id": conversation, "usage": usage, "terminal_reason": "natural_stop"}
        yield _dump({key: value for key, value in event.items() if value}, faults) + end


def events(pieces: Sequence[str], conversation: str | None, faults: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the answer as server-sent events, the way the service's own front end used to read it."""
    plain = {name: value for name, value in faults.items() if name != "blank_lines"} | {"lf": "", "no_cumulative": ""}
    for line in lines(pieces, conversation, plain):
        yield b"".join(b"data: " + each + b"\n\n" for each in line.splitlines())
    yield b"data: [DONE]\n\n"


class Gzip:
    """Compresses a stream so that every step can be read at once."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(wbits=31)

    def step(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compressor.flush()


def _names_it(faults: Mapping[str, str], *, is_first: bool, is_last: bool) -> bool:
    if "no_id" in faults:
        return False
    if "id_first" in faults:
        return is_first
    return is_last if "id_last" in faults else True


def _between(number: int, faults: Mapping[str, str], end: bytes) -> bytes:
    blank = end * 2 if "blank_lines" in faults else b""
    unknown = _UNKNOWN[number % 2] if "unknown_types" in faults and number % 3 == 0 else None
    return blank + (_dump(unknown, faults) + end if unknown else b"")


def _dump(payload: Mapping[str, object], faults: Mapping[str, str]) -> bytes:
    return json.dumps(payload, ensure_ascii="raw" not in faults).encode()
