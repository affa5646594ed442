"""The picture pipeline by itself: what a real crawl reaches only by luck. The network alone is a stand-in here."""

from __future__ import annotations

import errno
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response

from imagecrawl import stores
from imagecrawl.failures import ROBOTS_TXT, RequestRefusedError
from imagecrawl.items import ImageItem
from imagecrawl.pipelines import media_store
from tests.pipelines.network import Network, item, picture
from tests.test_pictures import SAMPLES


def test_one_address_is_fetched_once_however_many_ask(process: Any, store: Path) -> None:
    network = Network({"https://a.example/1": picture()})
    done = process(network, *(item("https://a.example/1") for _ in range(20)))
    assert network.asked.total() == 1
    assert Counter(item.outcome for item in done) == {"stored": 1, "duplicate": 19}
    assert len({item.images[0]["path"] for item in done}) == 1


def test_one_failing_address_is_asked_once(process: Any) -> None:
    network = Network({"https://a.example/1": 404})
    done = process(network, *(item("https://a.example/1") for _ in range(5)))
    assert network.asked.total() == 1
    assert {(item.outcome, item.reason) for item in done} == {("failed", "http-404")}


def test_the_same_bytes_from_many_addresses_are_one_file(process: Any, store: Path) -> None:
    network = Network({f"https://a.example/{n}": picture() for n in range(10)})
    done = process(network, *(item(url) for url in network.answers))
    assert Counter(item.outcome for item in done) == {"stored": 1, "duplicate": 9}
    assert len([path for path in store.rglob("*") if path.is_file()]) == 1


def test_a_picture_under_two_keywords_is_in_both_folders(process: Any, store: Path) -> None:
    network = Network({"https://a.example/1": picture()})
    done = process(network, item("https://a.example/1"), item("https://a.example/1", keyword="dogs"))
    assert [item.outcome for item in done] == ["stored", "stored"]
    assert network.asked.total() == 1
    assert {path.name for path in store.iterdir()} == {"cats", "dogs"}


@pytest.mark.parametrize(
    ("width", "size", "folder"),
    [
        (None, (700, 10), "640"),
        (600, (700, 10), "600"),
        (700, (700, 10), "700"),
        (701, (700, 10), "640"),
        (1200, (300, 10), "0"),
        (1, (300, 10), "1"),
    ],
)
def test_a_picture_as_wide_as_it_was_asked_for_is_in_the_folder_of_that_width(
    process: Any, store: Path, width: int | None, size: tuple[int, int], folder: str
) -> None:
    network = Network({"https://a.example/1": picture(size=size)})
    [done] = process(network, replace(item("https://a.example/1"), width=width))
    assert Path(done.images[0]["path"]).parent == Path("cats", folder)
    assert (store / done.images[0]["path"]).is_file()
    assert (done.outcome, done.images[0]["width"]) == ("stored", size[0])


def test_without_classes_a_picture_that_is_narrower_is_in_the_folder_of_its_own_width(process: Any) -> None:
    network = Network({"https://a.example/1": picture(size=(300, 10)), "https://a.example/2": picture(size=(700, 10))})
    done = process(network, *(replace(item(url), width=600) for url in network.answers), IMAGE_WIDTH_CLASSES="")
    assert [Path(item.images[0]["path"]).parent for item in done] == [Path("cats/300"), Path("cats/600")]


def test_a_picture_that_is_as_wide_only_once_is_there_once(process: Any, store: Path) -> None:
    network = Network({f"https://a.example/1?w={width}": picture(size=(300, 10)) for width in (600, 1200)})
    items = [replace(item(url), width=int(url[-4:].strip("w="))) for url in network.answers]
    assert Counter(item.outcome for item in process(network, *items)) == {"stored": 1, "duplicate": 1}
    assert [path.parent.name for path in store.rglob("*") if path.is_file()] == ["0"]


def test_the_next_address_is_tried_when_one_fails(process: Any) -> None:
    small = "https://t.example/1"
    network = Network({"https://a.example/1": 404, small: picture()})
    [done] = process(network, item("https://a.example/1", small, thumbnail_url=small))
    assert (done.outcome, done.reason) == ("stored", "http-404")
    assert done.images[0]["thumbnail"] is True


