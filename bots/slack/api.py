"""The door to Slack's Web API: what the bot calls, and how the answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bots.slack.caller import Caller
from bots.slack.errors import unclear
from bots.slack.times import USUAL, Times
from core.bounded import Bounded
from core.errors import ChatError, ThreadGone, facts
from core.language import of_locale
from core.names import tame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bots.slack.pace import Pace
    from bots.slack.settings import Section

_PARENT_AND_IT = 2  # messages
MOST_KNOWN = 10_000  # people whose language is remembered
log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in Slack."""

    user: str
    bot: str
    team: str  # the installation: a workspace, or a whole organisation
    workspace: str  # its name
    scopes: frozenset[str] | None  # that were granted; None if the server doesn't say
    told_at: float = 0.0  # by the server's clock, in seconds since 1970; 0 if it doesn't say
    name: str = ""  # by which people may call it

    @property
    def ids(self) -> frozenset[str]:
        """All by which a message says that it is the bot's own."""
        return frozenset(filter(None, (self.user, self.bot)))


class Api(Caller):
    """What the bot calls, a method each, and what of the answer it needs."""

    def __init__(self, section: Section, pace: Pace, times: Times = USUAL) -> None:
        super().__init__(section, pace, times)
        self._languages: Bounded[str, str] = Bounded(MOST_KNOWN)  # by user

    async def who_am_i(self) -> Identity:
        """https://docs.slack.dev/reference/methods/auth.test"""
        answer = await self._patiently("auth.test", self._patient.auth_test)
        # aiohttp's headers don't care for case, and are all that says which scopes were granted.
        scopes = answer.headers.get("x-oauth-scopes")
        return Identity(
            user=_field(answer, "user_id", str),
            bot=answer.get("bot_id") or "",
            team=(answer.get("is_enterprise_install") and answer.get("enterprise_id"))
            or _field(answer, "team_id", str),
            workspace=answer.get("team", ""),
            scopes=None if scopes is None else frozenset(scope.strip() for scope in scopes.split(",")),
            told_at=_seconds(answer.headers.get("Date", "")),
            name=str(answer.get("user") or ""),
        )

    async def socket_url(self, app_token: str) -> str:
        """https://docs.slack.dev/reference/methods/apps.connections.open"""
        open_one = self._patient.apps_connections_open
        return _field(await self._patiently("apps.connections.open", open_one, app_token=app_token), "url", str)

    async def post(self, **arguments: object) -> str:
        """Post a message once; return its ts. https://docs.slack.dev/reference/methods/chat.postMessage

        Raises a ChatError, ThreadGone also where Slack has posted to the channel what was meant for a thread.
        """
        # Posting again after a lost connection could say the same thing twice.
        post = self._once.chat_postMessage
        arguments |= {"unfurl_links": False, "unfurl_media": False, "link_names": False}
        arguments["thread_ts"] = arguments.get("thread_ts") or None  # none: beside the threads
        answer = await self._patiently("chat.postMessage", post, **arguments)
        ts = _field(answer, "ts", str)
        if _is_astray(answer, arguments.get("thread_ts")):
            await self._take_back(str(arguments["channel"]), ts)
            raise ThreadGone("what was to be answered is gone", code="thread_not_found")
        return ts

    async def _take_back(self, channel: str, ts: str) -> None:
        try:
            await self.delete(channel, ts)
        except ThreadGone:  # somebody was quicker
            return
        except ChatError as error:  # the next try would only leave one more there
            log.warning("an answer stands in a channel instead of its thread", channel=channel, **facts(error))

    async def update(self, **arguments: object) -> None:
        """https://docs.slack.dev/reference/methods/chat.update"""
        answer = await self._patiently("chat.update", self._patient.chat_update, **arguments, link_names=False)
        _field(answer, "ts", str)  # what says no more than `ok` is none of Slack's, and may have done nothing

    # Streams: each call once, since a repeated one could say the same thing twice

    async def start_stream(self, channel: str, thread_ts: str, text: str) -> str:
        """Begin a message that grows, in a thread of direct messages; return its ts.

        https://docs.slack.dev/reference/methods/chat.startStream
        """
        to = {"channel": channel, "thread_ts": thread_ts}
        answer = await self._limited("chat.startStream", self._once.chat_startStream, **to, chunks=_chunks(text))
        return _field(answer, "ts", str)

    async def append_stream(self, channel: str, ts: str, text: str) -> None:
        """https://docs.slack.dev/reference/methods/chat.appendStream"""
        append = self._once.chat_appendStream
        answer = await self._limited("chat.appendStream", append, channel=channel, ts=ts, chunks=_chunks(text))
        _field(answer, "ts", str)

    async def stop_stream(self, channel: str, ts: str, text: str = "", **more: object) -> None:
        """End a message that grows. https://docs.slack.dev/reference/methods/chat.stopStream"""
        more |= {"chunks": _chunks(text)} if text else {}
        answer = await self._limited("chat.stopStream", self._once.chat_stopStream, channel=channel, ts=ts, **more)
        _field(answer, "ts", str)

    # Beside messages

    async def session_status(self, channel: str, thread_ts: str, status: str, title: str = "", user: str = "") -> str:
        """Say what the agent does in a thread; return a warning, mostly none.

        *title* and *user*, who began it, count for a session that is new.

        https://docs.slack.dev/reference/methods/agents.sessions.setStatus
        """
        more = {"title": title or None, "initiator_user_id": user or None}
        method = self._once.agents_sessions_setStatus
        answer = await self._call(method, channel_id=channel, thread_ts=thread_ts, status=status, **more)
        return str(answer.get("warning") or "")

    async def thread_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Say it in words, or no more. https://docs.slack.dev/reference/methods/assistant.threads.setStatus"""
        method = self._once.assistant_threads_setStatus
        await self._call(method, channel_id=channel, thread_ts=thread_ts, status=status)

    async def suggest(self, channel: str, prompts: list[dict[str, str]]) -> None:
        """https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts"""
        await self._call(self._once.assistant_threads_setSuggestedPrompts, channel_id=channel, prompts=prompts)

    async def upload(self, name: str, content: bytes, channel: str, thread_ts: str) -> str:
        """Add a file to a thread, or beside all of them; return its id. https://docs.slack.dev/messaging/working-with-files#uploading_files"""
        upload, where = self._once.files_upload_v2, {"channel": channel, "thread_ts": thread_ts or None}
        try:
            answer = await self._call(upload, filename=name, content=content, **where)
        except (TypeError, LookupError) as error:  # the SDK takes it for granted that each step is answered well
            raise unclear(type(error).__name__) from None
        file = _field(answer, "file", dict)
        if not isinstance(id_ := file.get("id"), str) or not id_:
            raise unclear("no id of a file in the answer")
        return id_

    async def delete(self, channel: str, ts: str) -> None:
        """https://docs.slack.dev/reference/methods/chat.delete"""
        await self._patiently("chat.delete", self._patient.chat_delete, channel=channel, ts=ts)

    async def replies(self, channel: str, thread_ts: str, since: str, cursor: str) -> Mapping[str, Any]:
        """Return a page of a thread, or of what stands beside all of them when *thread_ts* is empty; oldest first.

        Beside them the newest come first: the first page is enough where little was said since.

        https://docs.slack.dev/reference/methods/conversations.replies, …/conversations.history
        """
        asked: dict[str, Any] = {"channel": channel, "oldest": since, "cursor": cursor or None, "limit": 200}
        asked["include_all_metadata"] = True
        if thread_ts:
            method = self._patient.conversations_replies
            return _page(await self._patiently("conversations.replies", method, ts=thread_ts, **asked))
        page = _page(await self._patiently("conversations.history", self._patient.conversations_history, **asked))
        return {**page, "messages": page["messages"][::-1]}

    async def whisper(self, **arguments: object) -> None:
        """Say something to one person only. https://docs.slack.dev/reference/methods/chat.postEphemeral"""
        arguments["thread_ts"] = arguments.get("thread_ts") or None
        await self._call(self._once.chat_postEphemeral, **arguments)

    async def person(self, user: str) -> Mapping[str, Any]:
        """Return who somebody is. https://docs.slack.dev/reference/methods/users.info."""
        person = await self._user(user)
        if not person.get("team_id"):
            raise unclear("nobody's workspace in the answer")
        return person

    async def _user(self, user: str) -> Mapping[str, Any]:
        told = _field(await self._call(self._once.users_info, user=user, include_locale=True), "user", dict)
        self._languages[user] = of_locale(told.get("locale"))
        return told

    def language_of(self, user: str) -> str:
        """Return the language of somebody, as Slack told it with whatever else; empty where it hasn't, or we don't speak it."""
        return self._languages.get(user, "")

    async def file(self, id_: str) -> Mapping[str, Any]:
        """Return what Slack tells of a file. https://docs.slack.dev/reference/methods/files.info"""
        return _field(await self._call(self._once.files_info, file=id_), "file", dict)

    async def creator(self, channel: str) -> str:
        """Return who made *channel*. https://docs.slack.dev/reference/methods/conversations.info"""
        found = _field(await self._call(self._once.conversations_info, channel=channel), "channel", dict)
        return str(found.get("creator") or "")

    async def names_of_person(self, user: str) -> Mapping[str, str]:
        """Return what people see somebody called. https://docs.slack.dev/reference/methods/users.info"""
        person = await self._user(user)
        profile = person.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        # https://docs.slack.dev/reference/objects/user-object#profile: the first is often empty
        written = (profile.get("display_name"), profile.get("real_name"), person.get("real_name"), person.get("name"))
        return {user: next((name for one in written if (name := tame(one))), "")}

    async def names_of_channel(self, channel: str) -> Mapping[str, str]:
        """Return what a channel is called. https://docs.slack.dev/reference/methods/conversations.info"""
        found = _field(await self._call(self._once.conversations_info, channel=channel), "channel", dict)
        return {channel: tame(found.get("name"))}

    async def names_of_groups(self) -> Mapping[str, str]:
        """Return what all groups of people are called. https://docs.slack.dev/reference/methods/usergroups.list"""
        groups = _field(await self._call(self._once.usergroups_list), "usergroups", list)
        told = (one for one in groups if isinstance(one, dict) and isinstance(one.get("id"), str))
        return {str(one["id"]): tame(one.get("handle")) or tame(one.get("name")) for one in told}

    # Reading back, where waiting for Slack is not worth it

    async def conversations(self, limit: int) -> list[str]:
        """Return the channels that the bot is in. https://docs.slack.dev/reference/methods/users.conversations"""
        kinds = "public_channel,private_channel,mpim,im"
        answer = await self._call(self._once.users_conversations, types=kinds, exclude_archived=True, limit=limit)
        channels = _field(answer, "channels", list)
        return [str(channel["id"]) for channel in channels if isinstance(channel, dict) and "id" in channel]

    async def said_in(self, channel: str, thread_ts: str, since: str, cursor: str, limit: int) -> Mapping[str, Any]:
        """Return a page of what was said from *since* on, in a thread, or beside all of them when *thread_ts* is empty.

        A thread is told oldest first, every page beginning with the message that it hangs on; a channel newest first.

        https://docs.slack.dev/reference/methods/conversations.history
        """
        asked = {"channel": channel, "oldest": since, "cursor": cursor or None, "limit": limit, "inclusive": True}
        if thread_ts:
            answer = await self._call(self._once.conversations_replies, ts=thread_ts, **asked)
        else:
            answer = await self._call(self._once.conversations_history, **asked)
        return _page(answer)

    async def message(self, channel: str, thread_ts: str, ts: str) -> Mapping[str, Any] | None:
        """Return the message with that *ts*; None if there is none. It costs a read."""
        page = await self.said_in(channel, thread_ts or ts, ts, "", _PARENT_AND_IT)
        return next((one for one in page["messages"] if isinstance(one, dict) and one.get("ts") == ts), None)

    async def said_before(self, channel: str, thread_ts: str, after: str, before: str, limit: int) -> Mapping[str, Any]:
        """Return what was said between two messages, without them: in a thread, or beside all of them as in `said_in`."""
        asked = {"channel": channel, "oldest": after, "latest": before, "limit": limit}
        if thread_ts:
            answer = await self._call(self._once.conversations_replies, ts=thread_ts, **asked)
        else:
            answer = await self._call(self._once.conversations_history, **asked)
        return _page(answer)

    async def thread_of(self, channel: str, ts: str) -> str:
        """Return the ts of the thread of a message. https://docs.slack.dev/reference/methods/conversations.replies"""
        answer = await self._call(self._once.conversations_replies, channel=channel, ts=ts, limit=1)
        first = next(iter(_field(answer, "messages", list)), None)
        found = first.get("thread_ts") if isinstance(first, dict) else None
        return found if isinstance(found, str) and found else ts

    async def open_direct(self, user: str) -> str:
        """Return the channel of the direct messages with somebody. https://docs.slack.dev/reference/methods/conversations.open"""
        found = _field(await self._call(self._once.conversations_open, users=user), "channel", dict)
        if not isinstance(id_ := found.get("id"), str) or not id_:
            raise unclear("no id of a channel in the answer")
        return id_

    async def is_in(self, channel: str) -> bool:
        """Can the bot speak in *channel*? https://docs.slack.dev/reference/methods/conversations.info"""
        try:
            found = _field(await self._call(self._once.conversations_info, channel=channel), "channel", dict)
        except ThreadGone:  # it doesn't even see it
            return False
        return any(found.get(sign) for sign in ("is_member", "is_im", "is_mpim"))

    async def link(self, channel: str, ts: str) -> str:
        """Return the address of a message. https://docs.slack.dev/reference/methods/chat.getPermalink"""
        answer = await self._call(self._once.chat_getPermalink, channel=channel, message_ts=ts)
        return _field(answer, "permalink", str)

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Open a form for whoever did what *trigger* is of. https://docs.slack.dev/reference/methods/views.open"""
        await self._call(self._once.views_open, trigger_id=trigger, view=view)

    async def react(self, channel: str, ts: str, name: str) -> None:
        """https://docs.slack.dev/reference/methods/reactions.add"""
        await self._call(self._once.reactions_add, channel=channel, timestamp=ts, name=name)

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        """https://docs.slack.dev/reference/methods/reactions.remove"""
        await self._call(self._once.reactions_remove, channel=channel, timestamp=ts, name=name)


