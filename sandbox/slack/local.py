"""A Slack workspace on this machine, to which real Slack libraries connect."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from sandbox.slack.arguments import ApiError
from sandbox.slack.control import control_routes
from sandbox.slack.delivery import ACK_SECONDS, RETRY_SECONDS, Delivered, Deliveries, Kind, Parcel, UndeliveredError
from sandbox.slack.events import Events
from sandbox.slack.faults import Faults
from sandbox.slack.installation import EVENT_SCOPES, SCOPES, Installation
from sandbox.slack.interactions import TRIGGER_SECONDS, Interaction, Interactions
from sandbox.slack.limits import Limits
from sandbox.slack.nouns import Change, Channel, Group, JsonObject, Message, SharedFile, User
from sandbox.slack.people import Given, People
from sandbox.slack.platform import Platform
from sandbox.slack.request_url import RequestUrl
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.web_api import Call, WebApi
from sandbox.slack.workspace import Found, Session, Watch, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

HOST = "127.0.0.1"
LARGEST_BODY = 16 * 1024 * 1024  # bytes


class LocalSlack:
    """One workspace with one app in it, reached by sockets, or at *request_url* when there is one.

    *scopes* are what the app was granted and *events* what it is subscribed to, as its manifest asks for; left out, it has
    everything that there is here. Where a method takes a user or a channel, a name, an id or the object will do.
    """

    def __init__(
        self,
        *,
        bot_name: str = "bobbin",
        request_url: str | None = None,
        scopes: Iterable[str] = SCOPES,
        events: Iterable[str] = EVENT_SCOPES,
        rate_limits: bool = True,
        ack_seconds: float = ACK_SECONDS,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
    ) -> None:
        self.faults = Faults()
        self.limits = Limits(enforced=rate_limits)
        self._workspace = Workspace()
        bot = self._workspace.add_user(bot_name, is_bot=True)
        self.installation = Installation(bot=bot, scopes=set(scopes), events=set(events))
        self._sockets = Sockets(self.installation.app_id, ack_seconds, self.faults)
        self._request_url = (
            RequestUrl(request_url, self.installation, ack_seconds, self.faults) if request_url else None
        )
        carrier = self._request_url or self._sockets
        self._deliveries = Deliveries(carrier, self.faults, tuple(retry_seconds), self._workspace.wake)
        self._events = Events(self._workspace, self.installation)
        interactions = Interactions(self._workspace, self.installation, trigger_seconds)
        self._platform = Platform(self._workspace, self.installation, interactions, self._sockets, self.faults)
        self._people = People(self._platform, self._deliveries)
        self._web_api = WebApi(self._platform, self.limits, self.faults)
        self._runner: web.AppRunner | None = None
        self._held: list[JsonObject] | None = None
        self._workspace.listeners.append(self._tell_the_app)
        self._furnish()

    # Running

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes any free one."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._web_api.serve),
                web.get("/link/", self._sockets.serve),
                web.post("/{kind:commands|actions|app}/{team}/{token}", self._respond),
                web.get("/files-pri/{file}/{name}", self._serve_file),
                web.post("/upload/v1/{file}", self._take_upload),
                *control_routes(self),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        host, actual_port = self._runner.addresses[0][:2]
        origin = f"http://{host}:{actual_port}"
        self._platform.origin = self._events.origin = self._platform.interactions.origin = origin

    async def stop(self) -> None:
        try:
            await self._deliveries.stop()
        finally:
            await self._sockets.close()
            if self._request_url:
                await self._request_url.close()
            if self._runner:
                await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        """The base of the Web API; raises until the server listens."""
        if not self._platform.origin:
            raise RuntimeError("The local Slack has no address yet; await start() first.")
        return f"{self._platform.origin}/api/"

    @property
    def bot_token(self) -> str:
        return self.installation.bot_token

    @property
    def app_token(self) -> str:
        return self.installation.app_token

    @property
    def signing_secret(self) -> str:
        return self.installation.signing_secret

    @property
    def team_id(self) -> str:
        return self._workspace.team_id

    @property
    def bot_user_id(self) -> str:
        return self.installation.bot.id

    @property
    def bot_id(self) -> str:
        return self.installation.bot.bot_id

    # Who and where

    @property
    def users(self) -> Mapping[str, User]:
        return self._workspace.users

    @property
    def channels(self) -> Mapping[str, Channel]:
        return self._workspace.channels

    def user(self, user: User | str) -> User:
        return self._people.user(user)

    def channel(self, channel: Channel | str) -> Channel:
        return self._people.channel(channel)

    def add_user(self, name: str, *, display_name: str = "", locale: str = "en-US", **kind: bool) -> User:
        """A new person, or what else there is; see `Workspace.add_user` for which *kind*."""
        return self._workspace.add_user(name, display_name=display_name, locale=locale, **kind)

    def add_group(self, handle: str, *members: User | str) -> Group:
        """People who can be mentioned together."""
        return self._workspace.add_group(handle, [self.user(member).id for member in members])

    def add_channel(self, name: str, *members: User | str, private: bool = False) -> Channel:
        return self._people.add_channel(name, [self.user(member) for member in members], private=private)

    def open_dm(self, *users: User | str) -> Channel:
        """The direct messages of the bot with somebody, or with several."""
        return self._people.direct_channel([self.user(user) for user in users])

    def join(self, user: User | str, channel: Channel | str) -> None:
        self._workspace.join(self.channel(channel), self.user(user))

    # What people do

    async def say(
        self,
        user: User | str,
        channel: Channel | str,
        text: str,
        thread_ts: str | None = None,
        *,
        subtype: str = "",
        files: Sequence[SharedFile] = (),
        attachments: Sequence[JsonObject] = (),
        blocks: Sequence[JsonObject] | None = None,
        more: JsonObject | None = None,
    ) -> Message:
        """Say what was typed: @name becomes a mention, `code` stays code. The events are on their way when this returns.

        *files* are shared with it; *attachments* are what Slack puts beside the words, such as a forward or a preview.
        With *blocks* they and *text* are sent as they are, markup and all. *more* is what else the message has, such as
        the `app_id` of an app that speaks for a person, or the `user_team` of somebody from another workspace.
        """
        given = Given(text, tuple(files), tuple(attachments), None if blocks is None else tuple(blocks), more or {})
        return self._people.say(self.user(user), self.channel(channel), given, thread_ts=thread_ts, subtype=subtype)

    async def edit(self, message: Message, text: str) -> Message:
        return self._people.edit(message, text)

    async def forward(self, user: User | str, message: Message, channel: Channel | str, text: str = "") -> Message:
        """Share a message in another place, with words of one's own or without."""
        return self._people.forward(self.user(user), message, self.channel(channel), text)

    async def unfurl(self, message: Message, title: str) -> Message:
        """Slack looked at a link in *message* and shows a preview: a change that nobody made."""
        return self._people.unfurl(message, title)

    async def delete(self, message: Message, by: User | str | None = None) -> None:
        self._people.delete(message, self.user(by) if by else None)

    async def react(self, user: User | str, message: Message, name: str, *, take_back: bool = False) -> None:
        self._people.react(self.user(user), message, name, take_back=take_back)

    async def command(
        self, user: User | str, channel: Channel | str, command: str, text: str = "", *, wait: float = 2.0
    ) -> Interaction:
        """Give a slash command; what was answered within *wait* seconds after the acknowledgement is in the result."""
        interaction = await self._people.command(self.user(user), self.channel(channel), command, text)
        try:
            await self._workspace.wait_for(lambda: interaction.answered, wait)
        except TimeoutError:
            return interaction  # an app may well say nothing
        return interaction

    async def click(
        self, user: User | str, on: Message | str, action_id: str, *, value: str | None = None
    ) -> Interaction:
        """Click an element of a message, or of the view with this id; *value* chooses among options."""
        if isinstance(on, Message):
            return await self._people.click(self.user(user), on, action_id, value)
        return await self._people.click_view(self.user(user), self.views[on], action_id, value)

    async def shortcut(self, user: User | str, callback_id: str, message: Message | None = None) -> Interaction:
        """Choose a shortcut: from the menu of *message*, or from the global one."""
        return await self._people.shortcut(self.user(user), callback_id, message)

    async def submit(self, user: User | str, view_id: str, values: JsonObject | None = None) -> Interaction:
        """Submit a modal; *values* is block_id → action_id → the element's state."""
        return await self._people.submit(self.user(user), self.views[view_id], values or {})

    async def close_view(self, user: User | str, view_id: str) -> Interaction:
        return await self._people.close_view(self.user(user), self.views[view_id])

    async def open_home(self, user: User | str, tab: str = "home") -> None:
        """Open the app's own place, on the tab `home` or `messages`."""
        person = self.user(user)
        for envelope in self._events.home_opened(person.id, self.open_dm(person).id, tab):
            self._deliveries.send(envelope)

    async def stop_session(self, user: User | str, channel: Channel | str, thread_ts: str) -> None:
        """Press the Stop button that a session has while its status is `processing`. Raises KeyError if it has none."""
        place, person = self.channel(channel), self.user(user)
        session = self._workspace.sessions.get((place.id, thread_ts))
        if session is None or session.status != "processing" or not self.installation.receives("agent_session_stopped"):
            raise KeyError("a Stop button")
        streaming = self._workspace.stop_streams(place.id, thread_ts)
        for envelope in self._events.session_stopped(person.id, place.id, thread_ts, streaming):
            self._send(envelope)

    # What people see

    def session(self, channel: Channel | str, thread_ts: str) -> Session | None:
        """What the agent is doing in a thread, and what that is called."""
        return self._workspace.sessions.get((self.channel(channel).id, thread_ts))

    def prompts(self, channel: Channel | str, thread_ts: str = "") -> Sequence[JsonObject]:
        """What there is suggested to ask."""
        return self._workspace.prompts.get((self.channel(channel).id, thread_ts), ())

    @property
    def sessions(self) -> Mapping[tuple[str, str], Session]:
        """All of them, by the ids of their channel and thread."""
        return self._workspace.sessions

    @property
    def streams(self) -> int:
        """How many are not over."""
        return len(self._workspace.streams)

    def messages(self, channel: Channel | str, thread_ts: str | None = None) -> list[Message]:
        """All messages of a channel, or a thread with its parent, oldest first, as they are now."""
        found = self._workspace.messages(self.channel(channel).id)
        return [each for each in found if thread_ts in (None, each.ts, each.thread_ts)]

    def status(self, channel: Channel | str, thread_ts: str) -> str:
        return self._workspace.status(self.channel(channel).id, thread_ts)

    @property
    def statuses(self) -> Mapping[tuple[str, str], str]:
        """Every status line that stands beside a thread, by the ids of its channel and of the thread."""
        return self._workspace.statuses()

    def file(self, file_id: str) -> SharedFile | None:
        """A file that still stands in a message."""
        found = self._workspace.file(file_id)
        return found.file if found else None

    @property
    def views(self) -> Mapping[str, JsonObject]:
        """The open modals and the home tabs, by id."""
        return self._workspace.views

    def form(self, user: User | str) -> JsonObject | None:
        """The modal that is open to somebody: of a stack of views the newest."""
        person = self.user(user).id
        mine = (
            one for one in reversed(list(self.views.values())) if self._workspace.view_owners.get(one["id"]) == person
        )
        return next((one for one in mine if one["type"] == "modal"), None)

    def owner(self, view_id: str) -> str:
        """The id of whoever sees that view."""
        return self._workspace.view_owners.get(view_id, "")

    def home(self, user: User | str) -> JsonObject | None:
        """What the app published on somebody's home tab."""
        return self._workspace.views.get(self._workspace.homes.get(self.user(user).id, ""))

    async def wait_for(self, predicate: Callable[[], Found], timeout: float = 30.0) -> Found:  # noqa: ASYNC109 — see Workspace
        """What *predicate* returns, once it is true; raises TimeoutError if it isn't in time."""
        return await self._workspace.wait_for(predicate, timeout)

    def watch(self) -> Watch:
        return self._workspace.watch()

    # For tests

    @property
    def calls(self) -> Sequence[Call]:
        return self._web_api.calls

    @property
    def deliveries(self) -> Sequence[Delivered]:
        """Every attempt to hand something to the app."""
        return self._deliveries.log

    @property
    def under_way(self) -> int:
        """How many events are neither acknowledged nor given up."""
        return self._deliveries.under_way

    @property
    def sockets(self) -> int:
        """How many are open."""
        return self._sockets.count

    def turn_clock_back(self, seconds: float) -> None:
        """From now on what is said is that old; 0 for the present. Time in a channel must not run backwards."""
        self._workspace.clock.turn_back(seconds)

    @contextlib.contextmanager
    def holding_events(self) -> Iterator[list[JsonObject]]:
        """Keep the events of what happens meanwhile; they set out at the end, as they then stand in the list."""
        before, self._held = self._held, []
        try:
            yield self._held
        finally:
            held, self._held = self._held, before
            for envelope in held:
                self._send(envelope)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Have every socket close the polite way; with `warning`, only announce it."""
        await self._sockets.disconnect(reason)

    def drop_sockets(self) -> None:
        self._sockets.drop()

    async def verify_request_url(self) -> bool:
        """Whether the request URL answers Slack's challenge, without which Slack would never use it."""
        return self._request_url is not None and await self._request_url.verify()

    # Inside

    def _furnish(self) -> None:
        people = [self.add_user(name) for name in ("ada", "ben")]
        for name in ("general", "random"):
            self.add_channel(name, *people, self.installation.bot)

    def send_raw(self, event: Any, channel: Channel | str = "general") -> None:
        """Deliver *event*, of which nothing has to be right, in an envelope as that of a message."""
        envelope = self._events.envelope({"type": "message"}, self.channel(channel).id)
        self._deliveries.send(envelope | {"event": event})

    async def send_raw_interaction(self, payload: Any) -> None:
        """Hand over a click or the like, of which nothing has to be right; return when the app has answered, or has not."""
        with contextlib.suppress(UndeliveredError):
            await self._deliveries.ask(Parcel(Kind.INTERACTIVE, payload))

    async def send_raw_command(self, payload: Any) -> None:
        """Hand over a slash command, likewise."""
        with contextlib.suppress(UndeliveredError):
            await self._deliveries.ask(Parcel(Kind.COMMAND, payload, accepts_response=True))

    def _tell_the_app(self, change: Change) -> None:
        if self.faults.lose_events:
            return
        for envelope in self._events.of(change, mention_first=self.faults.mention_first):
            self._send(envelope)

    def _send(self, envelope: JsonObject) -> None:
        if self._held is None:
            self._deliveries.send(envelope)
        else:
            self._held.append(envelope)

    async def _respond(self, request: web.Request) -> web.Response:
        """A response URL: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
        try:
            body: object = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        if not isinstance(body, dict):
            return web.Response(status=400, text="invalid_payload")
        try:
            self._platform.interactions.respond(request.match_info["token"], body)
        except ApiError as refusal:
            status = 404 if refusal.answer["error"] in {"expired_url", "used_url"} else 400
            return web.json_response(refusal.answer, status=status)
        return web.Response(text="ok")

    async def _take_upload(self, request: web.Request) -> web.Response:
        """What the app sends to an address from files.getUploadURLExternal: https://docs.slack.dev/messaging/working-with-files"""
        uploads, file_id = self._workspace.uploads, request.match_info["file"]
        if file_id not in uploads:
            raise web.HTTPNotFound
        content = await request.read()
        uploads[file_id] = replace(uploads[file_id], content=content)
        return web.Response(text=f"OK - {len(content)}")

    async def _serve_file(self, request: web.Request) -> web.Response:
        """A shared file for those who show the bot's token, and a login page (200!) for others."""
        allowed = request.headers.get("Authorization") == f"Bearer {self.bot_token}"
        if not allowed or "files:read" not in self.installation.scopes:
            return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
        if self.faults.file:
            return await self.faults.file.send()
        shared = self._workspace.file(request.match_info["file"])
        if shared is None:
            raise web.HTTPNotFound
        return web.Response(body=shared.file.content, content_type=shared.file.mimetype)
