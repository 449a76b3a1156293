"""Draws the pictures of the demo catalogue: `python demo/draw.py` writes every picture that products.csv names.

A picture's name is its shape and its colour: `mug-sage.svg`. Shapes are a few lines of SVG on a field of 400 by 400,
lit from the upper left; each takes its tones from one colour.
"""

import csv
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent

COLOURS = {
    "blush": "#e5a89b",
    "brass": "#c79a4b",
    "charcoal": "#454a52",
    "clay": "#c4694a",
    "cream": "#f0e3c4",
    "forest": "#2f5d4a",
    "ink": "#2b3a55",
    "moss": "#74813f",
    "mustard": "#d8a032",
    "natural": "#d9c39c",
    "navy": "#25406e",
    "oak": "#c8995f",
    "oat": "#e0cfae",
    "plum": "#72405f",
    "rust": "#a94f2d",
    "sage": "#9db394",
    "sand": "#d8b98e",
    "sky": "#8fb8d0",
    "slate": "#6b7b8c",
    "walnut": "#7d5434",
    "white": "#f4f1ea",
}

Shape = Callable[["Tones"], str]
SHAPES: dict[str, Shape] = {}


class Tones:
    """A colour as it looks in the middle, in the light and in the shade."""

    def __init__(self, colour: str) -> None:
        self.mid = colour
        self.light = mixed(colour, "#ffffff", 0.28)
        self.dark = mixed(colour, "#1d1a2b", 0.22)
        self.deep = mixed(colour, "#1d1a2b", 0.45)


