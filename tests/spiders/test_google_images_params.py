"""The arguments of google_images, as a table."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from imagecrawl.params import explain
from spiders.google_images import GoogleImagesParams

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {}),
        ({"size": "large"}, {"tbs": "isz:l"}),
        ({"size": ">2mp"}, {"tbs": "isz:lt,islt:2mp"}),
        ({"size": "1920x1080"}, {"tbs": "isz:ex,iszw:1920,iszh:1080"}),
        ({"color": "red", "type": "photo"}, {"tbs": "ic:specific,isc:red,itp:photo"}),
        ({"licence": "cc", "aspect": "wide", "filetype": "png"}, {"tbs": "sur:cl,iar:w,ift:png"}),
        ({"time": "2024-01-31..2024-06-30"}, {"tbs": "cdr:1,cd_min:1/31/2024,cd_max:6/30/2024"}),
        ({"site": "wikipedia.org"}, {"as_sitesearch": "wikipedia.org"}),
        ({"lang": "pt-BR", "country": "br"}, {"hl": "pt-BR", "gl": "br", "cr": "countryBR"}),
        ({"safe": "active"}, {"safe": "active"}),
    ],
)
def test_words_become_googles_parameters(arguments: dict[str, str], sent: dict[str, str]) -> None:
    params = GoogleImagesParams(q="cats", **arguments)  # type: ignore[arg-type]
    address = urlsplit(params.search_url("red panda & co"))
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (address.netloc, address.path) == ("www.google.com", "/search")
    assert query == {"q": "red panda & co", "udm": "2", "hl": "en"} | sent


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of the arguments `q`, `queries` and `page`; got none of them"),
        ({"q": "cats", "queries": "requirements.txt"}, "got `q` and `queries`"),
        ({"q": "cats", "size": "larg"}, "got 'larg'. Did you mean `large`?"),
        ({"page": "."}, "got '.'. That is a folder"),
        ({"q": "cats", "queries": "README.md"}, "argument `queries` takes"),
        ({"q": ""}, "argument `q` takes one keyword; got ''"),
        ({"q": "cats", "limit": "0"}, "argument `limit` takes a whole number from 1"),
        ({"q": "cats", "limit": "many"}, "argument `limit` takes a whole number from 1"),
        ({"q": "cats", "thumbnails": "yes"}, "argument `thumbnails` takes `never`, `fallback`"),
        ({"q": "cats", "via": "ftp"}, "argument `via` takes `browser` or `http`"),
        ({"q": "cats", "size": "huge"}, "argument `size` takes `icon`"),
        ({"q": "cats", "color": "mauve"}, "argument `color` takes `color`"),
        ({"q": "cats", "time": "2024-06-30..2024-01-31"}, "argument `time` takes `hour`"),
        ({"q": "cats", "time": "2024-02-30..2024-03-01"}, "argument `time` takes `hour`"),
        ({"q": "cats", "filetype": "svg"}, "argument `filetype` takes `jpg`"),
        ({"q": "cats", "site": "http://x.example/a"}, "argument `site` takes a host"),
        ({"q": "cats", "lang": "english"}, "argument `lang` takes a language"),
        ({"q": "cats", "country": "deu"}, "argument `country` takes a country of two letters"),
        ({"q": "cats", "safe": "maybe"}, "argument `safe` takes `active` or `off`"),
        ({"page": "no/such/file.html"}, "argument `page` takes the file of a results page"),
        ({"queries": "."}, "argument `queries` takes a .txt or .csv file"),
        ({"Q": "cats"}, "argument `Q` is unknown. Did you mean `q`?"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_takes(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GoogleImagesParams(**arguments)  # type: ignore[arg-type]
    assert message in explain(caught.value, GoogleImagesParams)


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in GoogleImagesParams.model_fields:
        assert name == "job" or f"\n| `{name}` |" in readme


def test_the_readme_names_every_reason_and_exit_code() -> None:
    from imagecrawl.outcomes import EXIT_CODES, Outcome, Reason

    readme = (ROOT / "README.md").read_text("utf-8")
    for word in (*Outcome, *Reason, *EXIT_CODES):
        assert f"`{word}`" in readme
