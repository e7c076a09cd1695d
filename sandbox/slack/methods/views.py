"""views.*: modals and home tabs. https://docs.slack.dev/reference/methods?family=views"""

from __future__ import annotations

import secrets

from sandbox.slack.arguments import ApiError, Arguments, explained
from sandbox.slack.blocks import view_problems, with_ids
from sandbox.slack.limits import TIER_4
from sandbox.slack.nouns import JsonObject, new_id
from sandbox.slack.platform import Method, Platform

STACK = 3  # views in one modal: https://docs.slack.dev/surfaces/modals#view_stack


def open_view(platform: Platform, arguments: Arguments) -> JsonObject:
    view = _given(arguments, "modal")
    interaction = platform.interactions.exchange(arguments.needed("trigger_id"))
    shown = whole_view(platform, view)
    shown["root_view_id"] = shown["id"]
    interaction.views.append(shown["id"])
    platform.workspace.show_view(shown, interaction.user.id)
    return {"view": shown}


def push(platform: Platform, arguments: Arguments) -> JsonObject:
    view = _given(arguments, "modal")
    interaction = platform.interactions.exchange(arguments.needed("trigger_id"))
    below = platform.workspace.views.get(interaction.view_id)
    if below is None:
        raise ApiError("not_found")
    stacked = [each for each in platform.workspace.views.values() if each["root_view_id"] == below["root_view_id"]]
    if len(stacked) >= STACK:
        raise ApiError("push_limit_reached")
    shown = whole_view(platform, view)
    shown |= {"root_view_id": below["root_view_id"], "previous_view_id": below["id"]}
    interaction.views.append(shown["id"])
    platform.workspace.show_view(shown, interaction.user.id)
    return {"view": shown}


def update(platform: Platform, arguments: Arguments) -> JsonObject:
    before = _existing(platform, arguments)
    view = _given(arguments, before["type"])
    _check_hash(arguments, before)
    shown = replaced_view(platform, before, view)
    platform.workspace.show_view(shown, "")
    return {"view": shown}


def publish(platform: Platform, arguments: Arguments) -> JsonObject:
    view = _given(arguments, "home")
    user = arguments.needed("user_id")
    if user not in platform.workspace.users:
        raise explained("invalid_arguments", ["unknown user [json-pointer:/user_id]"])
    before = platform.workspace.views.get(platform.workspace.homes.get(user, ""))
    if before is None:
        shown = whole_view(platform, view)
        shown["root_view_id"] = shown["id"]
    else:
        _check_hash(arguments, before)
        shown = replaced_view(platform, before, view)
    platform.workspace.homes[user] = shown["id"]
    platform.workspace.show_view(shown, user)
    return {"view": shown}


def whole_view(platform: Platform, view: JsonObject) -> JsonObject:
    """A view with all that Slack adds: https://docs.slack.dev/reference/views"""
    return {
        "id": new_id("V"),
        "team_id": platform.workspace.team_id,
        "type": view["type"],
        "title": view.get("title"),
        "submit": view.get("submit"),
        "close": view.get("close"),
        "blocks": list(with_ids(view["blocks"])),
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "external_id": view.get("external_id", ""),
        "state": {"values": {}},
        "hash": f"{platform.workspace.clock.next_ts()}.{secrets.token_hex(4)}",
        "clear_on_close": bool(view.get("clear_on_close")),
        "notify_on_close": bool(view.get("notify_on_close")),
        "root_view_id": None,
        "previous_view_id": None,
        "app_id": platform.installation.app_id,
        "app_installed_team_id": platform.workspace.team_id,
        "bot_id": platform.installation.bot.bot_id,
    }


def replaced_view(platform: Platform, before: JsonObject, view: JsonObject) -> JsonObject:
    """*view* in the place of the one before, under its id."""
    kept = {name: before[name] for name in ("id", "root_view_id", "previous_view_id")}
    return whole_view(platform, view) | kept


def checked_view(view: JsonObject) -> JsonObject:
    if problems := view_problems(view):
        raise explained("invalid_arguments", problems)
    return view


def _given(arguments: Arguments, kind: str) -> JsonObject:
    arguments.needed("view")
    view = checked_view(arguments.object("view", "invalid_arguments") or {})
    if view["type"] != kind:
        raise explained("invalid_arguments", [f"unsupported type: {view['type']} [json-pointer:/view/type]"])
    return view


def _existing(platform: Platform, arguments: Arguments) -> JsonObject:
    views = platform.workspace.views
    if "view_id" in arguments:
        found = views.get(arguments.text("view_id"))
    else:
        external = arguments.needed("external_id")
        found = next((each for each in views.values() if each["external_id"] == external), None)
    if found is None:
        raise ApiError("not_found")
    return found


def _check_hash(arguments: Arguments, before: JsonObject) -> None:
    """A hash says which version the app has in mind: https://docs.slack.dev/surfaces/modals#handling_race_conditions"""
    if "hash" in arguments and arguments.text("hash") != before["hash"]:
        raise ApiError("hash_conflict")


METHODS = {
    "views.open": Method(open_view, TIER_4),
    "views.push": Method(push, TIER_4),
    "views.update": Method(update, TIER_4),
    "views.publish": Method(publish, TIER_4),
}
