"""Makes the two encoder shapes that the benchmarks time, with random weights.

    python oracles/shapes.py OUT [--results oracles/results/shapes.json]

Writes OUT/{minilm,distilbert}/model.onnx (float32, as PyTorch's legacy exporter writes it,
opset 17, sdpa attention), config.json, a made-up tokenizer.json of the right size, and
onnxruntime's dynamic int8 variants as model_int8.VARIANT.onnx: plain, and after onnxruntime's
transformer optimizer. model_int8.onnx is a copy of the variant that ran fastest here.
Latencies are native onnxruntime's, one thread, 128 tokens, variants interleaved.
"""

import argparse
import collections
import json
import logging
import pathlib
import shutil
import statistics
import time
import warnings

import numpy as np
import onnx
import onnxruntime
import tokenizers
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)

VOCABULARY = 30522
TOKENS = 128
QUANTIZED = {
    "s8": {"per_channel": False, "reduce_range": False, "weight_type": QuantType.QInt8},
    "u8": {"per_channel": False, "reduce_range": False, "weight_type": QuantType.QUInt8},
    "s8-perchannel": {"per_channel": True, "reduce_range": False, "weight_type": QuantType.QInt8},
    "s7-perchannel": {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QInt8},
}


class TokenEmbeddings(torch.nn.Module):
    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        return (self.bert(input_ids, attention_mask, token_type_ids)[0],)


def make_minilm(attention):
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        attn_implementation=attention,
        return_dict=False,
    )
    model = TokenEmbeddings(transformers.BertModel(config, add_pooling_layer=False))
    return model, config, ["input_ids", "attention_mask", "token_type_ids"], ["last_hidden_state"]


def make_distilbert(attention):
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, attn_implementation=attention, return_dict=False
    )
    model = transformers.DistilBertForSequenceClassification(config)
    return model, config, ["input_ids", "attention_mask"], ["logits"]


SHAPES = {"minilm": (make_minilm, 12, 384), "distilbert": (make_distilbert, 12, 768)}


def export(make, attention, path):
    torch.manual_seed(1)
    model, config, inputs, outputs = make(attention)
    model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in inputs}
    axes[outputs[0]] = {0: "batch_size"} | ({1: "sequence_length"} if outputs[0] != "logits" else {})
    example = {
        "input_ids": torch.randint(5, VOCABULARY, (2, 8)),
        "attention_mask": torch.ones(2, 8, dtype=torch.int64),
        "token_type_ids": torch.zeros(2, 8, dtype=torch.int64),
    }
    with torch.no_grad():
        torch.onnx.export(
            model,
            tuple(example[name] for name in inputs),
            str(path),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    return config


def write_tokenizer(folder):
    """A lower-casing WordPiece with BERT's special ids; the other tokens are made up."""
    special = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}
    tokens = [special.get(index, f"[unused{index}]") for index in range(104)]
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    tokens += characters + ["##" + character for character in characters]
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
    words = (x + y + z for x in syllables for y in syllables for z in ["", *syllables])
    while len(tokens) < VOCABULARY:
        tokens.append(next(words))
    vocabulary = {token: index for index, token in enumerate(tokens)}
    assert len(vocabulary) == VOCABULARY
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.decoder = tokenizers.decoders.WordPiece()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 101), ("[SEP]", 102)]
    )
    made.add_special_tokens(list(special.values()))
    made.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": 512,
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def fuse(source, path, heads, width, attention):
    options = FusionOptions("bert")
    options.enable_attention = attention
    fused = optimizer.optimize_model(
        str(source),
        model_type="bert",
        num_heads=heads,
        hidden_size=width,
        optimization_options=options,
        opt_level=0,
        use_gpu=False,
    )
    fused.save_model_to_file(str(path))
    counts = fused.get_fused_operator_statistics()
    return {name: count for name, count in counts.items() if count}


