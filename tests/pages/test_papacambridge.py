"""PapaCambridge: file names, sessions, addresses and places; every saved page gives what its JSON says.

A saved page is two files in ``tests/saved_pages/papacambridge``: the page, and a JSON with its ``url`` and either
``folders`` and ``papers`` or ``error``, ``kind`` and ``message_part``; ``asked`` where a redirect led to ``url``. The
pages are written by hand from what public scrapers of the site select.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.papacambridge import (
    HOST,
    Folder,
    Listing,
    PaperName,
    Place,
    Session,
    canonical_url,
    choose,
    entry_url,
    parse_file_name,
    parse_listing,
    parse_place,
    parse_session,
)
from tests.pages.saved import SavedPages, raises_as

ROOT = Path(__file__).parents[2]
SAVED = SavedPages("papacambridge")
CASES, page_of, expected_of = SAVED.cases, SAVED.page_of, SAVED.expected_of
OBSERVED = ROOT.parent / "shared" / "sites" / "pages" / "papacambridge" / "observed_urls.txt"

SITE = f"https://{HOST}"
CIE = "Cambridge International Examinations (CIE)"
CIE_URL = f"{SITE}/?dir=Cambridge%20International%20Examinations%20%28CIE%29"


def plain(listing: Listing) -> dict[str, Any]:
    """A listing as the JSON of a saved page has it: a place by its path, code and session, a session by its name."""
    folders = [
        {
            "label": folder.label,
            "url": folder.url,
            "path": [*folder.place.path],
            "code": folder.place.code,
            "session": folder.place.session and folder.place.session.name,
        }
        for folder in listing.folders
    ]
    papers = [
        asdict(paper) | {"urls": [*paper.urls], "session": paper.session and paper.session.name}
        for paper in listing.papers
    ]
    return {"folders": folders, "papers": papers}


def read(case: str) -> Listing:
    expected = expected_of(case)
    asked = expected.get("asked", expected["url"])
    return parse_listing(page_of(case), url=expected["url"], place=parse_place(asked), asked=asked)


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    expected = expected_of(case)
    if "error" in expected:
        with raises_as(expected):
            read(case)
    else:
        assert plain(read(case)) == {"folders": expected["folders"], "papers": expected["papers"]}


OTHER_WHEN_STARTED_AT = {
    "2023-Feb-March",  # the slug says 2023-mar
    "Maths Specials!",  # the slug names no subject
}


@pytest.mark.parametrize("case", CASES)
def test_a_folder_has_the_same_place_when_a_crawl_starts_at_it(case: str) -> None:
    if "error" in expected_of(case):
        return
    for folder in read(case).folders:
        assert folder.url == canonical_url(folder.url)
        if folder.label not in OTHER_WHEN_STARTED_AT:
            assert folder.place == parse_place(folder.url)


# Names and sessions


def name(**values: Any) -> PaperName:
    return PaperName(**({"extension": "pdf"} | values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9609_w19_gt.pdf", name(code="9609", letter="w", year=2019, type="gt")),
        ("9609_w19_qp_11.pdf", name(code="9609", letter="w", year=2019, type="qp", paper=1, variant=1)),
        ("9702_S19_MS_22.PDF", name(code="9702", letter="s", year=2019, type="ms", paper=2, variant=2)),
        ("9626_m23_qp_02.pdf", name(code="9626", letter="m", year=2023, type="qp", paper=2)),
        ("0580_y20_sp_1.pdf", name(code="0580", letter="y", year=2020, type="sp", paper=1)),
        ("9700_w99_qp_10.pdf", name(code="9700", letter="w", year=1999, type="qp", paper=1)),
        ("9700_w89_in2_3.pdf", name(code="9700", letter="w", year=2089, type="in2", paper=3)),
        (
            "0417_m24_sf_31.zip",
            name(code="0417", letter="m", year=2024, type="sf", paper=3, variant=1, extension="zip"),
        ),
        ("04170_m24_pre_31.pdf", name(code="04170", letter="m", year=2024, type="pre", paper=3, variant=1)),
        ("9702_s19_ms_221.pdf", name()),
        ("9702_s19_ms_00.pdf", name()),
        ("9702_s19_ms_22 (1).pdf", name()),
        ("9702_j19_ms_22.pdf", name()),
        ("9702_s19_ms_22", name(extension="")),
        ("Data_Booklet.MP3", name(extension="mp3")),
        ("Physics 9702. Paper 1", name(extension="")),
        ("９７０２_s19_ms_22.pdf", name()),
        ("", name(extension="")),
    ],
)
def test_file_name(text: str, expected: PaperName) -> None:
    assert parse_file_name(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-Oct-Nov", (2019, "w", "2019-Oct-Nov")),
        ("2017 Nov", (2017, "w", "2017-Nov")),
        ("may-june-2020", (2020, "s", "2020-May-June")),
        (" 2024-oct-nov ", (2024, "w", "2024-Oct-Nov")),
        ("2016 Jun", (2016, "s", "2016-Jun")),
        ("2023-feb-march", (2023, "m", "2023-Feb-March")),
        ("March 2021", (2021, "m", "2021-March")),
        ("2024-november", (2024, "w", "2024-November")),
        ("2019 May/June", (2019, "s", "2019-May-June")),
        ("2014-jan", (2014, None, "2014-Jan")),
        ("2014-march-june", (2014, None, "2014-March-June")),
    ],
)
def test_session(text: str, expected: tuple[int, str | None, str]) -> None:
    assert parse_session(text) == Session(*expected)


@pytest.mark.parametrize(
    "text",
    ["", "2019", "Nov", "2019-Oct-Nov-Dec", "9709-oct-nov", "2019-mayor", "2019-Oct-Nov.pdf", "Resources", "x2019 Nov"],
)
def test_no_session(text: str) -> None:
    assert parse_session(text) is None


# Places

W24 = Session(2024, "w", "2024-Oct-Nov")


@pytest.mark.parametrize(
    ("slug", "level", "subject", "folders"),
    [
        ("as-and-a-level-business-9609", "as-and-a-level", "business-9609", ()),
        ("as-and-a-level-business9609-2024-oct-nov", "as-and-a-level", "business-9609", ("2024-Oct-Nov",)),
        (
            "as-and-a-level-mathematics-9709-mathematics-97092024-oct-nov",
            "as-and-a-level",
            "mathematics-9709",
            ("2024-Oct-Nov",),
        ),
        ("as-and-a-level-mathematics-9709-may-june-2020", "as-and-a-level", "mathematics-9709", ("2020-May-June",)),
        ("IGCSE-ICT0417-2024-March/", "igcse", "ict-0417", ("2024-March",)),
        (
            "as-and-a-level-computer-science-for-first-examination-in-2021-9618",
            "as-and-a-level",
            "computer-science-for-first-examination-in-2021-9618",
            (),
        ),
        ("igcse-mathematics-us-0444?theme=lightTheme", "igcse", "mathematics-us-0444", ()),
        ("igcse-german-7159-uk-2024-march", "igcse", "german-uk-7159", ("2024-March",)),
        ("o-level-mathematics-additional-4037", "o-level", "mathematics-additional-4037", ()),
        ("o-level-literature-2010-2016-nov", "o-level", "literature-2010", ("2016-Nov",)),
        ("o-level-literature-2010-may-june-2016", "o-level", "literature-2010", ("2016-May-June",)),
        ("as-and-a-level-physics-9702-9702-2019-nov", "as-and-a-level", "physics-9702", ("2019-Nov",)),
        (
            "as-and-a-level-mathematics-9709-topical-past-papers",
            "as-and-a-level",
            "mathematics-9709",
            ("topical-past-papers",),
        ),
        (
            "as-and-a-level-mathematics-9709-solved-past-papers-2019-mar-paper-1",
            "as-and-a-level",
            "mathematics-9709",
            ("solved-past-papers", "2019-Mar", "paper-1"),
        ),
        (
            "cambridge-advanced-as-and-a-level-mathematics-9709-2019-oct-nov#google_vignette",
            "cambridge-advanced-as-and-a-level",
            "mathematics-9709",
            ("2019-Oct-Nov",),
        ),
        ("igcse", "igcse", None, ()),
        ("legacy-2019", "legacy-2019", None, ()),
        ("igcse-art-and-design", "igcse", "art-and-design", ()),
    ],
)
def test_place_of_a_slug(slug: str, level: str, subject: str | None, folders: tuple[str, ...]) -> None:
    place = parse_place(f"{SITE}/papers/caie/{slug}")
    assert (place.board, place.level, place.subject, place.folders) == ("caie", level, subject, folders)
    digits = subject[-4:] if subject else ""
    assert place.code == (digits if digits.isdigit() else None)
    sessions = [session for session in map(parse_session, folders) if session]
    assert place.session == (sessions[0] if sessions else None)
    assert place.path == tuple(name for name in ("caie", level, subject, *folders) if name)


def test_place_without_a_level() -> None:
    assert parse_place(f"{SITE}/papers/aqa") == Place(board="aqa")
    subject = Place(board="aqa", subject="gcsebiology-8461", code="8461")
    assert parse_place(f"{SITE}/papers/aqa/gcsebiology-8461") == subject
    assert subject.path == ("aqa", "gcsebiology-8461")
    session = parse_place(f"http://{HOST}/papers/AQA/gcsebiology-8461-2024-june")
    assert session.path == ("aqa", "gcsebiology-8461", "2024-June")
    assert session.session == Session(2024, "s", "2024-June")


def test_place_of_a_lister_path() -> None:
    assert parse_place(f"{CIE_URL}/IGCSE/") == Place(board=CIE, level="IGCSE")
    biology = parse_place(f"{CIE_URL}%2FAS%20and%20A%20Level%2FBiology%20%289700%29")
    assert biology == Place(board=CIE, level="AS and A Level", subject="Biology (9700)", code="9700")
    business = parse_place(
        f"{CIE_URL}/AS+and+A+Level/Business (for first examination in 2016) - 9609/Old/2017 Nov/2016 Jun"
    )
    assert business.code == "9609"
    assert business.folders == ("Old", "2017-Nov", "2016 Jun")
    assert business.session == Session(2017, "w", "2017-Nov")
    assert parse_place(f"{CIE_URL}/GCE International O Level/Literature (2010)").code == "2010"
    assert parse_place(f"{CIE_URL}/IGCSE/Physics - 2016").code is None
    assert parse_place(f"{CIE_URL}/GCE International O Level/Physics (for 2016)").code is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "'' is no address of pastpapers.papacambridge.com"),
        ("9709", "is no address of"),
        ("https://papacambridge.com/papers/caie/igcse", "is no address of"),
        (f"ftp://{HOST}/papers/caie", "is no address of"),
        ("https://[", "is no web address"),
        (f"{SITE}/", "names no board: give a page such as https://pastpapers.papacambridge.com/papers/caie"),
        (f"{SITE}/?dir=/", "names no board"),
        (f"{SITE}/papers/", "names no board"),
        (f"{SITE}/papers/caie/papers/caie/igcse", "is no page that lists papers"),
        (f"{SITE}/papers/caie/--", "is no page that lists papers"),
        (f"{SITE}/?dir=AQA/../..", "is no page that lists papers"),
        (f"{SITE}/contact.html", "is no page that lists papers"),
        (f"{SITE}/viewer/caie/x-pdf", "leads to a file: give the page that lists it"),
        (f"{SITE}/view.php?id=AQA/x.pdf", "leads to a file"),
        (f"{SITE}/download_file.php?files={SITE}/x.pdf", "leads to a file"),
        (f"{SITE}/directories/CAIE/", "leads to a file"),
        (f"{SITE}/AQA/A-Level/x.PDF", "leads to a file"),
    ],
)
def test_place_refuses(url: str, message: str) -> None:
    for function in (parse_place, canonical_url):
        with pytest.raises(ValueError) as caught:
            function(url)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"http://{HOST.upper()}/papers/CAIE/IGCSE-Biology-0610/", f"{SITE}/papers/caie/igcse-biology-0610"),
        (f"{HOST}/papers/caie/igcse?theme=darkTheme#google_vignette", f"{SITE}/papers/caie/igcse"),
        (f"{SITE}:443//papers/caie", f"{SITE}/papers/caie"),
        (f"{CIE_URL}%2FIGCSE%2FPhysics%20(0625)/", f"{CIE_URL}/IGCSE/Physics%20%280625%29"),
        (f"{SITE}/index.php?theme=x&dir=AQA/A-Level//#top", f"{SITE}/?dir=AQA/A-Level"),
        (f"{SITE}/?dir=AQA/C%2B%2B+and C&theme=x", f"{SITE}/?dir=AQA/C%2B%2B%20and%20C"),
        (f"{SITE}/?dir=AQA/Art & Design", f"{SITE}/?dir=AQA/Art%20%26%20Design"),
        (f"{SITE}/?dir=AQA/Fran%C3%A7ais", f"{SITE}/?dir=AQA/Fran%C3%A7ais"),
    ],
)
def test_canonical_url(url: str, expected: str) -> None:
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize(
    ("board", "slug"),
    [
        ("caie", "caie"),
        ("CIE", "caie"),
        ("Cambridge International", "caie"),
        (" AQA ", "aqa"),
        ("Edexcel  International", "edexcel-international"),
    ],
)
def test_entry_url(board: str, slug: str) -> None:
    assert entry_url(board) == f"{SITE}/papers/{slug}"


@pytest.mark.parametrize("board", ["", " ", "caie/igcse", "..", "?", "AQA (UK)", "caie-"])
def test_entry_url_refuses(board: str) -> None:
    with pytest.raises(ValueError, match=r"^board is a short name such as caie; not "):
        entry_url(board)


# Listings


def listing_of(body: str, url: str, **values: Any) -> Listing:
    return parse_listing(f"<html><body>{body}</body></html>", url=url, place=parse_place(url), **values)


def in_container(body: str, url: str) -> Listing:
    return listing_of(f'<div id="datafile"><div class="files-list-main">{body}</div></div>', url)


SUBJECT = f"{SITE}/papers/caie/as-and-a-level-business-9609"
SESSION = f"{SITE}/papers/caie/as-and-a-level-business9609-2024-oct-nov"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_refused(status: int) -> None:
    with pytest.raises(PageBlockedError) as caught:
        listing_of("", SUBJECT, status=status)
    assert caught.value.kind is Obstacle.REFUSED
    assert caught.value.ends_crawl is (status == 429)
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("status", [404, 410])
def test_not_found(status: int) -> None:
    with pytest.raises(PageEmptyError):
        parse_listing(page_of("session"), url=SESSION, place=parse_place(SESSION), status=status)


def test_redirects() -> None:
    """Up the tree is "not found"; to another slug of the same depth is not."""
    page = page_of("session")
    for url in (SUBJECT, f"{SITE}/papers/caie", f"{SITE}/", "https://papacambridge.com/home/index.html"):
        with pytest.raises(PageEmptyError, match="led to"):
            parse_listing(page, url=url, place=parse_place(SESSION), asked=SESSION)
    other = SESSION.replace("business9609", "business-9609")
    assert parse_listing(page, url=SESSION, place=parse_place(other), asked=other).papers
    with pytest.raises(PageChangedError, match="Not the address"):
        parse_listing(page, url=f"{SITE}/", place=parse_place(SESSION))


@pytest.mark.parametrize(
    "href",
    [
        "papers/caie/as-and-a-level-business-9609",
        "papers/caie/as-and-a-level-business9609",
        "papers/caie/as-and-a-level-business9609-2024-oct-nov/?theme=lightTheme",
        "papers/caie/as-and-a-level-business-9609-2024-oct-nov",
        "papers/caie/as-and-a-level-business-9609-2023-oct-nov",
        "papers/caie/as-and-a-level",
        "papers/caie/igcse",
        "papers/caie",
        "papers/caie/as-and-a-level-economics-9708-2024-oct-nov",
        "papers/caie/o-level-pakistan-studies-2059",
        "papers/aqa/business9609-2024-oct-nov-more",
        "?theme=lightTheme",
        "#google_vignette",
        "javascript:void(0)",
        "http://[",
        "viewer/caie/x.pdf",
        "https://ads.example/9609_w24_qp_11.pdf",
        "download_file.php?files=..",
        "",
    ],
)
def test_links_that_do_not_lead_below_a_session(href: str) -> None:
    assert in_container(f'<a href="{href}">More</a>', SESSION) == Listing([], [])


@pytest.mark.parametrize(
    ("page", "slug"),
    [
        ("igcse", "o-level-physics-5054"),
        ("igcse", "o-level"),
        ("igcse", "as-and-a-level-biology-9700"),
        ("o-level", "igcse-physics-0625"),
        ("as-and-a-level", "o-level"),
        ("igcse-biology-0610", "o-level-biology"),
        ("igcse-biology-0610", "o-level-biology-5090"),
        ("igcse-biology-0610", "igcse-accounting"),
        ("igcse-biology-0610", "igcse-accounting-0452"),
        ("igcse-biology-0610", "igcse-accounting-2024-march"),
        ("igcse-biology-0610-2024-march", "igcse-biology-0610-topical-past-papers"),
        ("igcse-biology-0610-2024-march", "igcse-biology-0610-2023-march"),
        ("igcse-biology-0610-2024-march", "igcse-biology-0610-march-2023"),
        ("igcse-biology-0610-2024-march", "igcse-biology-0610"),
        ("igcse-biology-0610-2024-march", "igcse-accounting"),
    ],
)
def test_links_sideways_lead_nowhere(page: str, slug: str) -> None:
    link = f'<a href="papers/caie/{slug}">More</a>'
    assert in_container(link, f"{SITE}/papers/caie/{page}") == Listing([], [])


@pytest.mark.parametrize(
    ("page", "slug", "path"),
    [
        ("igcse", "igcse-accounting", ("igcse", "accounting")),
        ("igcse", "igcse-biology-0610", ("igcse", "biology-0610")),
        ("igcse-biology-0610", "igcse-biology0610-2024-march", ("igcse", "biology-0610", "2024-March")),
        ("igcse-biology-0610", "igcse-biology-0610-topical", ("igcse", "biology-0610", "topical")),
        (
            "igcse-biology-0610-2024-march",
            "igcse-biology-0610-2024-march-audio",
            ("igcse", "biology-0610", "2024-March", "audio"),
        ),
        (
            "cambridge-advanced-as-and-a-level",
            "cambridge-advanced-as-and-a-level-mathematics-9709",
            ("cambridge-advanced-as-and-a-level", "mathematics-9709"),
        ),
        (
            "cambridge-advanced-as-and-a-level",
            "as-and-a-level-mathematics-9709",
            ("as-and-a-level", "mathematics-9709"),
        ),
    ],
)
def test_links_of_the_same_kind_that_lead_down(page: str, slug: str, path: tuple[str, ...]) -> None:
    (folder,) = in_container(f'<a href="papers/caie/{slug}">More</a>', f"{SITE}/papers/caie/{page}").folders
    assert folder.url == f"{SITE}/papers/caie/{slug}"
    assert folder.place.path == ("caie", *path)


def test_a_file_outside_of_the_entries_of_the_lister_is_of_the_page_only_below_its_folder() -> None:
    shared = "view.php?id=AQA/Shared/1.pdf"
    entry = f'<li data-name="1.pdf" data-href="{shared}"><a href="{shared}">1</a></li>'
    body = f"""
        <div id="sidebar">
          <a href="view.php?id=AQA/B-Level/2.pdf">Popular</a>
          <a href="AQA/B-Level/3.pdf">Download</a>
          <a href="AQA/A-Level-Old/4.pdf">Download</a>
          <a href="view.php?id=AQA/A-Level/5.pdf">5</a>
          <a href="AQA/A-Level/6.wma">Download</a>
          <a href="AQA/A-Level/7.wma">About</a>
        </div>
        <ul id="directory-listing">{entry}</ul>"""
    papers = listing_of(body, f"{SITE}/?dir=AQA/A-Level").papers
    assert [paper.name for paper in papers] == ["5.pdf", "6.wma", "1.pdf"]


def test_a_code_that_looks_like_a_year() -> None:
    url = f"{SITE}/papers/caie/o-level-literature-in-english-2010"
    links = "".join(
        f'<a href="papers/caie/{slug}">More</a>'
        for slug in ("o-level-literature-2010-2016-nov", "o-level-geography-2217-2010-nov", "literature-extras-2015")
    )
    assert [folder.place.folders for folder in in_container(links, url).folders] == [("2016-Nov",), ("more",)]


def test_a_page_without_a_code() -> None:
    ends = ("", "-2019-june", "-2019-june-a")
    links = "".join(f'<a href="papers/edexcel/igcse-biology{end}">More</a>' for end in ends)
    folders = in_container(links, f"{SITE}/papers/edexcel/igcse-biology-2019-june").folders
    assert [folder.place.path for folder in folders] == [("edexcel", "igcse", "biology", "2019-June", "a")]


def test_a_level_that_no_slug_names() -> None:
    (folder,) = in_container('<a href="papers/caie/physics-9792">Physics</a>', f"{SITE}/papers/caie/tripos").folders
    assert folder.place == Place(board="caie", level="tripos", subject="physics-9792", code="9792")


def test_a_session_that_only_the_label_names() -> None:
    (folder,) = in_container(f'<a href="{SUBJECT}-x1">2015 Nov</a>', SUBJECT).folders
    assert folder.place.folders == ("2015-Nov",)
    assert folder.place.session == Session(2015, "w", "2015-Nov")


def test_the_label_of_a_session_is_right_where_its_slug_is_not() -> None:
    (session,) = in_container(f'<a href="{SUBJECT}-2018-nov">2019-Oct-Nov</a>', SUBJECT).folders
    page = f'<div id="datafile"><div class="files-list-main"><a href="{session.url}-paper-1">Paper 1</a></div></div>'
    (folder,) = parse_listing(page, url=session.url, place=session.place).folders
    assert folder.place.folders == ("2019-Oct-Nov", "paper-1")


def test_folders_below_a_session_keep_its_session() -> None:
    (folder,) = in_container(f'<a href="{SESSION}-old-2019-nov">Old</a>', SESSION).folders
    assert folder.place == parse_place(folder.url)
    assert folder.place.folders == ("2024-Oct-Nov", "old-2019-nov")
    assert folder.place.session == W24
    (folder,) = in_container(f'<a href="{urlsplit(SESSION).path}-paper-1">2019 Nov</a>', SESSION).folders
    assert folder.place.folders == ("2024-Oct-Nov", "paper-1")
    assert folder.place.session == W24


def test_parent_rows_lead_nowhere() -> None:
    assert in_container('<a href="papers/caie/somewhere">..</a>', SESSION) == Listing([], [])
    row = '<li data-name=".." data-href="AQA/A-Level"><a href="AQA/A-Level/x.pdf">..</a></li>'
    assert listing_of(row, f"{SITE}/?dir=AQA/A-Level") == Listing([], [])


def test_two_links_to_one_file() -> None:
    direct = '<a href="directories/x.pdf">x</a>'
    item = f'<div class="kt-widget4__item"><span class="wraptext">Paper</span>{direct}</div>'
    download = f'<a href="download_file.php?files={SITE}/directories/x.pdf">x</a>'
    for links in (direct + item + download, download + item + direct, item + download):
        (paper,) = in_container(links, SESSION).papers
        assert paper.label == "Paper"
        assert len(paper.urls) == 2


def test_relative_links_honour_the_base() -> None:
    link = '<div id="datafile"><div class="files-list-main"><a href="igcse-art-0400">Art</a></div></div>'
    url = f"{SITE}/papers/caie/igcse"
    assert listing_of(link, url).folders[0].url == f"{SITE}/papers/caie/igcse-art-0400"
    assert listing_of(f'<base href="/papers/caie/x">{link}', url).folders[0].place.code == "0400"
    assert not listing_of(f'<base href="https://elsewhere.example/">{link}', url).folders
    assert listing_of(f'<base href="http://[">{link}', url).folders


def test_menu_only_on_the_board_page() -> None:
    menu = '<a class="kt-menu__link" href="papers/caie/igcse">IGCSE</a>'
    board = f"{SITE}/papers/caie"
    assert [folder.label for folder in listing_of(menu, board).folders] == ["IGCSE"]
    assert [folder.label for folder in in_container(menu, board).folders] == ["IGCSE"]
    assert in_container("", board) == Listing([], [])
    for url, body in ((board, ""), (board.replace("caie", "aqa"), menu), (SUBJECT, menu)):
        with pytest.raises(PageChangedError, match="there is no list of papers on"):
            listing_of(body, url)


@pytest.mark.parametrize(
    ("value", "name", "direct"),
    [
        (f"{SITE}/a/x%20y.pdf", "x y.pdf", f"{SITE}/a/x%20y.pdf"),
        (f"{SITE}/a/x%2520y.pdf", "x y.pdf", f"{SITE}/a/x%20y.pdf"),
        (f"http://{HOST}/a/100%.pdf", "100%.pdf", f"{SITE}/a/100%25.pdf"),
        (f"{SITE}/a/caf%E9.pdf", "caf?.pdf", f"{SITE}/a/caf%E9.pdf"),
        (f"{SITE}/a/x.pdf?v=1", "x.pdf", f"{SITE}/a/x.pdf?v=1"),
        (f"https%3A%2F%2F{HOST}%2Fx%20%231.pdf&theme=x", "x #1.pdf", f"{SITE}/x%20%231.pdf"),
        ("directories/x.pdf", "x.pdf", f"{SITE}/directories/x.pdf"),
        ("https://cdn.example/x.pdf", "x.pdf", None),
    ],
)
def test_download_link(value: str, name: str, direct: str | None) -> None:
    (paper,) = in_container(f'<a href="download_file.php?files={value}">Download</a>', SESSION).papers
    assert paper.name == name
    download = f"{SITE}/download_file.php?files={value}"
    assert paper.urls == ((direct, download) if direct else (download,))


def test_what_the_name_says_only_where_the_listing_is_silent() -> None:
    links = "".join(f'<a href="directories/1234_{session}_qp_1.pdf">x</a>' for session in ("s19", "w98", "m20", "y20"))
    board = Place(board="caie")
    page = f'<div id="datafile"><div class="files-list-main">{links}</div></div>'
    papers = parse_listing(page, url=f"{SITE}/papers/caie/igcse", place=board).papers
    names = [paper.session and paper.session.name for paper in papers]
    assert names == ["2019-May-June", "1998-Oct-Nov", "2020-March", "2020-Specimen"]
    assert {paper.code for paper in papers} == {"1234"}
    papers = parse_listing(page, url=SESSION, place=parse_place(SESSION)).papers
    assert {paper.session for paper in papers} == {W24}
    assert {paper.code for paper in papers} == {"9609"}


# What a person means


def folders_of(parent: str, *labels: str) -> list[Folder]:
    return [Folder(label, f"{parent}/{label}", parse_place(f"{parent}/{label}")) for label in labels]


SUBJECTS = folders_of(
    f"{CIE_URL}/IGCSE",
    "Business (for first examination in 2016) - 9609",
    "Business Studies (9707)",
    "Mathematics - 0580",
    "Mathematics - 0444 - US",
    "Mathematics - Additional - 4037",
    "Travel & Tourism (0471)",
    "Français - 0520",
)
LEVELS = folders_of(CIE_URL, "IGCSE", "AS and A Level", "GCE International O Level")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("business", ["Business (for first examination in 2016) - 9609"]),
        ("Business (for first examination in 2016)", ["Business (for first examination in 2016) - 9609"]),
        ("BUSINESS-studies", ["Business Studies (9707)"]),
        ("9707", ["Business Studies (9707)"]),
        ("Mathematics (0580)", ["Mathematics - 0580"]),
        ("2016", []),
        ("mathematics", ["Mathematics - 0580"]),
        ("mathematics us", ["Mathematics - 0444 - US"]),
        ("mathematics (additional)", ["Mathematics - Additional - 4037"]),
        ("additional", ["Mathematics - Additional - 4037"]),
        ("studies", ["Business Studies (9707)"]),
        ("stud", []),
        ("travel and tourism", ["Travel & Tourism (0471)"]),
        ("francais", ["Français - 0520"]),
        ("physics", []),
        ("", []),
        ("-", []),
    ],
)
def test_choose_subject(wanted: str, expected: list[str]) -> None:
    assert [folder.label for folder in choose(SUBJECTS, wanted)] == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("igcse", ["IGCSE"]),
        ("o level", ["GCE International O Level"]),
        ("A Level", ["AS and A Level"]),
        ("as-and-a-level", ["AS and A Level"]),
        ("AS & A Level", ["AS and A Level"]),
        ("level", ["AS and A Level", "GCE International O Level"]),
    ],
)
def test_choose_level(wanted: str, expected: list[str]) -> None:
    assert [folder.label for folder in choose(LEVELS, wanted)] == expected


def test_choose_by_the_name_of_the_place() -> None:
    url = f"{SITE}/papers/caie/as-and-a-level-computer-science-for-first-examination-in-2021-9618"
    folder = Folder("CS", url, parse_place(url))
    folders = [*folders_of(f"{CIE_URL}/IGCSE", "Computer Science Extra - 1234"), folder]
    assert choose(folders, "computer science") == [folder]
    assert choose(folders, "cs") == [folder]


# Whatever comes in


def assert_only_known_errors(text: str, url: str, asked: str | None = None) -> None:
    listing, message = Listing(), ""
    try:
        listing = parse_listing(text, url=url, place=Place(board="caie"), asked=asked)
    except PageError as error:
        message = str(error)
    assert "\n" not in message
    for folder in listing.folders:
        assert folder.label
        assert canonical_url(folder.url) == folder.url
        assert all(folder.place.path)
    for paper in listing.papers:
        assert paper.name
        assert all(url.isascii() and url.startswith(f"{SITE}/") for url in paper.urls)
    assert len({paper.urls[0] for paper in listing.papers}) == len(listing.papers)
    json.dumps(asdict(listing), ensure_ascii=False).encode("utf-8")


PIECES = st.sampled_from(
    [
        '<div id="datafile"><div class="files-list-main">',
        "</div>",
        '<div class="kt-widget4__item">',
        '<span class="wraptext">',
        '<span class="badge">',
        '<a href="papers/caie/',
        '<a href="download_file.php?files=',
        '<a href="view.php?id=',
        '<li data-name="x" data-href="',
        '<tr row-data-name="',
        "?dir=AQA/A-Level/",
        f"{SITE}/",
        "https://[",
        "https://h:x/",
        "9709-2024-oct-nov",
        "%E9%2F..",
        "&#xD800;",
        '">Download</a>',
        '" {="1" \x1f="2" xmlns:="3">',
        "/x.pdf",
        "\ud83d",
        "\0",
    ]
)
URLS = st.sampled_from([f"{SITE}/papers/caie", SUBJECT, SESSION, f"{SITE}/?dir=AQA/A-Level", f"{SITE}/", "x"])
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@settings(max_examples=200)
@given(text=ANY_TEXT, url=ANY_TEXT | URLS, asked=st.none() | ANY_TEXT | URLS)
def test_any_text(text: str, url: str, asked: str | None) -> None:
    assert_only_known_errors(text, url, asked)


@settings(max_examples=500)
@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=20), url=URLS)
def test_pieces_of_pages(pieces: list[str], url: str) -> None:
    assert_only_known_errors("".join(pieces), url)


@settings(max_examples=200)
@given(case=st.sampled_from(CASES), data=st.data())
def test_damaged_pages(case: str, data: st.DataObject) -> None:
    page = page_of(case)
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(page))] * 2)))
    damage = data.draw(PIECES | st.text(max_size=5))
    assert_only_known_errors(page[:first] + damage + page[second:], expected_of(case)["url"])


@settings(max_examples=500)
@given(prefix=st.sampled_from(["", f"{SITE}/papers/caie/", f"{SITE}/?dir="]), text=ANY_TEXT)
@example(prefix=f"{SITE}/papers/caie/", text="9709-9709")
@example(prefix=f"{SITE}/?dir=", text="%20/%00")
def test_any_address(prefix: str, text: str) -> None:
    try:
        place = parse_place(prefix + text)
    except ValueError:
        return
    assert all(place.path)
    assert parse_place(canonical_url(prefix + text)) == place
    choose([Folder(text, prefix, place)], text)


@settings(max_examples=200)
@given(text=ANY_TEXT)
def test_any_name(text: str) -> None:
    parse_file_name(text)
    session = parse_session(text)
    assert session is None or parse_session(session.name) == session


def test_observed_addresses() -> None:
    if not OBSERVED.is_file():
        pytest.skip("no list of observed addresses")
    urls = [line for line in OBSERVED.read_text(encoding="utf-8").splitlines() if line.startswith("https:")]
    listings = [url for url in urls if "/papers/" in url or "?dir=" in url]
    for url in listings:
        assert parse_place(canonical_url(url)) == parse_place(url)
    for url in {*urls} - {*listings}:
        with pytest.raises(ValueError, match="leads to a file"):
            parse_place(url)


@pytest.mark.slow
def test_deep_nesting() -> None:
    assert_only_known_errors('<div id="datafile"><div class="files-list-main">' * 5_000 + '<a href="x.pdf">', SESSION)
    assert_only_known_errors('<td data-name="x" data-href="y">' * 5_000, f"{SITE}/?dir=AQA")