def test_a_refusal_ends_the_search(process: Any) -> None:
    network = Network({"https://a.example/1": picture(), "https://t.example/1": picture("blue")})
    [done] = process(network, item("https://a.example/1", "https://t.example/1"), IMAGES_MIN_WIDTH=100)
    assert (done.outcome, done.reason, done.images) == ("refused", "too-small", [])
    assert network.asked["https://t.example/1"] == 0


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (DownloadTimeoutError(), "failed", "timeout"),
        (CannotResolveHostError(), "failed", "dns"),
        (DownloadConnectionRefusedError(), "failed", "connection"),
        (ConnectionResetError(), "failed", "connection"),
        (ResponseDataLossError(), "failed", "truncated"),
        (DownloadCancelledError(), "refused", "too-large"),
        (RequestRefusedError("the robots.txt of a.example forbids it", ROBOTS_TXT), "refused", "robots-txt"),
        (IgnoreRequest("max redirections reached"), "failed", "too-many-redirects"),
        (IgnoreRequest("body exceeded DOWNLOAD_MAXSIZE (3 B) during decompression"), "refused", "too-large"),
        (IgnoreRequest("a rule of one's own"), "refused", "not-allowed"),
        (UnicodeError("label empty or too long"), "failed", "bad-url"),
        (429, "failed", "http-429"),
        (b"", "failed", "empty"),
        (b"<html>", "failed", "not-an-image"),
    ],
)
def test_every_failure_has_its_reason(process: Any, answer: Any, outcome: str, reason: str) -> None:
    [done] = process(Network({"https://a.example/1": answer}), item("https://a.example/1"))
    assert (done.outcome, done.reason, done.images) == (outcome, reason, [])
    assert done.crawled_at


@pytest.mark.parametrize(
    ("url", "outcome", "reason"),
    [
        ("no address", "failed", "bad-url"),
        ("//a.example/1", "failed", "bad-url"),
        ("", "failed", "bad-url"),
        ("http://[x", "failed", "bad-url"),
        ("file:///etc/passwd", "refused", "no-such-scheme"),
        ("ftp://a.example/1", "refused", "no-such-scheme"),
        ("s3://a/1", "refused", "no-such-scheme"),
        ("javascript:1", "refused", "no-such-scheme"),
    ],
)
def test_an_address_that_is_none_is_said(process: Any, url: str, outcome: str, reason: str) -> None:
    [done] = process(Network({}), item(url))
    assert (done.outcome, done.reason) == (outcome, reason)


def test_an_item_without_addresses_is_said(process: Any) -> None:
    [done] = process(Network({}), item())
    assert (done.outcome, done.reason) == ("failed", "no-url")


def test_an_unexpected_error_is_accounted_for(process: Any, caplog: pytest.LogCaptureFixture) -> None:
    [done] = process(Network({"https://a.example/1": RuntimeError("a bug")}), item("https://a.example/1"))
    assert (done.outcome, done.reason) == ("failed", "error")
    assert "a bug" in caplog.text


