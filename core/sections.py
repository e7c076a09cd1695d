"""The operator's settings, section by section, and the name of each in the environment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from core import access, preset
from core.proxy import is_loopback
from core.quota import Quota
from core.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "BOBBIN_"

T = TypeVar("T")


def _listed(value: object) -> object:
    """Split what a variable holds: by commas, or as JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_listed)]  # in a variable, commas between


class Section(BaseModel):
    """A part of the settings. What isn't known is refused, so that a typing error is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seals: ClassVar[bool] = False  # does its chat keep secrets in the database, for whoever shows the answer?
    hides_files: ClassVar[bool] = False  # are its files for nobody without its token, the AI service included?
    forms: ClassVar[Mapping[access.Kind, access.Form]] = {}  # how its chat's platform writes ids


# As long as the tables have room for.
Model = Annotated[str, Field(min_length=1, max_length=preset.LONGEST_MODEL)]


class UpstreamSection(Section):
    """The AI service."""

    url: str = Field("https://api.acedata.cloud", pattern=r"^https?://")
    token: SecretStr = SecretStr("")
    tokens: SecretStr = SecretStr("")  # more of them, separated by commas: each has limits of its own
    in_flight: int = Field(20, gt=0)  # https://docs.acedata.cloud/en/faq/concurrency, of one token; so is the next
    per_second: int = Field(60, gt=0)
    idle_timeout: float = Field(150, gt=0)  # seconds without a byte; models that think stay silent for minutes
    models: Listed[Model] = ()  # that are suggested, and set without trying them, beside those of core.models

    @property
    def every_token(self) -> list[str]:
        """Each token once, the first one first; empty if there is none."""
        written = [self.token.get_secret_value(), *self.tokens.get_secret_value().split(",")]
        return list(dict.fromkeys(token.strip() for token in written if token.strip()))


class DatabaseSection(Section):
    """Settings of the database, in which everything is kept."""

    url: SecretStr = SecretStr("sqlite:///bobbin.db")  # may carry a password


def _public(url: str) -> str:
    """Raises ValueError for an address that others can't use, or over which anybody could read what is sent."""
    if url and not _is_public(url):
        raise ValueError("write where the world reaches this web server, such as https://bobbin.example.com")
    return url.rstrip("/")


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return bool(host) and is_secure and not (parts.query or parts.fragment or parts.username or parts.password)


class WebSection(Section):
    """The HTTP door: health, what chats send over HTTP, and files for the AI service."""

    host: str = "0.0.0.0"  # noqa: S104  # the door is for others: a load balancer, a container's host
    port: int = Field(8080, ge=0, le=65535)
    health_port: int | None = Field(None, ge=0, le=65535)  # None: the same
    # Where the AI service reaches this door, to fetch files; empty: it can't. Port 0 stands for the one that was got.
    public_url: Annotated[str, AfterValidator(_public)] = ""


PresetName = Annotated[str, Field(max_length=preset.LONGEST_NAME)]


class PresetSection(Section):
    """A named way to answer; see core.preset."""

    model: Model | None = None
    instructions: str | None = None
    fallbacks: Listed[Model] | None = None
    follow: preset.Follow | None = None  # `mention`, `thread` or `channel`


class LimitsSection(Section):
    """Settings of limits."""

    question: int = Field(16_000, gt=0)  # characters; the service documents no limit of its own
    transcript: int = Field(24_000, gt=0)  # characters of earlier turns that a rebuilt conversation is told
    context: int = Field(12_000, ge=0)  # characters of what people said to each other before a question; 0: nothing
    answer: int = Field(100_000, gt=0)  # characters; where it is longer, the service is hung up on
    pages: int = Field(10, gt=0)  # messages of an answer; what is longer is added as a file
    # Questions that are not answered yet, at once. Those of a thread are answered one after another, so that with more
    # of them the last would be answered after minutes; and by default two workspaces fit into a process's memory.
    open_per_person: int = Field(10, gt=0)  # in one workspace
    open_per_thread: int = Field(20, gt=0)
    open_per_workspace: int = Field(500, gt=0)
    # Questions that the service is asked; 0: any number.
    per_person_minute: int = Field(20, ge=0)  # on one platform
    per_person_day: int = Field(500, ge=0)
    per_channel_minute: int = Field(60, ge=0)
    per_channel_day: int = Field(5_000, ge=0)

    @property
    def quota(self) -> Quota:
        return Quota(self.open_per_person, self.open_per_thread, self.open_per_workspace)

    @property
    def rates(self) -> Rates:
        return Rates(
            person_minute=self.per_person_minute,
            person_day=self.per_person_day,
            channel_minute=self.per_channel_minute,
            channel_day=self.per_channel_day,
        )


# An id as the platform writes it; TOML and JSON may hold one of digits as a number.
_Id = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value), Field(min_length=1)]


class AccessSection(Section):
    """Who may ask. A denial wins over an allowance; an empty list of those who may is no limit."""

    allow_people: Listed[_Id] = ()
    deny_people: Listed[_Id] = ()
    allow_roles: Listed[_Id] = ()
    deny_roles: Listed[_Id] = ()
    allow_channels: Listed[_Id] = ()
    deny_channels: Listed[_Id] = ()
    allow_workspaces: Listed[_Id] = ()
    deny_workspaces: Listed[_Id] = ()
    guests: bool = True  # whoever invited them wanted them to take part
    external: bool = False  # people of other organisations
    bots: Listed[_Id] = ()  # and workflows; others are not answered
    bot_turns: int = Field(4, ge=1)  # of bots in a thread in a row
    contact: str = Field("", max_length=200)  # whom somebody should ask who is refused

    @property
    def rules(self) -> access.Rules:
        lists = {name: frozenset(value) for name, value in self if isinstance(value, tuple)}
        return access.Rules(**lists, guests=self.guests, external=self.external)

    def listed(self) -> Iterator[tuple[str, access.Kind, str]]:
        """Each id, with the list that it is in and the kind of thing that it should name."""
        for name, value in self:
            for id_ in value if isinstance(value, tuple) else ():
                yield name, cast("access.Kind", name.rpartition("_")[2]), id_


class QuestionsSection(Section):
    """Settings of questions: what is told of them, what people can do with answers, and what an edit or a deletion does."""

    names: bool = True  # is the AI service told what people are called?
    buttons: bool = True  # are people offered what they can do with a finished answer?

    on_edit: Literal["redo", "offer", "ignore"] = "offer"
    on_delete: Literal["withdraw", "keep"] = "withdraw"
    titles: Literal["question", "model"] = "question"  # who makes the title of a thread


class LogSection(Section):
    """What is written to standard error."""

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda word: str(word).upper())] = (
        "INFO"
    )
    format: Literal["console", "json"] | None = None  # None: for people at a terminal, for machines elsewhere

    @property
    def is_json(self) -> bool:
        return self.format == "json" or (self.format is None and not sys.stderr.isatty())


def variable(path: tuple[str, ...]) -> str:
    """Return the variable that sets what is at *path*."""
    return PREFIX + "__".join(path).upper()


def annotation(model: type[BaseModel], path: tuple[str, ...]) -> object:
    """Return the type of the setting at *path*, None if there is none."""
    found: Any = model
    for step in path:
        info = getattr(found, "model_fields", {}).get(step)
        found = info.annotation if info else None
    return found


def settings_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each setting and each section."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, (*above, name))
