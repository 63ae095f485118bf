#!/usr/bin/env bash
# Replay a journal and compare: what was decided is decided again, byte for byte: replay.sh JOURNAL [RULES]
set -euo pipefail
journal=${1:?usage: replay.sh JOURNAL [RULES]} rules=${2:-mes-1k}
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT

grep -E '^\{"kind":"(run|row|person)"' "$journal" | mes-risk --run "$run" --rules "$rules" |
    tee "$run/journal.jsonl" | mes-exec --run "$run" --rules "$rules" > "$run/statements.jsonl" ||
    [[ $? == 4 ]] # a day that a person stopped ends so again
cmp "$journal" "$run/journal.jsonl" && echo "equal: $(wc -l < "$journal") records"
