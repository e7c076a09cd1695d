"""Says what Slack would find wrong with blocks and views, in Slack's own form.

Kinds of blocks and their limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING

from sandbox.slack.problems import Problems
from sandbox.slack.rich_text import check_rich_text, check_table
from sandbox.slack.weight import MESSAGE_BLOCKS, TABLE_TEXT, characters, table_text, weighs_too_much

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.slack.nouns import JsonObject

TOO_LONG = "msg_blocks_too_long"  # https://docs.slack.dev/reference/methods/chat.postMessage#errors
VIEW_BLOCKS = 100  # https://docs.slack.dev/reference/views/modal-views
SECTION_TEXT = 3_000  # https://docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_FIELDS, FIELD_TEXT = 10, 2_000
HEADER_TEXT = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
MARKDOWN_TEXT = 12_000  # of all its blocks together: https://docs.slack.dev/reference/block-kit/blocks/markdown-block
CONTEXT_ELEMENTS = 10  # https://docs.slack.dev/reference/block-kit/blocks/context-block
ACTIONS_ELEMENTS = 25  # https://docs.slack.dev/reference/block-kit/blocks/actions-block
CONTEXT_ACTIONS_ELEMENTS = 5  # https://docs.slack.dev/reference/block-kit/blocks/context-actions-block
BUTTON_TEXT, BUTTON_VALUE, BUTTON_URL = 75, 2_000, 3_000  # …/block-kit/block-elements/button-element
OPTIONS, OVERFLOW_OPTIONS = 100, 5  # …/block-kit/block-elements/select-menu-element, overflow-menu-element
# …/block-elements/radio-button-group-element, plain-text-input-element; …/composition-objects/option-object
BOX_OPTIONS, TYPED, OPTION_VALUE = 10, 3_000, 150
ALT_TEXT = 2_000  # https://docs.slack.dev/reference/block-kit/blocks/image-block
ID_LENGTH = 255  # block_id, action_id, callback_id
VIEW_TITLE, PRIVATE_METADATA = 24, 3_000  # https://docs.slack.dev/reference/views/modal-views

_SELECTS = ("static", "users", "conversations", "channels", "external")
_SELECT_TYPES = {f"{many}{kind}_select" for kind in _SELECTS for many in ("", "multi_")}
_ELEMENT_TYPES = _SELECT_TYPES | {
    *("button", "checkboxes", "datepicker", "datetimepicker", "email_text_input", "file_input", "image"),
    *("number_input", "overflow", "plain_text_input", "radio_buttons", "rich_text_input", "timepicker"),
    *("url_text_input", "workflow_button"),
}
_CONTEXT_ACTION_TYPES = {"feedback_buttons", "icon_button"}
# Taken as they come: what is inside them is not checked here.
_UNCHECKED_TYPES = {
    *("alert", "auth_provider", "card", "carousel", "container", "data_table", "data_visualization"),
    *("plan", "task_card"),
}


class Surface(StrEnum):
    MESSAGE = "message"
    VIEW = "view"


def block_problems(blocks: Sequence[object], surface: Surface, place: str = "/blocks") -> list[str]:
    """What is wrong with *blocks*, nothing if they can be shown; only TOO_LONG if each is well, but all are too much."""
    problems = Problems()
    most = MESSAGE_BLOCKS if surface is Surface.MESSAGE else VIEW_BLOCKS
    if len(blocks) > most:
        problems.add(f"no more than {most} items allowed", place)
    for at, block in enumerate(blocks):
        _check_block(block, surface, problems, f"{place}/{at}")
    if sum(_is(block, "table") for block in blocks) > 1:
        problems.add("only_one_table_allowed", place)
    if sum(_markdown_length(block) for block in blocks) > MARKDOWN_TEXT:
        problems.add(f"must be less than {MARKDOWN_TEXT + 1} characters", place)
    if table_text(blocks) > TABLE_TEXT:
        problems.add(f"must be less than {TABLE_TEXT + 1} characters", place)
    if not problems.found and surface is Surface.MESSAGE and weighs_too_much(blocks):
        return [TOO_LONG]
    return problems.found


def view_problems(view: JsonObject) -> list[str]:
    """What is wrong with a modal or a home tab: https://docs.slack.dev/reference/views"""
    problems = Problems()
    if view.get("type") not in ("modal", "home"):
        problems.add(f"unsupported type: {view.get('type')}", "/view/type")
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        problems.add("missing required field: blocks", "/view")
        blocks = []
    if view.get("type") == "modal":
        problems.text(view, "title", VIEW_TITLE, "/view", plain=True)
        if any(_is(block, "input") for block in blocks):
            problems.need(view, "submit", "/view")
    for name in ("submit", "close"):
        if view.get(name):
            problems.text_object(view[name], VIEW_TITLE, f"/view/{name}", plain=True)
    for name, longest in (("private_metadata", PRIVATE_METADATA), ("callback_id", ID_LENGTH)):
        if view.get(name):
            problems.length(view[name], longest, f"/view/{name}")
    return problems.found + block_problems(blocks, Surface.VIEW, "/view/blocks")


