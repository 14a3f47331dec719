"""Images of the detector: shapes among letters and lines. An image is known by its split and its number."""

import concurrent.futures
import functools
import io
import json
import math
import pathlib
import shutil

import numpy as np
from PIL import Image

from rendering import SHAPES, contrasting, degrade, draw_glyph, draw_polygon, load_fonts, paint, random_turn

LABELS = ["circle", "square", "triangle", "star", "heart"]
# What the network takes, pixels, and what it is trained on: convolutions do not care, and less is faster.
SIDE = 160
TRAINING_SIDE = 128
MOST_OBJECTS = 6
JPEG_QUALITY = 75
# Letters that nobody takes for a shape.
DISTRACTORS = "ABCEFGHKLMNPRSTWXYZ2345679"
SPLITS = {"training": 0, "eval": 1, "calibration": 2}
EVAL_IMAGES = 100
CALIBRATION_IMAGES = 48
# An object that finds no place is given up after so many.
TRIES = 10


def input_side(split):
    return TRAINING_SIDE if split == "training" else SIDE


def render_image(split, index, fonts):
    """A JPEG file, and its objects: label, box (x, y, width, height) within the image, visible area; pixels."""
    rng = np.random.default_rng([SPLITS[split], index])
    side = input_side(split)
    size = tuple(int(round(side * share)) for share in rng.uniform(0.8, 1.2, 2))
    image = paint(rng, size, rng.uniform(20, 235, 3), rng.uniform(10, 70))
    taken, objects = [], []
    for _ in range(rng.integers(0, 4)):
        _add_distractor(rng, image, fonts, taken)
    for _ in range(rng.integers(1, MOST_OBJECTS + 1)):
        _add_object(rng, image, taken, objects)
    file = io.BytesIO()
    pixels = Image.fromarray(degrade(rng, image, blur=1.6, noise=14))
    pixels.save(file, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return file.getvalue(), objects


def _add_object(rng, image, taken, objects):
    size = image.shape[1::-1]
    label = LABELS[rng.integers(len(LABELS))]
    length = math.exp(rng.uniform(math.log(15), math.log(80)))
    points = SHAPES[label] @ random_turn(rng, rotation=0.8, stretch=0.35).T * length / 2
    box = np.concatenate([points.min(0), points.max(0)])
    for _ in range(TRIES):
        center = rng.uniform(0, 1, 2) * size
        moved = box + [*center, *center]
        if _fits(moved, size, taken):
            break
    else:
        return
    stroke = length * rng.uniform(0.1, 0.16) if rng.random() < 0.3 else None
    view, corner = _view(image, moved)
    coverage = draw_polygon(view.shape[1::-1], points + center - corner, stroke)
    _blend(rng, view, coverage, 30)
    taken.append(moved)
    left, top, right, bottom = np.clip(moved, 0, [*size, *size]).tolist()
    objects.append((label, (left, top, right - left, bottom - top), float(coverage.sum())))


def _add_distractor(rng, image, fonts, taken):
    height = rng.uniform(16, 60)
    center = rng.uniform(0, 1, 2) * image.shape[1::-1]
    font, character = fonts[rng.integers(len(fonts))], DISTRACTORS[rng.integers(len(DISTRACTORS))]
    box = np.concatenate([center - height, center + height])
    view, corner = _view(image, box)
    matrix = random_turn(rng, rotation=0.8, stretch=0.35)
    _blend(rng, view, draw_glyph(view.shape[1::-1], font, character, matrix, center - corner, height), 20)
    taken.append(np.concatenate([center - height / 2, center + height / 2]))


def _view(image, box):
    """The part of an image that a box lies in, to be painted on, and where it begins."""
    left, top = np.maximum(np.floor(box[:2]), 0).astype(int)
    right, bottom = np.ceil(box[2:]).astype(int)
    return image[top:bottom, left:right], np.array([left, top])


def _blend(rng, view, coverage, least):
    """Paints what is covered in a colour at least `least` brighter or darker than what lies under it."""
    under = (view * coverage[..., None]).sum((0, 1)) / (coverage.sum() + 1e-6)
    ink = contrasting(rng, under, rng.uniform(least, 110))
    surface = paint(rng, view.shape[1::-1], ink, rng.uniform(0, 25))
    view += coverage[..., None] * (surface - view)


def _fits(box, size, taken):
    """Whether three quarters lie in the image and other boxes cover less than a fifth of the smaller of the two."""
    if _overlap(box, np.array([0, 0, *size])) < 0.75 * _area(box):
        return False
    return all(_overlap(box, other) < 0.2 * min(_area(box), _area(other)) for other in taken)


def _overlap(a, b):
    return _area(np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))


def _area(box):
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))


def to_input(image, side=SIDE):
    """RGB bytes [3, side, side] of an image of any size, stretched as preprocessor_config.json says."""
    resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized).transpose(2, 0, 1)


def render_arrays(split, count, fonts_folder, workers):
    """Inputs [count, 3, side, side] bytes, boxes [count, MOST_OBJECTS, 4] (corners in the input), labels (−1: none)."""
    render = functools.partial(_render_arrays, split, fonts_folder)
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(render, range(count), chunksize=64))
    return tuple(np.stack(parts) for parts in zip(*results, strict=True))


def _render_arrays(split, fonts_folder, index):
    file, objects = render_image(split, index, _fonts(fonts_folder))
    image = Image.open(io.BytesIO(file))
    side = input_side(split)
    boxes = np.zeros((MOST_OBJECTS, 4), np.float32)
    labels = np.full(MOST_OBJECTS, -1)
    for slot, (label, (x, y, width, height), _) in enumerate(objects):
        boxes[slot] = np.array([x, y, x + width, y + height]) * side / [*image.size, *image.size]
        labels[slot] = LABELS.index(label)
    return to_input(image, side), boxes, labels


_fonts = functools.cache(load_fonts)


def write_images(folder, fonts):
    """Makes `eval/` with COCO's `annotations.json` and `calibration/` anew."""
    for split, count in (("eval", EVAL_IMAGES), ("calibration", CALIBRATION_IMAGES)):
        root = pathlib.Path(folder) / split
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        images, annotations = [], []
        for index in range(count):
            name = f"{index:03}.jpg"
            file, objects = render_image(split, index, fonts)
            (root / name).write_bytes(file)
            width, height = Image.open(io.BytesIO(file)).size
            images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
            annotations += [
                {
                    "id": len(annotations) + number,
                    "image_id": index + 1,
                    "category_id": LABELS.index(label) + 1,
                    "bbox": [round(value, 2) for value in box],
                    "area": round(area, 2),
                    "iscrowd": 0,
                }
                for number, (label, box, area) in enumerate(objects, start=1)
            ]
        if split != "eval":
            continue
        categories = [{"id": number, "name": label} for number, label in enumerate(LABELS, start=1)]
        data = {"images": images, "annotations": annotations, "categories": categories}
        (root / "annotations.json").write_text(_one_line_each(data))


def _one_line_each(data):
    """JSON with a line for each image and annotation."""
    lists = ",\n".join(
        f'"{key}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]" for key, items in data.items()
    )
    return "{\n" + lists + "\n}\n"
