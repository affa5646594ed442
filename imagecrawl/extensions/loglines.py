r"""What others wrote can neither forge a line of the log nor command a terminal, and no secret stands in it."""

from __future__ import annotations

import copy
import logging
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies

from scrapy import signals

from imagecrawl.output import escaped, without_login

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

HIDDEN = "***"

INDENT = "  "
"""Before each line of a message but its first: a line that begins otherwise is the beginning of a message."""

SECRET_NAMES = re.compile(r"(?:^|_)(?:SECRET|PASS|PASSWORD|PASSWD|TOKEN|CREDENTIALS|API_?KEY|KEY)$", re.IGNORECASE)
"""The names of settings and of variables of the environment whose values are secrets."""

BROWSERS = ("PLAYWRIGHT_CDP_URL", "PLAYWRIGHT_CONNECT_URL")
"""The settings that say where a browser is; whoever knows what follows the host may command it."""

SHORTEST = 4
"""Characters of a secret: one that is shorter would hide half of the log, and is none."""

SHORT = 8
"""Characters below which a secret is hidden as a word of its own only."""

_LOGIN = re.compile(r"""(?<=//)[^/?#\s"'<>:@]*:[^/?#\s"'<>]*@""")


class LogLines:
    r"""Formats what the handlers of the root logger show, in a file or on a terminal; the format is Scrapy's settings'.

    - Control and format characters are shown as Python writes them: ``\x1b``, ``\u202e``.
    - A message that was written as one line is one: breaks in what it was filled with are shown as ``\n``. Of others
      (Scrapy's dumps, tables, tracebacks) all lines but the first are indented.
    - Of secrets there is ``***``: the values of settings and variables of the environment with names that say so,
      passwords of proxies, what follows the host where a browser is asked, and the login in any address.
    """

    def __init__(self, secrets: frozenset[str]) -> None:
        self.secrets = secrets
        self.attach()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(frozenset({*secret_settings(crawler.settings), *secret_variables()}))
        crawler.signals.connect(extension.attach, signals.spider_opened)  # since then Scrapy has made its handler anew
        return extension

    def attach(self) -> None:
        for handler in logging.root.handlers:
            handler.setFormatter(LineFormatter.around(handler.formatter, self.secrets))


class LineFormatter(logging.Formatter):
    """Has another formatter show a record that is safe. The record itself stays as it is, for other handlers."""

    def __init__(self, inner: logging.Formatter, secrets: frozenset[str]) -> None:
        super().__init__()
        self.inner = inner
        self.secrets = secrets
        self._hidden = pattern_of(secrets)

    @classmethod
    def around(cls, formatter: logging.Formatter | None, secrets: frozenset[str]) -> Self:
        """Around what a handler has, which may be one of these, for another crawl in this process."""
        if isinstance(formatter, LineFormatter):
            return cls(formatter.inner, formatter.secrets | secrets)
        return cls(formatter or logging.Formatter(), secrets)

    def format(self, record: logging.LogRecord) -> str:
        shown = copy.copy(record)
        message = record.getMessage()
        if "\n" not in str(record.msg):
            message = message.replace("\n", r"\n")
        shown.msg, shown.args = self._safe(message), None
        if record.exc_info or record.exc_text:
            trace = record.exc_text or self.inner.formatException(record.exc_info or (None, None, None))
            shown.exc_text = f"{INDENT}{self._safe(trace)}"
        if record.stack_info:
            shown.stack_info = f"{INDENT}{self._safe(record.stack_info)}"
        return self.inner.format(shown)

    def _safe(self, text: str) -> str:
        if self._hidden:
            text = self._hidden.sub(HIDDEN, text)
        text = _LOGIN.sub(f"{HIDDEN}@", without_login(text, f"{HIDDEN}@"))
        return escaped(text).replace("\n", f"\n{INDENT}")


def secret_settings(settings: BaseSettings) -> Iterator[str]:
    """The secrets among the settings that somebody has set."""
    for name in settings:
        value = settings[name]
        if not isinstance(value, str) or not settings.getpriority(name):
            continue
        if SECRET_NAMES.search(name):
            yield value
        elif name in BROWSERS:
            yield value.partition("://")[2].partition("/")[2]


def secret_variables() -> Iterator[str]:
    """The secrets in the environment."""
    yield from (value for name, value in os.environ.items() if SECRET_NAMES.search(name))
    for proxy in getproxies().values():
        with suppress(ValueError):
            password = urlsplit(proxy if "://" in proxy else f"//{proxy}").password or ""
            yield from (password, unquote(password))


def pattern_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """What finds any of these, as they are, as Python shows them or as an address has them; ``None`` without any."""
    forms = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST
        for form in (secret, repr(secret)[1:-1], quote(secret), quote(secret, safe=""))
    }
    if not forms:
        return None
    return re.compile("|".join(map(_finding, sorted(forms, key=len, reverse=True))))


def _finding(secret: str) -> str:
    words = r"[\s'\"]+".join(map(re.escape, secret.split()))  # long texts stand on several lines in Scrapy's dumps
    return words if len(secret) >= SHORT else rf"(?<!\w){words}(?!\w)"
