"""The past-paper site of the replica: what tests of the crawler take for granted about it."""

from __future__ import annotations

import http.client
import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from parsel import Selector

from tests.replica import Replica, papers
from tests.replica.papacambridge_tree import CIE
from tests.replica.papers import HOME, SITE, TRAPS, Folder, Paper
from tests.test_replica import ask, connect

Reply = tuple[int, http.client.HTTPMessage, bytes]
Get = Callable[..., Reply]

ALL = [paper for era in "AB" for paper in papers.files(era)]
TRAPPED = [paper for era in "AB" for paper in papers.traps(era)]
BUSINESS = (
    f"{SITE}/?dir={quote(CIE)}/AS%20and%20A%20Level/Business%20%28for%20first%20examination%20in%202016%29%20-%209609"
)
UPLOAD = f"{SITE}/directories/CAIE/CAIE-pastpapers/upload"


@pytest.fixture(scope="module")
def get(replica: Replica) -> Iterator[Get]:
    """GET without following redirects, every time on the same connection."""
    connection = connect(replica, SITE)

    def send(url: str, **headers: str) -> Reply:
        assert url.startswith(SITE)
        response = ask(connection, url, **headers)
        return response.status, response.headers, response.read()

    yield send
    connection.close()


def read(get: Get, url: str) -> Selector:
    status, headers, body = get(url)
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    return Selector(body.decode())


def is_lost(reply: Reply) -> bool:
    return reply[0] == 302 and reply[1]["Location"] == HOME


def named(era: str, name: str) -> list[Paper]:
    return [paper for paper in (*papers.files(era), *papers.traps(era)) if paper.name == name]


def slug_page(slug: str) -> str:
    return f"{SITE}/papers/caie/{slug}"


# --- the catalogue ---


@pytest.mark.parametrize("era", ["A", "B"])
def test_an_era_has_a_few_dozen_files(era):
    assert 60 <= len(papers.files(era)) <= 90
    assert 60 <= sum(len(folder.papers) for folder in papers.folders(era)) <= 95


def test_no_two_files_are_the_same():
    assert len({paper.url for paper in ALL + TRAPPED}) == len(ALL + TRAPPED)
    assert len({paper.body for paper in ALL}) == len(ALL)


def test_every_trap_is_there():
    assert {paper.trap for paper in papers.traps("B")} == set(TRAPS)
    assert [paper.trap for paper in papers.traps("A")] == ["soft-404"]


def test_within_means_at_or_below_a_folder():
    assert {paper.folder[-1] for paper in papers.files("B", "o-level-physics-5054")} == {
        "o-level-physics-5054-2024-oct-nov",
        "o-level-physics-5054-2016-jun",
        "o-level-physics-5054-2001-nov",
    }
    (shared,) = named("A", "9701_s18_gt.pdf")
    assert shared in papers.files("A", "2018-March") and shared in papers.files("A", "2018-May-June")


def of_kind(extension: str) -> list[Paper]:
    found = [paper for paper in ALL if paper.name.lower().endswith(extension)]
    assert found
    return found


def test_pdfs_are_pdfs():
    for paper in of_kind(".pdf"):
        assert paper.body.startswith(b"%PDF-1.4\n") and paper.body.endswith(b"%%EOF\n")
        start = re.search(rb"startxref\n(\d+)\n", paper.body)
        assert start and paper.body[int(start[1]) :].startswith(b"xref\n0 6\n")
        offsets = re.findall(rb"(\d{10}) 00000 n ", paper.body)
        for number, offset in enumerate(offsets, start=1):
            assert paper.body[int(offset) :].startswith(b"%d 0 obj\n" % number)
        stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", paper.body)
        assert stream and len(stream[2]) == int(stream[1])


def test_zips_and_docx_are_archives():
    for paper in of_kind(".zip") + of_kind(".docx"):
        with zipfile.ZipFile(BytesIO(paper.body)) as archive:
            assert archive.testzip() is None
            assert {member.date_time[0] for member in archive.infolist()} == {1980}
    assert {"[Content_Types].xml", "word/document.xml"} <= set(archive.namelist())


def test_mp3s_are_a_tag_and_frames():
    for paper in of_kind(".mp3"):
        assert paper.body[:5] == b"ID3\x03\x00"
        high, *lower = paper.body[6:10]
        size = high
        for byte in lower:
            size = size << 7 | byte
        frames = paper.body[10 + size :]
        assert len(frames) == 10 * 104
        assert {frames[at : at + 4] for at in range(0, len(frames), 104)} == {b"\xff\xfb\x10\xc0"}


