"""Tables: headers, delimiters, and quotation marks that are left open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from imagecrawl.lists import BadRow, Row
from imagecrawl.lists.tables import RECORD_LINES
from tests.lists.lists import URL, brief, rows_of, told_at_once, written

ONE, TWO, THREE = URL.format(1), URL.format(2), URL.format(3)
OPEN = "a quotation mark is left open"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".tsv.gz"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, suffix: str, delimiter: str) -> None:
    body = f"label|url|caption\ncats|{ONE}|a cat\n\n|{TWO}|\n".replace("|", delimiter)
    assert brief(rows_of(written(tmp_path, f"a{suffix}", body))) == [
        (2, ONE, "cats", "a cat"),
        (4, TWO, None, None),
    ]


def test_the_delimiter_is_the_one_that_shows_a_column_of_urls(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"a, b, c;url\n1, 2, 3;{ONE}\n")
    assert brief(rows_of(path)) == [(2, ONE, None, None)]
    path = written(tmp_path, "a.csv", f"a, b, c;photo page\n1, 2, 3;{ONE}\n")
    assert brief(rows_of(path, url="Photo Page")) == [(2, ONE, None, None)]


def test_a_delimiter_in_quotation_marks_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f'"url"; "a,b,c,d"\n{ONE};x\n')
    assert brief(rows_of(path)) == [(2, ONE, None, None)]


def test_no_header_is_needed_where_the_first_cell_is_a_url(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", f"{ONE}\ta cat\n{TWO}\ta dog\n")
    assert brief(rows_of(path)) == [(1, ONE, None, None), (2, TWO, None, None)]
    assert brief(rows_of(path, caption="2"))[0] == (1, ONE, None, "a cat")
    row = rows_of(path, extra=("*",))[1]
    assert isinstance(row, Row) and row.extra == {"2": "a dog"}
    assert "There are: `1`, `2`" in told_at_once(path, caption="title")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_delimiter_is_found_without_a_header(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path, "a.csv", f"{ONE}|cats\n{TWO}|dogs\n".replace("|", delimiter))
    assert brief(rows_of(path, keyword="2")) == [(1, ONE, "cats", None), (2, TWO, "dogs", None)]


def test_a_header_is_needed_elsewhere(tmp_path: Path) -> None:
    message = told_at_once(written(tmp_path, "a.csv", f"cats,{ONE}\ndogs,{TWO}\n"))
    assert message == f": no column with a name known for URLs; name it with url_column. There are: `cats`, `{ONE}`"


def test_a_table_of_one_column_may_have_commas_in_its_urls(tmp_path: Path) -> None:
    url = "https://a.example/w_1,h_2;q_3/1.jpg"
    assert brief(rows_of(written(tmp_path, "a.csv", f"url\n{url}\n"))) == [(2, url, None, None)]
    assert brief(rows_of(written(tmp_path, "a.csv", f"{url}\n{ONE}\n")))[0] == (1, url, None, None)


def test_a_csv_feed_has_commas_between_urls(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f'keyword,image_urls\ncats,"{ONE},data:image/gif;base64,AA,{TWO}"\n')
    row = rows_of(path)[0]
    assert isinstance(row, Row) and row.urls == (ONE, "data:image/gif;base64,AA", TWO)


def test_a_url_may_have_another_one_after_a_comma(tmp_path: Path) -> None:
    url = "https://a.example/fetch/w_1,https://b.example/1.jpg"
    assert brief(rows_of(written(tmp_path, "a.csv", f'label,url\ncats,"{url}"\n'))) == [(2, url, "cats", None)]


def test_a_nul_byte_is_bad_in_a_column_that_nobody_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"url,x\n{ONE},a\0b\n{TWO},c\n")
    assert brief(rows_of(path)) == [(2, "a NUL byte"), (3, TWO, None, None)]


def test_other_columns_are_carried_along(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"id,url,Year,url\n1,{ONE},,{TWO}\n")
    row = rows_of(path, extra=("year", "ID"))[0]
    assert isinstance(row, Row) and row.urls == (ONE,) and row.extra == {"Year": "", "id": "1"}


def test_quotation_marks_may_span_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f'url,caption\r\n{ONE},"a ""cat""\r\n\r\nasleep"\r\n{TWO},5" nail\r\n')
    assert brief(rows_of(path)) == [(2, ONE, None, 'a "cat"\r\n\r\nasleep'), (5, TWO, None, '5" nail')]


def test_each_bad_line_is_one_bad_row(tmp_path: Path) -> None:
    body = b"\n".join([
        b"url,label",
        ONE.encode() + b",cats",
        b"https://a.example/1.jpg",
        b"https://a.example/1.jpg,cats,dogs",
        b",cats",
        b"caf\xe9,cats",
        b"https://a.example/\0,cats",
        b'"https://a.example/1.jpg"x,cats',
        b"https://a.example/1.jpg,c\rats",
        b"https://a.example/1.jpg,c\x07ats",
        TWO.encode() + b",dogs",
    ])  # fmt: skip
    rows = brief(rows_of(written(tmp_path, "a.csv", body)))
    assert rows[0] == (2, ONE, "cats", None) and rows[-1] == (11, TWO, "dogs", None)
    assert [row[0] for row in rows] == list(range(2, 12))
    assert [row[1] for row in rows[1:6]] == [
        "1 cells instead of 2",
        "3 cells instead of 2",
        "no URL in it",
        "not UTF-8",
        "a NUL byte",
    ]
    assert rows[6][1] == "no CSV: `',' expected after '\"'`"
    assert rows[7][1].startswith("no CSV: `new-line character seen in unquoted field")
    assert rows[8][1].endswith("It has a control character")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (f'{ONE},"open', OPEN),
        (f'{ONE},"open\n"{TWO}",x', "no CSV: `',' expected after '\"'`"),
        (f'"{ONE},open\n{TWO},"x", y', None),
        (f'{ONE},"open\n\0', f"{OPEN}: line 3 is a NUL byte"),
    ],
)
def test_a_quotation_mark_left_open_costs_one_row(tmp_path: Path, bad: str, why: str | None) -> None:
    path = written(tmp_path, "a.csv", f"url,caption\n{bad}\n{THREE},two\n{TWO},three\n")
    rows = rows_of(path)
    assert isinstance(rows[0], BadRow) and rows[0].line == 2 and (why is None or why in rows[0].why)
    assert brief(rows)[-2:] == [(rows[-2].line, THREE, None, "two"), (rows[-2].line + 1, TWO, None, "three")]


def test_a_quotation_mark_left_open_far_from_the_end_costs_one_row(tmp_path: Path) -> None:
    rest = "".join(f"{URL.format(number)},x\n" for number in range(3 * RECORD_LINES))
    rows = rows_of(written(tmp_path, "a.csv", f'url,caption\n{ONE},"open\n{rest}'))
    assert isinstance(rows[0], BadRow) and rows[0].line == 2 and OPEN in rows[0].why and "1000 lines" in rows[0].why
    assert len(rows) == 1 + 3 * RECORD_LINES and not any(isinstance(row, BadRow) for row in rows[1:])
    assert [row.line for row in rows] == list(range(2, 3 * RECORD_LINES + 3))


def test_many_long_lines_after_a_quotation_mark_are_not_swallowed(tmp_path: Path) -> None:
    long = f"{ONE}?{'x' * 1_000_000},x\n"
    rows = rows_of(written(tmp_path, "a.csv.gz", f'url,caption\n{ONE},"open\n{long * 9}'))
    assert [isinstance(row, BadRow) for row in rows] == [True] + [False] * 9
    assert isinstance(rows[0], BadRow) and "more than 1000 lines or 4,194,304 bytes" in rows[0].why


def test_a_record_of_the_wrong_width_gives_its_lines_back(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f'url,caption,label\n{ONE},"open,x\n{TWO},a cat,"cats"\n{THREE},b,c\n')
    rows = brief(rows_of(path))
    assert rows[0][0] == 2 and len(rows[0]) == 2
    assert rows[1:] == [(3, TWO, "cats", "a cat"), (4, THREE, "c", "b")]
    path = written(
        tmp_path, "a.csv", f'url,caption\n{ONE},"x\n{TWO},"\n{THREE},y\n'.replace(f',"\n{THREE}', f'",z\n{THREE}')
    )
    rows = brief(rows_of(path))
    assert rows[0] == (2, "3 cells instead of 2 in lines 2 to 3; is a quotation mark left open?")
    assert rows[-1] == (4, THREE, None, "y")


def test_a_table_of_open_quotation_marks_takes_no_time_to_speak_of(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "url,caption\n" + 'a","b\n' * 50_000)
    begun = time.perf_counter()
    rows = rows_of(path)
    assert len(rows) == 50_000 and all(isinstance(row, BadRow) for row in rows)
    assert time.perf_counter() - begun < 10  # it is half a second, and a minute when each is read to its bound


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f'url,"label\n{ONE},x\n', f", line 1: {OPEN}"),
        (f"url,\0\n{ONE},x\n", ", line 1: a NUL byte"),
        (f'\nurl,"label"x\n{ONE},x\n', ", line 2: no CSV: `',' expected after '\"'`"),
    ],
)
def test_a_header_that_cannot_be_read_is_an_error(tmp_path: Path, body: str, message: str) -> None:
    assert told_at_once(written(tmp_path, "a.csv", body)) == message


def test_a_cell_longer_than_the_csv_module_likes_is_read(tmp_path: Path) -> None:
    url = f"data:image/png;base64,{'A' * 1_000_000}"
    assert brief(rows_of(written(tmp_path, "a.csv", f'url,label\n{url.replace(",", "%2C,")}\n"{url}",cats\n')))[1:] == [
        (3, url, "cats", None)
    ]