def with_ids(blocks: list[JsonObject]) -> tuple[JsonObject, ...]:
    """The blocks with a `block_id`, and their elements with an `action_id`, where the app left it to Slack."""
    named: list[JsonObject] = []
    for block in blocks:
        whole = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
        if block["type"] in {"actions", "context_actions"}:
            whole["elements"] = [_with_action_id(element) for element in block["elements"]]
        elif isinstance(block.get("accessory"), dict):
            whole["accessory"] = _with_action_id(block["accessory"])
        elif block["type"] == "input":
            whole["element"] = _with_action_id(block["element"])
        named.append(whole)
    return tuple(named)


def _with_action_id(element: JsonObject) -> JsonObject:
    return {**element, "action_id": element.get("action_id") or secrets.token_urlsafe(4)}


def _is(block: object, kind: str) -> bool:
    return isinstance(block, dict) and block.get("type") == kind


def _markdown_length(block: object) -> int:
    return characters(str(block.get("text", ""))) if isinstance(block, dict) and block.get("type") == "markdown" else 0


def _check_block(block: object, surface: Surface, problems: Problems, place: str) -> None:
    if not isinstance(block, dict):
        problems.add("must provide an object", place)
        return
    kind = str(block.get("type"))
    if "type" not in block:
        problems.add("missing required field: type", place)
    elif kind in _CHECKS:
        if surface is Surface.VIEW and kind in {"markdown", "context_actions", "table"}:
            problems.add(f"unsupported type: {kind}", f"{place}/type")
        _CHECKS[kind](block, problems, place)
    elif kind not in _UNCHECKED_TYPES:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
    if block.get("block_id"):
        problems.length(block["block_id"], ID_LENGTH, f"{place}/block_id")


def _section(block: JsonObject, problems: Problems, place: str) -> None:
    if not block.get("fields"):
        problems.text(block, "text", SECTION_TEXT, place)
    elif block.get("text"):
        problems.text_object(block["text"], SECTION_TEXT, f"{place}/text")
    if block.get("fields"):
        for at, text in enumerate(problems.count(block["fields"], SECTION_FIELDS, f"{place}/fields")):
            problems.text_object(text, FIELD_TEXT, f"{place}/fields/{at}")
    if block.get("accessory"):
        _check_element(block["accessory"], problems, f"{place}/accessory")


def _divider(block: JsonObject, problems: Problems, place: str) -> None:
    problems.only(block, ("block_id",), place)


def _header(block: JsonObject, problems: Problems, place: str) -> None:
    problems.only(block, ("text", "level", "block_id"), place)
    problems.text(block, "text", HEADER_TEXT, place, plain=True)


def _markdown(block: JsonObject, problems: Problems, place: str) -> None:
    if problems.need(block, "text", place):
        problems.length(block["text"], MARKDOWN_TEXT, f"{place}/text")


def _image(block: JsonObject, problems: Problems, place: str) -> None:
    if not block.get("slack_file"):
        problems.need(block, "image_url", place)
    if problems.need(block, "alt_text", place):
        problems.length(block["alt_text"], ALT_TEXT, f"{place}/alt_text")


def _context(block: JsonObject, problems: Problems, place: str) -> None:
    if not problems.need(block, "elements", place):
        return
    for at, element in enumerate(problems.count(block["elements"], CONTEXT_ELEMENTS, f"{place}/elements")):
        if element.get("type") == "image":
            _image(element, problems, f"{place}/elements/{at}")
        else:
            problems.text_object(element, SECTION_TEXT, f"{place}/elements/{at}")


def _actions(block: JsonObject, problems: Problems, place: str) -> None:
    if problems.need(block, "elements", place):
        for at, element in enumerate(problems.count(block["elements"], ACTIONS_ELEMENTS, f"{place}/elements")):
            _check_element(element, problems, f"{place}/elements/{at}")


