"""Reference accuracies: a classifier in float and as onnxruntime quantizes it dynamically.

    python oracles/ort_accuracy.py --models sst2-tiny/ sst2-base/ --data dev.tsv eval.tsv \\
        --results oracles/results/ort_accuracy.json

A model is a folder with model.onnx and tokenizer.json; its quantized forms are made in a
temporary folder. Data is tab-separated with a header holding `sentence` and `label`. Sentences
run one at a time, unpadded, cut to --length tokens. Predictions are compared, never written.
"""

import argparse
import csv
import itertools
import json
import math
import pathlib
import tempfile

import numpy as np
import onnxruntime
import tokenizers
from onnxruntime.quantization import QuantType, quantize_dynamic

SCHEMES = {
    "int8": {"per_channel": False, "reduce_range": False},
    "int8-perchannel": {"per_channel": True, "reduce_range": False},
    "int7-perchannel": {"per_channel": True, "reduce_range": True},
}


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], np.array([int(row["label"]) for row in rows])


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def logits_of(session, encodings):
    names = [entry.name for entry in session.get_inputs()]
    rows = []
    for encoding in encodings:
        every = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feed = {name: np.array([every[name]], np.int64) for name in names}
        rows.append(session.run(None, feed)[0][0])
    return np.array(rows)


def sign_test(gained, lost):
    """Two-sided exact p of the sentences that changed between right and wrong."""
    changed = gained + lost
    tail = sum(math.comb(changed, k) for k in range(min(gained, lost) + 1)) / 2**changed
    return min(1.0, 2 * tail)


def compare(model, data, length):
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(length)
    tokenizer.no_padding()
    with tempfile.TemporaryDirectory() as scratch:
        paths = {"float": model / "model.onnx"}
        for name, options in SCHEMES.items():
            paths[name] = pathlib.Path(scratch) / f"{name}.onnx"
            quantize_dynamic(str(paths["float"]), str(paths[name]), weight_type=QuantType.QInt8, **options)
        sizes = {name: path.stat().st_size for name, path in paths.items()}
        sessions = {name: open_session(path) for name, path in paths.items()}
        for path in data:
            sentences, labels = read(path)
            encodings = [tokenizer.encode(sentence) for sentence in sentences]
            reference = None
            for name, session in sessions.items():
                logits = logits_of(session, encodings)
                right = logits.argmax(axis=1) == labels
                if reference is None:
                    reference = (logits, right)
                gained = int((right & ~reference[1]).sum())
                lost = int((~right & reference[1]).sum())
                yield {
                    "model": model.name,
                    "data": "/".join(path.parts[-2:]),
                    "scheme": name,
                    "bytes": sizes[name],
                    "sentences": len(labels),
                    "meanTokens": round(float(np.mean([len(encoding.ids) for encoding in encodings])), 2),
                    "correct": int(right.sum()),
                    "accuracy": round(100 * float(right.mean()), 2),
                    "gained": gained,
                    "lost": lost,
                    "p": round(sign_test(gained, lost), 3),
                    "meanLogitError": round(float(np.abs(logits - reference[0]).mean()), 5),
                    "largestLogitError": round(float(np.abs(logits - reference[0]).max()), 5),
                }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--data", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--results", type=pathlib.Path, help="also write the table here as JSON")
    arguments = parser.parse_args()
    rows = list(
        itertools.chain.from_iterable(
            compare(model, arguments.data, arguments.length) for model in arguments.models
        )
    )
    print(f"{'model':10} {'data':18} {'scheme':16} {'accuracy':>8} {'correct':>12} {'gained':>6} {'lost':>5} {'logit error':>11}")
    for row in rows:
        correct = f"{row['correct']} of {row['sentences']}"
        print(
            f"{row['model']:10} {row['data']:18} {row['scheme']:16} {row['accuracy']:7.2f}% {correct:>12}"
            f" {row['gained']:6} {row['lost']:5} {row['meanLogitError']:11.4f}"
        )
    if arguments.results:
        figures = {
            "tools": {"onnxruntime": onnxruntime.__version__, "tokenizers": tokenizers.__version__},
            "length": arguments.length,
            "rows": rows,
        }
        arguments.results.parent.mkdir(parents=True, exist_ok=True)
        arguments.results.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
