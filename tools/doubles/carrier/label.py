"""A shipping label as SVG, with the tracking code as a Code 39 barcode."""

import html

from tools.doubles.store import Json

_CODE39 = {
    "0": "nnnwwnwnn",
    "1": "wnnwnnnnw",
    "2": "nnwwnnnnw",
    "3": "wnwwnnnnn",
    "4": "nnnwwnnnw",
    "5": "wnnwwnnnn",
    "6": "nnwwwnnnn",
    "7": "nnnwnnwnw",
    "8": "wnnwnnwnn",
    "9": "nnwwnnwnn",
    "E": "wnnnwwnnn",
    "Z": "nwwnwnnnn",
    "*": "nwnnwnwnn",
}
"""Bars and spaces in turn, narrow or wide, of the characters in tracking codes and of the start and stop sign."""


def label(shipment: Json) -> str:
    """The label of a bought shipment."""
    code = shipment["tracking_code"]
    to, rate = shipment["to_address"], shipment["selected_rate"]
    place = " ".join(part for part in (to["city"], to["state"], to["zip"]) if part)
    lines = [to["name"], to["street1"], to["street2"], place, to["country"]]
    text = "".join(
        f'<text x="40" y="{190 + 34 * row}" font-size="26">{html.escape(line)}</text>'
        for row, line in enumerate(line for line in lines if line)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 600" font-family="sans-serif">'
        '<rect width="800" height="600" fill="#fff" stroke="#000" stroke-width="4"/>'
        f'<text x="40" y="70" font-size="44" font-weight="bold">{html.escape(rate["carrier"])} '
        f"{html.escape(rate['service'])}</text>"
        '<text x="40" y="110" font-size="20">TEST LABEL, NOT FOR SHIPPING</text>'
        f"{text}{_bars(code)}"
        f'<text x="400" y="575" font-size="28" text-anchor="middle">{html.escape(code)}</text></svg>'
    )


def _bars(code: str) -> str:
    x, drawn = 60, []
    for character in f"*{code}*":
        for position, width in enumerate(_CODE39[character]):
            modules = 6 if width == "w" else 2
            if position % 2 == 0:
                drawn.append(f'<rect x="{x}" y="400" width="{modules}" height="140"/>')
            x += modules
        x += 2
    return "".join(drawn)
