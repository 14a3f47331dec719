"""Calibration samples as the benchmarks write them: NAME.json says where each input of each sample lies in NAME.bin."""

import json
import pathlib

import numpy as np
from onnxruntime.quantization import CalibrationDataReader


def read_samples(path):
    """A list of {input: array}, from [{input: {dtype, dims, offset}}] with offsets in bytes."""
    path = pathlib.Path(path)
    data = np.memmap(path.with_suffix(".bin"), np.uint8, "r")
    return [
        {
            name: np.frombuffer(data, entry["dtype"], int(np.prod(entry["dims"])), entry["offset"]).reshape(entry["dims"])
            for name, entry in sample.items()
        }
        for sample in json.loads(path.read_text())
    ]


class Reader(CalibrationDataReader):
    """Hands out samples one by one, and a part of them where onnxruntime asks for it."""

    def __init__(self, samples):
        self.samples = samples
        self.set_range(0, len(samples))

    def __len__(self):
        return len(self.samples)

    def set_range(self, start_index, end_index):
        self.part = iter(self.samples[start_index:end_index])

    def get_next(self):
        return next(self.part, None)
