"""Ours: `pipe FILLS BARS` as it is used, two processes from a Parquet file to the summary; `memory FILLS BARS` what the other
engines are timed for, by mes-bench, from bars in memory to the list of trades. Needs nothing but Python."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

what, fills, table = sys.argv[1:]
here = Path(__file__).parent
rules, costs = here / "rules.toml", here / "costs.toml"


def pipe():
    predict = subprocess.Popen(["mes-predict", "-q", "--rule", "ema-cross", "--to", "arrow", table], stdout=subprocess.PIPE)
    command = ["mes-bt", "-q", "--rules", rules, "--costs", costs, "--fills", fills, "--json"]
    trade = subprocess.Popen(command, stdin=predict.stdout, stdout=subprocess.PIPE)
    predict.stdout.close()
    return predict, trade


def memory():
    return (subprocess.Popen(["mes-bench", "engine", table, rules, costs], stdout=subprocess.PIPE),)


begun = time.perf_counter()
processes = pipe() if what == "pipe" else memory()
said = json.loads(processes[-1].stdout.read())
ended = [os.wait4(process.pid, 0) for process in processes]
seconds = time.perf_counter() - begun
if any(status for _, status, _ in ended):
    sys.exit(f"engines: ours failed: {what}")
if what == "pipe":
    flat = {"rows": said["span"]["rows"], "seconds": seconds, "trades": said["trades"]["all"]["trades"]}
    said = flat | {"gross_usd": said["costs"]["gross_usd"]}
version = subprocess.run(["mes-bt", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
result = {
    "engine": f"mes, {fills} fills" if what == "pipe" else "mes, in memory",
    "version": version,
    # The highest of each process, added: at most what they held at once.
    "rss_mb": sum(usage.ru_maxrss for _, _, usage in ended) / 1024,
    "gross_ticks": round(said.pop("gross_usd") / 1.25),
    "why": "",
}
print(json.dumps(result | said))
