"""What is heard of each answer, and which requests for pictures fail for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.settings import Settings
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

import settings.base
from imagecrawl.downloadermiddlewares.optouts import OptOutsMiddleware
from imagecrawl.failures import OPT_OUT, RequestRefusedError
from imagecrawl.ledger import Ledger, State
from imagecrawl.optouts import HEAD_MAX, Signal, from_json
from tests import crawling
from tests.crawling import Run
from tests.replica import Replica
from tests.replica.opt_outs import HOST, IMAGE_HOST, PICTURES, RESERVED_HOST, START

URL = "https://a.example/1"
NOAI = {"X-Robots-Tag": "noai"}
WORDS = {"noai": "X-Robots-Tag: noai"}
META = '<meta name="robots" content="noml">'


@pytest.fixture
def middleware() -> OptOutsMiddleware:
    """As a crawl with the project's settings makes it."""
    values = Settings()
    values.setmodule(settings.base)
    return build_from_crawler(OptOutsMiddleware, get_crawler(settings_dict=values.copy_to_dict()))


def picture(**meta: Any) -> Request:
    return Request(URL, meta={"obey_opt_outs": True, **meta})


def passed(middleware: OptOutsMiddleware, request: Request, response: Response) -> dict[str, str]:
    """What is known of an answer after it went all the way."""
    middleware.answered(response, request)
    assert middleware.process_response(request, response) is response
    found: dict[str, str] = request.meta.get("opt_outs", {})
    return found


def test_a_page_is_read_whatever_it_says(middleware: OptOutsMiddleware) -> None:
    request = Request(URL)
    middleware.process_request(request)
    answer = HtmlResponse(URL, headers=NOAI, body=f"<head>{META}</head>".encode())
    assert passed(middleware, request, answer) == {**WORDS, "noml": "meta robots: noml"}


def test_a_page_that_says_nothing_is_known_as_such(middleware: OptOutsMiddleware) -> None:
    request = Request(URL)
    assert passed(middleware, request, HtmlResponse(URL, body=b"<p>words</p>")) == {}
    assert "opt_outs" in request.meta


def test_every_header_of_one_name_counts(middleware: OptOutsMiddleware) -> None:
    headers = {"X-Robots-Tag": ["googlebot: noml", "noai"]}
    assert passed(middleware, Request(URL), Response(URL, headers=headers)) == WORDS


def test_the_answer_with_a_picture_is_not_taken(middleware: OptOutsMiddleware) -> None:
    request, answer = picture(), Response(URL, headers=NOAI)
    middleware.process_request(request)
    middleware.answered(answer, request)
    with pytest.raises(RequestRefusedError, match=r"^X-Robots-Tag: noai$") as caught:
        middleware.process_response(request, answer)
    assert caught.value.failure is OPT_OUT
    assert caught.value.opt_outs == WORDS


def test_what_comes_from_a_cache_is_heard_too(middleware: OptOutsMiddleware) -> None:
    with pytest.raises(RequestRefusedError, match=r"^X-Robots-Tag: noai$"):
        middleware.process_response(picture(), Response(URL, headers=NOAI, flags=["cached"]))  # without a signal
    page = Request(URL)
    middleware.process_response(page, HtmlResponse(URL, headers=NOAI, body=META.encode()))
    assert page.meta["opt_outs"] == {**WORDS, "noml": "meta robots: noml"}


def test_the_error_tells_all_that_was_said(middleware: OptOutsMiddleware) -> None:
    said = {"noindex": "X-Robots-Tag: noindex", **WORDS}
    with pytest.raises(RequestRefusedError, match=r"^X-Robots-Tag: noai$") as caught:
        middleware.process_request(picture(opt_outs=said))
    assert caught.value.opt_outs == said


def test_a_picture_with_what_is_recorded_comes_through(middleware: OptOutsMiddleware) -> None:
    answer = Response(URL, headers={"X-Robots-Tag": "noindex", "TDM-Reservation": "1"})
    assert set(passed(middleware, picture(), answer)) == {"noindex", "tdm-reservation"}


def test_nothing_is_asked_where_robots_txt_reserves_it(middleware: OptOutsMiddleware) -> None:
    reserved = {"ai-train": "robots.txt: Content-Signal: ai-train=no"}
    with pytest.raises(RequestRefusedError) as caught:
        middleware.process_request(picture(opt_outs=reserved))
    assert caught.value.opt_outs == reserved
    middleware.process_request(Request(URL, meta={"opt_outs": reserved}))  # a page
    middleware.process_request(picture(opt_outs={"search": "robots.txt: Content-Signal: search=no"}))


def test_what_a_redirect_says_counts_where_it_leads(middleware: OptOutsMiddleware) -> None:
    request = picture()
    middleware.answered(Response(URL, status=302, headers=NOAI), request)
    with pytest.raises(RequestRefusedError):
        middleware.process_request(request.replace(url=f"{URL}/there"))


