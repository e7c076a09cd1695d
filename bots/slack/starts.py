"""Remembers across restarts when processes began to listen: for Slack, what they read counts together."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import structlog

from bots.slack.ids import NAME
from bots.slack.window import SPAN
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from bots.kit import Notes

STARTS_NOTE = f"{NAME}/starts"
MOST = 10  # remembered

log = structlog.get_logger(__name__)


async def count(notes: Notes) -> int:
    """Record that this process begins; return how many others did in the last minute."""
    now = time.time()
    try:
        recent = [one for one in _read(await notes.note(STARTS_NOTE)) if now - SPAN < one <= now]
        await notes.write_note(STARTS_NOTE, json.dumps([*recent, now][-MOST:]))
    except StorageUnavailable:
        log.warning("can't read how often the bot connected to Slack lately")
        return 0
    return len(recent)


def _read(note: str | None) -> list[float]:
    try:
        return [float(one) for one in json.loads(note or "[]")]
    except (ValueError, TypeError):
        return []
