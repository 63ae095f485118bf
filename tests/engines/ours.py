"""Ours, as it is used: two processes joined by a pipe, from a Parquet file to the summary. Needs nothing but Python."""

import json
import os
import subprocess
import sys
import time

bars, rules, costs, fills = sys.argv[1:]
begun = time.perf_counter()
predict = subprocess.Popen(
    ["mes-predict", "-q", "--rule", "ema-cross", "--to", "arrow", bars], stdout=subprocess.PIPE
)
trade = subprocess.Popen(
    ["mes-bt", "-q", "--rules", rules, "--costs", costs, "--fills", fills, "--json"],
    stdin=predict.stdout,
    stdout=subprocess.PIPE,
)
predict.stdout.close()
summary = json.loads(trade.stdout.read())
ended = [os.wait4(process.pid, 0) for process in (predict, trade)]
seconds = time.perf_counter() - begun
if any(status for _, status, _ in ended):
    sys.exit("engines: mes-predict | mes-bt failed")
version = subprocess.run(["mes-bt", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
print(
    json.dumps(
        {
            "engine": f"mes, {fills} fills",
            "version": version,
            "rows": summary["span"]["rows"],
            "seconds": seconds,
            # The highest of each, added: at most what both held at once.
            "rss_mb": sum(usage.ru_maxrss for _, _, usage in ended) / 1024,
            "trades": summary["trades"]["all"]["trades"],
            "gross_ticks": round(summary["costs"]["gross_usd"] / 1.25),
            "why": "",
        }
    )
)
