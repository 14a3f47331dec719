"""onnxruntime's quantizers on a model: quantize_static.py MODEL SAMPLES.json OUT [options]

samples.py reads the samples. Without options it is what quantize_static does by default; --method dynamic is quantize_dynamic; onnxruntime's guide recommends
--prepare (shape inference, constant folding, fused batch normalization) before it. Its collectors of histograms keep
every activation of all samples that they are given at once, so it gets --stride of them at a time. Where it fails it
is tried without its adjustment of weights for biases. Prints what it failed with as JSON, with `error` in the end or
with `without` the adjustment.
"""

import argparse
import json
import os
import tempfile

import onnx
import onnx.version_converter
import onnxruntime.quantization as quantization
from onnxruntime.quantization.shape_inference import quant_pre_process
from samples import Reader, read_samples

PER_CHANNEL_OPSET = 13

METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "entropy": quantization.CalibrationMethod.Entropy,
    "percentile": quantization.CalibrationMethod.Percentile,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("samples")
    parser.add_argument("out")
    parser.add_argument("--prepare", action="store_true", help="quant_pre_process first")
    parser.add_argument("--per-channel", action="store_true", help="one scale per output channel of a weight")
    parser.add_argument("--method", choices=[*METHODS, "dynamic"], default="minmax", help="how ranges are found; default minmax")
    parser.add_argument("--stride", type=int, default=1, help="samples at a time; has to divide their number; default 1")
    args = parser.parse_args()
    try:
        quantize(args)
    except Exception as first:
        try:
            quantize(args, QDQDisableWeightAdjustForInt32Bias=True)
            print(json.dumps({"without": describe(first)}))
        except Exception:
            print(json.dumps({"error": describe(first)}))


def describe(error):
    return f"{type(error).__name__}: {error}"


def quantize(args, **extra_options):
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
        if args.method == "dynamic":
            quantization.quantize_dynamic(model, args.out, per_channel=args.per_channel)
            return
        quantization.quantize_static(
            model,
            args.out,
            Reader(read_samples(args.samples)),
            per_channel=args.per_channel,
            calibrate_method=METHODS[args.method],
            extra_options={"CalibStridedMinMax": args.stride, **extra_options},
        )


if __name__ == "__main__":
    main()
