"""The lines of a streamed answer, read so that the cost grows with what is shown, not with tokens × length.

Every line repeats the whole answer so far, so an answer of 4,000 tokens is some 40 MB of JSON. The newest line
that merely continues its forerunner waits unread until somebody asks what was said; any other is read at once.
"""

from __future__ import annotations

import json
import re

from core.thread import ConversationId
from core.upstream.errors import UpstreamFailed
from core.upstream.prompt import AnswerSoFar
from core.upstream.refusals import STREAMING, Payload, reported
from core.words import whole

LINE_BYTES = 8 * 1024 * 1024  # a longer line is no answer to a question
_QUOTE = ord('"')
_RETURN = ord("\r")
_AFTER_ANSWER = 512  # bytes at a line's end in which to look for what follows the answer
_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")  # of JSON

# What precedes the answer in a line. It contains one brace, so what it leads to is the line's own answer.
_HEAD = re.compile(rb'\{[^{}]*?"answer"\s*:\s*"')


class Lines:
    """An answer in the making. Bytes go in as they come; `said` tells what they amount to."""

    def __init__(self, *, continuing: bool = True) -> None:
        """Begin; *continuing*: did the request name a conversation?"""
        self._continuing = continuing
        self._rest = bytearray()  # of a line that has no end yet
        self._waiting: tuple[bytes, int, int] | None = None  # the newest line that waits: buffer, start, end
        self._head = b""  # of the last line read that held the whole answer; empty: none did
        self._tail = b""
        self._pieces: list[str] = []
        self._conversation: ConversationId | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes, cut anywhere. Raises the UpstreamError that a line reports, or UpstreamFailed for an endless line."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            if self._rest:
                line = bytes(self._rest + data[start:end])
                self._rest.clear()
                self._take(line, 0, len(line))
            else:
                self._take(data, start, end)
            start = end + 1
        if start == len(data):
            return
        self._rest += data[start:]
        if len(self._rest) > LINE_BYTES:
            self._rest.clear()
            raise UpstreamFailed(f"a line longer than {LINE_BYTES:,} bytes", code="line_too_long", status=STREAMING)

    def finish(self) -> None:
        """Take the end of the body: a last line needs no newline. Raises the UpstreamError that it reports."""
        last = bytes(self._rest)
        self._rest.clear()
        self._take(last, 0, len(last))
        self._catch_up()

    def said(self) -> AnswerSoFar:
        """Return the answer so far."""
        if self._waiting:
            buffer, start, end = self._waiting
            self._waiting = None
            for payload in _objects(buffer[start:end]):
                self._learn(payload)
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return AnswerSoFar(whole("".join(self._pieces)), self._conversation)

    @property
    def most(self) -> int:
        """At most so many characters the answer has so far; a line that waits is not read for that."""
        waiting = self._waiting[2] - self._waiting[1] if self._waiting else 0
        return max(waiting, sum(map(len, self._pieces)))

    def _take(self, buffer: bytes, start: int, end: int) -> None:
        if end > start and buffer[end - 1] == _RETURN:
            end -= 1
        if self._may_wait(buffer, start, end):
            self._waiting = (buffer, start, end)
        else:
            self._catch_up()
            self._read(buffer[start:end])

    def _may_wait(self, buffer: bytes, start: int, end: int) -> bool:
        """Is it like the last line read in all but the answer?

        A key's quotes can't occur inside a JSON string without backslashes, so looking for bytes is sound.
        """
        head, tail = self._head, self._tail
        if not head or not buffer.startswith(head, start, end) or not buffer.endswith(tail or b"}", start, end):
            return False
        if buffer[start + len(head)] == _QUOTE:  # an empty answer takes nothing back
            return False
        after = max(start, end - _AFTER_ANSWER)
        if not tail and _tail(buffer, after, end):
            return False
        return buffer.find(b'"error"', after, end) < 0

    def _catch_up(self) -> None:
        """Read the line that waits."""
        if self._waiting:
            buffer, start, end = self._waiting
            self._waiting = None
            self._read(buffer[start:end])

    def _read(self, line: bytes) -> None:
        payloads = _objects(line)  # none in a blank line, or a keep-alive of some kind
        for payload in payloads:
            if error := reported(payload, continuing=self._continuing):
                raise error
            self._learn(payload)
        if len(payloads) == 1 and _text(payloads[0], "answer"):
            head = _HEAD.match(line)
            self._head = head.group() if head else b""
            self._tail = _tail(line, max(0, len(line) - _AFTER_ANSWER), len(line))

    def _learn(self, payload: Payload) -> None:
        """Trust `answer`, which is whole, and add `delta_answer` only where that is missing."""
        if answer := _text(payload, "answer"):
            self._pieces = [answer]
        elif piece := _text(payload, "delta_answer"):
            self._pieces.append(piece)
        if named := _text(payload, "id") or _text(payload, "conversation_id"):
            self._conversation = ConversationId(named)


def _tail(buffer: bytes, after: int, end: int) -> bytes:
    """Return the end of a line from its id on, empty if there is none."""
    found = buffer.rfind(b'"id"', after, end)
    return buffer[found:end] if found >= 0 else b""


def _objects(line: bytes) -> list[Payload]:
    """Return the objects of a line: one, as a rule. What is no JSON ends them."""
    text = line.decode("utf-8-sig", "replace")  # some servers begin with a byte order mark
    found: list[Payload] = []
    at = _after_space(text, 0)
    while at < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        if isinstance(value, dict):
            found.append(value)
        at = _after_space(text, end)
    return found


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
