#!/usr/bin/env bash
# Trade an account at TopstepX: live.sh ACCOUNT [RULES]. Key and user: TOPSTEPX_API_KEY, TOPSTEPX_USERNAME. Read docs/live.md first.
# The day ends by itself as the market closes, or by ^C, which closes the position, in whatever order it reaches the tools.
# From another terminal: mes-watch, mes-exec kill. Every day by itself: mes-exec service
# Another contract than MES: MES_CONTRACT=MNQ live.sh ACCOUNT mnq-1k; minis with MES_COSTS=topstepx-mini.
set -euo pipefail
umask 077 # account, journals and socket are nobody else's
# A computer that sleeps protects nothing.
if [ -z "${MES_AWAKE:-}" ] && systemd-inhibit --what=sleep true 2> /dev/null; then
    MES_AWAKE=1 exec systemd-inhibit --what=sleep --who=mes --why='it trades' "$0" "$@"
fi
account=${1:?"which account? mes-projectx accounts lists yours"} rules=${2:-mes-1k-topstep}
export MES_RUN=${MES_RUN:-run} MES_STATE=${MES_STATE:-${MES_RUN:-run}/state} # where mes-exec kill looks by itself
predict=(${MES_PREDICT:-}) costs=${MES_COSTS:-topstepx}
mkdir -p "$MES_RUN/journals"
journal=$MES_RUN/journals/$(date -u +%Y%m%dT%H%M%SZ).jsonl
ln -sfn "journals/${journal##*/}" "$MES_RUN/journal.jsonl"
# However the day ends, its report follows, and the exit code stays the day's; where something died, nobody who starts it again
# waits for the report. A shell that is told to end waits for the pipe.
told=
trap 'told=1' INT HUP TERM
report() { "$(dirname "$0")/session.sh" "$journal" || true; }
trap 'if [ $? = 0 ] || [ -n "$told" ]; then report; else report > /dev/null & fi' EXIT

rm -f "$MES_RUN/fetch.pid"
(echo "$BASHPID" > "$MES_RUN/fetch.pid" || true; exec mes-fetch live --until-close --contract "${MES_CONTRACT:-MES}" --warm-up "${MES_WARM_UP:-2h}") |
    mes-bars | mes-features | mes-predict "${predict[@]}" |
    mes-risk --state "$MES_STATE" --rules "$rules" --costs "$costs" |
    (trap '' INT HUP TERM; exec tee "$journal") |
    (
        trap : INT HUP TERM # mes-exec hears them itself, and what it ends with is what the pipe ends with
        code=0
        mes-exec --broker topstepx --account "$account" --state "$MES_STATE" --rules "$rules" --costs "$costs" || code=$?
        # Where nothing comes, what stands before mes-exec would not notice.
        fetch=$(cat "$MES_RUN/fetch.pid" || true)
        if grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$fetch/status"; then kill "$fetch" || true; fi
        exit $code
    ) |
    (trap '' INT HUP TERM; exec jq -c --unbuffered '.fills[]')
