"""The file pipeline by itself. The network alone is a stand-in; every call of ``process`` is a run of its own."""

from __future__ import annotations

import errno
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response

from imagecrawl import stores
from imagecrawl.items import FileItem, ImageItem, read_item
from imagecrawl.ledger import Entry, Ledger, State
from imagecrawl.outcomes import Outcome
from imagecrawl.pipelines.file_store import FileStorePipeline
from imagecrawl.pipelines.image_store import ImageStorePipeline
from imagecrawl.storage import file_name
from tests.bucket import Bucket
from tests.pipelines.network import Network, file_item, item, paper, picture

URL = "https://a.example/1.pdf"
OTHER = "https://b.example/2.pdf"
THIRD = "https://c.example/3.pdf"
NAME = "0625_w19_qp_11.pdf"
PLACE = f"test/caie/physics-0625/{NAME}"
PAGE = b"<!DOCTYPE html><html><head><title>Papers</title></head></html>"
BUCKET = {"FILES_STORE": "s3://pictures/crawl/"}


def hashed(body: bytes, name: str = NAME) -> str:
    """The place of a file whose name another has."""
    return f"test/caie/physics-0625/{file_name(name, sha(body)[:8])}"


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def on_disk(folder: Path) -> dict[str, bytes]:
    """Every file of a store, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(done: list[FileItem]) -> list[tuple[str | None, str | None]]:
    return [(each.outcome, each.files[0]["path"] if each.files else each.reason) for each in done]


def nothing_asked(process: Any, *items: Any, **changed: Any) -> Any:
    """A run that has no network at all."""
    network = Network({})
    done = process(network, *items, **changed)
    assert not network.asked
    return done


def rows(shelf: Path) -> dict[tuple[str, str], Entry]:
    """The rows of the ledger by folder and address."""
    book = Ledger(shelf.parent / "ledger.sqlite3")
    found = {(entry.folder, entry.url): entry for entry in book._select("1 ORDER BY rowid", {})}
    book.close()
    return found


def age(shelf: Path) -> None:
    """Let everything be fetched long ago."""
    with sqlite3.connect(shelf.parent / "ledger.sqlite3") as database:
        database.execute("UPDATE media SET fetched = '2020-01-01T00:00:00+00:00'")
    database.close()


def put(shelf: Path, path: str, body: bytes) -> Path:
    place = shelf / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return place


# One file


def test_a_file_keeps_the_name_and_the_folders_of_the_site(process: Any, shelf: Path, store: Path) -> None:
    network = Network({URL: paper()})
    [done] = process(network, file_item(URL))
    assert (done.outcome, done.reason) == ("stored", None)
    assert done.crawled_at
    assert on_disk(shelf) == {PLACE: paper()}
    [entry] = done.files
    assert list(entry) == ["url", "path", "checksum", "status", "sha256", "bytes", "content_type"]
    assert (entry["url"], entry["path"], entry["status"], entry["bytes"]) == (URL, PLACE, "downloaded", len(paper()))
    assert (entry["sha256"], entry["content_type"]) == (sha(paper()), "application/pdf")
    assert network.stats.get_value("files/stored") == 1
    assert not store.exists()
    [row] = rows(shelf).values()
    assert (row.state, row.outcome, row.attempts) == ("held", "stored", 1)
    assert (row.store, row.folder, row.source, row.keyword) == ("files", "test/caie/physics-0625", "test", "Physics")
    assert (row.path, row.sha256, row.md5) == tuple(entry[name] for name in ("path", "sha256", "checksum"))
    assert (row.format, row.rank, row.width, row.height) == ("application/pdf", None, None, None)


def test_what_is_in_place_is_not_asked_for_again(process: Any, shelf: Path) -> None:
    [first] = process(Network({URL: paper()}), file_item(URL))
    network = Network({})
    [again] = process(network, file_item(URL))
    assert again.outcome == "uptodate"
    assert again.files == [{**first.files[0], "status": "uptodate"}]
    assert network.stats.get_value("files/uptodate") == 1


def test_what_the_host_says_of_the_kind_is_kept_where_the_bytes_prove_nothing(process: Any) -> None:
    answer = Response(URL, body=b"a,b\n", headers={"Content-Type": "Text/CSV; charset=utf-8"})
    [first] = process(Network({URL: answer}), file_item(URL, name="marks.csv"))
    [again] = nothing_asked(process, file_item(URL, name="marks.csv"))
    assert first.files[0]["content_type"] == again.files[0]["content_type"] == "text/csv"


def test_a_file_of_no_known_kind_has_none(process: Any) -> None:
    [first] = process(Network({URL: b"\x01\x02"}), file_item(URL, name="sound.wma"))
    [again] = nothing_asked(process, file_item(URL, name="sound.wma"))
    assert first.files[0]["content_type"] is again.files[0]["content_type"] is None


def test_hosts_are_asked_for_anything(process: Any) -> None:
    network = Network({URL: paper()})
    process(network, file_item(URL), FILES_MAX_BYTES=12345)
    assert network.requests[0].headers["Accept"] == b"*/*"
    assert network.requests[0].meta["download_maxsize"] == 12345


SOFT_404 = {
    "page": Response(URL, body=PAGE, headers={"Content-Type": "text/html"}),
    "page that says it is a file": Response(URL, body=PAGE, headers={"Content-Type": "application/pdf"}),
    "another address": Response("https://a.example/home", body=PAGE),
}


@pytest.mark.parametrize("answer", SOFT_404.values(), ids=SOFT_404)
def test_a_page_in_the_place_of_a_file_is_refused_and_remembered(process: Any, shelf: Path, answer: Response) -> None:
    network = Network({URL: answer})
    [done] = process(network, file_item(URL))
    assert (done.outcome, done.reason, done.files) == ("failed", "not-the-file", [])
    assert network.stats.get_value("files/failed/not-the-file") == 1
    assert not shelf.exists()
    [again] = nothing_asked(process, file_item(URL))
    assert (again.outcome, again.reason) == ("failed", "not-the-file")


def test_a_page_is_a_file_where_a_page_was_listed_and_no_other_address_answered(process: Any) -> None:
    said = {"Content-Type": "text/html"}
    [done] = process(Network({URL: Response(URL, body=PAGE, headers=said)}), file_item(URL, name="notes.html"))
    assert (done.outcome, done.files[0]["content_type"]) == ("stored", "text/html")
    elsewhere = Response("https://b.example/home", body=PAGE, headers=said)
    [done] = process(Network({OTHER: elsewhere}), file_item(OTHER, name="notes.html"))
    assert (done.outcome, done.reason) == ("failed", "not-the-file")


def test_a_file_that_another_address_sends_is_the_file(process: Any) -> None:
    [done] = process(Network({URL: Response("https://cdn.example/1.pdf", body=paper())}), file_item(URL))
    assert (done.outcome, done.files[0]["url"]) == ("stored", URL)


def test_a_fragment_is_no_redirect(process: Any) -> None:
    answer = Response(f"{URL}#top", body=PAGE, headers={"Content-Type": "text/html"})
    [done] = process(Network({f"{URL}#top": answer}), file_item(f"{URL}#top", name="notes.html"))
    assert done.outcome == "stored"


@pytest.mark.parametrize(
    ("body", "name", "reason"),
    [
        (paper()[:-12], NAME, "truncated"),
        (b"", NAME, "empty"),
        (b"no PDF at all", NAME, "not-the-file"),
        (b"PK\3\4 and no more", "data.zip", "truncated"),
    ],
)
def test_what_is_not_whole_is_not_stored_and_remembered(
    process: Any, shelf: Path, body: bytes, name: str, reason: str
) -> None:
    [done] = process(Network({URL: body}), file_item(URL, name=name))
    assert (done.outcome, done.reason, done.files) == ("failed", reason, [])
    assert not shelf.exists()
    assert nothing_asked(process, file_item(URL, name=name))[0].reason == reason


def test_the_second_address_is_tried_when_the_first_failed(process: Any, shelf: Path) -> None:
    network = Network({URL: PAGE, OTHER: paper()})
    [done] = process(network, file_item(URL, OTHER))
    assert (done.outcome, done.reason, done.files[0]["url"]) == ("stored", "not-the-file", OTHER)
    assert network.asked == {URL: 1, OTHER: 1}
    assert on_disk(shelf) == {PLACE: paper()}
    [again] = nothing_asked(process, file_item(URL, OTHER))
    assert (again.outcome, again.files[0]["path"]) == ("uptodate", PLACE)


def test_the_second_address_is_left_alone_when_the_first_has_it(process: Any) -> None:
    network = Network({URL: paper()})
    [done] = process(network, file_item(URL, OTHER))
    assert (done.outcome, done.reason) == ("stored", None)


def test_without_addresses_it_is_said(process: Any) -> None:
    [done] = nothing_asked(process, file_item())
    assert (done.outcome, done.reason) == ("failed", "no-url")


def test_one_address_is_fetched_once_however_many_ask(process: Any) -> None:
    network = Network({URL: paper()})
    done = process(network, *(file_item(URL) for _ in range(9)))
    assert network.asked == {URL: 1}
    assert Counter(each.outcome for each in done) == {"stored": 1, "duplicate": 8}


def test_what_failed_is_read_back_as_the_page_gave_it(process: Any, shelf: Path) -> None:
    process(Network({URL: 503}), file_item(URL))
    [row] = rows(shelf).values()
    assert (row.state, row.reason) == (State.DUE, "http-503")
    assert read_item(row.item or "") == file_item(URL)
    process(Network({URL: paper()}), file_item(URL))
    assert rows(shelf)[row.folder, URL].item is None


# Names


def test_two_files_of_one_name_are_both_kept(process: Any, shelf: Path) -> None:
    bodies = {URL: paper("one"), OTHER: paper("two"), THIRD: paper("three")}
    done = process(Network(bodies), *map(file_item, bodies))
    assert {each.outcome for each in done} == {"stored"}
    paths = {each.files[0]["url"]: each.files[0]["path"] for each in done}
    assert on_disk(shelf) == {path: bodies[url] for url, path in paths.items()}
    assert list(paths.values()).count(PLACE) == 1
    assert {path for url, path in paths.items() if path != PLACE} < {hashed(body) for body in bodies.values()}
    again = nothing_asked(process, *map(file_item, reversed(bodies)))
    assert {each.files[0]["url"]: each.files[0]["path"] for each in again} == paths
    assert {each.outcome for each in again} == {"uptodate"}


@pytest.mark.parametrize("order", [(URL, OTHER), (OTHER, URL)])
def test_two_files_of_one_name_are_both_kept_in_runs_of_their_own(
    process: Any, shelf: Path, order: tuple[str, str]
) -> None:
    bodies = {URL: paper("one"), OTHER: paper("two")}
    first, second = order
    assert outcomes(process(Network(bodies), file_item(first))) == [("stored", PLACE)]
    assert outcomes(process(Network(bodies), file_item(second))) == [("stored", hashed(bodies[second]))]
    assert on_disk(shelf) == {PLACE: bodies[first], hashed(bodies[second]): bodies[second]}
    for _ in range(2):
        again = nothing_asked(process, file_item(second), file_item(first))
        assert outcomes(again) == [("uptodate", hashed(bodies[second])), ("uptodate", PLACE)]


def test_the_same_bytes_of_one_name_are_one_file(process: Any, shelf: Path) -> None:
    done = process(Network({URL: paper(), OTHER: paper()}), file_item(URL), file_item(OTHER))
    assert Counter(each.outcome for each in done) == {"stored": 1, "duplicate": 1}
    assert on_disk(shelf) == {PLACE: paper()}


def test_the_same_bytes_under_two_names_have_both_names(process: Any, shelf: Path) -> None:
    items = [file_item(URL), file_item(OTHER, name="copy.pdf")]
    done = process(Network({URL: paper(), OTHER: paper()}), *items)
    assert {each.outcome for each in done} == {"stored"}
    assert on_disk(shelf) == {PLACE: paper(), "test/caie/physics-0625/copy.pdf": paper()}
    again = nothing_asked(process, file_item(URL), file_item(OTHER, name="copy.pdf"))
    assert {each.outcome for each in again} == {"uptodate"}


@pytest.mark.parametrize("at_once", [True, False])
def test_one_address_in_two_folders_is_asked_once_and_linked(process: Any, shelf: Path, at_once: bool) -> None:
    network = Network({URL: paper()})
    items = [file_item(URL), file_item(URL, folder=["caie", "other"])]
    groups = [items] if at_once else [[each] for each in items]
    done = [each for group in groups for each in process(network, *group)]
    assert outcomes(done) == [("stored", PLACE), ("stored", f"test/caie/other/{NAME}")]
    assert network.asked == {URL: 1}
    assert (shelf / PLACE).samefile(shelf / f"test/caie/other/{NAME}")
    assert done[1].files[0]["content_type"] == "application/pdf"


def test_the_same_bytes_in_two_folders_are_linked(process: Any, shelf: Path) -> None:
    network = Network({URL: paper(), OTHER: paper()})
    process(network, file_item(URL))
    [done] = process(network, file_item(OTHER, name="x.pdf", folder=["caie", "other"]))
    assert (shelf / PLACE).samefile(shelf / done.files[0]["path"])


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("../../../etc/passwd", ["caie"]),
        ("a/b\\c:d*.pdf", ["..", "."]),
        ("con.pdf", ["nul", "a/b"]),
        ("x" * 300 + ".pdf", ["é" * 300]),
        ("قطط.pdf", ["caie", "قطط"]),
        (".7.part.pdf", [".git"]),
        ("paper\x1b[31m\n.pdf", ["\u202e", ""]),
        ("half \ud800.pdf", ["half \udfff"]),
        ("", ["caie"]),
        ("no extension", []),
    ],
)
def test_odd_names_stay_in_the_store_and_are_found_again(
    process: Any, shelf: Path, name: str, folder: list[str]
) -> None:
    def odd() -> FileItem:
        return file_item(URL, name=name, folder=folder)

    [done] = process(Network({URL: paper() if name.endswith(".pdf") else b"\x01"}), odd())
    assert done.outcome == "stored"
    [path] = on_disk(shelf)
    assert path == done.files[0]["path"]
    parts = path.split("/")
    assert parts[0] == "test" and len(parts) == len(folder) + 2
    assert all(len(part.encode()) <= 120 and not part.startswith(".") for part in parts)
    assert name[-4:] != ".pdf" or path.endswith(".pdf")
    assert outcomes(nothing_asked(process, odd())) == [("uptodate", path)]


@pytest.mark.parametrize("name", ["\u200d", "\u200d.pdf"])
def test_a_name_of_joiners_alone_is_some_name(process: Any, shelf: Path, name: str) -> None:
    [done] = process(Network({URL: paper()}), file_item(URL, name=name))
    assert done.outcome == "stored"
    [path] = on_disk(shelf)
    assert len(path.split("/")) == 4 and not path.rpartition("/")[2].startswith(".")


def test_a_name_that_looks_hashed_is_a_name(process: Any, shelf: Path) -> None:
    name = "paper-01234567.pdf"
    [done] = process(Network({URL: paper()}), file_item(URL, name=name))
    assert done.files[0]["path"] == f"test/caie/physics-0625/{name}"
    assert nothing_asked(process, file_item(URL, name=name))[0].outcome == "uptodate"


def test_a_name_that_is_anothers_name_with_its_hash_is_not_taken_from_it(process: Any, shelf: Path) -> None:
    """URL has for its own name what OTHER gets because THIRD has its plain one."""
    own = hashed(paper("two")).rpartition("/")[2]
    bodies = {URL: paper("one"), THIRD: paper("three"), OTHER: paper("two")}
    process(Network(bodies), file_item(URL, name=own))
    process(Network(bodies), file_item(THIRD))
    process(Network(bodies), file_item(OTHER))
    assert sorted(on_disk(shelf).values()) == sorted(bodies.values())


# What stands in the place already


def test_a_file_of_ones_own_is_never_overwritten(process: Any, shelf: Path) -> None:
    put(shelf, PLACE, b"my notes")
    done = process(Network({URL: paper()}), file_item(URL))
    assert outcomes(done) == [("stored", hashed(paper()))]
    assert on_disk(shelf) == {PLACE: b"my notes", hashed(paper()): paper()}
    assert outcomes(nothing_asked(process, file_item(URL))) == [("uptodate", hashed(paper()))]


def test_a_file_of_ones_own_under_the_name_with_the_hash_is_not_overwritten(process: Any, shelf: Path) -> None:
    put(shelf, PLACE, b"my notes")
    put(shelf, hashed(paper()), b"what I wrote into the paper")
    process(Network({URL: paper()}), file_item(URL))
    assert b"what I wrote into the paper" in on_disk(shelf).values()


def test_the_very_file_is_taken_as_it_is(process: Any, shelf: Path) -> None:
    before = put(shelf, PLACE, paper()).stat().st_ino
    assert outcomes(process(Network({URL: paper()}), file_item(URL))) == [("uptodate", PLACE)]
    assert (shelf / PLACE).stat().st_ino == before


def test_a_folder_in_the_place_is_gone_around(process: Any, shelf: Path) -> None:
    put(shelf, f"{PLACE}/own.txt", b"x")
    assert outcomes(process(Network({URL: paper()}), file_item(URL))) == [("stored", hashed(paper()))]
    assert outcomes(nothing_asked(process, file_item(URL))) == [("uptodate", hashed(paper()))]


def test_a_folder_in_the_place_of_our_file_is_gone_around(process: Any, shelf: Path) -> None:
    process(Network({URL: paper()}), file_item(URL))
    (shelf / PLACE).unlink()
    (shelf / PLACE).mkdir()
    assert outcomes(process(Network({URL: paper()}), file_item(URL))) == [("stored", hashed(paper()))]


def test_a_file_in_the_place_of_a_folder_is_an_error_of_the_store(process: Any, shelf: Path) -> None:
    put(shelf, "test/caie", b"in the way")
    [done] = process(Network({URL: paper()}), file_item(URL))
    assert (done.outcome, done.reason) == ("failed", "store-error")
    assert on_disk(shelf) == {"test/caie": b"in the way"}


@pytest.mark.parametrize("harm", ["cut", "changed"])
@pytest.mark.parametrize("is_hashed", [True, False])
def test_our_own_damaged_file_is_replaced_under_its_name(process: Any, shelf: Path, harm: str, is_hashed: bool) -> None:
    if is_hashed:
        put(shelf, PLACE, b"my notes")
    [first] = process(Network({URL: paper()}), file_item(URL))
    path = first.files[0]["path"]
    before = on_disk(shelf)
    put(shelf, path, paper()[:20] if harm == "cut" else paper("ONE"))
    network = Network({URL: paper()})
    assert outcomes(process(network, file_item(URL))) == [("stored", path)]
    assert network.asked == {URL: 1}
    assert on_disk(shelf) == before
    assert outcomes(nothing_asked(process, file_item(URL))) == [("uptodate", path)]


def test_our_own_damaged_file_is_replaced_after_a_failure_too(process: Any, shelf: Path) -> None:
    process(Network({URL: paper()}), file_item(URL))
    put(shelf, PLACE, paper()[:20])
    process(Network({URL: 503}), file_item(URL))
    assert outcomes(process(Network({URL: paper()}), file_item(URL))) == [("stored", PLACE)]
    assert on_disk(shelf) == {PLACE: paper()}


def test_a_missing_file_is_fetched_again(process: Any, shelf: Path) -> None:
    process(Network({URL: paper()}), file_item(URL))
    (shelf / PLACE).unlink()
    network = Network({URL: paper()})
    assert outcomes(process(network, file_item(URL))) == [("stored", PLACE)]
    assert network.asked == {URL: 1}
    assert on_disk(shelf) == {PLACE: paper()}


def test_a_file_that_is_missing_in_one_folder_is_linked_from_the_other(process: Any, shelf: Path) -> None:
    items = [file_item(URL), file_item(URL, folder=["caie", "other"])]
    process(Network({URL: paper()}), *items)
    (shelf / PLACE).unlink()
    assert outcomes(nothing_asked(process, file_item(URL))) == [("stored", PLACE)]


def swapped(process: Any, lose: Callable[[str], None], **changed: Any) -> dict[str, bytes]:
    """Two files of one name whose names were lost in between, so that the second came into the place of the first."""
    bodies = {URL: paper("one"), OTHER: paper("two")}
    network = Network(bodies)
    for url in bodies:
        process(network, file_item(url), **changed)
    lose(PLACE)
    lose(hashed(bodies[OTHER]))
    assert outcomes(process(network, file_item(OTHER), **changed)) == [("stored", PLACE)]
    assert outcomes(process(network, file_item(URL), **changed)) == [("stored", hashed(bodies[URL]))]
    return {PLACE: bodies[OTHER], hashed(bodies[URL]): bodies[URL]}


def test_a_name_that_is_anothers_meanwhile_is_left_to_it(process: Any, shelf: Path) -> None:
    expected = swapped(process, lambda path: (shelf / path).unlink())
    assert on_disk(shelf) == expected
    for items in ([URL, OTHER], [OTHER, URL], [URL]):
        assert {each.outcome for each in nothing_asked(process, *map(file_item, items))} == {"uptodate"}
    assert on_disk(shelf) == expected


def test_what_is_damaged_and_anothers_meanwhile_comes_to_rest(process: Any, shelf: Path) -> None:
    swapped(process, lambda path: (shelf / path).unlink())
    put(shelf, PLACE, b"damaged")
    bodies = {URL: paper("one"), OTHER: paper("two")}
    assert outcomes(process(Network(bodies), file_item(URL), file_item(OTHER))) == [
        ("uptodate", hashed(bodies[URL])),
        ("stored", PLACE),
    ]
    assert {each.outcome for each in nothing_asked(process, file_item(OTHER), file_item(URL))} == {"uptodate"}


# What changes


def test_a_file_that_changed_is_stored_beside_the_old(process: Any, shelf: Path) -> None:
    process(Network({URL: paper("one")}), file_item(URL))
    age(shelf)
    assert outcomes(process(Network({URL: paper("two")}), file_item(URL), REFRESH_DAYS=30)) == [
        ("stored", hashed(paper("two")))
    ]
    assert on_disk(shelf) == {PLACE: paper("one"), hashed(paper("two")): paper("two")}
    assert outcomes(nothing_asked(process, file_item(URL), REFRESH_DAYS=30)) == [("uptodate", hashed(paper("two")))]


def test_a_file_that_changed_back_is_in_its_place_already(process: Any, shelf: Path) -> None:
    for body in (paper("one"), paper("two"), paper("one")):
        process(Network({URL: body}), file_item(URL), REFRESH_DAYS=30)
        age(shelf)
    assert on_disk(shelf) == {PLACE: paper("one"), hashed(paper("two")): paper("two")}
    assert [row.path for row in rows(shelf).values()] == [PLACE]


@pytest.mark.parametrize("answer", [304, 404, PAGE, paper()[:-12]])
def test_what_did_not_change_or_cannot_be_learned_stays(process: Any, shelf: Path, answer: Any) -> None:
    process(Network({URL: Response(URL, body=paper(), headers={"ETag": '"1"'})}), file_item(URL))
    age(shelf)
    network = Network({URL: answer})
    assert outcomes(process(network, file_item(URL), REFRESH_DAYS=30)) == [("uptodate", PLACE)]
    assert network.requests[0].headers["If-None-Match"] == b'"1"'
    assert on_disk(shelf) == {PLACE: paper()}


def test_what_is_too_large_is_asked_for_again_under_another_bound(process: Any, shelf: Path) -> None:
    network = Network({URL: DownloadCancelledError()})
    [done] = process(network, file_item(URL), FILES_MAX_BYTES=10)
    assert (done.outcome, done.reason) == ("refused", "too-large")
    assert not shelf.exists()
    assert nothing_asked(process, file_item(URL), FILES_MAX_BYTES=10)[0].reason == "too-large"
    assert outcomes(process(Network({URL: paper()}), file_item(URL), FILES_MAX_BYTES=1000)) == [("stored", PLACE)]


def test_what_is_in_place_is_held_against_the_bound_of_this_run(process: Any, shelf: Path) -> None:
    process(Network({URL: paper()}), file_item(URL))
    done = nothing_asked(process, file_item(URL), file_item(URL, folder=["other"]), FILES_MAX_BYTES=10)
    assert {(each.outcome, each.reason) for each in done} == {("refused", "too-large")}
    assert on_disk(shelf) == {PLACE: paper()}
    for bound in (len(paper()), 0):
        assert nothing_asked(process, file_item(URL), FILES_MAX_BYTES=bound)[0].outcome == "uptodate"


def test_an_address_that_holds_too_much_in_itself_is_refused(process: Any) -> None:
    url = "data:application/pdf;base64,AAAA"
    [done] = process(Network({url: paper()}), file_item(url), FILES_MAX_BYTES=10)
    assert (done.outcome, done.reason) == ("refused", "too-large")


def test_a_full_disk_ends_the_crawl_and_leaves_nothing_half(
    process: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stores, "_sync", full)
    network = Network({URL: paper()})
    [done] = process(network, file_item(URL))
    assert (done.outcome, done.reason) == ("failed", "store-error")
    assert on_disk(shelf) == {}
    assert network.closed == ["disk-full"]


# What is passed on


def listed(**others: Any) -> FileItem:
    return file_item(URL, outcome=Outcome.LISTED, **others)


def test_what_is_listed_and_in_place_says_so(process: Any, shelf: Path) -> None:
    [first] = process(Network({URL: paper()}), file_item(URL))
    before = rows(shelf)
    network = Network({})
    done = process(network, listed(), listed(folder=["other"]))
    assert [each.outcome for each in done] == ["uptodate", "listed"]
    assert done[0].files == [{**first.files[0], "status": "uptodate"}]
    assert done[1].files == []
    assert not network.asked
    assert network.stats.get_value("files/uptodate") == network.stats.get_value("files/listed") == 1
    assert rows(shelf) == before


@pytest.mark.parametrize("harm", ["gone", "cut", "overdue"])
def test_what_is_listed_and_would_be_fetched_again_stays_listed(process: Any, shelf: Path, harm: str) -> None:
    process(Network({URL: paper()}), file_item(URL))
    if harm == "gone":
        (shelf / PLACE).unlink()
    elif harm == "cut":
        put(shelf, PLACE, paper()[:20])
    else:
        age(shelf)
    [done] = nothing_asked(process, listed(), REFRESH_DAYS=30)
    assert (done.outcome, done.files) == ("listed", [])


def test_what_is_listed_and_failed_before_stays_listed(process: Any) -> None:
    process(Network({URL: 503}), file_item(URL))
    [done] = nothing_asked(process, listed())
    assert (done.outcome, done.reason, done.files) == ("listed", None, [])


def test_what_is_listed_and_new_is_only_counted(process: Any, shelf: Path) -> None:
    network = Network({})
    [done] = process(network, file_item(URL, outcome=Outcome.LISTED))
    assert (done.outcome, done.reason, done.files) == ("listed", None, [])
    assert done.crawled_at
    assert not network.asked
    assert network.stats.get_value("files/listed") == 1
    assert rows(shelf) == {}
    assert not shelf.exists()
    assert json.loads(done.page_part()).keys().isdisjoint({"outcome", "files", "crawled_at"})


def test_each_pipeline_leaves_the_items_of_the_other_alone(process: Any) -> None:
    pairs: list[tuple[Any, Any, Any]] = [
        (FileStorePipeline, item(URL), item(URL)),
        (ImageStorePipeline, file_item(URL), file_item(URL)),
        (FileStorePipeline, {"file_urls": [URL]}, {"file_urls": [URL]}),
    ]
    for pipeline, given, same in pairs:
        network = Network({})
        [done] = process(network, given, pipelines=[pipeline])
        assert done is given and done == same
        assert not [name for name in network.stats.get_stats() if name.startswith(("files/", "images/"))]


def test_pictures_and_files_of_one_crawl_go_their_ways(process: Any, shelf: Path, store: Path) -> None:
    network = Network({URL: paper(), "https://a.example/1.png": picture()})
    done = process(network, file_item(URL), item("https://a.example/1.png"))
    assert [type(each) for each in done] == [FileItem, ImageItem]
    assert {name: network.stats.get_value(name) for name in ("files/stored", "images/stored")} == {
        "files/stored": 1,
        "images/stored": 1,
    }
    assert [len(on_disk(folder)) for folder in (shelf, store)] == [1, 1]
    assert {row.store for row in rows(shelf).values()} == {"files", "images"}


# S3


@pytest.fixture
def remote(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a crawl whose files go to S3."""
    # Scrapy keeps the settings on the class, so each test has one of its own
    monkeypatch.setitem(stores.STORE_SCHEMES, "s3", type("OurS3Store", (stores.S3Store,), {}))
    return {**BUCKET, **bucket.settings}


