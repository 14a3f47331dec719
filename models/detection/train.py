"""Makes everything in this folder but the scripts and README.md: images, network, configuration.

    python models/detection/train.py --fonts FOLDER

FOLDER holds the DejaVu fonts 2.37 (Debian: fonts-dejavu-core and fonts-dejavu-extra); models/requirements.txt has the
versions that the committed files were made with. Everything is seeded. Wall time: see README.md.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np
import onnxruntime
import torch
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import nn

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from export import export_with_dynamo
from render import LABELS, SIDE, TRAINING_SIDE, load_fonts, render_arrays, to_input, write_images

SEED = 20
THREADS = 1
WORKERS = 2
TRAINING_IMAGES = 4800
EPOCHS = 24
BATCH = 32
LEARNING_RATE = 3e-3
STRIDES = [8, 16]
# Longest side of a box, input pixels, that a level is trained to find.
RANGES = [(0, 56), (40, 1000)]
# How far from the middle of a box the cells lie that are trained to find it, strides.
RADIUS = 1.1
IOU_THRESHOLD = 0.5
# What an app is shown, and what the mean average precision counts.
SCORE_THRESHOLD = 0.3
LEAST_SCORE = 0.01


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.Hardswish())


class Separable(nn.Module):
    """Depthwise, then 1×1 (Howard et al. 2017, MobileNet); with a skip connection where the shape stays."""

    def __init__(self, inputs, outputs, kernel=3, stride=1):
        super().__init__()
        self.depthwise = conv_bn(inputs, inputs, kernel, stride, groups=inputs)
        self.pointwise = conv_bn(inputs, outputs)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.pointwise(self.depthwise(x))
        return x + y if self.is_residual else y


class Head(nn.Module):
    """YOLOX's decoupled head of one level: [N, 4 + 1 + classes, H, W], objectness and classes as probabilities."""

    def __init__(self, channels, classes):
        super().__init__()
        self.box_branch = Separable(channels, channels)
        self.class_branch = Separable(channels, channels)
        self.box = nn.Conv2d(channels, 4, 1)
        self.objectness = nn.Conv2d(channels, 1, 1)
        self.classes = nn.Conv2d(channels, classes, 1)
        # Most cells hold nothing: begin there (Lin et al. 2017, focal loss).
        for layer in (self.objectness, self.classes):
            nn.init.constant_(layer.bias, -4.0)

    def forward(self, x):
        box_features, class_features = self.box_branch(x), self.class_branch(x)
        scores = torch.cat([self.objectness(box_features), self.classes(class_features)], 1)
        return torch.cat([self.box(box_features), torch.sigmoid(scores)], 1)


class Detector(nn.Module):
    """[N, 3, SIDE, SIDE] to YOLOX's [N, cells, 5 + classes]: offsets, log sizes, objectness, classes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            conv_bn(3, 16, 3, stride=2),
            Separable(16, 24, stride=2),
            Separable(24, 24),
            Separable(24, 40, stride=2),
            Separable(40, 40),
            Separable(40, 40),
        )
        self.deep = nn.Sequential(Separable(40, 72, stride=2), Separable(72, 72, 5), Separable(72, 72, 5))
        self.lateral = conv_bn(72, 40)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.fine = Separable(80, 48)
        self.down = Separable(48, 48, stride=2)
        self.coarse = Separable(88, 48)
        self.heads = nn.ModuleList(Head(48, len(LABELS)) for _ in STRIDES)

    def forward(self, images):
        middle = self.stem(images)
        deep = self.lateral(self.deep(middle))
        fine = self.fine(torch.cat([self.up(deep), middle], 1))
        coarse = self.coarse(torch.cat([self.down(fine), deep], 1))
        maps = [head(x) for head, x in zip(self.heads, (fine, coarse), strict=True)]
        return torch.cat([x.flatten(2) for x in maps], 2).transpose(1, 2)


class Cells:
    """Column and row [cells, 2], stride [cells, 1] and range of longest sides [cells, 2], in the order of the output."""

    def __init__(self, side):
        counts = [side // stride for stride in STRIDES]
        places = [torch.cartesian_prod(torch.arange(count), torch.arange(count)).flip(1) for count in counts]
        levels = [torch.tensor(values, dtype=torch.float32) for values in (STRIDES, RANGES)]
        strides, self.ranges = (x.repeat_interleave(torch.tensor(counts) ** 2, 0) for x in levels)
        self.places = torch.cat(places).float()
        self.strides = strides[:, None]


def decode(output, cells):
    """Corners [..., cells, 4] in input pixels."""
    centers = (output[..., :2] + cells.places) * cells.strides
    halves = output[..., 2:4].clamp(max=6).exp() * cells.strides / 2
    return torch.cat([centers - halves, centers + halves], -1)


def assign(boxes, labels, cells):
    """Which object each cell has to find [N, cells], −1 for none: the smallest of those it lies in the middle of."""
    middles = (cells.places + 0.5) * cells.strides
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2
    sizes = boxes[..., 2:] - boxes[..., :2]
    longest = sizes.amax(-1)
    distance = (middles[None, :, None] - centers[:, None]).abs().amax(-1)
    fits = (distance < RADIUS * cells.strides) & (labels[:, None] >= 0)
    fits &= (longest[:, None] >= cells.ranges[:, :1]) & (longest[:, None] <= cells.ranges[:, 1:])
    area = torch.where(fits, sizes.prod(-1)[:, None], torch.inf)
    smallest, which = area.min(-1)
    return torch.where(smallest.isinf(), -1, which)


def overlap(a, b):
    """Intersection over union of boxes [..., 4], pair by pair."""
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    areas = [(x[..., 2:] - x[..., :2]).prod(-1) for x in (a, b)]
    return inner / (areas[0] + areas[1] - inner + 1e-6)


def loss_of(output, boxes, labels, cells):
    """YOLOX's: overlap, objectness and class, per cell that has something to find."""
    which = assign(boxes, labels, cells)
    found = which >= 0
    image, cell = found.nonzero(as_tuple=True)
    gold = which[image, cell]
    overlaps = overlap(decode(output, cells)[image, cell], boxes[image, gold])
    objectness = torch.zeros_like(output[..., 4])
    objectness[image, cell] = overlaps.detach().clamp(0.2, 1)
    classes = nn.functional.one_hot(labels[image, gold], len(LABELS)).float()
    cross_entropy = nn.functional.binary_cross_entropy
    total = (
        5 * (1 - overlaps**2).sum()
        + cross_entropy(output[..., 4], objectness, reduction="sum")
        + cross_entropy(output[image, cell, 5:], classes, reduction="sum")
    )
    return total / max(len(image), 1)


