"""What an operator needs to set the bot up: the link to invite it, and whether its token works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bots.discord.api import log_in
from bots.discord.connection import NOT_ACCEPTED, missing_intent
from bots.discord.errors import NETWORK, translate
from core.errors import SetupError

if TYPE_CHECKING:
    from bots.discord.settings import Section

# https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    attach_files=True,
)


def invite_url(application_id: str) -> str:
    """Return the link with which somebody who manages a server invites the bot, with the permissions that it needs."""
    # Not `discord.utils.oauth_url`: the placeholder of a missing token has no number to give it.
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&permissions={PERMISSIONS.value}&scope=bot+applications.commands"
    )


async def check(section: Section) -> str:
    """Try the token; return what was found. Raises SetupError that says what to do."""
    try:
        client = await log_in(section)
    except discord.LoginFailure as error:
        raise SetupError(NOT_ACCEPTED) from error
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
    try:
        return _findings(section, client)
    finally:
        await client.close()


def _findings(section: Section, client: discord.Client) -> str:
    flags = client.application_flags
    may_read = flags.gateway_message_content or flags.gateway_message_content_limited
    if section.message_content and not may_read:
        raise SetupError(missing_intent(client.application_id))
    return f"logged in as {client.user}; invite it with {invite_url(str(client.application_id))}"
