"""Reads what stands inside a block: runs of text, each with its look, and links that don't lie about where they go."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token

# No backslash, entity, userinfo or bracket: a browser could read these as another host than we do.
_PAGE = re.compile(r"https?://(?P<host>[\w.-]+)(?::\d+)?(?:[/?#](?:[^\s<>()\\]|\([^\s<>()\\]*\))*+)?", re.IGNORECASE)
# A bare address ends where people would end it, also in a script without spaces. Brackets are in the names of some queries.
_BARE = re.compile(
    r"https?://(?:[^\s<>()\[\]`\"\\|\u3000-\u303f\uff00-\uffef“”‘’]|\([^\s<>()\[\]`\"\\|]{0,200}\)|\[[\w.-]{0,100}\](?=[=&\[])){1,2000}",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"<(https?://[^\s<>|]+)\|([^<>|\n]*)>", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9_.+-])https?\Z", re.IGNORECASE)  # a script without spaces may stand before it
_NO_HOST = re.compile(r"://[\w.-]*(?::/|://)")
_LONGEST_ADDRESS = 2_000  # characters
_BEHIND = "?!.,:;*_~'"
# It begins where a label does and has few of them, so that a long text of dots is read once.
_HOST = re.compile(r"(?<![\w-])(?:[\w-]+\.){1,10}[^\W\d_][\w-]+|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt: Default_Ignorable_Code_Point, but for the
# joiner of emoji; controls; what orders, annotates or marks without being seen; and a Braille sign without a dot.
_UNSEEN = re.compile(
    "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_BACKWARDS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# https://www.unicode.org/Public/security/latest/confusables.txt: what looks like a dot; and room that is hardly seen.
_DOTS = dict.fromkeys(map(ord, "。\u0660\u06f0\u0701\u0702\ua4f8\ua60e\U00010a50\U0001d16d"), ".")
_NARROW = dict.fromkeys([0x2004, 0x2005, 0x2006, 0x2008, 0x2009, 0x200A, 0x202F, 0x205F])

# A formula in one of the forms that models write: https://pandoc.org/MANUAL.html#math tells one from two prices. Between
# single dollars there must be something that only formulas have.
MATH = re.compile(
    r"\\\((?P<round>[^\n`]{1,600}?)\\\)|\\\[(?P<square>[^\n`]{1,600}?)\\\]|(?<![\\$])\$\$(?P<double>[^\n`$]{1,600})\$\$(?!\$)"
    r"|(?<![A-Za-z0-9_\\$])\$(?P<single>(?=[^\s$])(?:(?=[^$\n]{0,300}[\\^_{}=])|(?=[A-Za-z](?![A-Za-z]))|(?=[A-Za-z][^\s$]{0,20}\$))"
    r"[^$\n`]{1,300}(?<=[^\s\\]))\$(?![A-Za-z0-9_$])"
)
# HTML that models use where Markdown has no word for it. All other HTML is text, as no platform shows any.
_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strike",
    "del": "strike",
    "code": "code",
    "kbd": "code",
}
AROUND = ("details", "summary", "p", "div", "center", "span", "font", "small", "mark", "u", "ins")
TAG = re.compile(
    rf"<(?P<slash>/?)(?P<name>br|sub|sup|{'|'.join((*_STYLES, *AROUND))})(?:\s[^<>\n]{{0,200}})?/?>", re.IGNORECASE
)
_CODE = re.compile(r"<code(?:\s[^<>\n]{0,200})?>(?P<code>(?:[^<]|<(?!/?code\b)){1,1000})</code>", re.IGNORECASE)
_SUPER = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_SUB = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text that looks the same; lines in it end with a newline."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    url: str = ""  # of a page that it leads to; none of its words name another one
    is_angled: bool = False  # the address was typed as `<https://…>`

    @property
    def look(self) -> tuple[bool, bool, bool, bool]:
        return self.bold, self.italic, self.strike, self.code

    def saying(self, text: str) -> "Span":
        """Return it with other words; `dataclasses.replace` takes several times as long."""
        return Span(text, self.bold, self.italic, self.strike, self.code, self.url, self.is_angled)

    def looking(self, look: str, *, on: bool = True) -> "Span":
        """Return it with a look, by its name, or without it."""
        return replace(self, **{look: on})  # type: ignore[arg-type]  # all looks are booleans


class _State(StateInline):
    """Lets emphasis end where it was meant to, though CommonMark's rule waits for a space: `**Note:**this`.

    And begin, at letters of scripts without spaces.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: FBT001, N802, N803  # markdown-it's names
        found = super().scanDelims(start, canSplitWord)
        if not canSplitWord or (found.can_open and found.can_close):
            return found
        end = start + found.length
        before, after = self.src[start - 1 : start] or " ", self.src[end : end + 1] or " "
        opens = found.can_open or (is_wide(before) and not after.isspace())
        is_behind_sign = found.length == 2 and after.isalnum() and unicodedata.category(before)[0] in "PS"
        closes = found.can_close or (not before.isspace() and (is_wide(after) or is_behind_sign))
        return Scanned(opens, closes, found.length)