def operators(path):
    model = onnx.load(str(path), load_external_data=False)
    return dict(sorted(collections.Counter(node.op_type for node in model.graph.node).items()))


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def measure(paths, rounds):
    """Interleaved, so that a neighbour's load falls on every variant alike."""
    generator = np.random.default_rng(7)
    feed = {
        "input_ids": generator.integers(999, VOCABULARY, (1, TOKENS)),
        "attention_mask": np.ones((1, TOKENS), np.int64),
        "token_type_ids": np.zeros((1, TOKENS), np.int64),
    }
    sessions = {name: open_session(path) for name, path in paths.items()}
    feeds = {
        name: {entry.name: feed[entry.name].astype(np.int32 if "int32" in entry.type else np.int64) for entry in session.get_inputs()}
        for name, session in sessions.items()
    }
    outputs = {name: session.run(None, feeds[name])[0] for name, session in sessions.items()}
    times = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(None, feeds[name])
            times[name].append((time.perf_counter() - start) * 1000)
    return times, outputs


def cosine(a, b):
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def make_shape(name, folder, rounds):
    make, heads, width = SHAPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    config = export(make, "sdpa", folder / "model.onnx")
    export(make, "eager", folder / "model.eager.onnx")
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    write_tokenizer(folder)

    # The eager export, because the optimizer's attention fusion knows that form best.
    bases = {"": folder / "model.onnx"}
    fusions = {}
    for tag, attention in (("fused", True), ("fused-noattention", False)):
        path = folder / f"model.{tag}.onnx"
        fusions[tag] = fuse(folder / "model.eager.onnx", path, heads, width, attention)
        bases[tag] = path
    path = folder / "model.preprocessed.onnx"
    quant_pre_process(str(folder / "model.onnx"), str(path), skip_symbolic_shape=True)
    bases["preprocessed"] = path

    paths = {"float": folder / "model.onnx", "float-fused": bases["fused"]}
    for tag, base in bases.items():
        for scheme, options in QUANTIZED.items():
            variant = "-".join(filter(None, [tag, scheme]))
            if tag == "preprocessed" and scheme != "s8":
                continue
            paths[variant] = folder / f"model_int8.{variant}.onnx"
            # Types behind onnxruntime's own operators cannot be inferred; all are floats here.
            extra = {"DefaultTensorType": onnx.TensorProto.FLOAT}
            quantize_dynamic(str(base), str(paths[variant]), extra_options=extra, **options)

    times, outputs = measure(paths, rounds)
    rows = []
    for variant, path in paths.items():
        rows.append(
            {
                "variant": variant,
                "bytes": path.stat().st_size,
                "medianMs": round(statistics.median(times[variant]), 2),
                "leastMs": round(min(times[variant]), 2),
                "cosine": round(cosine(outputs["float"], outputs[variant]), 6),
                "ops": operators(path),
            }
        )
    quantized = [row for row in rows if not row["variant"].startswith("float")]
    best = min(quantized, key=lambda row: row["medianMs"])
    shutil.copyfile(paths[best["variant"]], folder / "model_int8.onnx")
    return {"shape": name, "fusions": fusions, "fastest": best["variant"], "variants": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--results", type=pathlib.Path, help="also write the figures here as JSON")
    parser.add_argument("--only", choices=SHAPES)
    arguments = parser.parse_args()
    results = []
    for name in [arguments.only] if arguments.only else SHAPES:
        result = make_shape(name, arguments.out / name, arguments.rounds)
        results.append(result)
        print(f"{name}: fusions {result['fusions']}, fastest int8 {result['fastest']}")
        for row in result["variants"]:
            print(
                f"  {row['variant']:32} {row['bytes'] / 1e6:7.1f} MB  median {row['medianMs']:7.2f} ms"
                f"  least {row['leastMs']:7.2f} ms  cosine {row['cosine']:.5f}",
                flush=True,
            )
    if arguments.results:
        figures = {
            "tools": {
                "onnxruntime": onnxruntime.__version__,
                "torch": torch.__version__.split("+")[0],
                "transformers": transformers.__version__,
            },
            "tokens": TOKENS,
            "threads": 1,
            "shapes": results,
        }
        arguments.results.parent.mkdir(parents=True, exist_ok=True)
        arguments.results.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
