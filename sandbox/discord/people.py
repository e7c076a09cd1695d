"""The people of the local Discord: they talk, answer, edit, delete, react, open threads and posts."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.discord import acts, payloads, threads
from sandbox.discord.forms import MOST_CONTENT
from sandbox.discord.intents import Intent
from sandbox.discord.mentions import ALL, Allowed
from sandbox.discord.model import Channel, ChannelKind, Draft, File, Flag, Message, Overwrite, Poll, Role, User
from sandbox.discord.permissions import Permission
from sandbox.discord.snowflakes import iso
from sandbox.discord.world import Event, World

Json = dict[str, Any]
WORD = re.compile(r"@([\w.-]+)")


class People:
    """Users, channels and messages may be given as such or by name (`"ada"`, `"#general"`, an id)."""

    def __init__(self, world: World) -> None:
        self.world = world

    def user(self, who: User | str | int) -> User:
        if isinstance(who, User):
            return who
        name = str(who).removeprefix("@")
        for user in self.world.users.values():
            if name in (user.name, str(user.id)):
                return user
        raise ValueError(f"There is no user {who!r}. Known: {', '.join(u.name for u in self.world.users.values())}.")

    def channel(self, where: Channel | str | int) -> Channel:
        """The newest one, if several threads share a name."""
        if isinstance(where, Channel):
            return where
        name = str(where).removeprefix("#")
        for channel in reversed(self.world.channels.values()):
            if str(channel.id) == name or (channel.name == name and not channel.is_dm):
                return channel
        raise ValueError(f"There is no channel or thread {where!r}.")

    def add_user(
        self,
        name: str,
        *,
        manages_guild: bool = False,
        is_bot: bool = False,
        shown: str = "",
        nick: str | None = None,
        locale: str = "en-US",
    ) -> User:
        """A new member; with *manages_guild* one who keeps order, with *is_bot* another application's bot.

        People see the name *shown*, and in the server the *nick*. *locale*: of their own Discord.
        """
        user = self.world.add_user(name, manages_guild=manages_guild, is_bot=is_bot)
        user.shown, user.nick, user.locale = shown, nick, locale
        return user

    def make_community(self, locale: str) -> None:
        """Have the server be a community, which chooses a language; to be done before the bot comes.

        https://discord.com/developers/docs/resources/guild#guild-object-guild-features
        """
        self.world.guild_locale, self.world.guild_features = locale, ["COMMUNITY"]

    def add_role(self, name: str, *members: User | str) -> Role:
        """A new role, and who has it.

        Of who gets a role the bot hears only with the intent for members, which it doesn't ask for:
        https://discord.com/developers/docs/events/gateway#list-of-intents
        """
        role = self.world.add_role(name, 0)
        for member in members:
            self.user(member).roles.append(role.id)
        told = {"guild_id": str(self.world.guild_id), "role": payloads.role_json(role)}
        self.world.tell_gateway(Event("GUILD_ROLE_CREATE", told, Intent.GUILDS))
        return role

    def add_application(self, name: str, snowflake: int) -> User:
        """A bot with that id; as every one that was given permissions, with a role of its own."""
        return self.world.add_application(name, snowflake)

    def add_channel(self, name: str, *, forum: bool = False) -> Channel:
        kind = ChannelKind.FORUM if forum else ChannelKind.TEXT
        channel = self.world.add_channel(name, kind=kind)
        told = payloads.gateway_channel_json(self.world, channel)
        self.world.tell_gateway(Event("CHANNEL_CREATE", told, Intent.GUILDS))
        self.world.changes.tell("channel", channel)
        return channel

    def install(self, user: User | str) -> None:
        """Have *user* add the bot to their own account, so that its commands come along wherever they are.

        https://discord.com/developers/docs/resources/application#installation-context
        """
        self.world.installed.add(self.user(user).id)

    def add_channel_elsewhere(self, name: str) -> Channel:
        """A channel of a guild where the bot is not."""
        channel = self.world.add_channel(name)
        channel.is_elsewhere = True
        return channel

    def add_group_dm(self, name: str) -> Channel:
        """A direct conversation of people, without the bot."""
        return self.world.add_channel(name, kind=ChannelKind.GROUP_DM)

    def open_dm(self, user: User | str) -> Channel:
        """The channel between *user* and the bot."""
        return self.world.dm_with(self.user(user))

    async def say(
        self,
        user: User | str,
        where: Channel | str | int,
        content: str = "",
        *,
        reply_to: Message | None = None,
        pings: bool = True,
        forward: Message | None = None,
        attachments: Sequence[File] = (),
        embeds: Sequence[Json] = (),
        stickers: Sequence[str] = (),
        poll: Poll | None = None,
        voice: File | None = None,
    ) -> Message:
        """Send a message; `@ada` in it becomes a mention.

        A reply mentions whom it answers, unless *pings* is switched off, as people can.
        *forward* copies a message as it is now, and *voice* is a voice message: neither has words beside it. *embeds* are
        for other bots; *stickers* are their names. Raises ValueError for what Discord's client doesn't send, Refusal where
        *user* may not write.
        """
        if forward is not None or voice is not None:
            if content or attachments:
                raise ValueError("A forward or a voice message has no words of its own: say them in another message.")
            draft = self._forwarded(forward) if forward else _recorded(voice, reply_to)
            return self._send(user, where, draft)
        more: Json = {}
        if stickers:
            more["sticker_items"] = [self._sticker(name) for name in stickers]
        if poll:
            more["poll"] = _poll_json(poll)
        if not (content or attachments or embeds or more):
            raise ValueError("Discord sends no empty messages: give content, attachments or the like.")
        draft = Draft(content=content, files=list(attachments), embeds=list(embeds), more=more, reply_to=reply_to)
        return self._send(user, where, draft, replace(ALL, replied_user=pings))

    def _sticker(self, name: str) -> Json:
        """https://discord.com/developers/docs/resources/sticker#sticker-item-object"""
        return {"id": str(self.world.snowflakes.next()), "name": name, "format_type": 1}

    def _forwarded(self, message: Message) -> Draft:
        """https://discord.com/developers/docs/resources/message#message-snapshot-object

        A snapshot has no snapshots among its fields: what is forwarded again is what was forwarded first.
        """
        whole = payloads.message_json(self.world, message)
        whole |= whole["message_snapshots"][0]["message"] if "message_snapshots" in whole else {}
        shared = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions")
        snapshot = {name: whole[name] for name in (*shared, "mention_roles", "components")}
        snapshot |= {name: whole[name] for name in ("sticker_items",) if name in whole}
        reference = {"type": 1, "message_id": str(message.id), "channel_id": str(message.channel.id)}
        if not message.channel.is_dm:
            reference["guild_id"] = str(self.world.guild_id)
        more = {"message_snapshots": [{"message": snapshot}]}
        return Draft(more=more, flags=int(Flag.HAS_SNAPSHOT), reference=reference)

    async def say_by_webhook(
        self,
        name: str,
        where: Channel | str | int,
        content: str,
        *,
        attachments: Sequence[File] = (),
        application: User | None = None,
    ) -> Message:
        """As bots that speak for people do: https://discord.com/developers/docs/resources/webhook#execute-webhook

        The message tells of which *application* the webhook is, if it is one's:
        https://discord.com/developers/docs/resources/message#message-object
        """
        channel = self.channel(where)
        author = User(self.world.snowflakes.next(), name, is_bot=True, is_webhook=True)
        more: Json = {"application_id": str(application.id)} if application else {}
        draft = Draft(content=self._with_mentions(content), files=list(attachments), more=more)
        return acts.post(self.world, channel, author, draft)

    def _send(self, user: User | str, where: Channel | str | int, draft: Draft, allowed: Allowed = ALL) -> Message:
        speaker, channel = self.user(user), self.channel(where)
        self._check(speaker, channel, draft.content)
        draft = replace(draft, content=self._with_mentions(draft.content))
        return acts.post(self.world, channel, speaker, draft, allowed=allowed)

    def _check(self, user: User, channel: Channel, content: str) -> None:
        if channel.recipient_id is not None and user.id != channel.recipient_id:
            raise ValueError(f"{user.name} is not in that conversation.")
        if len(content) > MOST_CONTENT:
            raise ValueError(f"Discord takes {MOST_CONTENT} characters, not {len(content)}.")
        threads.check_writable(self.world, channel, user)

    def _with_mentions(self, content: str) -> str:
        """As Discord's own client does: `@ada` becomes a mention, if there is an ada."""
        by_name = {user.name: user.mention for user in self.world.users.values()}
        by_name |= {role.name: f"<@&{role.id}>" for role in self.world.roles.values() if role.name not in by_name}
        return WORD.sub(lambda found: by_name.get(found[1], found[0]), content)

    async def edit(self, user: User | str, message: Message, content: str) -> Message:
        if self.user(user) is not message.author:
            raise ValueError("People edit only their own messages.")
        return acts.edit(self.world, message, {"content": self._with_mentions(content)})

    async def delete(self, user: User | str, message: Message) -> None:
        """*user* wrote it or keeps order there; an ephemeral one is dismissed for oneself."""
        person = self.user(user)
        if message.is_ephemeral:
            if message.only_for != person.id:
                raise ValueError(f"{person.name} does not see that message.")
        elif person is not message.author and not self.may(person, message.channel, Permission.MANAGE_MESSAGES):
            raise ValueError(f"{person.name} may not delete that message.")
        acts.delete(self.world, message)

    async def purge(self, user: User | str, messages: Sequence[Message]) -> None:
        """Several messages of one channel at once, as those who keep order there do by their bots."""
        person = self.user(user)
        if len({message.channel.id for message in messages}) != 1:
            raise ValueError("Messages are deleted at once in one channel only.")
        if not self.may(person, messages[0].channel, Permission.MANAGE_MESSAGES):
            raise ValueError(f"{person.name} may not delete those messages.")
        acts.delete_many(self.world, list(messages))

    async def preview(self, message: Message, title: str) -> None:
        """Discord shows what is behind a link in *message*, a while after it was said."""
        acts.preview(self.world, message, [{"type": "link", "title": title}])

    async def react(self, user: User | str, message: Message, emoji: str) -> None:
        acts.react(self.world, message, self.user(user), emoji)

    async def unreact(self, user: User | str, message: Message, emoji: str) -> None:
        acts.unreact(self.world, message, self.user(user), emoji)

    async def type_in(self, user: User | str, where: Channel | str) -> None:
        acts.start_typing(self.world, self.channel(where), self.user(user))

    async def start_thread(self, user: User | str, place: Message | Channel | str, name: str) -> Channel:
        """From a message, or in a channel without one."""
        person = self.user(user)
        if isinstance(place, Message):
            return acts.thread_from(self.world, place, person, name)
        return acts.thread_without_message(self.world, self.channel(place), person, name, ChannelKind.PUBLIC_THREAD)

    async def post(
        self, user: User | str, forum: Channel | str, title: str, content: str, *, attachments: Sequence[File] = ()
    ) -> Channel:
        """A forum post: a thread whose first message has its id."""
        person, place = self.user(user), self.channel(forum)
        if place.kind is not ChannelKind.FORUM:
            raise ValueError(f"#{place.name} is no forum.")
        thread = threads.new_thread(self.world, place, person, title)
        draft = Draft(content=self._with_mentions(content), files=list(attachments))
        acts.post(self.world, thread, person, draft, snowflake=thread.id)
        return thread

    async def archive(self, thread: Channel, *, locked: bool = False) -> None:
        threads.change_thread(self.world, thread, {"archived": True, "locked": locked})

    async def rename(self, thread: Channel, name: str) -> None:
        threads.change_thread(self.world, thread, {"name": name})

    async def lock(self, thread: Channel, *, locked: bool = True) -> None:
        """Keep the thread for those who keep order, or give it back to everybody."""
        threads.change_thread(self.world, thread, {"locked": locked})

    async def delete_channel(self, user: User | str, where: Channel | str) -> None:
        """A channel with its threads, or a thread, by somebody who may."""
        person, channel = self.user(user), self.channel(where)
        if not self.may(person, channel, Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS):
            raise ValueError(f"{person.name} may not delete #{channel.name}.")
        if channel.thread:
            threads.delete_thread(self.world, channel)
            return
        told = payloads.gateway_channel_json(self.world, channel)
        for thread in list(self.world.threads(channel)):
            del self.world.channels[thread.id]  # of these nothing is told: they went with their channel
        del self.world.channels[channel.id]
        self.world.tell_gateway(Event("CHANNEL_DELETE", told, Intent.GUILDS))
        self.world.changes.tell("channel", channel)

    def may(self, user: User | str, where: Channel | str | None, permission: Permission) -> bool:
        place = None if where is None else self.channel(where)
        return bool(self.world.permissions(self.user(user), place) & permission)

    def deny(self, where: Channel | str, *permissions: Permission) -> None:
        """Take permissions from the bot in a channel, by an overwrite as a keeper of the guild would."""
        self._overwrite(where, deny=int(sum(permissions)))

    def allow(self, where: Channel | str) -> None:
        """Give back what `deny` took; the threads that come into sight again are told."""
        channel = self._overwrite(where, deny=0)
        seen = [one for one in self.world.threads(channel) if one.thread and not one.thread.archived]
        own = [one for one in seen if one.thread and self.world.bot.id in one.thread.members]
        data = {
            "guild_id": str(self.world.guild_id),
            "channel_ids": [str(channel.id)],
            "threads": [payloads.channel_json(self.world, one) for one in seen],
            "members": [payloads.thread_member_json(one, self.world.bot) for one in own],
        }
        self.world.tell_gateway(Event("THREAD_LIST_SYNC", data, Intent.GUILDS))

    def _overwrite(self, where: Channel | str, *, deny: int) -> Channel:
        channel = self.channel(where)
        if channel.thread and channel.parent_id:  # a thread has its parent's permissions
            channel = self.world.channels[channel.parent_id]
        channel.overwrites[self.world.bot.id] = Overwrite(is_member=True, allow=0, deny=deny)
        told = payloads.gateway_channel_json(self.world, channel)
        self.world.tell_gateway(Event("CHANNEL_UPDATE", told, Intent.GUILDS))
        self.world.changes.tell("channel", channel)
        return channel


def _recorded(voice: File | None, reply_to: Message | None) -> Draft:
    """https://discord.com/developers/docs/resources/message#voice-messages"""
    files = [replace(voice, seconds=voice.seconds or 1.0)] if voice else []
    return Draft(files=files, flags=int(Flag.IS_VOICE_MESSAGE), reply_to=reply_to)


def _poll_json(poll: Poll) -> Json:
    """https://discord.com/developers/docs/resources/poll#poll-object"""
    return {
        "question": {"text": poll.question},
        "answers": [{"answer_id": n, "poll_media": {"text": text}} for n, text in enumerate(poll.answers, 1)],
        "expiry": iso(datetime.now(UTC) + timedelta(days=1)),
        "allow_multiselect": False,
        "layout_type": 1,
    }
