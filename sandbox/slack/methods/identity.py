"""Who is who: api.test, auth.test, bots.info, users.*, usergroups.list, team.info, and the address of a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments, next_page
from sandbox.slack.limits import HUNDREDS, TIER_2, TIER_3, TIER_4
from sandbox.slack.objects import bot_object, group_object, user_object
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject

USERS_PAGE = 1_000  # https://docs.slack.dev/reference/methods/users.list


def api_test(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/api.test"""
    del platform
    if error := arguments.text("error"):
        raise ApiError(error, args=arguments.given)
    return {"args": arguments.given}


def auth_test(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/auth.test"""
    del arguments
    workspace, bot = platform.workspace, platform.installation.bot
    return {
        "url": f"{platform.origin}/",
        "team": workspace.name,
        "user": bot.name,
        "team_id": workspace.team_id,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/bots.info"""
    asked = arguments.needed("bot")
    bot = next((user for user in platform.workspace.users.values() if user.bot_id == asked), None)
    if bot is None:
        raise ApiError("bot_not_found")
    app_id = platform.installation.app_id if bot == platform.installation.bot else bot.app_id
    body = bot_object(bot, app_id, platform.workspace)
    del body["team_id"]
    return {"bot": body}


def users_info(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/users.info"""
    user = platform.workspace.users.get(arguments.needed("user"))
    if user is None:
        raise ApiError("user_not_found")
    told = user_object(user, platform.workspace)
    return {"user": told | {"locale": user.locale} if arguments.flag("include_locale") else told}


def users_list(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/users.list"""
    limit, after = arguments.number("limit", USERS_PAGE, most=USERS_PAGE), arguments.cursor()
    users = platform.workspace.users
    rest = sorted(each for each in users if each > after)
    page = rest[:limit]
    return {
        "members": [user_object(users[each], platform.workspace) for each in page],
        "cache_ts": int(float(platform.workspace.clock.next_ts())),
        "response_metadata": next_page(page[-1] if len(rest) > limit else ""),
    }


def usergroups_list(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/usergroups.list"""
    more = {"with_users": arguments.flag("include_users"), "with_count": arguments.flag("include_count")}
    workspace = platform.workspace
    return {"usergroups": [group_object(group, workspace, **more) for group in workspace.groups.values()]}


def team_info(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/team.info"""
    workspace = platform.workspace
    if arguments.text("team") not in ("", workspace.team_id):
        raise ApiError("team_not_found")
    team = {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain, "email_domain": ""}
    return {"team": team | {"icon": {"image_default": True}}}


def connections_open(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/apps.connections.open"""
    del arguments
    return {"url": f"{platform.origin.replace('http', 'ws', 1)}/link/?{platform.sockets.ticket()}"}


METHODS = {
    "api.test": Method(api_test, TIER_4, open=True),
    "auth.test": Method(auth_test, HUNDREDS),
    "apps.connections.open": Method(connections_open, TIER_3, app_level=True),
    "bots.info": Method(bots_info, TIER_3, "users:read"),
    "users.info": Method(users_info, TIER_4, "users:read"),
    "users.list": Method(users_list, TIER_2, "users:read"),
    "usergroups.list": Method(usergroups_list, TIER_2, "usergroups:read"),
    "team.info": Method(team_info, TIER_3, "team:read"),
}