def _context_actions(block: JsonObject, problems: Problems, place: str) -> None:
    if not problems.need(block, "elements", place):
        return
    for at, element in enumerate(problems.count(block["elements"], CONTEXT_ACTIONS_ELEMENTS, f"{place}/elements")):
        there = f"{place}/elements/{at}"
        if str(element.get("type")) not in _CONTEXT_ACTION_TYPES:
            problems.add(f"unsupported type: {element.get('type')}", f"{there}/type")
        elif element["type"] == "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                if not isinstance(element.get(name), dict):
                    problems.add(f"missing required field: {name}", there)
                else:
                    problems.text(element[name], "text", BUTTON_TEXT, f"{there}/{name}", plain=True)
                    if problems.need(element[name], "value", f"{there}/{name}"):
                        problems.length(element[name]["value"], BUTTON_VALUE, f"{there}/{name}/value")
        else:
            problems.need(element, "icon", there)
            problems.text(element, "text", BUTTON_TEXT, there, plain=True)


def _input(block: JsonObject, problems: Problems, place: str) -> None:
    problems.text(block, "label", FIELD_TEXT, place, plain=True)
    if problems.need(block, "element", place):
        _check_element(block["element"], problems, f"{place}/element")


def _video(block: JsonObject, problems: Problems, place: str) -> None:
    for name in ("alt_text", "title", "thumbnail_url", "video_url"):
        problems.need(block, name, place)


def _file(block: JsonObject, problems: Problems, place: str) -> None:
    for name in ("external_id", "source"):
        problems.need(block, name, place)


def _check_element(element: object, problems: Problems, place: str) -> None:
    if not isinstance(element, dict) or str(element.get("type")) not in _ELEMENT_TYPES:
        kind = element.get("type") if isinstance(element, dict) else element
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    if element.get("action_id"):
        problems.length(element["action_id"], ID_LENGTH, f"{place}/action_id")
    if element["type"] == "button":
        _button(element, problems, place)
    elif element["type"] in {"static_select", "multi_static_select"} and not element.get("option_groups"):
        _options(element, OPTIONS, problems, place)
    elif element["type"] == "overflow":
        _options(element, OVERFLOW_OPTIONS, problems, place)
    elif element["type"] in {"radio_buttons", "checkboxes"}:
        _options(element, BOX_OPTIONS, problems, place)
    elif element["type"] == "plain_text_input":
        _typed(element, problems, place)
    elif element["type"] == "conversations_select" and "filter" in element:
        _filter(element["filter"], problems, f"{place}/filter")


def _button(element: JsonObject, problems: Problems, place: str) -> None:
    problems.text(element, "text", BUTTON_TEXT, place, plain=True)
    for name, longest in (("value", BUTTON_VALUE), ("url", BUTTON_URL)):
        if element.get(name):
            problems.length(element[name], longest, f"{place}/{name}")
    if element.get("style") not in (None, "primary", "danger"):
        problems.add("must be a valid enum value", f"{place}/style")


def _options(element: JsonObject, most: int, problems: Problems, place: str) -> None:
    if problems.need(element, "options", place):
        for at, option in enumerate(problems.count(element["options"], most, f"{place}/options")):
            problems.text(option, "text", BUTTON_TEXT, f"{place}/options/{at}")
            if problems.need(option, "value", f"{place}/options/{at}"):
                problems.length(option["value"], OPTION_VALUE, f"{place}/options/{at}/value")
        if element.get("initial_option") and element["initial_option"] not in element["options"]:
            problems.add("initial_option must match one of the options", f"{place}/initial_option")


def _typed(element: JsonObject, problems: Problems, place: str) -> None:
    longest = element.get("max_length", TYPED)
    if not isinstance(longest, int) or not 0 < longest <= TYPED:
        problems.add(f"must be between 1 and {TYPED}", f"{place}/max_length")
    elif element.get("initial_value"):
        problems.length(element["initial_value"], longest, f"{place}/initial_value")


def _filter(among: object, problems: Problems, place: str) -> None:
    if not isinstance(among, dict) or not among:
        problems.add("must provide an object", place)
        return
    problems.only(among, ("include", "exclude_external_shared_channels", "exclude_bot_users"), place)
    if not set(among.get("include", ())) <= {"im", "mpim", "private", "public"}:
        problems.add("must be a valid enum value", f"{place}/include")


_CHECKS: dict[str, Callable[[JsonObject, Problems, str], None]] = {
    "section": _section,
    "divider": _divider,
    "header": _header,
    "markdown": _markdown,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "input": _input,
    "rich_text": check_rich_text,
    "table": check_table,
    "video": _video,
    "file": _file,
}