def test_files_go_to_s3_with_their_kind(process: Any, bucket: Bucket, remote: dict[str, str]) -> None:
    bodies = {URL: paper("one"), OTHER: paper("two"), THIRD: b"\x01"}
    items = [file_item(URL), file_item(OTHER), file_item(THIRD, name="sound.wma")]
    for each in items:
        assert process(Network(bodies), each, **remote)[0].outcome == "stored"
    stored = {path: bucket.get(f"crawl/{path}") for path in (PLACE, hashed(paper("two")))}
    assert {path: answer["Body"] for path, answer in stored.items()} == {
        PLACE: paper("one"),
        hashed(paper("two")): paper("two"),
    }
    assert {answer["ContentType"] for answer in stored.values()} == {"application/pdf"}
    assert bucket.get("crawl/test/caie/physics-0625/sound.wma")["ContentType"] == "application/octet-stream"
    again = nothing_asked(process, file_item(OTHER), file_item(URL), **remote)
    assert outcomes(again) == [("uptodate", hashed(paper("two"))), ("uptodate", PLACE)]
    bucket.put(f"crawl/{PLACE}", b"damaged")
    assert outcomes(process(Network(bodies), file_item(URL), **remote)) == [("stored", PLACE)]
    assert bucket.get(f"crawl/{PLACE}")["Body"] == paper("one")


