"""What people see of answers on each platform, and the waiting for them."""

from __future__ import annotations

from typing import Any

from sandbox import slack
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack

PATIENCE = 60.0  # seconds


def in_slack(local: LocalSlack, channel: str) -> list[str]:
    return [slack.shown(one) for one in local.messages(channel) if one.user == local.bot_user_id]


async def told_in_slack(local: LocalSlack, bobbin: Any, channel: str, number: int = 1) -> str:
    """What stands in *channel* when *number* questions are answered."""
    await local.wait_for(lambda: len(in_slack(local, channel)) >= number, PATIENCE)
    await bobbin.idle()
    return in_slack(local, channel)[-1]


def on_discord(local: LocalDiscord, *places: Any) -> list[str]:
    """Those in *places*; without any, in all threads."""
    found = places or local.threads()
    return [one.content for place in found for one in local.messages(place) if one.author.is_bot and one.content]


async def told_on_discord(local: LocalDiscord, bobbin: Any, *places: Any, number: int = 1) -> str:
    """What stands in *places* when *number* questions are answered."""
    await local.wait_for(lambda: len(on_discord(local, *places)) >= number, PATIENCE)
    await bobbin.idle()
    return on_discord(local, *places)[-1]
