"""Who is asking, and that nobody else is asked on the way."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from scrapy import Request, Spider, signals
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.downloadermiddlewares.useragent import NOBODY, UserAgentMiddleware
from settings import base
from settings.base import USER_AGENT

PUBLIC = "https://a.example/1.jpg"


def middleware(**settings: Any) -> UserAgentMiddleware:
    return UserAgentMiddleware.from_crawler(get_crawler(settings_dict={"USER_AGENT": USER_AGENT, **settings}))


def sent_by(agent: UserAgentMiddleware, *urls: str) -> list[bytes | None]:
    """What each request says, once it has reached the downloader."""
    requests = [Request(url) for url in urls]
    for request in requests:
        agent.process_request(request)
        agent.crawler.signals.send_catch_log(signals.request_reached_downloader, request=request, spider=None)
    return [request.headers["User-Agent"] for request in requests]


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("you@a.example", b"imagecrawl/0.1.0 (you@a.example)"),
        (" https://a.example/bot\n", b"imagecrawl/0.1.0 (+https://a.example/bot)"),
        ("", b"imagecrawl/0.1.0"),
        (None, b"imagecrawl/0.1.0"),
    ],
)
def test_requests_name_us_and_the_contact(contact: str | None, said: bytes) -> None:
    assert sent_by(middleware(CONTACT=contact), PUBLIC) == [said]


def test_a_name_of_ones_own_is_kept_with_the_contact_where_it_wants_it() -> None:
    assert sent_by(middleware(CONTACT="me@a.example", USER_AGENT="mine/1"), PUBLIC) == [b"mine/1"]
    assert sent_by(middleware(CONTACT="me@a.example", USER_AGENT="mine/1; {contact}"), PUBLIC) == [
        b"mine/1; me@a.example"
    ]
    agent = middleware(CONTACT="me@a.example")
    agent.spider_opened(Spider(name="test"))
    assert sent_by(agent, PUBLIC) == [b"imagecrawl/0.1.0 (me@a.example)"]
    request = Request(PUBLIC, headers={"User-Agent": "its own"})
    agent.process_request(request)
    assert request.headers["User-Agent"] == b"its own"


def test_a_crawl_without_a_contact_warns_once_when_it_asks_the_open_internet(caplog: pytest.LogCaptureFixture) -> None:
    agent = middleware()
    sent_by(agent, "data:,x", "http://127.0.0.1/x", "http://intranet/x", "http://printer.local/")
    assert not caplog.records
    agent.process_request(Request(PUBLIC))  # one that is refused before it is sent
    assert not caplog.records
    sent_by(agent, PUBLIC, PUBLIC, "https://b.example/")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.WARNING, NOBODY)]
    assert "CONTACT" in NOBODY and "\n" not in NOBODY


def test_a_crawl_with_a_contact_does_not_warn(caplog: pytest.LogCaptureFixture) -> None:
    sent_by(middleware(CONTACT="you@a.example"), PUBLIC)
    assert not caplog.records


@pytest.mark.parametrize(
    "contact",
    ["", " ", "you@a.example", "mailto:you@a.example", "https://a.example/bot?x=1#y", "http://a.example:8080/~me/@bot"],
)
def test_an_address_of_mail_or_of_the_web_is_a_contact(contact: str) -> None:
    assert not [*wrong_settings(Settings({**vars(base), "CONTACT": contact}))]


@pytest.mark.parametrize(
    "contact",
    ["me", "https://", "ftp://a.example", "you@a.example\r\nX-Evil: 1", "you@a.example (me)", "you @a.example",
     "ü@a.example", "you\\@a.example", "https://me:secret@a.example/", "https://a.example/\x1b[2J", "a@b@c"],
)  # fmt: skip
def test_what_is_none_is_said_before_the_crawl(contact: str) -> None:
    [line] = wrong_settings(Settings({**vars(base), "CONTACT": contact}))
    assert line.startswith("setting `CONTACT` (or IMAGECRAWL_CONTACT) takes a mail address") and line.isprintable()
    assert "secret" not in line
