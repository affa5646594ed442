"""The ledger: what it keeps, what it says of a file that is no good, and that nothing it answered for is ever lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import COLUMNS, VERSION, Entry, Key, Ledger, State, Visit
from imagecrawl.memory import Memory, running_crawls
from imagecrawl.outcomes import Outcome
from tests.crawling import ROOT, environment
from tests.ledger_writer import SIZE, entry, pipe, rows, said, tell, writer

SEED = 20261121


def key(url: str, folder: str = "cats", store: str = "images") -> Key:
    return Key(store=store, folder=folder, url=url)


def due(url: str, reason: str = "timeout", **others: Any) -> Entry:
    """A row for an address that could not be had."""
    nothing = dict.fromkeys(("path", "sha256", "md5", "bytes", "mtime_ns"))
    failed: dict[str, Any] = {"state": State.DUE, "outcome": Outcome.FAILED, "reason": reason, **nothing}
    return entry(url, **{**failed, **others})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as ledger:
        yield ledger


# What it keeps


def test_what_was_settled_is_found_again_by_the_next_process(path: Path) -> None:
    everything = entry(
        "https://a.example/1.jpg", reason="http-404", width=640, height=480, format="JPEG", mode="RGB",
        page_url="https://a.example/", rank=7, fetched="2026-11-21T12:00:01+00:00", etag='"1"', last_modified="then",
        limits="(1, 2)", run=3, item='{"title": "\\ud83d"}', mtime_ns=2**62, bytes=2**40,
    )  # fmt: skip
    with closing(Ledger(path)) as ledger:
        assert ledger.settle(everything) is Outcome.STORED
    with closing(Ledger(path)) as ledger:
        assert ledger.find(everything.key) == everything
        assert ledger.find(key("https://a.example/2.jpg")) is None


def test_an_address_is_one_row_for_each_folder_of_each_store(ledger: Ledger) -> None:
    keys = [key("u", folder, store) for folder in ("cats", "dogs") for store in ("images", "s3://bucket/")]
    for number, each in enumerate(keys):
        ledger.settle(entry("u", str(number), each.folder, store=each.store))
    assert [row.sha256 for row in map(ledger.find, keys) if row] == ["0", "1", "2", "3"]


def test_the_first_time_is_remembered_and_attempts_add_up(ledger: Ledger) -> None:
    first = due("u", page_url="p1", rank=1, attempts=2, item="{}", run=1)
    ledger.settle(first)
    second = entry(
        "u", source="other", keyword="other", page_url="p2", rank=2, first_seen="later", attempts=3, run=2, etag="e"
    )
    ledger.settle(second)
    kept = {name: getattr(first, name) for name in ("source", "keyword", "page_url", "rank", "first_seen")}
    assert ledger.find(key("u")) == Entry(**{**asdict(second), **kept, "attempts": 5})


def test_recall_says_what_was_before_and_marks_the_row_as_met(ledger: Ledger) -> None:
    ledger.settle(entry("u", run=1))
    assert [row.run for row in (ledger.recall(key("u"), 2), ledger.recall(key("u"), 2)) if row] == [1, 2]
    assert ledger.recall(key("v"), 2) is None
    assert ledger.find(key("v")) is None


def test_of_equal_bytes_in_one_folder_the_first_is_stored(ledger: Ledger) -> None:
    outcomes = [ledger.settle(entry(url)) for url in ("u1", "u2", "u3", "u1", "u2")]
    assert outcomes == ["stored", "duplicate", "duplicate", "stored", "duplicate"]
    assert ledger.settle(entry("u4", folder="dogs")) is Outcome.STORED
    assert ledger.settle(entry("u5", store="s3://bucket/")) is Outcome.STORED
    assert ledger.settle(entry("u6", path="cats/640/1.jpg")) is Outcome.STORED
    assert ledger.settle(entry("u7", "2")) is Outcome.STORED
    assert ledger.settle(due("u8")) is Outcome.FAILED


def test_elsewhere_is_the_same_store_and_another_folder(ledger: Ledger) -> None:
    dogs = entry("u", "1", "dogs")
    for row in (dogs, entry("u", "1", "birds", store="s3://bucket/"), due("v", folder="dogs"), entry("w", "2")):
        ledger.settle(row)
    assert ledger.find_elsewhere(key("u")) == dogs
    assert ledger.find_elsewhere(key("x"), "1") == dogs
    assert ledger.find_elsewhere(key("x")) is None
    assert ledger.find_elsewhere(key("u"), "3") is None
    assert ledger.find_elsewhere(key("u", "dogs")) is None
    assert ledger.find_elsewhere(key("v")) is None, "it is not held there"
    assert ledger.find_elsewhere(key("w"), "2") is None, "it is this very folder"


def test_reopened_rows_are_due_and_each_item_comes_once(ledger: Ledger) -> None:
    closed: dict[str, Any] = {"state": State.CLOSED}
    for row in (
        due("u1", "http-404", item="B", **closed), due("u2", "http-404", item="A", **closed),
        due("u3", "dns", item="B", **closed), due("u4", "dns", item=None, **closed),
        due("u5", "dns", item="C", source="other", **closed), due("u6", "empty", item="D", **closed),
        due("u7", "too-small", item="E", outcome=Outcome.REFUSED, keyword="ants", **closed),
    ):  # fmt: skip
        ledger.settle(row)
    assert reopened(ledger, "test", "dns", "http-404") == [("cats", "B"), ("cats", "A")]
    states = [row.state for row in (ledger.find(key(f"u{number}")) for number in range(1, 8)) if row]
    assert states == ["due", "due", "due", "closed", "closed", "closed", "closed"]
    assert reopened(ledger, "test", "too-small", "dns") == [("ants", "E"), ("cats", "B")]
    assert reopened(ledger, "test") == [("cats", "B"), ("cats", "A"), ("cats", "D")], (
        "what failed, not what was refused"
    )
    assert reopened(ledger, "test", "broken") == []
    assert ledger.item(100) is None


def reopened(ledger: Ledger, source: str, *reasons: str) -> list[tuple[str, str | None]]:
    """Keyword and item of each that is due again."""
    return [(keyword, ledger.item(number)) for keyword, number in ledger.reopen(source, reasons)]


SHA256, MD5 = "1" * 64, "1" * 32


def test_a_held_file_is_found_by_its_place_and_bytes(ledger: Ledger) -> None:
    held = entry("u", sha256=SHA256, md5=MD5)
    ledger.settle(held)
    lost = entry("v", "2", sha256="2" * 64, md5="2" * 32, state=State.DUE, outcome=Outcome.FAILED)
    ledger.settle(lost)
    for checksum in (SHA256, MD5):
        assert ledger.find_held("images", "cats/320/1.jpg", checksum) == held
        for place in (
            ("s3://bucket/", "cats/320/1.jpg", checksum), ("images", "cats/640/1.jpg", checksum),
            ("images", "cats/320/1.jpg", checksum.replace("1", "3")), ("images", "cats/320/2.jpg", "2" * 64),
            ("images", "cats/320/2.jpg", "2" * 32),
        ):  # fmt: skip
            assert ledger.find_held(*place) is None


def test_a_digest_of_64_digits_is_a_sha256_and_any_other_an_md5(ledger: Ledger) -> None:
    ledger.settle(entry("u", MD5, md5=SHA256))
    assert ledger.find_held("images", f"cats/320/{MD5}.jpg", MD5) is None
    assert ledger.find_held("images", f"cats/320/{MD5}.jpg", SHA256) is None


def test_totals_count_every_file_once(ledger: Ledger) -> None:
    for row in (entry("u1"), entry("u2"), entry("u3", "2"), due("u4"), due("u5"), due("u6", source="a")):
        ledger.settle(row)
    assert ledger.totals() == [
        ("a", "cats", "failed", "timeout", 1, 0),
        ("test", "cats", "duplicate", None, 1, 0),
        ("test", "cats", "failed", "timeout", 2, 0),
        ("test", "cats", "stored", None, 2, 2000),
    ]


def test_a_run_is_open_until_it_says_that_it_ended(ledger: Ledger) -> None:
    first, second = ledger.begin_run("a"), ledger.begin_run("b")
    for folder in ("cats", "dogs", "cats"):
        ledger.enter_folder(first, "images", folder)
    ledger.enter_folder(second, "images", "cats")
    assert sorted(ledger.folders(first)) == [("images", "cats"), ("images", "dogs")]
    ledger.end_run(first)
    assert ledger.open_runs() == [(second, "b")]
    assert (ledger.folders(first), ledger.folders(second)) == ([], [("images", "cats")])
    ledger.end_run(second)
    assert ledger.begin_run("c") > second, "a number is never used twice: it is in the names of unfinished files"


def test_a_store_beside_the_ledger_moves_with_it(ledger: Ledger, path: Path) -> None:
    images = path.parent / "images"
    assert ledger.store_name(str(images)) == ledger.store_name(f"{images}/") == "images"
    assert ledger.store_place("images") == str(images)
    for other in ("/elsewhere/images", "s3://bucket/prefix/"):
        assert ledger.store_name(other) == other
        assert ledger.store_place(other) == other


def test_a_transaction_is_all_or_nothing(ledger: Ledger, path: Path) -> None:
    def some(names: str, error: Exception | None = None) -> None:
        with ledger.transaction():
            for name in names:
                ledger.settle(entry(name))
                ledger.enter_folder(ledger.begin_run(name), "images", name)
            if error:
                raise error

    with closing(Ledger(path)) as other:
        with pytest.raises(RuntimeError, match="half way"):
            some("ab", RuntimeError("half way"))
        assert list(ledger.held()) == list(other.held()) == []
        assert ledger.open_runs() == []
        some("cd")
        assert len(list(other.held())) == len(other.open_runs()) == 2


def test_a_transaction_is_seen_by_others_only_when_it_is_over(ledger: Ledger, path: Path) -> None:
    with closing(Ledger(path)) as other:
        with ledger.transaction():
            ledger.settle(entry("u"))
            assert other.find(key("u")) is None
        assert other.find(key("u"))


def test_what_another_crawl_put_in_place_meanwhile_is_not_written_off(ledger: Ledger) -> None:
    ledger.settle(entry("u", "old", fetched="day 1"))
    damaged = ledger.find(key("u"))
    ledger.settle(entry("u", "new", fetched="day 2"))
    assert ledger.settle(due("u"), damaged) == "stored"
    found = ledger.find(key("u"))
    assert found
    assert (found.state, found.sha256, found.attempts) == ("held", "new", 3)
    ledger.settle(due("u"), found)
    assert ledger.settle(due("u"), None) == "failed"


def test_half_a_character_is_no_trouble(ledger: Ledger) -> None:
    ledger.settle(entry("u", page_url="https://a.example/\ud83d"))
    found = ledger.find(key("u"))
    assert found
    assert found.page_url == "https://a.example/?"


def test_when_the_first_of_equal_addresses_loses_its_bytes_the_next_is_the_first(ledger: Ledger) -> None:
    outcomes = [ledger.settle(entry(url, "aa")) for url in ("u1", "u2", "u3")]
    assert outcomes == ["stored", "duplicate", "duplicate"]
    ledger.settle(due("u1"), ledger.find(key("u1")))
    assert [row.outcome for row in ledger.held()] == ["stored", "duplicate"]
    assert ledger.settle(entry("u1", "aa")) == "duplicate"
    ledger.settle(entry("u2", "bb"))
    assert {row.url: row.outcome for row in ledger.held()} == {"u1": "stored", "u2": "stored", "u3": "duplicate"}


# Against a model

FOLDERS = st.sampled_from(["cats", "dogs"])
STORES = st.sampled_from(["images", "s3://bucket/"])
KEYS = st.builds(key, st.sampled_from(["u1", "u2", "u3"]), FOLDERS, STORES)
HASHES = st.sampled_from(["aa", "bb"])
WIDTHS = st.sampled_from(["320", "640"])
REASONS = st.sampled_from(["dns", "timeout", "http-404"])
FAILURES = st.fixed_dictionaries({
    "state": st.sampled_from(["due", "closed"]), "outcome": st.sampled_from(["failed", "refused"]), "reason": REASONS,
})  # fmt: skip
SOURCES = st.sampled_from(["google_images", "urls"])
SMALL = st.integers(0, 9)
ITEMS = st.none() | st.sampled_from(['{"n": 1}', '{"n": 2}'])
KEEPS_FIRST = ("source", "keyword", "page_url", "rank", "first_seen")

Row = dict[str, Any]


class LedgerMachine(RuleBasedStateMachine):
    """The ledger beside a plain dictionary; few addresses, folders and hashes, so that they meet often."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        self.path = Path(self.home.name) / "ledger.sqlite3"
        self.rows: dict[Key, Row] = {}
        self.runs: dict[int, dict[str, Any]] = {}

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger(self.path)
        self.begin_run("first")

    def teardown(self) -> None:
        assert self.ledger.damage() == []
        self.ledger.close()
        self.home.cleanup()

    @rule()
    def close_and_open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.path)

    # Runs

    @rule(crawl=st.sampled_from(["a", "b"]))
    def begin_run(self, crawl: str) -> None:
        self.run = self.ledger.begin_run(crawl)
        assert self.run > max(self.runs, default=0)
        self.runs[self.run] = {"crawl": crawl, "folders": set(), "ended": False}

    @rule(store=STORES, folder=FOLDERS)
    def enter_folder(self, store: str, folder: str) -> None:
        self.ledger.enter_folder(self.run, store, folder)
        self.runs[self.run]["folders"].add((store, folder))

    @precondition(lambda self: len(self.runs) > 1)
    @rule(data=st.data())
    def end_run(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from([run for run in self.runs if run != self.run]))
        self.ledger.end_run(run)
        self.runs[run] |= {"folders": set(), "ended": True}

    @invariant()
    def runs_agree(self) -> None:
        open_runs = {(run, facts["crawl"]) for run, facts in self.runs.items() if not facts["ended"]}
        assert set(self.ledger.open_runs()) == open_runs
        for run, facts in self.runs.items():
            assert set(self.ledger.folders(run)) == facts["folders"]

    # Rows

    @rule(key=KEYS)
    def recall(self, key: Key) -> None:
        answer = self.ledger.recall(key, self.run)
        row = self.rows.get(key)
        assert (answer and asdict(answer)) == row
        if row:
            row["run"] = self.run

    @rule(key=KEYS, digest=HASHES, width=WIDTHS, source=SOURCES, number=SMALL)
    def settle_held(self, key: Key, digest: str, width: str, source: str, number: int) -> None:
        path = f"{key.folder}/{width}/{digest}.jpg"
        row = self.fresh(
            key, source, number, state="held", outcome="stored", path=path, sha256=digest, md5=f"md5 of {digest}",
            bytes=100 + number, mtime_ns=number, width=int(width), format="JPEG",
        )  # fmt: skip
        came_first = not any(
            (other["path"], other["sha256"], other["state"], other["outcome"]) == (path, digest, "held", "stored")
            for place, other in self.rows.items()
            if place.store == key.store and place.url != key.url
        )
        answer = self.ledger.settle(Entry(**row))
        assert answer == ("stored" if came_first else "duplicate")
        self.keep({**row, "outcome": answer})

    @rule(key=KEYS, source=SOURCES, number=SMALL, failure=FAILURES, item=ITEMS)
    def settle_not_held(self, key: Key, source: str, number: int, failure: Row, item: str | None) -> None:
        row = self.fresh(key, source, number, **failure, item=item)
        assert self.ledger.settle(Entry(**row), self.ledger.find(key)) == failure["outcome"]
        self.keep(row)

    @rule(key=KEYS, source=SOURCES, number=SMALL, failure=FAILURES)
    def settle_not_held_though_another_crawl_has_it(self, key: Key, source: str, number: int, failure: Row) -> None:
        row = self.fresh(key, source, number, **failure)
        before = self.rows.get(key)
        if before and before["state"] == "held":
            assert self.ledger.settle(Entry(**row)) == before["outcome"]
            before["attempts"] += number
        else:
            assert self.ledger.settle(Entry(**row)) == failure["outcome"]
            self.keep(row)

    def fresh(self, key: Key, source: str, number: int, **others: Any) -> Row:
        row: Row = dict.fromkeys(COLUMNS)
        row |= {
            **asdict(key), "source": source, "keyword": f"{key.folder} {number % 2}", "page_url": f"p{number}",
            "rank": number, "first_seen": f"day {number}", "attempts": number, "run": self.run, **others,
        }  # fmt: skip
        return {**row, "state": State(row["state"]), "outcome": Outcome(row["outcome"])}

    def keep(self, row: Row) -> None:
        place = Key(store=row["store"], folder=row["folder"], url=row["url"])
        if before := self.rows.get(place):
            row |= {name: before[name] for name in KEEPS_FIRST}
            row["attempts"] += before["attempts"]
        self.rows[place] = row
        if before and before["outcome"] == "stored" and (row["state"], row["path"]) != ("held", before["path"]):
            self.pass_on(place.store, before["path"])

    def pass_on(self, store: str, path: str) -> None:
        """The next address that has the file counts as its first."""
        others = (
            row
            for place, row in self.rows.items()
            if place.store == store and row["path"] == path and row["state"] == "held"
        )
        if heir := next(others, None):
            heir["outcome"] = Outcome.STORED

    @rule(key=KEYS, mtime_ns=SMALL)
    def keep_mtime(self, key: Key, mtime_ns: int) -> None:
        self.ledger.keep_mtime(key, mtime_ns)
        if row := self.rows.get(key):
            row["mtime_ns"] = mtime_ns

    @rule(source=SOURCES, reasons=st.lists(REASONS, unique=True))
    def reopen(self, source: str, reasons: list[str]) -> None:
        first: dict[str, str] = {}
        for row in self.rows.values():  # in the order in which they came first
            wanted = row["reason"] in reasons if reasons else row["outcome"] == "failed"
            if wanted and row["source"] == source and row["item"]:
                row["state"] = State.DUE
                first.setdefault(row["item"], row["keyword"])
        expected = sorted(((keyword, item) for item, keyword in first.items()), key=itemgetter(0))
        assert reopened(self.ledger, source, *reasons) == expected

    @rule(key=KEYS)
    def find_elsewhere_by_address(self, key: Key) -> None:
        self.agree_on_elsewhere(self.ledger.find_elsewhere(key), key, "url", key.url)

    @rule(key=KEYS, digest=HASHES)
    def find_elsewhere_by_bytes(self, key: Key, digest: str) -> None:
        self.agree_on_elsewhere(self.ledger.find_elsewhere(key, digest), key, "sha256", digest)

    def agree_on_elsewhere(self, found: Entry | None, key: Key, name: str, value: str) -> None:
        fitting = [
            row
            for place, row in self.rows.items()
            if place.store == key.store and place.folder != key.folder and row["state"] == "held" and row[name] == value
        ]
        assert asdict(found) in fitting if found else not fitting

    @invariant()
    def rows_agree(self) -> None:
        for key, row in self.rows.items():
            found = self.ledger.find(key)
            assert found and asdict(found) == row

    @rule()
    def held(self) -> None:
        found = [asdict(row) for row in self.ledger.held()]
        places = [(row["store"], row["path"]) for row in found]
        assert places == sorted(places)
        expected = [row for row in self.rows.values() if row["state"] == "held"]
        assert sorted(map(str, found)) == sorted(map(str, expected))

    @rule()
    def totals(self) -> None:
        count: Counter[Any] = Counter()
        size: Counter[Any] = Counter()
        for row in self.rows.values():
            group = (row["source"], row["keyword"], str(row["outcome"]), row["reason"])
            count[group] += 1
            size[group] += row["bytes"] if row["outcome"] == "stored" and row["state"] == "held" else 0
        found = self.ledger.totals()
        assert {group[:4]: group[4:] for group in found} == {group: (count[group], size[group]) for group in count}
        assert len(found) == len(count)

    @invariant()
    def no_file_is_stored_twice(self) -> None:
        files = [(row.store, row.path, row.sha256) for row in self.ledger.held() if row.outcome is Outcome.STORED]
        assert len(files) == len(set(files))


