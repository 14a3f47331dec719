"""Exports tiny random-weight encoders the ways PyTorch users do, with what they must answer.

    python oracles/export_encoders.py packages/compiler/test/fixtures/exports

Writes, for each variant in VARIANTS, NAME.onnx and NAME.json (inputs, onnxruntime's and
PyTorch's outputs), and merges an entry into index.json. Only documentation strings and
per-node metadata (stack traces) are stripped; nodes, names and initializers are as exported.

Weights are seeded by architecture, size and options only, so every exporter, attention
implementation and opset of one architecture holds the same numbers and must give the same
answers. Nothing in them is trivially 0 or 1: norms and biases are drawn as well. They lie on
a grid of 1/1024, which keeps them cheap to store in git.
"""

import argparse
import collections
import copy
import io
import json
import logging
import pathlib
import platform
import re
import warnings
import zlib

import numpy as np
import onnx
import onnxruntime
import torch
import transformers

warnings.filterwarnings("ignore")
logging.getLogger("torch.onnx").setLevel(logging.ERROR)
torch.set_num_threads(1)

LARGE = {"hidden": 32, "intermediate": 64, "heads": 4}
SMALL = {"hidden": 16, "intermediate": 32, "heads": 2}
# Many narrow heads, as in MiniLM.
MINILM = {"hidden": 24, "intermediate": 48, "heads": 6}
# One architecture at 32, the rest smaller: the folder stays under 4 MB.
CORE_SIZE = {"distilbert": LARGE, "minilm": MINILM}
LATEST_SIZE = {"minilm": MINILM}
GRID = 1024


def bert_config(size, **options):
    return transformers.BertConfig(
        vocab_size=99,
        hidden_size=size["hidden"],
        num_hidden_layers=2,
        num_attention_heads=size["heads"],
        intermediate_size=size["intermediate"],
        max_position_embeddings=64,
        type_vocab_size=2,
        **options,
    )


def build_bert(size, **options):
    return transformers.BertModel(bert_config(size, **options))


def build_bert_classifier(size, **options):
    return transformers.BertForSequenceClassification(bert_config(size, **options))


class TokenEmbeddings(torch.nn.Module):
    """A BERT that answers only its token embeddings, as sentence encoders are exported."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert
        self.config = bert.config

    def forward(self, input_ids, attention_mask, token_type_ids):
        return (self.bert(input_ids, attention_mask, token_type_ids)[0],)


def build_minilm(size, **options):
    return TokenEmbeddings(
        transformers.BertModel(bert_config(size, **options), add_pooling_layer=False)
    )


def build_distilbert(size, **options):
    config = transformers.DistilBertConfig(
        vocab_size=99,
        dim=size["hidden"],
        n_layers=2,
        n_heads=size["heads"],
        hidden_dim=size["intermediate"],
        max_position_embeddings=64,
        **options,
    )
    return transformers.DistilBertForSequenceClassification(config)


def build_roberta(size, **options):
    config = transformers.RobertaConfig(
        vocab_size=99,
        hidden_size=size["hidden"],
        num_hidden_layers=2,
        num_attention_heads=size["heads"],
        intermediate_size=size["intermediate"],
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        **options,
    )
    return transformers.RobertaForSequenceClassification(config)


Arch = collections.namedtuple("Arch", "build inputs outputs")
ARCHS = {
    "distilbert": Arch(build_distilbert, ["input_ids", "attention_mask"], ["logits"]),
    "bert": Arch(
        build_bert,
        ["input_ids", "attention_mask", "token_type_ids"],
        ["last_hidden_state", "pooler_output"],
    ),
    "bert-cls": Arch(
        build_bert_classifier, ["input_ids", "attention_mask", "token_type_ids"], ["logits"]
    ),
    "roberta": Arch(build_roberta, ["input_ids", "attention_mask"], ["logits"]),
    "minilm": Arch(
        build_minilm, ["input_ids", "attention_mask", "token_type_ids"], ["last_hidden_state"]
    ),
}

MULTI_LABEL = {
    "problem_type": "multi_label_classification",
    "id2label": {0: "joy", 1: "anger", 2: "fear"},
    "label2id": {"joy": 0, "anger": 1, "fear": 2},
}


def variant(arch, exporter, attention, opset=None, size=SMALL, tag="", **options):
    name = "-".join(filter(None, [arch, tag, exporter, attention, opset and f"opset{opset}"]))
    return {
        "name": name,
        "arch": arch,
        "exporter": exporter,
        "attention": attention,
        "opset": opset,
        "size": size,
        "options": options,
    }


def core_variants():
    """Every architecture through both exporters with both attention implementations."""
    for arch in ARCHS:
        size = CORE_SIZE.get(arch, SMALL)
        for exporter in ("legacy", "dynamo"):
            for attention in ("eager", "sdpa"):
                yield variant(arch, exporter, attention, size=size)


def opset_variants():
    """Older opsets. The legacy exporter writes scaled_dot_product_attention from 14 on."""
    for arch in ("distilbert", "bert-cls", "roberta"):
        for opset in (11, 13):
            yield variant(arch, "legacy", "eager", opset)
        yield variant(arch, "legacy", "sdpa", 14)


def option_variants():
    """Other activations and heads."""
    for exporter in ("legacy", "dynamo"):
        yield variant("bert-cls", exporter, "sdpa", tag="gelu-new", hidden_act="gelu_new")
        yield variant(
            "bert-cls", exporter, "sdpa", tag="gelu-tanh", hidden_act="gelu_pytorch_tanh"
        )
        yield variant("distilbert", exporter, "sdpa", tag="relu", activation="relu")
    yield variant("roberta", "legacy", "sdpa", tag="multilabel", **MULTI_LABEL)
    yield variant("bert-cls", "legacy", "eager", tag="multilabel", **MULTI_LABEL)
    yield variant("distilbert", "dynamo", "eager", tag="multilabel", **MULTI_LABEL)


def latest_variants():
    """What newer PyTorch and transformers write: their graphs differ, so they get a tag."""
    major = transformers.__version__.split(".")[0]
    for arch in ARCHS:
        for exporter in ("legacy", "dynamo"):
            yield variant(arch, exporter, "sdpa", size=LATEST_SIZE.get(arch, SMALL), tag=f"tf{major}")
    for exporter in ("legacy", "dynamo"):
        yield variant("bert-cls", exporter, "eager", tag=f"tf{major}")


SETS = {
    "core": core_variants,
    "opsets": opset_variants,
    "options": option_variants,
    "latest": latest_variants,
}


def fill(model, seed):
    """Draws every parameter anew. Matrices are wide enough that softmax is far from uniform."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
            shape = tuple(parameter.shape)
            if parameter.ndim > 1:
                values = generator.normal(0, 0.5 if "embedding" in name else 0.2, shape)
            elif re.search(r"norm\.weight$", name, re.IGNORECASE):
                values = generator.normal(1, 0.15, shape)
            else:
                values = generator.normal(0, 0.1, shape)
            values = np.round(values * GRID) / GRID
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))


