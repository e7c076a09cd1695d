"""What stands under the last message of an answer: an aside, and the buttons; and reading clicks on these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.listening.events import Clicked
from bots.reply.page import Wish
from bots.slack import limits
from bots.slack.ids import is_ask, message_of
from core.turn import QuestionKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bots.reply.page import Button, Page
    from core.turn import Turn

# The first word was that of a button when there was but one: such buttons are still there.
_BLOCK_ID = re.compile(r"[a-z]{1,20}-\d{1,19}-(?P<attempt>\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Click(Clicked):
    """And where to tell who clicked."""

    channel: str = ""
    thread_ts: str = ""


def footer(page: Page, turn: Turn) -> list[dict[str, Any]]:
    """Return the blocks for it, none if there is nothing to say or to offer."""
    blocks = []
    if page.aside:
        blocks.append(context(page.aside))
    if page.buttons and len(turn.question.key) <= limits.BUTTON_VALUE:
        blocks.append(offers(page.buttons, turn))
    return blocks


def context(sentence: str) -> dict[str, Any]:
    """A small grey line. https://docs.slack.dev/reference/block-kit/blocks/context-block."""
    # As plain text nothing in it can ping, or be taken for markup.
    return {"type": "context", "elements": [{"type": "plain_text", "text": limits.aside(sentence)}]}


def offers(buttons: Sequence[Button], turn: Turn) -> dict[str, Any]:
    """Return a row of *buttons*."""
    elements = [
        {
            "type": "button",
            "action_id": one.wish.value,
            "text": {"type": "plain_text", "text": one.label},
            "value": turn.question.key,
        }
        for one in buttons
    ]
    # "Each iteration of a message" wants a block_id of its own: https://docs.slack.dev/reference/block-kit/blocks/actions-block
    # And by it a click says which one.
    return {"type": "actions", "block_id": f"offers-{turn.id}-{buttons[0].attempt}", "elements": elements}


def read_click(body: Mapping[str, Any]) -> Click | None:
    """Read a click on our button; None when it is not one that we put where it was clicked.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    action, container = body["actions"][0], body.get("container") or {}
    key, channel = QuestionKey(action.get("value") or ""), (body.get("channel") or {}).get("id")
    try:
        team, asked_in, _ = message_of(key)
    except ValueError:
        return None
    # What was shared stands elsewhere than where it was asked.
    is_there = asked_in == channel or is_ask(key)
    if not channel or team != installation_of(body) or not is_there:
        return None
    message = body.get("message") or {}
    shown_for = _BLOCK_ID.fullmatch(str(action.get("block_id")))
    return Click(
        key=key,
        attempt=int(shown_for["attempt"]) if shown_for else None,
        channel=channel,
        thread_ts=container.get("thread_ts") or message.get("thread_ts") or "",
        by=body["user"]["id"],
        wish=Wish(action["action_id"]),
    )


def installation_of(payload: Mapping[str, Any]) -> str:
    """Return the installation that a click was for; `team` is null in one for a whole organisation.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    enterprise, team = payload.get("enterprise") or {}, payload.get("team") or {}
    is_org_wide = payload.get("is_enterprise_install") and enterprise.get("id")
    return str(enterprise["id"] if is_org_wide else team.get("id", ""))
