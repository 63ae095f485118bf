#!/usr/bin/env bash
# Say what the day of a journal came to, and keep it in sessions/ beside journals/: session.sh [JOURNAL]
# paper.sh and live.sh call it however their day ended; without JOURNAL it writes what is missing in MES_RUN, as after a kill -9.
# MES_AGAINST names the backtest (its run folder) to hold a day against.
set -euo pipefail

# Where the report of a journal is.
place() {
    local name=${1##*/}
    echo "$(dirname "$(dirname "$1")")/sessions/${name%.jsonl}"
}
report() {
    [ -s "$1" ] || return 0 # it never began
    local out
    out=$(place "$1")
    mes-bt session -q "$1" ${MES_AGAINST:+--against "$MES_AGAINST"} --out "$out" > /dev/null &&
        cat "$out/session.txt" - >&2 <<< "report in $out/session.html"
}

if [ $# -gt 0 ]; then
    report "$1"
    exit
fi
code=0
for journal in "${MES_RUN:-run}"/journals/*.jsonl; do
    # Also where the day went on after its report: a page that is older than its journal.
    if [ -s "$journal" ] && [ ! "$(place "$journal")/session.html" -nt "$journal" ]; then
        report "$journal" || code=1
    fi
done
exit $code
