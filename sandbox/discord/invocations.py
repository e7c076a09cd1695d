"""People's other ways to reach the bot than by talking: slash commands, menus, buttons, modals."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.discord import asking, payloads
from sandbox.discord.commands import MESSAGE_COMMAND, USER_COMMAND
from sandbox.discord.components import BUTTON, LINK_STYLE, SELECTS, TEXT_INPUT, each
from sandbox.discord.model import Channel, Interaction, InteractionKind, Message, User
from sandbox.discord.options import CHANNEL, ROLE, CommandLine
from sandbox.discord.people import People
from sandbox.discord.permissions import Permission

Json = dict[str, Any]


class Invocations(People):
    async def slash(self, user: User | str, where: Channel | str | int, command: str, **options: object) -> Interaction:
        """Use `/command` or `/command subcommand`. What the registered command does not offer is a ValueError."""
        person, channel = self.user(user), self.channel(where)
        line = self._line(person, channel, command)
        data = line.data(options)
        return asking.begin(self.world, InteractionKind.COMMAND, person, channel, data, name=line.name)

    async def autocomplete(
        self, user: User | str, where: Channel | str | int, command: str, *, focused: str, **options: object
    ) -> list[Json]:
        """The choices that the bot suggests while *user* types the option *focused*."""
        person, channel = self.user(user), self.channel(where)
        line = self._line(person, channel, command)
        data = line.data({focused: ""} | options, focused)
        asked = asking.begin(self.world, InteractionKind.AUTOCOMPLETE, person, channel, data, name=line.name)
        patience = self.world.faults.interaction_deadline + 1.0
        await self.world.changes.wait_for(lambda: asked.failed or asked.choices is not None, patience)
        return asked.choices or []

    def _line(self, user: User, channel: Channel, words: str) -> CommandLine:
        guild_id = self._commands_of(channel)
        line = CommandLine(self.world, words, guild_id, channel, self._find)
        self._may_use(user, channel, line.command)
        return line

    def _find(self, kind: int, value: object) -> object:
        if kind == ROLE:
            return next((role for role in self.world.roles.values() if value in (role, role.name, role.id)), None)
        if kind == CHANNEL:
            return self.channel(value) if isinstance(value, (Channel, str, int)) else None
        return self.user(value) if isinstance(value, (User, str, int)) else None

    def _commands_of(self, channel: Channel) -> int | None:
        """The guild whose own commands are offered there, beside those for everywhere."""
        return None if channel.is_dm or channel.is_foreign else self.world.guild_id

    def _may_use(self, user: User, channel: Channel, command: Json) -> None:
        """By who has brought the bot along: https://discord.com/developers/docs/interactions/application-commands#contexts"""
        offered = command.get("integration_types") or [0]
        brought = {1} if user.id in self.world.installed else set()
        if not (brought if channel.is_foreign else brought | {0}) & set(offered):
            raise ValueError(f"{command['name']} is not installed there.")
        contexts, here = command.get("contexts"), payloads.context_of(channel)
        if (contexts is not None and here not in contexts) or (channel.is_dm and command.get("dm_permission") is False):
            raise ValueError(f"{command['name']} is not offered there.")
        needed = command.get("default_member_permissions")
        if needed is None or channel.is_dm:
            return
        held = self.world.permissions(user, channel)
        if held & int(needed) != int(needed) or (int(needed) == 0 and not held & Permission.ADMINISTRATOR):
            raise ValueError(f"{user.name} lacks the permissions for {command['name']}.")

    async def menu(self, user: User | str, target: Message | User, name: str) -> Interaction:
        """Apps → *name* in the context menu of a message; of a user: in #general."""
        person = self.user(user)
        channel = target.channel if isinstance(target, Message) else self.channel("general")
        kind = MESSAGE_COMMAND if isinstance(target, Message) else USER_COMMAND
        command = self.world.commands.find(self._commands_of(channel), name, kind)
        if command is None:
            raise ValueError(f"The bot has registered no menu entry {name!r}.")
        self._may_use(person, channel, command)
        if isinstance(target, Message):
            resolved = {"messages": {str(target.id): payloads.message_json(self.world, target)}}
        else:
            member = payloads.member_json(target, with_user=False)
            member["permissions"] = str(self.world.permissions(target, channel))
            key = str(target.id)
            resolved = {"users": {key: payloads.user_json(target)}, "members": {key: member}}
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": kind,
            "target_id": str(target.id),
            "resolved": resolved,
        }
        return asking.begin(self.world, InteractionKind.COMMAND, person, channel, data, name=name)

    async def click(
        self, user: User | str, message: Message, custom_id: str, *, values: Sequence[str] = ()
    ) -> Interaction:
        """Press a button, or choose *values* in a select. *custom_id* may also be the button's label."""
        person = self.user(user)
        if message.deleted or (message.is_ephemeral and message.only_for != person.id):
            raise ValueError(f"{person.name} does not see that message.")
        component = _pressable(message.components, custom_id)
        data: Json = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
        }
        if component["type"] in SELECTS:
            _check_values(component, values)
            data["values"] = list(values)
        return asking.begin(
            self.world,
            InteractionKind.COMPONENT,
            person,
            message.channel,
            data,
            name=component["custom_id"],
            source=message,
        )

    async def submit(self, asked: Interaction, **values: str | Sequence[str]) -> Interaction:
        """Send the modal that *asked* was answered with; fields by custom id, left out ones keep their value."""
        if asked.modal is None:
            raise ValueError("No modal was opened there.")
        fields = {one["custom_id"] for _, one in each(asked.modal["components"]) if "custom_id" in one}
        if set(values) - fields:
            raise ValueError(f"The modal has no field {sorted(set(values) - fields)}. It has: {sorted(fields)}.")
        data: Json = {
            "custom_id": asked.modal["custom_id"],
            "components": [_filled(one, values) for one in asked.modal["components"]],
            "resolved": {},
        }
        self.close_form(asked)
        return asking.begin(
            self.world,
            InteractionKind.MODAL_SUBMIT,
            asked.user,
            asked.channel,
            data,
            name=asked.modal["custom_id"],
            source=asked.source,
        )

    def form(self, user: User | str) -> Interaction | None:
        """What was answered to *user* with the modal that is open to them: the newest, if there are several."""
        person = self.user(user)
        return next((one for one in reversed(self.world.forms.values()) if one.user is person), None)

    def close_form(self, asked: Interaction) -> None:
        """Put the modal away, of which nobody is told."""
        if self.world.forms.pop(asked.id, None):
            self.world.changes.tell("interaction", asked)


