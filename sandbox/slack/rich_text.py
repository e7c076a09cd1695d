"""Checks rich text as Slack does, and tables, whose cells may be rich text too.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject
    from sandbox.slack.problems import Problems

TABLE_ROWS, TABLE_COLUMNS = 100, 20  # https://docs.slack.dev/reference/block-kit/blocks/table-block
ALIGNMENTS = ("left", "center", "right")
DEEPEST_INDENT, WIDEST_BORDER = 8, 1  # of a list, …/blocks/rich-text-block#rich_text_list
LIST_STYLES = ("bullet", "ordered")
RANGES = ("here", "channel", "everyone")

# Besides `type` and `elements`.
_GROUPS: dict[str, tuple[str, ...]] = {
    "rich_text_section": (),
    "rich_text_list": ("style", "indent", "offset", "border"),
    "rich_text_preformatted": ("border", "language"),
    "rich_text_quote": ("border",),
}
_IN_CODE = ("text", "link")
# What stands in a line: the fields that each kind can't be without, and those that it may have.
_INLINE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "broadcast": (("range",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "color": (("value",), ("style",)),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "emoji": (("name",), ("unicode", "skin_tone", "style")),
    "link": (("url",), ("text", "unsafe", "style")),
    "team": (("team_id",), ("style",)),
    "text": (("text",), ("style",)),
    "user": (("user_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
}
_OF_WORDS = ("bold", "italic", "strike", "underline", "code")
# There is no `code` among these: soxtoby/SlackNet#196.
_OF_MENTIONS = ("bold", "italic", "strike", "underline", "highlight", "client_highlight", "unlink")
_STYLES = dict.fromkeys(("channel", "user", "usergroup"), _OF_MENTIONS)


def check_rich_text(block: JsonObject, problems: Problems, place: str) -> None:
    problems.only(block, ("elements", "block_id"), place)
    groups = block.get("elements")
    if not isinstance(groups, list):
        problems.add("missing required field: elements", place)
        return
    if not groups:
        problems.add("no fewer than 1 items allowed", f"{place}/elements")
    for at, group in enumerate(groups):
        _check_group(group, problems, f"{place}/elements/{at}")


def check_table(block: JsonObject, problems: Problems, place: str) -> None:
    problems.only(block, ("rows", "column_settings", "block_id"), place)
    _check_columns(block.get("column_settings"), problems, f"{place}/column_settings")
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        problems.add("missing required field: rows", place)
        return
    if len(rows) > TABLE_ROWS:
        problems.add(f"no more than {TABLE_ROWS} items allowed", f"{place}/rows")
    for at, row in enumerate(rows):
        for number, cell in enumerate(problems.count(row, TABLE_COLUMNS, f"{place}/rows/{at}")):
            _check_cell(cell, problems, f"{place}/rows/{at}/{number}")


def _check_group(group: object, problems: Problems, place: str) -> None:
    """A section, a list, code or a quote."""
    if not isinstance(group, dict):
        problems.add("must provide an object", place)
        return
    kind, inner = group.get("type"), group.get("elements")
    if not isinstance(kind, str) or kind not in _GROUPS:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    problems.only(group, ("elements", *_GROUPS[kind]), place)
    _check_measures(group, problems, place)
    if kind == "rich_text_list" and problems.need(group, "style", place) and group["style"] not in LIST_STYLES:
        problems.add("must be a valid enum value", f"{place}/style")
    if not isinstance(inner, list):  # an empty one will do: slackapi/python-slack-sdk#1576
        problems.add("missing required field: elements", place)
        return
    for at, element in enumerate(inner):
        here = f"{place}/elements/{at}"
        if kind == "rich_text_preformatted" and isinstance(element, dict) and element.get("type") not in _IN_CODE:
            problems.add(f"unsupported type: {element.get('type')}", f"{here}/type")
        elif kind != "rich_text_list":
            _check_inline(element, problems, here)
        elif isinstance(element, dict) and element.get("type") == "rich_text_section":
            _check_group(element, problems, here)
        else:  # nested lists are lists side by side, told apart by `indent`
            problems.add("must be a valid enum value", f"{here}/type")


def _check_measures(group: JsonObject, problems: Problems, place: str) -> None:
    for name, most in (("indent", DEEPEST_INDENT), ("border", WIDEST_BORDER)):
        value = group.get(name)
        if value is not None and (not isinstance(value, int) or not 0 <= value <= most):
            problems.add(f"must be between 0 and {most}", f"{place}/{name}")
    offset = group.get("offset")
    if offset is not None and (not isinstance(offset, int) or offset < 0):
        problems.add("must be more than -1", f"{place}/offset")


def _check_inline(element: object, problems: Problems, place: str) -> None:
    if not isinstance(element, dict):
        problems.add("must provide an object", place)
        return
    kind = str(element.get("type"))
    if kind not in _INLINE:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    needed, possible = _INLINE[kind]
    problems.only(element, (*needed, *possible), place)
    for name in needed:
        if not (name == "text" and element.get(name) == ""):
            problems.need(element, name, place)
    # An empty one is refused where it may be left out, too: slack-go/slack#1412.
    if element.get("text") is not None:
        text = element["text"]
        if not isinstance(text, str):
            problems.add("must provide a string", f"{place}/text")
        elif not text:
            problems.add("must be more than 0 characters", f"{place}/text")
    if kind == "broadcast" and element.get("range") not in RANGES:
        problems.add("must be a valid enum value", f"{place}/range")
    if kind == "date" and not isinstance(element.get("timestamp"), int):
        problems.add("must provide an integer", f"{place}/timestamp")
    _check_style(element.get("style"), _STYLES.get(kind, _OF_WORDS), problems, f"{place}/style")


def _check_style(style: object, possible: tuple[str, ...], problems: Problems, place: str) -> None:
    if style is None:
        return
    if not isinstance(style, dict):
        problems.add("must provide an object", place)
        return
    for name, value in style.items():
        if name not in possible:
            problems.add(f"invalid additional property: {name}", place)
        elif not isinstance(value, bool):
            problems.add("must provide a boolean", f"{place}/{name}")


def _check_columns(columns: object, problems: Problems, place: str) -> None:
    if columns is None:
        return
    if not isinstance(columns, list):
        problems.add("must provide an array", place)
        return
    if len(columns) > TABLE_COLUMNS:
        problems.add(f"no more than {TABLE_COLUMNS} items allowed", place)
    for at, column in enumerate(columns):
        if column is None:  # this one as it comes, and the next one not
            continue
        if not isinstance(column, dict):
            problems.add("must provide an object", f"{place}/{at}")
        elif column.get("align", "left") not in ALIGNMENTS:
            problems.add("must be a valid enum value", f"{place}/{at}/align")


def _check_cell(cell: JsonObject, problems: Problems, place: str) -> None:
    """An empty one is refused: it has to hold a space at least (vellum-ai/vellum-assistant#36219)."""
    match cell.get("type"):
        case "raw_text":
            problems.need(cell, "text", place)
        case "raw_number":
            problems.need(cell, "text", place)
            if not isinstance(cell.get("value"), int | float):
                problems.add("must provide a number", f"{place}/value")
        case "rich_text":
            check_rich_text(cell, problems, place)
            groups = cell.get("elements")
            if (
                isinstance(groups, list)
                and groups
                and not any(isinstance(one, dict) and one.get("elements") for one in groups)
            ):
                problems.add("no fewer than 1 items allowed", f"{place}/elements")
        case other:
            problems.add(f"unsupported type: {other}", f"{place}/type")
