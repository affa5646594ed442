"""What spiders have learned from their pages: kept from one crawl to the next, and until it is too old."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import Ledger, Visit
from imagecrawl.memory import Memory
from imagecrawl.visits import Visits
from tests.crawling import ROOT, environment
from tests.pipelines.network import Network

SECONDS = 20
"""How long a test waits for what should come at once, before it fails."""

PAGE = "https://a.example/photos/1"
FACTS = {"photo": {"id": "1", "title": "half \ud83d, \0 and 猫"}, "related": ["/photos/2", None, 1.5]}

T = TypeVar("T")
Begin = Callable[..., Crawler]


def run(scenario: Awaitable[T]) -> T:
    return asyncio.run(asyncio.wait_for(scenario, SECONDS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def begin(path: Path) -> Iterator[Begin]:
    """A crawl on the ledger, its engine a stand-in: ``begin("spider", SETTING=value)``."""
    begun: list[Crawler] = []

    def crawl(spider: str = "walker", **settings: Any) -> Crawler:
        crawler = get_crawler(settings_dict={"LEDGER": str(path), "MEMUSAGE_ENABLED": False, **settings})
        crawler.spider = Spider(spider)
        crawler.engine = Network({})  # type: ignore[assignment]
        begun.append(crawler)
        return crawler

    yield crawl
    for crawler in begun:
        end(crawler)


def end(crawler: Crawler) -> None:
    run(crawler.signals.send_catch_log_async(signals.engine_stopped))


def kept(path: Path, facts: object, visited: str = "2026-11-21T12:00:00+00:00") -> None:
    """A visit in the ledger, whatever its facts are."""
    with closing(Ledger(path)), closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("INSERT OR REPLACE INTO visits VALUES ('walker', ?, ?, ?)", (PAGE, visited, facts))


def test_the_next_crawl_knows_what_a_page_said(begin: Begin) -> None:
    first = begin()
    visits = Visits(first)
    assert run(visits.recall(PAGE)) is None
    run(visits.keep(PAGE, FACTS))
    assert run(visits.recall(PAGE)) == FACTS
    end(first)
    again = Visits(begin())
    assert run(again.recall(PAGE)) == FACTS
    run(again.keep(PAGE, {}))
    assert run(again.recall(PAGE)) == {}, "the latest counts, and nothing learned is something known"


def test_every_spider_has_its_own_visits(begin: Begin) -> None:
    run(Visits(begin("walker")).keep(PAGE, FACTS))
    assert run(Visits(begin("strider")).recall(PAGE)) is None


def test_a_fragment_makes_no_other_page(begin: Begin) -> None:
    visits = Visits(begin())
    run(visits.keep(f"{PAGE}#top", FACTS))
    assert run(visits.recall(f"{PAGE}#end")) == run(visits.recall(PAGE)) == FACTS
    assert run(visits.recall(f"{PAGE}?page=2")) is None


def test_they_are_made_before_the_crawl_has_its_spider(path: Path) -> None:
    crawler = get_crawler(settings_dict={"LEDGER": str(path)})
    visits = Visits(crawler)
    assert not path.exists()
    crawler.spider = Spider("walker")
    run(visits.keep(PAGE, FACTS))
    assert Memory.of(crawler).run == 1, "it is the memory of the crawl"
    end(crawler)


@pytest.mark.parametrize(
    ("days", "ago", "known"),
    [
        (0, timedelta(days=9999), True),
        (30, timedelta(days=30, minutes=-1), True),
        (30, timedelta(days=30, minutes=1), False),
        ("1", timedelta(days=2), False),
    ],
)
def test_pages_grow_old(path: Path, begin: Begin, days: Any, ago: timedelta, known: bool) -> None:
    kept(path, '{"a": 1}', (datetime.now(UTC) - ago).isoformat(timespec="seconds"))
    visits = Visits(begin(REFRESH_DAYS=days))
    assert run(visits.recall(PAGE)) == ({"a": 1} if known else None)
    run(visits.keep(PAGE, {"a": 2}))
    assert run(visits.recall(PAGE)) == {"a": 2}


@pytest.mark.parametrize(
    "facts", ["", "{", '{"a": 1', "[1]", "null", "7", "[" * 100_000, b"\xff\xfe\xfd", 7, "9" * 5000], ids=range(10)
)
def test_facts_that_are_none_of_ours_count_as_never_read(path: Path, begin: Begin, facts: object) -> None:
    kept(path, facts)
    crawler = begin()
    assert run(Visits(crawler).recall(PAGE)) is None
    assert crawler.engine.closed == []  # type: ignore[union-attr]


def test_a_time_that_is_none_counts_as_never_read(path: Path, begin: Begin) -> None:
    kept(path, "{}", "yesterday")
    assert run(Visits(begin(REFRESH_DAYS=1)).recall(PAGE)) is None


def test_facts_that_are_no_json_are_the_bug_of_their_spider(begin: Begin) -> None:
    visits = Visits(begin())
    with pytest.raises(TypeError):
        run(visits.keep(PAGE, {"a": object()}))
    assert run(visits.recall(PAGE)) is None


@pytest.mark.parametrize("full", [True, False])
def test_a_ledger_that_fails_ends_the_crawl_once(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, full: bool
) -> None:
    def fail(*_: object) -> None:
        raise LedgerError("the ledger is lost", full=full)

    monkeypatch.setattr(Ledger, "find_visit", fail)
    monkeypatch.setattr(Ledger, "keep_visit", fail)
    crawler = begin()
    visits = Visits(crawler)

    async def scenario() -> list[dict[str, Any] | None]:
        answers = [await visits.recall(PAGE)]
        await visits.keep(PAGE, FACTS)
        return [*answers, await visits.recall(PAGE)]

    assert run(scenario()) == [None, None]
    assert crawler.engine.closed == ["disk-full" if full else "ledger-error"]  # type: ignore[union-attr]
    assert caplog.text.count("The crawl ends: the ledger is lost") == 1


def test_a_ledger_that_does_not_open_ends_the_crawl(path: Path, begin: Begin) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no ledger at all" * 1000)
    crawler = begin()

    async def scenario() -> None:
        assert await Visits(crawler).recall(PAGE) is None
        await asyncio.sleep(0)

    run(scenario())
    assert crawler.engine.closed == ["ledger-error"]  # type: ignore[union-attr]


WALKER = """
import asyncio, sys
from scrapy import Spider
from scrapy.utils.test import get_crawler
from imagecrawl.visits import Visits

