"""Turns a model's Markdown into what Discord shows; the other way leads through `written`.

It is written by Discord's own rules, which it doesn't publish: those of its open parser
(https://github.com/discord/SimpleAST), of discord.py and of discord.js, and what its staff says. `allowed_mentions` is
what keeps everybody from being called; the rest makes that people read what the model wrote.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, islice

from bots.discord import limits
from bots.text.cut import utf16
from bots.text.document import Kind, Leaf
from bots.text.inline import Span, bare, spans, told, words_of
from bots.text.pages import Page, paged
from bots.text.reasoning import visible
from bots.text.tables import Layout, records

_RULE = "─" * 12  # Discord has no rule of its own
_DEEPEST_HEADING = 3
_DEEPEST_LIST = 8
_FENCE = "```"
# A backslash works before anything but letters, digits and space, and each sign of a run needs one of its own
# (https://github.com/discordjs/discord.js/issues/9655). A masked link ends at "](", whatever is escaped before it.
_LIVE = re.compile(
    r"[\\*_`[]|~(?=~)|(?<=~)~|\|(?=\|)|(?<=\|)\||<(?! )|(?<=\])\("
    r"|(?<![0-9A-Za-z])@(?=everyone|here)|@(?=(?:everyone|here)(?![0-9A-Za-z.-]))|(?:(?<=http)|(?<=https)|(?<=steam)|(?<=discord)):(?=//)",
    re.IGNORECASE,
)
# https://github.com/Rapptz/discord.py/blob/v2.7.1/discord/utils.py: what begins a quote, a heading, small print, a list.
_LINE_START = re.compile(r"(?<=\n)[ \t]*(?:\d+(?=\.[ \t])|(?=[#>]|-(?:[ \t#]|$)))", re.MULTILINE)
_GAINS = "\\*_~|`<@[]"  # beside each of these may stand one more character than was typed
# As a person hides something: from the first sign of a word to the last.
_SPOILER = re.compile(r"(?<![\w|\\])(\|\|)(?=[^\s|])[^|\n]*(?<=[^\s|])(\|\|)(?![\w|])")
# The words of a masked link go on to the last "](" that no "[" comes before, also where that is code.
_TRAP = re.compile(r"[^\[]*?\]\(")
_LOOKS = {"bold": "*", "italic": "_", "strike": "~"}  # and what their marks are made of
_MOST_LOOKED_AT = 20  # characters behind an address
_ENDS_ADDRESS = re.compile(r"[.,:;\"')\]]*\s")
_NOT_IN_ADDRESS = tuple("<.,:;!?\"')]*_~")  # as its last character, in Discord's reading


def _weight(text: str) -> int:
    if text.isalnum():
        return utf16(text)
    return utf16(text) + sum(map(text.count, _GAINS)) + 2 * text.count("://")  # angles around an address


# Columns of a code block before a narrow window breaks its lines.
_TABLES = Layout(widest=60, bare=bare, size=_weight, frame=2 * len(_FENCE) + 2)


def pages(answer: str, *, streaming: bool = False, most: int | None = None) -> list[str]:
    """The answer, or as much of it as has come (*streaming*), in messages; none if there is nothing to show yet.

    Of more than *most* only these are made.
    """
    found = paged(visible(answer, streaming=streaming), Paper(), streaming=streaming)
    return [*islice(filter(None, map(_page, found)), most)]


class Paper:
    """Room on Discord, in UTF-16 units."""

    limit = limits.CONTENT

    def size(self, leaf: Leaf, page: Sequence[Leaf]) -> int:
        lines, size = 1, _weight(leaf.content)
        match leaf.kind:
            case Kind.CODE:
                fences = 1 + 2 * leaf.content.count(_FENCE)
                lines += leaf.content.count("\n") + 2 * fences
                size += fences * (2 * len(_FENCE) + len(_language(leaf)))
            case Kind.TEXT | Kind.HEADING:
                lines += leaf.content.count("\n")
                size += lines + (6 if leaf.kind is Kind.HEADING else 0)  # what a line begins with may be escaped
            case Kind.RULE:
                size = len(_RULE)
        items = leaf.items[:_DEEPEST_LIST]
        # Items begin on lines of their own where they don't begin with this leaf, or begin with another item.
        for level in range(max(0, len(items) - leaf.begins) if page else 0, len(items) - bool(leaf.begins)):
            size += len(_before(leaf, level) + _mark(items[level])) + 2 + 2 * leaf.quoted
        inside = len(_before(leaf, len(items) - 1) + _mark(items[-1])) if items else 0
        return size + lines * (1 + 2 * leaf.quoted + inside) + (1 + 2 * leaf.quoted) * leaf.gap

    def rows(self, leaf: Leaf, page: Sequence[Leaf]) -> Iterator[int]:
        least = self.size(leaf, page)
        for lines, size in enumerate(_TABLES.sizes(leaf.rows, leaf.widths), 3):
            yield max(least, least - _weight(leaf.content) + size + 2 * leaf.quoted * lines)

    def widths(self, leaf: Leaf) -> tuple[int, ...]:
        return _TABLES.columns(leaf.rows, leaf.widths)


@lru_cache(maxsize=512)  # while an answer streams, only its last page is new
def _page(page: Page) -> str:
    masks = not any(map(_TRAP.match, _code_of(page)))
    shown = ""
    for leaf in page:
        lines = "".join(_leaf(leaf, is_first=not shown, masks=masks))
        if lines and shown:
            shown += ("\n> \n" if leaf.quoted and leaf.goes_on else "\n\n") if leaf.gap else "\n"
        shown += lines
    return shown


def _code_of(page: Page) -> Iterator[str]:
    for leaf in page:
        if leaf.kind is Kind.CODE:
            yield leaf.content
        elif "`" in leaf.content or leaf.rows:
            yield from (span.text for text in (leaf.content, *chain(*leaf.rows)) for span in spans(text) if span.code)


def _leaf(leaf: Leaf, *, is_first: bool, masks: bool) -> Iterator[str]:
    quote = "> " if leaf.quoted else ""  # Discord has one level of quotes
    body = _body(leaf, masks=masks)
    if not body:
        return
    if is_first:  # what goes on from the page before, or the list would begin at its left side
        for level in range(min(_DEEPEST_LIST, len(leaf.items) - leaf.begins)):
            yield f"{quote}{_before(leaf, level)}{_mark(leaf.items[level])}…\n"
    if leaf.kind in (Kind.CODE, Kind.TABLE) or not leaf.items:
        yield re.sub("^", quote, body, flags=re.MULTILINE)
        return
    items = leaf.items[:_DEEPEST_LIST]
    for level in range(max(0, len(leaf.items) - leaf.begins), len(items) - 1):  # items that begin with an item
        yield f"{quote}{_before(leaf, level)}{_mark(items[level])}\n"
    outside = _before(leaf, len(items) - 1)
    inside = outside + " " * len(_mark(items[-1]))
    first, *others = body.split("\n")
    yield quote + (outside + _mark(leaf.items[-1]) if leaf.begins else inside) + first
    for line in others:
        yield f"\n{quote}{inside}{line}"


def _before(leaf: Leaf, level: int) -> str:
    return " " * sum(len(_mark(item)) for item in leaf.items[:level])


def _mark(item: int | None) -> str:
    return "- " if item is None else f"{item}. "


def _body(leaf: Leaf, *, masks: bool) -> str:
    match leaf.kind:
        case Kind.CODE:
            return _fenced(leaf)
        case Kind.TABLE:
            columns = _TABLES.aligned(leaf.rows, leaf.widths)
            return f"{_FENCE}\n{columns}\n{_FENCE}" if columns else _records(leaf, masks=masks)
        case Kind.RULE:
            return _RULE
        case Kind.HEADING:
            title = tuple(replace(span, text=span.text.replace("\n", " ")) for span in spans(leaf.content))
            if leaf.level <= _DEEPEST_HEADING and not leaf.items:
                return f"{'#' * leaf.level} {_line(title, masks=masks)}" if title else ""
            return _line(tuple(replace(span, bold=True) for span in title), masks=masks)
        case _:
            return _line(spans(leaf.content), masks=masks)


def _records(leaf: Leaf, *, masks: bool) -> str:
    rows = (
        "\n".join(_line((*_name(name), *spans(cell)), masks=masks) for name, cell in record)
        for record in records(leaf.rows)
    )
    return "\n\n".join(filter(None, rows))


def _name(name: str) -> Iterator[Span]:
    if words := bare(name):
        yield Span(words, bold=True)
        yield Span(": ")


def _language(leaf: Leaf) -> str:
    language = re.match(r"[\w+#.-]{0,20}", leaf.info, re.ASCII)
    return language[0] if language else ""


def _fenced(leaf: Leaf) -> str:
    """Discord ends code at the first three backticks, and knows no longer fence: lines that have some are text."""
    shown: list[str] = []
    code: list[str] = []
    for line in (*leaf.content.split("\n"), None):
        if line is not None and _FENCE not in line:
            code.append(line)
            continue
        if any(map(str.strip, code)):
            shown.append("\n".join((_FENCE + _language(leaf), *code, _FENCE)))
        code = []
        if line is not None:
            shown.append(_escaped(line, "\n", ""))
    return "\n".join(shown)


# What stands inside of a line


def _line(found: Sequence[Span], *, masks: bool) -> str:
    found = found if masks else tuple(told(found))
    return _dressed([_bearable(span) for span in found], "\n", "\n")


def _bearable(span: Span) -> Span:
    """*span* without a look whose marks Discord would find inside of its code or address."""
    if not (span.code or span.url):
        return span
    fixed = span.text + span.url
    return replace(
        span,
        bold=span.bold and "*" not in fixed,
        italic=span.italic and "*" not in fixed and "_" not in fixed,
        strike=span.strike and "~" not in fixed,
    )


def _dressed(found: Sequence[Span], before: str, after: str) -> str:
    """The spans with marks around those that look the same, the widest look outside; a line begins after a newline."""
    shown = before
    at = 0
    while at < len(found):
        look, end = _widest(found, at)
        group = found[at:end]
        follows = _written(found[end:]) + after
        if look:
            shown += _marked(look, [span.looking(look, on=False) for span in group], shown[-1], follows[0])
        elif group[0].url:
            shown += _link(group, shown[-1], follows)
        elif group[0].code:
            code = words_of(group)
            # Not every reader of Discord's minds how many backticks end code, and three are a block's.
            shown += _escaped(code, shown[-1], follows[0]) if "``" in code else _code(code)
        else:
            # An address may get angles around it, and does not go on with the word before it then.
            is_before_address = not _has_look(found[end]) and found[end].url if end < len(found) else ""
            shown += _escaped(words_of(group), shown[-1], "<" if is_before_address else follows[0])
        at = end
    return shown[len(before) :]


def _widest(found: Sequence[Span], at: int) -> tuple[str, int]:
    """The look that span *at* has and the most of those behind it; without any, where its link, code or text ends."""
    ends = dict.fromkeys(_LOOKS, at)
    for look in _LOOKS:
        while ends[look] < len(found) and getattr(found[ends[look]], look):
            ends[look] += 1
    best = max(_LOOKS, key=lambda look: ends[look])
    if ends[best] > at:
        return best, ends[best]
    end = at + 1
    while end < len(found) and _goes_with(found[end], found[at]):
        end += 1
    return "", end


def _goes_with(one: Span, other: Span) -> bool:
    if one.url or other.url:
        return one.url == other.url and one.url not in (one.text, other.text)
    return one.code == other.code and not _has_look(one)


def _has_look(span: Span) -> bool:
    return span.bold or span.italic or span.strike


def _written(found: Sequence[Span]) -> str:
    """The text that *found* begins with, and the mark behind it."""
    text = ""
    for span in found:
        if mark := next((mark for look, mark in _LOOKS.items() if getattr(span, look)), "`" * span.code):
            return text + mark
        if span.url:
            return text + ("h" if span.url == span.text else "[")
        text += span.text
        if len(text) > _MOST_LOOKED_AT:
            break
    return text


def _marked(look: str, group: Sequence[Span], before: str, follows: str) -> str:
    inside = _dressed(group, _LOOKS[look], _LOOKS[look])
    if not inside.strip():
        return inside
    match look:
        case "bold" if before != "*" != follows:
            return f"**{inside}**"
        case "strike" if before != "~" and follows not in ("_", "~"):
            return f"~~{inside}~~"
        case "italic":
            # Between stars nothing can be escaped, and between underlines all must be; behind them no word goes on.
            if not re.search(r"[*_\\`<[]|^\s|\s$", inside) and "*" not in (before, follows):
                return f"*{inside}*"
            if before != "_" and not re.match(r"\w", follows, re.ASCII):
                return f"_{inside}_"
    return _dressed(group, before, follows)  # without marks, other signs are next to it


def _link(group: Sequence[Span], before: str, follows: str) -> str:
    url, said = group[0].url, words_of(group)
    if said == url or ("://" in said and re.match(rf"{re.escape(said)}[/?#]", url)):  # Discord masks no address by one
        is_whole = not url.endswith(_NOT_IN_ADDRESS) and _ENDS_ADDRESS.match(follows)
        return url if is_whole and not group[0].is_angled else f"<{url}>"
    shown = _dressed([replace(span, url="") for span in group], "[", "]").replace("\\[", "[")
    # https://github.com/discord/discord-api-docs/issues/6185: "Escaping is disabled in masked links."
    is_masked = not re.search(r"\\|://|\n", shown) and not re.search(r"[][]", re.sub(r"\[[^][]*\]", "", said))
    return f"[{shown}]({url})" if is_masked else _dressed(tuple(told(group)), before, follows)


def _code(text: str) -> str:
    if "`" not in text:
        return f"`{text}`"
    left, right = " " * text.startswith("`"), " " * text.endswith("`")
    return f"``{left}{text}{right}``"


def _escaped(text: str, before: str, after: str) -> str:
    """*text* as it is to be read, between the characters *before* and *after* it."""
    whole = before + text + after
    if not _LIVE.search(whole) and (before != "\n" or not _LINE_START.match(whole, 1)) and "\n" not in text:
        return text
    shift = len(before)
    spoilers = [range(*hit.span(side)) for hit in _SPOILER.finditer(whole) for side in (1, 2)]
    live = {hit.start() for hit in _LIVE.finditer(whole) if not any(hit.start() in bars for bars in spoilers)}
    live |= {hit.end() for hit in _LINE_START.finditer(whole, len(before))}
    shown, done = [], shift
    for place in sorted(place for place in live if shift <= place < shift + len(text)):
        shown += [whole[done:place], "\\"]
        done = place
    return "".join((*shown, whole[done : shift + len(text)]))