def test_an_object_of_ones_own_is_not_overwritten(process: Any, bucket: Bucket, remote: dict[str, str]) -> None:
    bucket.put(f"crawl/{PLACE}", b"my notes")
    assert outcomes(process(Network({URL: paper()}), file_item(URL), **remote)) == [("stored", hashed(paper()))]
    assert bucket.get(f"crawl/{PLACE}")["Body"] == b"my notes"


def test_a_name_on_s3_that_is_anothers_meanwhile_is_left_to_it(
    process: Any, bucket: Bucket, remote: dict[str, str]
) -> None:
    expected = swapped(
        process, lambda path: bucket.client.delete_object(Bucket=bucket.name, Key=f"crawl/{path}"), **remote
    )
    assert {path: bucket.get(f"crawl/{path}")["Body"] for path in expected} == expected


def test_a_file_on_s3_that_changed_is_stored_beside_the_old(
    process: Any, shelf: Path, bucket: Bucket, remote: dict[str, str]
) -> None:
    process(Network({URL: paper("one")}), file_item(URL), **remote)
    age(shelf)
    process(Network({URL: paper("two")}), file_item(URL), REFRESH_DAYS=30, **remote)
    assert bucket.objects.keys() == {f"crawl/{PLACE}", f"crawl/{hashed(paper('two'))}"}


