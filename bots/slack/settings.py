"""The operator's settings for Slack, and what to say when half of them are missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from core import sections
from core.access import Form, Kind


def _with_slash(url: str) -> str:
    # The SDK appends the method's name to it.
    return url.rstrip("/") + "/"


def _form(letters: str, example: str) -> Form:
    """Ids begin with a letter for the kind of thing. https://docs.slack.dev/reference/objects"""
    return Form(re.compile(rf"[{letters}][A-Z0-9]{{7,}}"), example)


class Section(sections.Section):
    """Socket Mode with an app token; without one, events by HTTP, signed with the signing secret."""

    hides_files: ClassVar[bool] = True
    forms: ClassVar[Mapping[Kind, Form]] = {
        "people": _form("UW", "U0123ABCDEF (Slack: “Copy member ID” in the menu of a profile)"),
        "channels": _form("CGD", "C0123ABCDEF (Slack: at the end of a channel's details)"),
        "workspaces": _form("TE", "T0123ABCDEF (Slack: in the address of the workspace at app.slack.com)"),
        "bots": _form("BAUW", "B0123ABCDEF or A0123ABCDEF (Slack: a bot's or an app's)"),
    }

    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    api_url: Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_with_slash)] = "https://slack.com/api/"
    catch_up_hours: float = Field(24, gt=0)  # what was said longer ago, while nobody listened, isn't answered any more

    @property
    def is_configured(self) -> bool:
        return bool(self.bot_token) and bool(self.app_token or self.signing_secret)

    @property
    def uses_socket_mode(self) -> bool:
        return bool(self.app_token)

    def problems(self) -> list[str]:
        """Sentences on what is half set, each with what to write instead; empty when all or nothing is set."""
        problems = []
        if self.bot_token and not self.app_token and not self.signing_secret:
            problems.append(
                "Slack has a bot token, but no way to receive events: set BOBBIN_SLACK__APP_TOKEN (Socket Mode; a token "
                "beginning with xapp-) or BOBBIN_SLACK__SIGNING_SECRET (events by HTTP)."
            )
        if not self.bot_token and (self.app_token or self.signing_secret):
            problems.append(
                "Slack has no bot token: set BOBBIN_SLACK__BOT_TOKEN to the token beginning with xoxb- that the app's page "
                "“OAuth & Permissions” shows after you installed it."
            )
        # https://docs.slack.dev/authentication/tokens
        bot_token = self.bot_token.get_secret_value().strip()
        if bot_token.startswith(("xoxp-", "xoxe.xoxp-")):
            problems.append(
                "BOBBIN_SLACK__BOT_TOKEN holds a user token (xoxp-), with which the bot would speak as you: set it to the "
                "“Bot User OAuth Token” (xoxb-) on the app's page “OAuth & Permissions”."
            )
        if bot_token.startswith(("xoxe-", "xoxe.xoxb-")):
            problems.append(
                "BOBBIN_SLACK__BOT_TOKEN holds a token that expires (xoxe): switch token rotation off for the app, and set "
                "it to the bot token (xoxb-)."
            )
        if self.bot_token.get_secret_value().startswith("xapp-"):
            problems.append(
                "BOBBIN_SLACK__BOT_TOKEN holds an app-level token (xapp-): set it to the bot token (xoxb-), and "
                "BOBBIN_SLACK__APP_TOKEN to the app-level one."
            )
        if self.app_token.get_secret_value().startswith("xoxb-"):
            problems.append(
                "BOBBIN_SLACK__APP_TOKEN holds a bot token (xoxb-): set it to the app-level token (xapp-) with the scope "
                "connections:write, and BOBBIN_SLACK__BOT_TOKEN to the bot token."
            )
        return problems
