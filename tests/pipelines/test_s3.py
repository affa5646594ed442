"""Pictures on S3: Scrapy's own store class against a real server of the S3 protocol (moto's)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from tests.crawling import crawl
from tests.replica import Replica
from tests.replica.pictures import picture_bytes

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(server: str) -> Any:
    client = botocore.session.get_session().create_client("s3", region_name="us-east-1", endpoint_url=server, **KEYS)
    client.create_bucket(Bucket="pictures")
    return client


def test_pictures_go_to_s3_as_they_came(server: str, s3: Any, replica: Replica, tmp_path: Path) -> None:
    done = crawl(
        tmp_path, "q=few", "limit=6", "thumbnails=never",
        "-s", "BROWSER_VERIFY_TLS=False", "-s", "IMAGES_STORE=s3://pictures/crawl/",
        "-s", f"AWS_ENDPOINT_URL={server}", "-s", "AWS_REGION_NAME=us-east-1",
        "-s", f"AWS_ACCESS_KEY_ID={KEYS['aws_access_key_id']}",
        "-s", f"AWS_SECRET_ACCESS_KEY={KEYS['aws_secret_access_key']}",
        env=replica.environment() | {"no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert done.code == 0, done.stderr
    images = [image for item in done.items for image in item["images"]]
    assert len(images) == 6
    for image in images:
        stored = s3.get_object(Bucket="pictures", Key=f"crawl/{image['path']}")
        assert stored["Body"].read() == picture_bytes(image["url"])
        assert stored["ContentType"] == f"image/{image['format'].lower()}"
        assert stored["Metadata"] == {"width": str(image["width"]), "height": str(image["height"])}
    assert s3.list_objects_v2(Bucket="pictures")["KeyCount"] == 6


def test_a_store_that_refuses_is_said(server: str, replica: Replica, tmp_path: Path) -> None:
    done = crawl(
        tmp_path, "q=one", "limit=1", "thumbnails=never",
        "-s", "BROWSER_VERIFY_TLS=False", "-s", "IMAGES_STORE=s3://no-such-bucket/",
        "-s", f"AWS_ENDPOINT_URL={server}", "-s", "AWS_REGION_NAME=us-east-1",
        "-s", "AWS_ACCESS_KEY_ID=x", "-s", "AWS_SECRET_ACCESS_KEY=y",
        env=replica.environment() | {"no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert done.code == 7
    assert [(item["outcome"], item["reason"]) for item in done.items] == [("failed", "store-error")]
