#!/usr/bin/env bash
# Learn live trading without a key: live.sh against an exchange on this machine, made-up market, N times as fast: practice.sh [N] [RULES]
# In another contract: MES_CONTRACT=MNQ practice.sh 5 mnq-1k; in another account: ACCOUNT=PRAC-V2-1007-1,balance=150000 practice.sh 5 topstep-150k
# ^C ends it. Meanwhile, from another terminal: eval "$(mes-sim env)"; mes-projectx orders; mes-watch; mes-sim fault line-cut; mes-exec kill
set -euo pipefail
umask 077
export MES_RUN=${MES_RUN:-run}
times=${1:-5} rules=${2:-mes-1k-topstep}
mkdir -p "$MES_RUN"

mes-sim --synth 1 --contract "${MES_CONTRACT:-MES}" --port "${PORT:-8787}" --seed "${SEED:-1}" ${FROM:+--from "$FROM"} ${ACCOUNT:+--account "$ACCOUNT"} --speed "$times" --run "$MES_RUN/sim" > "$MES_RUN/sim.json" &
trap 'kill $! 2> /dev/null || true' EXIT
until grep -q user "$MES_RUN/sim.json"; do sleep 0.1; kill -0 $!; done
eval "$(mes-sim env --run "$MES_RUN/sim")"
MES_PREDICT="--rule random --seed 7 --rate 0.02" "$(dirname "$0")/live.sh" "$(mes-projectx accounts | jq -r .name)" "$rules"
