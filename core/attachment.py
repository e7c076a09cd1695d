"""Attachments of a question: which of them the AI service can read, and what to ask when people wrote nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.language import marked, say
from core.words import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# https://docs.acedata.cloud/en/faq/storage; what it means by MB it doesn't say, so the smaller.
LARGEST = 25_000_000  # bytes
MOST = 20  # of one question: more than any client lets people send
LONGEST_NAME = 80  # characters of a file's name
_TOO_LARGE_TO_BE_TRUE = 2**53  # bytes; JSON's numbers are exact up to there
_MOST_NAMED = 3  # files in one sentence for people
_KEPT_OF_END = 20  # characters of a name that is cut: its suffix says what it is
# Quotes, and what a chat or Markdown may act on: a file has its name from whom it comes.
_UNSAFE = frozenset('"`*~|<>[]{}\\/:;@$^„‚＂｀')
_QUOTES = ("Pi", "Pf")
_TYPESCRIPT = ("ts", "mts", "cts")  # tables of types take it for video
_UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(
    r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,120}"
)  # https://www.rfc-editor.org/rfc/rfc6838#section-4.2


class Kind(StrEnum):
    IMAGE = "image"
    TEXT = "text"
    FILE = "file"  # documents, and whatever else has a name
    AUDIO = "audio"
    VIDEO = "video"
    STICKER = "sticker"
    EXTERNAL = "external"  # a file of which the platform has no more than a link to where it is kept
    OTHER = "other"  # what only the platform's own clients can show

    @classmethod
    def _missing_(cls, value: object) -> Kind:
        """One that a later version recorded."""
        del value
        return cls.OTHER


# The service takes images and, as documents, everything else by its suffix. Nothing says that it hears or watches.
_READ = frozenset({Kind.IMAGE, Kind.TEXT, Kind.FILE})
_BY_SUFFIX = {
    suffix: kind
    for kind, suffixes in {
        Kind.IMAGE: "jpg jpeg png gif bmp webp svg heic heif",
        Kind.TEXT: (
            "txt log md rst csv tsv json jsonl ndjson yaml yml toml ini cfg conf properties xml html htm css scss diff "
            "patch sql sh bash zsh ps1 bat py pyi ipynb js mjs cjs jsx tsx java kt kts scala groovy gradle go rs c h cc "
            "cpp hpp cs fs swift m rb php pl lua r jl ex exs erl hs clj dart vue svelte tf proto graphql tex srt vtt"
        ),
        Kind.AUDIO: "mp3 ogg oga opus m4a aac wav flac amr wma weba aif aiff mid",
        Kind.VIDEO: "mp4 m4v mov webm mkv avi ogv mpg mpeg wmv flv 3gp",
    }.items()
    for suffix in suffixes.split()
}
# What is text for people though its type doesn't begin with that word.
_TEXTS = re.compile(
    r"application/(?:[a-z0-9.-]+\+)?(?:json|xml|yaml|toml|sql|graphql|javascript|ecmascript|typescript)"
    r"|application/(?:x-(?:yaml|sh|shellscript|python|python-code|javascript|ndjson|httpd-php|perl|ruby|toml)|ndjson|jsonl)"
)
_WHY_NOT = {
    Kind.AUDIO: marked("I can't listen to audio yet"),
    Kind.VIDEO: marked("I can't watch videos yet"),
    Kind.STICKER: marked("I can't see stickers yet"),
    Kind.EXTERNAL: marked("I can't open files that are kept somewhere else"),
    Kind.OTHER: marked("I can't read this kind of message yet"),
}
TOO_LARGE = f"I can read files of up to {LARGEST // 1_000_000} MB"
_NOT_HERE = marked("I can't open files here yet")
_ASK = marked("Ask me something in words, and I'll answer.")
_PASTE = marked("Paste the part that matters as text, and I'll answer.")
_INSTEAD = {_WHY_NOT[kind]: _ASK for kind in _WHY_NOT} | {_WHY_NOT[Kind.EXTERNAL]: _PASTE}
_UNNAMED = {Kind.STICKER: marked("the sticker"), Kind.OTHER: marked("a part of it")}


@dataclass(frozen=True, slots=True)
class Attachment:
    """One thing that was sent along."""

    kind: Kind
    name: str = ""  # as `file` tames it; empty for what has none
    size: int | None = None  # bytes; None where it isn't told
    url: str = ""  # where the service can fetch it, over https; empty where it can't
    ref: str = ""  # where the chat's adapter finds it, in the adapter's own words; empty: by the URL
    media_type: str = ""  # what its owner says that it is, in lower case; empty where that isn't told

    @property
    def is_read(self) -> bool:
        """Can the service read it?"""
        return not self.why_not

    @property
    def suffix(self) -> str:
        """What its name ends in, in lower case and without the dot; empty if it has none."""
        _, dot, suffix = self.name.lower().rpartition(".")
        return suffix if dot else ""

    @property
    def why_not(self) -> str:
        if self.kind not in _READ:
            return _WHY_NOT[self.kind]
        if not (self.url or self.ref):
            return _NOT_HERE
        return TOO_LARGE if (self.size or 0) > LARGEST else ""


def file(name: object, media_type: object, size: object, url: str = "", ref: str = "") -> Attachment:
    """A file, as a platform tells of it: each of these may be missing or odd, and the first two are its owner's words."""
    name = name if isinstance(name, str) else ""
    size = size if isinstance(size, int) and 0 <= size < _TOO_LARGE_TO_BE_TRUE else None
    kind = _kind(name, media_type if isinstance(media_type, str) else "")
    return Attachment(kind, _tame(name), size, url, ref, bare_type(media_type))


