#!/usr/bin/env bash
# Trade ticks from stdin on a paper account that lives on from day to day, keep the journal, show fills: paper.sh [RULES] < ticks
# To see it, from another terminal: mes-watch
# ^C closes the position and ends the journal, in whatever order it reaches the tools: the tee outlives them all.
set -euo pipefail
umask 077 # account, journals and socket are nobody else's
rules=${1:-mes-1k} run=${MES_RUN:-run}
state=$run/state journals=$run/journals
mkdir -p "$journals"
journal=$journals/$(date -u +%Y%m%dT%H%M%SZ).jsonl
ln -sfn "journals/${journal##*/}" "$run/journal.jsonl"
# However the day ends, its report follows, and the exit code stays the day's; where something died, nobody who starts it again
# waits for the report. A shell that is told to end waits for the pipe.
told=
trap 'told=1' INT HUP TERM
report() { "$(dirname "$0")/session.sh" "$journal" || true; }
trap 'if [ $? = 0 ] || [ -n "$told" ]; then report; else report > /dev/null & fi' EXIT

mes-bars | mes-features | mes-predict | mes-risk --run "$run" --state "$state" --rules "$rules" |
    (trap '' INT HUP TERM; exec tee "$journal") | mes-exec --run "$run" --state "$state" --rules "$rules" |
    (trap '' INT HUP TERM; exec jq -c --unbuffered '.fills[]')
