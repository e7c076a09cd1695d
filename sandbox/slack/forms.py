"""Fills in modals as a client does, and tells what it can show of an app's complaints.

https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.slack.arguments import ApiError
from sandbox.slack.weight import characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.slack.nouns import JsonObject

TYPED = 3_000  # characters: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
# What each kind of element sends, and by what name the app can set it beforehand; a value for the others.
_SENT = {
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "users_select": ("selected_user", "initial_user"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}


def options(element: JsonObject) -> list[JsonObject]:
    """What an app offers to choose in it, in groups or not."""
    groups = element.get("option_groups") or ()
    return [*(element.get("options") or ()), *(option for group in groups for option in group["options"])]


def takes_many(element: JsonObject) -> bool:
    return _sent(element)[0].endswith("s")


def values(element: JsonObject, state: JsonObject | None) -> tuple[str, ...]:
    """What is chosen or written in it by *state*; without one, as the app has set it."""
    sent, initial = _sent(element)
    value = state.get(sent) if state is not None else element.get(initial)
    several = value if isinstance(value, list) else [value] if value else []
    return tuple(str(one["value"]) if isinstance(one, dict) else str(one) for one in several)


def stated(element: JsonObject, chosen: Sequence[str]) -> JsonObject:
    """The state in which it has *chosen*, or nothing. Raises ValueError for an option that it hasn't."""
    sent, _ = _sent(element)
    known: dict[str, Any] = {one["value"]: one for one in options(element)}
    if known and set(chosen) - set(known):
        raise ValueError("There is no such option.")
    several = [known.get(one, one) for one in chosen]
    return {"type": element["type"], sent: several if takes_many(element) else several[0] if several else None}


def _sent(element: JsonObject) -> tuple[str, str]:
    return _SENT.get(element["type"], ("value", "initial_value"))


def filled_in(view: JsonObject, given: JsonObject) -> JsonObject:
    """Return the state of *view* in which *given* was filled in, the rest left as it came.

    Raises ValueError for what no client would send: a field that isn't there, a required one left empty, more than fits.
    """
    inputs = {block["block_id"]: block for block in _inputs(view)}
    if unknown := set(given) - set(inputs):
        raise ValueError(f"The form has no input {', '.join(sorted(unknown))}.")
    return {block_id: _state(block, given.get(block_id) or {}) for block_id, block in inputs.items()}


def check_errors(errors: object, view: JsonObject) -> None:
    """Raises ApiError for what can't be shown: each stands under an input, https://docs.slack.dev/surfaces/modals#displaying_errors"""
    places = {block["block_id"] for block in _inputs(view)}
    if not isinstance(errors, dict) or not errors or not set(errors) <= places:
        raise ApiError("invalid_errors")
    if not all(isinstance(sentence, str) and sentence for sentence in errors.values()):
        raise ApiError("invalid_errors")


def _inputs(view: JsonObject) -> Iterator[JsonObject]:
    return (block for block in view["blocks"] if block["type"] == "input")


def _state(block: JsonObject, given: JsonObject) -> JsonObject:
    element = block["element"]
    action_id, kind = element["action_id"], element["type"]
    if set(given) - {action_id}:
        raise ValueError(f"The input {block['block_id']} has no element {', '.join(sorted(given))}.")
    sent, initial = _sent(element)
    state = given.get(action_id) or {"type": kind, sent: element.get(initial)}
    value = state.get(sent)
    if not value and not block.get("optional"):
        raise ValueError(f"The input {block['block_id']} has to be filled in.")
    offered, several = options(element), value if isinstance(value, list) else [value]
    if offered and value and any(one not in offered for one in several):
        raise ValueError(f"The input {block['block_id']} has no such option.")
    if kind == "plain_text_input" and value and characters(value) > element.get("max_length", TYPED):
        raise ValueError(f"That is too long for the input {block['block_id']}.")
    return {action_id: state}
