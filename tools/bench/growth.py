"""What a month costs as the shop grows: the idle month, and what visits and orders use, from 1 order to a million.

    docs/cost-growth.svg    the picture, drawn by `write`
"""

from collections.abc import Callable, Iterable
from math import log10
from pathlib import Path
from typing import Any

from tools.bench import cost
from tools.bench.play import Stretch
from tools.bench.prices import PRICES
from tools.local.instance import ROOT

PICTURE = ROOT / "docs" / "cost-growth.svg"
STEPS = tuple(10**power for power in range(7))
"""Orders a month."""
VISIT: tuple[Stretch, ...] = ("pages", "searches", "checkout", "order", "refund")

IDLE = {
    "alarms": 6.90,
    "3 secrets": 1.20,
    "encryption key": 1.00,
    "Lambda's polling of two queues": 0.52,
    "reconcile": 0.13,
}
"""Dollars of a month in which nobody shops, in prod; docs/cost.md says how each comes about."""

Parts = dict[Stretch, dict[str, Any]]
"""What was counted, by part of a visit (`tools.bench.play`)."""


def month(orders: int, parts: Parts, *, cached: bool = False, letters: bool = True) -> float:
    """Dollars of a month with so many orders. `cached`: CloudFront has every product page; `letters`: with e-mail."""
    used = cost.summed(
        cost.kept_by_cloudfront(parts[part]) if cached and part == "pages" else cost.units(parts[part])
        for part in VISIT
    )
    if not letters:
        used["email"] = 0
    return sum(IDLE.values()) + sum(PRICES[name].of(count) for name, count in used.items()) * orders


Curve = tuple[str, str, Callable[[int], float]]
"""What it shows, its colour, and dollars by orders a month."""


def curves(parts: Parts) -> tuple[Curve, ...]:
    """The pictured ones, the dearest first."""
    return (
        ("with e-mail", "#b3541e", lambda orders: month(orders, parts)),
        ("without e-mail", "#1f4e79", lambda orders: month(orders, parts, letters=False)),
        (
            "without e-mail, CloudFront keeps product pages",
            "#4a7c59",
            lambda orders: month(orders, parts, cached=True, letters=False),
        ),
    )


def write(parts: Parts, path: Path = PICTURE) -> None:
    """Draws the picture: both axes grow tenfold from line to line."""
    path.write_text(_picture(curves(parts)), encoding="utf-8")


_WIDTH, _HEIGHT, _LEFT, _TOP, _STEP_X, _STEP_Y = 760, 460, 70, 30, 105, 95
_DOLLARS = (1, 10, 100, 1_000, 10_000)


def _x(orders: float) -> float:
    return round(_LEFT + log10(orders) * _STEP_X, 1)


def _y(dollars: float) -> float:
    return round(_TOP + (log10(_DOLLARS[-1]) - log10(dollars)) * _STEP_Y, 1)


def _picture(drawn: Iterable[Curve]) -> str:
    end, floor = _x(STEPS[-1]), _y(_DOLLARS[0])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="13" role="img">',
        "<title>Dollars a month by orders a month</title>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for dollars in _DOLLARS:
        parts.append(_line(_LEFT, _y(dollars), end, _y(dollars)))
        parts.append(_text(_LEFT - 8, _y(dollars) + 4, f"${dollars:,}", anchor="end"))
    for orders in STEPS:
        parts.append(_line(_x(orders), _TOP, _x(orders), floor))
        parts.append(_text(_x(orders), floor + 20, f"{orders:,}"))
    parts.append(_text((_LEFT + end) / 2, floor + 42, "orders a month"))
    for position, (name, colour, dollars_of) in enumerate(drawn):
        points = " ".join(f"{_x(orders)},{_y(dollars_of(orders))}" for orders in _between())
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        height = _TOP + 24 + position * 22
        parts.append(f'<path d="M{_LEFT + 16} {height - 4}h24" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_LEFT + 48, height, name, anchor="start"))
    return "\n".join([*parts, "</svg>", ""])


def _between() -> Iterable[int]:
    """Enough points for a smooth line."""
    return sorted({round(10 ** (quarter / 4)) for quarter in range(4 * (len(STEPS) - 1) + 1)})


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1} {y1}L{x2} {y2}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
