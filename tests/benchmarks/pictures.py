"""How many digits are read in pictures of many kinds, before and after a change.

    python tests/benchmarks/pictures.py [--before CHECKOUT] [--tuning] [--kinds WORD ...]

Each kind of picture is made from training digits 52,000 to 59,999, which the network
has learned clean: its figures flatter by some 0.2 points. A kind has a tuning version,
by which the preparation was chosen, and a test version with other digits and another
light, desk, angle or strength, from which the figures come. The kinds in UNSEEN were
not looked at until the preparation was finished. `--before` names a checkout of another
version of the book, which reads the same pictures. With `--record`, the figures go to
mnist_tutorial/assets/results/pictures.json, from which the chapter draws its table.
"""

import argparse
import importlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "mnist_tutorial/assets/results/pictures.json"
WHITE, BLACK = (238, 237, 232), (38, 38, 44)
COLUMNS = ("right", "right_doubted", "doubted", "sure", "refused")

Picture = Any  # uint8 (height, width, 3), or the bytes of a file
Make = Callable[[np.ndarray, np.random.Generator, bool], Picture]
KINDS: dict[str, tuple[str, Make]] = {}  # name: (group, how one is made)
UNSEEN = ("sticky note on a wooden desk", "page of a spiral pad under a lamp")


def kind(name: str, group: str) -> Callable[[Make], Make]:
    """Register how a picture of a kind is made from (digit, rng, test version?)."""

    def register(make: Make) -> Make:
        KINDS[name] = group, make
        return make

    return register


# From a digit to a photograph: the ink, the paper, the light, the camera


