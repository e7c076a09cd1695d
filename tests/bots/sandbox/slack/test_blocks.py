"""Whatever an app sends as blocks is judged, never stumbled over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.slack import Message, shown
from bots.sandbox.slack.blocks import Surface, block_problems, view_problems, with_ids

TYPES = [
    *("section", "header", "divider", "image", "context", "actions", "context_actions", "input", "markdown"),
    *("rich_text", "table", "video", "file", "card", "button", "overflow", "static_select", "feedback_buttons"),
    *("icon_button", "plain_text", "mrkdwn", "raw_text", "rich_text_section", "text", "modal", "home", "unheard-of"),
]
FIELDS = [
    *("text", "fields", "elements", "accessory", "element", "label", "alt_text", "image_url", "rows", "options"),
    *("value", "url", "style", "positive_button", "negative_button", "icon", "placeholder", "block_id", "action_id"),
    *("title", "blocks", "submit", "private_metadata"),
]
leaves = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", "primary"])
structures = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(
            lambda kind, rest: {"type": kind, **rest},
            st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
        )
    ),
    max_leaves=12,
)


@given(st.lists(structures, max_size=3))
def test_any_blocks_are_refused_or_shown(blocks: list[Any]) -> None:
    if not block_problems(blocks, Surface.MESSAGE):
        assert isinstance(shown(Message("C0X", "1.000001", "U0X", "", with_ids(blocks))), str)


@given(st.dictionaries(st.sampled_from(["type", *FIELDS]), structures))
def test_any_view_is_judged(view: dict[str, Any]) -> None:
    assert view_problems(view) or view["type"] in ("modal", "home")


def test_elements_get_the_ids_that_the_app_left_out() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    named = with_ids([{"type": "actions", "elements": [button, button | {"action_id": "mine"}]}])
    assert named[0]["block_id"]
    assert named[0]["elements"][0]["action_id"]
    assert named[0]["elements"][1]["action_id"] == "mine"
