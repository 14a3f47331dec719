"""What onnxruntime's calibration takes: calibrate.py MODEL EXAMPLES TOKENS METHOD [--stride N] [--limit BYTES]

Calibrates an encoder on examples of so many token ids, with the operators that quantize_static takes by default, as one
process. Prints seconds, seconds of processor time and peak bytes as JSON, or what it fails with.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time

import numpy as np
import onnx
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from quantize_static import METHODS
from samples import Reader

VOCABULARY_START = 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("examples", type=int)
    parser.add_argument("tokens", type=int)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--stride", type=int, help="examples at a time; default all")
    parser.add_argument("--limit", type=int, default=8 * 10**9, help="bytes; default 8 GB")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (args.limit, args.limit))
    try:
        print(json.dumps({**calibrate(args), "peakBytes": peak_bytes()}))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {str(error).splitlines()[0]}", "peakBytes": peak_bytes()}))


def calibrate(args):
    inputs = [value.name for value in onnx.load(args.model).graph.input]
    reader = Reader([feed(inputs, example, args.tokens) for example in range(args.examples)])
    operators = list({*QLinearOpsRegistry, *QDQRegistry})
    stride = args.stride or args.examples
    with tempfile.TemporaryDirectory() as folder:
        started = (time.perf_counter(), time.process_time())
        calibrator = create_calibrator(
            args.model,
            operators,
            augmented_model_path=os.path.join(folder, "augmented.onnx"),
            calibrate_method=METHODS[args.method],
        )
        for start in range(0, args.examples, stride):
            reader.set_range(start, start + stride)
            calibrator.collect_data(reader)
        calibrator.compute_data()
        return {"seconds": time.perf_counter() - started[0], "cpuSeconds": time.process_time() - started[1]}


def feed(inputs, example, tokens):
    """The ids that our side is measured on (benchmarks/lib/calibrate-child.mjs)."""
    ids = [VOCABULARY_START + (example * 7919 + token * 104_729) % 20_000 for token in range(tokens)]
    every = {"input_ids": ids, "attention_mask": [1] * tokens, "token_type_ids": [0] * tokens}
    return {name: np.array([every[name]], np.int64) for name in inputs}


def peak_bytes():
    # macOS counts in bytes, Linux in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
