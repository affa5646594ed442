"""The pages that stand between a client and the results."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from tests.replica.google_results import script
from tests.replica.google_search import Search

GATE_COOKIE = "SG_SS"
CONSENT_COOKIE = "SOCS"
CONSENT_VALUE = "CAESHAgBEhIaAB"

_REJECT = {"set_eom": "true"}
_ACCEPT = {"set_sc": "true", "set_aps": "true", "set_eom": "false"}


def shell(search: Search, works: bool = True) -> str:
    """The page a browser's scripts must get through; one that does not work leads nowhere."""
    token = search.event_id
    trouble = escape(search.link(emsg="SG_REL", sei=token))
    pass_gate = (
        f"(function(){{var d=new Date();d.setSeconds(d.getSeconds()+30);"
        f"document.cookie='{GATE_COOKIE}=B.1.{token}; path=/; expires='+d.toUTCString();"
        f"location.replace(location.href+'&sei={token}');}})();"
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Google Search</title></head><body>'
        f'<noscript><meta content="0;url=/httpservice/retry/enablejs?sei={token}" http-equiv="refresh">'
        f'<div>Click <a href="/httpservice/retry/enablejs?sei={token}">here</a> to go on.</div></noscript>'
        f"{script('var challenge_version=1,sg_ss=null;')}"
        f'<div id="yvlrue" style="display:none">Trouble with Google Search? <a href="{trouble}">click here</a></div>'
        f"{script(pass_gate) if works else ''}</body></html>"
    )


def enable_javascript() -> str:
    """Where a client without scripts ends up."""
    return "<html><title>Google Search</title><body>Turn on JavaScript to keep searching.</body></html>"


def consent_address(wanted: str, language: str) -> str:
    """The consent page that leads on to ``wanted``."""
    fields = {"continue": wanted, "gl": "DE", "m": "0", "pc": "irp", "hl": language, "src": "1", "cm": "2"}
    return f"https://consent.google.com/ml?{urlencode(fields)}"


def consent_page(fields: dict[str, str]) -> str:
    """Two choices in two places each, every one a form."""
    forms = (("Reject all", _REJECT), ("Accept all", _ACCEPT), ("Accept all", _ACCEPT), ("Reject all", _REJECT))
    body = "".join(_consent_form(label, {**fields, **choice}) for label, choice in forms)
    head = "<head><title>Before you continue</title></head>"
    return f"<!DOCTYPE html><html>{head}<body><h1>Cookies</h1>{body}</body></html>"


def _consent_form(label: str, fields: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    name = "tWT92d" if fields["set_eom"] == "true" else "b3VHJd"
    return (
        f'<form action="https://consent.google.com/save" method="POST">{hidden}'
        f'<button type="submit" jsname="{name}" aria-label="{label}">{label}</button></form>'
    )


def consent_dialog(search: Search) -> str:
    """The choice as a dialog, with nothing behind it."""
    choose = (
        f"function choose(){{document.cookie='{CONSENT_COOKIE}={CONSENT_VALUE}; path=/; max-age=3600';"
        "location.reload();}"
        "['L2AGLb','W0wltc'].forEach(function(id){document.getElementById(id).addEventListener('click',choose);});"
    )
    return (
        f'<!doctype html><html lang="{escape(search.language)}"><head><title>Google Search</title></head><body>'
        '<div role="dialog" aria-modal="true"><h1>Before you continue</h1>'
        '<button id="W0wltc">Reject all</button><button id="L2AGLb">Accept all</button></div>'
        f"{script(choose)}</body></html>"
    )


def captcha_address(wanted: str) -> str:
    """Where a client under suspicion is sent."""
    return f"https://www.google.com/sorry/index?{urlencode({'continue': wanted, 'q': 'EgR_AAABGIS7kNIG'})}"


def captcha_page(wanted: str) -> str:
    """The CAPTCHA."""
    address = escape(wanted)
    return (
        f"<html><head><title>{address}</title></head><body>"
        '<form id="captcha-form" action="index" method="post">'
        '<div id="recaptcha" class="g-recaptcha" data-sitekey="replica" data-s="replica"></div>'
        f'<input type="hidden" name="q" value="replica"><input type="hidden" name="continue" value="{address}"></form>'
        "<div>Our systems have detected unusual traffic from your computer network.<br>"
        f"IP address: 203.0.113.7<br>URL: {address}</div></body></html>"
    )


def update_browser() -> str:
    """What a client that is too old is told."""
    return "<!DOCTYPE html><html><head><title>Google</title></head><body><p>Update your browser</p></body></html>"


def something_new() -> str:
    """A page of no known kind."""
    return (
        "<!DOCTYPE html><html><head><title>Something new</title></head>"
        '<body><main><img src="/images/new.png" alt="New"><p>Welcome to something new.</p></main></body></html>'
    )
