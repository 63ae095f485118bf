#!/usr/bin/env bash
# Be told what the day's journals say, beside paper.sh, practice.sh or live.sh, from another terminal: alerts.sh [alerts.toml]
# Without a file of your own all is told on this terminal; a copy of pipelines/alerts.toml is where to begin. ^C ends it, and no trading.
set -euo pipefail
umask 077
run=${MES_RUN:-run}
config=${1:-${MES_ALERTS:-}}

mes-alert ${config:+--config "$config"} --run "$run" --exec "${MES_STATE:-$run/state}" "$run/journal.jsonl"