@contextmanager
def answering_heads_with(code: str) -> Iterator[None]:
    """Let S3 say this of any object that is looked at."""

    async def refuse(store: Any, path: str, info: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "HeadObject")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores.S3Store, "stat_file", refuse)
        yield


@pytest.mark.parametrize("code", ["503", "SlowDown", "500"])
def test_what_cannot_be_looked_at_on_s3_is_not_overwritten_and_due_again(
    process: Any, shelf: Path, bucket: Bucket, remote: dict[str, str], code: str
) -> None:
    bucket.put(f"crawl/{PLACE}", b"my notes")
    with answering_heads_with(code):
        assert outcomes(process(Network({URL: paper()}), file_item(URL), **remote)) == [("failed", "store-error")]
    assert [row.state for row in rows(shelf).values()] == [State.DUE]
    assert list(bucket.objects) == [f"crawl/{PLACE}"]
    assert bucket.get(f"crawl/{PLACE}")["Body"] == b"my notes"
    assert outcomes(process(Network({URL: paper()}), file_item(URL), **remote)) == [("stored", hashed(paper()))]


@pytest.mark.parametrize("code", ["403", "AccessDenied", "404"])
def test_where_one_may_write_and_not_look_a_place_is_free(
    process: Any, bucket: Bucket, remote: dict[str, str], code: str
) -> None:
    with answering_heads_with(code):
        [done] = process(Network({URL: paper()}), file_item(URL), **remote)
    assert bucket.get(f"crawl/{PLACE}")["Body"] == paper()
    assert outcomes([done]) == [("stored", PLACE)]
