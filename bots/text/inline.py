"""Makes what stands inside a line harmless: nothing pings, no link lies about where it goes, no code runs on."""

import re
import unicodedata
from collections.abc import Callable

BREAK = "\u200b"  # zero-width space: unseen, and no mention or link survives it

_CODE = r"(?<!`)(?P<run>`++)(?P<code>.+?)(?<!`)(?P=run)(?!`)"
_LABEL = r"(?P<label>(?:[^\[\]\n\\`]|\\[^\n]|`[^`\n]*+`|\[[^\[\]\n]*+\])*+)"
# No backslash, entity, userinfo or bracket: a browser could read these as another host than we do.
_TARGET = r"<?(?P<target>https?://(?P<host>[\w.-]+)(?::\d+)?(?:[/?#](?:[^\s<>()\\]|\([^\s<>()\\]*\))*+)?)>?"
_TITLE = r"""(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'))?"""
_LINK = rf"!?\[{_LABEL}\]\([ \t]*{_TARGET}{_TITLE}[ \t]*\)"
_LABELLED = r"<(?P<site>https?://[^\s<>|]+)\|(?P<name>[^<>|\n]*)>"  # the form that Slack itself uses
_ESCAPE = r"\\[\\`\[]"
_LIVE = (
    r"\](?=[(:])",  # a link we don't vouch for, or the definition of one
    r"<(?!https?://)(?=[A-Za-z][\w+.-]*:)",  # an autolink to something else than a page
    r"(?:(?<=javascript)|(?<=vbscript)|(?<=data)|(?<=file)|(?<=slack)|(?<=discord)):(?=\S)",
)
_ADDRESS = re.compile(r"(?:[\w-]+\.)+[^\W\d_][\w-]+")


class Guard:
    """Knows what a platform would act on; each hit gets an unseen break after its first character."""

    def __init__(self, *, anywhere: str, in_prose: str = "(?!)") -> None:
        self._anywhere = re.compile(anywhere, re.IGNORECASE)
        live = "|".join((anywhere, in_prose, *_LIVE))
        kinds = (_CODE, rf"(?P<escape>{_ESCAPE})", _LINK, _LABELLED, rf"(?P<live>{live})", r"(?P<ticks>`+)")
        self._prose = re.compile("|".join(kinds), re.IGNORECASE | re.DOTALL)

    def code(self, text: str) -> str:
        return self._anywhere.sub(_broken, text)

    def prose(self, text: str, *, streaming: bool = False) -> str:
        """*text* made harmless; with *streaming*, code that is still open at the end is closed for now."""
        shown: list[str] = []
        done = 0
        for hit in self._prose.finditer(text):
            shown.append(text[done : hit.start()])
            if hit["ticks"] and streaming:
                return "".join(shown) + self._unfinished(hit["ticks"], text[hit.end() :])
            shown.append(self._harmless(hit))
            done = hit.end()
        return "".join(shown) + text[done:]

    def _harmless(self, hit: re.Match[str]) -> str:
        if hit["run"]:
            # Not every platform knows that only as many backticks as began the code end it.
            return hit["run"] + re.sub("`(?=``)", f"`{BREAK}", self.code(hit["code"])) + hit["run"]
        if hit["target"]:
            return link(hit["label"], hit["target"], hit["host"], self.prose)
        if hit["site"]:
            return f"{self.prose(hit['name'])} ({hit['site']})"
        if hit["live"]:
            return _broken(hit)
        if hit["ticks"]:
            return "\\`" * len(hit["ticks"])  # opens nothing, whatever comes later
        return hit[0]

    def _unfinished(self, ticks: str, code: str) -> str:
        rest = code.rstrip("`")
        return f"{ticks}{self.code(rest)}{ticks}" if rest.strip() else ""


def link(label: str, target: str, host: str, prose: Callable[[str], str]) -> str:
    """A Markdown link if its label does not name another address; else both, side by side."""
    if not label.strip():
        return target
    if _is_forged(label, host):
        return f"{prose(_plain(label))} ({target})"
    return f"[{prose(label)}]({target})"


def _is_forged(label: str, host: str) -> bool:
    plain = _plain(label)
    if len(plain) < len(unicodedata.normalize("NFKC", label)) and any(map(_is_unseen, label)):
        return True
    actual = f".{host.lower().removeprefix('www.')}"
    named = (address[0].lower().removeprefix("www.") for address in _ADDRESS.finditer(re.sub(r"[*_~`\\]", "", plain)))
    return any(not actual.endswith(f".{address}") for address in named)


def _plain(label: str) -> str:
    """*label* as it looks: without what is unseen, and with look-alikes of a dot or a letter made that letter."""
    return "".join(each for each in unicodedata.normalize("NFKC", label).replace("。", ".") if not _is_unseen(each))


def _is_unseen(each: str) -> bool:
    return unicodedata.category(each) in ("Cf", "Cc") and each != "\u200d"  # emoji are joined by it


def _broken(hit: re.Match[str]) -> str:
    return hit[0][0] + BREAK + hit[0][1:]


def open_ticks(text: str) -> str:
    """The backticks of code that *text* opens and does not close; at most three, empty when none."""
    for hit in _TICKS.finditer(text):
        if hit["ticks"]:
            return hit["ticks"] if len(hit["ticks"]) <= 3 else ""
    return ""


_TICKS = re.compile(rf"{_CODE}|{_ESCAPE}|(?P<ticks>`+)", re.DOTALL)
