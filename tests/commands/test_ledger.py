"""``scrapy ledger``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from imagecrawl.commands.ledger import Total, render
from imagecrawl.outcomes import Outcome
from tests.commands.stock import Stock, row

LONG = "a very long keyword " * 20


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return Stock(tmp_path / "data")


def test_the_table_has_every_outcome_and_whole_reasons(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", b"1" * 1500)
    stock.keep("https://a.example/1b.jpg", b"1" * 1500)
    stock.keep("https://a.example/2.jpg", b"2" * 1500)
    stock.keep("https://a.example/3.jpg", b"3", keyword="قطط و كلاب")
    stock.miss("https://a.example/4.jpg", Outcome.REFUSED, "unsupported-format", keyword=LONG)
    stock.miss("https://a.example/5.jpg", Outcome.FAILED, "http-404", keyword="red\x1b[31m\npanda")
    done = stock.run("ledger")
    assert done.returncode == 0 and done.stderr == ""
    assert "\x1b" not in done.stdout
    *table, closing = done.stdout.splitlines()
    assert closing == f"6 addresses, 3 files in place, 3.0 kB: {stock.path}"
    rows = [line.split() for line in table[2:]]
    assert ["google_images", "cats", "duplicate", "1"] in rows
    assert ["google_images", "cats", "stored", "2", "3.0", "kB"] in rows
    assert ["google_images", "red[31mpanda", "failed", "http-404", "1"] in rows
    assert ["google_images", "قطط", "و", "كلاب", "stored", "1", "1", "byte"] in rows
    [cut] = [line for line in table if "unsupported-format" in line]
    assert "…" in cut
    assert max(map(len, table)) <= 120


def test_files_have_a_row_for_each_subject(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", b"1" * 1500)
    stock.keep_file("https://a.example/1.pdf", b"1" * 1500)
    stock.keep_file("https://a.example/2.pdf", b"2" * 1500, folder=["caie", "other"])
    stock.keep_file("https://a.example/3.pdf", b"3", subject="Further Maths")
    stock.miss_file("https://a.example/4.pdf", Outcome.FAILED, "not-the-file")
    stock.miss_file("https://a.example/5.pdf", Outcome.REFUSED, "too-large", subject="Art\x1b[31m")
    done = stock.run("ledger")
    assert done.returncode == 0 and done.stderr == ""
    assert "\x1b" not in done.stdout
    *table, closing = done.stdout.splitlines()
    assert closing == f"6 addresses, 4 files in place, 4.5 kB: {stock.path}"
    assert [line.split() for line in table[2:]] == [
        ["google_images", "cats", "stored", "1", "1.5", "kB"],
        ["papacambridge", "Art[31m", "refused", "too-large", "1"],
        ["papacambridge", "Further", "Maths", "stored", "1", "1", "byte"],
        ["papacambridge", "Physics", "failed", "not-the-file", "1"],
        ["papacambridge", "Physics", "stored", "2", "3.0", "kB"],
    ]


def test_json_has_the_same_facts_uncut(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", b"1" * 1500, keyword="قطط")
    stock.keep("https://a.example/2.jpg", b"1" * 1500, keyword="قطط")
    stock.miss("https://a.example/3.jpg", Outcome.FAILED, "timeout", keyword=LONG)
    stock.settle(row("https://a.example/4.jpg", "of unknown size"))
    done = stock.run("ledger", "--json")
    assert done.returncode == 0
    spider = {"source": "google_images"}
    assert json.loads(done.stdout) == {
        "ledger": str(stock.path),
        "addresses": 4,
        "in_place": 2,
        "bytes": 1500,
        "totals": [
            spider | {"keyword": LONG, "outcome": "failed", "reason": "timeout", "count": 1, "bytes": 0},
            spider | {"keyword": "of unknown size", "outcome": "stored", "reason": None, "count": 1, "bytes": 0},
            spider | {"keyword": "قطط", "outcome": "duplicate", "reason": None, "count": 1, "bytes": 0},
            spider | {"keyword": "قطط", "outcome": "stored", "reason": None, "count": 1, "bytes": 1500},
        ],
    }


def test_without_a_ledger_none_is_made(stock: Stock) -> None:
    done = stock.run("ledger")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and str(stock.path) in done.stderr
    assert not stock.data.exists()


def test_an_empty_file_is_no_ledger_and_stays_empty(stock: Stock) -> None:
    stock.data.mkdir()
    stock.path.touch()
    assert stock.run("ledger").returncode == 2
    assert stock.path.stat().st_size == 0


def test_a_ledger_without_rows(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.path.unlink()
    stock.rows()
    assert stock.run("ledger").stdout == f"0 addresses, 0 files in place, 0 bytes: {stock.path}\n"


@pytest.mark.parametrize("damage", ["garbage", "truncated"])
@pytest.mark.parametrize("command", ["ledger", "verify"])
def test_a_damaged_ledger_is_said_in_one_line_and_left_as_it_is(stock: Stock, command: str, damage: str) -> None:
    stock.keep("https://a.example/1.jpg")
    whole = stock.path.read_bytes()
    spoiled = b"garbage " * 4096 if damage == "garbage" else whole[: len(whole) // 2]
    stock.path.write_bytes(spoiled)
    done = stock.run(command)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"the ledger {stock.path} is damaged; `scrapy rebuild`" in done.stderr
    assert stock.path.read_bytes() == spoiled


def test_a_foreign_argument_is_an_error(stock: Stock) -> None:
    done = stock.run("ledger", "--everything")
    assert done.returncode == 2 and "--everything" in done.stderr


def test_a_narrow_terminal_cuts_keywords_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    totals = [Total("google_images", "a long keyword indeed", "refused", "unsupported-format", 123456, None)]
    for columns in (40, 80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        *_, line = render(totals).splitlines()
        assert "unsupported-format" in line and "123456" in line and "google_images" in line
        assert ("a long keyword indeed" in line) == (columns == 100)
