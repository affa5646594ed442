from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from imagecrawl.params import Keyword, SpiderParams, clean_keyword, explain, read_keywords


class Params(SpiderParams):
    q: Keyword | None = Field(None, description="one keyword")
    limit: int = Field(1, description="a whole number")


def explained(**arguments: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Params(**arguments)  # type: ignore[arg-type]
    return explain(caught.value, Params)


def test_the_job_id_of_scrapyd_is_known() -> None:
    assert Params(_job="abc").job == "abc"  # type: ignore[call-arg]


def test_an_unknown_argument_names_itself_and_its_neighbour() -> None:
    assert explained(limt="3") == "argument `limt` is unknown. Did you mean `limit`? There are: q, limit"


def test_a_wrong_value_names_the_argument_and_what_it_takes() -> None:
    assert explained(limit="many") == "argument `limit` takes a whole number; got 'many'"


def test_every_wrong_argument_has_its_line() -> None:
    assert len(explained(limit="many", q=" ", x="1").splitlines()) == 3


@pytest.mark.parametrize(("text", "keyword"), [(" red  panda\t", "red panda"), ("猫", "猫")])
def test_white_space_in_a_keyword_is_folded(text: str, keyword: str) -> None:
    assert clean_keyword(text) == keyword


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\x1b[31mb", "a\x9b31mb"])
def test_a_keyword_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="It "):
        clean_keyword(text)


@pytest.mark.parametrize(
    ("name", "body", "keywords"),
    [
        ("a.txt", b"cats\n\n  dogs \ncats\n", ["cats", "dogs"]),
        ("a.txt", "\ufeffقطط\r\n猫\r\n".encode(), ["قطط", "猫"]),
        ("a.txt", b"cats, dogs\n", ["cats, dogs"]),
        ("a.csv", b'"cats, big",x\ndogs,y\n,z\n', ["cats, big", "dogs"]),
        ("A.CSV", b"cats", ["cats"]),
    ],
)
def test_keyword_files(tmp_path: Path, name: str, body: bytes, keywords: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    assert read_keywords(path) == keywords


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a.json", b"[]", "neither .txt nor .csv"),
        ("a.txt", b"", "has no keyword"),
        ("a.txt", b"cats\n\xff\xfe\n", "line 2: not UTF-8"),
        ("a.csv", b'cats\n"dogs\nlions\n', "after line 1: unexpected end of data; is a quotation mark left open"),
        ("a.csv", b"cats\n\x07\n", "line 2: It has a control character"),
    ],
)
def test_a_bad_keyword_file_is_named(tmp_path: Path, name: str, body: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(ValueError, match=message) as caught:
        read_keywords(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_keyword_file(tmp_path: Path) -> None:
    folder = tmp_path / "a.txt"
    folder.mkdir()
    with pytest.raises(ValueError, match="cannot be read"):
        read_keywords(folder)
