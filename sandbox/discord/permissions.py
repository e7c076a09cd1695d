"""Who may do what where: Discord's permission bits and how roles and overwrites add up.

https://discord.com/developers/docs/topics/permissions
"""

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.discord.model import Channel, User
    from sandbox.discord.world import World


class Permission(IntFlag):
    """The bits that the stand-in knows; the others of the real platform exist only inside `EVERY_BIT`."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


EVERY_BIT = (1 << 53) - 1
MEMBERS = int(
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MENTION_EVERYONE  # a new guild of Discord allows it too
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_EXTERNAL_APPS
)
KEEPERS = MEMBERS | int(
    Permission.MANAGE_GUILD | Permission.MANAGE_CHANNELS | Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS
)
IN_A_DM = MEMBERS & ~int(Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS)


def permissions_of(world: "World", user: "User", channel: "Channel | None" = None) -> int:
    """The sum for *user*, in *channel* (a thread has its parent's overwrites) or in the guild as a whole."""
    if channel is not None and channel.is_dm:
        return IN_A_DM
    if user.id == world.owner_id:
        return EVERY_BIT
    total = world.roles[world.guild_id].permissions
    for role_id in user.roles:
        total |= world.roles[role_id].permissions
    if total & Permission.ADMINISTRATOR:
        return EVERY_BIT
    if channel is None:
        return total
    place = world.channels[channel.parent_id] if channel.thread and channel.parent_id else channel
    total = _overwritten(total, place, user, world.guild_id)
    return total if total & Permission.VIEW_CHANNEL else 0


def _overwritten(total: int, channel: "Channel", user: "User", guild_id: int) -> int:
    layers = ([guild_id], user.roles, [user.id])
    for ids in layers:
        found = [channel.overwrites[key] for key in ids if key in channel.overwrites]
        for overwrite in found:
            total &= ~overwrite.deny
        for overwrite in found:
            total |= overwrite.allow
    return total
