#!/usr/bin/env python3
"""Opens the page of mes-watch in headless Chromium: days that are over, then a paper day and a day of practice that run, halted
and killed from it.

At 390 and 1,280 pixels, light and dark: what has to be there is there, no error is on the console, nothing is asked of
anybody else, nothing is wider than the window, nothing of a journal becomes markup. Then by keyboard: zoom, the slider, and
a halt with its second question. PAGES_SHOTS=DIR keeps a picture of each view.
"""

import json
import os
import subprocess
import sys
import time

from browser import Browser, shot

VIEWS = [(scheme, width) for width in (1280, 390) for scheme in ("light", "dark")]
LOOK = """(() => ({
  wide: document.documentElement.scrollWidth - innerWidth,
  out: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith(location.origin + "/")),
  token: location.hash, back: getComputedStyle(document.body).backgroundColor, alien: document.querySelectorAll("main b, img, #account *, .log img").length,
  said: document.getElementById("said").hidden ? "" : document.getElementById("said").textContent,
  unnamed: [...document.querySelectorAll("button, input, select, canvas")].filter(one => !(one.textContent.trim() || one.ariaLabel || one.labels?.length || one.closest("[hidden]"))).length,
  small: [...document.querySelectorAll("button")].filter(one => one.getClientRects().length && one.getBoundingClientRect().height < 24).length,
  text: document.body.innerText, title: document.title, limits: document.querySelectorAll("[role=meter]").length,
  trades: document.querySelectorAll("#trades tr").length, candles: chart.piece?.candles.length ?? 0, marks: chart.piece?.marks.length ?? 0,
}))()"""
# What each day has to show.
DAYS = {
    "empty": dict(limits=0, candles=0, words=["No row yet", "paper"]),
    "day": dict(limits=4, candles=50, words=["STOPPED", "daily loss", "$50.00", "nothing done", "mes-1k"]),
    "busy": dict(limits=4, candles=50, marks=200, trades=60, words=["trades,", "won, net"]),
    "script": dict(limits=4, candles=50, words=["<script>document.title", "<b>rules</b>", "halted (<img src=x", "mes-risk resume lifts that"]),
}


