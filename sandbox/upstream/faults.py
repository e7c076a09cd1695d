"""The faults of the emulator, and how often each strikes."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

# https://docs.acedata.cloud/en/concepts/responses, and codes seen in the service's own clients.
ERRORS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request is malformed."),
    "no_token": (400, "No token is provided."),
    "api_not_implemented": (400, "The API is not implemented."),
    "token_mismatched": (401, "The token belongs to another service."),
    "invalid_token": (401, "The token is invalid."),
    "token_expired": (401, "The token has expired."),
    "used_up": (403, "The balance is used up."),
    "disabled": (403, "The application is disabled."),
    "forbidden": (403, "The content was refused by moderation."),
    "no_api": (404, "There is no such API."),
    "not_found": (404, "The conversation was not found."),
    "no_conversation": (404, "The conversation does not exist or has expired."),
    "request_entity_too_large": (413, "The request payload is too large."),
    "content_too_large": (413, "The content is too large."),
    "too_many_requests": (429, "Too many requests."),
    "rate_limited": (429, "The rate limit is reached."),
    "connection_reset": (499, "The client closed the connection."),
    "api_error": (500, "Something went wrong inside."),
    "chat_error": (500, "The model failed."),
    "busy": (503, "The server is busy."),
    "timeout": (504, "The model took too long."),
}

FAULTS: dict[str, str] = {
    **{
        name: f"refuse with {status} {name}; the value is another status"
        for name, (status, _) in ERRORS.items()
        if status != 429
    },
    "too_many_requests": "refuse with 429; the value is a Retry-After in seconds, `date` for one as a date",
    "rate_limited": "the same under its other name",
    "retired": "refuse one model, which the value names, as it does those that it never had",
    "html": "answer with a proxy's HTML page; the value is its status, 502 by default",
    "plain": "answer with a line of plain text; the value is its status, 503 by default",
    "error_string": "refuse with 500 and an `error` that is a bare string",
    "error_null": "refuse with 500 and an `error` that is null",
    "error_flat": 'refuse with 500 and `{"message": …, "error": code}`',
    "error_untraced": "refuse with 500, `success: false` and no trace_id",
    "redirect": "answer with 302 to elsewhere",
    "hang_up": "take the question and close the connection without a word",
    "silent_before": "stay silent before the answer for as many seconds, 3600 by default",
    "silent_within": "stay silent in the middle of the answer for as many seconds, 3600 by default",
    "cut": "break off after as many pieces, 3 by default, without the end of the body",
    "error_within": "report an error in the middle of the stream: `object` (default), `string` or `type`",
    "empty": 'end well without any text; `answer: ""` in JSON',
    "expired": "forget the conversation that is named",
    "unknown_id": "meet an unknown id with `404` (default), a `new` conversation, or the `same` id without memory",
    "other_id": "go on under another id than the one that was named",
    "no_id": "never name the conversation",
    "odd_id": "name a new conversation by an id that hardly any database keeps: `long` (default), `nul` or `half`",
    "id_first": "name the conversation on the first line only",
    "id_last": "name the conversation on the last line only",
    "lf": "end lines with LF instead of CRLF",
    "no_cumulative": "send `delta_answer` without `answer`",
    "delta_short": "skip every other line, so that the deltas add up to less than the answer",
    "raw": "leave text unescaped, with U+2028 and U+0085 in it",
    "split": "cut every line across packets",
    "blank_lines": "send blank lines in between, as a keep-alive",
    "unknown_types": "send events of types that nobody documented in between",
    "done": "end with a `done` event that names the conversation otherwise",
    "huge": "give a very long answer; the value is its length in characters, 50000 by default",
    "gzip": "compress the answer for a client that accepts it",
}

_CHOICES = {
    "error_within": ("object", "string", "type"),
    "odd_id": ("long", "nul", "half"),
    "unknown_id": ("404", "new", "same"),
}
_NUMBERS = {"html", "plain", "silent_before", "silent_within", "cut", "huge", *ERRORS} - {
    "too_many_requests",
    "rate_limited",
}
_SWITCH = re.compile(r"(?P<name>\w+)(=(?P<value>[\w.-]+))?(@(?P<probability>[\d.]+))?(\*(?P<count>\d+))?")


class UnknownFault(ValueError):
    """There is no such fault, or it can't be set like this."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How often, and in which way."""

    value: str = ""  # empty: as its sentence says
    probability: float = 1.0
    count: int | None = None  # for the next so many questions; None: until cleared


