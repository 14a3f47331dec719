"""Records what Pillow, OpenCV and onnxruntime make of noise, for packages/runtime/src/image.

    python oracles/image_resize.py OUT

Images are RGB bytes floor(256 * mulberry32(seed)), row by row; packages/test-utils has the same generator. OUT (JSON):
{"versions", "cases": [{"seed", "from": [w, h], "to": [w, h], "sha256": {filter: hash of the RGB bytes}}]}, and
"linear": the same with whole outputs in base64 for the two that are compared with a tolerance.
"""

import argparse
import base64
import hashlib
import json

import cv2
import numpy as np
import PIL
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
SHAPES = [
    ((640, 480), (298, 224)), ((480, 640), (224, 298)), ((500, 375), (341, 256)), ((333, 500), (416, 416)),
    ((1, 1), (7, 5)), ((1, 9), (4, 3)), ((9, 1), (3, 4)), ((7, 5), (1, 1)), ((2, 2), (3, 3)), ((3, 3), (2, 2)),
    ((17, 31), (17, 12)), ((17, 31), (5, 31)), ((17, 31), (17, 31)), ((100, 3), (7, 90)), ((255, 257), (128, 127)),
    ((64, 64), (32, 32)), ((64, 64), (128, 128)), ((1000, 10), (3, 20)), ((13, 997), (26, 2)), ((5, 5), (224, 224)),
]
LINEAR = [((23, 17), (11, 13)), ((11, 13), (23, 17)), ((40, 30), (9, 9)), ((1, 5), (6, 3)), ((31, 8), (15, 16))]


def mulberry32(seed, length):
    out = np.empty(length, np.uint8)
    state, mask = seed & 0xFFFFFFFF, 0xFFFFFFFF
    for i in range(length):
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (1 | state)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        out[i] = ((t ^ (t >> 14)) & mask) >> 24
    return out


def noise(seed, size):
    width, height = size
    return mulberry32(seed, width * height * 3).reshape(height, width, 3)


def random_shapes(count):
    rng = np.random.default_rng(5)
    return [tuple(map(tuple, rng.integers(1, 120, (2, 2)).tolist())) for _ in range(count)]


def pillow_case(seed, source, target):
    image = Image.fromarray(noise(seed, source))
    hashes = {name: hashlib.sha256(image.resize(target, f).tobytes()).hexdigest() for name, f in FILTERS.items()}
    return {"seed": seed, "from": source, "to": target, "sha256": hashes}


def torch_bilinear(image, target):
    """ONNX Resize (linear, pytorch_half_pixel) is what torch.nn.functional.interpolate is exported to."""
    x = image.transpose(2, 0, 1)[None].astype(np.float32)
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 3, target[1], target[0]])
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear",
                            coordinate_transformation_mode="half_pixel")
    float_value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4)
    graph = helper.make_graph([node], "resize", [float_value("x")], [float_value("y")], [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    return np.ascontiguousarray(np.rint(y).clip(0, 255).astype(np.uint8)[0].transpose(1, 2, 0))


def linear_case(seed, source, target):
    image = noise(seed, source)
    outputs = {
        "opencv-linear": cv2.resize(image, target, interpolation=cv2.INTER_LINEAR),
        "torch-bilinear": torch_bilinear(image, target),
    }
    data = {name: base64.b64encode(out.tobytes()).decode() for name, out in outputs.items()}
    return {"seed": seed, "from": source, "to": target, "data": data}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    out = parser.parse_args().out
    shapes = SHAPES + random_shapes(20)
    recorded = {
        "versions": {"pillow": PIL.__version__, "opencv": cv2.__version__, "onnxruntime": onnxruntime.__version__},
        "cases": [pillow_case(i + 1, *shape) for i, shape in enumerate(shapes)],
        "linear": [linear_case(i + 101, *shape) for i, shape in enumerate(LINEAR)],
    }
    with open(out, "w") as file:
        json.dump(recorded, file, indent=1)


main()
