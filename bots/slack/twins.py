"""Makes one question of the two events of a mention, in any order: `message`, and `app_mention`, which may lack the files.

https://github.com/openclaw/openclaw/pull/62927, https://github.com/NousResearch/hermes-agent/pull/77141
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.bounded import BoundedSet

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1_000  # messages that are remembered
# A process that stood still has the message waiting at its door, and no time left for it: that counts as one step.
STEPS = 10
_REWRITTEN = ("message_changed", "message_deleted")


class Twins:
    """Has mentions without files wait until the whole message is recorded, where messages come at all."""

    def __init__(self, patience: float) -> None:
        """*patience* in seconds: Slack waits three for an answer, and often sends both at once."""
        self._patience = patience
        self._recorded = BoundedSet[tuple[str, str]](MOST)
        self._asked = BoundedSet[tuple[str, str]](MOST)  # of these, the questions
        self._awaited: dict[tuple[str, str], asyncio.Event] = {}
        self._come_alone = False  # mentions: the app isn't subscribed to messages

    async def wait(self, event: Mapping[str, Any]) -> bool:
        """Return when *event* may be taken: True if all of the message was there, or is in *event*."""
        key = _key(event)
        has_all = event.get("type") != "app_mention" or event.get("files") or event.get("edited")
        if has_all or key in self._recorded:
            return True
        if self._come_alone:
            return False
        awaited = self._awaited.setdefault(key, asyncio.Event())
        try:
            for _ in range(STEPS):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience / STEPS):
                        await awaited.wait()
                        return True
            self._come_alone = not self._recorded
        finally:
            self._awaited.pop(key, None)
        return False

    def is_known(self, event: Mapping[str, Any]) -> bool:
        """Is *event* a mention whose message is recorded as a question? Then there is no more in it."""
        return event.get("type") == "app_mention" and not event.get("edited") and _key(event) in self._asked

    def recorded(self, event: Mapping[str, Any], *, is_asked: bool = False) -> None:
        """Take note that *event* was taken; *is_asked*: as a question."""
        if event.get("type") == "app_mention" or event.get("subtype") in _REWRITTEN:
            return
        key, self._come_alone = _key(event), False
        self._recorded.add(key)
        if is_asked:
            self._asked.add(key)
        if key in self._awaited:
            self._awaited[key].set()


def _key(event: Mapping[str, Any]) -> tuple[str, str]:
    return str(event.get("channel")), str(event.get("ts"))
