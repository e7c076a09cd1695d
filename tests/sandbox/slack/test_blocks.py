"""Whatever an app sends as blocks is judged, never stumbled over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack import Message, shown
from sandbox.slack.blocks import TOO_LONG, Surface, block_problems, view_problems, with_ids

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


def rich(*elements: Any) -> list[Any]:
    return [{"type": "rich_text", "elements": list(elements)}]


def section(*elements: Any) -> Any:
    return {"type": "rich_text_section", "elements": list(elements)}


def preformatted(*elements: Any) -> Any:
    return {"type": "rich_text_preformatted", "elements": list(elements)}


def bullets(*elements: Any, **more: Any) -> Any:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(elements)} | more


def text(words: str) -> Any:
    return {"type": "text", "text": words}


def table(*cells: str) -> Any:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": cell} for cell in cells]]}


def markdown(words: str) -> Any:
    return {"type": "markdown", "text": words}


STYLE = {"bold": True, "italic": False, "strike": True}
EVERYTHING = [
    {"type": "text", "text": "x", "style": STYLE | {"code": True, "underline": True}},
    {"type": "link", "url": "https://e.example", "text": "x", "unsafe": True, "style": {"code": True}},
    {"type": "user", "user_id": "U0X", "style": STYLE | {"highlight": True, "client_highlight": True, "unlink": True}},
    {"type": "channel", "channel_id": "C0X", "style": STYLE},
    {"type": "usergroup", "usergroup_id": "S0X"},
    {"type": "team", "team_id": "T0X"},
    {"type": "broadcast", "range": "here"},
    {"type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 2},
    {"type": "color", "value": "#F405B3"},
    {"type": "date", "timestamp": 1720710212, "format": "{date_num}", "fallback": "today", "url": "https://e.example"},
]


def judged(**how: Any) -> dict[str, Any]:
    """https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element"""
    good: dict[str, Any] = {"text": {"type": "plain_text", "text": "Good"}, "value": "good"}
    buttons = {"positive_button": good, "negative_button": good | how}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", **buttons}]}


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        (rich(section(text(""))), "must be more than 0 characters"),
        (rich(section({"type": "link", "url": "https://e.example", "text": ""})), "must be more than 0 characters"),
        (rich(section({"type": "text"})), "missing required field: text"),
        (rich(section({"type": "link", "text": "x"})), "missing required field: url"),
        (rich(section({"type": "nonsense"})), "unsupported type: nonsense"),
        (rich(text("x")), "unsupported type: text"),
        (rich(bullets(section(text("x")), style=None)), "missing required field: style"),
        (rich(bullets(bullets())), "must be a valid enum value"),
        (rich(bullets(section(text("x")), indent=9)), "must be between 0 and 8"),
        (rich(), "no fewer than 1 items allowed"),
        (rich(section({"type": "text", "text": "x", "colour": "red"})), "invalid additional property: colour"),
        # https://github.com/soxtoby/SlackNet/issues/196
        (
            rich(section({"type": "user", "user_id": "U0X", "style": {"code": True}})),
            "invalid additional property: code",
        ),
        (rich(section({"type": "text", "text": "x", "style": {"bold": "yes"}})), "must provide a boolean"),
        (rich(section({"type": "broadcast", "range": "somebody"})), "must be a valid enum value"),
        (rich(section({"type": "date", "timestamp": "now", "format": "{date}"})), "must provide an integer"),
        (rich(bullets(section(text("x")), offset=-1)), "must be more than -1"),
        (rich(preformatted({"type": "user", "user_id": "U0X"})), "unsupported type: user"),
        ([judged(value="x" * 2_001)], "must be less than 2001 characters"),
        ([judged(value="")], "missing required field: value"),
        ([judged(text={"type": "mrkdwn", "text": "x"})], "unsupported type: mrkdwn"),
        ([judged(text={"type": "plain_text", "text": "x" * 76})], "must be less than 76 characters"),
        ([{"type": "divider", "text": "x"}], "invalid additional property: text"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
        ([table("a") | {"column_settings": [{"align": "middle"}]}], "must be a valid enum value"),
        ([table("a") | {"column_settings": [{}] * 21}], "no more than 20 items allowed"),
        ([table("a"), table("b")], "only_one_table_allowed"),
        ([{"type": "table", "rows": [[{"type": "text", "text": "x"}]]}], "unsupported type: text"),
        ([table("")], "missing required field: text"),
        ([{"type": "table", "rows": [rich(section())]}], "no fewer than 1 items allowed"),
        ([table("x" * 5_000, "x" * 5_001)], "must be less than 10001 characters"),
        ([markdown("x" * 6_001), markdown("x" * 6_000)], "must be less than 12001 characters"),
    ],
)
def test_what_slack_refuses_is_refused(blocks: list[Any], complaint: str) -> None:
    (found, *_) = block_problems(blocks, Surface.MESSAGE)
    assert found.startswith(complaint)


@pytest.mark.parametrize(
    "blocks",
    [
        rich(section(text("x"), {"type": "emoji", "name": "x"}), bullets(section(text("y")), indent=8)),
        rich(preformatted(text("x"), {"type": "link", "url": "https://e.example"})),
        rich(preformatted(text("x")) | {"language": "python", "border": 1}),
        rich({"type": "rich_text_quote", "elements": [text("x")], "border": 0}),
        rich(section(), bullets()),  # slackapi/python-slack-sdk#1576
        rich(bullets(section(text("x")), style="ordered", offset=3, border=1)),
        rich(section(*EVERYTHING)),
        [judged(value="x" * 2_000)],
        [{"type": "divider", "block_id": "line"}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x", "emoji": True}, "level": 2}],
        [table("a", "b") | {"column_settings": [{"align": "right", "is_wrapped": True}, None]}],
        [{"type": "table", "rows": [rich(section(text("x"))), [{"type": "raw_number", "value": 1, "text": "1"}]]}],
        [table("x" * 5_000, "x" * 5_000)],
        [markdown("字" * 12_000)],
        [markdown("# h\n\nx\n\n" * 25)],
        # https://github.com/slackapi/bolt-js/issues/2509
        rich(section(text("x" * 13_297))),
        [*rich(section(text("x" * 13_172))), {"type": "divider"}],
    ],
)
def test_what_slack_takes_is_taken(blocks: list[Any]) -> None:
    assert not block_problems(blocks, Surface.MESSAGE)


@pytest.mark.parametrize(
    "blocks",
    [
        rich(section(text("x" * 13_298))),
        [*rich(section(text("x" * 13_173))), {"type": "divider"}],
        rich(section(text("<" * 4_000))),  # as entities these are 16,000
        [markdown("# h\n\nx\n\n" * 25 + "# h")],
        [markdown("```\nx\n```\n\nx\n\n" * 25), {"type": "divider"}],
        [markdown("---\n\n" * 51)],
        [markdown("- a\n  ```\n  x\n  ```\n" * 26)],
        [markdown("# h\n\n" + "x" * 230 + "\n\n") for _ in range(24)] + [markdown("x" * 5_000)],
    ],
)
def test_what_is_too_much_for_one_message_is_refused_as_such(blocks: list[Any]) -> None:
    assert block_problems(blocks, Surface.MESSAGE) == [TOO_LONG]
