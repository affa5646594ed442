"""The picture pipeline by itself: what a real crawl reaches only by luck. The network alone is a stand-in here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

import settings.base
from imagecrawl.items import ImageItem
from imagecrawl.pipelines import image_store
from imagecrawl.pipelines.image_store import ImageStorePipeline


def picture(color: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


class Network:
    """Answers in place of the engine, from a dictionary; counts what it was asked."""

    def __init__(self, answers: dict[str, bytes | Exception | int]) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.closed: list[str] = []

    async def close_spider_async(self, reason: str) -> None:
        self.closed.append(reason)

    async def download_async(self, request: Request) -> Response:
        self.asked[request.url] += 1
        await asyncio.sleep(0)
        answer = self.answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Response(request.url, status=answer)
        return Response(request.url, body=answer)


def item(*urls: str, keyword: str = "cats", thumbnail_url: str | None = None) -> ImageItem:
    return ImageItem(
        source="test", keyword=keyword, rank=1, id=None, title=None, page_url=None, site=None, image_urls=list(urls),
        thumbnail_url=thumbnail_url, rights=None,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def process(store: Path) -> Callable[..., list[ImageItem]]:
    """Process items at once in one pipeline: ``process(network, *items, SETTING=value)``."""

    def run(network: Network, *items: ImageItem, **changed: Any) -> list[ImageItem]:
        values = Settings()
        values.setmodule(settings.base)
        crawler = get_crawler(settings_dict={**values.copy_to_dict(), "IMAGES_STORE": str(store), **changed})
        crawler.spider = crawler._create_spider("test")
        crawler.engine = network  # type: ignore[assignment]

        async def scenario() -> list[ImageItem]:
            pipeline = build_from_crawler(ImageStorePipeline, crawler)
            pipeline.open_spider()
            done = await asyncio.gather(*(pipeline.process_item(item) for item in items))
            assert pipeline.spiderinfo.downloaded == {}
            assert not pipeline.spiderinfo.waiting
            assert not pipeline._turns
            return done

        return asyncio.run(scenario())

    return run


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
    assert {path.name for path in store.iterdir()} == {"cats", "dogs"}


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
        (IgnoreRequest("Forbidden by robots.txt"), "refused", "robots-txt"),
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
    "url",
    [
        "no address",
        "//a.example/1",
        "",
        "file:///etc/passwd",
        "ftp://a.example/1",
        "s3://a/1",
        "javascript:1",
        "http://[x",
    ],
)
def test_an_address_that_is_none_is_said(process: Any, url: str) -> None:
    [done] = process(Network({}), item(url))
    assert (done.outcome, done.reason) == ("failed", "bad-url")


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
    network = Network({f"https://a.example/{n}": picture(size=(n + 1, 1)) for n in range(9)})
    done = process(network, *(item(url) for url in network.answers))
    assert Counter(item.reason for item in done) == {"store-error": 9}
    assert network.closed == ["store-error"]
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == image_store.STORE_ERRORS


def test_a_thumbnail_is_known_by_its_address_as_the_page_wrote_it(process: Any) -> None:
    thumbnail = "https://t.example/thumb|é 1"
    network = Network({"https://a.example/1": 404, "https://t.example/thumb%7C%C3%A9%201": picture()})
    [done] = process(network, item("https://a.example/1", thumbnail, thumbnail_url=thumbnail))
    assert done.images[0]["thumbnail"] is True


def test_a_full_disk_fails_the_picture_and_leaves_nothing_half(
    process: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    [done] = process(Network({"https://a.example/1": picture()}), item("https://a.example/1"))
    assert (done.outcome, done.reason) == ("failed", "store-error")
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_a_damaged_file_is_written_again(process: Any, store: Path) -> None:
    network = Network({"https://a.example/1": picture()})
    [first] = process(network, item("https://a.example/1"))
    path = store / first.images[0]["path"]
    path.write_bytes(picture()[:20])
    [again] = process(network, item("https://a.example/1"))
    [third] = process(network, item("https://a.example/1"))
    assert (again.outcome, third.outcome) == ("stored", "uptodate")
    assert path.read_bytes() == picture()


def test_what_is_remembered_is_bounded(process: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_store, "REMEMBERED", 10)
    made: list[ImageStorePipeline] = []
    begin = ImageStorePipeline.open_spider
    monkeypatch.setattr(ImageStorePipeline, "open_spider", lambda self: made.append(self) or begin(self))
    network = Network({f"https://a.example/{n}": picture(size=(n + 1, 1)) for n in range(50)})
    done = process(network, *(item(url) for url in network.answers))
    assert Counter(item.outcome for item in done) == {"stored": 50}
    assert (len(made[0]._tried), len(made[0]._placed)) == (10, 10)


def test_other_items_pass_untouched(process: Any) -> None:
    other = {"image_urls": ["https://a.example/1"]}
    assert process(Network({}), other) == [other]


def test_a_width_class_that_is_no_number_is_an_error(process: Any) -> None:
    with pytest.raises(ValueError, match="IMAGE_WIDTH_CLASSES"):
        process(Network({}), IMAGE_WIDTH_CLASSES="small,large")
