"""How Chromium is started. That it works is what the crawls show."""

import asyncio
import os
import shutil
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, MagicMock

import pytest
from playwright.async_api import Browser, Playwright
from playwright.async_api import Error as PlaywrightError
from scrapy.settings import Settings
from scrapy_playwright.handler import Config

from imagecrawl.browser import (
    ARGS,
    NO_WAY_ROUND,
    ChromiumProvider,
    environment_proxy,
    launch_options,
    should_abort,
)
from imagecrawl.exceptions import BrowserError
from imagecrawl.network.gateway import Gateway, Proxy
from imagecrawl.network.proxying import basic


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


LOGIN = basic("me", "p@ss")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"http_proxy": "http://a.example:8080"}, Proxy("a.example", 8080)),
        ({"http_proxy": "http://a.example:1", "https_proxy": "http://b.example:2"}, Proxy("b.example", 2)),
        ({"https_proxy": "http://me:p%40ss@a.example:8080"}, Proxy("a.example", 8080, authorization=LOGIN)),
        ({"https_proxy": "a.example:8080"}, Proxy("a.example", 8080)),
        ({"https_proxy": "http://a.example"}, Proxy("a.example", 80)),
        ({"https_proxy": "https://a.example"}, Proxy("a.example", 443, tls=True)),
        ({"https_proxy": "http://[::1]:8080"}, Proxy("::1", 8080)),
    ],
)
def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: Proxy | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy() == proxy


@pytest.mark.parametrize("address", ["http://me:secret@a.example:port", "socks5://me:secret@a.example:1080", "http://"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("https_proxy", address)
    with pytest.raises(BrowserError) as raised:
        environment_proxy()
    assert str(raised.value) == "https_proxy or http_proxy is not an address such as http://host:8080"
    assert raised.value.__context__ is None


class Chromium:
    """Of Playwright's BrowserType, what starts a browser; it writes down how."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.launched: list[dict[str, Any]] = []

    async def launch(self, **options: Any) -> Browser:
        self.launched.append(options)
        if self.fails and "executable_path" in options:
            raise PlaywrightError("it does not start")
        return cast("Browser", MagicMock())


def launched(chromium: Chromium, launch_options: dict[str, Any]) -> tuple[Gateway | None, dict[str, Any]]:
    """The gateway of a provider, and what Chromium was started with in the end."""

    async def work() -> Gateway | None:
        provider = ChromiumProvider(Config.from_settings(Settings({"PLAYWRIGHT_LAUNCH_OPTIONS": launch_options})))
        provider.playwright = cast("Playwright", SimpleNamespace(chromium=chromium, stop=AsyncMock()))
        await provider.launch_browser()
        await provider.close()
        return provider.gateway

    return asyncio.run(work()), chromium.launched[-1]


@pytest.mark.parametrize("fails", [False, True])
def test_chromium_does_everything_through_the_gateway(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    monkeypatch.setenv("PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK", "1")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    gateway, options = launched(Chromium(fails=fails), {"args": ["--lang=de"]})
    assert gateway
    assert options["proxy"] == {
        "server": f"http://127.0.0.1:{gateway.port}",
        "bypass": "<-loopback>",
        "username": gateway.username,
        "password": gateway.password,
    }
    assert {*ARGS, *NO_WAY_ROUND, "--lang=de"} == {*options["args"]}
    assert ("executable_path" in options) is not fails


def test_a_proxy_that_the_user_names_takes_the_place_of_the_gateway() -> None:
    gateway, options = launched(Chromium(), {"proxy": {"server": "socks5://a.example"}, "args": ["--lang=de"]})
    assert gateway is None
    assert options["proxy"] == {"server": "socks5://a.example"}
    assert options["args"] == [*ARGS, "--lang=de"]


@pytest.mark.parametrize(("user", "sandbox"), [(0, False), (1000, True)])
def test_only_root_goes_without_a_sandbox(monkeypatch: pytest.MonkeyPatch, user: int, sandbox: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert launch_options()["chromium_sandbox"] is sandbox


@pytest.mark.parametrize(
    ("installed", "used"),
    [
        (["google-chrome", "chromium"], "/usr/bin/chromium"),
        (["google-chrome"], "/usr/bin/google-chrome"),
        ([], None),
    ],
)
def test_the_systems_chromium_comes_first(
    monkeypatch: pytest.MonkeyPatch, installed: list[str], used: str | None
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in installed else None)
    assert launch_options().get("executable_path") == used


@pytest.mark.parametrize(
    ("resource_type", "aborted"),
    [("document", False), ("script", False), ("fetch", False), ("image", True), ("font", True), ("media", True)],
)
def test_only_what_a_page_needs_to_show_its_text_is_loaded(resource_type: str, aborted: bool) -> None:
    assert should_abort(SimpleNamespace(resource_type=resource_type)) is aborted  # type: ignore[arg-type]
