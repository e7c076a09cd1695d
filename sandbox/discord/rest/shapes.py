"""The JSON type that each field of Discord's forms has, checked before anybody looks closer.

https://discord.com/developers/docs/reference#error-messages
"""

from typing import Any

from sandbox.discord.refusals import Problems

OBJECTS = (
    "allowed_mentions",
    "author",
    "accessory",
    "component",
    "data",
    "emoji",
    "footer",
    "message",
    "message_reference",
)
LISTS_OF_OBJECTS = ("attachments", "choices", "components", "embeds", "fields", "options")
LISTS = ("applied_tags", "parse", "roles", "users")
TEXTS = ("content", "custom_id", "description", "label", "name", "placeholder", "text", "title", "topic", "url")
NUMBERS = ("auto_archive_duration", "flags", "style")
SCALARS = ("default_member_permissions", "id", "message_id", "nonce", "recipient_id", "type")  # ids come as either


def check_shapes(body: Any) -> None:
    """Refuse with 50035 what has the wrong type; null always fits."""
    problems = Problems()
    _check(problems, body, "", of_objects=True)
    problems.refuse_any()


def _check(problems: Problems, node: Any, path: str, *, of_objects: bool) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            here = f"{path}.{index}".lstrip(".")
            if of_objects and not isinstance(item, dict):
                problems.add(here, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            else:
                _check(problems, item, here, of_objects=False)
    elif isinstance(node, dict):
        for key, value in node.items():
            here = f"{path}.{key}".lstrip(".")
            if value is not None and not _fits(key, value):
                problems.add(here, "BASE_TYPE_CONVERT", "The field has the wrong type")
            else:
                _check(problems, value, here, of_objects=key in LISTS_OF_OBJECTS)


def _fits(key: str, value: Any) -> bool:
    if key in OBJECTS:
        return isinstance(value, dict)
    if key in LISTS or key in LISTS_OF_OBJECTS:
        return isinstance(value, list) and (key in LISTS_OF_OBJECTS or all(_is_scalar(one) for one in value))
    if key in TEXTS:
        return isinstance(value, str)
    if key in NUMBERS:
        return isinstance(value, int)
    return key not in SCALARS or _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int))