class Faults:
    """The faults that are switched on. For each question it is drawn again which of them it meets."""

    def __init__(self, switches: str = "", *, seed: int = 0) -> None:
        """Switch on what *switches* says, such as `cut=3,too_many_requests=2@0.1,hang_up*1`."""
        self._set: dict[str, Fault] = {}
        self._random = random.Random(seed)  # noqa: S311  nothing secret
        self.read(switches)

    def read(self, switches: str) -> None:
        """Switch on `NAME[=VALUE][@PROBABILITY][*COUNT]`, separated by commas. Raises UnknownFault."""
        for switch in filter(None, map(str.strip, switches.split(","))):
            found = _SWITCH.fullmatch(switch)
            if not found:
                raise UnknownFault(f"{switch!r} is no fault: write NAME, NAME=VALUE, NAME@PROBABILITY or NAME*COUNT.")
            count = found["count"]
            self.set(
                found["name"],
                found["value"] or "",
                probability=float(found["probability"] or 1),
                count=int(count) if count else None,
            )

    def set(self, name: str, value: object = "", *, probability: float = 1.0, count: int | None = None) -> None:
        """Switch one fault on, in place of how it was set. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(f"There is no fault {name!r}. These exist: {', '.join(sorted(FAULTS))}.")
        text = "" if value is True or value is None else str(value)
        if name in _CHOICES and text not in ("", *_CHOICES[name]):
            raise UnknownFault(f"{name} takes {', '.join(_CHOICES[name])}, not {text!r}.")
        if text and name in _NUMBERS and not re.fullmatch(r"\d+(\.\d+)?", text):
            raise UnknownFault(f"{name} takes a number, not {text!r}.")
        if not 0 <= probability <= 1:
            raise UnknownFault(f"A probability lies between 0 and 1; {probability} does not.")
        self._set[name] = Fault(text, probability, count)

    def clear(self, *names: str) -> None:
        """Switch these off, or all."""
        for name in names or tuple(self._set):
            self._set.pop(name, None)

    def replace(self, wanted: Mapping[str, object]) -> None:
        """Take what a JSON object says: name to value, true, or `{"value", "probability", "count"}`. Raises UnknownFault."""
        others = Faults()
        for name, how in wanted.items():
            if how is False:
                continue
            fields = how if isinstance(how, dict) else {"value": how}
            probability, count = fields.get("probability", 1.0), fields.get("count")
            if not isinstance(probability, (int, float)) or not isinstance(count, (int, type(None))):
                raise UnknownFault(f"{name}: probability and count are numbers.")
            others.set(name, fields.get("value", ""), probability=probability, count=count)
        self._set = others._set

    def draw(self) -> dict[str, str]:
        """Decide what the next question meets: name to value. What was counted counts down."""
        met = {}
        for name, fault in list(self._set.items()):
            if self._random.random() >= fault.probability:
                continue
            met[name] = fault.value
            if fault.count is not None:
                self._set[name] = Fault(fault.value, fault.probability, fault.count - 1)
                if fault.count <= 1:
                    del self._set[name]
        return met

    def as_json(self) -> dict[str, dict[str, object]]:
        return {
            name: {"value": fault.value, "probability": fault.probability, "count": fault.count}
            for name, fault in self._set.items()
        }


def explain() -> str:
    """Return one line for every fault, for people."""
    width = max(map(len, FAULTS))
    return "\n".join(f"{name:<{width}}  {sentence}" for name, sentence in sorted(FAULTS.items()))
