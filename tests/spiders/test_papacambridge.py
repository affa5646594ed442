"""``scrapy crawl papacambridge`` as its user runs it, against both eras of the replica, with its log as witness."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from imagecrawl.items import FileItem
from imagecrawl.outcomes import Outcome
from spiders.papacambridge import PapacambridgeParams
from tests import crawling
from tests.crawling import ROOT, Crawl, crawl, environment, scrapy
from tests.replica import Replica, papers
from tests.replica.certificates import Flaw
from tests.replica.papacambridge_pages import file_label
from tests.replica.papacambridge_tree import CIE
from tests.replica.papers import HOME, SITE, Folder, Paper

Papacambridge = Callable[..., Crawl]

FIELDS = (
    "source board level subject code session year type paper variant label folder name page_url opt_outs file_urls"
    " files outcome reason crawled_at"
).split()
FILE_FIELDS = "url path checksum status sha256 bytes content_type".split()

CIE_URL = f"{SITE}/?dir=Cambridge%20International%20Examinations%20%28CIE%29"
_BUSINESS = f"{CIE_URL}/AS%20and%20A%20Level/Business%20%28for%20first%20examination%20in%202016%29%20-%209609"
TUTORIAL = [
    f"{_BUSINESS}/2019-Oct-Nov",
    f"{_BUSINESS}/2019-May-June",
    f"{_BUSINESS}/2018-Oct-Nov",
    f"{_BUSINESS}/2018-May-June",
    f"{_BUSINESS}/2018-March",
]
"""What its reader pastes."""

PAGES = (f"{SITE}/papers/", f"{SITE}/?dir=")
MONTHS = {"March": "m", "May-June": "s", "Jun": "s", "June": "s", "Oct-Nov": "w", "Nov": "w", "Specimen": "y"}
BY_LETTER = {"m": "March", "s": "May-June", "w": "Oct-Nov", "y": "Specimen"}


# What the catalogue says, in the words of a crawl


def folders_of(era: str) -> list[Folder]:
    """The folders of the first board, the one with all the troubles."""
    return [folder for folder in papers.folders(era) if folder.path[:1] == (("caie",) if era == "B" else (CIE,))]


def session_in(label: str) -> str:
    """``2017-Nov`` for ``2017 Nov`` and ``2020-May-June`` for ``May-June-2020``; empty for what is no session."""
    found = re.fullmatch(r"(?:(\d{4})[- ])?([A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?:-(\d{4}))?", label)
    year = found and (found[1] or found[3])
    return f"{year}-{found[2]}" if found and year else ""


def names_of(era: str, path: tuple[str, ...]) -> list[str]:
    """The folders of the store that stand for a folder of the site."""
    if era == "A":
        return [session_in(name) or name for name in path]
    names = list(path[:2])
    for depth in range(3, len(path) + 1):
        folder = papers.folder("B", path[:depth])
        assert folder
        own = path[depth - 1].removeprefix(f"{path[depth - 2]}-")
        names.append(session_in(folder.label) or own)
    return names


@dataclass(frozen=True)
class Said:
    """What a name says of its file, as far as it is of the common form."""

    letter: str = ""
    year: int | None = None
    type: str | None = None
    paper: int | None = None
    variant: int | None = None

    @classmethod
    def by(cls, name: str) -> Self:
        found = re.fullmatch(r"\d{4}_([mswy])(\d\d)_([a-z]+)(?:_(\d{1,2}))?\.\w+", name.lower())
        if not found:
            return cls()
        component = found[4] or ""
        year = int(found[2]) + (2000 if int(found[2]) < 90 else 1900)
        if len(component) == 2 and component[0] != "0":
            return cls(found[1], year, found[3], int(component[0]), int(component[1]))
        return cls(found[1], year, found[3], int(component) if component else None)


def session_of(era: str, path: tuple[str, ...], name: str = "") -> str:
    """The session of a folder, else that of a name in it."""
    for part in names_of(era, path):
        if re.fullmatch(r"\d{4}-[A-Z][a-z]+(-[A-Z][a-z]+)?", part):
            return part
    said = Said.by(name)
    return f"{said.year}-{BY_LETTER[said.letter]}" if said.letter in BY_LETTER else ""


@dataclass(frozen=True)
class Filter:
    """What is asked for; nothing asked is all."""

    years: set[int] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    papers: set[int] = field(default_factory=set)
    ext: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, arguments: dict[str, str]) -> Self:
        """By the arguments of the spider, in small letters and without blanks."""
        given = {name: arguments.get(name, "").lower().split(",") for name in cls.__dataclass_fields__}
        years: set[int] = set()
        for part in filter(None, given.pop("years")):
            first, _, last = part.partition("-")
            years |= set(range(int(first), int(last or first) + 1))
        numbers = {int(number) for number in given.pop("papers") if number}
        words = {name: {word.strip(".") for word in found if word} for name, found in given.items()}
        return cls(years=years, papers=numbers, **words)

    def takes_session(self, session: str) -> bool:
        year, _, months = session.partition("-")
        return (not self.years or int(year) in self.years) and (not self.sessions or MONTHS[months] in self.sessions)

    def takes_folder(self, folder: Folder) -> bool:
        """Whether its page needs to be asked for."""
        session = session_of(folder.era, folder.path)
        return not session or self.takes_session(session)

    def takes(self, paper: Paper, path: tuple[str, ...]) -> bool:
        """Whether a file is wanted where a folder lists it."""
        session, said = session_of(paper.era, path, paper.name), Said.by(paper.name)
        if (self.years or self.sessions) and not (session and self.takes_session(session)):
            return False
        asked: list[tuple[set[Any], object]] = [
            (self.types, said.type), (self.papers, said.paper), (self.ext, paper.name.lower().rpartition(".")[2]),
        ]  # fmt: skip
        return all(not wanted or value in wanted for wanted, value in asked)


def wanted_files(era: str, wanted: Filter) -> Iterator[tuple[Paper, tuple[str, ...]]]:
    """The files of the first board, traps too, each with the folder it goes to: the first one that is asked for."""
    root = folders_of(era)[0].path[0]
    for paper in (*papers.files(era, root), *papers.traps(era, root)):
        for path in paper.folders:
            if wanted.takes(paper, path):
                yield paper, path
                break


def place(paper: Paper, path: tuple[str, ...] | None = None) -> str:
    """Where the store has it, but for the second of two of one name."""
    return "/".join(["papacambridge", *names_of(paper.era, path or paper.folder), paper.name])


def tree(pairs: list[Paper]) -> dict[str, bytes]:
    """What the store should hold of these files."""
    held: dict[str, bytes] = {}
    for paper in pairs:
        path = place(paper)
        if path in held:
            stem, _, extension = path.rpartition(".")
            path = f"{stem}-{hashlib.sha256(paper.body).hexdigest()[:8]}.{extension}"
        held[path] = paper.body
    return held


TWINS = [paper for paper in papers.files("A", "Physics (0625)") if paper.name == "0625_w17_qp_11.pdf"]
"""Two files of one name on one page, asked for at once: the one that is there first gets the plain name."""


def in_order(held: dict[str, bytes]) -> dict[str, bytes]:
    """The same, as if the first of the twins had been there first."""
    swapped = tree(TWINS[::-1])
    if not swapped.items() <= held.items():
        return held
    return {path: body for path, body in held.items() if path not in swapped} | tree(TWINS)


# Crawls


class Run(crawling.Run):
    @property
    def asked(self) -> Counter[str]:
        """How often for each address."""
        return Counter(request.url for request in self.log)

    @property
    def files_asked(self) -> Counter[str]:
        """The same of what is no page of a folder and no robots.txt."""
        return Counter(r.url for r in self.log if not r.url.startswith(PAGES) and r.route != "/robots.txt")

    @property
    def pages_in_order(self) -> list[str]:
        """The pages of folders that were asked for, as they came."""
        return [request.url for request in self.log if request.url.startswith(PAGES)]

    @property
    def pages_asked(self) -> set[str]:
        return set(self.pages_in_order)

    @property
    def paths(self) -> dict[str, str]:
        """Where each file is, by its address on the site."""
        return {line["file_urls"][0]: line["files"][0]["path"] for line in self.lines if line["files"]}


@dataclass
class Lab:
    """Crawls into one folder of data."""

    replica: Replica
    data: Path

    def crawl(self, *words: str, code: int = 0) -> Run:
        return crawling.run(Run, self.replica, self.data, *words, spider="papacambridge", code=code)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = scrapy(*words, env=environment(self.data, self.replica.environment()))
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def held(self) -> dict[str, bytes]:
        """What the store holds."""
        files = Crawl(0, "", "", self.data).files
        return {str(path.relative_to(self.data / "files")): path.read_bytes() for path in files}

    def times(self) -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in Crawl(0, "", "", self.data).files}


BOARDS = {"A": f"url={CIE_URL}", "B": "board=caie"}


@pytest.fixture(scope="module")
def boards(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[str, Run]]:
    """The main job: all that the board has, of each era, into one store."""
    lab = Lab(replica, tmp_path_factory.mktemp("boards") / "data")
    return lab, {era: lab.crawl(start) for era, start in BOARDS.items()}


@pytest.fixture(params=["A", "B"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def board(boards: tuple[Lab, dict[str, Run]], era: str) -> Run:
    return boards[1][era]


@pytest.fixture(scope="module")
def again(boards: tuple[Lab, dict[str, Run]]) -> dict[str, Run]:
    """The same commands once more."""
    lab, _ = boards
    times = lab.times()
    runs = {era: lab.crawl(start) for era, start in BOARDS.items()}
    assert lab.times() == times
    return runs


@pytest.fixture
def copy(boards: tuple[Lab, dict[str, Run]], tmp_path: Path) -> Lab:
    """After the main job, in a copy."""
    lab, _ = boards
    return Lab(lab.replica, shutil.copytree(lab.data, tmp_path / "copy"))


@pytest.fixture
def lab(replica: Replica, tmp_path: Path) -> Lab:
    return Lab(replica, tmp_path / "data")


def listed(era: str) -> dict[str, Paper]:
    """Every file of the board, traps too, by its address."""
    root = folders_of(era)[0].path[0]
    return {paper.url: paper for paper in (*papers.files(era, root), *papers.traps(era, root))}


ODD_NAMES = {
    "A": {"Data Booklet & Formulae.pdf", "k-9701.pdf", "List_of_Formulae.pdf", "Speaking Cards & Notes.docx"},
    "B": {
        "Waves & Optics.pdf", "Topical Questions 1.pdf", "Topical Answers 1.pdf", "Algebra_and_Functions.pdf",
        "Data_Booklet.pdf", "Physics_9702_Paper_1_Answers_All_Topics.pdf",
    },
}  # fmt: skip


class TestBoard:
    def test_it_ends_well_and_says_so(self, boards: tuple[Lab, dict[str, Run]], board: Run, era: str) -> None:
        good = [paper for paper in listed(era).values() if not paper.trap]
        bad = len(listed(era)) - len(good)
        said = f"Done: {len(good)} files stored, 0 up to date, in {boards[0].data}/files, {bad} failed"
        assert board.done.verdict == said
        assert board.done.stdout == ""

    def test_every_file_is_in_the_feed_once(self, board: Run, era: str) -> None:
        assert Counter(line["file_urls"][0] for line in board.lines) == Counter(list(listed(era)))

    def test_the_store_is_the_catalogue(self, boards: tuple[Lab, dict[str, Run]]) -> None:
        lab, _ = boards
        good = [paper for era in "AB" for paper in listed(era).values() if not paper.trap]
        held, expected = in_order(lab.held()), tree(good)
        assert set(held) == set(expected)
        assert held == expected

    def test_every_line_has_its_outcome(self, board: Run, era: str) -> None:
        for line in board.lines:
            paper = listed(era)[line["file_urls"][0]]
            assert (line["outcome"], line["reason"]) == (paper.outcome, paper.reason), paper.url
            assert len(line["files"]) == (not paper.trap)

    def test_nothing_of_a_trap_is_on_disk(self, boards: tuple[Lab, dict[str, Run]]) -> None:
        lab, _ = boards
        traps = [*papers.traps("A"), *papers.traps("B")]
        assert not {trap.name for trap in traps} & {path.name for path in lab.data.rglob("*")}
        bodies = {trap.body for trap in traps}
        assert not [path for path, body in lab.held().items() if body in bodies]

    def test_every_line_says_what_the_site_says(self, board: Run, era: str) -> None:
        for line in board.lines:
            paper = listed(era)[line["file_urls"][0]]
            names, said = names_of(era, paper.folder), Said.by(paper.name)
            assert list(line) == FIELDS
            assert (line["source"], line["name"], line["folder"]) == ("papacambridge", paper.name, names)
            assert [line["board"], line["level"], line["subject"]] == names[:3]
            assert re.search(rf"\b{line['code']}\b", line["subject"])
            assert (line["type"], line["paper"], line["variant"]) == (said.type, said.paper, said.variant)
            page = papers.folder(era, paper.folder)
            assert page and line["page_url"] == page.url
            session = session_of(era, paper.folder, paper.name)
            assert line["session"] == (session or None)
            assert line["year"] == (int(session[:4]) if session else None)

    def test_every_line_has_the_label_of_its_page_and_one_address(self, board: Run, era: str) -> None:
        for line in board.lines:
            paper = listed(era)[line["file_urls"][0]]
            assert line["file_urls"] == [paper.url]
            if era == "A":
                assert line["label"] is None
                continue
            label = file_label(paper.name)
            component = re.search(r" 0?(\d)\d?$", label)
            assert line["label"] == (f"{label}, Paper {component[1]}" if component else label)

    def test_every_line_of_a_file_describes_the_file(self, board: Run, era: str) -> None:
        types = {"pdf": "application/pdf", "zip": "application/zip", "mp3": "audio/mpeg"}
        for line in board.lines:
            for file in line["files"]:
                paper = listed(era)[file["url"]]
                assert list(file) == FILE_FIELDS
                assert file["sha256"] == hashlib.sha256(paper.body).hexdigest()
                assert file["checksum"] == hashlib.md5(paper.body).hexdigest()
                assert (file["bytes"], file["status"]) == (len(paper.body), "downloaded")
                assert file["content_type"].endswith("wordprocessingml.document") or (
                    file["content_type"] == types[paper.name.lower().rpartition(".")[2]]
                )

    def test_a_name_that_breaks_the_grammar_is_kept_without_a_type(self, board: Run, era: str) -> None:
        odd = ODD_NAMES[era]
        assert {line["name"] for line in board.lines if line["type"] is None} == odd
        assert {line["outcome"] for line in board.lines if line["name"] in odd} == {"stored"}

    def test_exactly_the_pages_of_the_board_are_asked_for_once_in_their_order(self, board: Run, era: str) -> None:
        assert board.pages_in_order == [folder.url for folder in folders_of(era)]

    def test_every_good_file_is_asked_for_once_and_a_trap_as_often_as_it_may_help(self, board: Run, era: str) -> None:
        asked, expected = board.files_asked, Counter[str]()
        for paper in listed(era).values():
            expected[paper.url] = 3 if paper.trap == "503" else 1
            expected[HOME] += paper.trap == "soft-404"
        assert asked == expected

    def test_robots_txt_is_asked_for_and_nothing_else_of_other_hosts(self, board: Run) -> None:
        rest = set(board.asked) - board.pages_asked - set(board.files_asked)
        assert f"{SITE}/robots.txt" in rest
        assert rest <= {f"{SITE}/robots.txt", "https://papacambridge.com/robots.txt"}

    def test_two_files_of_one_name_are_both_kept(self, boards: tuple[Lab, dict[str, Run]]) -> None:
        lab, runs = boards
        assert len({paper.url for paper in TWINS}) == 2
        paths = [runs["A"].paths[paper.url] for paper in TWINS]
        assert len(set(paths)) == 2
        assert [lab.held()[path] for path in paths] == [paper.body for paper in TWINS]

    @pytest.mark.parametrize(
        ("name", "home"), [("9701_s18_gt.pdf", "2018-May-June"), ("0610_s24_er.pdf", "2024-Oct-Nov")]
    )
    def test_a_file_that_two_sessions_list_is_one(
        self, boards: tuple[Lab, dict[str, Run]], name: str, home: str
    ) -> None:
        lab, runs = boards
        [line] = [line for run in runs.values() for line in run.lines if line["name"] == name]
        assert (line["folder"][-1], line["outcome"]) == (home, "stored")
        assert len([path for path in lab.held() if path.endswith(name)]) == 1

    @pytest.mark.slow
    def test_again_nothing_is_asked_for_but_what_may_have_passed(self, again: dict[str, Run], era: str) -> None:
        may_pass = {trap.url: 3 for trap in papers.traps(era) if trap.trap == "503"}
        assert len(may_pass) == (1 if era == "B" else 0)
        assert again[era].files_asked == may_pass
        assert again[era].pages_asked == {folder.url for folder in folders_of(era)}

    @pytest.mark.slow
    def test_again_all_is_up_to_date(self, board: Run, again: dict[str, Run], era: str) -> None:
        first = {line["file_urls"][0]: line for line in board.lines}
        for line in again[era].lines:
            was = first.pop(line["file_urls"][0])
            if was["outcome"] == "stored":
                was = {**was, "outcome": "uptodate", "files": [{**was["files"][0], "status": "uptodate"}]}
            assert {**line, "crawled_at": None} == {**was, "crawled_at": None}
        assert not first
        assert f"Done: 0 files stored, {again[era].outcomes['uptodate']} up to date" in again[era].done.verdict


def test_another_board_of_both_eras(lab: Lab) -> None:
    run = lab.crawl(f"url={SITE}/papers/aqa {SITE}/?dir=AQA")
    assert lab.held() == {
        **{place(paper): paper.body for paper in papers.files("A", "AQA")},
        **{f"papacambridge/aqa/gcsebiology-8461/2024-June/{paper.name}": paper.body
           for paper in papers.files("B", "aqa")},
    }  # fmt: skip
    assert run.pages_asked == {folder.url for folder in papers.folders("B") + papers.folders("A")
                               if folder.path[:1] in {("aqa",), ("AQA",)}}  # fmt: skip
    assert {line["type"] for line in run.lines} == {None}


B = f"{SITE}/papers/caie"
STARTS = {
    f"{B}/as-and-a-level-business9609-2024-oct-nov": "as-and-a-level/business-9609/2024-Oct-Nov",
    f"{B}/as-and-a-level-mathematics-9709-mathematics-97092024-oct-nov": "as-and-a-level/mathematics-9709/2024-Oct-Nov",
    f"{B}/as-and-a-level-physics-9702-may-june-2020": "as-and-a-level/physics-9702/2020-May-June",
    f"{B}/igcse-german-uk-7159-2023-may-june": "igcse/german-uk-7159/2023-May-June",
    f"{B}/igcse-mathematics-us-0444": "igcse/mathematics-us-0444",
    f"{B}/as-and-a-level-mathematics-9709-topical-past-papers": "as-and-a-level/mathematics-9709/topical-past-papers",
    f"{B}/as-and-a-level-computer-science-for-first-examination-in-2021-9618-2025-may-june-source-files":
        "as-and-a-level/computer-science-for-first-examination-in-2021-9618/2025-May-June/source-files",
    f"{B}/igcse-physics-0625": "igcse/physics-0625",
    f"{B}/o-level": "o-level",
    f"{B}/o-level-physics-5054": "o-level/physics-5054",
    f"{CIE_URL}/IGCSE/Physics%20%280625%29/2017%20Nov": "IGCSE/Physics (0625)/2017-Nov",
    f"{CIE_URL}/AS%20and%20A%20Level/Computer%20Science%20%289608%29": "AS and A Level/Computer Science (9608)",
    f"{CIE_URL}/GCE%20International%20O%20Level": "GCE International O Level",
}  # fmt: skip
"""Pages of every depth, and where what is below each of them goes."""


@pytest.mark.slow
def test_a_start_further_down_has_the_same_folders(boards: tuple[Lab, dict[str, Run]], lab: Lab, copy: Lab) -> None:
    whole = boards[0].held()
    tops = [f"papacambridge/{'caie' if url.startswith(B) else CIE}/{names}/" for url, names in STARTS.items()]
    below = in_order({path: body for path, body in whole.items() if path.startswith(tuple(tops))})
    assert all(any(path.startswith(top) for path in below) for top in tops)
    run = lab.crawl("url=" + " ".join(STARTS))
    assert in_order(lab.held()) == below
    folders = [folder for era in "AB" for folder in folders_of(era)]
    paths = [folder.path for folder in folders if folder.url in STARTS]
    assert len(paths) == len(STARTS)
    pages = {folder.url for folder in folders if any(folder.path[: len(path)] == path for path in paths)}
    assert Counter(run.pages_in_order) == dict.fromkeys(pages, 1)
    from_boards = boards[1]["A"].paths | boards[1]["B"].paths
    twins = {twin.url for twin in TWINS}
    expected = {url: path for url, path in from_boards.items() if path.startswith(tuple(tops)) and url not in twins}
    assert {url: path for url, path in run.paths.items() if url not in twins} == expected
    assert twins <= set(run.paths)
    times = copy.times()
    run = copy.crawl("url=" + " ".join(STARTS))
    assert run.outcomes == {"uptodate": len(below)}
    assert not run.files_asked
    assert copy.times() == times


def test_the_job_of_the_tutorial(lab: Lab, tmp_path: Path) -> None:
    subject = "Business (for first examination in 2016) - 9609"
    sessions = [url.rpartition("/")[2] for url in TUTORIAL]
    wanted = [paper for paper in papers.files("A", subject) if paper.folder[-1] in sessions]
    run = lab.crawl("url=" + " ".join(TUTORIAL))
    assert lab.held() == {
        f"papacambridge/{CIE}/AS and A Level/{subject}/{paper.folder[-1]}/{paper.name}": paper.body for paper in wanted
    }
    assert {path.rpartition("/")[0].rpartition("/")[2] for path in lab.held()} == set(sessions)
    assert run.pages_asked == set(TUTORIAL)
    assert run.outcomes == {"stored": len(wanted)}
    pasted = [url.replace("%20", " ").replace("%28", "(").replace("%29", ")") for url in TUTORIAL]
    assert all(" " in url for url in pasted)
    (tmp_path / "pages.txt").write_text("\n".join([TUTORIAL[0], *pasted]), "utf-8")
    for argument in ("url=" + " ".join(pasted), f"urls={tmp_path / 'pages.txt'}"):
        run = lab.crawl(argument)
        assert run.outcomes == {"uptodate": len(wanted)}
        assert not run.files_asked
        assert run.pages_asked == set(TUTORIAL)


# Less than all


def test_sessions_that_are_left_out_are_not_asked_for(lab: Lab) -> None:
    wanted = Filter.of({"years": "2015-2018,2024", "sessions": "s,w"})
    run = lab.crawl(f"url={B} {CIE_URL}", "years=2015-2018,2024", "sessions=s,w", "list=1")
    folders = [folder for era in "AB" for folder in folders_of(era)]
    assert run.pages_asked == {folder.url for folder in folders if wanted.takes_folder(folder)}
    assert run.pages_asked < {folder.url for folder in folders}
    expected = [place(paper, path) for era in "AB" for paper, path in wanted_files(era, wanted)]
    assert Counter(line.split("\t")[0] for line in run.done.stdout.splitlines()) == Counter(expected)
    assert not run.files_asked
    assert not run.done.files
    assert run.done.verdict == f"Done: {len(expected)} files listed"


@pytest.mark.slow
def test_filters_together_store_exactly_what_is_asked_for(lab: Lab) -> None:
    wanted = Filter.of({"types": "qp,sf", "papers": "1,2,3", "years": "2016-2024", "ext": "pdf,mp3"})
    run = lab.crawl(f"url={B} {CIE_URL}", "types=QP,sf", "papers=1,2,3", "years=2016-2024", "ext=.PDF,mp3")
    expected = {paper.url: paper for era in "AB" for paper, _ in wanted_files(era, wanted)}
    assert {line["file_urls"][0] for line in run.lines} == set(expected)
    assert in_order(lab.held()) == tree([paper for paper in expected.values() if not paper.trap])
    assert set(run.files_asked) == set(expected)


def test_levels_and_subjects_by_code_and_name(lab: Lab) -> None:
    chosen = ("as-and-a-level-business-9609", "igcse-french-foreign-language-0520", "as-and-a-level-physics-9702",
              "igcse-physics-0625")  # fmt: skip
    run = lab.crawl("level=igcse,As and A Level", "subject=9609,foreign language,Physics", "list=1")
    expected = {paper.url for slug in chosen for paper in papers.files("B", slug)}
    assert {line.split("\t")[1] for line in run.done.stdout.splitlines()} == expected
    assert {line["outcome"] for line in run.lines} == {"listed"}
    above = {B, f"{B}/igcse", f"{B}/as-and-a-level"}
    assert {page for page in run.pages_asked if not any(slug.split("-")[-1] in page for slug in chosen)} == above


def test_what_is_not_there_is_said_and_the_rest_is_listed(papacambridge: Papacambridge) -> None:
    done = papacambridge("level=igcse,igcs", "subject=0610,botany,9609", "list=1")
    assert done.code == 6
    assert done.verdict.startswith("Ended: no-results (exit code 6): ")
    advice = "check the address, the names and the filters"
    assert f"level igcs: there is no level `igcs`. Did you mean `igcse`?; {advice}\n" in done.stderr
    for word in ("botany", "9609"):
        said = f"subject {word}: there is no subject `{word}`. There are: Art and Design - 0400, Biology - 0610"
        assert said in done.stderr
    assert "subject `0610`" not in done.stderr
    assert {line["subject"] for line in done.items} == {"biology-0610"}


def row(done: Crawl, keyword: str) -> str:
    """What the table says of a keyword."""
    [found] = [line for line in done.stderr.splitlines() if line.strip().startswith(f"{keyword} ")]
    return found.strip().removeprefix(keyword).strip()


@pytest.mark.parametrize(
    ("start", "said"),
    [("subject=9626", "nothing of subject `9626` is wanted"),
     (f"url={SITE}/papers/caie/as-and-a-level-information-technology-9626", "there is nothing that is wanted")],
)  # fmt: skip
def test_filters_that_leave_nothing_are_said(papacambridge: Papacambridge, start: str, said: str) -> None:
    done = papacambridge(start, "years=2022", "types=er")
    assert done.code == 6
    assert f"{said}: the filters leave out years 2023-March; types qp, ms" in done.stderr
    assert done.verdict == "Ended: no-results (exit code 6): nothing stored"
    assert (done.items, done.files) == ([], [])


def test_a_subject_of_which_the_filters_leave_nothing_is_said_and_the_rest_is_listed(
    papacambridge: Papacambridge,
) -> None:
    done = papacambridge("subject=9609,0400", "years=2019", "list=1")
    assert done.code == 6
    assert "nothing of subject `0400` is wanted: the filters leave out years 2020, 2024, " in done.stderr
    assert "subject `9609`" not in done.stderr
    assert row(done, "subject 0400").endswith("page: no-results")
    assert {(line["subject"], line["year"]) for line in done.items} == {("business-9609", 2019)}
    assert done.verdict == f"Ended: no-results (exit code 6): {len(done.items)} files listed"


@pytest.mark.slow
def test_a_list_and_a_limit_and_then_the_files(lab: Lab) -> None:
    asked = ("board=caie", "level=igcse", "types=qp", "limit=5")
    run = lab.crawl(*asked, "list=1")
    lines = [tuple(line.split("\t")) for line in run.done.stdout.splitlines()]
    assert lines == [
        ("/".join(["papacambridge", *line["folder"], line["name"]]), line["file_urls"][0]) for line in run.lines
    ]
    assert len(lines) == 5
    assert run.outcomes == {"listed": 5}
    assert all(line["files"] == [] and line["reason"] is None for line in run.lines)
    assert not run.files_asked
    assert not lab.held()
    assert run.done.verdict == "Done: 5 files listed"
    run = lab.crawl(*asked[:-1], "limit=3")
    assert run.done.stdout == ""
    assert run.outcomes == {"stored": 3}
    assert run.files_asked == Counter(url for _, url in lines[:3])
    run = lab.crawl(*asked)
    assert run.outcomes == {"stored": 2, "uptodate": 3}
    assert set(lab.held()) == {path for path, _ in lines}
    assert run.files_asked == Counter(url for _, url in lines[3:])
    assert "Done: 2 files stored, 3 up to date" in run.done.verdict


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ({}, None),
        ({"list": "1"}, Outcome.LISTED),
        ({"download": "0"}, Outcome.LISTED),
        ({"list": "1", "download": "1"}, Outcome.LISTED),
        ({"list": "0", "download": "0"}, Outcome.LISTED),
        ({"list": "0", "download": "1"}, None),
    ],
)
def test_a_list_is_also_what_comes_without_downloads(arguments: dict[str, Any], outcome: Outcome | None) -> None:
    assert PapacambridgeParams(subject="9609", **arguments).outcome is outcome


@pytest.mark.slow
def test_a_list_is_of_what_would_be_fetched(lab: Lab) -> None:
    start = f"url={B}/igcse-physics-0625"
    stored = lab.crawl(start)
    run = lab.crawl(start, "list=1")
    assert run.done.stdout == ""
    assert run.outcomes == {"uptodate": len(stored.lines)}
    assert run.paths == stored.paths
    assert not run.files_asked
    assert run.done.verdict == f"Done: 0 files stored, {len(stored.lines)} up to date, in {lab.data}/files"
    gone = stored.lines[1]
    (lab.data / "files" / gone["files"][0]["path"]).unlink()
    run = lab.crawl(start, "list=1")
    assert run.done.stdout == f"{gone['files'][0]['path']}\t{gone['file_urls'][0]}\n"
    assert run.outcomes == {"uptodate": len(stored.lines) - 1, "listed": 1}


@pytest.mark.parametrize(
    ("where", "code", "why"),
    [("| head -1", 12, "Broken pipe"), ("> /dev/full", 10, "No space left on device")],
)
def test_a_list_that_cannot_be_written_ends_the_crawl_in_one_line(lab: Lab, where: str, code: int, why: str) -> None:
    command = f"{sys.executable} -m scrapy crawl papacambridge -a board=caie -a list=1 {where}; exit ${{PIPESTATUS[0]}}"
    env = environment(lab.data, lab.replica.environment())
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert len(done.stdout.splitlines()) == (code == 12)
    [line] = [line for line in done.stderr.splitlines() if why in line]
    assert line.endswith(f"The crawl ends: the list cannot be written ({why})")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert f" (exit code {code}): " in done.stderr


def test_a_limit_that_is_met_ends_the_walk(lab: Lab) -> None:
    run = lab.crawl("board=caie", "limit=1", "types=sf")
    assert [line["name"] for line in run.lines] == ["0520_s24_sf_11.mp3"]
    order = [folder.url for folder in folders_of("B")]
    assert run.pages_in_order == order[: order.index(run.lines[0]["page_url"]) + 1]
    assert run.done.verdict == f"Done: 1 file stored, 0 up to date, in {lab.data}/files"


def test_a_file_that_failed_does_not_count_for_the_limit(lab: Lab) -> None:
    names = [paper.name for folder in papers.folders("B") if folder.path[-1].startswith("as-and-a-level-economics")
             for paper in folder.papers]  # fmt: skip
    run = lab.crawl(f"url={B}/as-and-a-level-economics-9708 {B}/as-and-a-level-physics-9702", "limit=4")
    assert run.outcomes == {"stored": 4, "failed": 8}
    assert set(names) <= {line["name"] for line in run.lines}
    assert len(lab.held()) == 4
    assert run.done.verdict == f"Done: 4 files stored, 0 up to date, in {lab.data}/files, 8 failed"


# What goes wrong


def test_a_slug_that_is_not_there_ends_in_its_own_way_and_the_page_is_kept(papacambridge: Papacambridge) -> None:
    done = papacambridge(f"url={B}/as-and-a-level-botany-9999 {B}/o-level-physics-5054-2001-nov")
    assert done.code == 4
    assert done.verdict.startswith("Ended: page-changed (exit code 4): 1 file stored")
    [page] = done.blocked
    assert b"Nothing here." in page.read_bytes()
    assert [str(page) in line for line in done.stderr.splitlines() if "there is no list of papers on" in line] == [True]


def test_a_folder_that_is_not_there_is_no_result(papacambridge: Papacambridge) -> None:
    done = papacambridge(f"url={CIE_URL}/IGCSE/Botany%20%289999%29")
    assert done.code == 6
    assert f"pastpapers.papacambridge.com has no such page: {CIE_URL}/IGCSE/Botany%20%289999%29 led to {HOME}" in (
        done.stderr
    )
    assert (done.items, done.files) == ([], [])


def test_a_site_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    nobody = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(tmp_path, "subject=9609", "-s", "RETRY_TIMES=0", spider="papacambridge", env=nobody)
    assert done.code == 5
    assert "pastpapers.papacambridge.com did not answer" in done.stderr
    assert "there is no subject" not in done.stderr
    assert "is wanted" not in done.stderr
    assert done.verdict == "Ended: unreachable (exit code 5): nothing stored"
    assert "Traceback" not in done.stderr


def test_limits_of_scrapy_on_pages_do_not_hang(lab: Lab) -> None:
    limits = ("-s", "DEPTH_LIMIT=2", "-s", "URLLENGTH_LIMIT=85")
    env = environment(lab.data, lab.replica.environment())
    words = ("-a", "subject=9609,0417", "-a", "list=1")
    before = len(lab.replica.requests)
    done = scrapy("crawl", "papacambridge", *words, *limits, env=env, timeout=60)
    assert done.returncode == 4, done.stderr
    too_long = [folder.url for folder in folders_of("B") if "business" in folder.url and len(folder.url) > 85]
    for url in too_long:
        said = f"business-9609: an address of {len(url)} characters is longer than URLLENGTH_LIMIT allows"
        assert said in done.stderr
    assert len(too_long) == 4
    assert not {request.url for request in lab.replica.requests[before:]} & set(too_long)
    assert {line.split("\t")[1] for line in done.stdout.splitlines()} == {
        paper.url for paper in papers.files("B", "igcse-ict-0417")
    }
    assert "Traceback" not in done.stderr


class Capitals:
    """A pipeline that changes the keyword of an item."""

    def process_item(self, item: FileItem) -> FileItem:
        item.subject = (item.subject or "").upper()
        return item


def test_an_item_whose_keyword_a_pipeline_changed_does_not_hang(lab: Lab) -> None:
    pipelines = {f"{__name__}.Capitals": 100, "imagecrawl.pipelines.file_store.FileStorePipeline": 300}
    env = environment(lab.data, lab.replica.environment())
    words = ("-a", f"url={B}/o-level-physics-5054", "-s", f"ITEM_PIPELINES={json.dumps(pipelines)}")
    done = scrapy("crawl", "papacambridge", *words, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {line["subject"] for line in Crawl(0, "", "", lab.data).items} == {"PHYSICS-5054"}
    assert set(lab.held()) == set(tree(papers.files("B", "o-level-physics-5054")))
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_certificate_that_cannot_be_verified_is_said_with_the_one_setting(tmp_path: Path) -> None:
    setting = "TLS_UNVERIFIED_HOSTS=pastpapers.papacambridge.com"
    page = f"url={B}/o-level-physics-5054-2016-jun"
    with Replica(flaws={"pastpapers.papacambridge.com": Flaw.UNTRUSTED}) as replica:
        lab = Lab(replica, tmp_path / "data")
        run = lab.crawl(page, code=5)
        assert len([line for line in run.done.stderr.splitlines() if setting in line]) == 1
        assert (run.lines, run.log) == ([], [])
        run = lab.crawl(page, "-s", setting)
        assert run.outcomes == {"stored": 2}
        assert setting not in run.done.stderr


def interrupted(lab: Lab, start: str, *words: str) -> str:
    """What a crawl says on standard error that gets SIGINT after its first item; it ends well for that."""
    return crawling.interrupted(
        "papacambridge", "-a", start, *words, env=environment(lab.data, lab.replica.environment())
    )


def test_a_signal_ends_it_and_the_same_command_completes(lab: Lab) -> None:
    start = f"url={B}/as-and-a-level-business9609-2024-oct-nov"
    said = interrupted(lab, start, "-s", "CONCURRENT_REQUESTS=1", "-s", "DOWNLOAD_DELAY=0.5")
    assert "Ended: shutdown (exit code 8)" in said
    assert re.search(r"^ ?business-9609 .*stopped", said, re.MULTILINE)
    wanted = tree(papers.files("B", "as-and-a-level-business9609-2024-oct-nov"))
    stored = lab.held()
    assert stored.items() < wanted.items()
    lines = Crawl(8, "", said, lab.data).items
    assert {line["files"][0]["path"] for line in lines if line["outcome"] == "stored"} == set(stored)
    assert {line["reason"] for line in lines if line["outcome"] != "stored"} == {"stopped"}
    run = lab.crawl(start)
    assert run.outcomes == {"stored": len(wanted) - len(stored), "uptodate": len(stored)}
    assert lab.held() == wanted


@pytest.mark.slow
def test_a_signal_says_which_pages_were_not_read_that_under_way_too(lab: Lab) -> None:
    slowly = ("-s", "DOWNLOAD_DELAY=2", "-s", "RANDOMIZE_DOWNLOAD_DELAY=False")
    said = interrupted(lab, f"url={B}/igcse-physics-0625", "-a", "list=1", *slowly)
    assert "Not asked for any more: physics-0625 2024-March, physics-0625 2015-Nov\n" in said


# Afterwards


@pytest.mark.slow
def test_what_the_commands_say_of_a_board(copy: Lab) -> None:
    held = copy.held()
    done = copy.command("verify")
    assert done.returncode == 0
    assert f"{len(held)} files whole, 0 missing, 0 damaged, 0 unknown" in done.stdout
    done = copy.command("ledger")
    assert done.returncode == 0
    assert f"{len(held)} files in place" in done.stdout
    before, lines = len(copy.replica.requests), len(Crawl(0, "", "", copy.data).items)
    done = copy.command("retry", "papacambridge", "--reason", "http-503")
    [trap] = [trap for trap in papers.traps("B") if trap.trap == "503"]
    asked = Counter(r.url for r in copy.replica.requests[before:] if r.route != "/robots.txt")
    assert asked == {trap.url: 3}
    assert done.returncode == 7
    [line] = Crawl(0, "", "", copy.data).items[lines:]
    assert (line["name"], line["outcome"], line["reason"]) == (trap.name, "failed", "http-503")
    assert copy.held() == held


@pytest.mark.slow
def test_a_lost_ledger_is_rebuilt_and_nothing_in_place_is_asked_for(copy: Lab) -> None:
    for path in copy.data.glob("ledger.sqlite3*"):
        path.unlink()
    done = copy.command("rebuild")
    assert done.returncode == 0, done.stderr
    assert f"{len(copy.held())} files in place" in done.stdout
    times = copy.times()
    run = copy.crawl(f"url={B} {CIE_URL}")
    assert run.outcomes["uptodate"] == len(times)
    assert run.outcomes["stored"] == 0
    assert set(run.files_asked) <= {HOME, *(trap.url for era in "AB" for trap in papers.traps(era))}
    assert copy.times() == times