async def walk(visits):
    for number in range(10_000):
        await visits.keep(f"https://a.example/{number}", {"number": number})
        print(number, flush=True)

crawler = get_crawler(settings_dict={"LEDGER": sys.argv[1]})
crawler.spider = Spider("walker")
asyncio.run(walk(Visits(crawler)))
"""


def test_what_was_kept_survives_kill_9(path: Path, begin: Begin) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WALKER, path], cwd=ROOT, env=environment(path.parent), encoding="utf-8",
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        heard = [process.stdout.readline() for _ in range(200)]
        process.kill()
        heard += [line for line in process.stdout if line.endswith("\n")]
        assert process.wait() == -signal.SIGKILL
    numbers = [int(line) for line in heard]
    assert numbers == list(range(len(numbers)))
    visits = Visits(begin("walker"))

    async def scenario() -> list[Any]:
        return await asyncio.gather(*(visits.recall(f"https://a.example/{number}") for number in numbers))

    assert run(scenario()) == [{"number": number} for number in numbers]


# In the ledger


def visit(**others: str) -> Visit:
    given = {"source": "walker", "url": PAGE, "visited": "2026-11-21T12:00:00+00:00", "facts": "{}"}
    return Visit(**{**given, **others})


def test_the_ledger_keeps_the_latest_visit_of_each_spider(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        assert ledger.find_visit("walker", PAGE) is None
        for each in (visit(), visit(source="strider", facts="[]"), visit(visited="later", facts='{"a": 1}')):
            ledger.keep_visit(each)
    with closing(Ledger(path)) as ledger:
        assert ledger.find_visit("walker", PAGE) == visit(visited="later", facts='{"a": 1}')
        assert ledger.find_visit("strider", PAGE) == visit(source="strider", facts="[]")
        assert ledger.find_visit("walker", "https://a.example/") is None


def test_half_a_character_in_an_address_is_no_trouble(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.keep_visit(visit(url="https://a.example/\ud83d"))
        assert ledger.find_visit("walker", "https://a.example/\ud83d") == visit(url="https://a.example/?")


def test_a_visit_belongs_to_its_transaction(path: Path) -> None:
    def half_way(ledger: Ledger) -> None:
        with ledger.transaction():
            ledger.keep_visit(visit())
            raise RuntimeError("half way")

    with closing(Ledger(path)) as ledger:
        with suppress(RuntimeError):
            half_way(ledger)
        assert ledger.find_visit("walker", PAGE) is None


@pytest.mark.parametrize(
    "ask", [lambda ledger: ledger.find_visit("walker", PAGE), lambda ledger: ledger.keep_visit(visit())]
)
def test_trouble_with_visits_is_said_as_any_of_the_ledger(path: Path, ask: Callable[[Ledger], object]) -> None:
    with closing(Ledger(path)) as ledger:
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE visits")
        with pytest.raises(LedgerError, match=r"ledger\.sqlite3 failed \(no such table"):
            ask(ledger)


def test_the_memory_asks_the_ledger(path: Path) -> None:
    with closing(Memory(path, "crawl-1")) as memory, closing(Ledger(path)) as ledger:
        assert run(memory.find_visit("walker", PAGE)) is None
        run(memory.keep_visit(visit()))
        assert run(memory.find_visit("walker", PAGE)) == ledger.find_visit("walker", PAGE) == visit()
