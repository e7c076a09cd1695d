"""Reads the settings file and the environment, once, into typed and frozen values."""

from __future__ import annotations

import json
import os
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core import preset
from core.complaint import about_type, did_you_mean, is_quoted
from core.errors import SetupError
from core.proxy import proxies, proxy_named
from core.quota import Quota
from core.secret_box import SecretBox
from core.urls import secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "BOBBIN_"
FILE = Path("bobbin.toml")  # in the folder where Bobbin is started
WHICH_FILE = f"{PREFIX}CONFIG"  # the variable that names another one; read before all settings, so it is none of them
MAKE_A_KEY = "head -c 32 /dev/urandom | base64 | tr +/ -_"  # https://cryptography.io/en/latest/fernet
NO_KEY = (
    "BOBBIN_SECRET_KEY is not set. With several processes, answers to some commands would stay at “thinking…”. Set the same "
    f"key everywhere; make one with: {MAKE_A_KEY}"
)
SECRETS = Path("/run/secrets")  # where container platforms put them, one file each, named like the variable


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


class Settings(BaseSettings):
    """What an operator can set. Each chat adds a section of its own name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=True,
    )
    _file: Path | None = PrivateAttr(None)

    upstream: UpstreamSection = UpstreamSection()
    database: DatabaseSection = DatabaseSection()
    engine: Literal["embedded", "procrastinate"] | None = None  # None: as `shares_its_work` says
    web: WebSection = WebSection()
    presets: dict[PresetName, PresetSection] = {}
    limits: LimitsSection = LimitsSection()
    questions: QuestionsSection = QuestionsSection()
    log: LogSection = LogSection()
    secret_key: SecretStr = SecretStr("")  # Fernet keys, newest first, separated by commas
    shutdown_grace: float = Field(20, ge=0)  # seconds that running answers get to end

    @field_validator("secret_key")
    @classmethod
    def _is_a_key(cls, secret_key: SecretStr) -> SecretStr:
        try:
            _seal(secret_key)
        except ValueError:
            raise ValueError(f"not a Fernet key; make one with: {MAKE_A_KEY}") from None
        return secret_key

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings  # one file is enough
        secrets = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=SECRETS,
            secrets_dir_missing="ok",
            secrets_prefix=PREFIX,
            secrets_nested_delimiter="__",
        )
        return init_settings, env_settings, secrets, TomlConfigSettingsSource(settings_cls)

    @property
    def origin(self) -> str:
        """Where these settings come from, for people: the file, and how many variables and secret files."""
        others = [name for name in os.environ if name.startswith(PREFIX) and name != WHICH_FILE]
        counted = [(len(others), "environment variable"), (len(_secret_files()), f"file in {SECRETS}")]
        written = [
            f"{many} {what if many == 1 else what.replace('file', 'files').replace('able', 'ables')}"
            for many, what in counted
            if many
        ]
        return " and ".join([str(self._file.absolute()) if self._file else "defaults", *written])

    @property
    def shares_its_work(self) -> bool:
        """Do several processes run the turns of this database? On PostgreSQL they do unless told otherwise."""
        return self.engine == "procrastinate" or (self.engine is None and self.is_on_postgresql)

    @property
    def is_on_postgresql(self) -> bool:
        return self.database.url.get_secret_value().startswith("postgres")

    def lacks_key(self, chats: Iterable[str]) -> bool:
        """Will processes that share their work be unable to open what others have sealed for one of *chats*?"""
        return self.shares_its_work and not self.secret_box.lasts and any(self.section(name).seals for name in chats)

    def secrets_of(self, name: str) -> list[str]:
        """The variables that hold a chat's secrets."""
        section = type(self.section(name))
        return [
            _variable((name, field)) for field in section.model_fields if _annotation(section, (field,)) is SecretStr
        ]

    def empty(self, name: str) -> list[str]:
        """The variables of a chat's secrets that are set, but empty."""
        return [variable for variable in self.secrets_of(name) if os.environ.get(variable) == ""]

    def section(self, name: str) -> Any:
        """Return a chat's own section."""
        return getattr(self, name)

    @property
    def named_presets(self) -> dict[str, preset.Preset]:
        """The deployment's presets; the default one always exists and has a model."""
        written = {
            name: preset.Preset(model=one.model, instructions=one.instructions, fallbacks=one.fallbacks)
            for name, one in self.presets.items()
        }
        default = written.get(preset.DEFAULT, preset.Preset())
        return {**written, preset.DEFAULT: default.over(preset.Preset(model="gpt-5.1", instructions=""))}

    @property
    def secret_box(self) -> SecretBox:
        """What small secrets are sealed with in the database."""
        return _seal(self.secret_key)

    @property
    def secrets(self) -> list[str]:
        """Every secret that is set, for the log to be redacted."""
        database = self.database.url.get_secret_value()
        tokens = [part.strip() for value in _secrets(self) if value != database for part in value.split(",")]
        urls = [database, *(value for value in _texts(self) if "://" in value), *proxies(os.environ)]
        return list(dict.fromkeys([*tokens, *(secret for url in urls for secret in secrets_in(url))]))


