"""Charts as SVG, drawn here: nothing is loaded, nothing runs, and the figures stand beside them as a table.

Each is drawn twice, for a wide page and for a phone, so that its words are read at their own size on both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 24
FRAMES = (("wide", 720, 220, 7), ("narrow", 340, 200, 4))
"""(class, width, height, labels that have room)"""
COLOURS = 5
SPAN = " – "
"""Stands between the first and the last label of values that were taken together; axes have room for the first."""
MOST = 120
"""Values a line has at most; of more, neighbours are taken together."""
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """A line or the columns of one thing; `values` beside the chart's labels, None where there is none."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand in a drawing of so many `labels`; `top` is the value at its upper edge."""

    name: str
    width: int
    height: int
    room: int
    labels: int
    top: float

    @property
    def slot(self) -> float:
        return (self.width - LEFT - RIGHT) / max(self.labels, 1)

    def x(self, place: int) -> float:
        return LEFT + self.slot * (place + 0.5)

    def y(self, value: float) -> float:
        return TOP + (self.height - TOP - BOTTOM) * (1 - value / self.top)


def line_chart(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str) -> Markup:
    """Lines over the same labels. `write` says a value; `table_title` opens the figures as a table."""
    return _figure(title, labels, series, write, table_title, lambda frame: _lines(frame, series))


def bars(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str) -> Markup:
    """Columns beside each other at each label."""
    return _figure(title, labels, series, write, table_title, lambda frame: _columns(frame, series))


def spark(values: Sequence[float], title: str) -> Markup:
    """A small line without axes, beside a figure."""
    wide, high = 92, 26
    top = max(values, default=0) or 1
    step = wide / max(len(values) - 1, 1)
    points = [f"{step * place:.1f} {high - 3 - value / top * (high - 6):.1f}" for place, value in enumerate(values)]
    return Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><path d="M{}"/></svg>').format(
        wide, high, title, " L".join(points)
    )


def together(
    labels: Sequence[str], series: Sequence[Series], *, last: bool = False
) -> tuple[Sequence[str], Sequence[Series]]:
    """No more than `MOST` values: neighbours are added up in groups of one size, labelled from the first to the last
    of them; what only grows stands by the last of them, labelled so."""
    size = ceil(len(labels) / MOST)
    if size <= 1:
        return labels, series
    # Whole groups up to today, so that the line does not fall at its end; what is over at the beginning is left out.
    over = 0 if last else len(labels) % size

    def of(values: Sequence[float | None]) -> list[float | None]:
        groups = [values[begin : begin + size] for begin in range(over, len(values), size)]
        return [group[-1] if last else sum(value or 0 for value in group) for group in groups]

    groups = [labels[begin : begin + size] for begin in range(over, len(labels), size)]
    said = [group[-1] if last else f"{group[0]}{SPAN}{group[-1]}" for group in groups]
    return said, [Series(one.name, of(one.values)) for one in series]


def _lines(frame: _Frame, series: Sequence[Series]) -> str:
    drawn = []
    for number, one in enumerate(series):
        points = [(frame.x(place), frame.y(value)) for place, value in enumerate(one.values) if value is not None]
        if not points:
            continue
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        (first, _), (last, end), ground = points[0], points[-1], frame.y(0)
        area = f'<path class="area" d="{path} L{last:.1f} {ground:.1f} L{first:.1f} {ground:.1f}Z"/>'
        drawn.append(
            f'<g class="s{number % COLOURS + 1}">{area if len(series) == 1 else ""}<path class="line" d="{path}"/>'
            f'<circle class="dot" cx="{last:.1f}" cy="{end:.1f}" r="3"/></g>'
        )
    return "".join(drawn)


