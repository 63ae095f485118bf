#!/usr/bin/env bash
# Show that the backtest is the live pipeline: the journals of both, from the same predictions: parity.sh PREDICTIONS
set -euo pipefail
predictions=${1:?usage: parity.sh PREDICTIONS [RULES]} rules=${2:-mes-1k}
run=$(mktemp -d)
unset MES_STATE # nothing of this is kept
trap 'rm -rf "$run"' EXIT

mes-bt --rules "$rules" --journal - "$predictions" > "$run/backtest.jsonl"
mes-risk --run "$run" --rules "$rules" "$predictions" |
    tee "$run/pipeline.jsonl" | mes-exec --run "$run" --rules "$rules" > "$run/statements.jsonl"
cmp "$run/backtest.jsonl" "$run/pipeline.jsonl" && echo "equal: $(wc -l < "$run/pipeline.jsonl") records"
