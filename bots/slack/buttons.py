"""Lays out the end of an answer's last message, an aside and buttons, and reads clicks on these; `bots.listening` obeys them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.listening.events import Clicked
from bots.reply.page import Wish
from bots.slack import limits
from bots.slack.ids import is_ask, message_of, thread_in
from core.language import marked, say
from core.turn import QuestionKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bots.reply.page import Button, Page
    from core.turn import Turn

FEEDBACK = "feedback"  # the action_id of Slack's own two buttons; their values say which it was
_JUDGING = {Wish.GOOD: ("positive_button", marked("Good answer")), Wish.BAD: ("negative_button", marked("Bad answer"))}
_LONGEST_WISH = 20  # characters
# The first word was that of a button when there was but one: such buttons are still there.
_BLOCK_ID = re.compile(r"[a-z]{1,20}-\d{1,19}-(?P<attempt>\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Click(Clicked):
    """And where to tell who clicked."""

    channel: str = ""
    thread_ts: str = ""
    trigger: str = ""  # by which a form may be opened, for three seconds


def footer(page: Page, turn: Turn) -> list[dict[str, Any]]:
    """Return the blocks for it, none if there is nothing to say or to offer."""
    blocks = []
    if page.aside:
        blocks.append(context(page.aside))
    return blocks + rows(page.buttons, turn)


def rows(buttons: Sequence[Button], turn: Turn) -> list[dict[str, Any]]:
    """Return the blocks with *buttons* about *turn*."""
    if len(turn.question.key) > limits.BUTTON_VALUE - _LONGEST_WISH:
        return []
    judging = [one for one in buttons if one.wish in _JUDGING]
    others = [one for one in buttons if one.wish not in _JUDGING]
    return [row for row in (_judged(judging, turn), _offers(others, turn)) if row]


def _judged(buttons: Sequence[Button], turn: Turn) -> dict[str, Any]:
    """Slack's own: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element"""
    said = {
        _JUDGING[one.wish][0]: {
            "text": {"type": "plain_text", "text": say(_JUDGING[one.wish][1])},
            "value": f"{one.wish.value}:{turn.question.key}",
        }
        for one in buttons
    }
    if len(said) < len(_JUDGING):
        return {}
    element = {"type": "feedback_buttons", "action_id": FEEDBACK, **said}
    # https://docs.slack.dev/reference/block-kit/blocks/context-actions-block
    return {
        "type": "context_actions",
        "block_id": f"feedback-{turn.id}-{buttons[0].attempt}",
        "elements": [element],
    }


def context(sentence: str) -> dict[str, Any]:
    """A small grey line. https://docs.slack.dev/reference/block-kit/blocks/context-block."""
    # As plain text nothing in it can ping, or be taken for markup.
    return {"type": "context", "elements": [{"type": "plain_text", "text": limits.aside(sentence)}]}


def _offers(buttons: Sequence[Button], turn: Turn) -> dict[str, Any]:
    if not buttons:
        return {}
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
    wish, said = action["action_id"], action.get("value") or ""
    if wish == FEEDBACK:
        wish, _, said = said.partition(":")
        if wish not in _JUDGING:
            return None
    key, channel = QuestionKey(said), (body.get("channel") or {}).get("id")
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
        wish=Wish(wish),
        name=str(body["user"].get("name") or body["user"].get("username") or ""),
        place=thread_in(team, channel).channel,
        trigger=str(body.get("trigger_id") or ""),
    )


def installation_of(payload: Mapping[str, Any]) -> str:
    """Return the installation that a click was for; `team` is null in one for a whole organisation.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    enterprise, team = payload.get("enterprise") or {}, payload.get("team") or {}
    is_org_wide = payload.get("is_enterprise_install") and enterprise.get("id")
    return str(enterprise["id"] if is_org_wide else team.get("id", ""))
