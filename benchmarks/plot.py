"""Draw the memory of a process against the results it has passed, from what ``benchmarks.ledger --csv`` wrote.

    python -m benchmarks.plot ledger.csv pipeline.csv memory.svg

One line for each series. The colours are of middling brightness, for a white page and for a dark one.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 16, 70
GREY = "#808080"
COLOURS = ("#3b82f6", "#e8731a", "#2a9d5c", "#c2559d", "#8b6ff0", "#b08a1e")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 2")

Series = dict[str, list[tuple[float, float]]]


def read(paths: list[Path]) -> Series:
    """Results and megabytes of each series."""
    series: Series = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                series.setdefault(line["series"], []).append((float(line["results"]), float(line["mb"])))
    return series


def ticks(highest: float) -> list[float]:
    """Round numbers from 0 to the first that is not below ``highest``: four to eight of them."""
    raw = max(highest, 1) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    return [step * number for number in range(math.ceil(max(highest, 1) / step) + 1)]


def short(number: float) -> str:
    """As it stands at an axis.

    >>> [short(number) for number in (0, 250, 2_500, 100_000, 1_250_000)]
    ['0', '250', '2.5k', '100k', '1.25M']
    """
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def draw(series: Series) -> str:
    points = [point for line in series.values() for point in line]
    across, up = ticks(max(x for x, _ in points)), ticks(max(y for _, y in points))
    inside = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)

    def place(x: float, y: float) -> tuple[float, float]:
        return round(LEFT + x / across[-1] * inside[0], 1), round(HEIGHT - BOTTOM - y / up[-1] * inside[1], 1)

    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">',
        f"<title>Resident memory (MB) against results: {escape(', '.join(series))}</title>",
    ]
    for y in up:
        left, height = place(0, y)
        parts.append(_line(left, height, WIDTH - RIGHT, height, opacity=1 if y == 0 else 0.3))
        parts.append(_text(left - 8, height + 4, short(y), "end"))
    for x in across:
        left, height = place(x, 0)
        parts.append(_line(left, height, left, height + 5))
        parts.append(_text(left, height + 18, short(x)))
    parts.append(_line(LEFT, TOP, LEFT, HEIGHT - BOTTOM))
    parts.append(_text(LEFT + inside[0] / 2, HEIGHT - BOTTOM + 36, "results"))
    middle = TOP + inside[1] / 2
    parts.append(f'<g transform="rotate(-90 14 {middle})">{_text(14, middle, "MB resident")}</g>')
    for number, (name, line) in enumerate(series.items()):
        parts += _curve(number, name, [place(*point) for point in line], inside[0] / len(series))
    return "\n".join([*parts, "</svg>", ""])


def _curve(number: int, name: str, points: list[tuple[float, float]], room: float) -> Iterator[str]:
    """The line, a dot for each measurement, and what it is: below the chart, in its colour."""
    colour, dashes = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
    path = " ".join(f"{x},{y}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" {style}/>'
    for x, y in points:
        yield f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>'
    left, height = round(LEFT + number * room, 1), HEIGHT - 12
    yield f'<line x1="{left}" y1="{height - 4}" x2="{left + 28}" y2="{height - 4}" {style}/>'
    yield _text(left + 34, height, name, "start", colour)


def _line(x1: float, y1: float, x2: float, y2: float, *, opacity: float = 1) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{GREY}" stroke-opacity="{opacity}"/>'


def _text(x: float, y: float, words: str, anchor: str = "middle", colour: str = GREY) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, nargs="+", help="what benchmarks.ledger wrote")
    parser.add_argument("svg", type=Path)
    options = parser.parse_args()
    options.svg.write_text(draw(read(options.csv)), "utf-8")


if __name__ == "__main__":
    main()
