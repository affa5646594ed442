"""Pictures on S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bucket import Bucket
from tests.crawling import crawl, save_results_page
from tests.pipelines.network import Network, item, picture
from tests.replica import Replica
from tests.replica.pictures import picture_bytes

STORE = "s3://pictures/crawl/"


def test_pictures_go_to_s3_as_they_came(bucket: Bucket, replica: Replica, tmp_path: Path) -> None:
    words = ("q=lite", "via=http", "limit=6", "thumbnails=never", "-s", f"IMAGES_STORE={STORE}")
    env = replica.environment() | {"no_proxy": "127.0.0.1"}
    done = crawl(tmp_path, *words, *bucket.options, env=env)
    assert done.code == 0, done.stderr
    images = [image for item in done.items for image in item["images"]]
    assert len(images) == 6
    for image in images:
        stored = bucket.get(f"crawl/{image['path']}")
        assert stored["Body"] == picture_bytes(image["url"])
        assert stored["ContentType"] == f"image/{image['format'].lower()}"
        assert stored["Metadata"] == {"width": str(image["width"]), "height": str(image["height"])}
    assert len(bucket.objects) == 6
    before = len(replica.requests)
    again = crawl(tmp_path, *words, *bucket.options, env=env)
    assert "0 pictures stored, 6 up to date" in again.verdict
    assert not [r for r in replica.requests[before:] if r.host.endswith(".example") and r.route != "/robots.txt"]


def test_another_keyword_gets_a_copy_inside_the_bucket(bucket: Bucket, process: Any) -> None:
    place = {"IMAGES_STORE": STORE, **bucket.settings}
    url, other = "https://a.example/1", "https://b.example/2"
    network = Network({url: picture(), other: picture()})
    process(network, item(url), **place)
    [dog] = process(network, item(url, keyword="dogs"), **place)
    [cow] = process(network, item(other, keyword="cows"), **place)
    assert [dog.outcome, cow.outcome] == ["stored", "stored"]
    assert network.asked == {url: 1, other: 1}
    assert {key.split("/")[1] for key in bucket.objects} == {"cats", "dogs", "cows"}
    assert len(set(bucket.objects.values())) == 1
    copy = f"crawl/{dog.images[0]['path']}"
    assert bucket.get(copy)["Body"] == picture()
    assert bucket.get(copy)["ContentType"] == "image/png"
    [again] = process(Network({}), item(url, keyword="dogs"), **place)
    assert again.outcome == "uptodate"
    bucket.put(copy, b"damaged")
    [mended] = process(network, item(url, keyword="dogs"), **place)
    assert mended.outcome == "stored"
    assert bucket.get(copy)["Body"] == picture()


def test_a_store_that_refuses_is_said(bucket: Bucket, replica: Replica, tmp_path: Path) -> None:
    page = save_results_page(replica, "one", tmp_path / "one.html")
    done = crawl(
        tmp_path / "data", f"page={page}", "limit=1", "thumbnails=never",
        "-s", "IMAGES_STORE=s3://no-such-bucket/", *bucket.options,
        env=replica.environment() | {"no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert done.code == 7
    assert [(item["outcome"], item["reason"]) for item in done.items] == [("failed", "store-error")]