def mixed(one: str, other: str, part: float) -> str:
    """`part` of `other` in `one`; colours as #rrggbb."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def shape(call: Shape) -> Shape:
    """Makes the function's name the shape's name."""
    SHAPES[call.__name__] = call
    return call


def path(fill: str, d: str, extra: str = "") -> str:
    """A filled outline."""
    return f'<path fill="{fill}" d="{d}"{extra}/>'


def line(stroke: str, d: str, width: float = 6) -> str:
    """A drawn line with round ends."""
    return f'<path fill="none" stroke="{stroke}" stroke-width="{width}" d="{d}"/>'


def box(fill: str, x: float, y: float, w: float, h: float, r: float = 0) -> str:
    """A rectangle, its corners rounded by `r`."""
    return f'<rect fill="{fill}" x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}"/>'


def oval(fill: str, x: float, y: float, a: float, b: float | None = None) -> str:
    """An ellipse around (x, y); a circle where `b` is left out."""
    return f'<ellipse fill="{fill}" cx="{x}" cy="{y}" rx="{a}" ry="{a if b is None else b}"/>'


def turned(angle: float, *parts: str) -> str:
    """The parts, turned around the middle of the picture."""
    return f'<g transform="rotate({angle} 200 200)">{"".join(parts)}</g>'


def rows(stroke: str, xs: tuple[float, float], ys: range, width: float = 3) -> str:
    """Level lines, one above the other."""
    return line(stroke, "".join(f"M{xs[0]} {y}H{xs[1]}" for y in ys), width)


WOOD = Tones(COLOURS["oak"])
STEEL = Tones("#b9c0c6")
LEATHER = Tones("#8a5a36")
PAPER = "#fbf7ec"
LEAF = Tones("#5f8a4f")
GLOW = "#ffe6a3"

# kitchen


@shape
def mug(c: Tones) -> str:
    """A mug with a thumb rest."""
    return (
        line(c.dark, "M268 178c58-8 62 84-6 88", 20)
        + path(c.mid, "M122 138h156l-10 146q-2 22-26 22h-84q-24 0-26-22z")
        + path(c.light, "M122 138h46l4 168h-14q-24 0-26-22z")
        + oval(c.deep, 200, 138, 78, 17)
        + oval("#5b3a26", 200, 142, 66, 12)
        + path(c.dark, "M130 256h140l-2 28q-2 22-26 22h-84q-24 0-26-22z", ' opacity=".45"')
    )


@shape
def teapot(c: Tones) -> str:
    """A round-bellied pot."""
    return (
        line(c.dark, "M282 190c66-14 62 76 2 82", 18)
        + path(c.mid, "M128 232c-40-6-42-54-72-58l-6 16c24 10 22 76 76 86z")
        + oval(c.mid, 204, 236, 92, 78)
        + path(c.light, "M126 200c30-46 70-46 82-42-40 30-52 90-34 150-60-16-70-70-48-108z", ' opacity=".7"')
        + path(c.dark, "M152 168q52-30 104 0l-8 10h-88z")
        + oval(c.deep, 204, 142, 14)
    )


@shape
def dripper(c: Tones) -> str:
    """A dripper on a glass."""
    return (
        path("#dbe7ea", "M146 258h108l-10 62q-2 10-12 10h-64q-10 0-12-10z", ' opacity=".9"')
        + path("#6a4327", "M152 290h96l-4 30q-2 10-12 10h-64q-10 0-12-10z")
        + line(c.dark, "M276 152c44-4 40 52-16 50", 13)
        + path(c.mid, "M108 128h184l-62 104h-60z")
        + path(c.light, "M108 128h54l26 104h-18z")
        + line(c.dark, "M176 150l14 70M216 150l-4 70M254 150l-24 70", 4)
        + oval(c.deep, 200, 128, 92, 18)
        + box(c.dark, 126, 230, 148, 18, 9)
    )


@shape
def carafe(c: Tones) -> str:
    """A glass carafe with a cork."""
    return (
        path(
            mixed(c.mid, "#ffffff", 0.6),
            "M172 92h56v64c0 26 58 46 58 116 0 44-26 58-86 58s-86-14-86-58c0-70 58-90 58-116z",
        )
        + path(c.mid, "M121 244q79-22 158 0 8 86-79 86t-79-86z", ' opacity=".8"')
        + oval(c.light, 200, 242, 79, 14)
        + box("#c79b6b", 170, 70, 60, 34, 8)
        + line("#ffffff", "M146 236c2-34 32-48 40-76", 7)
    )


@shape
def grinder(c: Tones) -> str:
    """A hand grinder with its crank."""
    return (
        line(STEEL.dark, "M200 96V78H290", 12)
        + oval(WOOD.mid, 292, 74, 17, 20)
        + box(STEEL.mid, 150, 96, 100, 26, 10)
        + box(c.mid, 146, 118, 108, 124, 10)
        + box(c.light, 156, 118, 22, 124, 6)
        + box(STEEL.dark, 146, 238, 108, 14)
        + box(c.dark, 150, 250, 100, 84, 14)
        + box(c.mid, 160, 252, 18, 78, 6)
    )


@shape
def beans(c: Tones) -> str:
    """A bag of coffee."""
    bean = "".join(
        oval("#5a3825", x, y, 17, 12) + line("#3c2416", f"M{x - 14} {y}q14-7 28 0", 3)
        for x, y in ((110, 320), (296, 318), (322, 330))
    )
    return (
        path(c.mid, "M130 96h140l14 230H116z")
        + path(c.light, "M130 96h34l-6 230h-42z", ' opacity=".6"')
        + path(c.dark, "M126 82h148l-2 34H128z")
        + box(PAPER, 152, 168, 96, 100, 8)
        + oval("#5a3825", 200, 206, 28, 20)
        + line(PAPER, "M174 206q26-14 52 0", 4)
        + rows("#c9bda3", (170, 230), range(242, 260, 12))
        + bean
    )


@shape
def bowl(c: Tones) -> str:
    """A deep bowl."""
    return (
        path(c.mid, "M82 178h236c0 78-50 126-84 130h-68c-34-4-84-52-84-130z")
        + path(c.light, "M82 178h60c0 60 18 110 44 130h-20c-34-4-84-52-84-130z", ' opacity=".7"')
        + box(c.dark, 156, 300, 88, 18, 8)
        + oval(c.light, 200, 178, 118, 30)
        + oval(c.dark, 200, 182, 102, 22)
    )


@shape
def plate(c: Tones) -> str:
    """A plate, seen from above."""
    return (
        oval(c.dark, 204, 212, 136)
        + oval(c.mid, 200, 204, 136)
        + oval(c.light, 200, 202, 124)
        + oval(c.mid, 200, 206, 94)
        + path(c.light, "M122 180a86 86 0 0 1 90-60 110 110 0 0 0-90 60z")
    )


@shape
def board(c: Tones) -> str:
    """A serving board."""
    return turned(
        32,
        path(c.dark, "M122 150q0-26 26-26h34l4-70q2-14 14-14t14 14l4 70h34q26 0 26 26v166q0 26-26 26H148q-26 0-26-26z"),
        path(c.mid, "M122 144q0-26 26-26h34l4-70q2-14 14-14t14 14l4 70h34q26 0 26 26v162q0 26-26 26H148q-26 0-26-26z"),
        oval(c.deep, 200, 58, 7),
        line(c.light, "M150 134c10 60-10 120 4 190M206 130c-14 70 16 120 0 196M244 136c8 60-12 110 2 184", 4),
    )


@shape
def pot(c: Tones) -> str:
    """A stock pot with its lid."""
    return (
        line("#33302f", "M104 206H76v34h28M296 206h28v34h-28", 12)
        + box(c.mid, 104, 176, 192, 144, 20)
        + box(c.light, 118, 180, 34, 134, 14)
        + path(c.dark, "M96 176q0-46 104-46t104 46z")
        + box("#33302f", 96, 170, 208, 12, 6)
        + oval("#33302f", 200, 122, 18, 13)
    )


@shape
def napkins(c: Tones) -> str:
    """Folded napkins with a ribbon."""
    return (
        "".join(
            box(tone, 92 + i * 5, 244 - i * 26, 216 - i * 10, 40, 12)
            for i, tone in enumerate((c.dark, c.mid, c.dark, c.mid))
        )
        + box(c.light, 112, 152, 176, 24, 10)
        + path(LEATHER.mid, "M182 146h36v140h-36z")
        + path(LEATHER.light, "M182 150c-30-34-64-8-34 6zM218 150c30-34 64-8 34 6z")
        + oval(LEATHER.dark, 200, 152, 13)
    )


@shape
def spoons(c: Tones) -> str:
    """Three wooden spoons."""

    def spoon(angle: float, tone: str, shade: str) -> str:
        bowl_of_it = oval(tone, 200, 110, 32, 46) + oval(shade, 200, 112, 21, 33)
        return turned(angle, box(tone, 193, 150, 14, 200, 7), bowl_of_it)

    return spoon(-24, c.dark, c.deep) + spoon(24, c.light, c.mid) + spoon(0, c.mid, c.dark)


# home


@shape
def throw(c: Tones) -> str:
    """A folded throw with fringes."""
    return (
        line(c.light, "".join(f"M{x} 290v34" for x in range(104, 300, 16)), 6)
        + box(c.dark, 84, 206, 232, 92, 26)
        + box(c.mid, 84, 146, 232, 92, 30)
        + box(c.light, 84, 112, 232, 70, 30)
        + line(c.mid, "M120 116v60M160 114v66M240 114v66M280 116v60", 8)
        + line(c.light, "M92 240h216M96 268h206", 5)
    )


@shape
def cushion(c: Tones) -> str:
    """A plump cushion."""
    return (
        path(c.dark, "M92 96q108 26 216 0 24 112 0 220-108-24-216 0-24-108 0-220z")
        + path(c.mid, "M92 92q108 26 216 0 22 106 0 212-108-24-216 0-22-106 0-212z")
        + path(c.light, "M112 122q60 16 110 10-80 40-104 130-12-70-6-140z", ' opacity=".6"')
        + line(c.dark, "M118 118q82 18 164 0M118 280q82-16 164 0", 3)
    )


@shape
def towel(c: Tones) -> str:
    """A towel over a rail."""
    return (
        box(STEEL.dark, 70, 98, 260, 12, 6)
        + path(c.dark, "M226 96h58v172h-58z")
        + path(c.mid, "M116 108q0-20 20-20h128v230H116z")
        + path(c.light, "M116 108q0-20 20-20h24v230h-44z", ' opacity=".6"')
        + rows(c.dark, (128, 252), range(140, 220, 24), 2)
        + line(c.dark, "M150 124v110M180 124v110M210 124v110M240 124v110", 2)
        + box(c.dark, 116, 274, 148, 12)
    )


@shape
def mat(c: Tones) -> str:
    """A braided mat."""
    return "".join(
        oval(fill, 200, 216, a, b).replace("/>", f' stroke="{c.dark}" stroke-width="3" stroke-dasharray="13 6"/>')
        for a, b, fill in ((144, 92, c.mid), (116, 72, c.light), (88, 52, c.mid), (60, 33, c.light), (32, 15, c.mid))
    )


@shape
def lamp(c: Tones) -> str:
    """A table lamp that is on."""
    return (
        oval(GLOW, 200, 170, 128).replace("/>", ' opacity=".45"/>')
        + line(c.dark, "M164 112q36-58 72 0", 8)
        + box(c.mid, 150, 108, 100, 20, 10)
        + box(GLOW, 158, 126, 84, 118, 10)
        + oval("#fff8df", 200, 186, 24, 40)
        + line(c.dark, "M160 128v116M240 128v116", 7)
        + path(c.mid, "M146 244h108l16 74q2 10-10 10H140q-12 0-10-10z")
        + path(c.light, "M146 244h32l-12 84h-26q-12 0-10-10z")
    )


@shape
def moon(c: Tones) -> str:
    """A paper pendant."""
    return (
        line("#45413f", "M200 20v70", 4)
        + oval(c.mid, 200, 206, 120, 116)
        + oval("#fff6da", 176, 180, 72, 76).replace("/>", ' opacity=".75"/>')
        + line(
            c.dark,
            "M120 120q80 22 160 0M92 160q108 28 216 0M80 206q120 30 240 0M92 252q108 28 216 0M120 292q80 22 160 0",
            2.5,
        )
        + box("#45413f", 182, 84, 36, 12, 4)
    )


@shape
def candle(c: Tones) -> str:
    """A burning pillar candle."""
    return (
        oval(GLOW, 200, 96, 74).replace("/>", ' opacity=".4"/>')
        + path("#f2a33a", "M200 46c28 36 24 66 0 70-24-4-28-34 0-70z")
        + path("#fff0b8", "M200 76c12 18 10 34 0 36-10-2-12-18 0-36z")
        + line("#45413f", "M200 112v26", 4)
        + box(c.mid, 142, 136, 116, 184, 8)
        + box(c.light, 154, 140, 26, 180, 6)
        + oval(c.light, 200, 138, 58, 13)
        + path(c.light, "M230 138h28v44q-6 16-14 0t-14 0z")
        + oval(STEEL.mid, 200, 322, 90, 14)
    )


@shape
def clock(c: Tones) -> str:
    """A wall clock at ten past ten."""
    ticks = "".join(turned(angle, box(c.deep, 197, 92, 6, 20, 3)) for angle in range(0, 360, 90))
    return (
        oval(c.deep, 204, 210, 132)
        + oval(c.dark, 200, 202, 132)
        + oval(c.mid, 200, 202, 118)
        + ticks
        + line(c.deep, "M200 200L144 168", 10)
        + line(c.deep, "M200 200L262 134", 7)
        + line(COLOURS["rust"], "M200 200V284", 4)
        + oval(COLOURS["rust"], 200, 200, 9)
    )


# bags


@shape
def backpack(c: Tones) -> str:
    """A backpack with a front pocket."""
    return (
        line(c.deep, "M168 92q32-52 64 0", 12)
        + path(c.mid, "M110 160q0-76 90-76t90 76v138q0 28-28 28H138q-28 0-28-28z")
        + path(c.light, "M110 160q0-60 50-72-20 30-20 80v158q-30 0-30-28z", ' opacity=".5"')
        + path(c.dark, "M110 176q0-12 0-16 4-76 90-76t90 76v16q-90 40-180 0z")
        + box(LEATHER.mid, 156, 150, 18, 78, 6)
        + box(LEATHER.mid, 226, 150, 18, 78, 6)
        + box(c.dark, 134, 232, 132, 78, 16)
        + line(LEATHER.light, "M150 250h100", 5)
    )


@shape
def tote(c: Tones) -> str:
    """A tote with long handles."""
    return (
        line(c.dark, "M152 176c-6-130 102-130 96 0", 12)
        + path(c.mid, "M104 156h192l14 170H90z")
        + path(c.light, "M104 156h48l-14 170H90z", ' opacity=".6"')
        + box(c.dark, 103, 156, 194, 12)
        + path(LEAF.mid, "M200 290c-52-22-50-66-2-86 46 22 50 64 2 86z")
        + line(PAPER, "M200 290v-70M200 262l-20-16M200 248l20-16", 4)
    )


@shape
def duffel(c: Tones) -> str:
    """A duffel bag."""
    return (
        line(LEATHER.dark, "M146 176c0-100 108-100 108 0", 12)
        + box(c.mid, 62, 156, 276, 148, 60)
        + path(c.light, "M122 156q-60 4-60 60v28q0 60 60 60-30-74 0-148z", ' opacity=".6"')
        + box(LEATHER.mid, 136, 156, 22, 148)
        + box(LEATHER.mid, 242, 156, 22, 148)
        + line(COLOURS["brass"], "M96 172h208", 5)
        + box(c.dark, 158, 214, 84, 62, 10)
    )


@shape
def sleeve(c: Tones) -> str:
    """A felt sleeve with a strap."""
    return (
        box(STEEL.light, 100, 90, 200, 60, 10)
        + box(c.dark, 84, 124, 232, 186, 14)
        + box(c.mid, 84, 118, 232, 186, 14)
        + box(c.light, 94, 128, 212, 166, 8)
        + box(c.mid, 97, 131, 206, 160, 6)
        + box(LEATHER.mid, 184, 104, 32, 96, 8)
        + oval(COLOURS["brass"], 200, 180, 8)
    )


@shape
def cubes(c: Tones) -> str:
    """Three packing cubes."""

    def cube(x: float, y: float, w: float, h: float, tone: str) -> str:
        mesh = "".join(f"M{x + 16} {y + d}h{w - 32}" for d in range(18, int(h) - 22, 8))
        return box(tone, x, y, w, h, 12) + line(c.light, mesh, 2) + box(c.deep, x + w / 2 - 18, y + h - 14, 36, 7, 3)

    return cube(84, 224, 232, 100, c.mid) + cube(106, 138, 188, 82, c.dark) + cube(136, 74, 128, 60, c.mid)


# outdoor


@shape
def bottle(c: Tones) -> str:
    """An insulated bottle."""
    return (
        box(STEEL.dark, 164, 58, 72, 56, 12)
        + box(STEEL.light, 172, 62, 16, 48, 6)
        + box(STEEL.mid, 170, 110, 60, 16)
        + path(c.mid, "M150 164q0-40 34-40h32q34 0 34 40v150q0 22-22 22h-56q-22 0-22-22z")
        + path(c.light, "M162 164q0-30 22-34v202q-22 0-22-22z", ' opacity=".8"')
        + path(PAPER, "M188 226l24-34 24 34z", ' opacity=".85"')
        + box(STEEL.mid, 152, 314, 96, 14)
    )


@shape
def lantern(c: Tones) -> str:
    """A camp lantern."""
    return (
        line("#45413f", "M150 130c0-90 100-90 100 0", 7)
        + path(c.mid, "M150 128q0-28 50-28t50 28l10 16H140z")
        + box(GLOW, 152, 144, 96, 104, 8)
        + oval("#fffbe8", 200, 196, 26, 36)
        + line(c.dark, "M154 144v104M184 144v104M216 144v104M246 144v104", 4)
        + box(c.mid, 136, 246, 128, 76, 16)
        + box(c.light, 148, 250, 22, 66, 8)
        + oval(COLOURS["mustard"], 200, 284, 11)
    )


@shape
def hammock(c: Tones) -> str:
    """A hammock between two trunks."""
    return (
        box(LEATHER.dark, 50, 60, 26, 266, 8)
        + box(LEATHER.dark, 324, 60, 26, 266, 8)
        + line("#45413f", "M76 130l46 42M324 130l-46 42", 5)
        + path(c.dark, "M110 164q90 60 180 0-20 112-90 112t-90-112z")
        + path(c.mid, "M110 164q90 134 180 0-14 112-90 112t-90-112z")
        + line(c.light, "M132 204q68 66 136 0M146 234q54 40 108 0", 5)
        + oval(LEAF.mid, 63, 64, 48, 34)
        + oval(LEAF.light, 338, 58, 50, 36)
    )


@shape
def picnic(c: Tones) -> str:
    """A rolled blanket with straps."""
    return (
        path(c.mid, "M92 176h180v124H92z")
        + line(c.light, "M92 206h180M92 246h180M92 284h180", 6)
        + line(c.dark, "M130 176v124M236 176v124", 6)
        + oval(c.dark, 272, 238, 46, 62)
        + oval(c.light, 272, 238, 34, 48)
        + oval(c.dark, 272, 238, 22, 32)
        + oval(c.light, 272, 238, 11, 17)
        + line(LEATHER.mid, "M158 172v132M210 172v132", 13)
        + line(LEATHER.dark, "M158 172c0-70 52-70 52 0", 11)
    )


@shape
def stool(c: Tones) -> str:
    """A folding stool."""
    return (
        line(WOOD.dark, "M256 176L128 326M144 176l128 150", 16)
        + line(WOOD.mid, "M124 170L264 326M276 170L136 326", 15)
        + path(c.mid, "M96 144h208v22q-104 50-208 22z")
        + path(c.light, "M96 144h208v12q-104 34-208 0z")
        + oval(COLOURS["brass"], 200, 254, 9)
    )


@shape
def tent(c: Tones) -> str:
    """A ridge tent."""
    return (
        path(c.dark, "M250 108l106 206H230z")
        + path(c.mid, "M150 108h100L236 314H40z")
        + path(c.light, "M150 108h40L92 314H40z", ' opacity=".7"')
        + path("#3a2f2a", "M250 126l-22 188h78z")
        + path(c.light, "M250 126l-22 188h-16z")
        + line(WOOD.mid, "M250 96v218M150 96v14", 6)
        + line("#45413f", "M150 104L60 330M250 104l112 226", 2.5)
    )


# desk


@shape
def notebook(c: Tones) -> str:
    """A notebook with an elastic band."""
    return turned(
        -9,
        box(c.deep, 112, 86, 190, 246, 10),
        box(PAPER, 112, 82, 184, 242, 8),
        box(c.mid, 106, 76, 184, 242, 10),
        box(c.dark, 106, 76, 28, 242, 10),
        box(PAPER, 162, 122, 92, 44, 4),
        line(c.deep, "M174 138h68M174 150h44", 3),
        box(c.light, 262, 76, 9, 242),
        line(COLOURS["mustard"], "M204 318v26", 7),
    )


@shape
def pen(c: Tones) -> str:
    """A ballpoint."""
    return turned(
        42,
        path(STEEL.dark, "M196 330l4 26 4-26z"),
        path(c.dark, "M182 292h36l-12 42h-12z"),
        box(c.mid, 182, 112, 36, 182, 4),
        box(c.light, 190, 112, 8, 182, 3),
        box(c.dark, 182, 196, 36, 8),
        box(c.dark, 186, 80, 28, 34, 6),
        box(c.deep, 216, 96, 9, 92, 4),
        box(STEEL.mid, 192, 58, 16, 24, 5),
    )


@shape
def organiser(c: Tones) -> str:
    """A wooden tray with pens and a phone."""
    return (
        box("#2d2f36", 128, 96, 74, 140, 10)
        + box(COLOURS["sky"], 135, 106, 60, 120, 4)
        + box(COLOURS["brass"], 236, 116, 12, 120, 5)
        + box(COLOURS["rust"], 258, 96, 12, 140, 5)
        + path(c.mid, "M66 216h268l-14 88q-2 12-16 12H96q-14 0-16-12z")
        + path(c.light, "M66 216h268l-4 22H70z")
        + box(c.deep, 112, 220, 106, 12, 5)
        + box(c.deep, 230, 220, 48, 12, 5)
        + line(c.dark, "M96 262q80 16 200-4M104 288q90 10 180 0", 3)
    )


@shape
def planner(c: Tones) -> str:
    """A planner pad."""
    columns = "".join(f"M{x} 166v116" for x in range(124, 300, 34))
    return turned(
        -5,
        box(c.deep, 66, 112, 272, 194, 8),
        box(PAPER, 62, 106, 272, 194, 8),
        box(c.mid, 62, 106, 272, 40, 8),
        line(mixed(c.mid, PAPER, 0.4), columns, 3),
        line(c.dark, "M84 184h28M134 196h20M168 184h20M204 214h18M236 190h20", 5),
        line(PAPER, "M84 126h76", 6),
    )


# clothing


@shape
def shirt(c: Tones) -> str:
    """A shirt with buttons."""
    return (
        path(c.dark, "M146 84L70 136l30 66 34-20zM254 84l76 52-30 66-34-20z")
        + path(c.mid, "M146 84q54 30 108 0l20 14v228H126V98z")
        + path(c.light, "M146 84l14 8v234h-34V98z", ' opacity=".7"')
        + path(c.light, "M146 84l18-14 36 34-22 26zM254 84l-18-14-36 34 22 26z")
        + line(c.dark, "M200 108v218", 4)
        + "".join(oval(c.deep, 200, y, 5) for y in range(148, 320, 42))
        + box(c.dark, 222, 168, 36, 40, 4)
    )


@shape
def sweater(c: Tones) -> str:
    """A knitted sweater."""
    return (
        path(c.dark, "M140 96L74 150l-8 146h42l26-110zM260 96l66 54 8 146h-42l-26-110z")
        + path(c.mid, "M140 92q60 34 120 0l14 12v214H126V104z")
        + line(c.light, "".join(f"M{x} 132v168" for x in (150, 175, 200, 225, 250)), 5)
        + line(c.dark, "M162 140l26 24-26 24 26 24-26 24 26 24M238 140l-26 24 26 24-26 24 26 24-26 24", 4)
        + line(c.deep, "M146 92q54 44 108 0", 12)
        + box(c.deep, 126, 304, 148, 20, 4)
        + box(c.deep, 62, 284, 48, 18, 4)
        + box(c.deep, 290, 284, 48, 18, 4)
    )


@shape
def beanie(c: Tones) -> str:
    """A ribbed beanie."""
    return (
        path(c.mid, "M98 252c-6-100 40-156 102-156s108 56 102 156z")
        + path(c.light, "M98 252c-6-84 24-140 76-152-34 36-44 90-40 152z", ' opacity=".6"')
        + line(c.dark, "M140 244c-4-60 14-112 50-144M176 244c-4-60 6-110 20-144", 4)
        + line(c.dark, "M224 244c4-60-6-110-20-144M260 244c4-60-14-112-50-144", 4)
        + box(c.dark, 88, 236, 224, 66, 22)
        + line(c.mid, "".join(f"M{x} 248v42" for x in range(110, 300, 20)), 5)
    )


@shape
def socks(c: Tones) -> str:
    """A pair of socks."""

    def sock(dx: int, tone: str, shade: str) -> str:
        return (
            f'<g transform="translate({dx})">'
            + path(tone, "M140 88h70v140l56 44q22 20 4 40-12 12-36 6l-76-26q-26-10-22-44z")
            + path(shade, "M214 232l52 40q22 20 4 40-12 12-36 6-10-50-20-86z")
            + path(shade, "M136 252q18-24 40 0 10 30-10 42-32-8-30-42z")
            + box(shade, 138, 84, 74, 34, 8)
            + rows(shade, (144, 206), range(136, 180, 18), 5)
            + "</g>"
        )

    return sock(36, c.dark, c.deep) + sock(-32, c.mid, COLOURS["rust"])


# garden


@shape
def planter(c: Tones) -> str:
    """A plant in a clay pot."""
    leaves = "".join(
        turned(angle, path(tone, "M200 214c-34-50-26-110 0-150 26 40 34 100 0 150z"))
        for angle, tone in ((-46, LEAF.dark), (46, LEAF.dark), (-22, LEAF.mid), (22, LEAF.mid), (0, LEAF.light))
    )
    return (
        leaves
        + oval(c.dark, 200, 326, 94, 16)
        + path(c.mid, "M126 232h148l-18 86q-2 10-14 10h-84q-12 0-14-10z")
        + path(c.light, "M126 232h40l4 96h-12q-12 0-14-10z", ' opacity=".7"')
        + box(c.dark, 114, 208, 172, 34, 8)
        + box(c.mid, 114, 206, 172, 26, 8)
    )


@shape
def mister(c: Tones) -> str:
    """A plant mister and its fog."""
    drops = ((74, 96, 7), (52, 116, 5), (84, 128, 6), (60, 78, 4), (96, 108, 4))
    fog = "".join(oval("#ffffff", x, y, radius) for x, y, radius in drops)
    return (
        fog
        + box(c.dark, 116, 96, 74, 22, 8)
        + line(c.dark, "M216 96c44-4 58 30 46 62", 10)
        + box(c.dark, 180, 84, 44, 70, 10)
        + path(c.mid, "M176 150h52c8 40 56 56 56 116 0 46-30 62-82 62s-82-16-82-62c0-60 48-76 56-116z")
        + path(c.light, "M186 162c-10 36-46 52-46 104 0 20 8 34 22 44-46-8-48-76-24-100z", ' opacity=".8"')
        + oval(c.deep, 202, 318, 56, 8)
    )


@shape
def seeds(c: Tones) -> str:
    """Packets of seed."""

    def packet(angle: float, tone: str) -> str:
        return turned(
            angle,
            box(tone, 136, 96, 128, 184, 6),
            box(PAPER, 150, 136, 100, 124, 4),
            path(LEAF.mid, "M200 246c-40-18-40-54-2-80 40 24 42 60 2 80z"),
            line(PAPER, "M200 246v-58", 4),
            line(PAPER, "M158 116h84", 6),
        )

    return packet(-20, c.dark) + packet(18, COLOURS["mustard"]) + packet(0, c.mid)


def draw(name: str) -> str:
    """The picture of this name (`mug-sage`) as SVG."""
    kind, _, colour = name.rpartition("-")
    tones = Tones(COLOURS[colour])
    field = mixed(tones.mid, "#fbf6ec", 0.8)
    if colour in ("white", "cream", "oat", "natural"):
        field = "#d9dfd6"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="800" height="800" '
        'stroke-linecap="round" stroke-linejoin="round">'
        + box(field, 0, 0, 400, 400)
        + oval(mixed(field, "#ffffff", 0.45), 200, 196, 164)
        + oval(mixed(field, "#1d1a2b", 0.18), 200, 330, 128, 15)
        + SHAPES[kind](tones)
        + "</svg>\n"
    )


def named(table: Path = FOLDER / "products.csv") -> list[str]:
    """The names of all pictures that the catalogue uses."""
    with table.open(newline="") as lines:
        found = {row[column] for row in csv.DictReader(lines) for column in ("Image Src", "Variant Image")}
    return sorted(Path(source).stem for source in found if source)


def main() -> None:
    """Writes every picture."""
    folder = FOLDER / "pictures"
    folder.mkdir(exist_ok=True)
    for name in named():
        (folder / f"{name}.svg").write_text(draw(name))


if __name__ == "__main__":
    main()
