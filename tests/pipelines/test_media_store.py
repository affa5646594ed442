"""What the pipeline remembers from run to run. Every call of ``process`` is a run of its own on the same ledger."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response

from imagecrawl import ledger, stores
from imagecrawl.exceptions import LedgerError
from imagecrawl.items import ImageItem
from imagecrawl.ledger import Entry, Ledger, State
from tests.pipelines.network import Network, item, picture

URL = "https://a.example/1"
OTHER = "https://b.example/2"


def rows(store: Path) -> dict[tuple[str, str], Entry]:
    """The rows of the ledger by folder and address."""
    book = Ledger(store.parent / "ledger.sqlite3")
    found = {(entry.folder, entry.url): entry for entry in book._select("1 ORDER BY rowid", {})}
    book.close()
    return found


def change(store: Path, statement: str, *values: object) -> None:
    """Change the ledger behind the back of the project."""
    with sqlite3.connect(store.parent / "ledger.sqlite3") as database:
        database.execute(statement, values)
    database.close()


def age(store: Path, time: str = "2020-01-01T00:00:00+00:00") -> None:
    change(store, "UPDATE media SET fetched = ?", time)


def nothing_asked(process: Any, *items: ImageItem, **changed: Any) -> list[ImageItem]:
    """A run that has no network at all."""
    network = Network({})
    done = process(network, *items, **changed)
    assert not network.asked
    return done


def test_what_is_in_place_is_told_as_the_first_time_and_not_asked_for(process: Any, store: Path) -> None:
    [first] = process(Network({URL: picture()}), item(URL))
    [again] = nothing_asked(process, item(URL))
    assert (first.outcome, again.outcome) == ("stored", "uptodate")
    assert again.images == [{**first.images[0], "status": "uptodate"}]
    assert again.crawled_at
    [row] = rows(store).values()
    assert (row.state, row.outcome, row.attempts) == ("held", "stored", 1)
    assert (row.source, row.keyword, row.rank, row.store, row.folder) == ("test", "cats", 1, "images", "cats")
    assert (row.path, row.sha256, row.md5) == tuple(first.images[0][name] for name in ("path", "sha256", "checksum"))
    assert (row.bytes, row.width, row.height, row.format, row.mode) == (len(picture()), 40, 30, "PNG", "RGB")


@pytest.mark.parametrize("harm", ["gone", "shorter", "changed"])
def test_a_file_that_is_not_whole_is_fetched_again(process: Any, store: Path, harm: str) -> None:
    [first] = process(Network({URL: picture()}), item(URL))
    path = store / first.images[0]["path"]
    match harm:
        case "gone":
            path.unlink()
        case "shorter":
            path.write_bytes(picture()[:-1])
        case "changed":
            path.write_bytes(picture()[:-1] + b"!")
            os.utime(path, ns=(1, 1))
    [again] = process(Network({URL: picture()}), item(URL))
    assert again.outcome == "stored"
    assert path.read_bytes() == picture()
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"
    assert rows(store)["cats", URL].attempts == 2


def test_a_touched_file_is_hashed_once(process: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = process(Network({URL: picture()}), item(URL))
    os.utime(store / first.images[0]["path"], ns=(10**18, 10**18))
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"

    def read(path: Path) -> str:
        raise AssertionError("read again")

    monkeypatch.setattr(stores, "file_sha256", read)
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"


@pytest.mark.parametrize(("answer", "asked_again"), [
    (404, False), (410, False), (403, False), (b"<html>", False), (b"", False),
    (503, True), (429, True), (408, True), (DownloadTimeoutError(), True), (RuntimeError("a bug"), True),
])  # fmt: skip
def test_only_what_may_pass_is_asked_again(process: Any, store: Path, answer: Any, asked_again: bool) -> None:
    [first] = process(Network({URL: answer}), item(URL))
    network = Network({URL: picture()})
    [again] = process(network, item(URL))
    assert network.asked[URL] == asked_again
    if asked_again:
        assert again.outcome == "stored"
    else:
        assert (again.outcome, again.reason) == (first.outcome, first.reason) == ("failed", first.reason)
    assert rows(store)["cats", URL].attempts == 1 + asked_again


def test_the_thumbnail_in_its_place_is_known_with_its_reason(process: Any) -> None:
    answers = {URL: 404, OTHER: picture()}
    [first] = process(Network(answers), item(URL, OTHER, thumbnail_url=OTHER))
    [again] = nothing_asked(process, item(URL, OTHER, thumbnail_url=OTHER))
    assert (first.outcome, again.outcome) == ("stored", "uptodate")
    assert first.reason == again.reason == "http-404"
    assert again.images[0]["thumbnail"] is True


def test_what_was_refused_is_asked_for_under_other_bounds_only(process: Any, store: Path) -> None:
    process(Network({URL: picture()}), item(URL), IMAGES_MIN_WIDTH=100)
    [again] = nothing_asked(process, item(URL), IMAGES_MIN_WIDTH=100)
    assert (again.outcome, again.reason) == ("refused", "too-small")
    [wanted] = process(Network({URL: picture()}), item(URL), IMAGES_MIN_WIDTH=10)
    assert wanted.outcome == "stored"


def test_what_is_in_place_is_refused_under_bounds_it_breaks(process: Any, store: Path) -> None:
    process(Network({URL: picture()}), item(URL))
    for refused in nothing_asked(process, item(URL), item(URL), IMAGES_MIN_WIDTH=100):
        assert (refused.outcome, refused.reason, refused.images) == ("refused", "too-small", [])
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"


def test_equal_bytes_from_another_address_are_a_duplicate_in_every_later_run(process: Any, store: Path) -> None:
    [first] = process(Network({URL: picture()}), item(URL))
    [second] = process(Network({OTHER: picture()}), item(OTHER))
    assert second.outcome == "duplicate"
    assert second.images[0]["path"] == first.images[0]["path"]
    third = nothing_asked(process, item(OTHER), item(URL))
    assert [done.outcome for done in third] == ["duplicate", "uptodate"]
    assert len([path for path in store.rglob("*") if path.is_file()]) == 1


def test_another_keyword_gets_a_second_name_of_the_file_without_a_download(process: Any, store: Path) -> None:
    [cat] = process(Network({URL: picture()}), item(URL))
    [dog] = nothing_asked(process, item(URL, keyword="dogs"))
    assert (dog.outcome, dog.images[0]["status"]) == ("stored", "downloaded")
    assert (store / dog.images[0]["path"]).samefile(store / cat.images[0]["path"])
    assert dog.images[0]["path"].startswith("dogs/")
    assert rows(store)["dogs", URL].attempts == 0
    assert [done.outcome for done in nothing_asked(process, item(URL), item(URL, keyword="dogs"))] == ["uptodate"] * 2


def test_equal_bytes_of_another_keyword_take_no_second_place_on_the_disk(process: Any, store: Path) -> None:
    [cat] = process(Network({URL: picture()}), item(URL))
    [dog] = process(Network({OTHER: picture()}), item(OTHER, keyword="dogs"))
    assert dog.outcome == "stored"
    assert (store / dog.images[0]["path"]).samefile(store / cat.images[0]["path"])


def test_a_damaged_file_is_not_given_to_another_keyword(process: Any, store: Path) -> None:
    [cat] = process(Network({URL: picture()}), item(URL))
    (store / cat.images[0]["path"]).write_bytes(b"x" * len(picture()))
    [dog] = process(Network({URL: picture()}), item(URL, keyword="dogs"))
    assert dog.outcome == "stored"
    assert (store / dog.images[0]["path"]).read_bytes() == picture()


class TestRefresh:
    """``REFRESH_DAYS``."""

    def first(self, process: Any, **headers: str) -> None:
        process(Network({URL: Response(URL, body=picture(), headers=headers)}), item(URL))

    def test_what_is_young_is_not_asked_for(self, process: Any) -> None:
        self.first(process, ETag='"1"')
        assert nothing_asked(process, item(URL), REFRESH_DAYS=1)[0].outcome == "uptodate"

    def test_without_it_nothing_is_ever_too_old(self, process: Any, store: Path) -> None:
        self.first(process, ETag='"1"')
        age(store)
        assert nothing_asked(process, item(URL))[0].outcome == "uptodate"

    def test_the_host_is_asked_whether_it_changed(self, process: Any, store: Path) -> None:
        self.first(process, ETag='"1"', **{"Last-Modified": "Sat, 21 Nov 2026 00:00:00 GMT"})
        age(store)
        network = Network({URL: 304})
        [again] = process(network, item(URL), REFRESH_DAYS=30)
        assert again.outcome == "uptodate"
        [request] = network.requests
        assert request.headers["If-None-Match"] == b'"1"'
        assert request.headers["If-Modified-Since"] == b"Sat, 21 Nov 2026 00:00:00 GMT"
        assert request.headers["Accept"].startswith(b"image/*")
        assert nothing_asked(process, item(URL), REFRESH_DAYS=30)[0].outcome == "uptodate"
        assert rows(store)["cats", URL].attempts == 2

    def test_a_duplicate_stays_one(self, process: Any, store: Path) -> None:
        marked = {url: Response(url, body=picture(), headers={"ETag": '"1"'}) for url in (URL, OTHER)}
        process(Network(marked), item(URL), item(OTHER))
        age(store)
        done = process(Network({URL: 304, OTHER: 304}), item(OTHER), item(URL), REFRESH_DAYS=30)
        assert sorted(str(each.outcome) for each in done) == ["duplicate", "uptodate"]

    def test_a_host_that_gave_no_marks_is_asked_plainly(self, process: Any, store: Path) -> None:
        self.first(process)
        age(store)
        network = Network({URL: picture()})
        [again] = process(network, item(URL), REFRESH_DAYS=30)
        assert again.outcome == "uptodate"
        assert "If-None-Match" not in network.requests[0].headers
        assert rows(store)["cats", URL].fetched != "2020-01-01T00:00:00+00:00"

    def test_what_changed_is_stored_beside_the_old(self, process: Any, store: Path) -> None:
        self.first(process, ETag='"1"')
        age(store)
        [again] = process(
            Network({URL: Response(URL, body=picture("blue"), headers={"ETag": '"2"'})}), item(URL), REFRESH_DAYS=30
        )
        assert again.outcome == "stored"
        assert (store / again.images[0]["path"]).read_bytes() == picture("blue")
        assert len([path for path in store.rglob("*") if path.is_file()]) == 2
        assert rows(store)["cats", URL].etag == '"2"'

    @pytest.mark.parametrize("answer", [404, 503, DownloadTimeoutError(), b"<html>"])
    def test_what_cannot_be_learned_changes_nothing(self, process: Any, store: Path, answer: Any) -> None:
        self.first(process)
        age(store)
        before = rows(store)["cats", URL]
        [again] = process(Network({URL: answer}), item(URL), REFRESH_DAYS=30)
        assert (again.outcome, len(again.images)) == ("uptodate", 1)
        after = rows(store)["cats", URL]
        assert (after.state, after.path, after.fetched) == ("held", before.path, before.fetched)

    def test_failures_grow_old_too(self, process: Any, store: Path) -> None:
        process(Network({URL: 404}), item(URL))
        age(store)
        [again] = process(Network({URL: picture()}), item(URL), REFRESH_DAYS=30)
        assert again.outcome == "stored"

    def test_304_to_a_plain_request_is_no_picture(self, process: Any) -> None:
        [done] = process(Network({URL: 304}), item(URL))
        assert (done.outcome, done.reason) == ("failed", "http-304")


def test_a_failure_keeps_what_the_page_said_until_the_picture_is_there(process: Any, store: Path) -> None:
    process(Network({URL: 503}), item(URL))
    kept = rows(store)["cats", URL].item
    assert ImageItem(**json.loads(kept or "")) == item(URL)
    process(Network({URL: picture()}), item(URL))
    assert rows(store)["cats", URL].item is None


def test_a_picture_inside_its_address_is_known_by_its_hash(process: Any, store: Path) -> None:
    url = "data:image/png;base64," + "A" * 5000
    network = Network({url: picture()})
    [first, twin] = process(network, item(url), item(url))
    [again] = nothing_asked(process, item(url))
    assert [first.outcome, twin.outcome, again.outcome] == ["stored", "duplicate", "uptodate"]
    assert again.images[0]["url"] == url
    [row] = rows(store).values()
    assert row.url.startswith("data:")
    assert len(row.url) == 69


def test_a_fragment_makes_no_other_picture(process: Any) -> None:
    process(Network({f"{URL}#top": picture()}), item(f"{URL}#top"))
    assert nothing_asked(process, item(f"{URL}#end"))[0].outcome == "uptodate"


def test_files_that_no_row_knows_are_recognised(process: Any, store: Path) -> None:
    process(Network({URL: picture()}), item(URL))
    change(store, "DELETE FROM media")
    [again] = process(Network({URL: picture()}), item(URL))
    assert again.outcome == "uptodate"
    assert rows(store)["cats", URL].outcome == "stored"


@pytest.mark.parametrize("full", [True, False])
def test_a_ledger_that_fails_ends_the_crawl_once(
    process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, full: bool
) -> None:
    def fail(self: Ledger, entry: Entry, known: Entry | None = None) -> None:
        raise LedgerError("the ledger is lost", full=full)

    monkeypatch.setattr(ledger.Ledger, "settle", fail)
    network = Network({f"https://a.example/{n}": picture(size=(n + 1, 1)) for n in range(5)})
    done = process(network, *(item(url) for url in network.answers))
    assert {(each.outcome, each.reason) for each in done} <= {("failed", "store-error"), ("failed", "stopped")}
    assert network.closed == ["disk-full" if full else "ledger-error"]
    assert caplog.text.count("The crawl ends: the ledger is lost") == 1


def test_a_full_disk_leaves_the_picture_to_the_next_run(
    process: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(stores, "_sync", full)
        network = Network({URL: picture(), OTHER: picture("blue")})
        process(network, item(URL), item(OTHER))
        assert network.closed == ["disk-full"]
    assert {row.state for row in rows(store).values()} == {State.DUE}
    assert {done.outcome for done in process(Network(network.answers), item(URL), item(OTHER))} == {"stored"}


def test_the_store_moves_with_its_ledger(process: Any, store: Path, tmp_path: Path) -> None:
    process(Network({URL: picture()}), item(URL))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("images", "ledger.sqlite3"):
        (tmp_path / name).rename(moved / name)
    [again] = nothing_asked(
        process, item(URL), IMAGES_STORE=str(moved / "images"), LEDGER=str(moved / "ledger.sqlite3")
    )
    assert again.outcome == "uptodate"


def test_another_store_has_its_own_rows(process: Any, store: Path, tmp_path: Path) -> None:
    process(Network({URL: picture()}), item(URL))
    [other] = process(Network({URL: picture()}), item(URL), IMAGES_STORE=str(tmp_path / "other"))
    assert other.outcome == "stored"
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"


def test_a_store_that_cannot_be_read_takes_nothing_from_the_ledger(
    process: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(Network({URL: picture()}), item(URL))

    def fail(self: stores.LocalStore, facts: stores.Facts) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(stores.LocalStore, "find", fail)
        [failed] = nothing_asked(process, item(URL))
        assert (failed.outcome, failed.reason) == ("failed", "store-error")
    assert nothing_asked(process, item(URL))[0].outcome == "uptodate"


def test_what_was_refused_for_another_keyword_is_in_the_ledger(process: Any, store: Path) -> None:
    process(Network({URL: picture()}), item(URL))
    nothing_asked(process, item(URL, keyword="dogs"), IMAGES_MIN_WIDTH=100)
    row = rows(store)["dogs", URL]
    assert (row.state, row.outcome, row.reason) == ("closed", "refused", "too-small")


class BusyNetwork(Network):
    """Answers of ``slow.example`` come when all others have come; counts how many are under way at once."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__({url: picture(size=(number + 1, 1)) for number, url in enumerate(urls)})
        self.others = sum("slow" not in url for url in urls)
        self.others_came = asyncio.Event()
        self.under_way = self.most = 0

    async def download_async(self, request: Request) -> Response:
        await request.meta["place"].take()  # as PausesMiddleware does
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if "slow" in request.url:
            await self.others_came.wait()
        answer = await super().download_async(request)
        self.under_way -= 1
        self.others -= "slow" not in request.url
        if not self.others:
            self.others_came.set()
        return answer


def test_one_slow_host_holds_up_no_other_and_little_is_under_way_at_once(process: Any) -> None:
    urls = [f"https://slow.example/{n}" for n in range(10)] + [f"https://{n}.example/" for n in range(10)]
    network = BusyNetwork(urls)
    done = process(network, *map(item, urls), CONCURRENT_REQUESTS=4, CONCURRENT_REQUESTS_PER_DOMAIN=2)
    assert {each.outcome for each in done} == {"stored"}
    assert network.most == 4


def test_what_is_not_asked_for_is_in_the_ledger_and_due(process: Any, store: Path) -> None:
    """Under other settings it may be asked for: `scrapy retry` finds it."""
    [done] = process(Network({}), item("http://10.0.0.1/1.jpg"))
    assert (done.outcome, done.reason) == ("refused", "private-address")
    [entry] = rows(store).values()
    assert (entry.url, entry.state, entry.reason) == ("http://10.0.0.1/1.jpg", State.DUE, "private-address")
