#!/usr/bin/env bash
# Replay a journal and compare: what was decided is decided again, byte for byte: replay.sh JOURNAL [RULES]
# A paper account fills again; a broker's statements are taken as they were recorded.
set -euo pipefail
journal=${1:?usage: replay.sh JOURNAL [RULES]} rules=${2:-mes-1k}
run=$(mktemp -d)
unset MES_STATE # nothing of this is kept
trap 'rm -rf "$run"' EXIT

rows() { grep -E '^\{"kind":"(run|row|person)"' "$journal"; }
if [[ $(head -n 1 "$journal" | jq -r .broker.kind) == paper ]]; then
    rows | mes-risk --run "$run" --rules "$rules" | tee "$run/journal.jsonl" |
        mes-exec --run "$run" --rules "$rules" > "$run/statements.jsonl"
else
    rows | mes-risk --run "$run" --rules "$rules" --account "$journal" > "$run/journal.jsonl"
fi || [[ $? == 4 ]] # a day that a person stopped ends so again
# A kill cuts a journal off: what there is of it is compared.
head -n "$(wc -l < "$journal")" "$run/journal.jsonl" | cmp - "$journal" && echo "equal: $(wc -l < "$journal") records"
