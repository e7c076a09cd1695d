"""Behind a proxy: Slack, Discord and the AI service are all reached through it, and this machine itself never is."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack
from sandbox.stage import variables as to_join
from sandbox.upstream import Emulator
from tests.e2e.conftest import SECRET_KEY
from tests.faults.bots import Bot, Process

SLACK, DISCORD, UPSTREAM = "slack.test", "discord.test", "upstream.test"  # nobody but the proxy knows where they are
PASSWORD = "pass-the-proxy"
PATIENCE = 40.0  # seconds


class Proxy:
    """Takes CONNECT only, and is the servers that are asked for: with a certificate, in front of the stand-ins."""

    def __init__(self, ports: Mapping[str, int], certificate: Path) -> None:
        self.asked: Counter[str] = Counter()  # connections, by host and port
        self.refused = 0
        self.port = 0
        self._ports = ports
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self._tunnel(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # who asked has gone
        finally:
            writer.close()
            self._open.discard(task)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        allowed = f"Basic {base64.b64encode(f'bobbin:{PASSWORD}'.encode()).decode()}"
        if method != "CONNECT" or allowed not in head:
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        self.asked[target] += 1
        near, far = await asyncio.open_connection("127.0.0.1", self._ports[target.partition(":")[0]])
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._tls)
            done, others = await asyncio.wait(
                [asyncio.create_task(_pass_on(reader, far)), asyncio.create_task(_pass_on(near, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for other in others:
                other.cancel()
            await asyncio.gather(*done, *others, return_exceptions=True)
        finally:
            far.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def certificate(file: Path) -> Path:
    """Write a certificate for all three, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bobbin's tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in (SLACK, DISCORD, UPSTREAM)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@asynccontextmanager
async def bot(
    tmp_path: Path, slack: LocalSlack, discord: LocalDiscord, emulator_url: str, **variables: str
) -> AsyncIterator[Path]:
    """A bot between them, ready; gives the file of its log."""
    log = tmp_path / "bot.log"
    joined = {
        "BOBBIN_UPSTREAM__URL": emulator_url,
        "BOBBIN_UPSTREAM__TOKEN": "emulated",
        "BOBBIN_DATABASE__URL": f"sqlite:///{tmp_path / 'bobbin.db'}",
        "BOBBIN_SECRET_KEY": SECRET_KEY,
        **to_join(slack, discord),
        "BOBBIN_WEB__HOST": "127.0.0.1",
        "BOBBIN_WEB__PORT": "0",
        "BOBBIN_LOG__LEVEL": "DEBUG",
    }
    running = Bot(Process("bot"), joined | variables, log)
    try:
        await running.start()
        yield log
    finally:
        await running.stop()


async def answers(slack: LocalSlack, discord: LocalDiscord) -> None:
    asked = await slack.say("ada", "general", "@bobbin say exactly: one")
    await slack.wait_for(
        lambda: any(one.bot_id and "one" in str(one) for one in slack.messages("general", asked.ts)), PATIENCE
    )
    there = await discord.say("ada", "general", "@bobbin say exactly: two")
    await discord.wait_for(
        lambda: there.thread and any(one.content == "two" for one in discord.messages(there.thread)), PATIENCE
    )


@pytest.mark.timeout(180)
async def test_all_three_are_reached_through_the_proxy(
    tmp_path: Path, local_slack: Any, local_discord: Any, emulator: Emulator
) -> None:
    ports = {
        SLACK: port_of(local_slack.api_url),
        DISCORD: port_of(local_discord.api_url),
        UPSTREAM: port_of(emulator.url),
    }
    # The addresses that they hand out, for sockets and gateways, are those outside as well.
    local_slack._platform.origin = f"https://{SLACK}"
    local_discord.world.base_url = f"https://{DISCORD}"
    known = certificate(tmp_path / "known.pem")
    async with Proxy(ports, known).running() as proxy:
        variables = {
            "HTTPS_PROXY": f"http://bobbin:{PASSWORD}@127.0.0.1:{proxy.port}",
            "NO_PROXY": "example.com",
            "SSL_CERT_FILE": str(known),
        }
        async with bot(tmp_path, local_slack, local_discord, f"https://{UPSTREAM}", **variables) as log:
            await answers(local_slack, local_discord)
    assert set(proxy.asked) == {f"{name}:443" for name in ports}
    assert proxy.asked[f"{SLACK}:443"] >= 2  # the socket is a connection of its own, as the gateway is
    assert proxy.asked[f"{DISCORD}:443"] >= 2
    assert not proxy.refused
    assert PASSWORD not in log.read_text()


@pytest.mark.timeout(180)
async def test_what_is_on_this_machine_is_reached_without(
    tmp_path: Path, local_slack: Any, local_discord: Any, emulator: Emulator
) -> None:
    async with Proxy({}, certificate(tmp_path / "known.pem")).running() as proxy:
        variables = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://127.0.0.1:{proxy.port}")
        async with bot(tmp_path, local_slack, local_discord, emulator.url, **variables):
            await answers(local_slack, local_discord)
    assert not proxy.asked
    assert not proxy.refused
