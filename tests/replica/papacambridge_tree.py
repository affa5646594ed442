"""What the past-paper site holds, in short: the folders of both eras and the files each of them lists."""

from __future__ import annotations

from dataclasses import dataclass, replace

CIE = "Cambridge International Examinations (CIE)"
"""The first board of era A; the other is AQA."""


@dataclass(frozen=True)
class File:
    """A line of a listing that is a file.

    ``manner`` is how the page links to it, ``trap`` what is wrong with it. In era A a file lives where it is listed,
    except one with ``home``, the name of the sibling folder it lives in; ``query`` is part of its address.
    """

    name: str
    manner: str = ""
    trap: str = ""
    home: str = ""
    query: str = ""


@dataclass(frozen=True)
class Dir:
    """A folder: in era A its name, in era B its slug; a slug with a leading hyphen continues its parent's.

    ``style`` is the markup of its page and of those below. ``aside`` are the slugs of folders that it lists and that
    are not its own, ``link`` what its own link has at its end.
    """

    name: str
    inside: tuple[Dir | File, ...]
    label: str = ""
    style: str = ""
    aside: tuple[str, ...] = ()
    link: str = ""


def _dir(name: str, *inside: Dir | File, label: str = "", style: str = "") -> Dir:
    return Dir(name, inside, label, style)


def _files(start: str, parts: str) -> tuple[File, ...]:
    """``9609_w19`` and ``gt qp_11``: two PDFs. A part with an extension is another kind of file."""
    return tuple(File(f"{start}_{part}" if "." in part else f"{start}_{part}.pdf") for part in parts.split())


ERA_A = (
    _dir(
        CIE,
        _dir(
            "AS and A Level",
            _dir(
                "Business (for first examination in 2016) - 9609",
                _dir("2019-Oct-Nov", *_files("9609_w19", "er gt in_21 ms_11 ms_12 qp_11 qp_12")),
                _dir("2019-May-June", *_files("9609_s19", "er gt ms_11 qp_11 qp_21")),
                _dir("2018-Oct-Nov", *_files("9609_w18", "er gt ms_11 qp_11")),
                _dir("2018-May-June", *_files("9609_s18", "er gt in_31 ms_11 qp_11")),
                _dir("2018-March", *_files("9609_m18", "gt ms_12 qp_12")),
            ),
            _dir(
                "Chemistry (9701)",
                _dir("2018-May-June", *_files("9701_s18", "gt ms_11 qp_11")),
                _dir(
                    "2018-March",
                    File("9701_m18_er.pdf", trap="soft-404"),
                    *_files("9701_m18", "gt ms_12 qp_12"),
                    File("9701_s18_gt.pdf", home="2018-May-June"),
                ),
                _dir(
                    "2016 Jun",
                    *_files("9701_s16", "ms_11 qp_11"),
                    File("Data Booklet & Formulae.pdf"),
                    File("k-9701.pdf"),
                ),
            ),
            _dir(
                "Computer Science (9608)",
                _dir(
                    "2017 Nov", File("9608_w17_ms_11.pdf", "no button"), *_files("9608_w17", "pre_21 qp_11 sf_21.zip")
                ),
                _dir(
                    "2016 Jun",
                    _dir("Source Files", *_files("9608_s16", "sf_21.zip tn_21.docx")),
                    *_files("9608_s16", "ms_11 qp_11"),
                ),
            ),
            _dir(
                "Mathematics (9709)",
                _dir("2018-May-June", *_files("9709_s18", "gt ms_11 ms_12 qp_11 qp_12")),
                _dir("2017 Nov", *_files("9709_w17", "er ms_11 qp_11")),
                _dir("2001 Nov", *_files("9709_w01", "ms_1 qp_1")),
                _dir("Resources", File("List_of_Formulae.pdf")),
                style="list",
            ),
        ),
        _dir(
            "GCE International O Level",
            _dir(
                "Biology (5090)",
                _dir("2018-Oct-Nov", *_files("5090_w18", "gt ms_11 qp_11")),
                _dir("2017 Nov", *_files("5090_w17", "ms_11 qp_11")),
                _dir("2001 Nov", File("5090_W01_QP_1.PDF"), *_files("5090_w01", "ms_1")),
            ),
            style="list",
        ),
        _dir(
            "IGCSE",
            _dir(
                "English as a Second Language (0510)",
                _dir(
                    "2018-May-June", *_files("0510_s18", "ms_11 qp_11 sf_31.mp3"), File("Speaking Cards & Notes.docx")
                ),
                _dir("2016 Jun", *_files("0510_s16", "qp_11 sf_31.mp3")),
                style="list",
            ),
            _dir(
                "Physics (0625)",
                _dir("2018-Oct-Nov", *_files("0625_w18", "er gt ms_11 qp_11")),
                _dir("2017 Nov", *_files("0625_w17", "ms_11 qp_11"), File("0625_w17_qp_11.pdf", query="v=2")),
            ),
        ),
    ),
    _dir(
        "AQA",
        _dir(
            "A-Level",
            _dir("Biology (7402)", _dir("2018 Jun", File("AQA-74021-QP-JUN18.PDF"), File("AQA-74021-W-MS-JUN18.PDF"))),
        ),
    ),
)
"""Boards, levels, subjects, sessions."""