def ink(
    digit: np.ndarray, side: int, angle: float = 0, pen: float = 0, line: float = 0
) -> np.ndarray:
    """How much ink covers each pixel of a square, with an edge as sharp as a pen's."""
    large = Image.fromarray(np.pad(digit, 4)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    covered = np.asarray(large.rotate(angle, Image.Resampling.BICUBIC)) / 255
    covered = np.clip(3 * (covered - 0.4) + 0.5, 0, 1)
    if line:  # how much of the stroke's width a thinner pen leaves out
        depth = ndimage.distance_transform_edt(covered > 0.5)
        around = ndimage.maximum_filter(depth, side // 9)
        return np.where(covered > 0.5, np.clip(depth - line * around + 0.5, 0, 1), 0)
    size = max(1, round(abs(pen) * side / 36))
    if pen:
        change = ndimage.grey_dilation if pen > 0 else ndimage.grey_erosion
        covered = change(covered, (size, size))
    return covered


def sheet(shape: tuple[int, int], colour: tuple[int, ...] = WHITE) -> np.ndarray:
    return np.full((*shape, 3), colour, float)


def write(
    paper: np.ndarray,
    covered: np.ndarray,
    place: tuple[float, float] = (0.5, 0.5),
    colour: tuple[int, ...] = BLACK,
) -> np.ndarray:
    """Lay ink on a paper, its middle at this place (fractions of height and width)."""
    mask = np.zeros(paper.shape[:2])
    top = round(place[0] * mask.shape[0] - covered.shape[0] / 2)
    left = round(place[1] * mask.shape[1] - covered.shape[1] / 2)
    rows = slice(max(top, 0), min(top + covered.shape[0], mask.shape[0]))
    columns = slice(max(left, 0), min(left + covered.shape[1], mask.shape[1]))
    mask[rows, columns] = covered[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return paper + mask[..., None] * (np.array(colour) - paper)


def camera(
    scene: np.ndarray,
    rng: np.random.Generator,
    noise: float = 2,
    blur: float = 0.7,
    quality: int = 80,
) -> np.ndarray:
    """What a camera makes of a scene: blur, noise, and JPEG's blocks."""
    seen = ndimage.gaussian_filter(scene, (blur, blur, 0))
    seen = seen + rng.normal(0, noise, seen.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(
        file, "JPEG", quality=quality
    )
    return np.asarray(Image.open(file))


def ramp(
    shape: tuple[int, ...], angle: float, place: float, width: float
) -> np.ndarray:
    """0 on one side of a line through the picture, 1 on the other, soft over a width."""
    down, right = np.indices(shape[:2]) / max(shape[:2])
    distance = np.cos(angle) * (right - 0.5 * shape[1] / max(shape[:2]))
    distance += np.sin(angle) * (down - 0.5 * shape[0] / max(shape[:2]))
    return np.clip((distance - place) / width + 0.5, 0, 1)[..., None]


def turned(
    scene: np.ndarray, angle: float, slant: float, desk: np.ndarray
) -> np.ndarray:
    """A sheet in the middle of a desk, turned and seen from one side."""
    height, width = desk.shape[:2]
    rows, columns = scene.shape[:2]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    a, b = (columns - 1) / 2, (rows - 1) / 2
    cx, cy = (width - 1) / 2, (height - 1) / 2
    down, right = np.indices((height, width)) - np.array([cy, cx])[:, None, None]
    far = 1 + slant * down / height
    x = (cosine * right + sine * down) / far + a
    y = (cosine * down - sine * right) / far + b
    inside = ndimage.map_coordinates(np.ones((rows, columns)), [y, x], order=1)
    layers = [
        ndimage.map_coordinates(scene[..., c], [y, x], order=1, mode="nearest")
        for c in range(3)
    ]
    return desk + inside[..., None] * (np.stack(layers, axis=-1) - desk)


def wood(shape: tuple[int, int], rng: np.random.Generator, colour: Any) -> np.ndarray:
    """A wooden desk: its grain runs across."""
    grain = ndimage.gaussian_filter(rng.normal(0, 1, shape), (1.5, 25))
    return np.array(colour) * (1 + 1.2 * grain[..., None])


def lines(
    paper: np.ndarray, step: int, colour: Any, squared: bool = False, thick: int = 1
) -> np.ndarray:
    paper = paper.copy()
    for k in range(thick):
        paper[step // 2 + k :: step] = colour
        if squared:
            paper[:, step // 2 + k :: step] = colour
    return paper


def plain(digit: np.ndarray, rng: np.random.Generator, **options: Any) -> np.ndarray:
    """A digit on an even sheet, as a scene without a camera."""
    shape = options.pop("shape", (400, 300))
    side = options.pop("side", 190)
    colour = options.pop("colour", BLACK)
    on = options.pop("on", WHITE)
    paper = options.pop("paper", None)
    paper = sheet(shape, on) if paper is None else paper
    place = rng.uniform(0.42, 0.58, 2)
    return write(paper, ink(digit, side, **options), place, colour)


def png(pixels: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


# All right before, and to stay so


def simple(name: str, tuning: dict[str, Any], test: dict[str, Any]) -> None:
    """A kind that differs from a plain sheet in options only."""

    @kind(name, "clean")
    def make(digit: np.ndarray, rng: np.random.Generator, version: bool) -> Picture:
        options = dict(test if version else tuning)
        seen = {k: options.pop(k) for k in ("noise", "blur", "quality") if k in options}
        return camera(plain(digit, rng, **options), rng, **seen)


simple("plain sheet", {}, {"side": 150, "shape": (300, 360)})
simple(
    "white on black",
    {"colour": (255,) * 3, "on": (0,) * 3, "noise": 0, "blur": 0},
    {"colour": (250,) * 3, "on": (8,) * 3, "noise": 1},
)
simple(
    "chalk on a board",
    {"colour": (205, 210, 205), "on": (52, 78, 66), "noise": 5},
    {"colour": (190, 190, 180), "on": (60, 62, 66), "noise": 4},
)
simple("thin pen", {"pen": -1}, {"pen": -1.3, "side": 230})
simple(
    "ball-point",
    {"line": 0.5, "shape": (500, 400), "side": 260},
    {"line": 0.55, "shape": (520, 420), "side": 300},
)
simple(
    "hair line",
    {"line": 0.65, "shape": (500, 400), "side": 300},
    {"line": 0.62, "shape": (520, 420), "side": 330},
)
simple("pencil", {"colour": (150, 150, 152)}, {"colour": (165, 164, 166), "side": 160})
simple("red ink", {"colour": (200, 40, 50)}, {"colour": (225, 60, 50), "side": 160})
simple("yellow ink", {"colour": (240, 220, 60)}, {"colour": (235, 215, 40)})
simple("blue ink", {"colour": (40, 60, 170)}, {"colour": (60, 90, 200), "side": 160})
simple(
    "8 % of the side",
    {"side": 46, "shape": (400, 400)},
    {"side": 56, "shape": (480, 480)},
)
simple("turned by 15 degrees", {"angle": 15}, {"angle": -14})
simple("turned by 30 degrees", {"angle": 30}, {"angle": -28})
simple("JPEG quality 5", {"quality": 5}, {"quality": 6, "side": 150})
simple("noise", {"noise": 14}, {"noise": 12, "side": 150})
simple("blur", {"blur": 3.5}, {"blur": 4, "side": 220})
simple(
    "20 pixels",
    {"side": 26, "shape": (34, 30), "noise": 1, "blur": 0.3},
    {"side": 25, "shape": (32, 40), "noise": 1, "blur": 0.3},
)
simple("3:1", {"shape": (160, 480), "side": 140}, {"shape": (450, 150), "side": 120})


@kind("MNIST's own pixels", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    return np.repeat(digit[..., None], 3, axis=2)


@kind("black on transparent", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    alpha = np.pad(ink(digit, 160 if test else 240), 20)
    return png((np.dstack([*[alpha * 0] * 3, alpha]) * 255).astype(np.uint8))


@kind("turned by the camera's note", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = np.rot90(camera(plain(digit, rng), rng), 3 if test else 1)
    exif = Image.Exif()
    exif[0x0112] = 8 if test else 6
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(scene)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@kind("touches the border", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    rows, columns = np.nonzero(scene[..., 0] < 140)
    bottom, left = rows.max() + 1, columns.min()
    return camera(scene[:, left:] if test else scene[:bottom], rng)


@kind("speck far away", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=170)
    row, column = (30, 25) if test else (370, 270)
    scene[row : row + 5, column : column + 5] = BLACK
    return camera(scene, rng)


@kind("light halving to one side", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    return camera(scene * (1 - 0.5 * ramp(scene.shape, 2.0 if test else 0, 0, 1)), rng)


@kind("crumpled paper", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    folds = ndimage.gaussian_filter(
        rng.normal(0, 1, scene.shape[:2]), 14 if test else 9
    )
    return camera(scene * (1 + 0.06 * folds / folds.std())[..., None], rng)


def vignette(shape: tuple[int, ...], strength: float, power: float = 2) -> np.ndarray:
    down, right = (np.indices(shape[:2]).T / np.array(shape[:2]) * 2 - 1).T
    return (1 - strength * (np.hypot(down, right) / np.sqrt(2)) ** power)[..., None]


@kind("vignette, 30 %", "clean")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    return camera(scene * vignette(scene.shape, 0.33 if test else 0.3), rng)


# Light


@kind("vignette, 50 %", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    return camera(scene * vignette(scene.shape, 0.55 if test else 0.5, 3 - test), rng)


def shadow(name: str, tuning: tuple[float, ...], test: tuple[float, ...]) -> None:
    """A shadow with (strength, width of its edge, angle)."""

    @kind(name, "hard")
    def make(digit: np.ndarray, rng: np.random.Generator, version: bool) -> Picture:
        strength, width, angle = test if version else tuning
        scene = plain(digit, rng, side=170)
        dark = ramp(
            scene.shape, angle + rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.1), width
        )
        return camera(scene * (1 - strength * dark), rng)


shadow("soft shadow, 20 %", (0.2, 0.15, 0.3), (0.22, 0.2, 2.4))
shadow("soft shadow, 30 %", (0.3, 0.15, 0.3), (0.33, 0.2, 2.4))
shadow("shadow with an edge, 40 %", (0.4, 0.01, 0.5), (0.43, 0.015, 2.2))


@kind("hand's shadow in a corner, 35 %", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=170)
    down, right = np.indices(scene.shape[:2])
    row, column = (0, 0) if test else (400, 300)
    far = np.hypot(down - row, (right - column) * (1.3 if test else 1))
    dark = np.clip((rng.uniform(120, 170) - far) / (25 if test else 12) + 0.5, 0, 1)
    return camera(scene * (1 - 0.35 * dark[..., None]), rng)


@kind("the phone's own shadow", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=150)
    image = Image.new("L", (300, 400))
    x, y = rng.uniform(60, 160), rng.uniform(120, 220)
    ImageDraw.Draw(image).polygon(
        [(x, y), (x + 130, y + (30 if test else 10)), (x + 160, 420), (x - 40, 420)],
        255,
    )
    dark = ndimage.gaussian_filter(np.asarray(image) / 255, 9 if test else 5)
    return camera(scene * (1 - (0.4 if test else 0.35) * dark[..., None]), rng)


@kind("shadows of fingers", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=150)
    image = Image.new("L", (300, 400))
    for k in range(3):
        x = 190 + 45 * k + rng.uniform(-15, 15) if test else 20 + 45 * k
        end = (
            (x - 60, rng.uniform(150, 250)) if test else (x + 40, rng.uniform(210, 280))
        )
        ImageDraw.Draw(image).line([(x, 0 if test else 420), end], 255, width=26)
    dark = ndimage.gaussian_filter(np.asarray(image) / 255, 6 if test else 4)
    return camera(scene * (1 - 0.35 * dark[..., None]), rng)


# What else is in the picture


@kind("sheet on a dark desk", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = plain(digit, rng, side=130, shape=(300, 230))
    desk = sheet((400, 320), (40, 42, 48) if test else (70, 66, 64))
    desk += ndimage.gaussian_filter(rng.normal(0, 25, (400, 320, 1)), (2, 2, 0))
    return camera(turned(paper, rng.uniform(-8, 8) if test else 0, 0, desk), rng)


@kind("desk on two sides", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = plain(digit, rng, side=150, shape=(380, 300))
    colour = (120, 84, 56) if test else (60, 60, 66)
    scene = turned(paper, rng.uniform(-10, 10), 0.1, wood((440, 340), rng, colour))
    top, left = rng.integers(0, 50, 2)
    return camera(scene[top + 20 : top + 380, left : left + 290], rng)


@kind("sheet on a light desk", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = plain(digit, rng, side=130, shape=(300, 230))
    colour = (205, 178, 140) if test else (214, 210, 200)
    desk = wood((400, 330), rng, colour)
    rim = np.pad(np.ones((300, 230)), ((50, 50), (50, 50)))
    dark = np.roll(ndimage.gaussian_filter(rim, 4), (4, 4), (0, 1))[..., None]
    scene = turned(
        paper, rng.uniform(-10, 10) if test else 3, 0.1, desk * (1 - 0.3 * dark)
    )
    return camera(scene, rng)


@kind("ruled sheet on a desk, slanted, in a shadow", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = lines(sheet((420, 330)), 30 if test else 26, (170, 190, 215))
    paper = plain(digit, rng, side=130, paper=paper, colour=(40, 50, 120))
    scene = turned(paper, rng.uniform(-6, 6), 0.3, wood((460, 360), rng, (110, 80, 60)))
    dark = ramp(scene.shape, rng.uniform(0, 6), rng.uniform(0, 0.2), 0.1 + 0.1 * test)
    return camera(scene * (1 - 0.3 * dark), rng)


@kind("frame at the very border", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    width = 7 if test else 3
    inner = scene[width:-width, width:-width].copy()
    scene[:] = (70, 70, 75) if test else (0, 0, 0)
    scene[width:-width, width:-width] = inner
    return camera(scene, rng, blur=0.4)


@kind("thumb in a corner", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=170)
    image = Image.new("L", (300, 400))
    box = (-50, 330, 60, 480) if test else (245, 345, 360, 460)
    ImageDraw.Draw(image).ellipse(box, 255)
    mask = ndimage.gaussian_filter(np.asarray(image) / 255, 1.5)[..., None]
    return camera(scene + mask * (np.array((190, 140, 120)) - scene), rng)


@kind("dark strip along one side", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng)
    if test:
        scene[-9:] = (60, 60, 60)
    else:
        scene[:, :6] = (25, 25, 25)
    return camera(scene, rng)


@kind("strong ruling", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    colour, step = ((100, 120, 170), 44) if test else ((90, 90, 95), 36)
    paper = lines(sheet((420, 320)), step, colour, thick=2)
    paper = plain(digit, rng, side=170, paper=paper)
    desk = sheet((420, 320), WHITE)
    scene = turned(paper, rng.uniform(-3, 3), 0.1, desk)
    return camera(scene[35:-35, 30:-30], rng)


@kind("pale ruling", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    colour, step = ((175, 195, 225), 40) if test else ((185, 185, 190), 30)
    paper = plain(digit, rng, side=170, paper=lines(sheet((420, 320)), step, colour))
    return camera(
        turned(paper, rng.uniform(-3, 3), 0.1, sheet((420, 320)))[35:-35, 30:-30], rng
    )


@kind("squared paper", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    colour, step = ((160, 180, 215), 24) if test else ((180, 185, 190), 20)
    paper = lines(sheet((420, 320)), step, colour, squared=True)
    paper = plain(digit, rng, side=150, paper=paper, colour=(45, 50, 90))
    return camera(
        turned(paper, rng.uniform(-3, 3), 0.1, sheet((420, 320)))[35:-35, 30:-30], rng
    )


@kind("very pale pencil", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    level = 224 if test else 220
    return camera(
        plain(digit, rng, colour=(level,) * 3, on=(244 if test else 240,) * 3),
        rng,
        noise=1,
        quality=92,
    )


@kind("white ink on transparent", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    alpha = np.pad(ink(digit, 160 if test else 240), 20)
    light = np.full_like(alpha, 0.92 if test else 1)
    return png((np.dstack([light, light, light, alpha]) * 255).astype(np.uint8))


@kind("colours of the same grey", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    ink_, paper = (
        ((30, 130, 60), (200, 60, 70)) if test else ((60, 90, 255), (225, 45, 25))
    )
    return camera(plain(digit, rng, colour=ink_, on=paper), rng, quality=90)


@kind("cut to the digit's box", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=130 if test else 200)
    rows, columns = np.nonzero(scene[..., 0] < 140)
    cut = scene[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return camera(cut, rng, noise=1 + test)


@kind("cut close", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=200)
    rows, columns = np.nonzero(scene[..., 0] < 140)
    gap = rng.integers(3, 9) if test else 5
    cut = scene[
        rows.min() - gap : rows.max() + gap, columns.min() - gap : columns.max() + gap
    ]
    return camera(cut * (1 - 0.25 * ramp(cut.shape, 1.0 + test, 0, 1)), rng)


@kind("mirrored", "stays hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    return camera(plain(digit[:, ::-1], rng, side=150 if test else 190), rng)


@kind("box around the digit", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    image = Image.new("L", (300, 400))
    if test:
        ImageDraw.Draw(image).ellipse((40, 90, 262, 310), outline=255, width=5)
    else:
        ImageDraw.Draw(image).rectangle((45, 95, 255, 305), outline=255, width=4)
    paper = write(sheet((400, 300)), np.asarray(image) / 255)
    return camera(write(paper, ink(digit, 170)), rng)


@kind("red margin line", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = sheet((400, 300))
    if test:
        paper[:, 255:258] = (220, 90, 100)
    else:
        paper[:, 40:42] = (205, 60, 70)
    return camera(plain(digit, rng, paper=paper, side=170), rng)


@kind("screenshot with a toolbar", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(
        digit, rng, on=(255,) * 3, colour=(0,) * 3, shape=(480, 270), side=200
    )
    bar, level = (34, (45, 48, 55)) if test else (26, (210, 214, 220))
    scene[:bar] = level
    for k in range(5):
        scene[bar // 3 : -(-2 * bar // 3), 15 + 50 * k : 30 + 50 * k] = (120, 120, 130)
    return scene.astype(np.uint8)


@kind("salt and pepper", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = camera(plain(digit, rng), rng).copy()
    hit = rng.random(scene.shape[:2])
    amount = 0.02 if test else 0.015
    scene[hit < amount] = 0
    scene[hit > 1 - amount] = 255
    return scene


@kind("thick marker", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    return camera(plain(digit, rng, pen=1.2 if test else 1, side=170), rng)


@kind("thick marker, cut close", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    shape = (230, 220) if test else (220, 200)
    return camera(plain(digit, rng, pen=1, side=230, shape=shape), rng)


@kind("print shining through", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = Image.new("RGB", (300, 400), WHITE)
    font = ImageFont.load_default(15 if test else 18)
    for k in range(14):
        word = "".join(rng.choice(list("abcdeghmnorstu  "), 34))
        level = 205 if test else 212
        ImageDraw.Draw(scene).text((8, 8 + 28 * k), word, (level,) * 3, font=font)
    paper = np.asarray(scene)[:, ::-1].astype(float)
    return camera(plain(digit, rng, paper=paper, side=160), rng)


@kind("writing above the digit", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = Image.new("RGB", (300, 400), WHITE)
    font = ImageFont.load_default(13 if test else 15)
    for k in range(2):
        word = "".join(rng.choice(list("abcdeghmnorstu "), 22))
        ImageDraw.Draw(scene).text((30, 20 + 24 * k), word, (70, 70, 90), font=font)
    scene = write(np.asarray(scene).astype(float), ink(digit, 180), (0.58, 0.5))
    return camera(scene, rng)


@kind("holes of a folder", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = Image.new("RGB", (300, 400), WHITE)
    for y in (100, 300) if test else range(20, 400, 36):
        size = 12 if test else 6
        ImageDraw.Draw(scene).ellipse(
            (22 - size, y - size, 22 + size, y + size), (45, 42, 40)
        )
    return camera(
        write(np.asarray(scene).astype(float), ink(digit, 160), (0.5, 0.58)), rng
    )


@kind("small, on a large sheet", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = plain(digit, rng, side=90 if test else 70, shape=(900, 700))
    dark = ramp(scene.shape, rng.uniform(0, 6), 0, 0.6)
    return camera(scene * (1 - 0.35 * dark), rng, blur=1)


@kind("torn sheet in dim yellow light", "hard")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = plain(digit, rng, side=150, shape=(330, 260), colour=(50, 55, 100))
    desk = wood((400, 320), rng, (96, 70, 50) if test else (52, 46, 44))
    scene = turned(paper, rng.uniform(-15, 15), 0.2, desk)
    light = np.array((0.75, 0.62, 0.42)) * vignette(scene.shape, 0.35)
    return camera(scene * light, rng, noise=4, blur=1.2)


@kind(UNSEEN[0], "unseen")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = plain(
        digit, rng, side=110, shape=(190, 190), on=(246, 226, 110), colour=(35, 45, 110)
    )
    desk = wood((360, 300), rng, (150, 108, 72) if test else (170, 130, 90))
    scene = turned(paper, rng.uniform(-12, 12), 0.2, desk)
    dark = ramp(scene.shape, rng.uniform(0, 6), rng.uniform(-0.1, 0.2), 0.08)
    return camera(scene * (1 - 0.3 * dark), rng, noise=3)


@kind(UNSEEN[1], "unseen")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    paper = lines(sheet((420, 320)), 24, (178, 196, 214), squared=test)
    for x in range(12, 320, 18):
        paper[8:16, x : x + 7] = (50, 50, 52)
    paper = plain(digit, rng, side=130, paper=paper, colour=(30, 30, 36))
    scene = turned(paper, rng.uniform(-5, 5), 0.15, sheet((430, 340), (188, 170, 150)))
    down, right = np.indices(scene.shape[:2])
    far = np.hypot(down - rng.uniform(0, 150), right - rng.uniform(50, 290))
    return camera(scene * (0.5 + 0.5 * np.exp(-((far / 260) ** 2)))[..., None], rng)


# What is no single digit: right means that the doubt says so


@kind("two digits", "pairs")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    other = DIGITS[0][rng.integers(len(DIGITS[0]))]
    scene = sheet((260, 420))
    gap = rng.uniform(0.5, 0.62) if test else 0.5
    scene = write(scene, ink(digit, 170), (0.5, 0.5 - gap / 2))
    return camera(write(scene, ink(other, 170), (0.5, 0.5 + gap / 2)), rng)


@kind("three digits in a row", "pairs")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    scene = sheet((300, 420))
    for k in (-1, 0, 1):
        one = DIGITS[0][rng.integers(len(DIGITS[0]))]
        scene = write(scene, ink(one, 130 if test else 140), (0.5, 0.5 + 0.28 * k))
    return camera(scene, rng)


@kind("scribbles", "no digit")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    image = Image.new("RGB", (200, 200), "white")
    points = rng.uniform(20, 180, (rng.integers(4, 9), 2))
    ImageDraw.Draw(image).line(
        [tuple(point) for point in points], (0, 0, 0), 10 if test else 14, "curve"
    )
    return np.asarray(image)


@kind("letters", "no digit")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    from matplotlib import font_manager

    families = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")
    family = font_manager.findfont(str(rng.choice(families)))
    image = Image.new("RGB", (200, 200), "white")
    letter = str(rng.choice(list("AEFHKMNRTWXdefhkmntwx")))
    font = ImageFont.truetype(family, 110 if test else 130)
    ImageDraw.Draw(image).text((100, 100), letter, (0, 0, 0), font, "mm")
    return np.asarray(image)


@kind("dots", "no digit")
def _(digit, rng, test):  # type: ignore[no-untyped-def]
    size, (x, y) = rng.uniform(2, 40), rng.uniform(60, 140, 2)
    image = Image.new("RGB", (200, 200), "white")
    flat = rng.uniform(0.7, 1.4) if test else 1
    box = (x - size, y - size * flat, x + size, y + size * flat)
    ImageDraw.Draw(image).ellipse(box, (0, 0, 0))
    return np.asarray(image)


# Reading them


DIGITS: list[np.ndarray] = []  # of the version at work: images, labels


def load(checkout: Path | None) -> ModuleType:
    """Import `read_picture` and `center_digit` as another checkout has them, or ours."""
    if checkout is None:
        return importlib.import_module("mnist_tutorial.pictures")
    ours = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name.startswith("mnist_tutorial")
    }
    sys.path.insert(0, str(checkout))
    try:
        try:
            return importlib.import_module("mnist_tutorial.pictures")
        except ModuleNotFoundError:
            return importlib.import_module("mnist_tutorial.preprocessing")
    finally:
        sys.path.pop(0)
        for name in list(sys.modules):
            if name.startswith("mnist_tutorial"):
                del sys.modules[name]
        sys.modules.update(ours)


def pictures_of(make: Make, version: bool, n: int) -> list[Picture]:
    """n pictures of a kind; each is the same in every run."""
    pictures = []
    for i, digit in enumerate(DIGITS[0][:n]):
        pictures.append(make(digit, np.random.default_rng((i, version)), version))
    return pictures


def prepare(module: ModuleType, pictures: list[Picture]) -> list[np.ndarray | None]:
    """The digit in each picture, 28 by 28, or None where it is refused."""
    takes_colour = module.__name__.endswith("pictures")
    found: list[np.ndarray | None] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture"
        for picture in pictures:
            if isinstance(picture, bytes):
                file.write_bytes(picture)
                picture = module.read_picture(file)
            elif not takes_colour:
                picture = np.asarray(Image.fromarray(picture).convert("L"))
            try:
                found.append(module.center_digit(picture))
            except ValueError:
                found.append(None)
    return found


def tally(
    found: list[np.ndarray | None],
    labels: np.ndarray,
    read: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    doubts: Callable[[np.ndarray, np.ndarray, np.ndarray], str],
) -> dict[str, int]:
    """Count what became of the pictures, by COLUMNS, and those called several."""
    counts = dict.fromkeys((*COLUMNS, "several"), 0)
    there = [i for i, pixels in enumerate(found) if pixels is not None]
    counts["refused"] = len(found) - len(there)
    if not there:
        return counts
    logits, probabilities = read(np.stack([found[i] for i in there]))
    for i, row, chances in zip(there, logits, probabilities, strict=True):
        said = doubts(found[i], row, chances)
        right = row.argmax() == labels[i]
        name = (
            ("right_doubted" if said else "right")
            if right
            else ("doubted" if said else "sure")
        )
        counts[name] += 1
        counts["several"] += "digits" in said or "one at a time" in said
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="a checkout that reads them too")
    parser.add_argument("--tuning", action="store_true", help="the tuning version")
    parser.add_argument("--kinds", nargs="*", default=[], help="words in their names")
    parser.add_argument("--unseen", action="store_true", help="the unseen kinds too")
    parser.add_argument("--n", type=int, default=200, help="digits per kind")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from mnist_tutorial import data, doubt, export, models, preprocessing
    from mnist_tutorial.backend import keras

    model = models.load_pretrained()
    limits = export.limits(model)
    both = keras.Model(
        model.inputs, [model.get_layer(n).output for n in ("logits", "softmax")]
    )

    def read(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = preprocessing.add_channel(preprocessing.scale_pixels(pixels))
        return both.predict(x, batch_size=200, verbose=0)

    def doubts_now(pixels: np.ndarray, logits: np.ndarray, chances: np.ndarray) -> str:
        return doubt.doubt(pixels, logits, chances, limits)

    def doubts_before(
        pixels: np.ndarray, logits: np.ndarray, chances: np.ndarray
    ) -> str:
        sure = (
            logits.max() >= limits["logit"] and chances.max() >= limits["probability"]
        )
        return "" if sure else "not sure"

    readers = {"now": (load(None), doubts_now)}
    if options.before:
        readers = {"before": (load(options.before), doubts_before), **readers}
    (x_train, y_train), _ = data.load_mnist()
    first = 52_000 if options.tuning else 56_000
    DIGITS[:] = x_train[first : first + 4000], y_train[first : first + 4000]
    table: dict[str, Any] = {}
    seconds = dict.fromkeys(readers, 0.0)
    print(f"{'kind':44}" + "".join(f"{name:>34}" for name in readers))
    for name, (group, make) in KINDS.items():
        chosen = not options.kinds or any(word in name for word in options.kinds)
        if not chosen or (group == "unseen" and not options.unseen):
            continue
        offset = sum(map(ord, name)) * 7 % 3000  # other digits in each kind
        DIGITS[:] = (x_train[first + offset :][:1000], y_train[first + offset :][:1000])
        pictures = pictures_of(make, not options.tuning, options.n)
        table[name] = {"group": group, "n": options.n}
        text = f"{name:44}"
        for when, (module, doubts) in readers.items():
            start = time.process_time()
            found = prepare(module, pictures)
            seconds[when] += time.process_time() - start
            counts = tally(found, DIGITS[1], read, doubts)
            table[name][when] = counts
            text += "   " + " ".join(f"{counts[column]:4}" for column in counts)
        print(text, flush=True)
    print("seconds of preparation:", {when: round(s, 1) for when, s in seconds.items()})
    if options.record:
        content = {
            "version": "tuning" if options.tuning else "test",
            "digits": [first, first + 4000],
            "kinds": table,
        }
        RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
