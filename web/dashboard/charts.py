"""Charts as SVG, drawn here: nothing is loaded, nothing runs, and the figures stand beside them as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 24
COLOURS = 5
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """A line or the columns of one thing; `values` beside the chart's labels, None where there is none."""

    name: str
    values: Sequence[float | None]


def line_chart(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str) -> Markup:
    """Lines over the same labels. `write` says a value; `table_title` opens the figures as a table."""
    top = _ceiling(series)
    steps = _steps(top)
    parts = [_grid(steps, top, write), _labels(labels)]
    for number, one in enumerate(series):
        points = [
            (_x(place, len(labels)), _y(value, top)) for place, value in enumerate(one.values) if value is not None
        ]
        colour = f"s{number % COLOURS + 1}"
        if points:
            path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            floor_at = _y(0, top)
            area = f"{path} L{points[-1][0]:.1f} {floor_at:.1f} L{points[0][0]:.1f} {floor_at:.1f}Z"
            shade = f'<path class="area" d="{area}"/>' if len(series) == 1 else ""
            dot = f'<circle class="dot" cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="3"/>'
            parts.append(f'<g class="{colour}">{shade}<path class="line" d="{path}"/>{dot}</g>')
    parts.append(_hovers(labels, series, write))
    return _figure(title, labels, series, write, table_title, "".join(parts))


def bars(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str) -> Markup:
    """Columns beside each other at each label."""
    top = _ceiling(series)
    parts = [_grid(_steps(top), top, write), _labels(labels)]
    slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    wide = max(slot * 0.72 / max(len(series), 1), 1.0)
    for number, one in enumerate(series):
        drawn = []
        for place, value in enumerate(one.values):
            if value:
                x = LEFT + slot * place + slot * 0.14 + wide * number
                y = _y(max(value, 0), top)
                high = max(_y(0, top) - y, 0.5)
                drawn.append(f'<rect class="column" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>')
        parts.append(f'<g class="s{number % COLOURS + 1}">{"".join(drawn)}</g>')
    parts.append(_hovers(labels, series, write))
    return _figure(title, labels, series, write, table_title, "".join(parts))


def spark(values: Sequence[float], title: str) -> Markup:
    """A small line without axes, beside a figure."""
    wide, high = 92, 26
    top = max(values, default=0) or 1
    step = wide / max(len(values) - 1, 1)
    points = [f"{step * place:.1f} {high - 3 - value / top * (high - 6):.1f}" for place, value in enumerate(values)]
    return Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><path d="M{}"/></svg>').format(
        wide, high, title, " L".join(points)
    )


def _ceiling(series: Sequence[Series]) -> float:
    """A round number that no value is above."""
    most = max((value for one in series for value in one.values if value is not None), default=0)
    if most <= 0:
        return 1.0
    unit = 10 ** floor(log10(most))
    return float(next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= most))


def _steps(top: float) -> list[float]:
    """Where the grid has lines; whole numbers where the values are few."""
    if top <= 4:
        return [float(number) for number in range(ceil(top) + 1)]
    return [top * number / 4 for number in range(5)]


def _x(place: int, number: int) -> float:
    slot = (WIDTH - LEFT - RIGHT) / max(number, 1)
    return LEFT + slot * (place + 0.5)


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _grid(steps: Sequence[float], top: float, write: Write) -> str:
    lines = []
    for value in steps:
        y = _y(value, top)
        lines.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{escape(write(value))}</text>')
    return "".join(lines)


def _labels(labels: Sequence[str]) -> str:
    """As many as have room, evenly."""
    every = max(1, ceil(len(labels) / 7))
    return "".join(
        f'<text x="{_x(place, len(labels)):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0 and place + every / 2 <= len(labels)
    )


def _hovers(labels: Sequence[str], series: Sequence[Series], write: Write) -> str:
    """A strip over each label that says its figures to the mouse; keyboards and readers have the table."""
    slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    strips = []
    for place, label in enumerate(labels):
        said = "\n".join(f"{one.name} {write(value)}" for one in series if (value := one.values[place]) is not None)
        strips.append(
            f'<rect class="touch" x="{LEFT + slot * place:.1f}" y="{TOP}" width="{slot:.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"><title>{escape(label)}\n{escape(said)}</title></rect>'
        )
    return "".join(strips)


def _figure(
    title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str, inside: str
) -> Markup:
    keys = "".join(
        f'<span class="key s{number % COLOURS + 1}"><i aria-hidden="true"></i>{escape(one.name)}</span>'
        for number, one in enumerate(series)
    )
    head = "".join(f'<th scope="col" class="num">{escape(one.name)}</th>' for one in series)
    rows = "".join(
        f'<tr><td data-label="">{escape(label)}</td>'
        + "".join(
            f'<td class="num" data-label="{escape(one.name)}">'
            f"{'' if one.values[place] is None else escape(write(one.values[place] or 0))}</td>"
            for one in series
        )
        + "</tr>"
        for place, label in reversed(list(enumerate(labels)))
    )
    return Markup(  # noqa: S704  # every word in it was escaped where it was put in
        f'<figure class="chart"><figcaption>{keys}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{inside}</svg>'
        f'<details class="figures-of"><summary>{escape(table_title)}</summary><div class="table-box">'
        f'<table class="table"><caption class="unseen">{escape(title)}</caption><thead><tr><td></td>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div></details></figure>"
    )