def make_cases(arch, seed):
    """Three cases: all of a sentence, one with padding, and a batch of two."""
    generator = np.random.default_rng(seed)
    pad = 1 if arch == "roberta" else 0

    def case(name, lengths, width):
        shape = (len(lengths), width)
        ids = generator.integers(5, 99, shape)
        mask = (np.arange(width)[None, :] < np.array(lengths)[:, None]).astype(np.int64)
        ids = np.where(mask == 1, ids, pad)
        types = (np.arange(width)[None, :] >= (np.array(lengths)[:, None] // 2)).astype(np.int64) * mask
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return name, {key: inputs[key] for key in ARCHS[arch].inputs}

    return [
        case("full", [7], 7),
        case("padded", [7], 11),
        case("batch", [9, 5], 9),
    ]


def by_name(forward, names):
    """The legacy exporter passes inputs by position; transformers 5 wants them by name.

    A function in the instance keeps the parameters' names, which a wrapping module would not.
    """
    return lambda *values: forward(**dict(zip(names, values)))


def export(model, arch, exporter, opset, example):
    arguments = tuple(torch.from_numpy(value) for value in example.values())
    if exporter == "legacy":
        opset = opset or 17
        model = copy.copy(model)
        model.forward = by_name(model.forward, arch.inputs)
        axes = {name: {0: "batch_size", 1: "sequence_length"} for name in arch.inputs}
        for name in arch.outputs:
            axes[name] = {0: "batch_size"}
            if name == "last_hidden_state":
                axes[name][1] = "sequence_length"
        buffer = io.BytesIO()
        torch.onnx.export(
            model,
            arguments,
            buffer,
            input_names=arch.inputs,
            output_names=arch.outputs,
            dynamic_axes=axes,
            opset_version=opset,
            do_constant_folding=True,
            dynamo=False,
        )
        return onnx.load_model_from_string(buffer.getvalue())
    # The least batch is 2 because PyTorch treats 1 as a constant; the graph runs at 1 all the same.
    batch = torch.export.Dim("batch_size", min=2, max=64)
    sequence = torch.export.Dim("sequence_length", min=2, max=64)
    program = torch.onnx.export(
        model,
        (),
        kwargs=dict(zip(arch.inputs, arguments)),
        input_names=arch.inputs,
        output_names=arch.outputs,
        dynamic_shapes={name: {0: batch, 1: sequence} for name in arch.inputs},
        opset_version=opset,
        dynamo=True,
        verbose=False,
    )
    return program.model_proto


def strip(model):
    """Removes what is only there for debugging. Recurses into subgraphs and functions."""

    def clean(graph):
        graph.doc_string = ""
        if hasattr(graph, "metadata_props"):
            del graph.metadata_props[:]
        for value in [*graph.value_info, *graph.input, *graph.output] if isinstance(
            graph, onnx.GraphProto
        ) else [*graph.value_info]:
            value.doc_string = ""
            del value.metadata_props[:]
        for tensor in graph.initializer if isinstance(graph, onnx.GraphProto) else []:
            tensor.doc_string = ""
            del tensor.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
            for attribute in node.attribute:
                attribute.doc_string = ""
                for child in [attribute.g, *attribute.graphs] if attribute.type in (
                    onnx.AttributeProto.GRAPH,
                    onnx.AttributeProto.GRAPHS,
                ) else []:
                    clean(child)

    model.doc_string = ""
    del model.metadata_props[:]
    clean(model.graph)
    for function in model.functions:
        clean(function)
    return model


def plain(array):
    """A tensor as JSON. Nine digits give a float32 back exactly."""
    if array.dtype.kind == "f":
        data = [float(f"{value:.9g}") for value in array.ravel()]
    else:
        data = [int(value) for value in array.ravel()]
    return {"dims": list(array.shape), "data": data}


def config_of(model):
    keys = model.config.to_diff_dict()
    for key in ("transformers_version", "torch_dtype", "dtype", "_attn_implementation_autoset"):
        keys.pop(key, None)
    return keys


def make(item, folder):
    arch = ARCHS[item["arch"]]
    seed = zlib.crc32(json.dumps([item["arch"], item["size"], item["options"]]).encode())
    model = arch.build(item["size"], attn_implementation=item["attention"], return_dict=False, **item["options"])
    model.eval()
    fill(model, seed)

    cases = make_cases(item["arch"], seed + 1)
    example = make_cases(item["arch"], 0)[2][1]
    with torch.no_grad():
        proto = strip(export(model, arch, item["exporter"], item["opset"], example))
    onnx.checker.check_model(proto)
    data = proto.SerializeToString()
    path = folder / f"{item['name']}.onnx"
    path.write_bytes(data)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    records, worst = [], 0.0
    for name, inputs in cases:
        got = session.run(arch.outputs, inputs)
        with torch.no_grad():
            wanted = model(**{key: torch.from_numpy(value) for key, value in inputs.items()})
        wanted = [value.numpy() for value in wanted[: len(arch.outputs)]]
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(got, wanted)))
        records.append(
            {
                "name": name,
                "inputs": {key: plain(value) for key, value in inputs.items()},
                "onnxruntime": {key: plain(value) for key, value in zip(arch.outputs, got)},
                "torch": {key: plain(value) for key, value in zip(arch.outputs, wanted)},
            }
        )
    if worst > 2e-5:
        raise SystemExit(f"{item['name']}: onnxruntime and PyTorch differ by {worst}")

    ops = collections.Counter(node.op_type for node in proto.graph.node)
    record = {
        "name": item["name"],
        "arch": item["arch"],
        "exporter": item["exporter"],
        "attention": item["attention"],
        "opset": next(entry.version for entry in proto.opset_import if entry.domain == ""),
        "config": config_of(model),
        "cases": records,
    }
    path.with_suffix(".json").write_text(json.dumps(record, separators=(",", ":")) + "\n")
    summary = {key: record[key] for key in ("name", "arch", "exporter", "attention", "opset")}
    summary["torch"] = torch.__version__.split("+")[0]
    summary["transformers"] = transformers.__version__
    summary["bytes"] = len(data)
    summary["nodes"] = len(proto.graph.node)
    summary["functions"] = len(proto.functions)
    summary["ops"] = dict(sorted(ops.items()))
    summary["largestDifference"] = float(f"{worst:.3g}")
    print(f"{item['name']}: {len(data)} bytes, {len(proto.graph.node)} nodes, differ {worst:.2g}", flush=True)
    return summary


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["core", "opsets", "options"])
    parser.add_argument("--only", help="regular expression on the variant's name")
    arguments = parser.parse_args()

    arguments.folder.mkdir(parents=True, exist_ok=True)
    index_path = arguments.folder / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else {"models": []}
    entries = {entry["name"]: entry for entry in index["models"]}
    for key in arguments.sets:
        for item in SETS[key]():
            if arguments.only and not re.search(arguments.only, item["name"]):
                continue
            entries[item["name"]] = make(item, arguments.folder)
    index = {
        "madeBy": "oracles/export_encoders.py (see oracles/README.md); random weights, seeded",
        "licence": "Apache-2.0",
        "tools": {
            "python": platform.python_version(),
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
        "models": [entries[name] for name in sorted(entries)],
    }
    index_path.write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
