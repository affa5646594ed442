"""Lines of the log: no secrets in them, and nothing that a page could make of them."""

from __future__ import annotations

import io
import logging
import os
import pprint
from collections.abc import Iterator
from typing import Any

import pytest
from scrapy.utils.test import get_crawler

from imagecrawl.extensions.loglines import LineFormatter, LogLines, pattern_of

EVIL = "cats\x1b[2J\u202egpj\x9b31m\u200b\r\n2026-01-01 [root] ERROR: forged\u2028\x00\ud800"
SHOWN = r"cats\x1b[2J\u202egpj\x9b31m\u200b\r\n2026-01-01 [root] ERROR: forged\u2028\x00\ud800"
SECRET = "mark/er se'cret\\42"


@pytest.fixture
def handler() -> Iterator[logging.StreamHandler[io.StringIO]]:
    """A handler of the root logger that shows a message as it is, and nothing else."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = [(other, other.formatter) for other in logging.root.handlers]
    logging.root.addHandler(handler)
    yield handler
    logging.root.removeHandler(handler)
    for other, formatter in before:
        other.setFormatter(formatter)


def crawl(**settings: Any) -> LogLines:
    return LogLines.from_crawler(get_crawler(settings_dict=settings))


def shown(handler: logging.StreamHandler[io.StringIO], message: str, *args: Any, **options: Any) -> str:
    """What a handler shows of a record, and that the record stays what it was."""
    record = logging.LogRecord("test", logging.INFO, __file__, 1, message, args, options.get("exc_info"))
    record.stack_info = options.get("stack_info")
    before = dict(vars(record))
    text = handler.format(record)
    assert vars(record) == before
    return text


def test_what_commands_a_terminal_is_shown_instead(handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl()
    assert shown(handler, "No page of %s (%d)", EVIL, 7) == f"INFO: No page of {SHOWN} (7)"
    assert shown(handler, "%(a)s", {"a": EVIL}) == f"INFO: {SHOWN}"
    assert shown(handler, "%s", ValueError(EVIL)) == f"INFO: {SHOWN}"
    assert shown(handler, "100% of 👩‍👧\tقطط") == "INFO: 100% of 👩‍👧\tقطط"
    assert shown(handler, "%s", b"bytes\n") == r"INFO: b'bytes\n'"


def test_no_line_of_a_message_looks_like_another_message(handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl()
    dump = pprint.pformat({"finish_reason": "finished", "items": 100, "title": EVIL, "x": "y" * 80})
    for text in (shown(handler, "Dumping:\n%(stats)s", {"stats": dump}), shown(handler, f"Dumping:\n{dump}")):
        first, *others = text.split("\n")
        assert first == "INFO: Dumping:"
        assert others == [f"  {line}" for line in dump.split("\n")]
    said = shown(handler, "Dropped: %s\n%s", EVIL, "the item")
    assert said.split("\n")[1].startswith("  2026-01-01") and said.endswith("\n  the item")


def test_the_text_of_an_exception_is_safe_too(handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl()
    error = ValueError(f"{EVIL} at https://me:secret@a.example/")
    try:
        raise error
    except ValueError:
        text = shown(
            handler, "it failed", exc_info=(ValueError, error, error.__traceback__), stack_info="Stack\n x\x1b"
        )
    lines = text.split("\n")
    assert lines[:2] == ["INFO: it failed", "  Traceback (most recent call last):"]
    assert all(line.startswith("  ") for line in lines[1:])
    assert "\x1b" not in text and r"\x1b[2J" in text and "secret" not in text
    assert lines[-2:] == ["  Stack", r"   x\x1b"]


@pytest.mark.parametrize(
    ("said", "safe"),
    [
        ("GET https://me:secret@a.example/x", "GET https://***@a.example/x"),
        ("ftp://token@a.example", "ftp://***@a.example"),
        ("via //me:p@ss:word@proxy:3128/", "via //***@proxy:3128/"),
        ("https://a.example/@me, mail you@a.example", "https://a.example/@me, mail you@a.example"),
        ("http://a.example:80/x@y", "http://a.example:80/x@y"),
    ],
)
def test_logins_in_addresses_are_hidden(said: str, safe: str, handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl()
    assert shown(handler, "%s", said) == f"INFO: {safe}"


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (("REDDIT_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "FTP_PASSWORD", "MAIL_PASS"), SECRET),
        (("HTTPAUTH_PASS", "MY_API_KEY", "MY_APIKEY", "SITE_CREDENTIALS", "SECRET", "my_token"), SECRET),
        (("PLAYWRIGHT_CDP_URL",), f"wss://host.example/{SECRET}"),
        (("PLAYWRIGHT_CONNECT_URL",), f"ws://host.example:9222/{SECRET}"),
    ],
)
def test_secret_settings_are_hidden(
    names: tuple[str, ...], value: str, handler: logging.StreamHandler[io.StringIO]
) -> None:
    for name in names:
        crawl(**{name: value})
        dump = pprint.pformat({name: value, "OTHER": "x" * 60}, width=20)  # on several lines
        text = shown(handler, "Overridden settings:\n%s", dump)
        assert "marker" not in text.replace("/", "") and "cret" not in text.replace("SECRET", ""), name
        assert "***" in text and "OTHER" in text
        assert "***" in shown(handler, "in an address: %s", "https://a.example/?x=mark%2Fer%20se%27cret%5C42&y")


def test_secrets_of_the_environment_are_hidden(
    handler: logging.StreamHandler[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("https_proxy", "http://me:pass%20word@proxy.example:3128")
    monkeypatch.setenv("http_proxy", "me:other-one@proxy.example:3128")
    crawl()
    assert shown(handler, "with wJalrXUtnFEMI: false") == "INFO: with ***: false"
    assert shown(handler, "%s", "Basic me:pass word, other-one") == "INFO: Basic me:***, ***"
    assert os.environ["PWD"] in shown(handler, "%s", os.environ["PWD"])


def test_what_is_no_secret_stays(handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl(X_TOKEN="key", Y_TOKEN="monkey", REDDIT_CLIENT_ID="public", Z_PASS=True, N_KEY=12345)
    assert shown(handler, "key monkeys public True 12345 guest") == "INFO: key monkeys public True 12345 guest"
    assert shown(handler, "a monkey, 'monkey'") == "INFO: a ***, '***'"


def test_without_secrets_there_is_nothing_to_find() -> None:
    assert pattern_of([]) is pattern_of(["", "abc"]) is None


def test_a_second_crawl_in_the_process_adds_its_secrets(handler: logging.StreamHandler[io.StringIO]) -> None:
    crawl(A_SECRET="first-one")
    crawl(A_SECRET="second-one")
    assert shown(handler, "first-one\nsecond-one") == "INFO: ***\n  ***"
    assert isinstance(handler.formatter, LineFormatter) and not isinstance(handler.formatter.inner, LineFormatter)


def test_a_handler_without_a_format_of_its_own_is_safe_too(handler: logging.StreamHandler[io.StringIO]) -> None:
    handler.setFormatter(None)
    crawl()
    assert shown(handler, "%s", "\x1b") == r"\x1b"
