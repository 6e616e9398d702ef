"""How many digits are read in pictures of many kinds, before and after a change.

    python tests/benchmarks/pictures.py [--before CHECKOUT] [--tuning] [--kinds WORD]

Each kind of picture is made from training digits 52,000 to 59,999, which the network
has learned clean: its figures flatter by some 0.2 points. A kind has a tuning version,
by which the preparation was chosen, and a test version with other digits and another
light, desk, angle or strength, from which the figures come. The unseen kinds were not
looked at until the preparation was finished. `--before` names a checkout of another
version of the book, which reads the same pictures. With `--record`, the figures go to
mnist_tutorial/assets/results/pictures.json, from which the chapter draws its table.
"""

import argparse
import functools
import importlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from mnist_tutorial import data, export, preprocessing, results, weights
from mnist_tutorial.convolution import softmax
from mnist_tutorial.doubt import LIMITS, doubt

RECORD = results.RESULTS / "pictures.json"
CUBIC = Image.Resampling.BICUBIC
COLUMNS = ("right", "right_doubted", "doubted", "sure", "refused", "several")
WHITE, BLACK = (238, 237, 232), (38, 38, 44)

Array = NDArray[Any]
Colour = int | tuple[int, int, int]  # a grey level, or red, green and blue
Change = Callable[[Array, Generator], Array]  # of a scene
Make = Callable[[Array, Generator, bool], Array | bytes]
KINDS: dict[str, tuple[str, Make]] = {}  # name: (group, how one is made)


def kind(name: str, group: str) -> Callable[[Make], Make]:
    """Register how a kind of picture is made of (three digits, rng, test version?)."""

    def register(make: Make) -> Make:
        KINDS[name] = group, make
        return make

    return register


# From a digit to a photograph: the ink, the paper, the light, the camera


def ink(
    digit: Array, side: int, angle: float = 0, pen: float = 0, line: int = 0
) -> Array:
    """How much ink covers each pixel of a square, with an edge as sharp as a pen's.

    pen widens the stroke, or thins it below 0; line is the width of a pen, in pixels,
    that draws the middle of the stroke again, without a gap.
    """
    large = Image.fromarray(np.pad(digit, 4)).resize((side, side), CUBIC)
    covered: Array = np.asarray(large.rotate(angle, CUBIC)) / 255
    covered = np.clip(3 * (covered - 0.4) + 0.5, 0, 1)
    if line:  # where the distance to the edge is largest, it neither rises nor falls
        depth = ndimage.distance_transform_edt(covered > 0.5)
        slope = np.hypot(*np.gradient(ndimage.gaussian_filter(depth, 1)))
        middle = (depth > 2) & (slope < 0.8)
        return ndimage.grey_dilation(middle.astype(float), (line, line))
    change = ndimage.grey_dilation if pen > 0 else ndimage.grey_erosion
    return change(covered, (max(1, round(abs(pen) * side / 36)),) * 2)


