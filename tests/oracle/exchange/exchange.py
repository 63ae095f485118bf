"""What the Python clients share: the exchange as mes-sim shows it from outside, waiting, and rows for judge.py."""

import asyncio
import json
import os
import subprocess
from datetime import datetime, timezone

API, HUBS = os.environ["TOPSTEPX_API_URL"], os.environ["TOPSTEPX_HUBS_URL"]
USER, KEY = os.environ["TOPSTEPX_USERNAME"], os.environ["TOPSTEPX_API_KEY"]
BEGIN, END = datetime(2026, 11, 20, tzinfo=timezone.utc), datetime(2026, 11, 21, tzinfo=timezone.utc)

ORDER = "id status type side size limitPrice stopPrice fillVolume filledPrice customTag parentOrderId".split()
TRADE = "id orderId price side size profitAndLoss fees commissions".split()


def sim(*args):
    return subprocess.run(["mes-sim", *args, "--run", os.environ["RUN"]], check=True, capture_output=True, text=True).stdout


def fault(name, seconds):
    sim("fault", name, "--for", str(seconds))


def journal(kind):
    return [json.loads(line) for line in sim("journal", "--kind", kind).splitlines()]


async def until(what, good, seconds=20):
    for _ in range(seconds * 20):
        if good():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def report(**fields):
    print(json.dumps(fields, default=float))
