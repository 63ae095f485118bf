#!/usr/bin/env bash
# Trade ticks from stdin on paper, keep the journal, show fills: paper.sh [RULES] < ticks
set -euo pipefail
rules=${1:-mes-1k} run=${MES_RUN:-run}
mkdir -p "$run"

mes-bars | mes-features | mes-predict | mes-risk --run "$run" --rules "$rules" |
    tee "$run/journal.jsonl" | mes-exec --run "$run" --rules "$rules" | jq -c --unbuffered '.fills[]'
