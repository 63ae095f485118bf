"""Makes data/cme_calendar.csv from pandas_market_calendars (MIT), calendar "CME Globex Equity", and what is put over it
below; with a path, compares that file instead."""

import datetime as dt
import pathlib
import sys

import pandas_market_calendars as markets

FIRST, LAST = dt.date(2014, 1, 1), dt.date(2030, 12, 31)
# Of the days after it no exchange has published anything: what the library says of them is the exchange's rule, no more.
PUBLISHED = dt.date(2026, 12, 31)

# Where the library is wrong or says nothing.
OVER = [
    ("2018-12-05", "early-close", "09:30", "", "override", "Day of mourning (Bush): until 08:30 Chicago, then as usual (CME notice of 2018-12-02); the library omits it"),
    ("2024-03-29", "full-closed", "", "", "override", "Good Friday; the library says 09:15, LEAN lists a full holiday (no jobs report that day)"),
    ("2025-01-09", "early-close", "09:30", "", "override", "Day of mourning (Carter): until 08:30 Chicago, then as usual (CME notice); the library omits it"),
    ("2025-04-18", "full-closed", "", "", "override", "Good Friday; the library says 09:15, LEAN and the press say closed"),
]
# A Good Friday with a jobs report trades until 09:15, any other is closed. The report comes on the first Friday.
CLOSED_BY_RULE = ["2027-03-26", "2028-04-14", "2029-03-30", "2030-04-19"]
OVER += [(date, "full-closed", "", "", "rule", "Good Friday; the library says 09:15, a jobs report is not expected") for date in CLOSED_BY_RULE]

OUTAGES = [
    ("2019-02-26", "outage", "19:40", "22:45", "known", "Globex stood still 18:40-21:45 Chicago"),
    ("2025-11-27", "outage", "21:44", "2025-11-28 08:30", "known", "Globex stood still: cooling of a data centre"),
]

NAMES = {
    1: [(1, 2, "New Year's Day"), (15, 21, "Martin Luther King Jr. Day")],
    2: [(15, 21, "Presidents' Day")],
    3: [(20, 31, "Good Friday")],
    4: [(1, 25, "Good Friday")],
    5: [(25, 31, "Memorial Day")],
    6: [(18, 20, "Juneteenth")],
    7: [(3, 5, "Independence Day")],
    9: [(1, 7, "Labor Day")],
    11: [(22, 28, "Thanksgiving"), (23, 29, "Day after Thanksgiving")],
    12: [(24, 26, "Christmas")],
}
FIXED = {"New Year's Day": (1, 1), "Juneteenth": (6, 19), "Independence Day": (7, 4), "Christmas": (12, 25)}


def name(date, early):
    """What the day is called; an eve is the early close before its holiday."""
    if early == "13:15" and date.month in (7, 12):
        return "Eve of Independence Day" if date.month == 7 else "Christmas Eve"
    names = [text for first, last, text in NAMES[date.month] if first <= date.day <= last]
    text = names[-1] if early == "13:15" else names[0]
    moved = text in FIXED and FIXED[text] != (date.month, date.day)
    return text + " (observed)" * moved


def rows():
    """Every day that is not an ordinary one."""
    days = markets.get_calendar("CME Globex Equity").schedule(FIRST, LAST)["market_close"]
    closes = {day.date(): close.tz_convert("America/New_York").strftime("%H:%M") for day, close in days.items()}
    over = {row[0]: row for row in OVER}
    day = FIRST
    while day <= LAST:
        close = closes.get(day, "")
        if str(day) in over:
            yield over[str(day)]
        elif day.weekday() < 5 and close != "17:00":
            source = "library" if day <= PUBLISHED else "rule"
            yield (str(day), "early-close" if close else "full-closed", close, "", source, name(day, close))
        yield from (row for row in OUTAGES if row[0] == str(day))
        day += dt.timedelta(days=1)


def text():
    lines = [",".join(row[:5]) + "," + (f'"{row[5]}"' if "," in row[5] else row[5]) for row in rows()]
    head = [
        f"# calendar {FIRST}..{LAST}, {len(lines)} lines",
        "# Made by tests/oracle/closed_days.py from pandas_market_calendars 5.5.0 (MIT), calendar CME Globex Equity. source: library;",
        "# override, where that is wrong; rule, where nobody has published anything yet; known, what nobody had announced.",
        "date,status,close_ny,reopen_ny,source,note",
    ]
    return "\n".join(head + lines) + "\n"


if len(sys.argv) == 1:
    print(text(), end="")
elif pathlib.Path(sys.argv[1]).read_text() != text():
    sys.exit(f"{sys.argv[1]} is not what closed_days.py makes")
else:
    print(f"closed days: {sys.argv[1]} is what the library and its overrides say")
