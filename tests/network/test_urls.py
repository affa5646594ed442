"""The one spelling of whom an address asks."""

from __future__ import annotations

import pytest

from imagecrawl.network.urls import authority


@pytest.mark.parametrize(
    ("url", "whom"),
    [
        ("https://a.example/x", "a.example"),
        ("https://A.Example", "a.example"),
        ("https://a.example:443/", "a.example"),
        ("https://a.example:0443/", "a.example"),
        ("http://a.example:80/", "a.example"),
        ("http://a.example:/", "a.example"),
        ("HTTP://a.example./", "a.example"),
        ("https://a.example.:443/", "a.example"),
        ("https://me:word@a.example/", "a.example"),
        ("https://a.example:80/", "a.example:80"),
        ("http://a.example:443/", "a.example:443"),
        ("https://a.example.:8443/", "a.example:8443"),
        ("https://[::1]/", "[::1]"),
        ("https://[::1]:443/", "[::1]"),
        ("https://[::1]:8443/", "[::1]:8443"),
        ("data:,x", ""),
        ("about:blank", ""),
        ("http:///x", ""),
    ],
)
def test_every_spelling_of_whom_an_address_asks_is_one(url: str, whom: str) -> None:
    assert authority(url) == whom
