#!/usr/bin/env python3
"""A stage of rows with a memory: adds f_range, where the close lies in the range of its segment so far, in [0, 1].

    mes-bars --to arrow day.csv | python3 python/examples/range.py | mes-predict --rule ema-cross
    mes-check stage -- python3 python/examples/range.py
"""

import mes


@mes.stage("f_range", by="row")
def position_in_range(row, memory):
    memory.low = min(getattr(memory, "low", row["low"]), row["low"])
    memory.high = max(getattr(memory, "high", row["high"]), row["high"])
    return (row["close"] - memory.low) / (memory.high - memory.low) if memory.high > memory.low else 0.5


if __name__ == "__main__":
    position_in_range.main()