def test_two_redirects_of_one_request_do_not_hear_each_other(middleware: OptOutsMiddleware) -> None:
    request = Request(URL)
    middleware.answered(Response(URL, status=302), request)
    one, other = request.replace(url=f"{URL}/one"), request.replace(url=f"{URL}/other")
    middleware.answered(Response(URL, headers=NOAI), one)
    assert other.meta["opt_outs"] == {}


@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_an_error_says_nothing_of_the_picture(middleware: OptOutsMiddleware, status: int) -> None:
    answer = HtmlResponse(URL, status=status, headers=NOAI, body=META.encode())
    assert passed(middleware, picture(), answer) == {}
    assert passed(middleware, Request(URL), answer) == {}


def test_an_unchanged_picture_may_opt_out(middleware: OptOutsMiddleware) -> None:
    request, answer = picture(), Response(URL, status=304, headers=NOAI)
    middleware.answered(answer, request)
    with pytest.raises(RequestRefusedError):
        middleware.process_response(request, answer)


def test_only_pages_have_elements(middleware: OptOutsMiddleware) -> None:
    body = META.encode()
    assert passed(middleware, Request(URL), TextResponse(URL, body=body)) == {}
    assert passed(middleware, picture(), HtmlResponse(URL, body=body)) == {}  # a page in the place of a picture


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "idna", "no-such"])
def test_a_page_in_any_encoding(middleware: OptOutsMiddleware, encoding: str) -> None:
    body = META.encode("utf-16" if encoding == "utf-16" else "ascii")
    headers = {"Content-Type": f"text/html; charset={encoding}"}
    assert passed(middleware, Request(URL), HtmlResponse(URL, headers=headers, body=body)) == {
        "noml": "meta robots: noml"
    }


def test_of_a_large_page_the_beginning_is_looked_at(middleware: OptOutsMiddleware) -> None:
    body = META.encode() + b"<p>" * HEAD_MAX + META.replace("noml", "noai").encode()
    assert passed(middleware, Request(URL), HtmlResponse(URL, body=body)) == {"noml": "meta robots: noml"}


def test_a_policy_that_is_none_is_said() -> None:
    values = Settings()
    values.setmodule(settings.base)
    crawler = get_crawler(settings_dict={**values.copy_to_dict(), "OPT_OUT_NOAI": "perhaps"})
    with pytest.raises(ValueError, match="perhaps"):
        build_from_crawler(OptOutsMiddleware, crawler)


# A real crawl


RECORD = [word for signal in Signal for word in ("-s", f"{signal.setting}=record")]


def rows(data: Path) -> dict[str, tuple[str, str | None, dict[str, str]]]:
    """What the ledger knows of each picture: its state, the reason and what was said."""
    ledger = Ledger(data / "ledger.sqlite3")
    found = {entry.url: (entry.state, entry.reason, from_json(entry.opt_outs)) for entry in ledger._select("true", {})}
    ledger.close()
    return found


def told(run: Run) -> dict[str, tuple[str, str | None, dict[str, str]]]:
    return {line["image_urls"][0]: (line["outcome"], line["reason"], line["opt_outs"] or {}) for line in run.lines}


def asked(run: Run) -> Counter[str]:
    return Counter(f"{request.host}{request.route}" for request in run.log)


def test_what_opts_out_is_refused_until_that_is_only_recorded(replica: Replica, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = crawling.run(Run, replica, data, f"url={START}", "depth=1", spider="site")
    refused = {url for url, picture in PICTURES.items() if picture.is_obeyed}
    assert told(run) == {
        url: ("refused", "opt-out", picture.said) if picture.is_obeyed else ("stored", None, picture.said)
        for url, picture in PICTURES.items()
    }
    assert rows(data) == {
        url: (State.CLOSED if url in refused else State.HELD, "opt-out" if url in refused else None, picture.said)
        for url, picture in PICTURES.items()
    }
    assert len(run.done.pictures) == len(PICTURES) - len(refused)
    assert set(asked(run)) - {f"{HOST}/robots.txt"} == {
        f"{RESERVED_HOST}/robots.txt", f"{IMAGE_HOST}/robots.txt",
        *(f"{HOST}{path}" for path in ("/", "/header", "/meta", "/ours", "/signals")),
        *(url.removeprefix("https://") for url in PICTURES if IMAGE_HOST in url and "/under-" not in url),
        f"{IMAGE_HOST}/under-signals.jpg",
    }  # fmt: skip  # neither where the redirect leads, nor what robots.txt reserves, nor what is on pages that opt out

    again = crawling.run(Run, replica, data, f"url={START}", "depth=1", *RECORD, spider="site")
    assert told(again) == {
        url: ("stored" if url in refused else "uptodate", None, picture.said) for url, picture in PICTURES.items()
    }
    assert rows(data) == {url: (State.HELD, None, picture.said) for url, picture in PICTURES.items()}
    assert not [name for name in asked(again) if name == f"{IMAGE_HOST}/plain.jpg"]
