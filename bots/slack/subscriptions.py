"""Notices when the app is subscribed to mentions, but not to what else is said in channels: then follow-ups go unheard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bots.finding import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A mention comes as two events, which may come to two processes: so many alone are no chance any more.
ALONE = 5
TOO_FEW = (
    "Slack sends mentions, but not what else is said in channels, so follow-ups need a mention: paste `bobbin manifest slack` "
    "at https://api.slack.com/apps (it subscribes to message.channels and message.groups), and install the app again."
)

log = structlog.get_logger(__name__)


class Subscriptions:
    """https://docs.slack.dev/reference/events/app_mention comes beside the message, wherever that is subscribed to."""

    def __init__(self) -> None:
        self._mentions = 0
        self._has_messages = False

    def heard(self, event: Mapping[str, Any]) -> None:
        """Slack sends *event*, a message or a mention."""
        if event.get("type") == "app_mention":
            self._mentions += 1
            if self._are_too_few and self._mentions == ALONE:
                log.warning("Slack sends mentions, but not what else is said in channels; follow-ups need a mention")
        elif event.get("channel_type") in ("channel", "group"):
            self._has_messages = True

    @property
    def _are_too_few(self) -> bool:
        return not self._has_messages and self._mentions >= ALONE

    def findings(self) -> Iterator[Finding]:
        if self._are_too_few:
            yield Finding(TOO_FEW, Verdict.WRONG)
