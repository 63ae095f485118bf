#!/usr/bin/env python3
"""Says how fast onnxruntime runs models on one core, a JSON line each: what mes-bench puts beside mes-predict.

    python3 tests/oracle/speed.py MODEL.onnx ...
"""

import json
import sys
import time

# This file's own folder comes first in the path, where onnx.py would hide the package of its name.
sys.path.pop(0)

import numpy as np
import onnxruntime

LIVE = 5000


def measure(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    facts = session.get_inputs()[0]
    shape = facts.shape[1:]
    rows = 4096 if len(shape) == 1 else 256
    batch = np.random.default_rng(1).uniform(-1, 1, size=(rows, *shape)).astype(np.float32)
    names = [session.get_outputs()[-1].name]

    def run(x):
        start = time.perf_counter()
        session.run(names, {facts.name: x})
        return time.perf_counter() - start

    for _ in range(100):
        run(batch[:1])
    live = sorted(run(batch[k % rows : k % rows + 1]) for k in range(LIVE if len(shape) == 1 else LIVE // 10))
    share = lambda q: live[int((len(live) - 1) * q)] * 1e6
    best = min(run(batch) for _ in range(20))
    return {"p50_us": share(0.5), "p99_us": share(0.99), "rows_per_s": rows / best}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        print(json.dumps(measure(path)))
