"""What the pipelines do about opt-outs: those of the page, which the item has, and those of the picture's own host.

Every call of ``process`` is a run of its own on the same ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from imagecrawl.failures import OPT_OUT, RequestRefusedError
from imagecrawl.items import FileItem, ImageItem, replayed
from imagecrawl.ledger import State
from imagecrawl.optouts import from_json
from imagecrawl.outcomes import Outcome
from tests.pipelines.network import Network, file_item, paper, picture
from tests.pipelines.network import item as plain_item
from tests.pipelines.test_media_store import OTHER, URL, age, change, nothing_asked, rows

PAGE = {"noai": "page: meta robots: noai"}
HOST = {"noimageai": "X-Robots-Tag: noimageai"}
MILD = {"noindex": "X-Robots-Tag: noindex"}
LENIENT = {"OPT_OUT_NOAI": "record", "OPT_OUT_NOIMAGEAI": "record"}


def item(*urls: str, said: Mapping[str, str] | None = None, **others: Any) -> ImageItem:
    found = plain_item(*urls, **others)
    found.opt_outs = dict(said) if said else None
    return found


def answer(said: Mapping[str, str], url: str = URL, body: bytes = b"", status: int = 200) -> Response:
    """An answer with what OptOutsMiddleware has found."""
    return Response(url, status, body=body or picture(), request=Request(url, meta={"opt_outs": dict(said)}))


def refusal(said: Mapping[str, str]) -> RequestRefusedError:
    """What it raises instead."""
    return RequestRefusedError("X-Robots-Tag: noimageai", OPT_OUT, said)


def told(done: ImageItem | FileItem) -> tuple[Any, Any, Any]:
    return done.outcome, done.reason, done.opt_outs


def known(store: Path, url: str = URL, folder: str = "cats") -> tuple[State, str | None, dict[str, str]]:
    row = rows(store)[folder, url]
    return row.state, row.reason, from_json(row.opt_outs)


def test_what_its_page_reserves_is_not_asked_for(process: Any, store: Path) -> None:
    [done] = nothing_asked(process, item(URL, OTHER, said={**MILD, **PAGE}))
    assert told(done) == ("refused", "opt-out", {**PAGE, **MILD})
    assert known(store) == (State.CLOSED, "opt-out", {**PAGE, **MILD})


def test_what_its_host_reserves_ends_the_search(process: Any, store: Path) -> None:
    network = Network({URL: refusal(HOST), OTHER: picture()})
    [done] = process(network, item(URL, OTHER, said=MILD))
    assert told(done) == ("refused", "opt-out", {**HOST, **MILD})
    assert known(store) == (State.CLOSED, "opt-out", {**HOST, **MILD})
    assert not network.asked[OTHER]
    assert network.stats.get_value("images/refused/opt-out") == 1


def test_what_is_recorded_is_in_the_feed_and_the_ledger(process: Any, store: Path) -> None:
    tdm = {"tdm-reservation": "TDM-Reservation: 1"}
    [done] = process(Network({URL: answer(MILD)}), item(URL, said=tdm))
    assert told(done) == ("stored", None, {**MILD, **tdm})
    assert known(store) == (State.HELD, None, {**MILD, **tdm})


def test_nothing_said_is_nothing_told(process: Any, store: Path) -> None:
    [done] = process(Network({URL: answer({})}), item(URL, said={}))
    assert told(done) == ("stored", None, None)
    assert rows(store)["cats", URL].opt_outs is None


def test_what_is_ignored_is_nowhere(process: Any, store: Path) -> None:
    ignored = {"OPT_OUT_NOINDEX": "ignore", "OPT_OUT_NOAI": "ignore"}
    [done] = process(Network({URL: answer(MILD)}), item(URL, said=PAGE), **ignored)
    assert told(done) == ("stored", None, None)
    assert known(store) == (State.HELD, None, {})


def test_what_was_recorded_once_and_is_ignored_now_is_not_told(process: Any) -> None:
    process(Network({URL: answer(MILD)}), item(URL))
    assert told(nothing_asked(process, item(URL), OPT_OUT_NOINDEX="ignore")[0]) == ("uptodate", None, None)


def test_the_words_of_the_host_come_first_because_they_hold_longer(process: Any, store: Path) -> None:
    same = {"noindex": "page: meta robots: noindex"}
    [done] = process(Network({URL: answer(MILD)}), item(URL, said=same))
    assert told(done) == ("stored", None, MILD)
    assert known(store) == (State.HELD, None, MILD)
    assert told(nothing_asked(process, item(URL, said=same))[0]) == ("uptodate", None, MILD)
    network = Network({OTHER: answer(MILD, OTHER, b"no picture")})
    assert told(process(network, item(OTHER, said=same))[0]) == ("failed", "not-an-image", MILD)


def test_a_refusal_lasts_until_the_policy_changes(process: Any, store: Path) -> None:
    process(Network({URL: refusal(HOST)}), item(URL))
    [again] = nothing_asked(process, item(URL), IMAGES_MIN_BYTES=5, OPT_OUT_SEARCH="obey")
    assert told(again) == ("refused", "opt-out", HOST)
    [wanted] = process(Network({URL: answer(HOST)}), item(URL), OPT_OUT_NOIMAGEAI="record")
    assert told(wanted) == ("stored", None, HOST)
    assert known(store) == (State.HELD, None, HOST)


def test_a_refusal_is_asked_about_again_after_refresh_days(process: Any, store: Path) -> None:
    process(Network({URL: refusal(HOST)}), item(URL))
    age(store)
    [again] = process(Network({URL: picture()}), item(URL), REFRESH_DAYS=30)
    assert told(again) == ("stored", None, None)
    assert known(store) == (State.HELD, None, {})


def test_a_policy_does_not_open_what_was_refused_for_another_reason(process: Any, store: Path) -> None:
    [first] = process(Network({URL: answer(MILD)}), item(URL), IMAGES_MIN_WIDTH=100)
    assert told(first) == ("refused", "too-small", MILD)
    assert known(store) == (State.CLOSED, "too-small", MILD)
    [again] = nothing_asked(process, item(URL), IMAGES_MIN_WIDTH=100, OPT_OUT_NOINDEX="obey")
    assert told(again) == ("refused", "too-small", MILD)


def test_what_failed_tells_what_was_said_of_it(process: Any, store: Path) -> None:
    [done] = process(Network({URL: answer(MILD, body=b"no picture")}), item(URL))
    assert told(done) == ("failed", "not-an-image", MILD)
    assert known(store) == (State.CLOSED, "not-an-image", MILD)


def test_of_another_address_that_failed_nothing_is_told(process: Any) -> None:
    answers = {URL: answer(MILD, body=b"no picture"), OTHER: picture()}
    [done] = process(Network(answers), item(URL, OTHER))
    assert told(done) == ("stored", "not-an-image", None)


class TestInPlace:
    """The file is there, from a time when nobody minded."""

    @pytest.fixture(autouse=True)
    def _first(self, process: Any, store: Path) -> None:
        [first] = process(Network({URL: answer(HOST)}), item(URL), **LENIENT)
        self.file = store / first.images[0]["path"]

    def test_its_line_tells_what_the_ledger_knows_and_what_the_page_says_now(self, process: Any) -> None:
        [again] = nothing_asked(process, item(URL, said=PAGE), **LENIENT)
        assert told(again) == ("uptodate", None, {**PAGE, **HOST})

    def test_it_is_refused_and_stays_under_a_stricter_policy(self, process: Any, store: Path) -> None:
        for refused in nothing_asked(process, item(URL), item(URL)):
            assert (*told(refused), refused.images) == ("refused", "opt-out", HOST, [])
        assert self.file.read_bytes() == picture()
        assert known(store) == (State.HELD, None, HOST)
        assert nothing_asked(process, item(URL), **LENIENT)[0].outcome == "uptodate"

    def test_it_is_refused_when_its_page_says_so_now(self, process: Any, store: Path) -> None:
        [again] = nothing_asked(process, item(URL, said=PAGE), OPT_OUT_NOIMAGEAI="record")
        assert told(again) == ("refused", "opt-out", {**PAGE, **HOST})
        assert self.file.exists()

    def test_an_old_one_on_a_page_that_opts_out_is_not_asked_about(self, process: Any, store: Path) -> None:
        age(store)
        [again] = nothing_asked(process, item(URL, said=PAGE), REFRESH_DAYS=30, OPT_OUT_NOIMAGEAI="record")
        assert (again.outcome, again.reason) == ("refused", "opt-out")

    def test_it_is_lent_to_another_folder_with_its_words(self, process: Any, store: Path) -> None:
        [dog] = nothing_asked(process, item(URL, keyword="dogs", said=PAGE), **LENIENT)
        assert told(dog) == ("stored", None, {**PAGE, **HOST})
        assert known(store, folder="dogs") == (State.HELD, None, {**PAGE, **HOST})

    def test_it_is_lent_to_another_folder_without_the_words_of_the_page(self, process: Any, store: Path) -> None:
        change(store, "UPDATE media SET opt_outs = ?", json.dumps({**PAGE, **MILD}))
        [dog] = nothing_asked(process, item(URL, keyword="dogs"))
        assert told(dog) == ("stored", None, MILD)
        assert known(store, folder="dogs") == (State.HELD, None, MILD)

    def test_what_a_page_said_once_is_not_said_by_another(self, process: Any, store: Path) -> None:
        change(store, "UPDATE media SET opt_outs = ?", json.dumps({**PAGE, **MILD}))
        one, two = nothing_asked(process, item(URL), item(URL))
        assert told(one) == ("uptodate", None, MILD)
        assert told(two)[1:] == (None, MILD)
        listed = item(URL)
        listed.outcome = Outcome.LISTED
        assert told(nothing_asked(process, listed)[0]) == ("uptodate", None, MILD)

    def test_it_is_not_lent_under_a_stricter_policy(self, process: Any, store: Path) -> None:
        [dog] = nothing_asked(process, item(URL, keyword="dogs"))
        assert told(dog) == ("refused", "opt-out", HOST)
        assert known(store, folder="dogs") == (State.CLOSED, "opt-out", HOST)

    def test_the_second_of_a_run_is_told_the_same(self, process: Any) -> None:
        one, two = nothing_asked(process, item(URL), item(URL, said=MILD), **LENIENT)
        assert told(one) == ("uptodate", None, HOST)
        assert told(two) == ("duplicate", None, {**HOST, **MILD})

    def test_what_it_is_listed_with(self, process: Any) -> None:
        listed = [item(url, said=PAGE) for url in (URL, OTHER)]
        for each in listed:
            each.outcome = Outcome.LISTED
        there, not_there = nothing_asked(process, *listed)
        assert told(there) == ("uptodate", None, {**PAGE, **HOST})
        assert told(not_there) == ("listed", None, PAGE)

    def test_what_its_host_no_longer_says_is_forgotten(self, process: Any, store: Path) -> None:
        age(store)
        [again] = process(Network({URL: answer(MILD)}), item(URL), REFRESH_DAYS=30)
        assert told(again) == ("uptodate", None, MILD)
        assert known(store) == (State.HELD, None, MILD)

    def not_modified(self, store: Path) -> Network:
        """A host that answers so to a conditional request, with new words; the row has words of a page and a robots.txt
        beside the host's.
        """
        age(store)
        said = {**PAGE, **HOST, "search": "robots.txt: Content-Signal: search=no"}
        change(store, "UPDATE media SET etag = '1', opt_outs = ?", json.dumps(said))
        request = Request(URL, meta={"opt_outs": MILD})
        return Network({URL: Response(URL, 304, request=request)})

    def test_what_a_304_does_not_say_again_still_holds(self, process: Any, store: Path) -> None:
        [again] = process(self.not_modified(store), item(URL), REFRESH_DAYS=30, **LENIENT)
        assert told(again) == ("uptodate", None, {**HOST, **MILD})
        assert known(store) == (State.HELD, None, {**HOST, **MILD})
        [later] = nothing_asked(process, item(URL), REFRESH_DAYS=30, **LENIENT)  # it was asked today
        assert later.outcome == "uptodate"

    def test_what_a_304_does_not_say_again_is_obeyed(self, process: Any, store: Path) -> None:
        [again] = process(self.not_modified(store), item(URL), REFRESH_DAYS=30)
        assert told(again) == ("refused", "opt-out", {**HOST, **MILD})
        assert known(store) == (State.HELD, None, {**HOST, **MILD})
        assert self.file.exists()
        assert nothing_asked(process, item(URL), REFRESH_DAYS=30)[0].outcome == "refused"

    def test_a_refusal_on_the_way_forgets_nothing_that_came_with_it(self, process: Any, store: Path) -> None:
        age(store)
        reserved = {"ai-train": "robots.txt: Content-Signal: ai-train=no"}
        [again] = process(Network({URL: refusal(reserved)}), item(URL), REFRESH_DAYS=30)
        assert told(again) == ("refused", "opt-out", reserved)
        assert known(store) == (State.HELD, None, {**reserved, **HOST})

    def test_its_host_may_opt_out_later(self, process: Any, store: Path) -> None:
        age(store)
        both = {**PAGE, **HOST}
        network = Network({URL: refusal(both)})
        [again] = process(network, item(URL), REFRESH_DAYS=30)
        assert told(again) == ("refused", "opt-out", both)
        assert self.file.read_bytes() == picture()
        assert known(store) == (State.HELD, None, both)
        assert nothing_asked(process, item(URL), REFRESH_DAYS=30)[0].outcome == "refused"  # it was asked today
        assert nothing_asked(process, item(URL), REFRESH_DAYS=30, **LENIENT)[0].outcome == "uptodate"

    def test_a_host_that_does_not_answer_takes_nothing_back(self, process: Any, store: Path) -> None:
        age(store)
        assert told(process(Network({URL: 503}), item(URL), REFRESH_DAYS=30)[0]) == ("refused", "opt-out", HOST)
        assert known(store) == (State.HELD, None, HOST)


def test_each_page_of_a_run_speaks_for_itself(process: Any, store: Path) -> None:
    network = Network({URL: answer(MILD)})
    strict, silent, late = process(network, item(URL, said=PAGE), item(URL), item(URL, said=PAGE))
    assert told(strict) == ("refused", "opt-out", PAGE)
    assert told(silent) == ("stored", None, MILD)
    assert told(late) == ("refused", "opt-out", {**PAGE, **MILD})
    assert known(store) == (State.HELD, None, MILD)
    assert network.asked[URL] == 1


def test_what_its_host_refused_is_refused_on_every_page_of_a_run(process: Any) -> None:
    network = Network({URL: refusal(HOST)})
    assert [told(done) for done in process(network, item(URL, said=MILD), item(URL))] == [
        ("refused", "opt-out", {**HOST, **MILD}), ("refused", "opt-out", {**HOST, **MILD}),
    ]  # fmt: skip
    assert network.asked[URL] == 1


def test_a_page_that_no_longer_opts_out_is_no_reason(process: Any, store: Path) -> None:
    assert nothing_asked(process, item(URL, said=PAGE))[0].outcome == "refused"
    assert nothing_asked(process, item(URL, said=PAGE))[0].outcome == "refused"
    [again] = process(Network({URL: picture()}), item(URL))
    assert told(again) == ("stored", None, None)
    assert known(store) == (State.HELD, None, {})


def test_a_failure_on_one_page_has_not_its_words_on_another(process: Any) -> None:
    mild = {"noindex": "page: meta robots: noindex"}
    for again in (0, 1):
        network = Network({URL: b"no picture"})
        first, second = process(network, item(URL, said=mild), item(URL))
        assert told(first) == ("failed", "not-an-image", mild)
        assert told(second) == ("failed", "not-an-image", None)
        assert network.asked[URL] == 1 - again


def test_a_retry_works_from_what_the_page_said_alone(process: Any, store: Path) -> None:
    process(Network({URL: refusal(HOST)}), item(URL, said=MILD))
    assert json.loads(rows(store)["cats", URL].item or "")["opt_outs"] == MILD


def test_the_line_of_a_feed_is_refused_for_what_it_tells(process: Any) -> None:
    line = {**json.loads(item(URL, said=PAGE).page_part()), "outcome": "stored"}
    [done] = nothing_asked(process, replayed(line, urls=[URL], keyword="cats"))
    assert told(done) == ("refused", "opt-out", PAGE)


def test_files_opt_out_as_pictures_do(process: Any, shelf: Path) -> None:
    urls = ["https://a.example/1.pdf", "https://a.example/2.pdf", "https://a.example/3.pdf"]
    answers = {urls[0]: answer(MILD, body=paper()), urls[1]: refusal(HOST)}
    papers = [file_item(url, name=url[-5:]) for url in urls]
    papers[2].opt_outs = PAGE
    stored, refused, unasked = process(Network(answers), *papers)
    assert told(stored) == ("stored", None, MILD)
    assert told(refused) == ("refused", "opt-out", HOST)
    assert told(unasked) == ("refused", "opt-out", PAGE)
    assert len([path for path in shelf.rglob("*") if path.is_file()]) == 1