def _pressable(components: list[Json], name: str) -> Json:
    found = [one for _, one in each(components) if one.get("type") in (BUTTON, *SELECTS) and one.get("custom_id")]
    for component in found:
        if name in (component["custom_id"], component.get("label")):
            if component.get("disabled") or component.get("style") == LINK_STYLE:
                raise ValueError(f"{name!r} is disabled.")
            return component
    raise ValueError(f"There is nothing to press called {name!r}. There are: {[one['custom_id'] for one in found]}.")


def _check_values(select: Json, values: Sequence[str]) -> None:
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not least <= len(values) <= most:
        raise ValueError(f"Choose {least} to {most} values.")
    offered = [option["value"] for option in select.get("options") or []]
    if offered and set(values) - set(offered):
        raise ValueError(f"The select offers {offered}, not {list(values)}.")


def _filled(component: Json, values: Mapping[str, str | Sequence[str]]) -> Json:
    """A submitted component: what the person wrote, without the decoration."""
    kept: Json = {key: component[key] for key in ("type", "id", "custom_id") if key in component}
    if "components" in component:
        return kept | {"components": [_filled(one, values) for one in component["components"]]}
    if "component" in component:
        return kept | {"component": _filled(component["component"], values)}
    if component["type"] == TEXT_INPUT:
        return kept | {"value": _written(component, values)}
    if "custom_id" in component:
        chosen = values.get(component["custom_id"], _preset(component))
        kept["values"] = [chosen] if isinstance(chosen, str) else list(chosen)
        _check_values(component, kept["values"])
    return kept


def _preset(select: Json) -> list[str]:
    return [option["value"] for option in select.get("options") or [] if option.get("default")]


def _written(field: Json, values: Mapping[str, str | Sequence[str]]) -> str:
    text = str(values.get(field["custom_id"], field.get("value") or ""))
    least, most = field.get("min_length", 0), field.get("max_length", 4_000)
    if (field.get("required", True) and not text) or not (least <= len(text) <= most or not text):
        raise ValueError(f"Field {field['custom_id']} takes {max(least, 1)} to {most} characters.")
    return text
