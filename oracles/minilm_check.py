"""Exports a MiniLM sentence encoder and records its embeddings, to be compared by hand.

    python oracles/minilm_check.py CHECKPOINT OUT [--results embeddings.json]
    python oracles/minilm_check.py --random TOKENIZER_FOLDER OUT --results oracles/results/minilm_embeddings.json

CHECKPOINT is a local Hugging Face folder of a BERT-architecture sentence encoder (such as
all-MiniLM-L6-v2) with config.json, model.safetensors and tokenizer.json. With --random the
weights are drawn instead (MiniLM-L6's shape, seeded) and only the tokenizer is read. OUT gets
model.onnx (float32, legacy exporter, opset 17) beside the tokenizer's and the config's files.
Embeddings are the attention-masked mean of the token embeddings, divided by their length.
"""

import argparse
import json
import logging
import pathlib
import shutil
import warnings

import numpy as np
import onnxruntime
import tokenizers
import torch
import transformers

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
LENGTH = 256
SENTENCES = [
    "Yes.",
    "Good film!",
    "A cat sleeps on the warm stones.",
    "The cat is sleeping on the stones in the sun.",
    "Rain is expected over the hills tonight.",
    "Tonight it will probably rain in the highlands.",
    "How do I reset my password?",
    "I have forgotten my password and cannot log in.",
    "The train to Bergen leaves at 8:25 from platform 3.",
    "Prices rose by 2.4 % in March, less than most analysts had expected.",
    "It isn't the worst sequel ever made, but it isn't far off either.",
    "Naïve café owners façade their déjà vu: über-crème brûlée, £4.50 each.",
    "He said: \"Never again!\" (and he meant it) ... or so we thought -- until Tuesday.",
    "COMPILERS TURN PROGRAMS FOR PEOPLE INTO PROGRAMS FOR MACHINES.",
    "東京は大きな都市です。",
    "Unbelievablylongcompoundwordsthatnobodyeverwritesbutatokenizermustsplit",
    "email@example.org, snake_case_name, C++17, and #hashtags are split at their signs",
    "The committee, which had met in the town hall every second Thursday since the flood, voted "
    "at last to rebuild the bridge, although two members, who owned the ferry, left the room.",
    "A budget says what may be spent: bytes on the wire, milliseconds on the device, memory while "
    "it runs, and accuracy that may be lost. Whatever is left over is nobody's business, but what "
    "is exceeded must be said aloud, with the number, the limit and the nearest thing that fits.",
    "the end",
]


class TokenEmbeddings(torch.nn.Module):
    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(input_ids, attention_mask, token_type_ids)[0]


def draw(vocabulary):
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        return_dict=False,
    )
    model = transformers.BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.5 if "embeddings.weight" in name else 0.05
            parameter.copy_(torch.randn_like(parameter) * spread)
            if name.endswith("LayerNorm.weight"):
                parameter.add_(1)
    return model


def export(bert, path):
    example = torch.ones(2, 8, dtype=torch.int64)
    with torch.no_grad():
        torch.onnx.export(
            TokenEmbeddings(bert).eval(),
            (example, example, torch.zeros_like(example)),
            str(path),
            input_names=INPUTS,
            output_names=["last_hidden_state"],
            dynamic_axes={
                name: {0: "batch_size", 1: "sequence_length"} for name in [*INPUTS, "last_hidden_state"]
            },
            opset_version=17,
            dynamo=False,
        )


def pool(hidden, mask):
    weight = mask[..., None].astype(np.float64)
    mean = (hidden.astype(np.float64) * weight).sum(axis=1) / weight.sum(axis=1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--random", action="store_true", help="draw the weights, read only the tokenizer")
    parser.add_argument("--results", type=pathlib.Path)
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(arguments.checkpoint / name, arguments.out / name)
    tokenizer = tokenizers.Tokenizer.from_file(str(arguments.out / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    if arguments.random:
        bert = draw(tokenizer.get_vocab_size())
    else:
        bert = transformers.BertModel.from_pretrained(
            arguments.checkpoint, local_files_only=True, add_pooling_layer=False
        )
        bert.config.return_dict = False
    bert.eval()
    (arguments.out / "config.json").write_text(bert.config.to_json_string(use_diff=False))
    export(bert, arguments.out / "model.onnx")

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(arguments.out / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    records, worst = [], 0.0
    for sentence in SENTENCES:
        encoding = tokenizer.encode(sentence)
        feed = {
            "input_ids": np.array([encoding.ids]),
            "attention_mask": np.array([encoding.attention_mask]),
            "token_type_ids": np.array([encoding.type_ids]),
        }
        embedding = pool(session.run(None, feed)[0], feed["attention_mask"])[0]
        with torch.no_grad():
            hidden = bert(**{name: torch.from_numpy(value) for name, value in feed.items()})[0].numpy()
        worst = max(worst, float(np.abs(embedding - pool(hidden, feed["attention_mask"])[0]).max()))
        records.append(
            {
                "sentence": sentence,
                "ids": encoding.ids,
                "embedding": [round(float(value), 6) for value in embedding],
            }
        )
    print(f"{len(records)} sentences, {bert.config.hidden_size} numbers each; onnxruntime and PyTorch differ by {worst:.2g}")
    if arguments.results:
        head = {
            "weights": "random, seed 1" if arguments.random else arguments.checkpoint.name,
            "pooling": "mean",
            "normalised": True,
            "length": LENGTH,
            "tools": {
                "onnxruntime": onnxruntime.__version__,
                "tokenizers": tokenizers.__version__,
                "torch": torch.__version__.split("+")[0],
                "transformers": transformers.__version__,
            },
        }
        lines = ",\n".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
        text = json.dumps(head)[:-1] + ', "sentences": [\n' + lines + "\n]}\n"
        arguments.results.parent.mkdir(parents=True, exist_ok=True)
        arguments.results.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
