"""Checks the app's tokens and scopes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bots.finding import Finding, Verdict
from bots.slack.api import Api, Identity
from bots.slack.errors import DEAD
from bots.slack.manifest import SCOPES, WORTH_HAVING
from bots.slack.pace import Pace
from core.errors import ChatBusy, ChatClosed, ChatError, ChatLimited, ChatUnclear, SetupError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from bots.slack.settings import Section

BOT_TOKEN, APP_TOKEN = "BOBBIN_SLACK__BOT_TOKEN", "BOBBIN_SLACK__APP_TOKEN"
APPS = "https://api.slack.com/apps"
# https://docs.slack.dev/authentication/tokens
PREFIXES = {BOT_TOKEN: "xoxb-", APP_TOKEN: "xapp-"}
# Requests that are older, or newer, are refused: https://docs.slack.dev/authentication/verifying-requests-from-slack
MOST_CLOCK_DRIFT = 300.0  # seconds
MOST_CHANNELS = 200  # that are asked for, to see whether there is one


_now = time.time  # a name of its own, for tests to set the clock


async def check(section: Section) -> AsyncGenerator[Finding, None]:
    """Try the tokens. Raises SetupError that says what to do."""
    api = Api(section, Pace())
    async with api.session():
        identity = await _identity(api, section)
        if section.uses_socket_mode:
            token = section.app_token.get_secret_value()
            try:
                await api.socket_url(token)
            except ChatError as refusal:
                raise SetupError(advice(refusal, APP_TOKEN, token, section.api_url)) from refusal
        how = "Socket Mode" if section.uses_socket_mode else "events by HTTP to /slack/events"
        yield Finding(f"the tokens work in the workspace {identity.workspace}; {how}")
        for finding in (*lacking(identity), *_worth_knowing(section, identity)):
            yield finding
        if not await _is_in_a_channel(api):
            todo = "the bot is in no channel yet, so it hears direct messages only: write /invite @bobbin in a channel"
            yield Finding(todo, Verdict.ADVICE)


def lacking(identity: Identity) -> Iterator[Finding]:
    """Compare what was granted with what the bot needs."""
    if identity.scopes is None:
        yield Finding(
            "this server doesn't say which scopes it grants, so they were not compared with `bobbin manifest slack`",
            Verdict.ADVICE,
        )
        return
    again = f"Paste `bobbin manifest slack` at {APPS}, and install the app again."
    missing = sorted(set(SCOPES) - identity.scopes)
    if needed := [scope for scope in missing if scope not in WORTH_HAVING]:
        yield Finding(f"The app lacks these scopes: {', '.join(needed)}. {again}", Verdict.WRONG)
    for scope in missing:
        if without := WORTH_HAVING.get(scope):
            yield Finding(f"The app lacks the scope {scope}, so {without}. {again}", Verdict.ADVICE)


def advice(refusal: ChatError, token_name: str, token: str, url: str) -> str:
    """Say what to do about a refusal of the token that the variable *token_name* holds."""
    if isinstance(refusal, ChatLimited):
        return f"Slack limits the rate of calls ({refusal.code}). Try again in a minute."
    if isinstance(refusal, ChatUnclear):
        return (
            f"What answers at {url} is not Slack ({refusal.code}). Is a proxy or a login page in between, and is "
            "BOBBIN_SLACK__API_URL right?"
        )
    if isinstance(refusal, ChatBusy):
        return (
            f"Slack can't be reached at {url} ({refusal.code}{': ' if refusal.detail else ''}{refusal.detail}). Is "
            "BOBBIN_SLACK__API_URL right, and may this machine connect to it?"
        )
    if refusal.code in DEAD:
        kind = PREFIXES[token_name]
        other = "" if token.startswith(kind) else f" Such a token begins with {kind}; this looks like another secret."
        return (
            f"Slack does not accept {token_name} ({refusal.code}).{other} Copy it again from the app's page at {APPS}."
        )
    detail = f" {refusal.detail}" if refusal.detail else ""
    return (
        f"Slack refuses {token_name} ({refusal.code}{detail}): compare the app's settings at {APPS} "
        "with `bobbin manifest slack`, and install it again."
    )


async def _identity(api: Api, section: Section) -> Identity:
    token = section.bot_token.get_secret_value()
    try:
        return await api.who_am_i()
    except ChatError as refusal:
        raise SetupError(advice(refusal, BOT_TOKEN, token, section.api_url)) from refusal


def _worth_knowing(section: Section, identity: Identity) -> Iterator[Finding]:
    if section.uses_socket_mode:
        if section.signing_secret:
            yield Finding(
                "events come by Socket Mode, since BOBBIN_SLACK__APP_TOKEN is set; BOBBIN_SLACK__SIGNING_SECRET is for "
                "events by HTTP and isn't used: unset one of the two",
                Verdict.ADVICE,
            )
        return
    drift = _now() - identity.told_at if identity.told_at else 0.0
    if abs(drift) > MOST_CLOCK_DRIFT:
        yield Finding(
            f"this machine's clock is off by {drift / 60:+.0f} minutes, so that every event would be refused: set the "
            "clock (timedatectl set-ntp true)",
            Verdict.WRONG,
        )
    yield Finding(
        "whether BOBBIN_SLACK__SIGNING_SECRET is right shows with the first event; if /slack/events refuses that, copy the "
        f"secret again from “Basic Information” at {APPS}",
        Verdict.ADVICE,
    )


async def _is_in_a_channel(api: Api) -> bool:
    """Unless that is certainly not so, yes. Direct messages are no channels; their ids begin with D."""
    try:
        return any(not channel.startswith("D") for channel in await api.conversations(MOST_CHANNELS))
    except ChatClosed:
        raise
    except ChatError:  # a scope is missing, which was said, or it is too much at once
        return True
