"""How Chromium is started. That it works is what the crawls show."""

import os
import shutil
from types import SimpleNamespace

import pytest

from imagecrawl.browser import launch_options, proxy_options, should_abort


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, None),
        ({"http_proxy": "http://a.example:8080"}, {"server": "http://a.example:8080"}),
        (
            {
                "http_proxy": "http://a.example:1",
                "https_proxy": "http://b.example:2",
                "no_proxy": "localhost,c.example",
            },
            {"server": "http://b.example:2", "bypass": "localhost,c.example"},
        ),
        (
            {"https_proxy": "http://me:p%40ss@a.example:8080"},
            {"server": "http://a.example:8080", "username": "me", "password": "p@ss"},
        ),
        ({"https_proxy": "a.example:8080"}, {"server": "http://a.example:8080"}),
        ({"https_proxy": "https://a.example"}, {"server": "https://a.example:443"}),
        ({"https_proxy": "http://[::1]:8080"}, {"server": "http://[::1]:8080"}),
    ],
)
def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], options: dict[str, str] | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_options() == options


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
