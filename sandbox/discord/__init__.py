"""A local stand-in for Discord to which real bots connect: REST, gateway, and people to act as."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, Self, TypeVar

from aiohttp import web

from sandbox.discord.changes import Change
from sandbox.discord.control import control_routes
from sandbox.discord.faults import Faults
from sandbox.discord.gateway import Gateway
from sandbox.discord.invocations import Invocations
from sandbox.discord.limits import Limits
from sandbox.discord.model import Channel, ChannelKind, File, Interaction, Message, Poll, Shown, User
from sandbox.discord.permissions import Permission
from sandbox.discord.refusals import Refusal
from sandbox.discord.server import API, Call, build_app
from sandbox.discord.sight import shown
from sandbox.discord.world import Portal, World
from sandbox.discord.written import read_command

__all__ = [
    "Call",
    "Change",
    "Channel",
    "ChannelKind",
    "File",
    "Interaction",
    "LocalDiscord",
    "Message",
    "Permission",
    "Poll",
    "Refusal",
    "Shown",
    "User",
    "read_command",
    "shown",
]
CALLS_KEPT = 10_000
T = TypeVar("T")
HEARTBEAT_SECONDS = 41.25  # what Discord itself says; not promised


class LocalDiscord(Invocations):
    """One guild "Bobbin's workshop" with ada, who keeps it, and ben; #general, #random and the forum #ideas."""

    def __init__(
        self,
        *,
        bot_name: str = "bobbin",
        message_content_intent: bool = True,
        members_intent: bool = False,
        presences_intent: bool = False,
        rate_limits: bool = True,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(World(Portal(message_content_intent, members_intent, presences_intent), bot_name))
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.gateway = Gateway(self.world, heartbeat_seconds=heartbeat_seconds)
        self._limits = Limits(on=rate_limits)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        app = build_app(self.world, self._limits, self.calls)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_routes(control_routes(self))
        # What still runs when the sockets are closed is a bot's long request; it gets a second.
        self._runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.world.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        for timer in self.world.timers:
            timer.cancel()
        self.world.timers.clear()
        await self.gateway.close()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        return self.world.base_url + API

    @property
    def gateway_url(self) -> str:
        return self.world.gateway_url

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def application_id(self) -> int:
        return self.world.application_id

    @property
    def bot_user_id(self) -> int:
        return self.world.bot.id

    @property
    def guild_id(self) -> int:
        return self.world.guild_id

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def interactions(self) -> list[Interaction]:
        return list(self.world.interactions.values())

    def expire_tokens(self) -> None:
        """As if the 15 minutes of every interaction so far were over."""
        for interaction in self.interactions:
            interaction.expired = True

    def messages(self, where: Channel | str | int) -> list[Message]:
        """Oldest first, ephemeral ones included."""
        return list(self.channel(where).messages.values())

    def threads(self, where: Channel | str | int | None = None) -> list[Channel]:
        return list(self.world.threads(None if where is None else self.channel(where)))

    # Faults: what the real Discord sends now and then, and no library expects.

    @property
    def latency(self) -> float:
        """Seconds for which each REST call is on its way, there and back; may be set at any time."""
        return self.faults.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.faults.latency = seconds

    def send_raw(self, event: str, data: Any) -> None:
        """Have the gateway tell every bot of an *event* with exactly *data*, whatever that is."""
        self.gateway.send_raw(event, data)

    def send_frame(self, text: str) -> None:
        """Have the gateway send every bot exactly *text*, in which nothing has to be right."""
        self.gateway.send_frame(text)

    @property
    def added(self) -> dict[int, dict[str, Any]]:
        """Message id → what is merged into its payload wherever it is told from then on, its history included."""
        return self.world.faults.added

    def typing(self, where: Channel | str | int) -> list[User]:
        return self.world.typing_in(self.channel(where))

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 30.0) -> T:  # noqa: ASYNC109 - for the caller
        """Wait until *predicate* is true, asked again after each change; return what it returned."""
        return await self.world.changes.wait_for(predicate, timeout)

    def watch(self) -> AsyncGenerator[Change, None]:
        """Every change from the first step of the iteration on, until it is closed."""
        return self.world.changes.watch()