def _columns(frame: _Frame, series: Sequence[Series]) -> str:
    wide = max(frame.slot * 0.72 / max(len(series), 1), 1.0)
    drawn = []
    for number, one in enumerate(series):
        for place, value in enumerate(one.values):
            if value and value > 0:
                x, y = LEFT + frame.slot * (place + 0.14) + wide * number, frame.y(value)
                drawn.append(
                    f'<rect class="column s{number % COLOURS + 1}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
                    f'height="{max(frame.y(0) - y, 0.5):.1f}"/>'
                )
    return "".join(drawn)


def _scale(series: Sequence[Series]) -> tuple[float, float]:
    """A round number that no value is above, and how far the lines of the grid are apart."""
    most = max((value for one in series for value in one.values if value is not None), default=0)
    if most <= 4:
        return (float(max(ceil(most), 1)), 1.0) if most >= 1 or most <= 0 else (1.0, 0.25)
    unit = 10 ** floor(log10(most))
    steps = ((1, 0.2), (2, 0.5), (2.5, 0.5), (5, 1.0), (10, 2.0))
    top, step = next((top, step) for top, step in steps if top * unit >= most)
    return top * unit, max(step * unit, 1.0)


def _grid(frame: _Frame, step: float, write: Write) -> str:
    lines = []
    for number in range(int(frame.top / step) + 1):
        y = frame.y(number * step)
        lines.append(f'<line class="axis" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        said = escape(write(number * step))
        lines.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
    return "".join(lines)


def _under(frame: _Frame, labels: Sequence[str]) -> str:
    """As many labels as have room, evenly."""
    every = max(1, ceil(len(labels) / frame.room))
    begins = [escape(label.partition(SPAN)[0]) for label in labels]
    return "".join(
        f'<text x="{frame.x(place):.1f}" y="{frame.height - 6}" text-anchor="middle">{begin}</text>'
        for place, begin in enumerate(begins)
        if place % every == 0 and place + every / 2 <= len(labels)
    )


def _hovers(frame: _Frame, labels: Sequence[str], series: Sequence[Series], write: Write) -> str:
    """A strip over each label that says its figures to the mouse; keyboards and readers have the table."""
    strips = []
    for place, label in enumerate(labels):
        said = "\n".join(f"{one.name} {write(value)}" for one in series if (value := one.values[place]) is not None)
        strips.append(
            f'<rect class="touch" x="{LEFT + frame.slot * place:.1f}" y="{TOP}" width="{frame.slot:.1f}" '
            f'height="{frame.height - TOP - BOTTOM}"><title>{escape(label)}\n{escape(said)}</title></rect>'
        )
    return "".join(strips)


def _figure(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    write: Write,
    table_title: str,
    draw: Callable[[_Frame], str],
) -> Markup:
    keys = "".join(
        f'<span class="key s{number % COLOURS + 1}"><i aria-hidden="true"></i>{escape(one.name)}</span>'
        for number, one in enumerate(series)
    )
    top, step = _scale(series)
    drawings = []
    for name, width, height, room in FRAMES:
        frame = _Frame(name, width, height, room, len(labels), top)
        inside = _grid(frame, step, write) + _under(frame, labels) + draw(frame)
        hovers = _hovers(frame, labels, series, write) if name == "wide" else ""
        drawings.append(
            f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
            f"{inside}{hovers}</svg>"
        )
    return Markup(  # noqa: S704  # every word in it was escaped where it was put in
        f'<figure class="chart"><figcaption>{keys}</figcaption>{"".join(drawings)}'
        f"{_table(title, labels, series, write, table_title)}</figure>"
    )


def _table(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, table_title: str) -> str:
    head = "".join(f'<th scope="col" class="num">{escape(one.name)}</th>' for one in series)
    rows = []
    for place, label in reversed(list(enumerate(labels))):
        cells = "".join(
            f'<td class="num">{"" if (value := one.values[place]) is None else escape(write(value))}</td>'
            for one in series
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>')
    return (
        f'<details class="figures-of"><summary>{escape(table_title)}</summary>'
        f'<div class="table-box" tabindex="0" role="region" aria-label="{escape(title)}"><table class="table keep">'
        f'<caption class="unseen">{escape(title)}</caption><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )
