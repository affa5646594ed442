"""Google's hosts: which page answers which request. The query chooses the behaviour, see ``catalogue.SCENARIOS``."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from tests.replica import catalogue, google_old_pages, google_walls
from tests.replica.exchange import Answer, Request, not_found, page, redirect, robots_txt
from tests.replica.google_results import AGE_NOTICE, NO_MATCH, results_page, without_classes
from tests.replica.google_search import Search
from tests.replica.kinds import TROUBLE_HOST

_BASIC_SIZE = 20
_IMGRES_SIZE = 10
_NATIVE = {"lite", "basic", "imgres", "ischj"}
"""Queries answered for tbm=isch as well: their clients are never sent to udm=2."""


def bare_domain(request: Request) -> Answer:
    """google.com sends everything to www."""
    return redirect(f"https://www.google.com{request.path}", 301)


def www(request: Request) -> Answer:
    """www.google.com."""
    match request.route:
        case "/robots.txt":
            return robots_txt("User-agent: *\nDisallow: /search\n")
        case "/search":
            return _search(Search(request))
        case "/sorry/index":
            return page(google_walls.captcha_page(request.params.get("continue", "")), 429)
        case "/httpservice/retry/enablejs":
            return page(google_walls.enable_javascript())
        case "/gen_204":
            return Answer(204)
        case _:
            return not_found()


def consent(request: Request) -> Answer:
    """consent.google.com: the page, and what follows a choice."""
    if request.route == "/ml":
        return page(google_walls.consent_page(request.params))
    if request.route != "/save" or request.method != "POST":
        return not_found()
    wanted = request.form.get("continue", "https://www.google.com/")
    cookie = f"{google_walls.CONSENT_COOKIE}={google_walls.CONSENT_VALUE}; Domain=.google.com; Path=/; Secure"
    return redirect(wanted, 303, ("Set-Cookie", cookie))


def _search(search: Search) -> Answer:
    params = search.request.params
    if params.get("tbm") == "isch" and search.query not in _NATIVE:
        renamed = {name: value for name, value in params.items() if name != "tbm"} | {"udm": "2"}
        return redirect(f"https://www.google.com/search?{urlencode(renamed)}")
    if params.get("udm") != "2" and search.query not in _NATIVE:
        return not_found()
    if search.query in _UNGATED:
        return _UNGATED[search.query](search)
    if google_walls.GATE_COOKIE not in search.request.cookies and "sei" not in params:
        return page(google_walls.shell(search))
    return _GATED.get(search.query, _results)(search)


def _results(search: Search, notice: str = "") -> Answer:
    return page(_results_html(search, notice))


def _results_html(search: Search, notice: str = "", records: bool = True) -> str:
    number = search.start // 10
    shown = catalogue.page(search.query, number)
    following = search.start + 10 if catalogue.has_page(search.query, number + 1) else None
    return results_page(search, shown, following, notice, records)


def _korea(search: Search) -> Answer:
    return _results(search, AGE_NOTICE)


def _nothing_text(search: Search) -> Answer:
    return _results(search, NO_MATCH)


def _classless(search: Search) -> Answer:
    return page(without_classes(_results_html(search)))


def _recordless(search: Search) -> Answer:
    return page(_results_html(search, records=False))


def _truncated(search: Search) -> Answer:
    html = _results_html(search)
    return page(html[: len(html) // 2], missing=len(html) // 2)


def _cut(search: Search) -> Answer:
    """Complete for HTTP, but the page ends in the middle of its records."""
    html = _results_html(search)
    start = html.index("var m={")
    return page(html[: (start + html.index("</script>", start)) // 2])


def _hanging(search: Search) -> Answer:
    """A good page with a script that never comes, so that the page is never done loading."""
    script = f'<script async src="https://{TROUBLE_HOST}/slow/jpeg/64x64/script.js"></script>'
    return page(_results_html(search).replace("<head>", f"<head>{script}", 1))


def _consent_once(search: Search) -> Answer:
    if google_walls.CONSENT_COOKIE in search.request.cookies:
        return _results(search)
    return _consent_always(search)


def _consent_always(search: Search) -> Answer:
    return redirect(google_walls.consent_address(search.request.url, search.language))


def _consent_dialog(search: Search) -> Answer:
    if google_walls.CONSENT_COOKIE in search.request.cookies:
        return _results(search)
    return page(google_walls.consent_dialog(search))


def _captcha(search: Search) -> Answer:
    return redirect(google_walls.captcha_address(search.request.url))


def _captcha_later(search: Search) -> Answer:
    return _captcha(search) if search.start else _results(search)


def _lite(search: Search) -> Answer:
    """The page, or a further batch of it for an address with all that the page's own script would send."""
    params = search.request.params
    if "asearch" not in params:
        return page(google_old_pages.lite(search, catalogue.page(search.query, 0)))
    batch = int(params.get("ijn", "0"))
    known = (params["asearch"], params.get("async"), params.get("imgvl"), params.get("ved"), search.start) == (
        "ichunklite", "_id:islrg_c,_fmt:html", google_old_pages.LITE_TOKEN, google_old_pages.LITE_VED, batch * 100,
    )  # fmt: skip
    shown = catalogue.page(search.query, batch) if known else []
    return page(google_old_pages.lite_batch(search, shown))


def _basic(search: Search) -> Answer:
    shown = catalogue.page(search.query, search.start // _BASIC_SIZE, _BASIC_SIZE)
    html = google_old_pages.basic(search, shown, _next_start(search, _BASIC_SIZE))
    return page(html, content_type="application/xhtml+xml; charset=UTF-8")


def _imgres(search: Search) -> Answer:
    shown = catalogue.page(search.query, search.start // _IMGRES_SIZE, _IMGRES_SIZE)
    return page(google_old_pages.imgres(search, shown, _next_start(search, _IMGRES_SIZE)))


def _next_start(search: Search, size: int) -> int | None:
    """Where the next page starts when ``start`` counts results."""
    following = search.start // size + 1
    return following * size if catalogue.has_page(search.query, following, size) else None


def _ischj(search: Search) -> Answer:
    shown = catalogue.page(search.query, search.start // 10)
    return page(google_old_pages.ischj(shown), content_type="application/json; charset=UTF-8")


def _old(writer: Callable[[Search, list[catalogue.Result]], str]) -> Callable[[Search], Answer]:
    """A page of before 2024, in the shape ``writer`` gives it."""
    return lambda search: page(writer(search, catalogue.page(search.query, search.start // 10)))


def _fixed(html: str, status: int = 200) -> Callable[[Search], Answer]:
    """The same page whatever is asked."""
    return lambda _: page(html, status)


_UNGATED: dict[str, Callable[[Search], Answer]] = {
    "basic": _basic,
    "captcha": _captcha,
    "changed": _fixed(google_walls.something_new()),
    "consent": _consent_once,
    "consent forever": _consent_always,
    "error": _fixed("<html><title>Error 500</title><body>Server error</body></html>", 500),
    "forbidden": _fixed("<html><title>403</title><body>Forbidden</body></html>", 403),
    "imgres": _imgres,
    "ischj": _ischj,
    "lite": _lite,
    "nothing text": _nothing_text,
    "old": _old(google_old_pages.with_callback),
    "rg_meta": _old(google_old_pages.with_rg_meta),
    "shell": lambda search: page(google_walls.shell(search, works=False)),
    "string table": _old(google_old_pages.with_string_table),
    "too many": _fixed("<html><title>429</title><body>Too many requests</body></html>", 429),
    "update browser": _fixed(google_walls.update_browser()),
}
"""Queries answered without the JavaScript gate, so that a plain HTTP client meets them too."""

_GATED: dict[str, Callable[[Search], Answer]] = {
    "captcha later": _captcha_later,
    "classless": _classless,
    "consent dialog": _consent_dialog,
    "forbidden later": _fixed("<html><title>403</title><body>Forbidden</body></html>", 403),
    "hanging": _hanging,
    "cut": _cut,
    "korea": _korea,
    "recordless": _recordless,
    "too many later": _fixed("<html><title>429</title><body>Too many requests</body></html>", 429),
    "truncated": _truncated,
}
"""Queries that differ only behind the gate. Any other query has an ordinary page there."""
