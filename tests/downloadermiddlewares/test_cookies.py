"""Cookies, and whom they ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.crawling import ROOT

ASK = """
import socket
from scrapy import Request
from scrapy.http import Response

def refuse(*words):
    raise SystemExit(f"the network was tried: {words}")

socket.getaddrinfo = socket.socket.connect = refuse
from imagecrawl.downloadermiddlewares.cookies import CookiesMiddleware

middleware = CookiesMiddleware()
for domain in ("a.example.co.uk", ".co.uk", "github.io"):
    request = Request("https://a.example.co.uk/")
    answer = Response(request.url, headers={"Set-Cookie": f"from={domain}; Domain={domain}"})
    middleware.process_response(request, answer)
request = Request("https://a.example.co.uk/2")
middleware.process_request(request)
print(request.headers.get("Cookie"))
"""
"""Cookies of a host, of all hosts in a country, and of another: only the first is to be taken."""


def test_public_domains_are_known_without_asking_and_nothing_is_written_at_home(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TLDEXTRACT_"))}
    env |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=env, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (0, "b'from=a.example.co.uk'\n"), done.stderr
    assert not [*tmp_path.iterdir()]
