"""Runs onnxruntime's quantize_dynamic on a model and reports what the whole process took.

    python oracles/quantize_dynamic.py MODEL OUT [--per-channel] [--reduce-range] [--runs 3]

The work is done in a fresh Python process per run, which imports only what it must. Prints
JSON: per run the seconds from starting that process to its end, the seconds of the call alone
and the seconds of processor time, the least and median of each, peak resident bytes, and the
sizes of both files.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

CHILD = """
import sys, time
from onnxruntime.quantization import QuantType, quantize_dynamic
started = time.perf_counter()
quantize_dynamic(sys.argv[1], sys.argv[2], per_channel=sys.argv[3] == "1",
                 reduce_range=sys.argv[4] == "1", weight_type=QuantType[sys.argv[5]])
print(time.perf_counter() - started)
"""


def run(arguments):
    flags = [str(int(arguments.per_channel)), str(int(arguments.reduce_range)), arguments.weight_type]
    command = [sys.executable, "-c", CHILD, str(arguments.model), str(arguments.out), *flags]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"quantize_dynamic failed on {arguments.model} (exit {child.returncode})")
    # macOS counts in bytes, Linux in KiB.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cpu = usage.ru_utime + usage.ru_stime
    return {"processSeconds": seconds, "callSeconds": float(printed), "cpuSeconds": cpu, "peakBytes": peak}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--per-channel", action="store_true")
    parser.add_argument("--reduce-range", action="store_true")
    parser.add_argument("--weight-type", choices=["QInt8", "QUInt8"], default="QInt8")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()

    runs = [run(arguments) for _ in range(arguments.runs)]
    report = {
        "python": platform.python_version(),
        "options": {
            "perChannel": arguments.per_channel,
            "reduceRange": arguments.reduce_range,
            "weightType": arguments.weight_type,
        },
        "modelBytes": arguments.model.stat().st_size,
        "quantizedBytes": arguments.out.stat().st_size,
    }
    for key in ("processSeconds", "callSeconds", "cpuSeconds"):
        values = [entry[key] for entry in runs]
        report[key] = {
            "least": round(min(values), 3),
            "median": round(statistics.median(values), 3),
            "runs": [round(value, 3) for value in values],
        }
    report["peakBytes"] = max(entry["peakBytes"] for entry in runs)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
