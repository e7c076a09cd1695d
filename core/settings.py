"""Reads the settings file and the environment, once, into typed and frozen values."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import (
    BaseModel,
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
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core import complaint, preset
from core.access import is_of
from core.errors import SetupError
from core.models import Models
from core.proxy import proxies, proxy_named
from core.secret_box import SecretBox
from core.sections import (
    PREFIX,
    AccessSection,
    DatabaseSection,
    LimitsSection,
    LogSection,
    PresetName,
    PresetSection,
    QuestionsSection,
    Section,
    UpstreamSection,
    WebSection,
    annotation,
    variable,
)
from core.urls import secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FILE = Path("bobbin.toml")  # in the folder where Bobbin is started
WHICH_FILE = f"{PREFIX}CONFIG"  # the variable that names another one; read before all settings, so it is none of them
MAKE_A_KEY = "head -c 32 /dev/urandom | base64 | tr +/ -_"  # https://cryptography.io/en/latest/fernet
NO_KEY = (
    "BOBBIN_SECRET_KEY is not set. With several processes, answers to some commands would stay at “thinking…”, and links "
    f"to files would lead nowhere. Set the same key everywhere; make one with: {MAKE_A_KEY}"
)
SECRETS = Path("/run/secrets")  # where container platforms put them, one file each, named like the variable


class Settings(BaseSettings):
    """The operator's settings. Each chat adds a section of its own name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=True,
    )
    _origin: str = PrivateAttr("")

    upstream: UpstreamSection = UpstreamSection()
    database: DatabaseSection = DatabaseSection()
    engine: Literal["embedded", "procrastinate"] | None = None  # None: as `shares_its_work` says
    web: WebSection = WebSection()
    presets: dict[PresetName, PresetSection] = {}
    limits: LimitsSection = LimitsSection()
    access: AccessSection = AccessSection()
    questions: QuestionsSection = QuestionsSection()
    log: LogSection = LogSection()
    secret_key: SecretStr = SecretStr("")  # Fernet keys, newest first, separated by commas
    language: Literal["en", "de", "es", "fr", "pt", "ru", "zh", "ja"] = "en"  # to those of whom none is known
    shutdown_grace: float = Field(20, ge=0)  # seconds that running answers get to end

    @field_validator("secret_key")
    @classmethod
    def _is_a_key(cls, secret_key: SecretStr) -> SecretStr:
        try:
            SecretBox.of(secret_key.get_secret_value())
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
            secrets_dir=settings_cls.model_config.get("secrets_dir"),
            secrets_dir_missing="ok",
            secrets_prefix=PREFIX,
            secrets_nested_delimiter="__",
        )
        return init_settings, env_settings, secrets, TomlConfigSettingsSource(settings_cls)

    @property
    def origin(self) -> str:
        """Where these settings come from, for people: the file, and how many variables and secret files."""
        return self._origin

    @property
    def shares_its_work(self) -> bool:
        """Do several processes run the turns of this database? On PostgreSQL they do unless told otherwise."""
        return self.engine == "procrastinate" or (self.engine is None and self.is_on_postgresql)

    @property
    def is_on_postgresql(self) -> bool:
        return self.database.url.get_secret_value().startswith("postgres")

    def lacks_key(self, chats: Iterable[str]) -> bool:
        """Will processes that share their work be unable to open what others have sealed, for one of *chats* or in a link?"""
        return (
            self.shares_its_work
            and not self.secret_key.get_secret_value().strip(", ")
            and (bool(self.web.public_url) or any(self.section(name).seals for name in chats))
        )

    def hiding(self, chats: Iterable[str]) -> list[str]:
        """Those of *chats* whose files the AI service can't be given, but for short texts."""
        return [name for name in chats if self.section(name).hides_files and not self.web.public_url]

    def secrets_of(self, name: str) -> list[str]:
        """The variables that hold a chat's secrets."""
        section = type(self.section(name))
        return [variable((name, field)) for field in section.model_fields if annotation(section, (field,)) is SecretStr]

    def empty(self, name: str) -> list[str]:
        """The variables of a chat's secrets that are set, but empty."""
        return [named for named in self.secrets_of(name) if os.environ.get(named) == ""]

    def section(self, name: str) -> Any:
        """Return a chat's own section."""
        return getattr(self, name)

    @property
    def named_presets(self) -> dict[str, preset.Preset]:
        """The deployment's presets; the default one always exists and has a model."""
        written = {
            name: preset.Preset(
                model=one.model, instructions=one.instructions, fallbacks=one.fallbacks, follow=one.follow
            )
            for name, one in self.presets.items()
        }
        default = written.get(preset.DEFAULT, preset.Preset())
        return {**written, preset.DEFAULT: default.over(preset.Preset(model="gpt-5.1", instructions=""))}

    @property
    def models(self) -> Models:
        """Those that are known, the deployment's own first."""
        presets = self.named_presets.values()
        of_presets = [model for one in presets for model in (one.model, *(one.fallbacks or ())) if model]
        return Models([*of_presets, *self.upstream.models])

    @property
    def secrets(self) -> list[str]:
        """Every secret that is set, for the log to be redacted."""
        database = self.database.url.get_secret_value()
        tokens = [part.strip() for value in _secrets(self) if value != database for part in value.split(",")]
        urls = [database, *(value for value in _texts(self) if "://" in value), *proxies(os.environ)]
        return list(dict.fromkeys([*tokens, *(secret for url in urls for secret in secrets_in(url))]))


