"""What an operator can set, section by section, and how each setting is called in the environment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from core import preset
from core.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class UpstreamSection(Section):
    """The AI service."""

    url: str = Field("https://api.acedata.cloud", pattern=r"^https?://")
    token: SecretStr = SecretStr("")
    tokens: SecretStr = SecretStr("")  # more of them, separated by commas: each has limits of its own
    in_flight: int = Field(20, gt=0)  # https://docs.acedata.cloud/en/faq/concurrency, of one token; so is the next
    per_second: int = Field(60, gt=0)
    idle_timeout: float = Field(150, gt=0)  # seconds without a byte; models that think stay silent for minutes

    @property
    def every_token(self) -> list[str]:
        """Each token once, the first one first; empty if there is none."""
        written = [self.token.get_secret_value(), *self.tokens.get_secret_value().split(",")]
        return list(dict.fromkeys(token.strip() for token in written if token.strip()))


class DatabaseSection(Section):
    """Where everything is kept."""

    url: SecretStr = SecretStr("sqlite:///bobbin.db")  # may carry a password


class WebSection(Section):
    """The HTTP door: health, and what chats send over HTTP."""

    host: str = "0.0.0.0"  # noqa: S104  # the door is for others: a load balancer, a container's host
    port: int = Field(8080, ge=0, le=65535)
    health_port: int | None = Field(None, ge=0, le=65535)  # None: the same


# As long as the tables have room for.
Model = Annotated[str, Field(min_length=1, max_length=preset.LONGEST_MODEL)]
PresetName = Annotated[str, Field(max_length=preset.LONGEST_NAME)]


class PresetSection(Section):
    """A named way to answer; see core.preset."""

    model: Model | None = None
    instructions: str | None = None
    fallbacks: Listed[Model] | None = None
    follow: preset.Follow | None = None  # `mention`, `thread` or `channel`


class LimitsSection(Section):
    """How much is too much."""

    question: int = Field(16_000, gt=0)  # characters; the service documents no limit of its own
    transcript: int = Field(24_000, gt=0)  # characters of earlier turns that a rebuilt conversation is told
    answer: int = Field(100_000, gt=0)  # characters; where it is longer, the service is hung up on
    pages: int = Field(10, gt=0)  # messages of an answer; what is longer is added as a file
    # Questions that are not answered yet, at once. Those of a thread are answered one after another, so that with more
    # of them the last would be answered after minutes; and by default two workspaces fit into a process's memory.
    open_per_person: int = Field(10, gt=0)  # in one workspace
    open_per_thread: int = Field(20, gt=0)
    open_per_workspace: int = Field(500, gt=0)

    @property
    def quota(self) -> Quota:
        return Quota(self.open_per_person, self.open_per_thread, self.open_per_workspace)


class QuestionsSection(Section):
    """What becomes of an answer whose question is edited or deleted."""

    on_edit: Literal["redo", "offer", "ignore"] = "offer"
    on_delete: Literal["withdraw", "keep"] = "withdraw"


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