_IGCSE = (
    _dir(
        "igcse-art-and-design-0400",
        *_files("0400_y20", "sm_1 sp_1"),
        *_files("0400_s24", "er"),
        label="Art and Design - 0400",
    ),
    _dir(
        "igcse-biology-0610",
        _dir("-2024-oct-nov", *_files("0610_w24", "gt qp_21 ms_21"), *_files("0610_s24", "er"), label="2024-Oct-Nov"),
        _dir("-2024-may-june", *_files("0610_s24", "gt er qp_21 ms_21"), label="2024-May-June"),
        _dir("-2015-nov", *_files("0610_w15", "qp_11 ms_11"), label="2015 Nov"),
        label="Biology - 0610",
    ),
    _dir(
        "igcse-french-foreign-language-0520",
        _dir("-2024-may-june", *_files("0520_s24", "qp_11 ms_11 sf_11.mp3 tn_03"), label="2024-May-June"),
        label="French - Foreign Language - 0520",
    ),
    _dir(
        "igcse-german-uk-7159",
        _dir("-2023-may-june", *_files("7159_s23", "qp_21 ms_21"), label="2023-May-June"),
        label="German-7159-UK",
    ),
    _dir(
        "igcse-ict-0417",
        _dir("igcse-ict0417-2024-march", *_files("0417_m24", "qp_12 ms_12 sf_31.zip"), label="2024-March"),
        label="ICT - 0417",
    ),
    _dir(
        "igcse-mathematics-us-0444",
        _dir("-2023-may-june", *_files("0444_s23", "qp_11 ms_11"), label="2023-May-June"),
        label="Mathematics - 0444 - US",
    ),
    replace(
        _dir(
            "igcse-physics-0625",
            _dir(
                "-2024-oct-nov",
                *_files("0625_w24", "gt qp_21 ms_21"),
                File("Waves & Optics.pdf", "more"),
                label="2024-Oct-Nov",
            ),
            _dir("-2024-march", *_files("0625_m24", "qp_22 ms_22"), label="2024-March"),
            _dir("-2015-nov", File("0625_W15_QP_31.PDF"), File("0625_w15_ms_31.pdf", "direct"), label="2015 Nov"),
            label="Physics - 0625",
        ),
        aside=("igcse-biology-0610",),
    ),
)

_O_LEVEL = (
    _dir(
        "o-level-mathematics-additional-4037",
        _dir("-2024-oct-nov", label="2024-Oct-Nov"),
        _dir("-2024-may-june", *_files("4037_s24", "qp_11 ms_11"), label="2024-May-June"),
        label="Mathematics - Additional - 4037",
    ),
    _dir(
        "o-level-physics-5054",
        _dir("-2024-oct-nov", *_files("5054_w24", "gt qp_11 ms_11"), label="2024-Oct-Nov"),
        _dir("-2016-jun", *_files("5054_s16", "qp_11 ms_11"), label="2016 Jun"),
        _dir("-2001-nov", *_files("5054_w01", "qp_1"), label="2001 Nov"),
        label="Physics - 5054",
    ),
)

