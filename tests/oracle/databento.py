#!/usr/bin/env python3
"""Checks the Databento of the tests with the official client, so that what mes-fetch is tested against is no dream.

    cargo run --release -p mes-fetch --example databento &      # prints BASE_URL
    python3 tests/oracle/databento.py BASE_URL

Needs databento==0.87.0. It turns every address into https, so those of its parts are put back to http. One line a
check; exit 0 when all hold, 1 when not, 77 when the client is not installed.
"""

import sys
import urllib.parse
import urllib.request
import warnings

# This file's own folder comes first in the path, where it would hide the package of its name.
sys.path.pop(0)

try:
    import databento
except ImportError:
    print("skipped: pip install databento==0.87.0")
    sys.exit(77)

warnings.simplefilter("ignore")
KEY = "db-" + "x" * 29
WINDOW = dict(dataset="GLBX.MDP3", symbols="MES.v.0", schema="ohlcv-1s", stype_in="continuous",
              start="2024-01-01", end="2024-02-01")
failed = []


def check(name, holds, seen=""):
    print(f"{'ok' if holds else 'FAILED'}  {name}  {seen}".rstrip())
    if not holds:
        failed.append(name)


def client(base):
    found = databento.Historical(KEY, gateway=base)
    for part in (found.batch, found.metadata, found.symbology, found.timeseries):
        part._base_url = part._base_url.replace("https://", "http://")
    return found


def fault(base, name, size=0):
    form = urllib.parse.urlencode({"name": name, "bytes": size}).encode()
    urllib.request.urlopen(base + "/fault", form).read()


def raised(call):
    """Returns what a call raises, as its class and its text."""
    try:
        call()
    except Exception as error:  # noqa: BLE001: which one it is, is the question
        return type(error).__name__, str(error)
    return "nothing", ""


def main(base):
    api = client(base)
    count = api.metadata.get_record_count(**WINDOW)
    size = api.metadata.get_billable_size(**WINDOW)
    check("record count", count == 23 * 150, count)
    check("billable size is 56 bytes a bar", size == 56 * count, size)
    check("cost", api.metadata.get_cost(**WINDOW) > 0)
    limits = api.metadata.get_dataset_range("GLBX.MDP3")
    check("range of the schema", limits["schema"]["ohlcv-1s"]["end"].startswith("2024-09-01"))
    days = api.metadata.get_dataset_condition("GLBX.MDP3", "2024-01-01", "2024-01-31")
    check("conditions include the last day", len(days) == 31, days[-1]["date"])
    names = api.symbology.resolve("GLBX.MDP3", ["763"], "instrument_id", "raw_symbol", "2024-01-01", "2024-02-01")
    check("symbology", names["result"]["763"][0]["s"] == "MESH4")

    store = api.timeseries.get_range(**WINDOW)
    frame = store.to_df()
    check("bars", len(frame) == count, len(frame))
    check("symbols by the mappings", set(frame["symbol"]) == {"MES.v.0"})
    check("prices", frame["open"].iloc[0] == 5000.0 and frame["high"].iloc[0] == 5000.5)
    check("times begin the bars", str(frame.index[0]) == "2024-01-01 14:00:00+00:00", frame.index[0])
    parent = dict(WINDOW, symbols="MES.FUT", stype_in="parent", schema="trades")
    check("a parent's trades", set(api.timeseries.get_range(**parent).to_df()["symbol"])
          == {"MESH4", "MESM4", "MESH4-MESM4"})

    fault(base, "206")
    check("206 is success", len(api.timeseries.get_range(**WINDOW).to_df()) == count)
    for name, kind in (("422", "BentoClientError"), ("401", "BentoClientError"), ("429", "BentoClientError"),
                       ("500", "BentoServerError"), ("cut", "BentoError"), ("cut-length", "BentoError")):
        fault(base, name, 5000)
        seen, text = raised(lambda: api.timeseries.get_range(**WINDOW))
        check(f"{name} raises {kind}", seen == kind, f"{seen}: {text.splitlines()[0] if text else ''}"[:100])
    weekend = dict(WINDOW, start="2024-06-01", end="2024-06-03")
    seen, text = raised(lambda: api.timeseries.get_range(**weekend))
    check("a weekend alone is refused", "symbology_invalid_request" in text, seen)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1].rstrip("/")))
