"""Reads whom a Slack message addresses that doesn't call the bot: by mentions. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bots.listening.quiet import Addressing
from bots.slack.written import own_words, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://docs.slack.dev/messaging/formatting-message-text#mentioning-users and …#mentioning-groups
_PERSON = re.compile(r"<@(?P<user>[^<>|]+)(?:\|[^<>]*)?>")
_MANY = re.compile(r"<!(?:here|channel|everyone|subteam\^[^<>]+)(?:\|[^<>]*)?>")


def read_addressing(message: Mapping[str, Any], bot_user: str) -> Addressing:
    """Slack knows no replies but those in a thread."""
    text = message.get("text") or ""
    own = own_words(text)
    others = [hit for hit in _PERSON.finditer(own) if hit["user"] != bot_user]
    return Addressing(
        begins_with_other=bool(others) and not own[: others[0].start()].strip(),
        names_other=bool(others),
        calls_all=_MANY.search(spoken(text)) is not None,
        is_first=message.get("thread_ts") in (None, message.get("ts")),
    )
