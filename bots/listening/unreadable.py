"""Malformed platform data: skipped, counted, and logged without its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from core.metrics import Metrics

HISTORY = "history"  # as the label: a message that was read back

# What reading a payload raises that has another shape than the platform documents.
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)

log = structlog.get_logger(__name__)


def skipped(chat: str, what: str, error: Exception | None, metrics: Metrics) -> None:
    """Say that *what* is skipped. The error's own text is left out: it may quote what people wrote."""
    metrics.unreadable.labels(chat, what).inc()
    kind = type(error).__name__ if error else "no message"
    log.warning("a chat sends what can't be read; skipping it", chat=chat, what=what, kind=kind)
