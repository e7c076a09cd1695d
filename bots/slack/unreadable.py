"""Names malformed Slack data for the metric."""

from __future__ import annotations

import re
from functools import partial

from bots.listening import unreadable
from bots.slack.ids import NAME

EVENT, CLICK, COMMAND, FRAME = "event", "click", "command", "frame"
_KINDS = re.compile(r"message(_changed|_deleted)?|app_mention")  # labels must be few

skipped = partial(unreadable.skipped, NAME)


def kind_of(body: object) -> str:
    """Return what was sent; of an event the type, or the subtype, where that is one of those we take."""
    if not isinstance(body, dict):
        return EVENT
    if "command" in body:  # https://docs.slack.dev/interactivity/implementing-slash-commands
        return COMMAND
    if "actions" in body:
        return CLICK
    event = body.get("event")
    if isinstance(event, dict):
        for key in ("subtype", "type"):
            if isinstance(kind := event.get(key), str) and _KINDS.fullmatch(kind):
                return kind
    return EVENT