def load(
    chats: Mapping[str, type[Section]],
    *,
    file: Path | None = None,
    sample: Path | None = None,
    secrets: Path = SECRETS,
    **given: Any,
) -> Settings:
    """Read the settings, with a section for each of *chats*. Raises SetupError that lists everything that is wrong.

    One file is read: *file*, else the one that BOBBIN_CONFIG names, else bobbin.toml here, else *sample*. *secrets* is a folder.
    """
    chosen, files = _chosen(file, sample), _secret_files(secrets)
    where = FILE if chosen == sample or chosen is None else chosen  # where to mend what is wrong
    if unreadable := [*complaint.unreadable(chosen, files)]:
        raise SetupError("\n".join(unreadable))
    fields: dict[str, Any] = {name: (section, section()) for name, section in chats.items()}
    model = cast("type[Settings]", create_model("Settings", __base__=Settings, **fields))
    model.model_config["toml_file"], model.model_config["secrets_dir"] = chosen, secrets
    names = [name for name in [*sorted(os.environ), *map(str, files)] if _is_ours(name)]
    values = {**os.environ, **{path.name.upper(): path.read_text("utf-8") for path in files}}
    wrong = [*complaint.strangers(model, names), *complaint.quoted(model, values)]
    settings: Settings | None = None
    try:
        wrong += complaint.secrets_in_file(model, TomlConfigSettingsSource(model)(), where, secrets)
        settings = model(**given)
    except ValidationError as error:
        wrong += [complaint.sentence(one, model, where, names) for one in error.errors()]
    except SettingsError as error:  # a variable of several values
        wrong.append(complaint.unparsed(str(error)))
    except ValueError as error:  # the file isn't TOML
        wrong.append(f"{where}: {error}")
    if settings is not None:
        wrong += list(_complaints(settings, chats))
    if settings is None or wrong:
        raise SetupError("\n".join(wrong))
    settings._origin = _origin(chosen, files, secrets)  # noqa: SLF001  # ours; no setting, or a variable could set it
    return settings


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy through which *url* is to be reached, None if there is none. Raises SetupError."""
    return proxy_named(url, os.environ)


def terminal_can_more() -> bool:
    """Whether a terminal understands more than lines: colours, and a cursor that moves."""
    return os.environ.get("TERM", "") not in ("", "dumb")


def colours_are_unwanted() -> bool:
    """https://no-color.org"""
    return bool(os.environ.get("NO_COLOR"))


def log_section() -> LogSection:
    """Read how to log from the environment alone, for what is to be said before, or because, the rest can't be read."""
    known = {name: os.environ.get(f"{PREFIX}LOG__{name.upper()}") for name in LogSection.model_fields}
    try:
        return LogSection.model_validate({name: value for name, value in known.items() if value})
    except ValidationError:
        return LogSection()


def for_a_child(changes: Mapping[str, str]) -> dict[str, str]:
    """Return this process's variables with *changes*, for a Bobbin that it starts."""
    return {**os.environ, **changes}


def _chosen(file: Path | None, sample: Path | None) -> Path | None:
    """Return the file to read, None if there is none. Raises SetupError when one that was named is not there."""
    named = os.environ.get(WHICH_FILE, "")
    if file is None and named:
        file = Path(named)
    if file is not None and not file.exists():
        raise SetupError(f"There is no file {file}; --config or {WHICH_FILE} names it.")
    return file or (FILE if FILE.exists() else sample)


def _secret_files(folder: Path) -> list[Path]:
    """The files that hold our secrets, if they can be listed."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.upper().startswith(PREFIX))
    except OSError:
        return []


def _is_ours(name: str) -> bool:
    return Path(name).name.upper().startswith(PREFIX) and name != WHICH_FILE


def _origin(file: Path | None, secret_files: Sequence[Path], secrets: Path) -> str:
    others = [name for name in os.environ if name.startswith(PREFIX) and name != WHICH_FILE]
    counted = [(len(others), "environment variable"), (len(secret_files), f"file in {secrets}")]
    written = [
        f"{many} {what if many == 1 else what.replace('file', 'files').replace('able', 'ables')}"
        for many, what in counted
        if many
    ]
    return " and ".join([str(file.absolute()) if file else "defaults", *written])


def _complaints(settings: Settings, chats: Mapping[str, type[Section]]) -> Iterator[str]:
    if settings.engine == "procrastinate" and not settings.is_on_postgresql:
        yield (
            'engine: procrastinate keeps its jobs in PostgreSQL; set BOBBIN_DATABASE__URL to "postgresql://…", '
            'or BOBBIN_ENGINE to "embedded" (one process, any database)'
        )
    forms = [chat.forms for chat in chats.values() if chat.forms]
    for name, kind, id_ in settings.access.listed():
        if forms and not any(is_of(kind, id_, one) for one in forms):
            yield f"access.{name}: {complaint.no_id(kind, id_, forms)}"
    for name in chats:
        problems = getattr(settings.section(name), "problems", None)
        yield from problems() if problems else ()


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


def strays(settings: Settings, name: str) -> list[str]:
    """Sentences on variables that are set in vain for the chat *name*: without our prefix, or empty."""
    known = [variable((name, field)) for field in type(settings.section(name)).model_fields]
    found = [f"{named} is set, but empty" for named in settings.empty(name)]
    for named, value in sorted(os.environ.items()):
        if re.fullmatch(rf"{name}_\w*(TOKEN|SECRET)", named, re.IGNORECASE) and value:
            # A name such as …_BOT_TOKEN may say more than ours.
            near = get_close_matches(PREFIX + named.upper(), known, n=1, cutoff=0)
            found.append(f"{named} is set, but Bobbin reads {near[0]}: set that instead")
    return found
