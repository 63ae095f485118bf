#!/usr/bin/env python3
"""Makes the small models of other exporters' shapes that the tests load, with onnxruntime's answers beside them.

    python3 tools/mes-predict/tests/data/make.py      # with tests/oracle/requirements.txt

foreign_logreg    as skl2onnx writes a pipeline: batch without a name, Scaler, LinearClassifier, Normalizer, ZipMap,
                  the label first
foreign_net       as torch's dynamo exporter writes: a symbolic batch that the shapes of values and outputs repeat,
                  Softmax at the end
foreign_sequence  an LSTM over four rows; the answers are those of every window within the rows
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
ROWS, WIDTH, WINDOW, HIDDEN = 8, 3, 4, 2
FLOAT = TensorProto.FLOAT


def tensor(name, values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def logreg(dice):
    scaler = helper.make_node(
        "Scaler", ["X"], ["scaled"], domain="ai.onnx.ml", offset=[0.25, -1.0, 3.0], scale=[2.0, 0.5, 1.25]
    )
    classifier = helper.make_node(
        "LinearClassifier", ["scaled"], ["label", "raw"], domain="ai.onnx.ml",
        classlabels_ints=[0, 1, 2], multi_class=1, post_transform="SOFTMAX",
        coefficients=dice.normal(size=9).astype(np.float32).tolist(),
        intercepts=dice.normal(size=3).astype(np.float32).tolist(),
    )
    normalizer = helper.make_node("Normalizer", ["raw"], ["probabilities"], domain="ai.onnx.ml", norm="L1")
    zipmap = helper.make_node("ZipMap", ["probabilities"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2])
    maps = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, []))
    )
    return helper.make_graph(
        [scaler, classifier, normalizer, zipmap], "logreg",
        [helper.make_tensor_value_info("X", FLOAT, [None, WIDTH])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, [None]), helper.make_value_info("maps", maps)],
    )


def net(dice):
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["linear"], transB=1),
        helper.make_node("BatchNormalization", ["linear", "gamma", "beta", "mean", "var"], ["normal"]),
        helper.make_node("Relu", ["normal"], ["relu"]),
        helper.make_node("Gemm", ["relu", "w2", "b2"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["softmax"], axis=-1),
    ]
    shapes = {"linear": 4, "normal": 4, "relu": 4, "logits": 3}
    normal = lambda *dims: dice.normal(size=dims)
    return helper.make_graph(
        nodes, "main_graph",
        [helper.make_tensor_value_info("x", FLOAT, ["s77", WIDTH])],
        [helper.make_tensor_value_info("softmax", FLOAT, ["s77", 3])],
        [
            tensor("w1", normal(4, WIDTH)), tensor("b1", normal(4)), tensor("w2", normal(3, 4)), tensor("b2", normal(3)),
            tensor("gamma", normal(4)), tensor("beta", normal(4)), tensor("mean", normal(4)),
            tensor("var", normal(4) ** 2 + 0.5),
        ],
        value_info=[helper.make_tensor_value_info(name, FLOAT, ["s77", width]) for name, width in shapes.items()],
    )


def sequence(dice):
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "w", "r", "b"], ["", "last"], hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["last", "axis"], ["state"]),
        helper.make_node("Gemm", ["state", "out", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["p"], axis=1),
    ]
    normal = lambda *dims: dice.normal(size=dims)
    return helper.make_graph(
        nodes, "sequence",
        [helper.make_tensor_value_info("x", FLOAT, ["batch", WINDOW, WIDTH])],
        [helper.make_tensor_value_info("p", FLOAT, ["batch", 3])],
        [
            tensor("w", normal(1, 4 * HIDDEN, WIDTH)), tensor("r", normal(1, 4 * HIDDEN, HIDDEN)),
            tensor("b", normal(1, 8 * HIDDEN)), tensor("out", normal(HIDDEN, 3)), tensor("bias", normal(3)),
            numpy_helper.from_array(np.array([0], dtype=np.int64), "axis"),
        ],
    )


def main():
    dice = np.random.default_rng(5)
    graphs = {"foreign_logreg": logreg(dice), "foreign_net": net(dice), "foreign_sequence": sequence(dice)}
    for name, graph in graphs.items():
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="made for tests")
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, HERE / f"{name}.onnx")
        rows = dice.normal(size=(ROWS, WIDTH)).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(rows, WINDOW, axis=0).transpose(0, 2, 1)
        x = np.ascontiguousarray(windows) if name == "foreign_sequence" else rows
        answer = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {graph.input[0].name: x})[-1]
        if isinstance(answer, list):
            answer = [[row[k] for k in range(3)] for row in answer]
        wanted = np.asarray(answer, dtype=np.float32)
        text = json.dumps({"onnxruntime": onnxruntime.__version__, "rows": rows.tolist(), "p": wanted.tolist()})
        (HERE / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
