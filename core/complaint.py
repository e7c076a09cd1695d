"""Says what is wrong with the settings, in words for the person who wrote them."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from core.sections import PREFIX, PresetSection, annotation, settings_of, variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from core.access import Form, Kind

QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
LONGEST_INPUT = 40  # characters of a wrong value that are repeated


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question to append to a complaint about *name*; empty if nothing *known* is like it."""
    known = list(known)
    alike = len(commonprefix([name, *known]))  # noqa: RUF071  # what all of them begin with makes none of them more like another
    near = get_close_matches(name[alike:], [one[alike:] for one in known], n=1, cutoff=0.6)
    return f"; did you mean {name[:alike]}{near[0]}?" if near else ""


def is_quoted(value: str) -> bool:
    """Does *value* stand in quotation marks? `docker run --env-file` and systemd's EnvironmentFile differ in that."""
    stripped = value.strip()
    return len(stripped) >= 2 and QUOTES.get(stripped[0]) == stripped[-1]


def about_type(error: Mapping[str, Any], *, is_secret: bool) -> str:
    """Say what pydantic found wrong with a value: https://docs.pydantic.dev/latest/errors/validation_errors.

    A secret is not repeated.
    """
    kind, said, context = error["type"], str(error["msg"]), error.get("ctx", {})
    value = str(error.get("input", ""))[:LONGEST_INPUT]
    instead = "" if is_secret else f', not "{value}"'
    match kind:
        case "int_parsing" | "int_type" | "int_from_float":
            return f"must be a whole number{instead}"
        case "float_parsing" | "float_type":
            return f"must be a number{instead}"
        case "bool_parsing" | "bool_type":
            return f"must be true or false{instead}"
        case "literal_error":
            return f"must be {str(context.get('expected', '')).replace(chr(39), '')}{instead}"
        case "string_pattern_mismatch":
            scheme = "wss://" if "wss" in str(context.get("pattern")) else "https://"
            return f"must begin with {scheme}{instead}"
    return said.removeprefix("Value error, ").replace("Input should be", "must be").replace("String should", "must")


def unreadable(file: Path | None, secret_files: Iterable[Path]) -> Iterator[str]:
    """Say which files can't be read at all: the settings' own, and secrets."""
    if file and file.is_dir():
        # https://docs.docker.com/engine/storage/bind-mounts/
        yield f"{file} is a folder, not a file. A container engine makes one when the file to be mounted isn't there."
    for path in [*([file] if file and not file.is_dir() else []), *secret_files]:
        try:
            path.read_text("utf-8")
        except UnicodeDecodeError:
            yield f"{path} is not text in UTF-8. Save it in that encoding, with an editor that lets you choose it."
        except OSError as error:
            yield f"{path} can't be read ({error.strerror}). Bobbin runs as uid {os.geteuid()}, gid {os.getegid()}: let that read it."


def strangers(model: type[BaseModel], names: Iterable[str]) -> Iterator[str]:
    """Say which of the variables and files of these *names*, which look like ours, nobody reads; the nested ones pydantic finds."""
    for name in names:
        plain = Path(name).name.upper()
        first = plain.removeprefix(PREFIX).lower().partition("__")[0]
        if first not in model.model_fields:
            near = did_you_mean(plain, map(variable, settings_of(model)))
            known = f"; known are {', '.join(sorted(model.model_fields))}"
            yield f"{name}: there is no setting of that name{near or known}"


def secrets_in_file(model: type[BaseModel], written: Mapping[str, Any], where: Path, secrets: Path) -> Iterator[str]:
    """Say which secrets stand in the file; they belong where fewer people look."""
    for path in _paths(written):
        if annotation(model, path) is SecretStr and path != ("database", "url"):
            yield f"{where}: {'.'.join(path)} is a secret; set {variable(path)} instead, or a file of that name in {secrets}"


def _paths(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _paths(value, (*above, name))
        else:
            yield (*above, name)


def sentence(error: Any, model: type[BaseModel], where: Path, names: Iterable[str]) -> str:
    path = tuple(str(step) for step in error["loc"])
    is_secret = annotation(model, path) is SecretStr and path != ("database", "url")
    if error["type"] == "extra_forbidden":
        return _unknown(path, model, where, names)
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return _is_section(variable(path))
    said = about_type(error, is_secret=is_secret)
    if is_secret:
        return f"{variable(path)}: {said}"
    return f"{'.'.join(path)}: {said} (set {variable(path)}, or {'.'.join(path)} in {where})"


def _unknown(path: tuple[str, ...], model: type[BaseModel], where: Path, names: Iterable[str]) -> str:
    """Say that nobody reads the setting at *path*, where it was written and what may be meant."""
    siblings = [one for one in settings_of(model) if one[:-1] == path[:-1]]
    if len(path) == 3 and path[0] == "presets":  # whose names are the operator's own
        siblings = [(*path[:-1], name) for name in PresetSection.model_fields]
    named = variable(path)
    if any(named == Path(name).name.upper() for name in names):
        return f"{named}: there is no such setting{did_you_mean(named, map(variable, siblings))}"
    near = did_you_mean(path[-1], (one[-1] for one in siblings))
    return f"{where}: there is no such setting as {'.'.join(path)}{near}"


def quoted(model: type[BaseModel], values: Mapping[str, str]) -> Iterator[str]:
    """Say which secrets and addresses stand in quotation marks: what passes them on as they are written is no shell."""
    for path in settings_of(model):
        name = variable(path)
        if (annotation(model, path) is SecretStr or path[-1].endswith("url")) and is_quoted(values.get(name, "")):
            yield f"{name}: its value stands in quotation marks; write it without them"


def unparsed(said: str) -> str:
    """Say of pydantic's complaint about a variable of several values what to write there."""
    field = re.search(r'field "(\w+)"', said)
    return _is_section(variable((field[1],)) if field else PREFIX)


def no_id(kind: Kind, id_: str, forms: Iterable[Mapping[Kind, Form]]) -> str:
    """Say that *id_* can't be one of that *kind* on any platform, and what one looks like."""
    alike = " or ".join(of[kind].example for of in forms if kind in of)
    such = f"such an id looks like {alike}" if alike else "no platform here has any"
    return f'"{id_[:LONGEST_INPUT]}" is no id of {kind}; {such}'


def _is_section(name: str) -> str:
    return f"{name}: this holds a section, so it must be a JSON object; or set {name}__… for one setting at a time"