def _chunks(text: str) -> list[dict[str, str]]:
    """https://docs.slack.dev/messaging/sending-and-scheduling-messages#text-streaming"""
    return [{"type": "markdown_text", "text": text}]


def _field(answer: AsyncSlackResponse, name: str, kind: type[T]) -> T:
    """Return what an answer must hold. Raises ChatUnclear if it doesn't."""
    value = answer.get(name)
    if not isinstance(value, kind) or value == "":
        raise unclear(f"no {name} in the answer")
    return value


def _is_astray(answer: AsyncSlackResponse, thread_ts: object) -> bool:
    """Does a message that was meant for a thread stand elsewhere?

    Slack doesn't refuse to answer what is gone: it posts to the channel, and the message has no thread_ts
    (https://github.com/slack-go/slack/issues/1571, https://github.com/slackapi/python-slack-events-api/issues/87).
    """
    message = answer.get("message")
    return bool(thread_ts) and isinstance(message, dict) and message.get("thread_ts") != thread_ts


def _seconds(date: str) -> float:
    """Return what a header's date is in seconds since 1970, 0 if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _page(answer: AsyncSlackResponse) -> Mapping[str, Any]:
    """Return a page of messages, as they came. One without any is no page: what was said must not be taken for not said."""
    messages = _field(answer, "messages", list)
    following = answer.get("response_metadata")
    cursor = following.get("next_cursor") if isinstance(following, dict) else ""
    return {"messages": messages, "response_metadata": {"next_cursor": cursor if isinstance(cursor, str) else ""}}