TestLedgerAgainstAModel = LedgerMachine.TestCase
TestLedgerAgainstAModel.settings = settings(max_examples=50, stateful_step_count=50, print_blob=True)


# A file that is no good


@pytest.fixture
def filled(path: Path) -> Path:
    """A ledger of some hundred rows, closed: one file."""
    with closing(Ledger(path)) as ledger, ledger.transaction():
        for number in range(400):
            ledger.settle(
                entry(f"https://a.example/{number}.jpg", str(number // 2), item="x" * (9000 if number % 40 == 0 else 9))
            )
            ledger.keep_visit(Visit(source="test", url=f"https://a.example/{number}", visited="then", facts="x" * 200))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return path


def trouble(path: Path) -> str:
    """What a crawl would be told of a ledger at its start; nothing when all is well."""
    try:
        with closing(Ledger(path)) as ledger:
            return "\n".join(ledger.damage())
    except LedgerError as error:
        return str(error)


def test_a_whole_file_is_in_order(filled: Path) -> None:
    assert trouble(filled) == ""


def test_garbage_is_said_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    garbage = random.Random(SEED).randbytes(20_000)
    path.write_bytes(garbage)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite3 is damaged; `scrapy rebuild`") as caught:
        Ledger(path)
    assert not caught.value.full
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == garbage
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("end", [0.1, 0.5, 0.9, -4096])
def test_a_truncated_file_is_said_and_left_as_it_is(filled: Path, end: float) -> None:
    whole = filled.read_bytes()
    rest = whole[: int(end if end < 0 else end * len(whole))]
    filled.write_bytes(rest)
    assert trouble(filled)
    assert filled.read_bytes() == rest


@pytest.mark.parametrize("filling", ["zeros", "noise"])
def test_any_overwritten_page_is_said_and_left_as_it_is(filled: Path, filling: str) -> None:
    size = 4096
    whole = filled.read_bytes()
    assert len(whole) % size == 0
    numbers = random.Random(SEED)
    quiet = []
    for start in range(0, len(whole), size):
        page = bytes(size) if filling == "zeros" else numbers.randbytes(size)
        damaged = whole[:start] + page + whole[start + size :]
        filled.write_bytes(damaged)
        if not trouble(filled):
            quiet.append(start // size)
        assert filled.read_bytes() == damaged
    # Its first four bytes apart, which are a link, a page of a long text can hold anything: nothing there to check.
    assert not quiet or (filling == "zeros" and _only_ends_of_long_texts(whole, quiet))


def _only_ends_of_long_texts(whole: bytes, pages: list[int]) -> bool:
    return all(whole[page * 4096 : page * 4096 + 4] == bytes(4) for page in pages)


@pytest.mark.parametrize("table", ["media", "visits"])
def test_damage_at_the_root_of_a_table_is_found_when_it_is_opened(filled: Path, table: str) -> None:
    with closing(sqlite3.connect(filled)) as database:
        [(root,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
    whole = filled.read_bytes()
    filled.write_bytes(whole[: 4096 * (root - 1)] + bytes(4096) + whole[4096 * root :])
    with pytest.raises(LedgerError, match="is damaged"):
        Ledger(filled)


def test_damage_found_on_the_way_is_said(filled: Path) -> None:
    """Pages that the look at the start does not reach."""
    whole = filled.read_bytes()
    said = []
    for start in range(8192, len(whole), 4096):
        filled.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        with suppress(LedgerError), closing(Ledger(filled)) as ledger:
            said.append(_read_all(ledger))
    assert len([words for words in said if "is damaged" in words]) > 10


def _read_all(ledger: Ledger) -> str:
    try:
        for row in range(400):
            ledger.find(key(f"https://a.example/{row}.jpg"))
    except LedgerError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("mark", ["", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_a_database_of_another_program_is_left_as_it_is(path: Path, mark: str) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE media (url TEXT)")
        foreign.execute(mark)
    whole = path.read_bytes()
    with pytest.raises(LedgerError, match="is a database of another program"):
        Ledger(path)
    assert path.read_bytes() == whole
    assert [file.name for file in path.parent.iterdir()] == [path.name]


OLDER = {
    "before visits": ("DROP TABLE visits", "ALTER TABLE media DROP COLUMN opt_outs"),
    "before opt-outs": ("ALTER TABLE media DROP COLUMN opt_outs",),
}


@pytest.fixture(params=OLDER)
def old(filled: Path, request: pytest.FixtureRequest) -> Path:
    """A ledger as it was made in earlier times."""
    with closing(sqlite3.connect(filled, isolation_level=None)) as database:
        for statement in OLDER[request.param]:
            database.execute(statement)
        database.execute("VACUUM")
    return filled


def test_an_old_ledger_is_given_visits_once(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    check = Ledger.check
    monkeypatch.setattr(Ledger, "check", lambda self: checked.append(check(self)))
    visit = Visit(source="test", url="u", visited="then", facts="{}")
    with closing(Ledger(old)) as ledger:
        assert ledger.find_visit("test", "u") is None
        ledger.keep_visit(visit)
    with closing(Ledger(old)) as ledger:
        assert ledger.find_visit("test", "u") == visit
        assert len(list(ledger.held())) == 400
    assert len(checked) == 1
    assert trouble(old) == ""
    with closing(sqlite3.connect(old)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_the_rows_of_an_old_ledger_are_what_they_were(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database:
        before = database.execute("SELECT url, sha256, run, item FROM media ORDER BY url").fetchall()
    said = '{"noai": "X-Robots-Tag: noai"}'
    with closing(Ledger(old)) as ledger:
        first, *others = sorted(ledger.held(), key=lambda row: row.url)
        assert [(row.url, row.sha256, row.run, row.item) for row in (first, *others)] == before
        assert {row.opt_outs for row in (first, *others)} == {None}
        ledger.settle(replace(first, opt_outs=said))
    with closing(Ledger(old)) as ledger:
        found = {row.url: row.opt_outs for row in ledger.held()}
    assert found == {first.url: said, **dict.fromkeys(row.url for row in others)}


def test_an_old_ledger_can_still_be_read_by_what_wrote_it(old: Path) -> None:
    Ledger(old).close()
    named = ", ".join(name for name in COLUMNS if name != "opt_outs")
    others = ", ".join(f"'new' AS {name}" if name == "url" else name for name in named.split(", "))
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.execute(f"INSERT INTO media ({named}) SELECT {others} FROM media LIMIT 1")
    with closing(Ledger(old)) as ledger:
        assert ledger.find(key("new", "cats"))


def test_a_damaged_old_ledger_is_left_as_it_is(old: Path) -> None:
    whole = old.read_bytes()
    numbers = random.Random(SEED)
    for start in range(0, len(whole), 4096):
        damaged = whole[:start] + numbers.randbytes(4096) + whole[start + 4096 :]
        old.write_bytes(damaged)
        with pytest.raises(LedgerError):
            Ledger(old)
        assert old.read_bytes() == damaged


OPENER = """
import sys
from pathlib import Path
from imagecrawl.ledger import Ledger
for line in sys.stdin:
    ledger = Ledger(Path(line.strip()))
    ledger.find_visit("test", "u")
    ledger.close()
    print("closed", flush=True)
"""


def test_old_ledgers_may_be_opened_by_several_processes_in_one_moment(old: Path, tmp_path: Path) -> None:
    whole = old.read_bytes()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER], cwd=ROOT, env=environment(tmp_path), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )
        for _ in range(4)
    ]  # fmt: skip
    for number in range(15):
        path = tmp_path / f"{number}.sqlite3"
        path.write_bytes(whole)
        for process in processes:
            pipe(process.stdin).write(f"{path}\n")
            pipe(process.stdin).flush()
        assert [pipe(process.stdout).readline() for process in processes] == ["closed\n"] * 4
        assert trouble(path) == ""
    assert [process.communicate(timeout=20)[1] for process in processes] == [""] * 4


def test_a_newer_schema_is_said_and_left_as_it_is(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    whole = filled.read_bytes()
    with pytest.raises(LedgerError, match=rf"another version of imagecrawl \(schema {VERSION + 1}\)"):
        Ledger(filled)
    assert filled.read_bytes() == whole


def test_a_folder_in_the_place_of_the_ledger_is_said(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite3 cannot be written"):
        Ledger(path)


def test_a_file_in_the_place_of_its_folder_is_said(path: Path) -> None:
    path.parent.write_text("in the way", "utf-8")
    with pytest.raises(LedgerError, match=r"ledger\.sqlite3 cannot be written"):
        Ledger(path)


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with closing(Ledger(path)) as ledger:
        assert ledger.settle(entry("u")) is Outcome.STORED


# The disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of its own, mounted anew with other options at each call: ``disk("size=1m")``."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        words = f"remount,{options}" if mounted else options
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", words, "tmpfs", place], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", place], check=True)


def test_a_ledger_that_cannot_be_written_is_said(disk: Callable[[str], Path]) -> None:
    place = disk("size=2m")
    with closing(Ledger(place / "ledger.sqlite3")) as ledger:
        ledger.settle(entry("u"))
    disk("ro")
    for name in ("ledger.sqlite3", "new.sqlite3", "new/ledger.sqlite3"):
        with pytest.raises(LedgerError, match=rf"{name} cannot be written"):
            Ledger(place / name)


def test_a_file_that_can_only_be_read_is_said(filled: Path) -> None:
    """At the latest by the first write, which is the beginning of the run: its folder can be written."""
    commands = [["mount", "--bind", filled, filled], ["mount", "-o", "remount,bind,ro", filled]]
    done = [subprocess.run(command, capture_output=True, text=True, check=False) for command in commands]
    try:
        if any(command.returncode for command in done):
            pytest.skip(f"no disk may be mounted here: {done[0].stderr.strip()}")
        with pytest.raises(LedgerError, match=r"ledger\.sqlite3 cannot be written"):
            _begin_run(filled)
    finally:
        if not done[0].returncode:
            subprocess.run(["umount", filled], check=True)


def _begin_run(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.begin_run("crawl")


@pytest.mark.parametrize("group", [1, 40])
def test_a_full_disk_loses_nothing_that_was_committed(disk: Callable[[str], Path], group: int) -> None:
    path = disk("size=1m") / "ledger.sqlite3"
    with closing(Ledger(path)) as ledger:
        committed = _fill(ledger, group)
        disk("size=16m")
        assert [row.url for row in ledger.held()] == committed, "the same connection goes on"
        ledger.settle(entry("after", "z"))
    with closing(Ledger(path)) as ledger:
        assert [row.url for row in ledger.held()] == [*committed, "after"]
        assert ledger.damage() == []


def _fill(ledger: Ledger, group: int) -> list[str]:
    """Write rows until there is no room left; returns the addresses of those that were committed."""
    committed: list[str] = []
    with pytest.raises(LedgerError, match=r"ledger\.sqlite3 cannot grow: the disk is full") as caught:
        _write_on(ledger, group, committed)
    assert caught.value.full
    assert committed
    return committed


def _write_on(ledger: Ledger, group: int, committed: list[str]) -> None:
    while True:
        urls = [f"{len(committed) + number:06}" for number in range(group)]
        with ledger.transaction():
            for url in urls:
                ledger.settle(entry(url, url, item="x" * 1000))
        committed += urls


# Several processes


def test_two_processes_write_at_once(path: Path) -> None:
    """Line by line, so that both write in every round, partly the same rows; attempts show that no answer was lost."""
    lines = 20
    with writer(path, 1) as one, writer(path, 2) as two:
        assert running_crawls(path) == ["writer-1", "writer-2"]
        for _ in range(lines):
            tell(one)
            tell(two)
            for process in (one, two):
                assert len(list(iter(lambda: said(process), "done"))) == SIZE  # noqa: B023
        for process in (one, two):
            pipe(process.stdin).close()
            assert process.wait() == 0
    asked = Counter(row.url for number in (1, 2) for line in range(lines) for row in rows(number, line))
    with closing(Ledger(path)) as ledger:
        found = list(ledger.held())
        assert ledger.damage() == []
    assert {row.url: row.attempts for row in found} == asked
    assert max(asked.values()) == 2
    outcomes: dict[str | None, list[Outcome]] = defaultdict(list)
    for row in found:
        outcomes[row.path].append(row.outcome)
    assert {tuple(sorted(each)) for each in outcomes.values()} == {("duplicate",) * 6 + ("stored",)}


def test_what_was_answered_survives_kill_9(path: Path) -> None:
    """The same crawl again and again, killed each time while it writes; every answer of all of them is kept."""
    numbers = random.Random(SEED)
    answered: set[str] = set()
    for number in range(4):
        moment = numbers.randint(1, 1500)
        print(f"seed {SEED}: writer {number} is killed after {moment} answers")
        with writer(path, number) as process:
            tell(process, 1000)
            heard = [said(process) for _ in range(moment)]
            process.kill()
            heard += [line[:-1] for line in pipe(process.stdout) if line.endswith("\n")]
            assert process.wait() == -signal.SIGKILL
        answered |= set(heard) - {"done"}
        with closing(Ledger(path)) as ledger:
            assert ledger.damage() == []
            assert {number + 1} == {run for run, _ in ledger.open_runs()}
            kept = {row.url: row for row in ledger.held()}
        assert answered <= kept.keys()
        assert all(row.sha256 == str((row.rank or 0) // 4) for row in kept.values())
    memory = Memory(path, "writer-0")
    memory.close()
    with closing(Ledger(path)) as ledger:
        assert ledger.open_runs() == []
