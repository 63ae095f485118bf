#!/usr/bin/env bash
# Backtest any bars or ticks with any model, in one pipe and without files between: backtest.sh DATA [MODEL]
set -euo pipefail
data=${1:?usage: backtest.sh DATA [MODEL]} model=${2:-models/default.onnx}

mes-bars --session rth "$data" | mes-features | mes-predict --model "$model" | mes-bt --out "runs/$(basename "$data")"
