#!/usr/bin/env bash
# Trade an account at TopstepX: live.sh ACCOUNT [RULES]. Key and user: TOPSTEPX_API_KEY, TOPSTEPX_USERNAME. Read docs/live.md first.
# ^C closes the position and ends the day, in whatever order it reaches the tools. From another terminal: mes-watch, mes-exec kill
set -euo pipefail
umask 077 # account, journals and socket are nobody else's
# A computer that sleeps protects nothing.
if [ -z "${MES_AWAKE:-}" ] && systemd-inhibit --what=sleep true 2> /dev/null; then
    MES_AWAKE=1 exec systemd-inhibit --what=sleep --who=mes --why='it trades' "$0" "$@"
fi
account=${1:?"which account? mes-projectx accounts lists yours"} rules=${2:-mes-1k-topstep}
export MES_RUN=${MES_RUN:-run} MES_STATE=${MES_STATE:-${MES_RUN:-run}/state} # where mes-exec kill looks by itself
predict=(${MES_PREDICT:-})
mkdir -p "$MES_RUN/journals"
journal=$MES_RUN/journals/$(date -u +%Y%m%dT%H%M%SZ).jsonl
ln -sfn "journals/${journal##*/}" "$MES_RUN/journal.jsonl"

mes-fetch live --warm-up "${MES_WARM_UP:-2h}" | mes-bars | mes-features | mes-predict "${predict[@]}" |
    mes-risk --state "$MES_STATE" --rules "$rules" --costs topstepx |
    (trap '' INT HUP TERM; exec tee "$journal") |
    mes-exec --broker topstepx --account "$account" --state "$MES_STATE" --rules "$rules" --costs topstepx |
    jq -c --unbuffered '.fills[]'
