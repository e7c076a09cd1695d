"""What Slack would find wrong with rich text, and with the cells of a table, which may be rich text too.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject
    from sandbox.slack.problems import Problems

TABLE_ROWS, TABLE_COLUMNS = 100, 20  # https://docs.slack.dev/reference/block-kit/blocks/table-block
DEEPEST_INDENT, WIDEST_BORDER = 8, 1  # of a list, …/blocks/rich-text-block#rich_text_list
LIST_STYLES = ("bullet", "ordered")

_GROUPS = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
# What stands in a line, and the fields that each kind can't be without.
_INLINE: dict[str, tuple[str, ...]] = {
    "broadcast": ("range",),
    "channel": ("channel_id",),
    "color": ("value",),
    "date": ("timestamp", "format"),
    "emoji": ("name",),
    "link": ("url",),
    "team": ("team_id",),
    "text": ("text",),
    "user": ("user_id",),
    "usergroup": ("usergroup_id",),
}


def check_rich_text(block: JsonObject, problems: Problems, place: str) -> None:
    groups = block.get("elements")
    if not isinstance(groups, list):
        problems.add("missing required field: elements", place)
        return
    for at, group in enumerate(groups):
        _check_group(group, problems, f"{place}/elements/{at}")


def check_table(block: JsonObject, problems: Problems, place: str) -> None:
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
    if kind not in _GROUPS:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    if kind == "rich_text_list":
        _check_list(group, problems, place)
    if not isinstance(inner, list):
        problems.add("missing required field: elements", place)
        return
    for at, element in enumerate(inner):
        here = f"{place}/elements/{at}"
        if kind != "rich_text_list":
            _check_inline(element, problems, here)
        elif isinstance(element, dict) and element.get("type") == "rich_text_section":
            _check_group(element, problems, here)
        else:  # nested lists are lists side by side, told apart by `indent`
            problems.add("must be a valid enum value", f"{here}/type")


def _check_list(group: JsonObject, problems: Problems, place: str) -> None:
    if problems.need(group, "style", place) and group["style"] not in LIST_STYLES:
        problems.add("must be a valid enum value", f"{place}/style")
    for name, most in (("indent", DEEPEST_INDENT), ("border", WIDEST_BORDER)):
        value = group.get(name)
        if value is not None and (not isinstance(value, int) or not 0 <= value <= most):
            problems.add(f"must be between 0 and {most}", f"{place}/{name}")


def _check_inline(element: object, problems: Problems, place: str) -> None:
    if not isinstance(element, dict):
        problems.add("must provide an object", place)
        return
    kind = str(element.get("type"))
    if kind not in _INLINE:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    for name in _INLINE[kind]:
        if not (name == "text" and element.get(name) == ""):
            problems.need(element, name, place)
    # An empty one is refused where it may be left out, too: slack-go/slack#1412.
    if element.get("text") is not None:
        text = element["text"]
        if not isinstance(text, str):
            problems.add("must provide a string", f"{place}/text")
        elif not text:
            problems.add("must be more than 0 characters", f"{place}/text")


def _check_cell(cell: JsonObject, problems: Problems, place: str) -> None:
    """An empty one is refused: it has to hold a space at least (vellum-ai/vellum-assistant#36219)."""
    match cell.get("type"):
        case "raw_text":
            problems.need(cell, "text", place)
        case "rich_text":
            check_rich_text(cell, problems, place)
        case other:
            problems.add(f"unsupported type: {other}", f"{place}/type")
