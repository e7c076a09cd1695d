"""The Web API's door: reads a call, decides whether it may be made, makes it, keeps a record.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.slack.arguments import ApiError, Arguments, read
from sandbox.slack.limits import POSTS_PER_CHANNEL, TIER_1, Limit, Limits
from sandbox.slack.methods import METHODS
from sandbox.slack.nouns import ChannelKind, JsonObject

if TYPE_CHECKING:
    from sandbox.replies import Reply
    from sandbox.slack.faults import Faults
    from sandbox.slack.platform import Method, Platform


CALLS = 10_000  # that are remembered
OF_FEW = ("conversations.history", "conversations.replies")  # what `Faults.few_messages` limits


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made and what it was answered."""

    method: str
    arguments: JsonObject
    status: int
    answer: JsonObject


class WebApi:
    def __init__(self, platform: Platform, limits: Limits, faults: Faults) -> None:
        self.calls: deque[Call] = deque(maxlen=CALLS)
        self._platform = platform
        self._limits = limits
        self._faults = faults

    async def serve(self, request: web.Request) -> web.Response:
        """The route of all methods."""
        name = request.match_info["method"]
        arguments, status, headers = Arguments({}), 200, {"x-slack-req-id": self._platform.workspace.clock.next_ts()}
        odd = self._faults.odd_replies.next(name)
        if odd and not odd[1]:
            return await self._oddly(name, odd[0])
        try:
            arguments, token = await read(request)
            status, answer = self._answer(name, arguments, token, headers, request.method)
        except ApiError as refusal:
            answer = refusal.answer
        if odd:
            return await self._oddly(name, odd[0], arguments)
        self.calls.append(Call(name, arguments.given, status, answer))
        self._platform.workspace.wake()
        if raw := self._faults.raw.get(name):
            return web.Response(text=raw.body, content_type=raw.content_type)
        return web.json_response(answer, status=status, headers=headers)

    async def _oddly(self, name: str, reply: Reply, arguments: Arguments | None = None) -> web.Response:
        self.calls.append(Call(name, arguments.given if arguments else {}, reply.status, {}))
        self._platform.workspace.wake()
        return await reply.send()

    def _answer(
        self, name: str, arguments: Arguments, token: str, headers: dict[str, str], verb: str
    ) -> tuple[int, JsonObject]:
        if wait := self._limits.held(name):
            return _too_fast(headers, wait)
        if failure := self._faults.next_failure(name):
            if failure.status == 429:
                headers["Retry-After"] = str(failure.retry_after)
                self._limits.hold(name, failure.retry_after)
            return failure.status, {"ok": False, "error": failure.error}
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method", req_method=name)
        self._check_token(method, token)
        if wait := self._limits.wait(*_limited(name, self._limit(name, method), arguments)):
            return _too_fast(headers, wait)
        if method.app_level and verb != "POST":
            raise ApiError("insecure_request")
        if not (method.open or method.app_level):
            headers["x-oauth-scopes"] = ",".join(sorted(self._platform.installation.scopes))
            self._check_scope(method, arguments, headers)
        return 200, {"ok": True} | method.run(self._platform, arguments)

    def _limit(self, name: str, method: Method) -> Limit:
        if self._faults.few_messages and name in OF_FEW:
            return TIER_1
        return self._faults.limits.get(name, method.limit)

    def _check_token(self, method: Method, token: str) -> None:
        installation = self._platform.installation
        if method.open:
            return
        if not token:
            raise ApiError("not_authed")
        if token not in (installation.bot_token, installation.app_token):
            raise ApiError("invalid_auth")
        if (token == installation.app_token) is not method.app_level:
            raise ApiError("not_allowed_token_type")

    def _check_scope(self, method: Method, arguments: Arguments, headers: dict[str, str]) -> None:
        granted = self._platform.installation.scopes
        needed = {method.scope.format(kind=kind.scope) for kind in self._kinds(method, arguments)} - {""}
        headers["x-accepted-oauth-scopes"] = ",".join(sorted(needed))
        if missing := needed - granted:
            raise ApiError("missing_scope", needed=",".join(sorted(missing)), provided=",".join(sorted(granted)))

    def _kinds(self, method: Method, arguments: Arguments) -> list[ChannelKind]:
        """The kinds of channel that a call is about, where the scope depends on that."""
        channel = self._platform.workspace.channels.get(arguments.text("channel"))
        if "{kind}" in method.scope and channel:
            return [channel.kind]
        types = arguments.names("types")
        return [kind for kind in ChannelKind if kind.type_filter in types] or [ChannelKind.PUBLIC]


def _too_fast(headers: dict[str, str], seconds: int) -> tuple[int, JsonObject]:
    headers["Retry-After"] = str(seconds)
    return 429, {"ok": False, "error": "ratelimited"}


def _limited(name: str, limit: Limit, arguments: Arguments) -> list[tuple[str, Limit]]:
    limited = [(name, limit)]
    if name == "chat.postMessage":
        limited.append((f"{name} {arguments.text('channel')}", POSTS_PER_CHANNEL))
    return limited
