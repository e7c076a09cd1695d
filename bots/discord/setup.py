"""Set-up for operators: the link to invite the bot, whether its token works, and what that allows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import discord
import yarl

from bots.discord.api import log_in
from bots.discord.connection import missing_intent, not_accepted
from bots.discord.errors import NETWORK, translate
from bots.finding import Finding, Verdict
from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bots.discord.settings import Section

# https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    attach_files=True,
    add_reactions=True,
)
HELLO = 10  # https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes
GREETED_WITHIN = 10.0  # seconds
FOLLOWS_NOT = "follow-ups need a mention, since BOBBIN_DISCORD__MESSAGE_CONTENT is false: Discord shows the bot no other words in servers"


def invite_url(application_id: str) -> str:
    """Return the link with which somebody who manages a server invites the bot, with the permissions that it needs."""
    # Not `discord.utils.oauth_url`: the placeholder of a missing token has no number to give it.
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&permissions={PERMISSIONS.value}&scope=bot+applications.commands"
    )


def install_url(application_id: str) -> str:
    """Return the link with which anybody adds the bot to their own account."""
    return f"https://discord.com/oauth2/authorize?client_id={application_id}&integration_type=1&scope=applications.commands"


async def check(section: Section) -> AsyncGenerator[Finding, None]:
    """Try the token and the gateway. Raises SetupError that says what to do."""
    client = await _log_in(section)
    try:
        invite = invite_url(str(client.application_id))
        yield Finding(f"logged in as {client.user}; invite it with {invite}")
        if not may_read(section, client.application_flags):
            yield Finding(missing_intent(client.application_id), Verdict.WRONG)
        if not section.message_content:
            yield Finding(FOLLOWS_NOT, Verdict.ADVICE)
        await _greet(section)
        if await _is_in_no_server(client):
            yield Finding(f"the bot is in no server yet: invite it with {invite}", Verdict.ADVICE)
    finally:
        await client.close()


def may_read(section: Section, flags: discord.ApplicationFlags) -> bool:
    """Does Discord let the bot read messages, or is it not to?"""
    return not section.message_content or flags.gateway_message_content or flags.gateway_message_content_limited


async def _log_in(section: Section) -> discord.Client:
    try:
        return await log_in(section)
    except discord.LoginFailure as error:
        raise SetupError(not_accepted(section)) from error
    except (discord.DiscordException, *NETWORK) as error:
        raise SetupError(
            f"Discord can't be asked at {section.api_url} ({translate(error).code}). Is the network there, and is "
            "BOBBIN_DISCORD__API_URL right?"
        ) from error
    except Exception as error:  # what discord.py raises for an answer that it didn't expect is anything
        raise SetupError(
            f"What answers at {section.api_url} is not Discord ({type(error).__name__}). Is a proxy or a login page in "
            "between, and is BOBBIN_DISCORD__API_URL right?"
        ) from error


async def _greet(section: Section) -> None:
    """Connect to the gateway and hear its greeting; there is no session yet, so this counts nowhere. Raises SetupError."""
    url = yarl.URL(section.gateway_url).with_query(v="10", encoding="json")
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            greeting = await socket.receive_json(timeout=GREETED_WITHIN)
    except (*NETWORK, TypeError, ValueError) as error:  # the latter two for what is no JSON text
        raise _wrong_gateway(section, type(error).__name__) from error
    if not isinstance(greeting, dict) or greeting.get("op") != HELLO:
        raise _wrong_gateway(section, "no greeting")


def _wrong_gateway(section: Section, why: str) -> SetupError:
    return SetupError(
        f"Discord's gateway does not answer at {section.gateway_url} ({why}). Correct BOBBIN_DISCORD__GATEWAY_URL, or leave "
        "it unset; a proxy in between must let WebSockets through."
    )


async def _is_in_no_server(client: discord.Client) -> bool:
    """Is that certain? https://discord.com/developers/docs/resources/user#get-current-user-guilds."""
    try:
        async with asyncio.timeout(GREETED_WITHIN):
            return await client.http.get_guilds(1) == []
    except (discord.DiscordException, *NETWORK):
        return False
