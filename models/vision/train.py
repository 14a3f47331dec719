"""Makes everything in this folder but this script and README.md: images, network, configuration.

    python models/vision/train.py --fonts FOLDER

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
from torch import nn

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from export import export_with_trace
from render import LABELS, SIDE, label_of, load_fonts, render_arrays, write_images

SEED = 20
THREADS = 1
WORKERS = 2
TRAINING_IMAGES = 512 * len(LABELS)
EPOCHS = 14
BATCH = 64
LEARNING_RATE = 3e-3
# Of ImageNet, as most pretrained classifiers have them.
MEAN = [0.485, 0.456, 0.406]
STD = [0.229, 0.224, 0.225]


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1, activation=nn.ReLU6):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), activation())


class InvertedResidual(nn.Module):
    """Sandler et al. 2018, MobileNetV2: 1×1 to `expansion` times the channels, depthwise 3×3, linear 1×1."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        self.layers = nn.Sequential(
            conv_bn(inputs, inner),
            conv_bn(inner, inner, 3, stride, groups=inner),
            conv_bn(inner, outputs, activation=nn.Identity),
        )
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.is_residual else y


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv_bn(3, 16, 3, stride=2),
            conv_bn(16, 16, 3, stride=2, groups=16),
            conv_bn(16, 24),
            InvertedResidual(24, 24, stride=1, expansion=3),
            InvertedResidual(24, 40, stride=2, expansion=3),
            InvertedResidual(40, 40, stride=1, expansion=3),
            InvertedResidual(40, 40, stride=1, expansion=3),
            InvertedResidual(40, 56, stride=2, expansion=3),
            InvertedResidual(56, 56, stride=1, expansion=3),
            conv_bn(56, 128),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(128, len(LABELS))

    def forward(self, pixel_values):
        return self.classifier(torch.flatten(self.pool(self.features(pixel_values)), 1))


def normalize(pixels):
    """What preprocessor_config.json says of bytes [N, 3, H, W]."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (pixels.float() / 255 - mean) / std


def augment(pixels, generator):
    """Channels in another order, a negative for half of them, and moved by up to 4 pixels."""
    pixels = pixels[:, torch.randperm(3, generator=generator)]
    negative = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.5
    pixels = torch.where(negative, 255 - pixels, pixels)
    down, right = torch.randint(0, 9, (2,), generator=generator).tolist()
    padded = nn.functional.pad(pixels.float(), (4, 4, 4, 4), mode="replicate")
    return padded[..., down : down + SIDE, right : right + SIDE]


def train(pixels):
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    labels = torch.tensor([label_of(index) for index in range(len(pixels))])
    model = Classifier().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    steps = EPOCHS * (len(pixels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.15)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(pixels), generator=generator)
        total = 0.0
        started = time.perf_counter()
        for batch in order.split(BATCH)[: len(pixels) // BATCH]:
            x = normalize(augment(pixels[batch], generator)).contiguous(memory_format=torch.channels_last)
            loss = nn.functional.cross_entropy(model(x), labels[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - started
        print(f"epoch {epoch + 1}: loss {total / (len(pixels) // BATCH):.4f}, {seconds:.0f} s", flush=True)
    return model.eval()


def write_configs():
    preprocessor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": STD,
    }
    config = {
        "model_type": "mobilenet_v2",
        "architectures": ["MobileNetV2ForImageClassification"],
        "image_size": SIDE,
        "num_channels": 3,
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
    }
    for name, value in (("preprocessor_config.json", preprocessor), ("config.json", config)):
        (FOLDER / name).write_text(json.dumps(value, indent=2) + "\n")


def measure():
    """Counts what onnxruntime gets right of the images of `eval`, one at a time."""
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx")
    right = 0
    paths = sorted((FOLDER / "eval").glob("*/*.png"))
    for path in paths:
        pixels = torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)[None].copy())
        (logits,) = session.run(None, {"pixel_values": normalize(pixels).numpy()})
        guess = LABELS[int(logits.argmax())]
        right += guess == path.parent.name
        if guess != path.parent.name:
            print(f"{path.relative_to(FOLDER)}: {guess}")
    print(f"{right} of {len(paths)}: {100 * right / len(paths):.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", required=True, help="folder with the DejaVu fonts")
    fonts = parser.parse_args().fonts
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    started = time.perf_counter()
    write_images(FOLDER, load_fonts(fonts))
    pixels = torch.from_numpy(render_arrays("training", TRAINING_IMAGES, fonts, WORKERS))
    print(f"{len(pixels)} images, {time.perf_counter() - started:.0f} s", flush=True)
    model = train(pixels)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {time.perf_counter() - started:.0f} s")
    export_with_trace(model, FOLDER / "model.onnx", torch.zeros(1, 3, SIDE, SIDE), "pixel_values", "logits")
    write_configs()
    measure()


if __name__ == "__main__":
    main()