def write(paper: Array, covered: Array, place: Any, colour: Colour = BLACK) -> Array:
    """Lay ink on a paper, its middle at this place (fractions of height and width)."""
    margin = max(covered.shape)
    mask = np.pad(np.zeros(paper.shape[:2]), margin)
    middle = np.array(place) * paper.shape[:2] + margin
    top, left = (middle - np.array(covered.shape) / 2).round().astype(int)
    mask[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    mask = mask[margin:-margin, margin:-margin, np.newaxis]
    return paper + mask * (np.array(colour) - paper)


def camera(
    scene: Array, rng: Generator, noise: float = 2, blur: float = 0.7, quality: int = 80
) -> Array:
    """What a camera makes of a scene: blur, noise, and JPEG's blocks."""
    seen = ndimage.gaussian_filter(scene, (blur, blur, 0))
    seen = np.clip(seen + rng.normal(0, noise, seen.shape), 0, 255).astype(np.uint8)
    return np.asarray(Image.open(io.BytesIO(encode(seen, "JPEG", quality=quality))))


def encode(pixels: Array, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def scene_of(
    digit: Array,
    rng: Generator,
    side: int = 190,
    shape: tuple[int, int] = (400, 300),
    on: Colour = WHITE,
    colour: Colour = BLACK,
    paper: Change | None = None,
    place: tuple[float, float] | None = None,
    **pen: Any,
) -> Array:
    """A digit on an even sheet, or on what `paper` makes of it."""
    blank = np.full((*shape, 3), on, float)
    blank = paper(blank, rng) if paper else blank
    where = rng.uniform(0.42, 0.58, 2) if place is None else place
    return write(blank, ink(digit, side, **pen), where, colour)


def photo(group: str, name: str, *then: Change, **both: Any) -> None:
    """A kind told by options of `scene_of` and `camera`, and a change between them.

    A list or two changes where the tuning version and the test version differ.
    """

    @kind(name, group)
    def make(digits: Array, rng: Generator, test: bool) -> Array:
        options = {
            key: value[test] if isinstance(value, list) else value
            for key, value in both.items()
        }
        seen = {k: options.pop(k) for k in ("noise", "blur", "quality") if k in options}
        scene = scene_of(digits[0], rng, **options)
        if then:
            scene = then[-1 if test else 0](scene, rng)
        return camera(scene, rng, **seen)


clean, hard = functools.partial(photo, "clean"), functools.partial(photo, "hard")


# Changes of a scene


def chain(*changes: Change) -> Change:
    return lambda scene, rng: functools.reduce(lambda s, c: c(s, rng), changes, scene)


def ramp(shape: tuple[int, ...], angle: float, place: float, width: float) -> Array:
    """0 on one side of a line through the picture, 1 on the other, soft in between."""
    down, right = np.indices(shape[:2]) / max(shape)
    across = np.cos(angle) * (right - right.mean())
    across += np.sin(angle) * (down - down.mean())
    return np.clip((across - place) / width + 0.5, 0, 1)[..., np.newaxis]


def shadow(strength: float, width: float, angle: float, least: float = -0.1) -> Change:
    """A shadow with an edge of this width, at about this angle."""

    def darken(scene: Array, rng: Generator) -> Array:
        where = angle + rng.uniform(-0.3, 0.3), rng.uniform(least, 0.1)
        return scene * (1 - strength * ramp(scene.shape, *where, width))

    return darken


def vignette(strength: float, power: float = 2) -> Change:
    def darken(scene: Array, rng: Generator) -> Array:
        height, width = scene.shape[:2]
        far = np.hypot(*np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]) / 2**0.5
        return scene * (1 - strength * far**power)[..., np.newaxis]

    return darken


def painted(
    paint: Callable[[ImageDraw.ImageDraw, Generator], None],
    colour: Colour = BLACK,
    opacity: float = 1,
    soft: float = 0,
) -> Change:
    """What a brush paints over a scene; black and half opaque, it is a shadow."""

    def change(scene: Array, rng: Generator) -> Array:
        image = Image.new("L", (scene.shape[1], scene.shape[0]))
        paint(ImageDraw.Draw(image), rng)
        mask = ndimage.gaussian_filter(np.asarray(image) / 255, soft)[..., np.newaxis]
        return scene + opacity * mask * (np.array(colour) - scene)

    return change


def fingers(pen: ImageDraw.ImageDraw, rng: Generator, test: bool) -> None:
    for place in (190, 235, 280) if test else (20, 65, 110):
        x = place + (rng.uniform(-15, 15) if test else 0)
        y = rng.uniform(150, 250) if test else rng.uniform(210, 280)
        end = (x - 60, y) if test else (x + 40, y)
        pen.line([(x, -20 if test else 420), end], 255, 26)


def phone(pen: ImageDraw.ImageDraw, rng: Generator, slope: int) -> None:
    x, y = rng.uniform(60, 160), rng.uniform(120, 220)
    pen.polygon([(x, y), (x + 130, y + slope), (x + 160, 420), (x - 40, 420)], 255)


def hand(pen: ImageDraw.ImageDraw, rng: Generator, row: int, column: int) -> None:
    r = rng.uniform(120, 170)
    pen.ellipse((column - r, row - r, column + r, row + r), 255)


def blind(pen: ImageDraw.ImageDraw, rng: Generator, step: int, lean: int) -> None:
    first = rng.integers(-step, 0)
    for y in range(first - abs(lean), 400 + abs(lean), step):
        pen.line([(0, y), (300, y + lean)], 255, step // 2)


def dots(pen: ImageDraw.ImageDraw, rows: Any, size: int) -> None:
    for y in rows:
        pen.ellipse((22 - size, y - size, 22 + size, y + size), 255)


def printed(rows: int, size: int, left: int) -> Callable[..., None]:
    def paint(pen: ImageDraw.ImageDraw, rng: Generator) -> None:
        for k in range(rows):
            word = "".join(rng.choice(list("abcdeghmnorstu  "), 34 - left // 3))
            text = (left, 20 + 27 * k), word, 255
            pen.text(*text, font=ImageFont.load_default(size))

    return paint


def ruled(step: int, colour: Colour, squared: bool = False, thick: int = 1) -> Change:
    def rule(paper: Array, rng: Generator) -> Array:
        for k in range(step // 2, step // 2 + thick):
            paper[k::step] = colour
            if squared:
                paper[:, k::step] = colour
        return paper

    return rule


def wood(shape: tuple[int, int], rng: Generator, colour: Colour) -> Array:
    """A wooden desk: its grain runs across."""
    grain = ndimage.gaussian_filter(rng.normal(0, 1, shape), (1.5, 25))
    return np.array(colour) * (1 + 1.2 * grain[..., np.newaxis])


def on_desk(
    shape: tuple[int, int],
    colour: Colour,
    angle: float,
    slant: float = 0.1,
    squares: int = 0,
) -> Change:
    """The sheet in the middle of a wooden desk, turned up to an angle, seen aslant.

    It throws a little shadow. With squares of so many pixels, a checked cloth lies on
    the desk.
    """

    def lay(scene: Array, rng: Generator) -> Array:
        turn = np.radians(rng.uniform(-angle, angle))
        size = np.array(shape)[:, None, None], np.array(scene.shape[:2])[:, None, None]
        down, right = np.indices(shape) - (size[0] - 1) / 2
        cos, sin = np.cos(turn), np.sin(turn)
        places = np.stack([cos * down - sin * right, cos * right + sin * down])
        places = places / (1 + slant * down / shape[0]) + (size[1] - 1) / 2
        inside = ndimage.map_coordinates(np.ones(scene.shape[:2]), places, order=1)
        layers = [
            ndimage.map_coordinates(scene[..., c], places, order=1, mode="nearest")
            for c in range(3)
        ]
        below = np.roll(ndimage.gaussian_filter(inside, 4), (4, 4), (0, 1))
        desk = wood(shape, rng, colour)
        if squares:
            checks = (np.indices(shape) // squares % 2).mean(axis=0)[..., np.newaxis]
            desk = desk + checks * (np.array(WHITE) - desk)
        desk = desk * (1 - 0.3 * below[..., np.newaxis])
        return desk + inside[..., np.newaxis] * (np.stack(layers, axis=-1) - desk)

    return lay


def turned(scene: Array, rng: Generator) -> Array:
    """The middle of a sheet that is not held quite straight."""
    laid = on_desk((420, 320), WHITE, 3)(scene, rng)
    return laid[35:-35, 30:-30]


def cut(least: int, most: int, sides: str = "tlbr") -> Change:
    """Cut sides of a scene close to the ink, or into its border where least < 0."""

    def cut_out(scene: Array, rng: Generator) -> Array:
        gap = int(rng.integers(least, most + 1))
        rows, columns = np.nonzero(scene[..., 0] < 140)
        top = rows.min() - gap if "t" in sides else 0
        left = columns.min() - gap if "l" in sides else 0
        bottom = rows.max() + 1 + gap if "b" in sides else None
        right = columns.max() + 1 + gap if "r" in sides else None
        return scene[top:bottom, left:right]

    return cut_out


def framed(width: int, colour: Colour, sides: str = "tlbr") -> Change:
    def frame(scene: Array, rng: Generator) -> Array:
        for quarter, side in enumerate("tlbr"):
            if side in sides:  # np.rot90 gives a view
                np.rot90(scene, -quarter)[:width] = colour
        return scene

    return frame


def crumple(soft: float) -> Change:
    def fold(scene: Array, rng: Generator) -> Array:
        folds = ndimage.gaussian_filter(rng.normal(0, 1, scene.shape[:2]), soft)
        return scene * (1 + 0.06 * folds / folds.std())[..., np.newaxis]

    return fold


def lamp(scene: Array, rng: Generator) -> Array:
    down, right = np.indices(scene.shape[:2])
    far = np.hypot(down - rng.uniform(0, 150), right - rng.uniform(50, 290))
    return scene * (0.5 + 0.5 * np.exp(-((far / 260) ** 2)))[..., np.newaxis]


def desaturate(scene: Array, rng: Generator) -> Array:
    return scene * np.array((0.75, 0.62, 0.42))


# All right before, and to stay so

LARGE = [(500, 400), (520, 420)]
clean("plain sheet", side=[190, 150], shape=[(400, 300), (300, 360)])
clean("white on black", colour=[255, 250], on=[0, 8], noise=[0, 1], blur=[0, 0.7])
clean(
    "chalk on a board",
    colour=[(205, 210, 205), (190, 190, 180)],
    on=[(52, 78, 66), (60, 62, 66)],
    noise=[5, 4],
)
clean("thin pen", pen=[-1, -1.3], side=[190, 230])
clean("ball-point", line=[6, 5], shape=LARGE, side=[260, 300])
clean("hair line", line=[3, 2], shape=LARGE, side=[300, 330])
clean("pencil", colour=[(150, 150, 152), (165, 164, 166)], side=[190, 160])
clean("red ink", colour=[(200, 40, 50), (225, 60, 50)], side=[190, 160])
clean("yellow ink", colour=[(240, 220, 60), (235, 215, 40)])
clean("blue ink", colour=[(40, 60, 170), (60, 90, 200)], side=[190, 160])
clean("8 % of the side", side=[46, 56], shape=[(400, 400), (480, 480)])
clean("turned by 15 degrees", angle=[15, -14])
clean("turned by 30 degrees", angle=[30, -28])
clean("JPEG quality 5", quality=[5, 6], side=[190, 150])
clean("noise", noise=[14, 12], side=[190, 150])
clean("blur", blur=[3.5, 4], side=[190, 220])
clean("20 pixels", side=[26, 25], shape=[(34, 30), (32, 40)], noise=1, blur=0.3)
clean("3:1", shape=[(160, 480), (450, 150)], side=[140, 120])
clean("touches the border", cut(0, 0, "b"), cut(0, 0, "l"))
clean(
    "speck far away",
    painted(lambda pen, _: pen.rectangle((270, 370, 274, 374), 255)),
    painted(lambda pen, _: pen.rectangle((25, 30, 29, 34), 255)),
)
clean("light halving to one side", shadow(0.5, 1, 0), shadow(0.5, 1, 2))
clean("crumpled paper", crumple(9), crumple(14))
clean("vignette, 30 %", vignette(0.3), vignette(0.33))


@kind("MNIST's own pixels", "clean")
def bare(digits: Array, rng: Generator, test: bool) -> Array:
    return np.dstack([digits[0]] * 3)


def transparent(level: float) -> Make:
    def make(digits: Array, rng: Generator, test: bool) -> bytes:
        alpha = np.pad(ink(digits[0], 160 if test else 240), 20)
        pixels = np.dstack([*[np.full_like(alpha, level)] * 3, alpha * 255])
        return encode(pixels.astype(np.uint8), "PNG")

    return make


kind("black on transparent", "clean")(transparent(0))
kind("white ink on transparent", "hard")(transparent(240))


@kind("turned by the camera's note", "clean")
def noted(digits: Array, rng: Generator, test: bool) -> bytes:
    scene = np.rot90(camera(scene_of(digits[0], rng), rng), 3 if test else 1)
    exif = Image.Exif()
    exif[0x0112] = 8 if test else 6
    return encode(np.ascontiguousarray(scene), "JPEG", exif=exif)


# Light, and what else is in the picture

SKIN, BLUE, CARDBOARD = (190, 140, 120), (100, 120, 170), (178, 142, 104)
hard("vignette, 50 %", vignette(0.5, 3), vignette(0.55, 2), side=170)
hard("soft shadow, 20 %", shadow(0.2, 0.15, 0.3), shadow(0.22, 0.2, 2.4), side=170)
hard("soft shadow, 30 %", shadow(0.3, 0.15, 0.3), shadow(0.33, 0.2, 2.4), side=170)
hard(
    "shadow with an edge, 40 %",
    shadow(0.4, 0.01, 0.5),
    shadow(0.43, 0.015, 2.2),
    side=170,
)
hard(
    "hand's shadow in a corner, 35 %",
    painted(lambda pen, rng: hand(pen, rng, 400, 300), 0, 0.35, 4),
    painted(lambda pen, rng: hand(pen, rng, 0, 0), 0, 0.35, 8),
    side=170,
)
hard(
    "the phone's own shadow",
    painted(lambda pen, rng: phone(pen, rng, 10), 0, 0.35, 5),
    painted(lambda pen, rng: phone(pen, rng, 30), 0, 0.4, 9),
    side=150,
)
hard(
    "shadows of fingers",
    painted(lambda pen, rng: fingers(pen, rng, False), 0, 0.35, 4),
    painted(lambda pen, rng: fingers(pen, rng, True), 0, 0.35, 6),
    side=150,
)
hard(
    "shadow of a blind",
    painted(lambda pen, rng: blind(pen, rng, 44, 150), 0, 0.35, 3),
    painted(lambda pen, rng: blind(pen, rng, 36, -90), 0, 0.4, 2),
    side=150,
)
hard(
    "sheet on a dark desk",
    on_desk((400, 320), (70, 66, 64), 0, 0),
    on_desk((400, 320), (40, 42, 48), 8, 0),
    side=130,
    shape=(300, 230),
)
hard(
    "desk on two sides",
    chain(on_desk((440, 340), (60, 60, 66), 10), lambda s, _: s[45:405, 25:315]),
    chain(on_desk((440, 340), (120, 84, 56), 10), lambda s, _: s[20:380, :290]),
    side=150,
    shape=(380, 300),
)
hard(
    "sheet on a light desk",
    on_desk((400, 330), (214, 210, 200), 3),
    on_desk((400, 330), (205, 178, 140), 10),
    side=130,
    shape=(300, 230),
)
hard(
    "sheet on a checked cloth",
    on_desk((380, 330), (60, 110, 70), 6, squares=24),
    on_desk((380, 330), (150, 50, 50), 10, squares=30),
    side=[110, 120],
    shape=(300, 250),
    colour=[BLACK, (40, 50, 120)],
)
hard(
    "pencil on a sheet, and a dark desk beside it",
    chain(on_desk((440, 340), (60, 60, 66), 10), lambda s, _: s[45:405, 25:315]),
    chain(on_desk((440, 340), (52, 40, 34), 10), lambda s, _: s[20:380, :290]),
    side=[150, 130],
    shape=(380, 300),
    colour=[(150, 150, 152), (160, 160, 162)],
)
hard(
    "torn sheet in dim yellow light",
    chain(on_desk((400, 320), (52, 46, 44), 15, 0.2), desaturate, vignette(0.35)),
    chain(on_desk((400, 320), (96, 70, 50), 15, 0.2), desaturate, vignette(0.35)),
    side=150,
    shape=(330, 260),
    colour=(50, 55, 100),
    noise=4,
)
hard("frame at the very border", framed(3, 0), framed(7, 70), side=170, blur=0.4)
hard(
    "thumb in a corner",
    painted(lambda pen, _: pen.ellipse((245, 345, 360, 460), 255), SKIN),
    painted(lambda pen, _: pen.ellipse((-50, 330, 60, 480), 255), SKIN),
    side=170,
)
hard("dark strip along one side", framed(6, 25, "l"), framed(9, 60, "b"))
hard("cut to the digit's box", cut(0, 0), side=150)
hard(
    "cut close",
    chain(cut(5, 5), shadow(0.25, 1, 1)),
    chain(cut(3, 8), shadow(0.25, 1, 2)),
    side=200,
)
hard(
    "box around the digit",
    painted(lambda pen, _: pen.rectangle((45, 95, 255, 305), outline=255, width=4)),
    painted(lambda pen, _: pen.ellipse((40, 90, 262, 310), outline=255, width=5)),
    side=170,
)
hard(
    "holes of a folder",
    painted(lambda pen, _: dots(pen, range(20, 400, 36), 6)),
    painted(lambda pen, _: dots(pen, (100, 300), 12)),
    side=160,
    place=(0.5, 0.58),
)
hard(
    "writing above the digit",
    painted(printed(2, 15, 30), (70, 70, 90)),
    painted(printed(2, 13, 30), (70, 70, 90)),
    side=180,
    place=(0.58, 0.5),
)
hard(
    "pencil, and a black pen from the border",
    painted(lambda pen, _: pen.line((330, 60, 250, 330), 255, 16), (30, 30, 40)),
    painted(lambda pen, _: pen.line((-30, 300, 55, 90), 255, 14), (40, 35, 30)),
    side=150,
    colour=(150, 150, 152),
)
hard(
    "small, on a large sheet",
    shadow(0.35, 0.6, 1),
    shadow(0.35, 0.6, 4),
    side=80,
    shape=(900, 700),
    blur=1,
)

ruled_sheet = functools.partial(hard, shape=(420, 320), side=160)
ruled_sheet(
    "strong ruling", turned, paper=[ruled(36, 90, thick=2), ruled(44, BLUE, thick=2)]
)
ruled_sheet("pale ruling", turned, paper=[ruled(30, 185), ruled(40, (175, 195, 225))])
ruled_sheet(
    "squared paper",
    turned,
    colour=(45, 50, 90),
    paper=[ruled(20, (180, 185, 190), True), ruled(24, (160, 180, 215), True)],
)
ruled_sheet(
    "squares as dark as the ink",
    turned,
    paper=[ruled(38, 50, True, 2), ruled(46, (40, 50, 90), True, 2)],
)
hard(
    "ruled sheet on a desk, slanted, in a shadow",
    chain(on_desk((460, 360), (110, 80, 60), 6, 0.3), shadow(0.3, 0.15, 1, 0)),
    shape=(420, 330),
    side=130,
    colour=(40, 50, 120),
    paper=[ruled(26, (170, 190, 215)), ruled(30, (170, 190, 215))],
)
hard(
    "red margin line",
    side=170,
    paper=[
        painted(lambda pen, _: pen.line((41, 0, 41, 400), 255, 2), (205, 60, 70)),
        painted(lambda pen, _: pen.line((256, 0, 256, 400), 255, 3), (220, 90, 100)),
    ],
)
hard(
    "print shining through",
    side=160,
    paper=[painted(printed(14, 18, 8), 212), painted(printed(14, 15, 8), 205)],
)
hard("very pale pencil", colour=[220, 224], on=[240, 244], noise=1, quality=92)
hard(
    "colours of the same grey",
    colour=[(60, 90, 255), (30, 130, 60)],
    on=[(225, 45, 25), (200, 60, 70)],
    quality=90,
)
hard("thick marker", pen=[1, 1.2], side=170)
hard("thick marker, cut close", shape=[(220, 200), (230, 220)], side=230, pen=1)
hard(
    "sticky note on a wooden desk",
    chain(on_desk((340, 320), (110, 76, 54), 6), shadow(0.25, 0.2, 1)),
    chain(on_desk((360, 300), (150, 108, 72), 12, 0.2), shadow(0.3, 0.08, 3)),
    side=110,
    shape=(190, 190),
    on=(246, 226, 110),
    colour=(35, 45, 110),
)
hard(
    "pen beside the digit",
    painted(lambda pen, _: pen.line((60, 90, 40, 340), 255, 14)),
    painted(lambda pen, _: pen.line((230, 60, 270, 330), 255, 16), (30, 40, 90)),
    side=150,
    place=[(0.5, 0.65), (0.5, 0.35)],
)
photo(
    "unseen",  # nothing is tuned by these two
    "felt pen on brown cardboard",
    shadow(0.25, 0.4, 1),
    on=CARDBOARD,
    colour=(30, 28, 32),
    pen=0.6,
    side=150,
    paper=lambda sheet, rng: wood(sheet.shape[:2], rng, CARDBOARD),
)
photo(
    "unseen",
    "whiteboard with a lamp's reflection",
    vignette(0.25),
    on=(208, 214, 218),
    colour=(40, 80, 160),
    side=160,
    paper=painted(lambda pen, rng: hand(pen, rng, 60, 220), 255, 0.8, 25),
)
hard(
    "page of a spiral pad under a lamp",
    chain(on_desk((430, 340), (188, 170, 150), 5, 0.15), lamp),
    side=[130, 150],
    shape=[(420, 320), (380, 340)],
    paper=chain(
        ruled(24, (178, 196, 214), True),
        painted(lambda pen, _: pen.line((12, 12, 320, 12), 255, 8)),
    ),
)


@kind("mirrored", "stays hard")
def mirrored(digits: Array, rng: Generator, test: bool) -> Array:
    return camera(scene_of(digits[0, :, ::-1], rng, side=150 if test else 190), rng)


@kind("screenshot with a toolbar", "hard")
def screenshot(digits: Array, rng: Generator, test: bool) -> Array:
    scene = scene_of(digits[0], rng, shape=(480, 270), side=200, on=255, colour=0)
    bar, level = (34, (45, 48, 55)) if test else (26, (210, 214, 220))
    scene[:bar] = level
    for left in range(15, 250, 50):
        scene[bar // 3 : -(-2 * bar // 3), left : left + 15] = (120, 120, 130)
    return scene.astype(np.uint8)


@kind("salt and pepper", "hard")
def salt(digits: Array, rng: Generator, test: bool) -> Array:
    scene = camera(scene_of(digits[0], rng), rng).copy()
    hit, amount = rng.random(scene.shape[:2]), 0.02 if test else 0.015
    scene[hit < amount], scene[hit > 1 - amount] = 0, 255
    return scene


# What is no single digit: right means that the doubt says so


def row(
    digits: Array, rng: Generator, side: int, height: int, places: list[float]
) -> Array:
    scene = np.full((height, 420, 3), WHITE, float)
    for digit, place in zip(digits, places, strict=True):
        scene = write(scene, ink(digit, side), (0.5, place))
    return camera(scene, rng)


@kind("two digits", "pairs")
def two(digits: Array, rng: Generator, test: bool) -> Array:
    gap = rng.uniform(0.25, 0.31) if test else 0.25
    return row(digits[:2], rng, 170, 260, [0.5 - gap, 0.5 + gap])


@kind("three digits in a row", "pairs")
def three(digits: Array, rng: Generator, test: bool) -> Array:
    return row(digits, rng, 130 if test else 140, 300, [0.22, 0.5, 0.78])


def drawing(paint: Callable[[ImageDraw.ImageDraw, Generator, bool], None]) -> Make:
    def make(digits: Array, rng: Generator, test: bool) -> Array:
        image = Image.new("RGB", (200, 200), "white")
        paint(ImageDraw.Draw(image), rng, test)
        return np.asarray(image)

    return make


def scribble(pen: ImageDraw.ImageDraw, rng: Generator, test: bool) -> None:
    points = rng.uniform(20, 180, (rng.integers(4, 9), 2))
    pen.line([tuple(point) for point in points], "black", 10 if test else 14, "curve")


def letter(pen: ImageDraw.ImageDraw, rng: Generator, test: bool) -> None:
    from matplotlib import font_manager

    families = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")
    family = font_manager.findfont(str(rng.choice(families)))
    text = str(rng.choice(list("AEFHKMNRTWXdefhkmntwx")))
    font = ImageFont.truetype(family, 110 if test else 130)
    pen.text((100, 100), text, "black", font, "mm")


def dot(pen: ImageDraw.ImageDraw, rng: Generator, test: bool) -> None:
    size, (x, y) = rng.uniform(2, 40), rng.uniform(60, 140, 2)
    flat = size * (rng.uniform(0.7, 1.4) if test else 1)
    pen.ellipse((x - size, y - flat, x + size, y + flat), "black")


for _name, _paint in (("scribbles", scribble), ("letters", letter), ("dots", dot)):
    kind(_name, "no digit")(drawing(_paint))


# Reading them


def load(checkout: Path) -> Any:
    """Import `read_picture` and `center_digit` as another checkout has them."""
    ours = {name: sys.modules.pop(name) for name in package()}
    sys.path.insert(0, str(checkout))
    try:
        return importlib.import_module("mnist_tutorial.pictures")
    except ModuleNotFoundError:
        return importlib.import_module("mnist_tutorial.preprocessing")
    finally:
        sys.path.pop(0)
        for name in package():
            del sys.modules[name]
        sys.modules.update(ours)


def package() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "mnist_tutorial"]


def prepare(module: Any, picture: Array | bytes) -> Array | None:
    """The digit in a picture, 28 by 28, or None where it is refused."""
    if isinstance(picture, bytes):
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(picture)
            picture = module.read_picture(file.name)
    elif not module.__name__.endswith("pictures"):  # it takes grey levels only
        picture = np.asarray(Image.fromarray(picture).convert("L"))
    try:
        return module.center_digit(picture)
    except ValueError:
        return None


def time_a_large_file(modules: dict[str, Any], digit: Array) -> None:
    """Print the seconds from a file of 12 megapixels to the digit, median of 7."""
    rng = np.random.default_rng(0)
    scene = scene_of(digit, rng, side=1500, shape=(4000, 3000)).astype(np.uint8)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        Image.fromarray(scene).save(file.name, quality=90)
        for when, module in modules.items():
            seconds = []
            for _ in range(7):
                start = time.perf_counter()
                module.center_digit(module.read_picture(file.name))
                seconds.append(time.perf_counter() - start)
            print(f"12 megapixels, {when}: {np.median(seconds):.2f} s")


def is_doubted(logits: Array, probabilities: Array) -> str:
    """Doubt as the page did before there was a function for it."""
    sure = logits.max() >= LIMITS["logit"]
    return "" if sure and probabilities.max() >= LIMITS["probability"] else "doubt"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="a checkout that reads them too")
    parser.add_argument("--tuning", action="store_true", help="the tuning version")
    parser.add_argument("--kinds", nargs="*", default=[""], help="words in their names")
    parser.add_argument("--unseen", action="store_true", help="the unseen kinds too")
    parser.add_argument("--n", type=int, default=200, help="digits per kind")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    options = parser.parse_args()
    network = export.up_to_logits(weights.load_pretrained())
    temperature = export.temperature()
    modules = {"now": importlib.import_module("mnist_tutorial.pictures")}
    if options.before:
        modules = {"before": load(options.before), **modules}
    (x_train, y_train), _ = data.load_mnist()
    first = 52_000 if options.tuning else 56_000
    time_a_large_file(modules, x_train[first])
    table: dict[str, Any] = {}
    print(f"{'kind':44} {', '.join(modules)}: {', '.join(COLUMNS)}")
    for name, (group, make) in KINDS.items():
        chosen = any(word in name for word in options.kinds)
        if not chosen or (group == "unseen" and not options.unseen):
            continue
        place = first + sum(map(ord, name)) * 7 % 3000  # other digits in each kind
        pictures = [
            make(x_train[i : i + 3], np.random.default_rng(i), not options.tuning)
            for i in range(place, place + options.n)
        ]
        table[name] = {"group": group, "n": options.n}
        text = f"{name:44}"
        for when, module in modules.items():
            counts = dict.fromkeys(COLUMNS, 0)
            start = time.process_time()
            found = [prepare(module, picture) for picture in pictures]
            seconds = time.process_time() - start
            pixels = np.stack([np.zeros((28, 28)) if f is None else f for f in found])
            x = preprocessing.add_channel(pixels.astype(np.float32) / 255)
            read = network.predict(x, batch_size=200, verbose=0)
            for label, digit, logits in zip(y_train[place:], found, read, strict=False):
                if digit is None:
                    counts["refused"] += 1
                    continue
                chances = softmax(logits / temperature)
                said = is_doubted(logits, chances)
                if when == "now":
                    said = doubt(digit, logits, chances, LIMITS)
                outcomes = ("right", "right_doubted", "sure", "doubted")
                wrong = int(logits.argmax() != label)
                counts[outcomes[2 * wrong + bool(said)]] += 1
                counts["several"] += "one at a time" in said
            table[name][when] = counts
            numbers = " ".join(f"{count:4}" for count in counts.values())
            text += f"  {numbers} {1000 * seconds / options.n:4.0f} ms"
        print(text, flush=True)
    if options.record:
        content = {
            "version": "tuning" if options.tuning else "test",
            "digits": [first, first + 4000],
            "kinds": table,
        }
        RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
