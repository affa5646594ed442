"""Who may import whom: the floors of the house, checked on the imports that stand in the code."""

import ast
import re
from pathlib import Path

import pytest

from settings.base import REDDIT_USER_AGENT, USER_AGENT

ROOT = Path(__file__).parent.parent

GROUND = {"exceptions", "outcomes", "items", "params", "storage", "signals", "quota", "optouts", "output", "rates"}
LEDGER = {"ledger", "memory", "stores"}
PURE = {"bombs", "digests", "documents", "frontier", "ledger", "pictures"}
SPIDERS_OWN = {"frontier", "hosts", "keywords", "lists", "oauth", "spider", "visits"}
MIDDLEWARES_OWN = {"backoff", "browser", "downloadermiddlewares", "ending", "failures", "network", "robots"}
MIDDLEWARES_OWN |= {"scrolling", "turns"}
ALLOWED = {
    "settings": {"settings"},
    "spiders": {f"imagecrawl.{name}" for name in GROUND | SPIDERS_OWN | {"pages"}},
    "imagecrawl/frontier.py": set(),
    "imagecrawl/visits.py": {f"imagecrawl.{name}" for name in ("exceptions", "ledger", "memory")},
    "imagecrawl/hosts.py": {"imagecrawl.exceptions", "imagecrawl.spider"},
    "imagecrawl/oauth.py": set(),
    "imagecrawl/lists": {"imagecrawl.lists", "imagecrawl.params"},
    "imagecrawl/failures.py": {"imagecrawl.exceptions", "imagecrawl.outcomes"},
    "imagecrawl/robots.py": {"imagecrawl.optouts"},
    "imagecrawl/spider.py": {f"imagecrawl.{name}" for name in GROUND | {"ending", "failures"}},
    "imagecrawl/keywords.py": {"imagecrawl.ending", "imagecrawl.signals"},
    "imagecrawl/pages": {"imagecrawl.pages", "imagecrawl.exceptions"},
    "imagecrawl/pipelines": {"imagecrawl.pipelines"}
    | {f"imagecrawl.{name}" for name in GROUND | LEDGER | {"digests", "documents", "downloads", "ending", "pictures"}},
    "imagecrawl/network": {f"imagecrawl.{name}" for name in ("exceptions", "failures", "network")},
    "imagecrawl/scrolling.py": {"imagecrawl.browser", "imagecrawl.exceptions"},
    "imagecrawl/downloadermiddlewares": {f"imagecrawl.{name}" for name in GROUND | MIDDLEWARES_OWN},
    "imagecrawl/extensions": {f"imagecrawl.{name}" for name in GROUND | {"ending", "failures"}},
    "imagecrawl/commands": {f"imagecrawl.{name}" for name in GROUND | LEDGER | {"commands", "keywords", "spider"}},
}
NO_SCRAPY = [
    "imagecrawl/lists",
    "imagecrawl/network/addresses.py",
    "imagecrawl/pages",
    "imagecrawl/robots.py",
    *sorted(f"imagecrawl/{name}.py" for name in GROUND | PURE),
]


def imports(path: Path) -> set[str]:
    """The modules a file imports; ``from imagecrawl import signals`` counts as imagecrawl.signals."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" if node.module == "imagecrawl" else node.module
                      for alias in node.names}  # fmt: skip
    return found


def modules(room: str) -> list[Path]:
    path = ROOT / room
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def ours(name: str) -> bool:
    return name.partition(".")[0] in {"imagecrawl", "spiders", "settings", "tests"}


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    for path in modules(room):
        for name in filter(ours, imports(path)):
            assert any(f"{name}.".startswith(f"{allowed}.") for allowed in ALLOWED[room]), f"{path} imports {name}"


@pytest.mark.parametrize("room", NO_SCRAPY)
def test_pages_and_the_ground_know_no_engine_and_no_network(room: str) -> None:
    forbidden = {"scrapy", "twisted", "playwright", "socket", "http.client", "urllib.request", "requests"}
    for path in modules(room):
        for name in imports(path):
            assert not any(f"{name}.".startswith(f"{word}.") for word in forbidden), f"{path} imports {name}"


def test_every_spider_is_named_like_its_file_and_has_a_module_that_reads_for_it() -> None:
    for path in modules("spiders"):
        if path.stem != "__init__":
            assert f'name = "{path.stem}"' in path.read_text("utf-8")
            reads = "lists" if path.stem == "urls" else f"pages/{path.name}"
            assert (ROOT / "imagecrawl" / reads).exists()


def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text("utf-8"))
    assert version
    assert f"imagecrawl/{version[1]} ({{contact}})" == USER_AGENT
    assert REDDIT_USER_AGENT.startswith(f"python:imagecrawl:{version[1]} ")
