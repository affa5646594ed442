"""A host of horrors: each row of it ends as it should, nothing leaves its folder, and nobody is asked who may not be.

The crawls know a resolver that leads two names to this machine, are told to go to every forbidden address without a
proxy, and a server listens there: what it does not hear, nobody was sent.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from imagecrawl.storage import JOINERS
from settings.base import TEXT_MAX_LENGTH
from tests.crawling import Crawl, crawl
from tests.network.canary import Canary, serving
from tests.network.test_direct import has_ipv6
from tests.replica import Replica, horrors
from tests.replica.exchange import LoggedRequest
from tests.replica.horror_addresses import FORBIDDEN, OTHER_SCHEMES
from tests.replica.horror_answers import SECRET
from tests.replica.horror_rows import FLAWS, HORRORS, Horror
from tests.replica.horrors import PAGES, Page

PROXY_SECRET = "hunter2-of-the-proxy"
FAST = tuple(horror for horror in HORRORS if not horror.is_slow)
SLOW = tuple(horror for horror in HORRORS if horror.is_slow)
SHOWN = tuple(horror for horror in FAST if not horror.keyword)
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode."""
PLACE = re.compile(r"[^/.][^/]*/\d+/[0-9a-f]{20}\.\w{3,4}")
DIRECT = ",".join(sorted({host.strip("[]").lower().rstrip(".") for host in FORBIDDEN.values()}))
SETTINGS = ("-s", "DNS_RESOLVER=tests.network.names.Names", "-s", "DOWNLOAD_BIND_ADDRESS=127.0.0.1")
"""No connection may leave this machine: one to another fails at once."""


@dataclass(frozen=True)
class Lab:
    """A crawl of the horrors, and what it left behind in a folder of a folder of ``folder``."""

    folder: Path
    done: Crawl
    log: list[LoggedRequest]
    said: str
    """All that it said: on the terminal, and in the log."""
    heard: int
    """Connections to this machine."""

    @property
    def ends(self) -> dict[str, tuple[str, str | None]]:
        """Outcome and reason of each horror that has a line."""
        return {name_of(line): (line["outcome"], line["reason"]) for line in self.done.items}


def name_of(line: dict[str, Any]) -> str:
    return horrors.name_in(line["image_urls"][0]) or line["alt"]


def visit(folder: Path, spider: str, *words: str, env: dict[str, str] | None = None) -> Lab:
    """A crawl; ``PORT`` in its words and in lists is that of the server that nobody may reach."""
    canary = Canary("::" if has_ipv6() else "0.0.0.0")
    with serving(canary), Replica(flaws=FLAWS) as replica:
        port = str(canary.server_port)
        for path in folder.glob("*.jsonl"):
            path.write_text(path.read_text("utf-8").replace("PORT", port), "utf-8")
        proxy = replica.proxy_url.replace("//", f"//someone:{PROXY_SECRET}@")
        done = crawl(
            folder / "one" / "two" / "data",
            *(word.replace("PORT", port) for word in words),
            *SETTINGS,
            spider=spider,
            env={**replica.environment(), "http_proxy": proxy, "https_proxy": proxy, "no_proxy": DIRECT, **(env or {})},
        )
        log = replica.requests
    assert "Traceback" not in done.stderr, done.stderr
    logs = [path.read_text("utf-8") for path in folder.glob("*.log")]
    return Lab(folder, done, log, "\n".join([done.stdout, done.stderr, *logs]), canary.connections)


def listed(folder: Path, rows: Iterable[Horror]) -> Path:
    """The horrors as a list."""
    path = folder / "list.jsonl"
    lines = ({"url": row.url, "keyword": row.keyword or "horrors", "caption": row.alt or row.name} for row in rows)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def home(folder: Path) -> dict[str, str]:
    """Folders of a user: a crawl that writes elsewhere might write there."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    return {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}


@pytest.fixture(scope="module")
def by_list(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The crawl of a list, with its log in a file."""
    folder = tmp_path_factory.mktemp("list")
    words = (f"file={listed(folder, FAST)}", "-L", "DEBUG", "-s", f"LOG_FILE={folder / 'crawl.log'}")
    return visit(folder, "urls", *words, env=home(folder))


