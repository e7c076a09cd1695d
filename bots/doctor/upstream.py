"""Does the AI service answer, with each of the tokens?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bots.finding import Finding, Verdict
from core.errors import reason
from core.settings import proxy_for
from core.upstream.client import Upstream
from core.upstream.errors import (
    ModelRefused,
    NotTheService,
    TokenRefused,
    UpstreamError,
    UpstreamUnreachable,
    UsedUp,
    WrongAddress,
)
from core.upstream.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from core.settings import Settings

LACKING = "There is no token for the AI service: set BOBBIN_UPSTREAM__TOKEN to one from https://platform.acedata.cloud."
URL = "BOBBIN_UPSTREAM__URL"


async def check(settings: Settings) -> AsyncGenerator[Finding, None]:
    """A short question with each token, at once. Raises SetupError."""
    tokens = settings.upstream.every_token
    if not tokens:
        yield Finding(LACKING, Verdict.WRONG)
    asking = [asyncio.create_task(_ask(settings, token, number, len(tokens))) for number, token in enumerate(tokens, 1)]
    said: set[str] = set()
    try:
        for asked in asyncio.as_completed(asking):
            finding = await asked
            if finding.sentence not in said:  # what is no matter of the token is the same for all
                said.add(finding.sentence)
                yield finding
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _ask(settings: Settings, token: str, number: int, many: int) -> Finding:
    which = "the token" if many == 1 else f"token {number} of {many}"
    url, model = settings.upstream.url, settings.named_presets["default"].model or ""
    try:
        async with Upstream(url, token, proxy=proxy_for(url)) as upstream:
            await upstream.answer(Prompt(model=model, question="Say OK.", stateful=False))
    except UpstreamError as error:
        return Finding(_todo(error, url, model, which), Verdict.WRONG, f"{which}: {type(error).__name__}")
    return Finding(f"{url} answers, with {model} and {which}")


# The first that fits.
_TODO: tuple[tuple[type[UpstreamError], str], ...] = (
    (
        TokenRefused,
        (
            "{url} refuses {which} ({error}). Make a new one at https://platform.acedata.cloud, and set it in "
            "BOBBIN_UPSTREAM__TOKEN."
        ),
    ),
    (UsedUp, "{which} is used up at {url} ({error}). Top it up at https://platform.acedata.cloud."),
    (WrongAddress, "{url} is not the AI service ({error}). Correct {variable}, or leave it unset."),
    (
        NotTheService,
        (
            "a web page came from {url} instead of an answer ({error}). Is a proxy or a login page in between, and is "
            "{variable} right?"
        ),
    ),
    (
        UpstreamUnreachable,
        "{url} can't be reached ({why}). Check {variable}, and whether this machine may connect to it.",
    ),
    (ModelRefused, "{url} refuses the model {model} ({error}). Name another in bobbin.toml: [presets.default] model"),
    (
        UpstreamError,
        (
            "{url} did not answer a question to {model} ({error}). If that doesn't pass in a few minutes, tell the service's "
            "support, and name the trace."
        ),
    ),
)


def _todo(error: UpstreamError, url: str, model: str, which: str) -> str:
    parts = urlsplit(url)
    if isinstance(error, WrongAddress) and parts.path.strip("/"):
        host = f"{parts.scheme}://{parts.netloc}"
        return f"nothing at {url} answers questions ({error}). {URL} should end at the host: {host}"
    sentence = next(sentence for kind, sentence in _TODO if isinstance(error, kind))
    return sentence.format(error=error, url=url, model=model, which=which, variable=URL, why=_why(error))


def _why(error: UpstreamError) -> str:
    """The system's own words, if it is the system that can't connect."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return reason(cause)
        cause = cause.__cause__
    return error.detail