def bare_type(media_type: object) -> str:
    """Return a media type without its parameters and in lower case, empty if it is none."""
    told = media_type.partition(";")[0].strip().lower() if isinstance(media_type, str) else ""
    return told if _MEDIA_TYPE.fullmatch(told) else ""


def stored(attachment: Attachment) -> dict[str, Any]:
    """As `read` takes it."""
    return asdict(attachment)


def read(row: Mapping[str, Any]) -> Attachment:
    """What an earlier version recorded lacks the last two, and what a later one did has more."""
    kind, ref = Kind(row["kind"]), row.get("ref", "")
    return Attachment(kind, row["name"], row["size"], row["url"], ref, row.get("media_type", ""))


def keepable(one: Attachment) -> Attachment:
    """Return *one* in a form that every database takes."""
    return replace(one, name=whole(one.name), url=whole(one.url), ref=whole(one.ref))


def request(attachments: Iterable[Attachment]) -> str:
    """Return what to ask about those that can be read, when nothing else is asked; empty if none can.

    Their names are data, and no more: one line, in quotes that they can't end.
    """
    match [one for one in attachments if one.is_read]:
        case []:
            return ""
        case [Attachment(kind=Kind.IMAGE) as image]:
            return say(
                "Please look at the attached image {file}: answer what it asks, or say what it shows.",
                file=_described(image),
            )
        case [one]:
            return say(
                "Please read the attached file {file} and answer what it asks; if it asks nothing, say in short what it is "
                "about.",
                file=_described(one),
            )
        case several:
            return say(
                "Please read the {n} attached files and answer what they ask; if they ask nothing, say in short what they "
                "are about: {files}",
                n=len(several),
                files=", ".join(map(_described, several)),
            )


def left_out(attachments: Iterable[Attachment], unread: Mapping[Attachment, str] | None = None) -> str:
    """Return what to tell beside an answer of those that the service was not given; empty if it was given all.

    *unread*: why it wasn't given those that it could have read.
    """
    reasons = _reasons(attachments, unread)
    return " ".join(
        say("{reason}, so this answer leaves out {files}.", reason=say(reason), files=_named(those))
        for reason, those in reasons.items()
    )


def declined(attachments: Iterable[Attachment], unread: Mapping[Attachment, str] | None = None) -> str:
    """Return what to tell somebody who sent nothing but what can't be read; empty if nothing was sent along.

    *unread* as for `left_out`.
    """
    reasons = list(_reasons(attachments, unread))
    if not reasons:
        return ""
    instead = next((end for end in (_INSTEAD.get(reason, _PASTE) for reason in reasons) if end == _PASTE), _ASK)
    return " ".join([*(say("{reason}.", reason=say(reason)) for reason in reasons), say(instead)])


def _reasons(attachments: Iterable[Attachment], unread: Mapping[Attachment, str] | None) -> dict[str, list[Attachment]]:
    reasons: dict[str, list[Attachment]] = {}
    for one in attachments:
        if why := one.why_not or (unread or {}).get(one, ""):
            reasons.setdefault(why, []).append(one)
    return reasons


def _named(those: Sequence[Attachment]) -> str:
    names = [f'"{one.name}"' if one.name else say(_UNNAMED.get(one.kind, marked("a file"))) for one in those]
    names = list(dict.fromkeys(names))
    if len(names) > _MOST_NAMED:
        names[_MOST_NAMED:] = [say("others")]
    if len(names) == 1:
        return names[0]
    return say("{several} and {last}", several=say(", ").join(names[:-1]), last=names[-1])


def _described(one: Attachment) -> str:
    size = "" if one.size is None else _size(one.size)
    about = ", ".join(part for part in ("text" if one.kind is Kind.TEXT else "", size) if part)
    return f'"{one.name or one.kind}"' + (f" ({about})" if about else "")


def _size(count: int) -> str:
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _kind(name: str, media_type: str) -> Kind:
    _, dot, suffix = name.lower().rpartition(".")
    if dot and suffix in _TYPESCRIPT:
        return Kind.TEXT
    by_suffix = _BY_SUFFIX.get(suffix, Kind.FILE) if dot else Kind.FILE
    if dot and media_type in ("", _UNKNOWN_TYPE):
        return by_suffix
    match media_type.partition("/")[0].strip().lower():
        case "image" | "text" | "audio" | "video" as kind:
            return Kind(kind)
    is_text = by_suffix is Kind.TEXT or _TEXTS.fullmatch(bare_type(media_type))
    return Kind.TEXT if is_text else Kind.FILE


def _tame(name: str) -> str:
    """Return *name* in one line, without anything that could end a quotation, be markup or ping."""
    line = " ".join("".join(map(_tamed, name[: LONGEST_NAME * 10])).split())
    if len(line) <= LONGEST_NAME:
        return line
    return f"{line[: LONGEST_NAME - _KEPT_OF_END - 1]}…{line[-_KEPT_OF_END:]}"


def _tamed(sign: str) -> str:
    category = unicodedata.category(sign)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if category in ("Cf", "Cs"):  # unseen, and some turn the order of what follows
        return ""
    return "_" if sign in _UNSAFE or category in _QUOTES else sign
