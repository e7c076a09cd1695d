from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from core.access import Form, Rules
from core.errors import SetupError
from core.secret_box import SecretBox
from core.sections import Section
from core.settings import MAKE_A_KEY, load


class Telegraph(Section):
    """A chat of our own, to see that any can add its section."""

    token: SecretStr = SecretStr("")
    wire: int = 1


CHATS = {"telegraph": Telegraph}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file and no variable of whoever runs the tests."""
    import os  # noqa: PLC0415

    for name in list(os.environ):
        if name.startswith("BOBBIN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_runs_with_nothing_set() -> None:
    settings = load(CHATS)
    assert settings.named_presets["default"].model
    assert settings.database.url.get_secret_value() == "sqlite:///bobbin.db"
    assert settings.web.health_port is None


def test_the_environment_wins_over_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "bobbin.toml").write_text(
        '[web]\nport = 1\nhealth_port = 3\n[telegraph]\nwire = 7\n[presets.pirate]\ninstructions = "Arr."\n'
    )
    monkeypatch.setenv("BOBBIN_WEB__PORT", "2")
    settings = load(CHATS)
    assert (settings.web.port, settings.web.health_port, settings.section("telegraph").wire) == (2, 3, 7)
    assert settings.named_presets["pirate"].instructions == "Arr."


def test_everything_that_is_wrong_is_said_at_once(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "bobbin.toml").write_text("[upstream]\nidel_timeout = 3\n")
    monkeypatch.setenv("BOBBIN_WEB__PORT", "many")
    monkeypatch.setenv("BOBBIN_UPSTRAM__TOKEN", "x")
    monkeypatch.setenv("BOBBIN_SECRET_KEY", "short")
    monkeypatch.setenv("BOBBIN_TELEGRAPH__WIRE", "long")
    with pytest.raises(SetupError) as wrong:
        load(CHATS)
    lines = wrong.value.sentence.splitlines()
    assert len(lines) == 5
    for name in (
        "idel_timeout",
        "BOBBIN_WEB__PORT",
        "BOBBIN_UPSTRAM__TOKEN",
        "BOBBIN_SECRET_KEY",
        "BOBBIN_TELEGRAPH__WIRE",
    ):
        assert name in wrong.value.sentence


def test_a_secret_in_the_file_is_refused_and_not_repeated(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text('[upstream]\ntoken = "hush-hush"\n')
    with pytest.raises(SetupError, match="BOBBIN_UPSTREAM__TOKEN") as wrong:
        load(CHATS)
    assert "hush" not in wrong.value.sentence


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOBBIN_SECRET_KEY", "hush-hush")
    with pytest.raises(SetupError) as wrong:
        load(CHATS)
    assert "hush" not in wrong.value.sentence


def test_a_key_can_be_made_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    made = subprocess.run(["/bin/sh", "-c", MAKE_A_KEY], capture_output=True, check=True, text=True)  # noqa: S603
    monkeypatch.setenv("BOBBIN_SECRET_KEY", made.stdout.strip())
    assert SecretBox.of(load(CHATS).secret_key.get_secret_value()).lasts


def test_a_file_that_is_no_toml_is_said(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text("this is = = not")
    with pytest.raises(SetupError, match=r"bobbin\.toml"):
        load(CHATS)


def test_every_secret_is_known_to_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOBBIN_UPSTREAM__TOKEN", "hush-1")
    monkeypatch.setenv("BOBBIN_TELEGRAPH__TOKEN", "hush-2")
    monkeypatch.setenv("BOBBIN_DATABASE__URL", "postgresql://bobbin:hush-4@127.0.0.1/bobbin?sslpassword=hush-5")
    monkeypatch.setenv("BOBBIN_UPSTREAM__URL", "https://somebody:hush-6@upstream.test")
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:hush-7@proxy.test:3128")
    secrets = set(load(CHATS).secrets)
    assert {"hush-1", "hush-2", "hush-4", "hush-5", "hush-6", "hush-7"} <= secrets
    assert not any("127.0.0.1" in secret for secret in secrets)


def test_a_secret_may_come_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "bobbin_telegraph__token").write_text("hush-3")
    assert load(CHATS, secrets=tmp_path).section("telegraph").token.get_secret_value() == "hush-3"


def test_there_may_be_several_tokens_and_the_log_knows_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOBBIN_UPSTREAM__TOKEN", "hush-1")
    monkeypatch.setenv("BOBBIN_UPSTREAM__TOKENS", "hush-2, hush-1,, hush-3")
    settings = load(CHATS)
    assert settings.upstream.every_token == ["hush-1", "hush-2", "hush-3"]
    assert {"hush-1", "hush-2", "hush-3"} <= set(settings.secrets)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("https://bobbin.example.com", "https://bobbin.example.com"),
        ("https://example.com:8443/bobbin/", "https://example.com:8443/bobbin"),
        ("http://127.0.0.1:0", "http://127.0.0.1:0"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://bobbin.example.com", None),  # anybody on the way could read the files
        ("bobbin.example.com", None),
        ("https://", None),
        ("https://user:word@example.com", None),
        ("https://example.com?x", None),
        ("https://example.com#x", None),
        ("https://example.com:nine", None),
        ("https://[", None),
        ("ftp://example.com", None),
    ],
)
def test_where_the_world_reaches_the_web_server(
    monkeypatch: pytest.MonkeyPatch, written: str, read: str | None
) -> None:
    monkeypatch.setenv("BOBBIN_WEB__PUBLIC_URL", written)
    if read is not None:
        assert load({}).web.public_url == read
        return
    with pytest.raises(
        SetupError, match=r"web\.public_url: write where the world reaches this web server, such as https"
    ):
        load({})


def test_the_deployments_own_models_are_known_and_come_first(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text(
        '[upstream]\nmodels = ["new-1", "o3"]\n[presets.default]\nmodel = "ours-1"\nfallbacks = ["ours-2"]\n'
    )
    models = load({}).models
    assert models.names[:4] == ("ours-1", "ours-2", "new-1", "o3")
    assert models.known("NEW-1") == "new-1"
    assert models.known("gpt-5.1") == "gpt-5.1"


def test_a_preset_names_its_fallbacks(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text(
        '[presets.default]\nfallbacks = ["o3", "grok-3"]\n[presets.alone]\nfallbacks = []\n[presets.open]\n'
    )
    presets = load(CHATS).named_presets
    assert presets["default"].fallbacks == ("o3", "grok-3")
    assert presets["alone"].fallbacks == ()
    assert presets["open"].fallbacks is None


class Semaphore(Section):
    """A chat that says how its platform writes ids."""

    forms: ClassVar = {
        "people": Form(re.compile("P[0-9]+"), "P123 (Semaphore)"),
        "channels": Form(re.compile("H[0-9]+"), "H123 (Semaphore)"),
    }


SIGNALS: dict[str, type[Section]] = {"semaphore": Semaphore, "telegraph": Telegraph}


def test_ids_of_who_may_ask_come_as_lists_words_and_numbers(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "bobbin.toml").write_text(
        '[access]\nallow_people = ["P1", 123]\nallow_channels = ["direct"]\nguests = false\nbots = []\n'
    )
    monkeypatch.setenv("BOBBIN_ACCESS__DENY_PEOPLE", "P2, P3")
    access = load(CHATS).access
    assert access.allow_people == ("P1", "123")
    assert access.rules == Rules(
        allow_people=frozenset({"P1", "123"}),
        deny_people=frozenset({"P2", "P3"}),
        allow_channels=frozenset({"direct"}),
        guests=False,
    )


def test_an_id_that_can_be_none_is_named_with_what_one_looks_like(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text(
        '[access]\nallow_people = ["P1", "@ada"]\ndeny_channels = ["#general", "direct", "H1"]\ndeny_roles = ["direct"]\n'
    )
    with pytest.raises(SetupError) as refusal:
        load(SIGNALS)
    assert str(refusal.value).splitlines() == [
        'access.allow_people: "@ada" is no id of people; such an id looks like P123 (Semaphore)',
        'access.deny_roles: "direct" is no id of roles; no platform here has any',
        'access.deny_channels: "#general" is no id of channels; such an id looks like H123 (Semaphore)',
    ]


@pytest.mark.parametrize("preset", [f"[presets.{'x' * 65}]", f'[presets.a]\nmodel = "{"x" * 201}"'])
def test_names_are_no_longer_than_the_tables_have_room_for(elsewhere: Path, preset: str) -> None:
    (elsewhere / "bobbin.toml").write_text(preset)
    with pytest.raises(SetupError, match="at most"):
        load(CHATS)


def test_a_limit_that_lets_nothing_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOBBIN_UPSTREAM__IN_FLIGHT", "0")
    monkeypatch.setenv("BOBBIN_UPSTREAM__PER_SECOND", "0")
    with pytest.raises(SetupError, match=r"(?s)IN_FLIGHT.*PER_SECOND"):
        load(CHATS)


def test_the_file_that_is_named_is_read_and_no_other(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for port, name in enumerate(("sample", "bobbin", "variable", "option"), 1):
        (elsewhere / f"{name}.toml").write_text(f"[web]\nport = {port}\n")
    sample, option = elsewhere / "sample.toml", elsewhere / "option.toml"
    assert load(CHATS, sample=sample).web.port == 2
    monkeypatch.setenv("BOBBIN_CONFIG", "variable.toml")
    found = load(CHATS, sample=sample)
    assert (found.web.port, found.origin) == (3, str(elsewhere / "variable.toml"))
    monkeypatch.setenv("BOBBIN_LOG__LEVEL", "INFO")
    found = load(CHATS, file=option, sample=sample)
    assert (found.web.port, found.origin) == (4, f"{option} and 1 environment variable")
    (elsewhere / "bobbin.toml").unlink()
    monkeypatch.delenv("BOBBIN_CONFIG")
    assert load(CHATS, sample=sample).web.port == 1
    assert load(CHATS).origin == "defaults and 1 environment variable"


@pytest.mark.parametrize("by_option", [True, False])
def test_a_named_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, *, by_option: bool) -> None:
    if not by_option:
        monkeypatch.setenv("BOBBIN_CONFIG", "gone.toml")
    with pytest.raises(SetupError, match=r"no file gone\.toml"):
        load(CHATS, file=Path("gone.toml") if by_option else None)


def test_a_folder_in_the_files_place_is_said(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").mkdir()
    with pytest.raises(SetupError, match="is a folder"):
        load(CHATS)


def test_files_that_are_no_text_are_said_by_name(elsewhere: Path) -> None:
    secret = elsewhere / "bobbin_telegraph__token"
    for path in (elsewhere / "bobbin.toml", secret):
        path.write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match=r"(?s)bobbin.toml is not text.*telegraph__token is not text"):
        load(CHATS, secrets=elsewhere)


def test_a_secret_in_a_file_wins_over_the_settings_file(elsewhere: Path) -> None:
    (elsewhere / "bobbin.toml").write_text('[database]\nurl = "sqlite:///written.db"\n')
    (elsewhere / "BOBBIN_DATABASE__URL").write_text("postgresql://bobbin:hush-5@127.0.0.1/bobbin")
    assert load(CHATS, secrets=elsewhere).is_on_postgresql


def test_a_secret_file_that_nobody_reads_is_said(elsewhere: Path) -> None:
    (elsewhere / "bobbin_telegrph__token").write_text("hush-6")
    with pytest.raises(SetupError, match="bobbin_telegrph__token: there is no setting") as wrong:
        load(CHATS, secrets=elsewhere)
    assert "hush" not in wrong.value.sentence
