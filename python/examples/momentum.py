#!/usr/bin/env python3
"""A stage: adds f_momentum, the close against that of 20 rows before, in [-1, 1], null until known.

    mes-bars --to arrow day.csv | python3 python/examples/momentum.py | mes-predict --rule ema-cross
    mes-check stage -- python3 python/examples/momentum.py
"""

import numpy as np

import mes

BACK = 20


@mes.stage("f_momentum", back=BACK)
def momentum(rows):
    close = rows["close"].to_numpy()
    change = np.full(len(close), np.nan)
    change[BACK:] = np.clip((close[BACK:] - close[:-BACK]) / 10, -1, 1)
    return change


if __name__ == "__main__":
    momentum.main()
