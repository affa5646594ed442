"""The arguments of papacambridge, as a table, and what its filters choose of the catalogue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest
from pydantic import ValidationError
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler

from imagecrawl.items import FileItem
from imagecrawl.pages.papacambridge import Folder, parse_listing, parse_place
from imagecrawl.params import explain
from spiders.papacambridge import Choice, PapacambridgeParams, PapacambridgeSpider
from tests.replica import papacambridge_pages, papers
from tests.spiders.test_papacambridge import CIE_URL, TUTORIAL, Filter, folders_of, wanted_files

ROOT = Path(__file__).parent.parent.parent
SITE = "https://pastpapers.papacambridge.com"
SUBJECT = f"{SITE}/papers/caie/as-and-a-level-business-9609"


def params(**arguments: str) -> PapacambridgeParams:
    return PapacambridgeParams(**arguments)  # type: ignore[arg-type]


def starts(**arguments: str) -> list[str]:
    return [start.url for start in params(**arguments).starts]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("years", "2019", [2019]),
        ("years", "2016, 2018-2020", [2016, 2018, 2019, 2020]),
        ("years", "2018-2018,2018", [2018]),
        ("sessions", "m,s,w,y", ["m", "s", "w", "y"]),
        ("sessions", "M, S", ["m", "s"]),
        ("types", "QP", ["qp"]),
        ("types", "qp, ms,in2,pre", ["qp", "ms", "in2", "pre"]),
        ("papers", "1,2", [1, 2]),
        ("papers", "02,1", [2, 1]),
        ("ext", ".PDF", [".pdf"]),
        ("ext", "mp3,7z", ["mp3", "7z"]),
        ("level", "IGCSE, AS and A Level", ["igcse", "as and a level"]),
        ("subject", "9609,Business", ["9609", "business"]),
        ("limit", "5", 5),
    ],
)
def test_a_good_argument_is_read(name: str, text: str, value: object) -> None:
    assert getattr(params(**{"board": "caie", name: text}), name) == value


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("true", True), ("no", False)])
def test_list_takes_yes_and_no(text: str, value: bool) -> None:
    assert params(board="caie", list=text).listing is value


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"board": "caie"}, [f"{SITE}/papers/caie"]),
        ({"board": "AQA"}, [f"{SITE}/papers/aqa"]),
        ({"subject": "9609"}, [f"{SITE}/papers/caie"]),
        ({"level": "igcse"}, [f"{SITE}/papers/caie"]),
        ({"url": "pastpapers.papacambridge.com/papers/caie/igcse"}, [f"{SITE}/papers/caie/igcse"]),
        ({"url": f"  {SUBJECT}?theme=lightTheme#google_vignette \n"}, [SUBJECT]),
        ({"url": f"{SUBJECT} {SUBJECT}/\n\thttp://pastpapers.papacambridge.com/papers/aqa"},
         [SUBJECT, f"{SITE}/papers/aqa"]),
        ({"url": " ".join(TUTORIAL)}, TUTORIAL),
        ({"url": f"{SUBJECT} pastpapers.papacambridge.com/papers/aqa {SUBJECT.replace('https:', 'HTTPS:')}"},
         [SUBJECT, f"{SITE}/papers/aqa"]),
        ({"url": f"{TUTORIAL[0].replace('%20', ' ')} PastPapers.PapaCambridge.com/papers/aqa"},
         [TUTORIAL[0], f"{SITE}/papers/aqa"]),
        ({"url": f"{SUBJECT} HTTP{SITE[5:]}/papers/aqa"}, [SUBJECT, f"{SITE}/papers/aqa"]),
        ({"url": "   ".join(url.replace("%20", " ").replace("%28", "(").replace("%29", ")") for url in TUTORIAL)},
         TUTORIAL),
    ],
)  # fmt: skip
def test_where_it_starts(arguments: dict[str, str], expected: list[str]) -> None:
    assert starts(**arguments) == expected


@pytest.mark.parametrize("name", ["list.txt", "list.csv"])
def test_addresses_from_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("\ufeff" + "\n\n".join([*TUTORIAL, TUTORIAL[0].replace("%20", " "), ""]), "utf-8")
    assert starts(urls=str(path)) == TUTORIAL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give at least one of the arguments `url`, `urls`, `board`, `level` and `subject`"),
        ({"list": "1", "limit": "3"}, "give at least one of the arguments `url`"),
        ({"url": SUBJECT, "board": "caie"}, "give one of the arguments `url` and `board`"),
        ({"url": ""}, "argument `url` takes pages of pastpapers.papacambridge.com"),
        ({"url": "https://example.org/papers/caie"}, "is no address of pastpapers.papacambridge.com"),
        ({"url": f"{SUBJECT} https://papacambridge.com/papers/caie"}, "'https://papacambridge.com/papers/caie' is no"),
        ({"url": f"{SITE}/directories/CAIE/CAIE-pastpapers/upload/9618_s25_qp_12.pdf"}, "leads to a file: give the"),
        ({"url": f"{SITE}/view.php?id=a/b.pdf"}, "leads to a file: give the page that lists it"),
        ({"url": f"{SITE}/viewer/caie/a-b-pdf"}, "leads to a file: give the page that lists it"),
        ({"url": f"{SITE}/download_file.php?files={SITE}/a.pdf"}, "leads to a file"),
        ({"url": SITE}, "names no board: give a page such as https://pastpapers.papacambridge.com/papers/caie"),
        ({"url": f"{SITE}/?dir="}, "names no board"),
        ({"url": f"{SITE}/papers"}, "names no board"),
        ({"url": f"{SITE}/?dir=a/../b"}, "is no page that lists papers"),
        ({"urls": "no/such/file.txt"}, "argument `urls` takes a .txt or .csv file"),
        ({"urls": "no/such/file.txt"}, "There is no such file"),
        ({"urls": "."}, "That is a folder"),
        ({"urls": "README.md"}, "README.md is neither .txt nor .csv"),
        ({"board": "caie/igcse"}, "argument `board` takes a board such as `caie`; got 'caie/igcse'"),
        ({"board": ""}, "argument `board` takes a board such as `caie`; got ''"),
        ({"url": SUBJECT, "subject": "9609"}, f"the argument `subject` chooses among many, and {SUBJECT} is inside"),
        ({"url": f"{SITE}/papers/caie/igcse", "level": "igcse"}, "the argument `level` chooses among many, and"),
        ({"board": "caie", "subject": "9609,"}, "argument `subject` takes codes or names"),
        ({"board": "caie", "years": "2020-2018"}, "argument `years` takes years such as `2018-2020`"),
        ({"board": "caie", "years": "2020-2018"}, "`2020-2018` ends before it begins"),
        ({"board": "caie", "years": "20-30"}, "got '20-30'. `20-30` is none"),
        ({"board": "caie", "years": "2018,,2020"}, "argument `years` takes years"),
        ({"board": "caie", "sessions": "q"}, "argument `sessions` takes `m` (March)"),
        ({"board": "caie", "sessions": "s,q"}, "`q` is none"),
        ({"board": "caie", "types": "q"}, "argument `types` takes types such as `qp,ms`"),
        ({"board": "caie", "types": "qp,"}, "A word is missing"),
        ({"board": "caie", "papers": "x"}, "argument `papers` takes numbers of papers such as `1,2`"),
        ({"board": "caie", "papers": "11"}, "got '11'. `11` is none"),
        (
            {"board": "caie", "ext": ""},
            "argument `ext` takes extensions such as `pdf,mp3`, with commas between; got ''",
        ),
        ({"board": "caie", "ext": "*.pdf"}, "`*.pdf` is none"),
        ({"board": "caie", "limit": "0"}, "argument `limit` takes a whole number from 1, files in all; got '0'"),
        ({"board": "caie", "limit": "all"}, "argument `limit` takes a whole number from 1"),
        ({"board": "caie", "list": "maybe"}, "argument `list` takes `1`: list the files and fetch none; got 'maybe'"),
        ({"board": "caie", "listing": "1"}, "argument `listing` is unknown. Did you mean `list`?"),
        ({"board": "caie", "year": "2018"}, "argument `year` is unknown. Did you mean `years`?"),
        ({"boards": "caie"}, "argument `boards` is unknown. Did you mean `board`?"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_takes(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        params(**arguments)
    assert message in explain(caught.value, PapacambridgeParams)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list.txt has no address in it"),
        (b"\n \n", "list.txt has no address in it"),
        (f"{SUBJECT}\n\nhttps://example.org/\n".encode(), "list.txt, line 3: 'https://example.org/' is no address of"),
        (f"{SUBJECT}\n{SITE}/a.pdf\n".encode(), "line 2: 'https://pastpapers.papacambridge.com/a.pdf' leads to a file"),
        (f"{SUBJECT}\nb\xff\n".encode("latin-1"), "list.txt, line 2: not UTF-8"),
    ],
)
def test_a_wrong_file_is_named_with_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        params(urls=str(path))
    assert message in explain(caught.value, PapacambridgeParams)
    assert "argument `urls` takes a .txt or .csv file in UTF-8 with pages of" in explain(
        caught.value, PapacambridgeParams
    )


FILTERS = [
    {"years": "2018-2019"},
    {"years": "2015-2017,2024"},
    {"sessions": "m"},
    {"sessions": "s,w"},
    {"sessions": "y"},
    {"types": "QP"},
    {"types": "ms,er,sf"},
    {"papers": "1"},
    {"papers": "2,3"},
    {"ext": ".PDF"},
    {"ext": "zip,mp3,docx"},
    {"years": "2018-2024", "sessions": "w", "types": "qp,ms", "papers": "1", "ext": "pdf"},
    {"years": "2016-2024", "types": "sf,tn", "ext": "mp3,docx"},
]


@pytest.mark.parametrize("era", ["A", "B"])
@pytest.mark.parametrize("arguments", FILTERS, ids=lambda arguments: " ".join(map("=".join, arguments.items())))
def test_filters_choose_exactly(era: str, arguments: dict[str, str]) -> None:
    given = params(board="caie", **arguments)
    wanted = Filter.of(arguments)
    found = set()
    for folder in folders_of(era):
        place = parse_place(folder.url)
        unwanted = given.folder_unwanted(Folder(folder.label, folder.url, place))
        assert (unwanted is None) is wanted.takes_folder(folder)
        assert unwanted is None or unwanted in arguments
        page = papacambridge_pages.lister(folder) if era == "A" else papacambridge_pages.listing(folder)
        listing = parse_listing(page, url=folder.url, place=place)
        left_out = {paper.urls[0]: given.paper_unwanted(paper) for paper in listing.papers}
        assert {each[0] for each in left_out.values() if each} <= set(arguments)
        if unwanted is None:
            found |= {url for url, each in left_out.items() if each is None}
    assert found or (era, arguments) == ("A", {"sessions": "y"})
    assert found == {paper.url for paper, _ in wanted_files(era, wanted)}


@pytest.mark.parametrize(
    ("what", "page", "wanted", "chosen"),
    [
        ("level", "caie", "igcse", {"igcse"}),
        ("level", "caie", "o level", {"o-level"}),
        ("level", "caie", "level", {"o-level", "as-and-a-level"}),
        ("level", "caie", "as & a level", {"as-and-a-level"}),
        ("subject", "igcse", "0610", {"igcse-biology-0610"}),
        ("subject", "igcse", "physics,7159", {"igcse-physics-0625", "igcse-german-uk-7159"}),
        ("subject", "igcse", "foreign language", {"igcse-french-foreign-language-0520"}),
        ("subject", "igcse", "0610,biology", {"igcse-biology-0610"}),
    ],
)
def test_levels_and_subjects_are_chosen_by_code_name_or_part_of_it(
    what: str, page: str, wanted: str, chosen: set[str]
) -> None:
    [folder] = [folder for folder in folders_of("B") if folder.path[-1] == page]
    listing = parse_listing(papacambridge_pages.listing(folder), url=folder.url, place=parse_place(folder.url))
    choice = Choice(what, getattr(params(board="caie", **{what: wanted}), what))
    assert {found.url.rpartition("/")[2] for found in choice.among(listing.folders)} == chosen
    names = {getattr(found.place, what) for found in listing.folders if found.url.rpartition("/")[2] in chosen}
    assert not list(choice.missing(names, ""))


def test_what_is_not_there_is_said_with_what_there_is() -> None:
    folder = papers.folder("B", ("caie",))
    assert folder
    listing = parse_listing(papacambridge_pages.listing(folder), url=folder.url, place=parse_place(folder.url))
    choice = Choice("level", ["igcse", "igcs", "nowhere"])
    assert [found.label for found in choice.among(listing.folders)] == ["IGCSE"]
    assert list(choice.missing(set(), "")) == [
        ("igcs", "there is no level `igcs`. Did you mean `igcse`?"),
        ("nowhere", "there is no level `nowhere`. There are: IGCSE, O Level, AS and A Level"),
    ]


def test_a_long_list_of_what_there_is_is_cut() -> None:
    url = f"{SITE}/papers/caie/igcse"
    links = "".join(f'<a href="papers/caie/igcse-{name}-1000">{name.upper()}</a>' for name in "abcdefghijkl")
    page = f'<div id="datafile"><div class="files-list-main">{links}</div></div>'
    choice = Choice("subject", ["botany"])
    assert choice.among(parse_listing(page, url=url, place=parse_place(url)).folders) == []
    said = "there is no subject `botany`. There are: A, B, C, D, E, F, G, H, I, J and 2 more"
    assert list(choice.missing(set(), "")) == [("botany", said)]


def test_a_subject_of_which_nothing_was_yielded_is_missing() -> None:
    folder = papers.folder("B", ("caie", "igcse"))
    assert folder
    listing = parse_listing(papacambridge_pages.listing(folder), url=folder.url, place=parse_place(folder.url))
    choice = Choice("subject", ["0610", "0400"])
    choice.among(listing.folders)
    left = ": the filters leave out years 2024"
    assert list(choice.missing({"biology-0610"}, left)) == [
        ("0400", f"nothing of subject `0400` is wanted{left}"),
    ]


@pytest.mark.parametrize(
    ("arguments", "page", "is_wanted"),
    [
        ({"board": "caie"}, "caie", True),
        ({"level": "igcse"}, "caie", False),
        ({"subject": "0610"}, "caie", False),
        ({"level": "igcse"}, "caie/igcse", True),
        ({"subject": "0610"}, "caie/igcse", False),
        ({"level": "igcse", "subject": "0610"}, "caie/igcse-biology-0610", True),
    ],
)
def test_a_file_above_what_was_chosen_is_left_out(arguments: dict[str, str], page: str, is_wanted: bool) -> None:
    links = '<a href="directories/x.pdf">x</a><a href="papers/caie/igcse-biology-0610-2024-march">2024-March</a>'
    items = parsed(links, f"{SITE}/papers/{page}", **arguments)
    assert [item.name for item in items] == (["x.pdf"] if is_wanted else [])


def parsed(links: str, page: str, said: Mapping[str, str] = MappingProxyType({}), **arguments: str) -> list[FileItem]:
    """What the spider yields of a page with these links."""
    crawler = get_crawler(PapacambridgeSpider)
    crawler.engine = SimpleNamespace(_slot=SimpleNamespace(closing=None))  # type: ignore[assignment]
    spider = PapacambridgeSpider.from_crawler(crawler, **arguments)
    spider.waiting = deque([Folder(page, page, parse_place(page))])
    body = f'<div id="datafile"><div class="files-list-main">{links}</div></div>'

    async def items() -> list[FileItem]:
        response = HtmlResponse(page, body=body, encoding="utf-8", request=Request(page, meta={"opt_outs": dict(said)}))
        return [item async for item in spider.parse(response)]

    found = asyncio.run(items())
    assert spider.page_done.is_set()
    return found


def test_the_one_address_is_the_file_itself_where_the_page_names_it() -> None:
    direct, other = f"{SITE}/directories/x.pdf", "https://cdn.example/y.pdf"
    links = "".join(f'<a href="download_file.php?files={url}">Download</a>' for url in (direct, other))
    urls = [item.file_urls for item in parsed(links, SUBJECT, url=SUBJECT)]
    assert urls == [[direct], [f"{SITE}/download_file.php?files={other}"]]


def test_a_file_has_the_words_of_the_page_that_lists_it() -> None:
    said = {"noai": "X-Robots-Tag: noai"}
    [found] = parsed('<a href="directories/x.pdf">x</a>', f"{SITE}/papers/caie", said, board="caie")
    assert found.opt_outs == {"noai": "page: X-Robots-Tag: noai"}
    [silent] = parsed('<a href="directories/x.pdf">x</a>', f"{SITE}/papers/caie", board="caie")
    assert silent.opt_outs is None


def test_the_board_of_era_a_is_a_start() -> None:
    assert starts(url=CIE_URL) == [CIE_URL]


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme[readme.index("`papacambridge` gets") :]
    for name, field in PapacambridgeParams.model_fields.items():
        assert name == "job" or f"\n| `{field.alias or name}` |" in section