_AS_AND_A_LEVEL = (
    _dir(
        "as-and-a-level-business-9609",
        _dir(
            "as-and-a-level-business9609-2024-oct-nov",
            *_files("9609_w24", "gt er qp_11 ms_11 in_21"),
            label="2024-Oct-Nov",
        ),
        _dir("as-and-a-level-business9609-2024-may-june", *_files("9609_s24", "gt qp_11 ms_11"), label="2024-May-June"),
        _dir("as-and-a-level-business9609-2024-march", *_files("9609_m24", "gt qp_12 ms_12"), label="2024-March"),
        _dir("-2019-oct-nov", *_files("9609_w19", "gt qp_11 ms_11"), label="2019-Oct-Nov"),
        label="Business - 9609",
    ),
    replace(
        _dir(
            "as-and-a-level-computer-science-for-first-examination-in-2021-9618",
            _dir(
                "-2025-may-june",
                _dir("-source-files", *_files("9618_s25", "sf_41.zip sf_42.zip"), label="Source Files"),
                *_files("9618_s25", "qp_12 ms_12"),
                label="2025-May-June",
            ),
            _dir("-2021-may-june", *_files("9618_s21", "qp_11 ms_11"), label="2021-May-June"),
            label="Computer Science (for first examination in 2021) - 9618",
        ),
        link="?theme=lightTheme",
    ),
    _dir(
        "as-and-a-level-economics-9708",
        _dir(
            "-2024-oct-nov",
            *_files("9708_w24", "gt qp_11"),
            File("9708_w24_ms_11.pdf", trap="html"),
            File("9708_w24_er.pdf", trap="soft-404"),
            File("9708_w24_qp_21.pdf", trap="cut-pdf"),
            File("9708_w24_sf_21.zip", trap="cut-zip"),
            File("9708_w24_sf_22.zip", trap="broken-zip"),
            File("9708_w24_sf_23.mp3", trap="html"),
            File("9708_w24_in_21.pdf", trap="empty"),
            File("9708_w24_ms_21.pdf", trap="503"),
            label="2024-Oct-Nov",
        ),
        label="Economics - 9708",
    ),
    _dir(
        "as-and-a-level-information-technology-9626",
        _dir("-2023-march", *_files("9626_m23", "qp_02 ms_02 sf_02.zip"), label="2023-March"),
        _dir("-2022-may-june", *_files("9626_s22", "qp_02 ms_02"), label="2022-May-June"),
        label="Information Technology - 9626",
    ),
    _dir(
        "as-and-a-level-mathematics-9709",
        _dir("-mathematics-97092024-oct-nov", *_files("9709_w24", "gt qp_11 ms_11"), label="2024-Oct-Nov"),
        _dir(
            "-may-june-2020",
            File("9709_s20_qp_11.pdf", "encoded"),
            File("9709_s20_ms_11.pdf", "encoded"),
            label="May-June-2020",
        ),
        _dir("-2001-nov", *_files("9709_w01", "qp_1 ms_1"), label="2001 Nov"),
        _dir(
            "-topical-past-papers",
            _dir(
                "-pure-mathematics-1",
                File("Topical Questions 1.pdf"),
                File("Topical Answers 1.pdf", "encoded"),
                File("Algebra_and_Functions.pdf"),
                label="Pure Mathematics 1",
            ),
            label="Topical Past Papers",
        ),
        label="Mathematics - 9709",
    ),
    _dir(
        "as-and-a-level-physics-9702",
        _dir("-may-june-2020", *_files("9702_s20", "qp_11 ms_11"), label="May-June-2020"),
        _dir(
            "-topical-questions-with-answers",
            File("Data_Booklet.pdf"),
            File("Physics_9702_Paper_1_Answers_All_Topics.pdf"),
            label="Topical Questions with Answers",
        ),
        label="Physics - 9702",
    ),
)

ERA_B = (
    _dir(
        "caie",
        _dir("igcse", *_IGCSE, label="IGCSE"),
        _dir("o-level", *_O_LEVEL, label="O Level"),
        _dir("as-and-a-level", *_AS_AND_A_LEVEL, label="AS and A Level"),
        label="CAIE",
    ),
    _dir(
        "aqa",
        _dir(
            "gcsebiology-8461",
            _dir(
                "-2024-june",
                File("AQA-84611H-QP-JUN24.PDF"),
                File("AQA-84611H-W-MS-JUN24.PDF"),
                label="2024-June",
            ),
            label="GCSE Biology - 8461",
        ),
        label="AQA",
    ),
)
"""Boards, levels (not for AQA), subjects, sessions, and what is below these."""
