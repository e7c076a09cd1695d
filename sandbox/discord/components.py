"""Checks the components of a message or a modal as Discord does.

https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterator
from typing import Any

from sandbox.discord.refusals import Problems

Json = dict[str, Any]
ROW, BUTTON, SELECT, TEXT_INPUT = 1, 2, 3, 4
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
SELECTS = (SELECT, 5, 6, 7, 8)
ONLY_IN_V2 = (SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER)
TOP_IN_V2 = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)
IN_MODALS = (TEXT_INPUT, *SELECTS, 19, 21, 22, 23)  # file upload, radio group, checkbox group, checkbox
LINK_STYLE, PREMIUM_STYLE = 5, 6
MOST_ROWS, MOST_BUTTONS, MOST_IN_V2, MOST_TEXT_IN_V2 = 5, 5, 40, 4_000  # the last as discord.py counts, undocumented


def each(components: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every component, however deep, with its dotted path below `components`."""
    for index, component in enumerate(components):
        yield str(index), component
        for path, inner in each(component.get("components") or []):
            yield f"{index}.components.{path}", inner
        for key in ("accessory", "component"):
            if isinstance(component.get(key), dict):
                for path, inner in each([component[key]]):
                    yield f"{index}.{key}{path.removeprefix('0')}", inner


def numbered(components: list[Json]) -> list[Json]:
    """Discord gives every component without an `id` one, in the order of the message."""
    taken = {one["id"] for _, one in each(components) if one.get("id")}
    following = 1
    for _, one in each(components):
        if not one.get("id"):
            while following in taken:
                following += 1
            one["id"] = following
            taken.add(following)
    return components


def written_in(components: list[Json]) -> str:
    """The text of all text displays, in order."""
    return "\n".join(one.get("content", "") for _, one in each(components) if one.get("type") == TEXT)


def check_components(problems: Problems, components: object, *, v2: bool, path: str = "components") -> None:
    if components is None:
        return
    if not problems.count(path, components, 0, MOST_IN_V2 if v2 else MOST_ROWS) or not isinstance(components, list):
        return
    for index, component in enumerate(components):
        if not isinstance(component, dict) or component.get("type") not in (TOP_IN_V2 if v2 else (ROW,)):
            problems.add(f"{path}.{index}", "UNION_TYPE_CHOICES", 'Value of field "type" is not allowed here.')
    everything = list(each(components))
    _check_custom_ids(problems, path, everything)
    if v2 and len(everything) > MOST_IN_V2:
        problems.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be {MOST_IN_V2} or fewer in length, all levels counted.")
    if v2 and len(written_in(components)) > MOST_TEXT_IN_V2:
        problems.add(path, "COMPONENT_TEXT_TOO_LONG", f"The text may have {MOST_TEXT_IN_V2} characters in all.")
    for where, component in everything:
        _check_one(problems, f"{path}.{where}", component)