def load(
    chats: Mapping[str, type[Section]], *, file: Path | None = None, sample: Path | None = None, **given: Any
) -> Settings:
    """Read the settings, with a section for each of *chats*. Raises SetupError that lists everything that is wrong.

    One file is read: *file*, else the one that BOBBIN_CONFIG names, else bobbin.toml here, else *sample*.
    """
    chosen = _chosen(file, sample)
    where = FILE if chosen == sample or chosen is None else chosen  # where to mend what is wrong
    if unreadable := [*_unreadable(chosen)]:
        raise SetupError("\n".join(unreadable))
    fields: dict[str, Any] = {name: (section, section()) for name, section in chats.items()}
    model = cast("type[Settings]", create_model("Settings", __base__=Settings, **fields))
    model.model_config["toml_file"] = chosen
    wrong = [*_strangers(model), *_quoted(model), *_secrets_in_file(model, where)]
    settings: Settings | None = None
    try:
        settings = model(**given)
    except ValidationError as error:
        wrong += [_sentence(one, model, where) for one in error.errors()]
    except SettingsError as error:  # a variable of several values
        wrong.append(_unparsed(str(error)))
    except ValueError as error:  # the file isn't TOML
        wrong.append(f"{where}: {error}")
    if settings is not None:
        wrong += list(_complaints(settings, chats))
    if settings is None or wrong:
        raise SetupError("\n".join(wrong))
    settings._file = chosen  # noqa: SLF001  # ours; no setting, or a variable could set it
    return settings


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy through which *url* is to be reached, None if there is none. Raises SetupError."""
    return proxy_named(url, os.environ)


def log_section() -> LogSection:
    """Read how to log from the environment alone, for what is to be said before, or because, the rest can't be read."""
    known = {name: os.environ.get(f"{PREFIX}LOG__{name.upper()}") for name in LogSection.model_fields}
    try:
        return LogSection.model_validate({name: value for name, value in known.items() if value})
    except ValidationError:
        return LogSection()


def _chosen(file: Path | None, sample: Path | None) -> Path | None:
    """Return the file to read, None if there is none. Raises SetupError when one that was named is not there."""
    named = os.environ.get(WHICH_FILE, "")
    if file is None and named:
        file = Path(named)
    if file is not None and not file.exists():
        raise SetupError(f"There is no file {file}; --config or {WHICH_FILE} names it.")
    return file or (FILE if FILE.exists() else sample)


def _unreadable(file: Path | None) -> Iterator[str]:
    """Say which files can't be read at all: the settings' own, and secrets."""
    if file and file.is_dir():
        # https://docs.docker.com/engine/storage/bind-mounts/
        yield f"{file} is a folder, not a file. A container engine makes one where a file is to be mounted that isn't there."
    for path in [*([file] if file and not file.is_dir() else []), *_secret_files()]:
        try:
            path.read_text("utf-8")
        except UnicodeDecodeError:
            yield f"{path} is not text in UTF-8. Save it in that encoding, with an editor that lets you choose it."
        except OSError as error:
            yield f"{path} can't be read ({error.strerror}). Bobbin runs as uid {os.geteuid()}, gid {os.getegid()}: let that read it."


def _secret_files() -> list[Path]:
    """The files that hold our secrets, if they can be listed."""
    try:
        return sorted(path for path in SECRETS.iterdir() if path.name.upper().startswith(PREFIX))
    except OSError:
        return []


def _complaints(settings: Settings, chats: Mapping[str, type[Section]]) -> Iterator[str]:
    if settings.engine == "procrastinate" and not settings.is_on_postgresql:
        yield (
            'engine: procrastinate keeps its jobs in PostgreSQL; set BOBBIN_DATABASE__URL to "postgresql://…", '
            'or BOBBIN_ENGINE to "embedded" (one process, any database)'
        )
    for name in chats:
        problems = getattr(settings.section(name), "problems", None)
        yield from problems() if problems else ()


def _seal(secret_key: SecretStr) -> SecretBox:
    return SecretBox([key.strip() for key in secret_key.get_secret_value().split(",") if key.strip()])


