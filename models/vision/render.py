"""Images of the classifier: one digit, letter or shape each, 64×64. An image is known by its split and its number."""

import concurrent.futures
import functools
import math
import pathlib
import shutil
import typing

import numpy as np
from PIL import Image

from rendering import SHAPES, contrasting, degrade, draw_glyph, draw_polygon, load_fonts, paint, random_turn

SIDE = 64
GLYPHS = "0123456789" + "ABCDEFHKMPRSTXYZ"
LABELS = [*GLYPHS, *SHAPES]
# What is stored: few colours, so that a noisy image is a small PNG, and every decoder gives the same pixels.
COLORS = 32
SPLITS = {"training": 0, "eval": 1, "calibration": 2}
EVAL_IMAGES = 12 * len(LABELS)
CALIBRATION_IMAGES = 2 * len(LABELS)


class Conditions(typing.NamedTuple):
    """Brightness of the ink minus that of the ground, and how far texture, blur (pixels) and noise (levels) go."""

    contrast: tuple[int, int]
    texture: int
    blur: float
    noise: int


# What is measured on is harder than what is learnt from, so that there are mistakes to see.
LEARNT = Conditions(contrast=(30, 110), texture=70, blur=1.6, noise=28)
MEASURED = Conditions(contrast=(20, 80), texture=90, blur=2.4, noise=45)


def label_of(index):
    """Classes take turns."""
    return index % len(LABELS)


def render_image(split, index, fonts):
    """An image as a palette of at most `COLORS` colours."""
    rng = np.random.default_rng([SPLITS[split], index])
    contrast, texture, blur, noise = LEARNT if split == "training" else MEASURED
    size = (SIDE, SIDE)
    image = paint(rng, size, rng.uniform(20, 235, 3), rng.uniform(10, texture))
    ink = contrasting(rng, image.mean((0, 1)), rng.uniform(*contrast))
    coverage = _draw(rng, LABELS[label_of(index)], fonts)[..., None]
    image = image + coverage * (paint(rng, size, ink, rng.uniform(0, 25)) - image)
    pixels = Image.fromarray(degrade(rng, image, blur, noise))
    return pixels.quantize(COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _draw(rng, label, fonts):
    height = rng.uniform(26, 50)
    room = (SIDE - height) / 2
    center = SIDE / 2 + rng.uniform(-room, room, 2) * 0.8
    matrix = random_turn(rng, rotation=math.radians(28), stretch=0.35)
    if label not in SHAPES:
        return draw_glyph((SIDE, SIDE), fonts[rng.integers(len(fonts))], label, matrix, center, height)
    hollow = label not in ("circle", "moon") and rng.random() < 0.35
    stroke = height * rng.uniform(0.1, 0.16) if hollow else None
    return draw_polygon((SIDE, SIDE), SHAPES[label] @ matrix.T * height / 2 + center, stroke)


def render_arrays(split, count, fonts_folder, workers):
    """RGB bytes [count, 3, 64, 64] of the first images of a split."""
    render = functools.partial(_render_array, split, fonts_folder)
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        return np.stack(list(pool.map(render, range(count), chunksize=256)))


def _render_array(split, fonts_folder, index):
    image = render_image(split, index, _fonts(fonts_folder)).convert("RGB")
    return np.asarray(image).transpose(2, 0, 1)


_fonts = functools.cache(load_fonts)


def write_images(folder, fonts):
    """Makes `eval/LABEL/NUMBER.png` and `calibration/NUMBER.png` anew."""
    for split, count in (("eval", EVAL_IMAGES), ("calibration", CALIBRATION_IMAGES)):
        root = pathlib.Path(folder) / split
        shutil.rmtree(root, ignore_errors=True)
        for index in range(count):
            turn = index // len(LABELS)
            path = root / LABELS[label_of(index)] / f"{turn:02}.png" if split == "eval" else root / f"{index:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            render_image(split, index, fonts).save(path, optimize=True)