@pytest.fixture(scope="module")
def by_page(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The crawl of the gallery and of all pages that cannot be read, with its log at the terminal."""
    folder = tmp_path_factory.mktemp("page")
    pages = " ".join([horrors.GALLERY, *(page.url for page in PAGES)])
    return visit(folder, "site", f"url={pages}", "-L", "DEBUG", env=home(folder))


@pytest.fixture(params=["by_list", "by_page"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each of the two crawls."""
    found: Lab = request.getfixturevalue(request.param)
    return found


# Each row


@pytest.mark.parametrize("horror", FAST, ids=lambda horror: horror.name)
def test_in_a_list_it_ends_as_it_should(by_list: Lab, horror: Horror) -> None:
    assert by_list.ends.get(horror.name) == horror.end


@pytest.mark.parametrize("horror", SHOWN, ids=lambda horror: horror.name)
def test_on_a_page_it_ends_as_it_should(by_page: Lab, horror: Horror) -> None:
    assert by_page.ends.get(horror.name) == (horror.end if horror.on_page else None)


def test_there_are_no_others(by_list: Lab, by_page: Lab) -> None:
    assert set(by_list.ends) <= {horror.name for horror in FAST}
    assert set(by_page.ends) <= {horror.name for horror in SHOWN}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_horrors_is_named_with_the_reason(by_page: Lab, page: Page) -> None:
    [line] = [line for line in by_page.said.splitlines() if f" ERROR: {page.host}: " in line]
    assert page.said in line


@pytest.mark.parametrize("scheme", sorted({url.partition(":")[0] for url in OTHER_SCHEMES.values()}))
def test_a_line_of_another_scheme_is_said_to_be_bad(by_list: Lab, scheme: str) -> None:
    assert f": `{scheme}:` is not http:, https: or data:" in by_list.said


def test_the_crawl_goes_on_and_says_how_it_ended(by_list: Lab, by_page: Lab) -> None:
    assert (by_list.done.code, by_page.done.code) == (0, 3)


# Nobody is asked who may not be


def test_no_forbidden_address_is_contacted(lab: Lab) -> None:
    assert lab.heard == 0
    assert {request.host for request in lab.log} <= set(horrors.sites())


def test_nothing_is_asked_of_who_wants_no_robots(lab: Lab) -> None:
    closed = {request.url for request in lab.log if request.host.startswith(("forbidden.", "silent.", "reserved."))}
    assert {urlsplit(url).path for url in closed} == {"/robots.txt"}


def test_no_cookie_comes_back_and_no_login_is_sent(lab: Lab) -> None:
    sent = Counter(name for request in lab.log for name in request.headers)
    assert sent["user-agent"] == len(lab.log)
    assert not sent.keys() & {"cookie", "authorization", "proxy-authorization"}


# What strangers wrote


def obeyed(text: str) -> set[str]:
    """The characters of a text that a terminal would obey."""
    return {char for char in text if char not in JOINERS and unicodedata.category(char) in OBEYED}


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            yield from texts(each)


def test_nothing_that_is_said_commands_a_terminal(lab: Lab) -> None:
    assert obeyed(lab.said) == {"\n"}


def test_nothing_in_the_feed_commands_a_terminal(lab: Lab) -> None:
    shown = [{**line, "keyword": ""} for line in lab.done.items]  # a list's own, as it stands: it is made safe in paths
    found = {text for line in shown for text in texts(line) if obeyed(text)}
    assert not found


def test_no_line_of_the_log_is_forged(lab: Lab) -> None:
    assert any("forged" in text for line in lab.done.items for text in texts(line))
    assert not re.search(r"^\W*2026-11-21 20:00:00", lab.said, re.MULTILINE)


def test_texts_are_bounded(lab: Lab) -> None:
    words = [line[name] for line in lab.done.items for name in ("title", "alt", "caption") if line[name]]
    assert 1000 <= max(map(len, words)) <= TEXT_MAX_LENGTH


def test_every_picture_lies_where_pictures_lie(lab: Lab) -> None:
    places = [path.relative_to(lab.done.data / "images").as_posix() for path in lab.done.pictures]
    assert places
    assert not [place for place in places if obeyed(place) or not PLACE.fullmatch(place)]


def test_nothing_is_written_outside_the_folder_of_data(lab: Lab) -> None:
    given = {"list.jsonl", "crawl.log", "home", "tmp", "one", "one/two", "one/two/data"}
    found = {path.relative_to(lab.folder).as_posix() for path in lab.folder.rglob("*")}
    assert not {path for path in found - given if not path.startswith("one/two/data/")}


def test_no_secret_is_said_or_kept(lab: Lab) -> None:
    assert "login" in lab.ends
    for secret in (SECRET, PROXY_SECRET):
        assert secret not in lab.said
        kept = [path for path in lab.done.data.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert not kept


# What takes its time


@pytest.mark.slow
def test_who_is_slow_is_given_up(tmp_path: Path) -> None:
    settings = ("-s", "DOWNLOAD_TIMEOUT=15", "-s", "RETRY_TIMES=0")
    lab = visit(tmp_path, "urls", f"file={listed(tmp_path, SLOW)}", *settings)
    assert lab.ends == {horror.name: horror.end for horror in SLOW}


@pytest.mark.slow
def test_the_browser_contacts_no_forbidden_address_either(tmp_path: Path) -> None:
    pages = " ".join([horrors.GALLERY, horrors.LIVE, *(page.url for page in PAGES)])
    lab = visit(tmp_path, "site", f"url={pages}", "render=1", "-s", "BROWSER_VERIFY_TLS=False")
    assert lab.heard == 0
    assert {request.host for request in lab.log} <= set(horrors.sites())
    assert lab.ends["of-the-live-page"] == ("stored", None)
    assert lab.ends.items() >= {horror.name: horror.end for horror in SHOWN if horror.on_page and horror.end}.items()
    for page in PAGES:
        assert f" ERROR: {page.host}: " in lab.said