class Watch:
    """A mes-watch, and the address that it printed."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(["mes-watch", "-q", *arguments], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def end(self):
        self.process.terminate()
        if self.process.wait(10) != 0:
            sys.exit(f"mes-watch ended with {self.process.returncode}")


def until(browser, what, script, seconds=10):
    end = time.monotonic() + seconds
    while not browser.value(script):
        if time.monotonic() > end:
            sys.exit(f"not in {seconds} s: {what}: {browser.value('document.body.innerText')[:2000]}")
        time.sleep(0.02)


def show(browser, url, scheme, width):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 600)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call("Page.navigate", url="about:blank")
    until(browser, "nothing", "location.href === 'about:blank'")
    browser.events.clear()
    browser.call("Page.navigate", url=url)
    until(browser, url, 'typeof view !== "undefined" && view !== null && (!view.now || chart.piece !== null)')


def picture(browser, name, width):
    if os.environ.get("PAGES_SHOTS"):
        time.sleep(0.3)
        shot(browser, os.path.join(os.environ["PAGES_SHOTS"], f"watch-{name}.png"), width)


def wrong(browser, wants):
    seen = browser.value(LOOK)
    found = list(browser.errors())
    found += [f"wider than the window by {seen['wide']}"] if seen["wide"] > 0 else []
    found += [f"asked of others: {seen['out']}"] if seen["out"] else []
    found += ["the token stays in the address"] if seen["token"] else []
    found += ["a journal's text became markup"] if seen["alien"] else []
    found += [f"{seen['unnamed']} controls without a name"] if seen["unnamed"] else []
    found += [f"{seen['small']} buttons too small for a finger"] if seen["small"] else []
    found += [f"no {word!r}" for word in wants.get("words", []) if word not in seen["text"]]
    for name in ("limits", "candles", "marks", "trades"):
        if seen[name] < wants.get(name, 0):
            found.append(f"{seen[name]} {name}, wanted {wants[name]}")
    return found, seen


def key(browser, name, text=None):
    code = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Escape": 27, "Enter": 13, "Tab": 9}.get(name, 0)
    for kind in ("keyDown", "keyUp"):
        more = {"text": text} if text and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more)


def finished(browser, failed):
    """Days that are over."""
    for name, wants in DAYS.items():
        watch, backs = Watch(f"{name}.jsonl"), {}
        for scheme, width in VIEWS:
            show(browser, watch.url, scheme, width)
            found, seen = wrong(browser, wants)
            backs[scheme] = seen["back"]
            failed += [f"{name} {scheme} at {width}: {what}" for what in found]
            picture(browser, f"{name}-{width}-{scheme}", width)
        if backs["light"] == backs["dark"]:
            failed.append(f"{name}: dark is light")
        if name == "busy":
            failed += played(browser)
        watch.end()
        print(f"watch    {name}: light and dark, screen and phone")


def played(browser):
    """The slider, the zoom and the keys of a day that is played back."""
    found = []
    browser.value("document.getElementById('slider').focus()")
    key(browser, "Home")
    until(browser, "the first row", "view.row === 0 && chart.piece?.last === view.now.ts")
    if browser.value("view.trades.length || view.decisions.length > 2 || chart.piece?.marks.length"):
        found.append("busy: the first row knows of later ones")
    browser.value("document.getElementById('slider').value = 12000; document.getElementById('slider').dispatchEvent(new Event('input'))")
    until(browser, "row 12,000", "view.row === 12000 && chart.piece?.last === view.now.ts")
    browser.value("document.getElementById('chart').focus()")
    before = browser.value("chart.piece.step_s")
    for _ in range(8):
        key(browser, "+", "+")
    until(browser, "a finer piece", f"chart.piece.step_s < {before}")
    left = browser.value("chart.view.from")
    key(browser, "ArrowLeft")
    if browser.value("chart.view.from") >= left:
        found.append("busy: the chart does not move")
    picture(browser, "busy-zoomed", 390)
    key(browser, "0", "0")
    if browser.value("chart.view") is not None:
        found.append("busy: 0 does not show the whole day")
    key(browser, " ", " ")
    until(browser, "playing", "view.row > 12000")
    key(browser, " ", " ")
    return found + list(browser.errors())


def running(browser, failed):
    """A paper day at 30 times its speed, watched from before its first row, and halted."""
    watch = Watch("--run", "desk")
    show(browser, watch.url, "light", 390)
    until(browser, "waiting", "document.getElementById('said').textContent.startsWith('waits for desk/journal.jsonl')")
    line = """mkdir -p desk; mes-fetch live -q --replay ticks.parquet --speed 30 | mes-bars -q |
        mes-predict -q --rule random --seed 3 --rate 0.2 | mes-risk -q --run desk --rules busy.toml --costs owner |
        (trap '' INT TERM; exec tee desk/journal.jsonl) | mes-exec -q --run desk --rules busy.toml --costs owner > /dev/null"""
    subprocess.run("mes-fetch synth -q --sessions 1 --seed 5 --ticks --session rth --to parquet > ticks.parquet", shell=True, check=True)
    pipeline = subprocess.Popen(["bash", "-c", line], start_new_session=True)
    until(browser, "rows", "view.rows > 60", 30)
    failed += late(browser)
    until(browser, "a position", "view.now.side !== 'flat'", 60)
    failed += [f"running: {what}" for what in wrong(browser, dict(limits=4, words=["Halt", "no exchange is at the other end"]))[0]]
    picture(browser, "running-390-light", 390)
    if not browser.value("document.getElementById('flatten').disabled && document.getElementById('kill').disabled"):
        failed.append("running: flatten and kill of a paper account can be pressed")
    browser.value("document.activeElement.blur()")
    key(browser, "h", "h")
    until(browser, "the second question", "document.getElementById('question').open")
    picture(browser, "question-390-light", 390)
    key(browser, "Escape")
    time.sleep(0.3)
    if browser.value("view.actions.length"):
        failed.append("running: halted without an answer")
    key(browser, "h", "h")
    until(browser, "the second question", "document.getElementById('question').open")
    browser.value("document.getElementById('reason').value = '--run / <b>x</b>'; document.getElementById('yes').click()")
    until(browser, "flat, by the statement", "view.actions[0]?.done && document.body.innerText.includes('flat: the statement of')", 20)
    until(browser, "halted", "document.body.innerText.includes('halted (--run / <b>x</b>)')")
    failed += [f"halted: {what}" for what in wrong(browser, dict(limits=4))[0]]
    picture(browser, "stopped-390-light", 390)
    os.killpg(pipeline.pid, 15)
    pipeline.wait(20)
    watch.end()
    until(browser, "that mes-watch is gone", "document.getElementById('said').textContent.includes('does not answer')", 20)
    print("watch    a paper day: seen from its first row, halted by keyboard, flat by its statement")


def killed(browser, failed):
    """A day at mes-sim, over its wire: killed from the page, flat by the exchange's word."""
    script = os.path.join(os.environ["root"], "pipelines/practice.sh")
    pipeline = subprocess.Popen(["bash", script, "5"], env={**os.environ, "MES_RUN": "practice", "PORT": "0"}, start_new_session=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not os.path.exists("practice/journal.jsonl"):
            if time.monotonic() > end:
                sys.exit("no practice day begins")
            time.sleep(0.1)
        watch = Watch("--run", "practice")
        show(browser, watch.url, "dark", 1280)
        until(browser, "a position", "view.now && view.now.side !== 'flat'", 90)
        failed += [f"practice: {what}" for what in wrong(browser, dict(limits=4, words=["exercise", "Flatten", "Kill"]))[0]]
        picture(browser, "practice-1280-dark", 1280)
        key(browser, "k", "k")
        until(browser, "the second question", "document.getElementById('question').open")
        browser.value("document.getElementById('yes').click()")
        until(browser, "flat, by the exchange", "view.actions[0]?.done && view.actions[0].code === 0 && view.actions[0].lines.at(-1).startsWith('flat:')", 40)
        until(browser, "no position", "view.now.side === 'flat' && document.body.innerText.includes('mes-exec resume lifts that')", 20)
        picture(browser, "killed-1280-dark", 1280)
        watch.end()
    finally:
        os.killpg(pipeline.pid, 15)
        pipeline.wait(40)
    print("watch    a day of practice: killed by keyboard, flat by the exchange's word, and seen to be killed")


def late(browser):
    """How long after its line was in the journal a row is on the page, on one clock."""
    delays = []
    browser.value("window.seen = {}; window.shown = show; show = next => { shown(next); seen[next.now?.ts] ??= Date.now(); }; 0")
    with open("desk/journal.jsonl") as journal:
        journal.seek(0, 2)
        written, rest, end = {}, "", time.monotonic() + 4
        while time.monotonic() < end:
            rest += journal.read()
            *lines, rest = rest.split("\n")
            for line in lines:
                record = json.loads(line)
                if record["kind"] == "statement":
                    written[record["ts"]] = time.time() * 1000
            time.sleep(0.002)
    seen = browser.value("seen")
    for ts, at in written.items():
        stamp = int(time.mktime(time.strptime(ts[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000
        if str(stamp) in seen:
            delays.append(seen[str(stamp)] - at)
    delays.sort()
    if len(delays) < 10:
        return [f"running: only {len(delays)} rows were seen on the page"]
    worst = delays[-1]
    print(f"watch    journal to page: median {delays[len(delays) // 2]:.0f} ms, worst {worst:.0f} ms of {len(delays)} rows")
    return [f"running: {worst:.0f} ms from journal to page"] if worst > 250 and not os.environ.get("BUSY") else []


def main():
    browser, failed = Browser(), []
    browser.open()
    finished(browser, failed)
    running(browser, failed)
    killed(browser, failed)
    browser.close()
    for what in failed:
        print(f"watch {what}", file=sys.stderr)
    sys.exit(bool(failed))


main()
