#!/usr/bin/env python3
"""A stage: adds f_momentum, the close against that of 20 rows before, in [-1, 1], null until known.

    mes-bars --header day.csv | python3 tests/stages/momentum.py | mes-predict --rule ema-cross | mes-risk | mes-exec
    mes-check stage -- python3 tests/stages/momentum.py

What makes it a stage: a row out for every row in, written before the next is read; columns it does not know stay as
they are; everything begins anew where `seg` changes. A first line without `ts` is the header: it says how long a row is
and where the rows come from, and goes on with one more link.
"""

import json
import sys
from collections import deque

BACK = 20

closes, seg = deque(maxlen=BACK + 1), None
for line in sys.stdin:
    row = json.loads(line)
    if "ts" not in row:
        row["lineage"].append({"tool": "momentum.py", "settings": {"back": BACK}})
        print(json.dumps(row), flush=True)
        continue
    if row["seg"] != seg:
        closes.clear()
        seg = row["seg"]
    closes.append(row["close"])
    known = len(closes) > BACK
    row["f_momentum"] = max(-1.0, min(1.0, (closes[-1] - closes[0]) / 10)) if known else None
    print(json.dumps(row), flush=True)
