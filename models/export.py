"""Writes trained networks the two ways that PyTorch's users do."""

import warnings

import onnx
import torch


def export_with_trace(model, path, sample, input_name, output_name):
    """The older exporter, opset 17, batch of any size; BatchNormalization stays an operator as in a training export."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (sample,), str(path), dynamo=False, opset_version=17,
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
            input_names=[input_name], output_names=[output_name],
            dynamic_axes={input_name: {0: "batch"}, output_name: {0: "batch"}},
        )  # fmt: skip


def export_with_dynamo(model, path, sample, input_name, output_name):
    """The default exporter since PyTorch 2.9, opset 18, batch as in `sample`, without its notes on source lines."""
    program = torch.onnx.export(
        model, (sample,), dynamo=True, opset_version=18,
        input_names=[input_name], output_names=[output_name], verbose=False,
    )  # fmt: skip
    proto = program.model_proto
    for item in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