# --- files ---


def test_every_file_is_at_its_address(get):
    for paper in ALL:
        status, headers, body = get(paper.url)
        assert (status, body) == (200, paper.body), paper.url
        assert (
            headers["Content-Type"]
            == {
                "pdf": "application/pdf",
                "zip": "application/zip",
                "mp3": "audio/mpeg",
                "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            }[paper.name.rpartition(".")[2].lower()]
        )


def test_a_file_that_has_not_changed_is_304(get):
    for url in (papers.files("A")[0].url, papers.files("B")[0].url, papers.files("B")[0].download_url):
        mark = get(url)[1]["ETag"]
        assert get(url, **{"If-None-Match": mark})[::2] == (304, b"")
        assert get(url, **{"If-None-Match": '"other"'})[0] == 200


def test_era_a_answers_in_plain_too(replica):
    paper = papers.files("A")[0]
    url = paper.url.replace("https:", "http:")
    connection = connect(replica, url)
    assert ask(connection, url).read() == paper.body
    assert b"9609_w19_gt.pdf" in ask(connection, f"{BUSINESS}/2019-Oct-Nov".replace("https:", "http:")).read()
    connection.close()


def test_a_download_is_the_file_as_an_attachment(get):
    for paper in papers.files("B"):
        status, headers, body = get(paper.download_url)
        assert (status, body) == (200, paper.body)
        assert headers["Content-Disposition"] == f'attachment; filename="{paper.name}"'


def test_a_view_is_a_page_and_no_file(get):
    for paper in ALL:
        assert read(get, paper.view_url).css("#viewer")
    (real,) = named("B", "9626_m23_qp_02.pdf")
    slug = "as-and-a-level-information-technology-9626-2023-march-9626-m23-qp-02-pdf"
    assert real.view_url == f"{SITE}/viewer/caie/{slug}"


@pytest.mark.parametrize(
    "path",
    [
        "?dir=Nowhere",
        f"?dir={quote(CIE)}/IGCSE/Nowhere%20%280000%29",
        "view.php?id=nowhere.pdf",
        "nowhere/9609_w19_gt.pdf",
        "directories/CAIE/CAIE-pastpapers/upload/9999_w19_gt.pdf",
        f"download_file.php?files={UPLOAD}/9999_w19_gt.pdf",
        "download_file.php",
    ],
)
def test_what_is_not_there_is_a_soft_404(get, path):
    assert is_lost(get(f"{SITE}/{path}"))


def test_the_soft_404_ends_at_a_page(replica):
    connection = connect(replica, HOME)
    answer = ask(connection, HOME)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert b"<h1>" in answer.read()
    connection.close()


def test_there_is_no_robots_txt(get):
    assert get(f"{SITE}/robots.txt")[0] == 404


@pytest.mark.parametrize("paper", TRAPPED, ids=lambda paper: f"{paper.era}-{paper.trap}-{paper.name[-3:]}")
def test_a_trap_is_what_the_catalogue_says(get, paper):
    assert paper.outcome == "failed" and paper.reason == TRAPS[paper.trap].reason
    for url in (paper.url, paper.download_url) if paper.era == "B" else (paper.url,):
        status, headers, body = reply = get(url)
        match paper.trap:
            case "soft-404":
                assert is_lost(reply)
            case "503":
                assert status == 503
            case _:
                assert (status, body) == (200, paper.body)
                assert headers["Content-Type"] in {"application/pdf", "application/zip", "audio/mpeg"}
                assert int(headers["Content-Length"]) == len(body)


def test_spoiled_bytes_are_spoiled():
    bodies = {paper.trap: paper.body for paper in papers.traps("B")}
    assert bodies["html"].startswith(b"<!DOCTYPE html>")
    assert bodies["cut-pdf"].startswith(b"%PDF-") and b"xref" in bodies["cut-pdf"]
    assert b"trailer" not in bodies["cut-pdf"] and b"%%EOF" not in bodies["cut-pdf"]
    assert bodies["cut-zip"].startswith(b"PK\x03\x04")
    for spoiled in ("cut-zip", "broken-zip"):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(BytesIO(bodies[spoiled]))
    assert bodies["empty"] == b""


# --- era A ---


def folder_id(folder: Folder) -> str:
    return "/".join(folder.path)


@pytest.mark.parametrize("folder", papers.folders("A"), ids=folder_id)
def test_a_lister_page_has_exactly_its_entries(get, folder):
    page = read(get, folder.url)
    entries = page.css("[data-href]")
    assert {entry.root.tag for entry in entries} == {"li" if folder.style == "list" else "td"}
    names = entries.xpath("@data-name").getall()
    assert names[:1] == [".."] or not folder.path
    assert [name for name in names if name != ".."] == [path[-1] for path in folder.folders] + [
        paper.name for paper in folder.papers
    ]
    links = [urljoin(folder.url, href).partition("#")[0] for href in entries.css("a.clearfix::attr(href)").getall()]
    below = [papers.folder("A", path) for path in folder.folders]
    assert links[bool(folder.path) :] == [
        *(child.url for child in below if child),
        *(paper.view_url for paper in folder.papers),
    ]


@pytest.mark.parametrize("folder", [f for f in papers.folders("A") if f.papers and f.style == "table"], ids=folder_id)
def test_a_table_has_download_buttons(get, folder):
    buttons = read(get, folder.url).css("tr a.btn.btn-outline-primary.bbx.hidden-sm.hidden-xs.pull-right")
    assert {text.strip() for text in buttons.css("::text").getall()} == {"Download"}
    assert [urljoin(folder.url, href) for href in buttons.css("::attr(href)").getall()] == [
        paper.url for paper in folder.papers if paper.manner != "no button"
    ]


def test_business_is_as_it_was(get):
    assert (
        papers.folder("A", (CIE, "AS and A Level", "Business (for first examination in 2016) - 9609")).url == BUSINESS
    )
    assert [entry.strip() for entry in read(get, BUSINESS).css("td::attr(data-name)").getall()] == [
        "..", "2019-Oct-Nov", "2019-May-June", "2018-Oct-Nov", "2018-May-June", "2018-March",
    ]  # fmt: skip
    button = read(get, f"{BUSINESS}/2019-Oct-Nov").xpath(
        "//td[@data-name='9609_w19_gt.pdf']/a[contains(., 'Download')]"
    )
    assert button.attrib["href"] == f"{BUSINESS.removeprefix(f'{SITE}/?dir=')}/2019-Oct-Nov/9609_w19_gt.pdf"
    assert "%28for%20first%20examination%20in%202016%29%20-%209609" in button.attrib["href"]


def test_a_directory_can_be_written_in_several_ways(get):
    directory = f"{CIE}/AS and A Level/Mathematics (9709)"
    pages = {
        get(f"{SITE}/?dir={spelled}")[2]
        for spelled in (
            quote(directory),
            quote(directory, safe=""),
            quote(directory, safe="/()"),
            quote(directory) + "/",
            directory.replace(" ", "+"),
        )
    }
    assert len(pages) == 1


def test_lister_pages_lead_elsewhere_too(get):
    page = read(get, BUSINESS)
    foot = [unquote(href) for href in page.css(".footer a.clearfix::attr(href)").getall()]
    assert foot == [f"?dir={CIE}", f"?dir={CIE}/IGCSE"]
    assert page.css("#page-navbar p.navbar-text a") and page.css("ins.adsbygoogle")
    hrefs = page.css("a::attr(href)").getall()
    assert any(href.startswith("javascript:") for href in hrefs) and "#" in hrefs
    assert any(href.startswith("?dir=") and href.endswith("#google_vignette") for href in hrefs)
    assert {"ads.example", "www.facebook.com"} <= {urlsplit(href).hostname for href in hrefs}


def test_oddities_of_era_a():
    first, second = named("A", "0625_w17_qp_11.pdf")
    assert second.url == f"{first.url}?v=2" and second.folder == first.folder and second.body != first.body
    (shared,) = named("A", "9701_s18_gt.pdf")
    assert [path[-1] for path in shared.folders] == ["2018-May-June", "2018-March"]
    assert named("A", "Data Booklet & Formulae.pdf")[0].url.endswith("/Data%20Booklet%20%26%20Formulae.pdf")
    assert named("A", "k-9701.pdf") and named("A", "5090_W01_QP_1.PDF")
    assert named("A", "9608_s16_sf_21.zip")[0].folder[-2:] == ("2016 Jun", "Source Files")
    assert papers.files("A", "Resources")
    assert {folder.style for folder in papers.folders("A")} == {"table", "list"}


# --- era B ---


def from_root(href: str) -> str:
    """A link as the site means it: without its query and its fragment."""
    assert not href.startswith("/")
    return urljoin(f"{SITE}/", href.partition("#")[0].partition("?theme=")[0])


def files_value(href: str) -> str:
    assert href.startswith("download_file.php?files=")
    return unquote(href.partition("files=")[2].partition("&")[0])


def downloads(page: Selector) -> list[str]:
    return page.css("#datafile a.badge.badge-info[download]::attr(href)").getall()


@pytest.mark.parametrize("folder", papers.folders("B"), ids=folder_id)
def test_a_slug_page_has_exactly_its_entries(get, folder):
    page = read(get, folder.url)
    entries = page.css("div#datafile > div.files-list-main > div")
    links = entries.css("div.kt-widget4__item.item-folder-type > a.kt-widget4__title:has(span.wraptext)")
    shown = [(link.css("span::text").get("").strip(), link.attrib["href"]) for link in links]
    own = [entry for entry in shown if entry[0] not in {"..", "Sponsored"}]
    up = [from_root(href) for label, href in shown if label == ".."]
    above = papers.folder("B", folder.path[:-1])
    assert up == ([above.url] if above and shown else [])
    children = [papers.folder("B", path) for path in folder.folders + folder.aside]
    assert [(label, from_root(href)) for label, href in own] == [(f.label, f.url) for f in children if f]
    assert [papers.paper_at(files_value(href)) for href in downloads(page)] == [
        paper for paper in folder.papers if paper.manner != "direct"
    ]
    names = entries.css("div.kt-widget4__item:not(.item-folder-type) span.wraptext::text").getall()
    assert len(names) == len(folder.papers)


def test_every_download_link_works(get):
    for folder in papers.folders("B"):
        listed = [paper for paper in folder.papers if paper.manner != "direct"]
        for href, paper in zip(downloads(read(get, folder.url)), listed, strict=True):
            if not paper.trap:
                assert get(from_root(href).replace(" ", "%20"))[2] == paper.body


def test_download_links_are_written_in_several_ways(get):
    hrefs = {
        href.partition("files=")[2]
        for slug in (
            "igcse-physics-0625-2024-oct-nov",
            "as-and-a-level-mathematics-9709-may-june-2020",
            "as-and-a-level-mathematics-9709-topical-past-papers-pure-mathematics-1",
        )
        for href in downloads(read(get, slug_page(slug)))
    }
    assert f"{UPLOAD}/0625_w24_gt.pdf" in hrefs
    assert quote(f"{UPLOAD}/9709_s20_qp_11.pdf", safe="") in hrefs
    assert f"{UPLOAD}/Topical Questions 1.pdf" in hrefs
    assert f"{UPLOAD}/Waves %26 Optics.pdf&type=pdf" in hrefs
    assert b"Waves %26 Optics.pdf&amp;type=pdf" in get(slug_page("igcse-physics-0625-2024-oct-nov"))[2]
    (direct,) = named("B", "0625_w15_ms_31.pdf")
    page = read(get, slug_page("igcse-physics-0625-2015-nov"))
    assert direct.relative_url in page.css(".item-pdf-type a.kt-widget4__title::attr(href)").getall()


def test_other_kinds_of_file_have_no_class_of_their_own(get):
    for slug in ("igcse-ict0417-2024-march", "igcse-french-foreign-language-0520-2024-may-june"):
        (other,) = read(get, slug_page(slug)).css(".kt-widget4__item:not(.item-pdf-type):not(.item-folder-type)")
        assert re.search(r"\.(zip|mp3)$", other.css("a[download]::attr(href)").get(""))


def test_a_file_is_labelled_and_has_a_badge(get):
    page = read(get, slug_page("as-and-a-level-business9609-2024-oct-nov"))
    assert [text.strip() for text in page.css(".item-pdf-type span.wraptext::text").getall()] == [
        "Grade Threshold", "Examiner Report", "Question Paper 11", "Mark Scheme 11", "Insert 21",
    ]  # fmt: skip
    assert page.css(".item-pdf-type span.badge-success::text").getall() == ["Paper 1", "Paper 2"]
    assert page.css(".item-pdf-type span.badge-danger::text").getall() == ["Paper 1"]


def test_every_page_has_the_menu_and_switches_of_the_theme(get):
    for folder in papers.folders("B"):
        page = read(get, folder.url)
        menu = page.css("ul.kt-right-submenu__nav > li.kt-menu__item > a.kt-menu__link::attr(href)").getall()
        assert menu == ["papers/caie/igcse", "papers/caie/o-level", "papers/caie/as-and-a-level", "papers/aqa"]
        assert {f"{folder.url}?theme=lightTheme", f"{folder.url}?theme=darkTheme"} <= {
            f"{SITE}/{href}" for href in page.css("a::attr(href)").getall()
        }


def test_a_full_list_has_all_sorts_of_advertisements(get):
    entries = read(get, slug_page("igcse-physics-0625")).css("div.files-list-main > div")
    without_link = [entry for entry in entries if not entry.css("a[href]")]
    assert len(without_link) == 3
    assert entries.css(".adsbygoogle a[href^='https://ads.example/']")


def test_a_page_has_a_base_or_not(get):
    depths = {True: set(), False: set()}
    for folder in papers.folders("B"):
        base = read(get, folder.url).css("base::attr(href)").get()
        assert base in {None, f"{SITE}/"}
        depths[bool(base)].add(len(folder.path))
    assert depths[True] & depths[False] >= {2, 3, 4}


@pytest.mark.parametrize(
    "path",
    [
        "papers/caie/IGCSE-Physics-0625",
        "papers/caie/igcse-physics-0625/",
        "papers/caie/igcse-physics-0625?theme=darkTheme",
    ],
)
def test_a_slug_can_be_written_in_several_ways(get, path):
    assert get(f"{SITE}/{path}")[2] == get(slug_page("igcse-physics-0625"))[2]


@pytest.mark.parametrize("path", ["papers/caie/igcse-nothing-0000", "papers/nobody", "papers/caie/papers/caie/igcse"])
def test_an_unknown_slug_is_a_page_without_a_listing(get, path):
    page = read(get, f"{SITE}/{path}")
    assert page.css("a.kt-menu__link") and not page.css("#datafile")


def test_an_empty_session_has_a_listing_without_entries(get):
    page = read(get, slug_page("o-level-mathematics-additional-4037-2024-oct-nov"))
    assert page.css("#datafile .files-list-main")
    assert page.css("#datafile span.wraptext::text").getall() == []


def test_oddities_of_era_b():
    shared = named("B", "0610_s24_er.pdf")[0]
    assert [path[-1] for path in shared.folders] == [
        "igcse-biology-0610-2024-oct-nov",
        "igcse-biology-0610-2024-may-june",
    ]
    physics = papers.folder_of_slug("caie", "igcse-physics-0625")
    assert physics and physics.aside == (("caie", "igcse", "igcse-biology-0610"),)
    direct = papers.folder_of_slug("caie", "igcse-art-and-design-0400")
    assert direct and direct.papers and not direct.folders
    both = papers.folder_of_slug(
        "caie", "as-and-a-level-computer-science-for-first-examination-in-2021-9618-2025-may-june"
    )
    assert both and both.papers and both.folders
    assert len(named("B", "Topical Questions 1.pdf")[0].folder) == 5
    assert named("B", "Data_Booklet.pdf") and named("B", "0625_W15_QP_31.PDF")
    assert {folder.label for folder in papers.folders("B")} >= {
        "Business - 9609", "Mathematics - 0444 - US", "German-7159-UK", "2001 Nov", "Topical Past Papers",
    }  # fmt: skip


@pytest.mark.parametrize(
    "slug",
    [
        "as-and-a-level-business9609-2024-oct-nov",
        "as-and-a-level-business9609-2024-may-june",
        "as-and-a-level-business9609-2024-march",
        "as-and-a-level-mathematics-9709-mathematics-97092024-oct-nov",
        "as-and-a-level-mathematics-9709-may-june-2020",
        "as-and-a-level-mathematics-9709-2001-nov",
        "as-and-a-level-mathematics-9709-topical-past-papers",
        "as-and-a-level-computer-science-for-first-examination-in-2021-9618",
        "igcse-ict0417-2024-march",
        "igcse-mathematics-us-0444",
    ],
)
def test_real_slugs_exist(slug):
    assert papers.folder_of_slug("caie", slug)


def test_another_board_has_no_levels():
    assert [folder.path for folder in papers.folders("B") if folder.path[0] == "aqa"] == [
        ("aqa",),
        ("aqa", "gcsebiology-8461"),
        ("aqa", "gcsebiology-8461", "gcsebiology-8461-2024-june"),
    ]


@pytest.mark.parametrize("spelled", ["Waves%20%26%20Optics.pdf", "Waves%20&%20Optics.pdf"])
def test_a_file_is_found_however_its_name_is_quoted(get, spelled):
    (paper,) = named("B", "Waves & Optics.pdf")
    assert papers.paper_at(f"{UPLOAD}/{spelled}") == paper
    assert get(f"{UPLOAD}/{spelled}")[2] == paper.body