def _strangers(model: type[BaseSettings]) -> Iterator[str]:
    """Say which variables and files look like ours and are read by nobody; the nested ones pydantic finds itself."""
    for name in [*sorted(os.environ), *(str(path) for path in _secret_files())]:
        plain = Path(name).name.upper()
        if plain.startswith(PREFIX) and name != WHICH_FILE:
            first = plain.removeprefix(PREFIX).lower().partition("__")[0]
            if first not in model.model_fields:
                near = did_you_mean(plain, map(_variable, _settings_of(model)))
                known = f"; known are {', '.join(sorted(model.model_fields))}"
                yield f"{name}: there is no setting of that name{near or known}"


def _secrets_in_file(model: type[BaseSettings], where: Path) -> Iterator[str]:
    """Say which secrets stand in the file; they belong where fewer people look."""
    try:
        written = TomlConfigSettingsSource(model)()
    except ValueError:
        return  # said when the settings are read
    for path in _paths(written):
        if _annotation(model, path) is SecretStr and path != ("database", "url"):
            yield f"{where}: {'.'.join(path)} is a secret; set {_variable(path)} instead, or a file of that name in {SECRETS}"


def _annotation(model: type[BaseModel], path: tuple[str, ...]) -> object:
    """Return the type of the setting at *path*, None if there is none."""
    found: Any = model
    for step in path:
        info = getattr(found, "model_fields", {}).get(step)
        found = info.annotation if info else None
    return found


def _paths(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _paths(value, (*above, name))
        else:
            yield (*above, name)


def _secrets(section: BaseModel) -> Iterator[str]:
    yield from (value.get_secret_value() for value in _values(section) if isinstance(value, SecretStr))


def _texts(section: BaseModel) -> Iterator[str]:
    yield from (value for value in _values(section) if isinstance(value, str))


def _values(section: BaseModel) -> Iterator[object]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _values(value)
        else:
            yield value


def _sentence(error: Any, model: type[BaseModel], where: Path) -> str:
    path = tuple(str(step) for step in error["loc"])
    is_secret = _annotation(model, path) is SecretStr and path != ("database", "url")
    if error["type"] == "extra_forbidden":
        return _unknown(path, model, where)
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return _is_section(_variable(path))
    said = about_type(error, is_secret=is_secret)
    if is_secret:
        return f"{_variable(path)}: {said}"
    return f"{'.'.join(path)}: {said} (set {_variable(path)}, or {'.'.join(path)} in {where})"


def _unknown(path: tuple[str, ...], model: type[BaseModel], where: Path) -> str:
    """Say that nobody reads the setting at *path*, where it was written and what may be meant."""
    siblings = [one for one in _settings_of(model) if one[:-1] == path[:-1]]
    variable = _variable(path)
    if any(variable == Path(name).name.upper() for name in [*os.environ, *map(str, _secret_files())]):
        return f"{variable}: there is no such setting{did_you_mean(variable, map(_variable, siblings))}"
    near = did_you_mean(path[-1], (one[-1] for one in siblings))
    return f"{where}: there is no such setting as {'.'.join(path)}{near}"


def _settings_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each setting and each section."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings_of(field.annotation, (*above, name))


def _quoted(model: type[BaseModel]) -> Iterator[str]:
    """Say which secrets and addresses stand in quotation marks: what passes them on as they are written is no shell."""
    written = {**os.environ, **{path.name.upper(): path.read_text("utf-8") for path in _secret_files()}}
    for path in _settings_of(model):
        name = _variable(path)
        if (_annotation(model, path) is SecretStr or path[-1].endswith("url")) and is_quoted(written.get(name, "")):
            yield f"{name}: its value stands in quotation marks; write it without them"


def _unparsed(said: str) -> str:
    """Say of pydantic's complaint about a variable of several values what to write there."""
    field = re.search(r'field "(\w+)"', said)
    return _is_section(_variable((field[1],)) if field else PREFIX)


def _is_section(name: str) -> str:
    return f"{name}: this holds a section, so it must be a JSON object; or set {name}__… for one setting at a time"


def strays(settings: Settings, name: str) -> list[str]:
    """Sentences on variables that are set in vain for the chat *name*: without our prefix, or empty."""
    known = [_variable((name, field)) for field in type(settings.section(name)).model_fields]
    found = [f"{variable} is set, but empty" for variable in settings.empty(name)]
    for variable, value in sorted(os.environ.items()):
        if re.fullmatch(rf"{name}_\w*(TOKEN|SECRET)", variable, re.IGNORECASE) and value:
            # A name such as …_BOT_TOKEN may say more than ours.
            near = get_close_matches(PREFIX + variable.upper(), known, n=1, cutoff=0)
            found.append(f"{variable} is set, but Bobbin reads {near[0]}: set that instead")
    return found


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()