def is_wide(sign: str) -> bool:
    return not sign.isascii() and unicodedata.east_asian_width(sign) in "WF"


def _address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it calls it so
    """A page's address without any mark."""
    if state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.src, max(0, state.pos - 6), state.pos)
    bare = scheme and not _NO_HOST.match(state.src, state.pos) and _BARE.match(state.src, scheme.start(), state.posMax)
    if not (scheme and bare):
        return False
    if len(bare[0]) >= _LONGEST_ADDRESS:
        return False
    page = _PAGE.fullmatch(bare[0].rstrip(_BEHIND))
    if not page or not (silent or state.pending.endswith(scheme[0])):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("address", "", 0).content = page[0]
    state.pos += len(page[0]) - len(scheme[0])
    return True


def _tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it calls it so
    """A tag that we know, code between two of them, or a link in the form that some platforms use."""
    if state.src[state.pos] != "<":
        return False
    if code := _CODE.match(state.src, state.pos, state.posMax):
        if not silent:
            state.push("code_inline", "code", 0).content = html.unescape(code["code"]).replace("\n", " ")
        state.pos = code.end()
        return True
    tag = TAG.match(state.src, state.pos)
    if labelled := None if tag or state.linkLevel else _LABELLED.match(state.src, state.pos):
        if not silent:
            token = state.push("labelled", "", 0)
            token.content, token.attrs = labelled[2], {"href": labelled[1]}
        state.pos = labelled.end()
        return True
    if not tag:
        return False
    if not silent:
        token = state.push("tag", tag["name"].lower(), 0)  # what it is around may be several blocks
        token.content, token.nesting = tag[0], -1 if tag["slash"] else 1
    state.pos = tag.end()
    return True


