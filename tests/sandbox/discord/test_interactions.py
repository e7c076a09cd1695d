"""Commands, menus, buttons and modals work through the real discord.py, in time and too late."""

from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord import File, Interaction, LocalDiscord, Permission, shown


class Ask(discord.ui.Modal, title="Ask Bobbin"):
    question: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Question", custom_id="question", max_length=100)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(f"You asked: {self.question.value}")


class Buttons(discord.ui.View):
    @discord.ui.button(label="Stop", custom_id="stop")
    async def stop_it(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="Stopped.", view=None)

    @discord.ui.button(label="Retry", custom_id="retry")
    async def retry(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()
        await interaction.followup.send("Again!", ephemeral=True)

    @discord.ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(Ask())


async def settled(local: LocalDiscord, asked: Interaction) -> None:
    await local.wait_for(lambda: asked.answered)


def furnish(bot: Any) -> None:
    tree: app_commands.CommandTree[Any] = bot.tree

    @tree.command(description="Ask a question")
    @app_commands.describe(question="What", private="Only for me")
    async def ask(interaction: discord.Interaction[Any], question: str, private: bool = False) -> None:  # noqa: FBT001, FBT002
        await interaction.response.defer(ephemeral=private, thinking=True)
        await interaction.edit_original_response(content=f"{question} Because.")
        await interaction.followup.send("Anything else?")

    preset = app_commands.Group(name="preset", description="Presets")

    @preset.command(name="set", description="Choose")
    async def choose(interaction: discord.Interaction[Any], model: str, who: discord.Member | None = None) -> None:
        await interaction.response.send_message(f"{model} for {who}", ephemeral=True, view=Buttons())

    @choose.autocomplete("model")
    async def models(_: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one) for one in ("fast", "fair", "slow") if one.startswith(typed)]

    @tree.context_menu(name="Ask Bobbin about this")
    async def about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_message(f"About: {message.content}")

    @tree.command(description="Never answers")
    async def sleep(interaction: discord.Interaction[Any]) -> None: ...

    @tree.command(description="Waits until somebody says go")
    async def wait(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        bot.waiting = interaction

    tree.add_command(preset)


@pytest.fixture
async def shop(bot: Any) -> Any:
    furnish(bot)
    await bot.tree.sync()
    return bot


async def test_commands_are_registered_and_keep_their_ids(local: LocalDiscord, shop: Any) -> None:
    first = {command.name: command.id for command in await shop.tree.fetch_commands()}
    again = {command.name: command.id for command in await shop.tree.sync()}
    assert set(first) == {"ask", "preset", "sleep", "wait", "Ask Bobbin about this"}
    assert first == again


async def test_a_slash_command_thinks_answers_and_follows_up(local: LocalDiscord, shop: Any) -> None:
    asked = await local.slash("ben", "general", "ask", question="Why?")
    await local.wait_for(lambda: len(asked.messages) == 2)
    answer, more = asked.messages
    assert [view.content for view in answer.history] == ["", "Why? Because."]
    assert (answer.is_ephemeral, more.content, more.reply_to is not None) == (False, "Anything else?", True)
    assert not asked.thinking
    assert answer in local.messages("general")


async def test_thinking_is_seen(local: LocalDiscord, shop: Any) -> None:
    asked = await local.slash("ben", "general", "wait")
    await local.wait_for(lambda: asked.thinking)
    assert asked.response is not None
    assert shown(asked.response) == "bobbin is thinking…"
    await shop.until(lambda: hasattr(shop, "waiting"))
    await shop.waiting.followup.send("awake")
    assert asked.messages == [asked.response]
    assert asked.response.content == "awake"


async def test_an_ephemeral_answer_is_seen_by_one_person_and_not_by_rest(local: LocalDiscord, shop: Any) -> None:
    asked = await local.slash("ben", "general", "ask", question="Secret?", private=True)
    await local.wait_for(lambda: len(asked.messages) == 2)
    assert asked.ephemeral
    assert asked.messages[0].only_for == local.user("ben").id
    channel = shop.get_channel(local.channel("general").id)
    with pytest.raises(discord.NotFound):
        await channel.fetch_message(asked.messages[0].id)


async def test_a_subcommand_with_typed_options_and_autocomplete(local: LocalDiscord, shop: Any) -> None:
    choices = await local.autocomplete("ben", "general", "preset set", focused="model", model="fa")
    assert [choice["value"] for choice in choices] == ["fast", "fair"]
    asked = await local.slash("ben", "general", "preset set", model="fast", who="ada")
    await settled(local, asked)
    assert asked.messages[0].content == "fast for ada"


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("nonsense", {}, "no command /nonsense"),
        ("ask", {}, "needs question"),
        ("ask", {"question": 3}, "wants str"),
        ("ask", {"question": "a", "colour": "b"}, "no option colour"),
        ("preset", {"model": "a"}, "subcommands: set"),
        ("preset get", {"model": "a"}, "no subcommand"),
    ],
)
async def test_what_is_not_registered_cannot_be_used(
    local: LocalDiscord, shop: Any, command: str, options: Any, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        await local.slash("ben", "general", command, **options)


async def test_a_message_command_gets_the_whole_message(local: LocalDiscord, shop: Any) -> None:
    said = await local.say("ada", "general", "wool is warm")
    asked = await local.menu("ben", said, "Ask Bobbin about this")
    await settled(local, asked)
    assert asked.messages[0].content == "About: wool is warm"


async def test_buttons_edit_defer_and_open_modals(local: LocalDiscord, shop: Any) -> None:
    sent = await shop.get_channel(local.channel("general").id).send("Answering", view=Buttons())
    message = local.messages("general")[-1]
    assert "[Stop] [Retry] [Ask]" in shown(message)

    retried = await local.click("ben", message, "Retry")
    await local.wait_for(lambda: retried.followups)
    assert retried.followups[0].is_ephemeral
    assert not retried.answered

    opened = await local.click("ben", message, "ask")
    await local.wait_for(lambda: opened.modal)
    with pytest.raises(ValueError, match="question"):
        await local.submit(opened, question="")
    submitted = await local.submit(opened, question="Why?")
    await local.wait_for(lambda: submitted.answered)
    assert submitted.messages[0].content == "You asked: Why?"

    stopped = await local.click("ben", message, "stop")
    await local.wait_for(lambda: stopped.answered)
    assert (message.id, message.content, message.components) == (sent.id, "Stopped.", [])
    with pytest.raises(ValueError, match="stop"):
        await local.click("ben", message, "stop")


async def test_who_does_not_answer_in_time_did_not_respond(local: LocalDiscord, shop: Any) -> None:
    local.faults.interaction_deadline = 0.05
    asked = await local.slash("ben", "general", "sleep")
    await local.wait_for(lambda: asked.failed)
    assert asked.error == "The application did not respond"


async def test_an_answer_too_late_is_refused(local: LocalDiscord, shop: Any) -> None:
    local.faults.interaction_deadline, local.faults.interaction_delay = 0.02, 0.1
    asked = await local.slash("ben", "general", "ask", question="Late?")
    await local.wait_for(lambda: any(call.status == 404 for call in local.calls))
    await local.wait_for(lambda: asked.failed)
    late = [call for call in local.calls if call.status == 404]
    assert late[0].route == "POST /interactions/{interaction_id}/{token}/callback"
    assert asked.messages == []


async def test_a_token_out_of_date_opens_nothing(local: LocalDiscord, shop: Any) -> None:
    asked = await local.slash("ben", "general", "wait")
    await local.wait_for(lambda: asked.thinking)
    await shop.until(lambda: hasattr(shop, "waiting"))
    local.expire_tokens()
    with pytest.raises(discord.HTTPException) as refused:
        await shop.waiting.edit_original_response(content="too late")
    assert (refused.value.status, refused.value.code) == (401, 50027)


async def test_an_interaction_is_acknowledged_once(local: LocalDiscord, shop: Any, rest: Any) -> None:
    asked = await local.slash("ben", "general", "wait")
    await local.wait_for(lambda: asked.acknowledged)
    path = f"interactions/{asked.id}/{asked.token}/callback"
    async with rest.post(path, json={"type": 5}) as response:
        assert (response.status, (await response.json())["code"]) == (400, 40060)
    async with rest.post("interactions/1/x/callback", json={"type": 5}) as response:
        assert (response.status, (await response.json())["code"]) == (404, 10062)


async def test_commands_work_in_dms_and_threads(local: LocalDiscord, shop: Any) -> None:
    thread = await local.start_thread("ben", "general", "Side")
    for place in (local.open_dm("ben"), thread):
        asked = await local.slash("ben", place, "ask", question="Here?")
        await settled(local, asked)
        assert asked.messages[0].channel is place


async def test_every_type_of_option_arrives_as_what_it_is(local: LocalDiscord, bot: Any) -> None:
    tree: app_commands.CommandTree[Any] = bot.tree

    @tree.command(description="Takes all kinds")
    async def kinds(
        interaction: discord.Interaction[Any],
        *,
        place: discord.TextChannel,
        file: discord.Attachment,
        role: discord.Role,
        number: app_commands.Range[int, 1, 5],
        person: discord.User,
    ) -> None:
        read = (await file.read()).decode()
        await interaction.response.send_message(f"{place} {file.filename} {read} {role} {number} {person}")

    await tree.sync()
    given = {"place": "random", "file": File("a.txt", b"yarn"), "role": "keepers", "person": "ben"}
    asked = await local.slash("ada", "general", "kinds", number=3, **given)
    await settled(local, asked)
    assert asked.messages[0].content == "random a.txt yarn keepers 3 ben"
    with pytest.raises(ValueError, match="between 1 and 5"):
        await local.slash("ada", "general", "kinds", number=6, **given)


class Choices(discord.ui.LayoutView):
    text: discord.ui.TextDisplay[Any] = discord.ui.TextDisplay("Choose a yarn")
    row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()

    @row.select(custom_id="yarn", options=[discord.SelectOption(label="Wool"), discord.SelectOption(label="Silk")])
    async def choose(self, interaction: discord.Interaction[Any], select: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"{select.values[0]} it is")


async def test_a_layout_with_a_select_is_shown_and_chosen_from(local: LocalDiscord, bot: Any) -> None:
    await bot.get_channel(local.channel("general").id).send(view=Choices())
    message = local.messages("general")[0]
    assert shown(message) == "Choose a yarn\n[choose ▾]"
    with pytest.raises(ValueError, match="offers"):
        await local.click("ben", message, "yarn", values=["Cotton"])
    chosen = await local.click("ben", message, "yarn", values=["Silk"])
    await settled(local, chosen)
    assert chosen.messages[0].content == "Silk it is"


@pytest.fixture
async def brought(bot: Any) -> Any:
    """A bot that people may add to their own account."""
    tree: app_commands.CommandTree[Any] = bot.tree

    @tree.command(description="Ask a question")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def ask(interaction: discord.Interaction[Any], file: discord.Attachment | None = None) -> None:
        bot.heard = interaction, file
        await interaction.response.send_message("Here.")

    @tree.command(description="Only where the bot is")
    async def stay(interaction: discord.Interaction[Any]) -> None: ...

    await bot.tree.sync()
    return bot


async def test_who_has_added_the_bot_brings_it_along(local: LocalDiscord, brought: Any) -> None:
    lobby, group = local.add_channel_elsewhere("lobby"), local.add_group_dm("us")
    with pytest.raises(ValueError, match="not installed"):
        await local.slash("ben", lobby, "ask")
    local.install("ben")
    for place in (lobby, group):
        with pytest.raises(ValueError, match="not installed"):
            await local.slash("ben", place, "stay")
        asked = await local.slash("ben", place, "ask", file=File("a.png", b"1", "image/png"))
        await settled(local, asked)
        interaction, file = brought.heard
        assert interaction.is_user_integration()
        assert not interaction.is_guild_integration()
        assert (interaction.guild_id is None) == (place is group)
        assert file.filename == "a.png"
        assert local.messages(place) == asked.messages
        with pytest.raises(discord.Forbidden):
            await brought.fetch_channel(place.id)
    assert (await local.slash("ben", "general", "ask")).name == "ask"


async def test_nothing_is_heard_from_where_the_bot_is_not(local: LocalDiscord, brought: Any) -> None:
    local.install("ben")
    lobby = local.add_channel_elsewhere("lobby")
    heard: list[str] = []

    async def on_message(message: discord.Message) -> None:
        heard.append(message.content)

    brought.on_message = on_message
    await local.say("ben", lobby, "unheard")
    asked = await local.slash("ben", lobby, "ask")
    await settled(local, asked)
    await local.say("ben", "general", "heard")
    await brought.until(lambda: heard)
    assert heard == ["heard"]


async def test_there_it_follows_up_five_times(local: LocalDiscord, brought: Any) -> None:
    local.install("ben")
    asked = await local.slash("ben", local.add_channel_elsewhere("lobby"), "ask")
    await settled(local, asked)
    interaction, _ = brought.heard
    for number in range(5):
        await interaction.followup.send(str(number))
    with pytest.raises(discord.HTTPException) as refused:
        await interaction.followup.send("6")
    assert refused.value.code == 40094


async def test_where_external_apps_are_not_welcome_only_who_asks_sees_the_answer(
    local: LocalDiscord, brought: Any
) -> None:
    local.install("ben")
    lobby = local.add_channel_elsewhere("lobby")
    local.world.roles[local.guild_id].permissions &= ~Permission.USE_EXTERNAL_APPS
    asked = await local.slash("ben", lobby, "ask")
    await settled(local, asked)
    assert asked.messages[0].is_ephemeral


@pytest.mark.parametrize(
    "component",
    [
        {"type": 18, "label": "", "component": {"type": 4, "custom_id": "a", "style": 1}},
        {"type": 18, "label": "x" * 46, "component": {"type": 4, "custom_id": "a", "style": 1}},
        {"type": 18, "label": "Question"},
        {"type": 18, "label": "Question", "component": {"type": 4, "custom_id": "a", "style": 3}},
        {"type": 18, "label": "Question", "component": {"type": 4, "custom_id": "a", "style": 1, "value": "x" * 4_001}},
        {"type": 18, "label": "Who", "component": {"type": 3, "custom_id": "a", "options": []}},
    ],
)
async def test_a_modal_that_discord_would_not_show_is_refused(
    local: LocalDiscord, shop: Any, rest: Any, component: Any
) -> None:
    asked = await local.slash("ben", "general", "sleep")
    body = {"type": 9, "data": {"custom_id": "form", "title": "Form", "components": [component]}}
    async with rest.post(f"interactions/{asked.id}/{asked.token}/callback", json=body) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50035)


async def test_a_choice_in_a_modal_is_what_it_was_unless_it_is_changed(
    local: LocalDiscord, shop: Any, rest: Any
) -> None:
    asked = await local.slash("ben", "general", "sleep")
    options = [{"label": "All", "value": "all", "default": True}, {"label": "Me", "value": "me"}]
    choice = {"type": 18, "label": "Who", "component": {"type": 3, "custom_id": "who", "options": options}}
    body = {"type": 9, "data": {"custom_id": "form", "title": "Form", "components": [choice]}}
    async with rest.post(f"interactions/{asked.id}/{asked.token}/callback", json=body) as response:
        assert response.status == 204
    for given, expected in (({}, ["all"]), ({"who": "me"}, ["me"])):
        sent = await local.submit(asked, **given)
        assert sent.data["components"][0]["component"]["values"] == expected
    with pytest.raises(ValueError, match="offers"):
        await local.submit(asked, who="nobody")