def augment(pixels, boxes, generator):
    """A batch mirrored, turned by 90°, with its channels in another order, half of it negative. Inputs 0…1."""
    side = TRAINING_SIDE
    coin = torch.rand(3, generator=generator) < 0.5
    left, top, right, bottom = boxes.unbind(-1)
    if coin[0]:
        pixels, left, right = pixels.flip(3), side - right, side - left
    if coin[1]:
        pixels, top, bottom = pixels.flip(2), side - bottom, side - top
    boxes = torch.stack([left, top, right, bottom], -1)
    if coin[2]:
        pixels, boxes = pixels.transpose(2, 3), boxes[..., [1, 0, 3, 2]]
    pixels = pixels[:, torch.randperm(3, generator=generator)]
    negative = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.5
    pixels = torch.where(negative, 255 - pixels, pixels)
    return (pixels.float() / 255).contiguous(memory_format=torch.channels_last), boxes


def train(pixels, boxes, labels):
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = Detector().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    steps = EPOCHS * (len(pixels) // BATCH)
    cells = Cells(TRAINING_SIDE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.15)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(pixels), generator=generator)
        total = 0.0
        started = time.perf_counter()
        for batch in order.split(BATCH)[: len(pixels) // BATCH]:
            x, golds = augment(pixels[batch], boxes[batch], generator)
            loss = loss_of(model(x), golds, labels[batch], cells)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10)
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - started
        print(f"epoch {epoch + 1}: loss {total / (len(pixels) // BATCH):.4f}, {seconds:.0f} s", flush=True)
    return model.eval()


def write_configs():
    preprocessor = {
        "image_processor_type": "RTDetrImageProcessor",
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": False,
    }
    config = {
        "model_type": "yolox",
        "image_size": SIDE,
        "num_channels": 3,
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
        "edgewise": {
            "detection": {
                "kind": "yolox",
                "strides": STRIDES,
                "scoreThreshold": SCORE_THRESHOLD,
                "iouThreshold": IOU_THRESHOLD,
            },
        },
    }
    for name, value in (("preprocessor_config.json", preprocessor), ("config.json", config)):
        (FOLDER / name).write_text(json.dumps(value, indent=2) + "\n")


def detect(session, image, cells):
    """COCO's results of one image: the best class of each cell, suppressed within each class, cut to the image."""
    pixels = to_input(image)[None].astype(np.float32) / 255
    (output,) = (torch.from_numpy(x)[0] for x in session.run(None, {"images": pixels}))
    corners = decode(output, cells)
    best, classes = output[:, 5:].max(-1)
    scores = best * output[:, 4]
    kept = []
    for cell in scores.argsort(descending=True).tolist():
        rivals = [other for other in kept if classes[other] == classes[cell]]
        if scores[cell] < LEAST_SCORE or len(kept) == 100:
            break
        if all(overlap(corners[other], corners[cell]) <= IOU_THRESHOLD for other in rivals):
            kept.append(cell)
    width, height = image.size
    scale = np.array([width, height, width, height]) / SIDE
    for cell in kept:
        left, top, right, bottom = np.clip(corners[cell].numpy() * scale, 0, [width, height, width, height])
        box = [float(left), float(top), float(right - left), float(bottom - top)]
        yield {"category_id": int(classes[cell]) + 1, "bbox": box, "score": float(scores[cell])}


def measure():
    """COCO's mean average precision of onnxruntime on the images of `eval`, one at a time."""
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx")
    cells = Cells(SIDE)
    golds = COCO(FOLDER / "eval" / "annotations.json")
    results = [
        {"image_id": entry["id"], **found}
        for entry in golds.dataset["images"]
        for found in detect(session, Image.open(FOLDER / "eval" / entry["file_name"]), cells)
    ]
    evaluation = COCOeval(golds, golds.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    print(f"mAP {evaluation.stats[0]:.4f}, at 0.5 {evaluation.stats[1]:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", required=True, help="folder with the DejaVu fonts")
    fonts = parser.parse_args().fonts
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    started = time.perf_counter()
    write_images(FOLDER, load_fonts(fonts))
    arrays = render_arrays("training", TRAINING_IMAGES, fonts, WORKERS)
    print(f"{TRAINING_IMAGES} images, {time.perf_counter() - started:.0f} s", flush=True)
    model = train(*(torch.from_numpy(array) for array in arrays))
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {time.perf_counter() - started:.0f} s")
    export_with_dynamo(model, FOLDER / "model.onnx", torch.zeros(1, 3, SIDE, SIDE), "images", "output")
    write_configs()
    measure()


if __name__ == "__main__":
    main()