def _math(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it calls it so
    """A formula: no platform shows one, so that its source is shown, in which no sign is a mark."""
    formula = MATH.match(state.src, state.pos, state.posMax)
    if not formula:
        return False
    if not silent:
        state.push("code_inline", "code", 0).content = formula[formula.lastgroup or 0].strip()
    state.pos = formula.end()
    return True


def _destination(text: str, start: int, end: int) -> Any:
    """Where a link leads. markdown-it walks sign by sign to the 33rd bracket in a bracket to find that it is none."""
    return parseLinkDestination("", 0, 0) if _TOO_DEEP.match(text, start) else parseLinkDestination(text, start, end)


_TOO_DEEP = re.compile(r"(?:[^\x00-\x20\x7f()\\]*+\(){33}")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
_MARKDOWN.helpers = SimpleNamespace(**{**vars(_MARKDOWN.helpers), "parseLinkDestination": _destination})  # type: ignore[assignment]  # a module otherwise
_MARKDOWN.inline.ruler.before("escape", "math", _math)
_MARKDOWN.inline.ruler.before("link", "address", _address)
_MARKDOWN.inline.ruler.before("autolink", "tag", _tag)
_MARKDOWN.normalizeLink = lambda url: url  # type: ignore[method-assign]  # addresses stay as they were written


_MARKUP = re.compile(r"[\\`*_~\[\]!<&:$\n]")  # all that anything but words can begin with


@lru_cache(maxsize=2_048)
def spans(content: str) -> tuple[Span, ...]:
    """The words of a block."""
    if not _MARKUP.search(content):
        return (Span(content),) if content else ()
    state = _State(content, _MARKDOWN, {}, [])
    _MARKDOWN.inline.tokenize(state)
    for rule in _MARKDOWN.inline.ruler2.getRules(""):
        rule(state)
    found = list(_merged(_spans(_paired(state.tokens))))
    if found and "<" in content:  # a line of nothing but tags
        found[0] = found[0].saying(found[0].text.lstrip("\n"))
        found[-1] = found[-1].saying(found[-1].text.rstrip("\n"))
    return tuple(span for span in found if span.text)


def told(found: Sequence[Span]) -> Iterator[Span]:
    """Yield the spans with the address of each link behind its words."""
    for url, group in groupby(found, key=lambda span: span.url):
        words = list(group)
        if not url or words_of(words) == url:
            yield from words
            continue
        yield from (replace(span, url="") for span in words)
        look = replace(words[-1], text="", url="", code=False)
        yield from (look.saying(" ("), replace(look, text=url, url=url), look.saying(")"))


@lru_cache(maxsize=2_048)
def bare(content: str) -> str:
    """The words of a block as they read where nothing has a look."""
    return words_of(told(spans(content))).replace("\n", " ")


def words_of(found: Iterable[Span]) -> str:
    return "".join(span.text for span in found)


def open_ticks(text: str) -> str:
    """The backticks of code that *text* opens and does not close; at most three, empty when none."""
    for begin, end in _open_runs(text):
        return text[begin:end] if end - begin <= 3 else ""
    return ""


def closed(text: str) -> str:
    """*text*, of which nothing more comes, with a backslash before each backtick that opens no code."""
    parts, at = [], 0
    for begin, end in _open_runs(text):
        parts += [text[at:begin], "\\`" * (end - begin)]
        at = end
    return "".join([*parts, text[at:]])


def _open_runs(text: str) -> Iterator[tuple[int, int]]:
    """Where backticks stand that begin code which nothing ends; in time that grows with *text* alone."""
    runs = [match.span() for match in re.finditer("`+", text)]
    of_length: dict[int, list[int]] = {}  # which runs, the last one first
    for number, (begin, end) in reversed([*enumerate(runs)]):
        of_length.setdefault(end - begin, []).append(number)
    at = number = 0
    while number < len(runs):
        begin, end = runs[number]
        slashes = begin - at - len(text[at:begin].rstrip("\\"))
        begin += slashes % 2  # its first one is escaped
        closing = of_length.get(end - begin, [])
        while closing and closing[-1] <= number:
            closing.pop()
        if closing:
            number = closing[-1]
        elif begin < end:
            yield begin, end
        at, number = runs[number][1], number + 1


def _paired(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, of which tags that nothing closes or opens are text again."""
    is_open: dict[str, list[int]] = {}
    paired: set[int] = set()
    for index, token in enumerate(tokens):
        if token.type == "tag" and token.nesting > 0:
            is_open.setdefault(token.tag, []).append(index)
        elif token.type == "tag" and is_open.get(token.tag):
            paired |= {index, is_open[token.tag].pop()}
    words = [index for index, token in enumerate(tokens) if token.type != "tag" and token.content.strip()]
    first, last = (words[0], words[-1]) if words else (len(tokens), -1)
    for index, token in enumerate(tokens):
        is_edge = token.tag in AROUND and not first <= index <= last  # what it is around goes on
        if token.type == "tag" and token.tag != "br" and index not in paired and not is_edge:
            token.nesting = 0  # text
    return list(tokens)


def _spans(tokens: Sequence[Token], look: Span = Span("")) -> Iterator[Span]:  # frozen
    link: list[Span] | None = None
    target = ""
    looks, scripts = [look], [""]
    for token in tokens:
        now = looks[-1]
        if token.type == "link_open":
            link, target = [], str(token.attrs.get("href", ""))
            continue
        if token.type == "link_close":
            made = list(_linked(link or [], target, now, is_auto=token.markup == "autolink"))
            link = None
        elif token.nesting:
            _turn(token, looks, scripts)
            made = [now.saying("\n")] if token.tag == "br" else []
        else:
            made = list(_made(token, now, scripts[-1]))
        if link is None:
            yield from made
        else:
            link += made


def _made(token: Token, look: Span, script: str) -> Iterator[Span]:
    match token.type:
        case "text" | "text_special" | "tag":
            yield look.saying(_raised(token.content, script))
        case "softbreak" | "hardbreak":
            yield look.saying("\n")
        case "code_inline":
            yield replace(look, text=token.content, code=True)
        case "address":
            yield replace(look, text=token.content, url=token.content)
        case "labelled":
            yield from _linked([look.saying(token.content)], str(token.attrs["href"]), look)
        case "image":
            words = list(_spans(token.children or (), look))
            yield from _linked(words, str(token.attrs.get("src", "")), look)


def _turn(token: Token, looks: list[Span], scripts: list[str]) -> None:
    """Begin or end a look."""
    styles = _STYLES if token.type == "tag" else {"strong": "bold", "em": "italic", "s": "strike"}
    if token.tag in ("sub", "sup"):
        scripts.append(token.tag) if token.nesting > 0 else scripts.pop()
    elif style := styles.get(token.tag):
        if token.nesting > 0:
            looks.append(looks[-1].looking(style))
        elif len(looks) > 1:
            looks.pop()


def _raised(text: str, script: str) -> str:
    if not script:
        return text
    table = _SUPER if script == "sup" else _SUB
    if all(ord(sign) in table for sign in text):
        return text.translate(table)
    return text if script == "sub" or text.isalpha() else f"^({text})"


def _linked(words: list[Span], target: str, look: Span, *, is_auto: bool = False) -> Iterator[Span]:
    """A link if its words name no other page; else both, side by side."""
    target = target.replace("[", "%5B").replace("]", "%5D")  # not every reader of links minds where these stand
    page = _PAGE.fullmatch(target)
    said = words_of(words)
    if not page and is_auto and not target.startswith("mailto:"):
        yield look.saying(f"<{said}>")
        return
    if not page:
        if is_auto:
            words = [look.saying(said.removeprefix("mailto:"))]
        yield from words
        if target and target not in (said, f"mailto:{said}"):
            yield look.saying(f" ({target})")
        return
    whole = replace(look, text=target, url=target, is_angled=is_auto)
    if said == target or not _UNSEEN.sub("", said).strip():
        yield whole
    elif _is_forged(said, page["host"]):
        yield from (*words, look.saying(" ("), whole, look.saying(")"))
    else:
        yield from (replace(word, url=target) for word in words)


def _is_forged(said: str, host: str) -> bool:
    normal = unicodedata.normalize("NFKC", said.translate(_NARROW))
    # As it looks: without what is unseen, and with look-alikes of a dot or a letter made that letter.
    seen = _UNSEEN.sub("", normal).translate(_DOTS)
    if _BACKWARDS.search(normal):
        return True  # it reads backwards
    # Marks are easily overlooked, but not everywhere: neither with them nor without may it name another page.
    return _names_another(seen, host) or _names_another(_unmarked(seen), _unmarked(host))


def _names_another(seen: str, host: str) -> bool:
    actual = f".{host.lower().removeprefix('www.')}"
    named = (address[0].lower().removeprefix("www.") for address in _HOST.finditer(seen))
    return any(not actual.endswith(f".{address}") for address in named)


def _unmarked(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.category(sign).startswith("M")
    )


def _merged(found: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for span in found:
        is_address = span.url and span.url == span.text
        if (
            last is not None
            and not is_address
            and (span.look, span.url, span.is_angled) == (last.look, last.url, last.is_angled)
        ):
            last = last.saying(last.text + span.text)
            continue
        if last is not None and last.text:
            yield last
        last = span
    if last is not None and last.text:
        yield last
