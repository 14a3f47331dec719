"""onnxruntime's quantize_static on calibration tensors: quantize_static.py MODEL TENSORS.f32 DIMS OUT [--per-channel]

TENSORS.f32 holds float32 samples one after the other, each of shape DIMS (1,3,224,224).
"""

import argparse

import numpy as np
import onnxruntime.quantization as quantization
import onnx


class Reader(quantization.CalibrationDataReader):
    def __init__(self, name, samples):
        self.samples = iter([{name: sample} for sample in samples])

    def get_next(self):
        return next(self.samples, None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("tensors")
    parser.add_argument("dims")
    parser.add_argument("out")
    parser.add_argument("--per-channel", action="store_true")
    args = parser.parse_args()
    dims = [int(dim) for dim in args.dims.split(",")]
    samples = np.fromfile(args.tensors, dtype=np.float32).reshape([-1, *dims])
    name = onnx.load(args.model).graph.input[0].name
    quantization.quantize_static(args.model, args.out, Reader(name, samples), per_channel=args.per_channel)


main()
