"""A store, a ledger and a feed that agree with each other, made without a crawl."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagecrawl.items import read_item
from imagecrawl.ledger import Entry, Ledger, State, address
from imagecrawl.outcomes import Outcome
from imagecrawl.storage import file_folder, file_name, safe_segment
from tests.crawling import environment, scrapy

TIME = "2026-11-01T12:00:00+00:00"
PDF = "application/pdf"
FEED = "feeds/google_images/2026-11-01T12-00-00.000000+00-00.jsonl"


class Stock:
    """Everything below one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.path = data / "ledger.sqlite3"
        self.images = data / "images"
        self.files = data / "files"
        self.stores = {"IMAGES_STORE": str(self.images), "FILES_STORE": str(self.files)}
        self.feed = data / FEED

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A command of ours in a process of its own; it never ends in a traceback."""
        done = scrapy(*words, env=environment(self.data, env))
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def keep(self, url: str, body: bytes = b"x", *, keyword: str = "cats", path: str = "", **line: Any) -> Path:
        """A picture in the store, with its row and its line; returns its file."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = path or f"{safe_segment(keyword)}/640/{sha256[:20]}.jpg"
        file = self.images / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        facts = {"width": 700, "height": 500, "format": "JPEG", "mode": "RGB", "bytes": len(body)}
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        entry = replace(row(url, keyword), path=path, sha256=sha256, md5=md5, mtime_ns=file.stat().st_mtime_ns, **facts)
        outcome = self.settle(entry)
        image = {"url": url, "path": path, "checksum": md5, "status": "downloaded", "sha256": sha256, **facts}
        self.write(feed_line(url, keyword, outcome=outcome, images=[{**image, "thumbnail": False}], **line))
        return file

    def miss(self, url: str, outcome: Outcome, reason: str, *, keyword: str = "cats") -> None:
        """An address without a picture, with its row and its line."""
        state = State.CLOSED if outcome is Outcome.REFUSED else State.DUE
        self.settle(replace(row(url, keyword), state=state, outcome=outcome, reason=reason))
        self.write(feed_line(url, keyword, outcome=outcome, reason=reason))

    def keep_file(self, url: str, body: bytes = b"x", *, name: str = "", path: str = "", **line: Any) -> Path:
        """A file in the store, with its row and its line; returns it."""
        name = name or url.rpartition("/")[2]
        given = file_line(url, name, **line)
        file = self.files / (path or f"{file_folder(given['source'], given['folder'])}/{file_name(name)}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()
        facts = {"path": file.relative_to(self.files).as_posix(), "sha256": sha256, "bytes": len(body)}
        entry = replace(file_row(url, given), md5=md5, format=PDF, mtime_ns=file.stat().st_mtime_ns, **facts)
        entry_line = {"url": address(url), "checksum": md5, "status": "downloaded", "content_type": PDF, **facts}
        outcome = self.settle(entry)
        self.write({**given, "files": [entry_line], "outcome": outcome, **line})
        return file

    def miss_file(self, url: str, outcome: Outcome, reason: str, **line: Any) -> None:
        """An address without a file, with its row and its line."""
        given = file_line(url, url.rpartition("/")[2], outcome=outcome, reason=reason, **line)
        state = State.CLOSED if outcome is Outcome.REFUSED else State.DUE
        item = read_item(json.dumps({**given, "reason": None})).page_part()
        self.settle(replace(file_row(url, given), state=state, outcome=outcome, reason=reason, item=item))
        self.write(given)

    def settle(self, entry: Entry) -> Outcome:
        ledger = Ledger(self.path)
        outcome = ledger.settle(entry)
        ledger.close()
        return outcome

    def write(self, line: dict[str, Any] | str) -> None:
        self.feed.parent.mkdir(parents=True, exist_ok=True)
        with self.feed.open("a", encoding="utf-8") as file:
            file.write(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) + "\n")

    def rows(self) -> list[Entry]:
        """Every row of the ledger, without what a rebuild cannot know."""
        ledger = Ledger(self.path)
        with ledger.transaction():
            found = list(ledger._select("true ORDER BY folder, url", {}))
        ledger.close()
        unknown = {"mtime_ns": 0, "run": 0, "attempts": 0, "first_seen": "", "fetched": "", "item": None}
        return [replace(entry, **unknown) for entry in found]


def row(url: str, keyword: str) -> Entry:
    return Entry(
        store="images",
        folder=safe_segment(keyword),
        url=address(url),
        state=State.HELD,
        outcome=Outcome.STORED,
        source="google_images",
        keyword=keyword,
        page_url="https://page.example/",
        rank=1,
        first_seen=TIME,
        fetched=TIME,
        attempts=1,
    )


def feed_line(url: str, keyword: str, **others: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"source": "google_images", "keyword": keyword, "rank": 1, "id": None, "title": "A title"}
    line |= {"page_url": "https://page.example/", "site": None, "image_urls": [url], "thumbnail_url": None}
    line |= {"alt": None, "caption": None, "width": None, "rights": None, "post": None, "details": None}
    line |= {"opt_outs": None}
    line |= {"images": [], "outcome": "stored", "reason": None, "crawled_at": TIME}
    return line | others


def file_row(url: str, line: dict[str, Any]) -> Entry:
    """The row of a file in place, of its line."""
    return replace(
        row(url, str(line["subject"])),
        store="files",
        folder=file_folder(line["source"], line["folder"]),
        source=line["source"],
        rank=None,
    )


def file_line(url: str, name: str, **others: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"source": "papacambridge", "board": "CAIE", "level": "IGCSE", "subject": "Physics"}
    line |= {"code": "0625", "session": "2019-Oct-Nov", "year": 2019, "type": "qp", "paper": 1, "variant": 1}
    line |= {"label": None, "folder": ["caie", "physics-0625"], "name": name, "page_url": "https://page.example/"}
    line |= {"opt_outs": None}
    line |= {"file_urls": [url], "files": [], "outcome": "stored", "reason": None, "crawled_at": TIME}
    return line | others
