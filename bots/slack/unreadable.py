"""What Slack sends in a shape that nobody expects: skipped, counted, and named in the log without its words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

import structlog

if TYPE_CHECKING:
    from core.metrics import Metrics

CHAT = "slack"  # the label of the metric
EVENT = "event"
HISTORY = "history"  # as the label: a message that was read back
_KINDS = re.compile(r"message(_changed|_deleted)?|app_mention")  # labels must be few
# https://docs.slack.dev/messaging/retrieving-messages#individual_messages
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")

# What reading a payload raises that has another shape than Slack documents.
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)

log = structlog.get_logger(__name__)


def skipped(what: str, error: Exception | None, metrics: Metrics) -> None:
    """Say that *what* is skipped. The error's own text is left out: it may quote what people wrote."""
    metrics.unreadable.labels(CHAT, what).inc()
    kind = type(error).__name__ if error else "no message"
    log.warning("Slack sends what can't be read; skipping it", what=what, kind=kind)


def kind_of(body: object) -> str:
    """Return the type, or the subtype, of an event, where that is one of those we take."""
    event = body.get("event") if isinstance(body, dict) else None
    if isinstance(event, dict):
        for key in ("subtype", "type"):
            if isinstance(kind := event.get(key), str) and _KINDS.fullmatch(kind):
                return kind
    return EVENT


def is_ts(ts: object) -> TypeGuard[str]:
    """Can it be compared with the others?"""
    return isinstance(ts, str) and bool(_TS.fullmatch(ts))
