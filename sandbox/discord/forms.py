"""Reads what a bot wants to send or edit, and refuses what Discord would refuse.

https://discord.com/developers/docs/resources/message#create-message
"""

from collections.abc import Sequence
from typing import Any

from sandbox.discord.components import check_components, numbered
from sandbox.discord.mentions import check_allowed_mentions
from sandbox.discord.model import Draft, File, Flag
from sandbox.discord.refusals import Problems, Refusal

Json = dict[str, Any]
MOST_CONTENT = 2_000
MOST_EMBEDS = 10
MOST_IN_EMBEDS = 6_000  # characters over all embeds of a message
MOST_FILES = 10
MOST_NONCE = 25
EMBED_LIMITS = {"title": 256, "description": 4_096}
SETTABLE = int(Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.IS_COMPONENTS_V2)


def checked_draft(body: Json, files: Sequence[File] = (), *, settable: int = SETTABLE, path: str = "") -> Draft:
    """A new message. *settable*: the flags that may be set here; others are ignored, as Discord does."""
    flags = int(body.get("flags") or 0) & settable
    problems = Problems()
    _check(problems, body, files, v2=bool(flags & Flag.IS_COMPONENTS_V2))
    _refuse(problems, path)
    draft = Draft(
        content=(body.get("content") or "").strip(),
        embeds=[as_rich(embed) for embed in _embeds(body)],
        components=numbered(body.get("components") or []),
        files=list(files),
        flags=flags,
        nonce=body.get("nonce"),
    )
    refuse_empty(draft.content, draft.embeds, draft.components, draft.files)
    return draft


def check_edit(body: Json, files: Sequence[File], *, v2: bool) -> None:
    problems = Problems()
    _check(problems, body, files, v2=v2)
    problems.refuse_any()


def refuse_empty(content: str, embeds: list[Json], components: list[Json], files: Sequence[object]) -> None:
    if not (content or embeds or components or files):
        raise Refusal(50006)


def as_rich(embed: Json) -> Json:
    return {key: value for key, value in embed.items() if value is not None} | {"type": "rich"}


def _refuse(problems: Problems, path: str) -> None:
    if problems.errors and path:
        problems.errors = {path: problems.errors}
    problems.refuse_any()


def _embeds(body: Json) -> list[Json]:
    return list(body.get("embeds") or [])


def _check(problems: Problems, body: Json, files: Sequence[File], *, v2: bool) -> None:
    if body.get("content") is not None:
        problems.length("content", body["content"], 0, MOST_CONTENT)
    if v2:
        for field in ("content", "embeds", "sticker_ids", "poll"):
            if body.get(field):
                problems.add(
                    field,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    nonce = body.get("nonce")
    if nonce is not None:
        problems.length("nonce", str(nonce), 0, MOST_NONCE)
    if len(files) > MOST_FILES:
        problems.add("files", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_FILES} or fewer in length.")
    _check_embeds(problems, body.get("embeds"))
    check_components(problems, body.get("components"), v2=v2)
    check_allowed_mentions(problems, body.get("allowed_mentions"))


def _check_embeds(problems: Problems, embeds: object) -> None:
    """https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
    if embeds is None or not problems.count("embeds", embeds, 0, MOST_EMBEDS) or not isinstance(embeds, list):
        return
    total = 0
    for index, embed in enumerate(embeds):
        here = f"embeds.{index}"
        if not isinstance(embed, dict):
            problems.add(here, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        total += _check_embed(problems, here, embed)
    if total > MOST_IN_EMBEDS:
        problems.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MOST_IN_EMBEDS}")


def _check_embed(problems: Problems, path: str, embed: Json) -> int:
    """The characters that count towards the sum."""
    total = 0
    for key, most in EMBED_LIMITS.items():
        total += _checked_length(problems, f"{path}.{key}", embed.get(key), most)
    total += _checked_length(problems, f"{path}.footer.text", (embed.get("footer") or {}).get("text"), 2_048)
    total += _checked_length(problems, f"{path}.author.name", (embed.get("author") or {}).get("name"), 256)
    fields = embed.get("fields") or []
    if problems.count(f"{path}.fields", fields, 0, 25):
        for index, field in enumerate(fields):
            for key, most in (("name", 256), ("value", 1_024)):
                problems.length(f"{path}.fields.{index}.{key}", field.get(key), 1, most)
                total += len(field.get(key) or "")
    return total


def _checked_length(problems: Problems, path: str, value: object, most: int) -> int:
    if value is None:
        return 0
    problems.length(path, value, 0, most)
    return len(str(value))
