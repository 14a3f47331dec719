"""onnxruntime's quantize_static on calibration tensors: quantize_static.py MODEL TENSORS.f32 DIMS OUT [options]

TENSORS.f32 holds float32 samples one after the other, each of shape DIMS (1,3,224,224). Without options it is what
quantize_static does by default; onnxruntime's guide recommends --prepare (shape inference, constant folding, fused
batch normalization) before it.
"""

import argparse
import os
import tempfile

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime.quantization as quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

PER_CHANNEL_OPSET = 13

METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "entropy": quantization.CalibrationMethod.Entropy,
    "percentile": quantization.CalibrationMethod.Percentile,
}


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
    parser.add_argument("--prepare", action="store_true", help="quant_pre_process first")
    parser.add_argument("--per-channel", action="store_true", help="one scale per output channel of a weight")
    parser.add_argument("--method", choices=METHODS, default="minmax", help="how ranges are found; default minmax")
    args = parser.parse_args()
    dims = [int(dim) for dim in args.dims.split(",")]
    samples = np.fromfile(args.tensors, dtype=np.float32).reshape([-1, *dims])
    with tempfile.TemporaryDirectory() as folder:
        model = args.model
        if args.prepare:
            # Scales per channel came with opset 13.
            current = onnx.load(model)
            if current.opset_import[0].version < PER_CHANNEL_OPSET:
                model = os.path.join(folder, "converted.onnx")
                onnx.save(onnx.version_converter.convert_version(current, PER_CHANNEL_OPSET), model)
            prepared = os.path.join(folder, "prepared.onnx")
            quant_pre_process(model, prepared, skip_symbolic_shape=True)
            model = prepared
        # Old models list their weights among the inputs.
        graph = onnx.load(model).graph
        constants = {tensor.name for tensor in graph.initializer}
        name = next(value.name for value in graph.input if value.name not in constants)
        quantization.quantize_static(
            model,
            args.out,
            Reader(name, samples),
            per_channel=args.per_channel,
            calibrate_method=METHODS[args.method],
        )


main()
