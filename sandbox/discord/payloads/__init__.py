"""How Discord writes its objects as JSON: from the model to the wire, nothing else."""

from sandbox.discord.payloads.channels import (
    MOST_MEMBERS_COUNTED,
    channel_json,
    gateway_channel_json,
    thread_member_json,
)
from sandbox.discord.payloads.guild import application_json, context_of, guild_create_json, guild_json, interaction_json
from sandbox.discord.payloads.messages import (
    attachment_json,
    attachment_seal,
    attachment_url,
    message_json,
    without_content,
)
from sandbox.discord.payloads.people import member_json, role_json, user_json

__all__ = [
    "MOST_MEMBERS_COUNTED",
    "application_json",
    "attachment_json",
    "attachment_seal",
    "attachment_url",
    "channel_json",
    "context_of",
    "gateway_channel_json",
    "guild_create_json",
    "guild_json",
    "interaction_json",
    "member_json",
    "message_json",
    "role_json",
    "thread_member_json",
    "user_json",
    "without_content",
]
