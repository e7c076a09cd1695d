"""The operator's settings for Discord."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from core import sections
from core.access import Form, Kind

_BROKEN = (
    "BOBBIN_DISCORD__TOKEN has a space or a line break in it: copy the token anew from the page “Bot” of your "
    "application at https://discord.com/developers/applications."
)


# https://discord.com/developers/docs/reference#snowflakes
_ID = Form(
    re.compile(r"[0-9]{15,20}"),
    "80351110224678912 (Discord: “Copy ID” in its menu, with developer mode on in the advanced settings)",
)


class Section(sections.Section):
    """One bot, connected to the gateway with its token."""

    seals = True  # the tokens of commands
    forms: ClassVar[Mapping[Kind, Form]] = {
        "people": _ID,
        "roles": _ID,
        "channels": _ID,
        "workspaces": _ID,
        "bots": _ID,
    }

    token: SecretStr = SecretStr("")
    api_url: Annotated[str, Field(pattern=r"^https?://"), AfterValidator(lambda url: url.rstrip("/"))] = (
        "https://discord.com/api/v10"
    )
    gateway_url: str = Field("wss://gateway.discord.gg/", pattern=r"^wss?://")
    # Privileged: https://discord.com/developers/docs/events/gateway#message-content-intent. Without it, follow-ups
    # that don't mention the bot can't be read.
    message_content: bool = True
    catch_up_hours: float = Field(24, ge=0)  # what was said while the bot was away is answered if it is no older

    # Applications whose webhooks repost what people say; by its id, PluralKit:
    # https://github.com/estroBiologist/pluralchum/pull/24
    reposters: sections.Listed[int] = (466378653216014359,)
    # May people add the bot to their own account, and so bring it along where it is not?
    # https://discord.com/developers/docs/resources/application#installation-context
    user_install: bool = False

    # https://discord.com/developers/docs/events/gateway#sharding
    shards: sections.Listed[int] = ()  # which of them this process runs; empty: all
    shard_count: int = Field(1, ge=1)

    @property
    def is_configured(self) -> bool:
        return bool(self.token)

    @property
    def application_id(self) -> str:
        """The application's id, which is the first part of its bot's token; a placeholder if that can't be read.

        https://discord.com/developers/docs/reference#authentication
        """
        first = self.token.get_secret_value().partition(".")[0]
        try:
            decoded = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            decoded = ""
        return decoded if decoded.isdigit() else "APPLICATION_ID"

    def problems(self) -> list[str]:
        """Sentences on what looks wrong, each with what to write instead; empty when nothing does."""
        token = self.token.get_secret_value()
        if any(not 0 <= shard < self.shard_count for shard in self.shards):
            return [f"discord.shards: with {self.shard_count} in all, they are numbered 0 to {self.shard_count - 1}."]
        if token.lower().startswith("bot "):
            return ["BOBBIN_DISCORD__TOKEN begins with the word “Bot”: set it to the token alone."]
        if any(character.isspace() for character in token):
            return [_BROKEN]
        return []