def test_a_store_that_fails_again_and_again_ends_the_crawl(
    process: Any, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.mkdir()
    (store / "cats").write_text("in the way", "utf-8")
    network = Network({f"https://a{n}.example/": picture(size=(n + 1, 1)) for n in range(40)})
    done = process(network, *(item(url) for url in network.answers))
    assert {item.reason for item in done} == {"store-error", "stopped"}
    assert network.closed == ["store-error"]
    assert caplog.text.count("The store failed at") == media_store.STORE_ERRORS
    assert caplog.text.count("The crawl ends: the store failed 3 times in a row") == 1


def test_a_thumbnail_is_known_by_its_address_as_the_page_wrote_it(process: Any) -> None:
    thumbnail = "https://t.example/thumb|é 1"
    network = Network({"https://a.example/1": 404, "https://t.example/thumb%7C%C3%A9%201": picture()})
    [done] = process(network, item("https://a.example/1", thumbnail, thumbnail_url=thumbnail))
    assert done.images[0]["thumbnail"] is True


GONE = "https://i.imgur.com/removed.png"


def of_post(*urls: str, thumbnail_url: str | None = None) -> ImageItem:
    return replace(item(*urls, thumbnail_url=thumbnail_url), post={"id": "abc"})


def led_to(url: str) -> Network:
    """A network in which a redirect leads from https://a.example/1 to a picture elsewhere."""
    return Network({"https://a.example/1": Response(url, body=picture())})


@pytest.mark.parametrize(
    ("status", "reason", "reason_of_a_post"),
    [
        (404, "http-404", "removed"),
        (410, "http-410", "removed"),
        (400, "http-400", "http-400"),
        (403, "http-403", "http-403"),
        (451, "http-451", "http-451"),
        (503, "http-503", "http-503"),
    ],
)
def test_a_picture_that_a_post_has_lost_was_removed(
    process: Any, status: int, reason: str, reason_of_a_post: str
) -> None:
    network = Network({"https://a.example/1": status, "https://a.example/2": status})
    done = process(network, item("https://a.example/1"), of_post("https://a.example/2"))
    assert [(item.outcome, item.reason) for item in done] == [("failed", reason), ("failed", reason_of_a_post)]


@pytest.mark.parametrize("make", [item, of_post])
@pytest.mark.parametrize("url", [GONE, f"{GONE}?1"])
def test_a_placeholder_stands_for_a_picture_that_was_removed(process: Any, store: Path, make: Any, url: str) -> None:
    [done] = process(led_to(url), make("https://a.example/1"))
    assert (done.outcome, done.reason, done.images) == ("failed", "removed", [])
    assert [path for path in store.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", ["https://i.imgur.com/removed.jpg", f"{GONE}/1", "https://a.example/removed.png"])
def test_a_redirect_to_another_picture_is_none_to_a_placeholder(process: Any, url: str) -> None:
    [done] = process(led_to(url), of_post("https://a.example/1"))
    assert (done.outcome, done.reason) == ("stored", None)


@pytest.mark.parametrize(
    ("url", "outcome", "reason"),
    [
        ("https://a.example/gone.gif", "failed", "removed"),
        ("https://b.example/x", "failed", "removed"),
        (GONE, "stored", None),
    ],
)
def test_placeholders_are_a_setting(process: Any, url: str, outcome: str, reason: str | None) -> None:
    own = "https://a.example/gone.gif,https://b.example/x"
    [done] = process(led_to(url), item("https://a.example/1"), IMAGE_PLACEHOLDERS=own)
    assert (done.outcome, done.reason) == (outcome, reason)


def test_a_copy_takes_the_place_of_a_picture_that_was_removed(process: Any) -> None:
    copy = "https://t.example/1"
    network = Network({"https://a.example/1": 404, copy: picture()})
    [done] = process(network, of_post("https://a.example/1", copy, thumbnail_url=copy))
    assert (done.outcome, done.reason, done.images[0]["thumbnail"]) == ("stored", "removed", True)


@pytest.mark.parametrize(
    ("answer", "reason", "asked"),
    [(404, "removed", 1), (410, "removed", 1), (Response(GONE, body=picture()), "removed", 1), (503, "http-503", 2)],
)
def test_what_was_removed_is_not_asked_for_again(process: Any, answer: Any, reason: str, asked: int) -> None:
    network = Network({"https://a.example/1": answer})
    for _ in range(2):
        [done] = process(network, of_post("https://a.example/1"))
        assert (done.outcome, done.reason) == ("failed", reason)
    assert network.asked.total() == asked


def test_a_full_disk_fails_the_picture_and_leaves_nothing_half(
    process: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: IO[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stores, "_sync", full)
    network = Network({"https://a.example/1": picture()})
    [done] = process(network, item("https://a.example/1"))
    assert (done.outcome, done.reason) == ("failed", "store-error")
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert network.closed == ["disk-full"]


def test_a_damaged_file_is_written_again(process: Any, store: Path) -> None:
    network = Network({"https://a.example/1": picture()})
    [first] = process(network, item("https://a.example/1"))
    path = store / first.images[0]["path"]
    path.write_bytes(picture()[:20])
    [again] = process(network, item("https://a.example/1"))
    [third] = process(network, item("https://a.example/1"))
    assert (again.outcome, third.outcome) == ("stored", "uptodate")
    assert path.read_bytes() == picture()


def test_other_items_pass_untouched(process: Any) -> None:
    other = {"image_urls": ["https://a.example/1"]}
    assert process(Network({}), other) == [other]


def test_a_width_class_that_is_no_number_is_an_error(process: Any) -> None:
    with pytest.raises(ValueError, match="IMAGE_WIDTH_CLASSES"):
        process(Network({}), IMAGE_WIDTH_CLASSES="small,large")


def test_an_animation_of_more_frames_than_are_wanted_is_refused(process: Any) -> None:
    url = "https://a.example/1.gif"
    network = Network({url: SAMPLES["animated gif"]})
    [refused] = process(network, item(url), IMAGES_MAX_FRAMES="3")
    [stored] = process(network, item(url), IMAGES_MAX_FRAMES="4")  # asked for again: the bound has changed
    assert (refused.reason, stored.outcome) == ("too-many-frames", "stored")
