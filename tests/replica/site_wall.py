"""A host whose pictures only a browser finds, and only one that scrolls step by step.

The page is an empty shell. Its script asks for a batch of pictures when the end of the page comes near, and gives a
picture its address when it comes into view: one that jumps to the end leaves out what lies between.
"""

from __future__ import annotations

import json
import re

from tests.replica.exchange import Answer, Request, not_found, page
from tests.replica.pictures import PictureAddress
from tests.replica.site_pictures import send

HOST = "wall.example"
SITE = f"https://{HOST}"
BATCH = 12
BATCHES = 5
HEIGHT = 300
"""The height of a picture on the page, and of the place that is kept for it."""
END = "That is all."
"""What the page says when there are no more."""

_SIZE = (360, 270)
_PICTURE = re.compile(r"/pictures/(?:wall|endless|plain)-\d{1,6}\.jpg")
_MORE = re.compile(r"(?P<folder>|/endless)/more\.json")

_SHELL = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>%(title)s</title>
<style>body { margin: 0 } img { display: block; width: 400px; height: %(height)dpx; margin: 10px }</style></head>
<body><h1>%(title)s</h1><div id="wall"></div><p id="end">Loading</p>
<script>
const wall = document.getElementById("wall"), end = document.getElementById("end");
let page = 0;
const views = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (entry.isIntersecting) {
      entry.target.src = "/pictures/" + entry.target.dataset.real + ".jpg";
      views.unobserve(entry.target);
    }
  }
});
const ends = new IntersectionObserver(async entries => {
  if (!entries.some(entry => entry.isIntersecting)) return;
  ends.unobserve(end);
  page += 1;
  const answer = await fetch("%(folder)s/more.json?page=" + page);
  const batch = await answer.json();
  for (const one of batch.pictures) {
    const img = document.createElement("img");
    img.alt = one.alt;
    img.dataset.real = one.real;
    wall.append(img);
    views.observe(img);
  }
  if (batch.more) ends.observe(end);
  else end.textContent = "%(end)s";
}, { rootMargin: "200px" });
ends.observe(end);
</script></body></html>
"""


def wall_pictures(path: str = "/", batches: int = BATCHES) -> list[str]:
    """The addresses of the pictures in their order; those of ``/endless`` up to that many ``batches``."""
    name = {"/": "wall", "/endless": "endless", "/plain": "plain"}[path]
    count = {"/": BATCH * min(batches, BATCHES), "/endless": BATCH * batches, "/plain": 3}[path]
    return [f"{SITE}/pictures/{name}-{number}.jpg" for number in range(1, count + 1)]


def alt_of(number: int) -> str:
    """The text for the picture with this number."""
    return f"Brick number {number}"


def wall(request: Request) -> Answer:
    """wall.example."""
    if _PICTURE.fullmatch(request.route):
        return send(request, PictureAddress("jpeg", _SIZE, request.route).picture(), "image/jpeg")
    if found := _MORE.fullmatch(request.route):
        return _more(found["folder"], request.params.get("page", ""))
    match request.path:
        case "/":
            return page(_SHELL % {"title": "The wall", "height": HEIGHT, "folder": "", "end": END})
        case "/endless":
            return page(_SHELL % {"title": "The endless wall", "height": HEIGHT, "folder": "/endless", "end": END})
        case "/plain":
            shown = enumerate(wall_pictures("/plain"), start=1)
            images = "".join(f'<img src="{url}" alt="{alt_of(number)}">' for number, url in shown)
            return page(f"<!DOCTYPE html><html><head><title>The plain wall</title></head><body>{images}</body></html>")
    return not_found()


def _more(folder: str, number: str) -> Answer:
    """A batch of pictures, and whether there is another."""
    if not number.isdecimal() or not 1 <= int(number) <= (99_999 if folder else BATCHES):
        return page('{"pictures": [], "more": false}', content_type="application/json")
    name, first = "endless" if folder else "wall", (int(number) - 1) * BATCH + 1
    batch = [{"real": f"{name}-{place}", "alt": alt_of(place)} for place in range(first, first + BATCH)]
    more = bool(folder) or int(number) < BATCHES
    return page(json.dumps({"pictures": batch, "more": more}), content_type="application/json")
