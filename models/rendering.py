"""Draws what the demo networks look at: shapes and glyphs on textured backgrounds, out of focus and noisy.

Everything comes from the generator that is passed in, so an image is known by its seed. Colours are RGB, 0…255.
Shapes are our own; glyphs are of the DejaVu fonts 2.37, whose licence allows any use of what is drawn with them.
"""

import math
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# Masks are drawn so many times larger and averaged, for smooth edges.
SUPERSAMPLING = 4
# ITU-R 601-2: how bright a colour looks.
LUMA = np.array([0.299, 0.587, 0.114])
# Points of glyphs before they are scaled.
GLYPH_SIZE = 96


def _circle(radius=1.0, count=72):
    angles = 2 * math.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angles), np.sin(angles)], 1)


def _star():
    radii = np.tile([1.0, 0.45], 5)
    angles = -math.pi / 2 + math.pi * np.arange(10) / 5
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)


def _heart():
    t = 2 * math.pi * np.arange(72) / 72
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y - 2.5], 1) / 16


def _moon():
    t = np.linspace(-0.75 * math.pi, 0.75 * math.pi, 48)
    outer = np.stack([-np.cos(t), np.sin(t)], 1)
    tip = math.sqrt(0.5)
    inner = np.linspace(tip, -tip, 32)
    # The inner arc goes through both tips and the point (-0.25, 0).
    radius = (tip**2 + (tip + 0.25) ** 2) / (2 * (tip + 0.25))
    back = np.stack([-0.25 + radius - np.sqrt(radius**2 - inner**2), inner], 1)
    return np.concatenate([outer, back])


# Polygons within [-1, 1], y down.
SHAPES = {
    "circle": _circle(),
    "square": 0.85 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]),
    "triangle": np.array([[0, -1], [0.93, 0.72], [-0.93, 0.72]]),
    "star": _star(),
    "heart": _heart(),
    "moon": _moon(),
}


def load_fonts(folder):
    """Every DejaVu text font of a folder, sorted by name so that the same seed picks the same font."""
    paths = sorted(pathlib.Path(folder).glob("DejaVuS*.ttf"))
    # Too thin to be seen through noise.
    paths = [path for path in paths if "ExtraLight" not in path.name]
    if not paths:
        raise SystemExit(f"{folder} holds no DejaVu fonts")
    return [ImageFont.truetype(str(path), GLYPH_SIZE) for path in paths]


def random_turn(rng, rotation, stretch):
    """A 2×2 matrix: turned by at most `rotation` radians, one side longer by at most the factor 1 + `stretch`."""
    angle = rng.uniform(-rotation, rotation)
    ratio = math.sqrt(1 + rng.uniform(0, stretch)) ** rng.choice([-1, 1])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.diag([ratio, 1 / ratio]) @ turn


def draw_polygon(size, points, stroke=None):
    """Coverage 0…1 [height, width] of a polygon in pixels; with `stroke` (pixels) of its outline, drawn inwards."""
    width, height = (side * SUPERSAMPLING for side in size)
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    corners = [tuple(point) for point in points * SUPERSAMPLING]
    draw.polygon(corners, fill=255)
    if stroke is not None:
        line = Image.new("L", (width, height))
        thickness = max(2, round(2 * stroke * SUPERSAMPLING))
        ImageDraw.Draw(line).line([*corners, corners[0], corners[1]], fill=255, width=thickness, joint="curve")
        mask = Image.fromarray(np.minimum(np.asarray(mask), np.asarray(line)))
    return np.asarray(mask.reduce(SUPERSAMPLING), np.float32) / 255


def draw_glyph(size, font, character, matrix, center, height):
    """Coverage 0…1 [height, width] of a character that is `height` pixels high before the 2×2 `matrix` turns it."""
    left, top, right, bottom = font.getbbox(character)
    glyph = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(glyph).text((4 - left, 4 - top), character, fill=255, font=font)
    scale = (bottom - top) / (height * SUPERSAMPLING)
    inverse = np.linalg.inv(matrix) * scale
    offset = np.array(glyph.size) / 2 - inverse @ (np.array(center) * SUPERSAMPLING)
    coefficients = (*inverse[0], offset[0], *inverse[1], offset[1])
    large = tuple(side * SUPERSAMPLING for side in size)
    mask = glyph.transform(large, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(mask.reduce(SUPERSAMPLING), np.float32) / 255


def _clouds(rng, width, height):
    """Smooth noise: random grids of several sizes, enlarged and added."""
    total = np.zeros((height, width), np.float32)
    for cells in rng.choice([2, 3, 5, 8, 13, 24], 3, replace=False):
        grid = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / math.sqrt(cells)
    return (total - total.min()) / (np.ptp(total) + 1e-6)


def _waves(rng, width, height):
    """Stripes, or checks where two directions of them cross; soft or hard."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, period = rng.uniform(0, math.pi), rng.uniform(5, 40)
    wave = np.sin(2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / period)
    if rng.random() < 0.4:
        wave = wave * np.sin(2 * math.pi * (y * math.cos(angle) - x * math.sin(angle)) / period)
    return np.clip(0.5 + wave * rng.choice([0.5, 4.0]), 0, 1)


def _dots(rng, width, height):
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for _ in range(rng.integers(10, 60)):
        x, y, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.7, 4)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(90, 255)))
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(0.7)), np.float32) / 255


def _scratches(rng, width, height):
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for _ in range(rng.integers(3, 14)):
        ends = rng.uniform(-0.2, 1.2, 4) * [width, height, width, height]
        draw.line(tuple(ends), fill=int(rng.integers(90, 255)), width=int(rng.integers(1, 4)))
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(0.7)), np.float32) / 255


TEXTURES = (_clouds, _waves, _dots, _scratches)


def paint(rng, size, color, strength):
    """A surface [height, width, 3] around a colour; `strength` is how far its second colour lies away."""
    width, height = size
    other = color + rng.normal(0, 1, 3) * strength
    share = _clouds(rng, width, height) if rng.random() < 0.4 else rng.choice(TEXTURES)(rng, width, height)
    if rng.random() < 0.5:
        share = 0.6 * share + 0.4 * _clouds(rng, width, height)
    return (color + share[..., None] * (other - color)).astype(np.float32)


def contrasting(rng, color, least):
    """A colour whose brightness differs by at least `least` from that of `color` (at most 120)."""
    while True:
        other = rng.uniform(0, 255, 3)
        if abs((other - color) @ LUMA) >= least:
            return other


def degrade(rng, image, blur, noise):
    """Uneven light, defocus and sensor noise: standard deviations up to `blur` pixels and `noise` levels. RGB bytes."""
    height, width, _ = image.shape
    light = 1 + rng.uniform(0, 0.35) * (_clouds(rng, width, height) - 0.5)
    pixels = Image.fromarray(np.clip(image * light[..., None], 0, 255).astype(np.uint8))
    pixels = np.asarray(pixels.filter(ImageFilter.GaussianBlur(rng.uniform(0, blur))), np.float32)
    level = rng.uniform(0, noise)
    grain = rng.normal(0, level, (height, width, 1)) + rng.normal(0, level / 3, (height, width, 3))
    return np.clip(pixels + grain, 0, 255).round().astype(np.uint8)
