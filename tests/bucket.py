"""A bucket on a real server of the S3 protocol (moto's), for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from moto.server import ThreadedMotoServer


class Bucket:
    """``client`` is botocore's, ``settings`` what a crawl is given to reach it."""

    name = "pictures"

    def __init__(self, url: str) -> None:
        self.settings = {
            "AWS_ENDPOINT_URL": url, "AWS_REGION_NAME": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        self.client: Any = botocore.session.get_session().create_client(
            "s3", region_name="us-east-1", endpoint_url=url, aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",
        )  # fmt: skip
        self.client.create_bucket(Bucket=self.name)

    @property
    def options(self) -> list[str]:
        """The settings as words of a command line."""
        return [word for name, value in self.settings.items() for word in ("-s", f"{name}={value}")]

    @property
    def objects(self) -> dict[str, str]:
        """The key of every object, and the MD5 of what is in it."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {found["Key"]: found["ETag"].strip('"') for found in listed}

    def get(self, key: str) -> dict[str, Any]:
        answer = self.client.get_object(Bucket=self.name, Key=key)
        return {**answer, "Body": answer["Body"].read()}

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def empty(self) -> None:
        """moto keeps what it holds for the whole process, whatever server it came through."""
        for key in self.objects:
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)


@contextmanager
def served_bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket(f"http://{host}:{port}")
    try:
        yield bucket
    finally:
        bucket.empty()
        server.stop()
