"""What a client sends of a modal that somebody filled in, and what it can show of an app's complaints.

https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError
from sandbox.slack.weight import characters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.slack.nouns import JsonObject

TYPED = 3_000  # characters: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
# What each kind of element sends, and by what name the app can set it beforehand.
_SENT = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "users_select": ("selected_user", "initial_user"),
}


def filled_in(view: JsonObject, values: JsonObject) -> JsonObject:
    """Return the state of *view* in which *values* were filled in, the rest left as it came.

    Raises ValueError for what no client would send: a field that isn't there, a required one left empty, more than fits.
    """
    inputs = {block["block_id"]: block for block in _inputs(view)}
    if unknown := set(values) - set(inputs):
        raise ValueError(f"The form has no input {', '.join(sorted(unknown))}.")
    return {block_id: _state(block, values.get(block_id) or {}) for block_id, block in inputs.items()}


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
    sent, initial = _SENT.get(kind, ("value", "initial_value"))
    state = given.get(action_id) or {"type": kind, sent: element.get(initial)}
    value = state.get(sent)
    if not value and not block.get("optional"):
        raise ValueError(f"The input {block['block_id']} has to be filled in.")
    if "options" in element and value and value not in element["options"]:
        raise ValueError(f"The input {block['block_id']} has no such option.")
    if kind == "plain_text_input" and value and characters(value) > element.get("max_length", TYPED):
        raise ValueError(f"That is too long for the input {block['block_id']}.")
    return {action_id: state}
