"""The digests of stored bytes, the same ones for pictures and for other files."""

from __future__ import annotations

import hashlib


def digests(body: bytes) -> tuple[str, str]:
    """SHA-256 and MD5 of ``body`` in lower-case hex; MD5 is what Scrapy calls the checksum.

    The GIL is released while bytes are hashed.
    """
    return hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()
