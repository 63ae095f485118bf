#!/usr/bin/env python3
"""Opens pages in headless Chromium, light and dark, on a screen and on a phone, and fails at what a reader would see.

    python3 tests/oracle/browser.py PAGE.html=SELECTOR,SELECTOR …

Nothing may be fetched, no error be on the console, no page be wider than its window, no axis label leave its card, no
two labels overlap; each selector finds something; charts answer the pointer, and zoom where they are long; candles show what
they are asked for, by pointer and by keys; tables go in order. Chromium is
spoken to by the DevTools protocol over a pipe, so nothing but Python and Chromium is needed. PAGES_SHOTS=DIR keeps a
picture of each view.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile

VIEWS = [(scheme, width) for width in (1280, 390) for scheme in ("light", "dark")]

# What there is to see; chart is the first that reads out, long the first that zooms.
LOOK = """(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const left = element => element.getBoundingClientRect().left;
  const shown = chart => [...chart.querySelectorAll("text")].filter(text => text.getClientRects().length)
    .map(text => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
  // Letters have air around them in their box, so a pixel or two in common is no overlap.
  const apart = (a, b) => a.right < b.left + 2 || b.right < a.left + 2 || a.bottom < b.top + 4 || b.bottom < a.top + 4;
  const pairs = texts => texts.flatMap(([one, a], at) => texts.slice(at + 1).filter(([, b]) => !apart(a, b))
    .map(([other]) => `${one} / ${other}`));
  const out = all(".chart .scale text").filter(text => text.getClientRects().length && left(text) < left(text.closest("section")));
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    fetched: performance.getEntriesByType("resource").length,
    back: getComputedStyle(document.body).backgroundColor,
    overlaps: all(".chart").flatMap(chart => pairs(shown(chart))),
    labels: out.map(text => text.textContent),
    found: Object.fromEntries(SELECTORS.map(selector => [selector, all(selector).length])),
    reads: all("[data-tips]").length,
    long: all(".zoom").length,
  };
})()"""
# Brings the first element of a selector into sight; says where its middle is.
SHOW = """(() => {
  const element = document.querySelector(SELECTOR);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const box = element.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2, box.width];
})()"""
COVERED = """(() => [...document.querySelectorAll(".zoom")].some(zoom => {
  const plot = zoom.parentElement.querySelector(".below").getBoundingClientRect();
  return zoom.getBoundingClientRect().top < plot.bottom - 1;
}))()"""


class Browser:
    """Chromium at the other end of two pipes; messages are JSON and end with a zero byte."""

    def __init__(self):
        (read, self.out), (self.back, write) = os.pipe(), os.pipe()
        self.folder = tempfile.mkdtemp()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--hide-scrollbars", f"--user-data-dir={self.folder}", "--remote-debugging-pipe", "about:blank"]
        # The browser wants the pipes as descriptors 3 and 4.
        script = f'exec 8<&{read} 9>&{write}; exec chromium "$@" 3<&8 4>&9 8<&- 9>&-'
        self.process = subprocess.Popen(["bash", "-c", script, "chromium", *flags], pass_fds=(read, write),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read)
        os.close(write)
        self.ids, self.buffer, self.events, self.session = itertools.count(1), b"", [], None

    def message(self):
        while b"\0" not in self.buffer:
            part = os.read(self.back, 1 << 20)
            if not part:
                sys.exit("chromium ended")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        request = {"id": next(self.ids), "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.out, json.dumps(request).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == request["id"]:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message())

    def open(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def value(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            sys.exit(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def errors(self):
        """What scripts threw, and what the console and the browser complain of."""
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                yield params["exceptionDetails"]["text"]
            if event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                yield str(params["args"])
            if event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                yield params["entry"]["text"]

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def show(browser, selector):
    return browser.value(SHOW.replace("SELECTOR", json.dumps(selector)))


def use(browser):
    """Moves the pointer over the first chart that reads out, and clicks the first that zooms."""
    x, y, _ = show(browser, "[data-tips] .plot")
    browser.mouse("mouseMoved", x, y)
    if not browser.value('document.querySelector(".read")?.textContent ?? ""'):
        return "the pointer reads nothing"
    if not browser.value('document.querySelectorAll(".zoom").length'):
        return None
    if browser.value(COVERED):
        return "buttons cover a chart"
    width = 'document.querySelector(".zoom").parentElement.querySelector(".inner").clientWidth'
    before = browser.value(width)
    x, y, _ = show(browser, ".zoom button")
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, x, y, button="left", clickCount=1)
    return None if browser.value(width) > before else "no zoom"


CANDLES = '[...document.querySelectorAll(".candles")].map(({ dataset: { start, end, level, chosen } }) => [+start, +end, +level, +chosen])[0]'
ROW = 'table.sortable[data-jumps] tbody tr:nth-child(2) td'
# What a column shows, top to bottom, and how it is said to be in order.
ORDER = """(() => {
  const head = [...document.querySelectorAll("table.sortable th")].find(head => head.classList.contains("n"));
  const values = [...head.closest("table").tBodies[0].rows].map(row => +row.cells[head.cellIndex].dataset.by);
  return [head.getAttribute("aria-sort"), values];
})()"""


def click(browser, selector):
    x, y, _ = show(browser, selector)
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, x, y, button="left", clickCount=1)


def key(browser, name, text=None):
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=name, **({"text": text} if text else {}))
    browser.call("Input.dispatchKeyEvent", type="keyUp", key=name)


def candles(browser):
    """The view of the candles, once they were drawn again."""
    wait = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    browser.call("Runtime.evaluate", expression=wait, awaitPromise=True)
    return browser.value(CANDLES)


def prices(browser):
    """Zooms, moves, and goes to a trade, by pointer and by keys."""
    if not browser.value('document.querySelectorAll(".candles canvas").length'):
        return
    start, end, level, _ = candles(browser)
    click(browser, ".candles [title='zoom in']")
    inner = candles(browser)
    if not inner[1] - inner[0] < end - start:
        yield f"candles do not zoom: {[start, end]} to {inner}"
    frame = show(browser, ".candles .frame")
    click(browser, ".candles .frame")
    browser.value('document.querySelector(".candles .frame").focus()')
    before = candles(browser)
    key(browser, "ArrowLeft")
    after = candles(browser)
    if after[0] >= before[0] and before[0] > start:
        yield f"an arrow moves nothing: {before} to {after}"
    browser.mouse("mouseMoved", frame[0] - 20, frame[1])
    if not browser.value('document.querySelector(".candles .read")?.textContent ?? ""'):
        yield "the pointer reads no candle"
    if not browser.value(f"document.querySelectorAll({json.dumps(ROW)}).length"):
        return
    click(browser, ROW)
    went = candles(browser)
    entered = browser.value(f'+document.querySelector({json.dumps(ROW)}).dataset.by')
    if not (went[0] <= entered <= went[1] and went[3] >= 0 and went[2] < 60_000):
        yield f"a click on a trade of {entered} shows {went}"
    key(browser, "n", "n")
    key(browser, "p", "p")
    if candles(browser)[3] != went[3] and went[3] > 0:
        yield "n and p do not lead back"


def order(browser):
    """Puts a table in order both ways, the second by keys."""
    if not browser.value('document.querySelectorAll("table.sortable th.n button").length'):
        return
    click(browser, "table.sortable th.n button")
    said, values = browser.value(ORDER)
    if said != "descending" or values != sorted(values, reverse=True):
        yield f"not in order: {said} {values[:5]}"
    browser.value('document.querySelector("table.sortable th.n button").focus()')
    key(browser, "Enter", "\r")
    said, values = browser.value(ORDER)
    if said != "ascending" or values != sorted(values):
        yield f"not in order by keys: {said} {values[:5]}"
    if browser.value('document.querySelectorAll(".choose select").length'):
        script = '''(() => { const select = [...document.querySelectorAll(".choose select")].at(-1);
            select.selectedIndex = 1; select.dispatchEvent(new Event("change"));
            const rows = [...select.closest("section").querySelectorAll("tbody tr")];
            return [rows.filter(row => !row.hidden).length, rows.filter(row => row.textContent.includes(select.value) && !row.hidden).length]; })()'''
        shown, fitting = browser.value(script)
        if not shown or shown != fitting:
            yield f"{shown} rows chosen, {fitting} of them fit"


def shot(browser, path, width):
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
    data = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
    with open(path, "wb") as file:
        file.write(base64.b64decode(data))


def view(browser, page, selectors, scheme, width):
    """Returns what is wrong with a page in one view, and its background."""
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 600)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    browser.call("Page.navigate", url=f"file://{os.path.abspath(page)}")
    browser.wait("Page.loadEventFired")
    seen = browser.value(LOOK.replace("SELECTORS", json.dumps(selectors)))
    wrong = list(browser.errors())
    wrong += [f"wider than the window by {seen['wide']}"] if seen["wide"] > 0 else []
    wrong += ["something was fetched"] if seen["fetched"] else []
    wrong += [f"labels outside of their card: {seen['labels']}"] if seen["labels"] else []
    wrong += [f"labels over each other: {seen['overlaps']}"] if seen["overlaps"] else []
    wrong += [f"no {selector}" for selector, count in seen["found"].items() if not count]
    if os.environ.get("PAGES_SHOTS"):
        name = page.removesuffix(".html").replace("/", "-")
        shot(browser, os.path.join(os.environ["PAGES_SHOTS"], f"{name}-{width}-{scheme}.png"), width)
    if seen["reads"]:
        said = use(browser)
        wrong += [said] if said else []
    wrong += [*prices(browser), *order(browser), *browser.errors()]
    return wrong, seen["back"]


def main(pages):
    browser = Browser()
    browser.open()
    failed = False
    for page, selectors in (argument.split("=", 1) for argument in pages):
        backs = {}
        for scheme, width in VIEWS:
            wrong, backs[scheme] = view(browser, page, selectors.split(","), scheme, width)
            for what in wrong:
                failed = True
                print(f"page {page} {scheme} at {width}: {what}", file=sys.stderr)
        if backs["light"] == backs["dark"]:
            failed = True
            print(f"page {page}: dark is light", file=sys.stderr)
        print(f"page     {page:<24} {os.path.getsize(page)} bytes, light and dark, screen and phone")
    browser.close()
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