def _check_custom_ids(problems: Problems, path: str, everything: list[tuple[str, Json]]) -> None:
    seen: set[str] = set()
    for where, component in everything:
        custom_id = component.get("custom_id")
        if custom_id is None:
            continue
        problems.length(f"{path}.{where}.custom_id", custom_id, 1, 100)
        if custom_id in seen:
            problems.add(
                f"{path}.{where}.custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        seen.add(custom_id)


def _check_one(problems: Problems, path: str, component: Json) -> None:
    kind = component.get("type")
    if kind == ROW:
        _check_row(problems, path, component)
    elif kind == BUTTON:
        _check_button(problems, path, component)
    elif kind in SELECTS:
        _check_select(problems, path, component)
    elif kind == TEXT:
        problems.length(f"{path}.content", component.get("content"), 1, MOST_TEXT_IN_V2)
    elif kind == SECTION:
        problems.count(f"{path}.components", component.get("components"), 1, 3)
        if "accessory" not in component:
            problems.add(f"{path}.accessory", "BASE_TYPE_REQUIRED", "This field is required")


def _check_row(problems: Problems, path: str, row: Json) -> None:
    inner = row.get("components")
    if not problems.count(f"{path}.components", inner, 1, MOST_BUTTONS) or not isinstance(inner, list):
        return
    kinds = [one.get("type") for one in inner if isinstance(one, dict)]
    if any(kind in SELECTS or kind == TEXT_INPUT for kind in kinds) and len(kinds) > 1:
        problems.add(
            f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        )
    for index, kind in enumerate(kinds):
        problems.one_of(f"{path}.components.{index}.type", kind, (BUTTON, TEXT_INPUT, *SELECTS))


def _check_button(problems: Problems, path: str, button: Json) -> None:
    style = button.get("style")
    problems.one_of(f"{path}.style", style, tuple(range(1, 7)))
    if button.get("label") is not None:
        problems.length(f"{path}.label", button["label"], 0, 80)
    if style == LINK_STYLE:
        problems.length(f"{path}.url", button.get("url"), 1, 512)
    elif style != PREMIUM_STYLE and "custom_id" not in button:
        problems.add(f"{path}.custom_id", "BASE_TYPE_REQUIRED", "A custom id is required")
    if style == LINK_STYLE and "custom_id" in button:
        problems.add(
            path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified"
        )
    if style != PREMIUM_STYLE and not button.get("label") and not button.get("emoji"):
        problems.add(path, "BUTTON_COMPONENT_INVALID_LABEL_OR_EMOJI", "A button needs a label or an emoji")


def _check_select(problems: Problems, path: str, select: Json) -> None:
    if "custom_id" not in select:
        problems.add(f"{path}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
    if select.get("placeholder") is not None:
        problems.length(f"{path}.placeholder", select["placeholder"], 0, 150)
    if select.get("type") != SELECT or not problems.count(f"{path}.options", select.get("options"), 1, 25):
        return
    for index, option in enumerate(select["options"]):
        problems.length(f"{path}.options.{index}.label", option.get("label"), 1, 100)
        problems.length(f"{path}.options.{index}.value", option.get("value"), 1, 100)


def check_modal(problems: Problems, modal: Json) -> None:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
    problems.length("data.custom_id", modal.get("custom_id"), 1, 100)
    problems.length("data.title", modal.get("title"), 1, 45)
    components = modal.get("components")
    if not problems.count("data.components", components, 1, 5) or not isinstance(components, list):
        return
    everything = list(each(components))
    _check_custom_ids(problems, "data.components", everything)
    for where, component in everything:
        here, kind = f"data.components.{where}", component.get("type")
        problems.one_of(f"{here}.type", kind, (ROW, TEXT, LABEL, *IN_MODALS))
        if kind == LABEL:
            _check_label(problems, here, component)
        elif kind == TEXT_INPUT:
            _check_text_input(problems, here, component)
        elif kind in SELECTS:
            _check_select(problems, here, component)


def _check_label(problems: Problems, path: str, label: Json) -> None:
    """https://discord.com/developers/docs/components/reference#label"""
    problems.length(f"{path}.label", label.get("label"), 1, 45)
    if label.get("description") is not None:
        problems.length(f"{path}.description", label["description"], 0, 100)
    if not isinstance(label.get("component"), dict):
        problems.add(f"{path}.component", "BASE_TYPE_REQUIRED", "This field is required")


def _check_text_input(problems: Problems, path: str, field: Json) -> None:
    """https://discord.com/developers/docs/components/reference#text-input"""
    problems.length(f"{path}.custom_id", field.get("custom_id"), 1, 100)
    problems.one_of(f"{path}.style", field.get("style"), (1, 2))
    for name, most in (("value", 4_000), ("placeholder", 100)):
        if field.get(name) is not None:
            problems.length(f"{path}.{name}", field[name], 0, most)
    for name, least in (("min_length", 0), ("max_length", 1)):
        if not least <= int(field.get(name) or 4_000) <= 4_000:
            problems.add(f"{path}.{name}", "NUMBER_TYPE_MAX", f"It lies between {least} and 4000.")
