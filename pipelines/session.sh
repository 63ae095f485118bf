#!/usr/bin/env bash
# Say what the day of a journal came to, and keep it in sessions/ beside journals/: session.sh JOURNAL
# paper.sh and live.sh call it however their day ended. MES_AGAINST names the backtest (its run folder) to hold it against.
set -euo pipefail
journal=${1:?usage: session.sh JOURNAL}
[ -s "$journal" ] || exit 0 # it never began
day=${journal##*/}
out=$(dirname "$(dirname "$journal")")/sessions/${day%.jsonl}
mes-bt session -q "$journal" ${MES_AGAINST:+--against "$MES_AGAINST"} --out "$out" > /dev/null
cat "$out/session.txt" - >&2 <<< "report in $out/session.html"
