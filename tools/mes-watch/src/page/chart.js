// The chart of a day: candles, where stop, target and entry lay, fills. Zooms by wheel, pinch, keys and buttons; asks for a
// finer piece of what it shows. `ask({from, to, points})` gives a piece, as /chart answers; `tell(text)` shows what is under
// the pointer.
"use strict";

class DayChart {
  constructor(canvas, ask, tell) {
    this.canvas = canvas;
    this.ask = ask;
    this.tell = tell;
    this.piece = null;
    this.view = null; // The whole day; else {from, to} in milliseconds.
    this.pointers = new Map();
    this.busy = false;
    this.again = false;
    this.listen();
  }

  listen() {
    const { canvas } = this;
    new ResizeObserver(() => this.refresh()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("wheel", event => {
      if (!event.deltaY || !this.piece) return;
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY / 400), this.time(event.offsetX));
    }, { passive: false });
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event.offsetX);
      canvas.classList.toggle("held", this.pointers.size > 1);
    });
    const gone = event => {
      this.pointers.delete(event.pointerId);
      canvas.classList.toggle("held", this.pointers.size > 1);
    };
    canvas.addEventListener("pointerup", gone);
    canvas.addEventListener("pointercancel", gone);
    canvas.addEventListener("pointermove", event => this.moved(event));
    canvas.addEventListener("dblclick", () => this.whole());
    canvas.addEventListener("keydown", event => {
      const acts = { "+": () => this.zoom(0.6), "=": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6), "0": () => this.whole(),
        ArrowLeft: () => this.move(-0.25), ArrowRight: () => this.move(0.25) };
      if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    });
  }

  moved(event) {
    if (!this.piece) return;
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return this.read(event.offsetX);
    if (this.pointers.size === 1) {
      this.pan(this.time(before) - this.time(event.offsetX));
    } else if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.abs(before - other), Math.abs(event.offsetX - other)];
      if (was > 8 && is > 8) this.zoom(was / is, this.time((event.offsetX + other) / 2));
    }
    this.pointers.set(event.pointerId, event.offsetX);
  }

  read(x) {
    const at = this.time(x);
    const candle = this.piece.candles.findLast(candle => candle[0] - this.piece.step_s * 1000 <= at);
    if (!candle) return;
    const [ts, open, high, low, close] = candle;
    const near = this.piece.marks.filter(mark => Math.abs(this.x(mark.ts) - x) < 8).map(DayChart.said);
    this.tell([`${this.clock(ts)}  open ${open.toFixed(2)} high ${high.toFixed(2)} low ${low.toFixed(2)} close ${close.toFixed(2)}`, ...near].join("; "));
  }

  static said(mark) {
    const what = `${mark.buy ? "bought" : "sold"} ${mark.contracts} at ${mark.price.toFixed(2)}`;
    return mark.exit ? `${what} (${mark.exit.replaceAll("_", " ")})` : what;
  }

  span() {
    return this.view ?? { from: this.piece.first, to: Math.max(this.piece.last, this.piece.first + 60000) };
  }

  zoom(times, around) {
    if (!this.piece) return;
    const { from, to } = this.span();
    const at = around ?? (from + to) / 2;
    const width = Math.max((to - from) * times, 20000);
    if (width >= this.piece.last - this.piece.first) return this.whole();
    const share = (at - from) / (to - from);
    this.set(at - width * share, width);
  }

  move(share) {
    if (this.piece && this.view) this.pan((this.view.to - this.view.from) * share);
  }

  pan(ms) {
    if (this.view) this.set(this.view.from + ms, this.view.to - this.view.from);
  }

  set(from, width) {
    const begin = Math.round(Math.min(Math.max(from, this.piece.first), Math.max(this.piece.last - width, this.piece.first)));
    this.view = { from: begin, to: begin + Math.round(width) };
    this.draw();
    this.refresh();
  }

  whole() {
    this.view = null;
    this.draw();
    this.refresh();
  }

  // Asks for what is to be shown; while an answer is awaited, once more after it.
  async refresh() {
    if (this.busy) {
      this.again = true;
      return;
    }
    if (!this.canvas.clientWidth) return;
    this.busy = true;
    const before = this.piece;
    const points = Math.max(40, Math.floor(this.canvas.clientWidth / 4));
    const piece = await this.ask({ ...(this.view ?? {}), points }).catch(() => undefined);
    if (piece !== undefined) {
      // Whoever looks at the end goes along with it.
      const along = this.view && before && piece && this.view.to >= before.last && piece.last > before.last;
      this.piece = piece;
      if (along) this.set(piece.last - (this.view.to - this.view.from), this.view.to - this.view.from);
      this.draw();
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      setTimeout(() => this.refresh(), 60);
    }
  }

  x(ts) {
    const { from, to } = this.span();
    return this.left + ((ts - from) / (to - from)) * (this.right - this.left);
  }

  time(x) {
    const { from, to } = this.span();
    return from + ((x - this.left) / (this.right - this.left)) * (to - from);
  }

  y(price) {
    return this.bottom - ((price - this.low) / (this.high - this.low)) * (this.bottom - this.top);
  }

  clock(ts, seconds = true) {
    return new Date(ts + this.piece.zone_ms).toISOString().slice(11, seconds ? 19 : 16);
  }

  draw() {
    const { canvas } = this;
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const colour = name => style.getPropertyValue(`--${name}`).trim();
    pen.font = "12px system-ui, sans-serif";
    [this.left, this.right, this.top, this.bottom] = [6, width - 62, 10, height - 22];
    if (!this.piece || !this.piece.candles.length) {
      pen.fillStyle = colour("soft");
      pen.fillText("No row yet.", 12, 24);
      return;
    }
    this.scale();
    this.axes(pen, colour);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, this.right + 4, this.bottom + 1);
    pen.clip();
    this.candles(pen, colour);
    this.levels(pen, colour);
    this.marks(pen, colour);
    pen.restore();
    this.tags(pen, colour);
  }

  scale() {
    const prices = this.piece.candles.flatMap(candle => [candle[2], candle[3]]).concat(this.piece.levels.map(level => level.price));
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const room = Math.max((high - low) * 0.06, this.piece.tick * 4);
    [this.low, this.high] = [low - room, high + room];
  }

  axes(pen, colour) {
    pen.strokeStyle = colour("grid");
    pen.fillStyle = colour("soft");
    pen.lineWidth = 1;
    const wanted = (this.high - this.low) / Math.max(2, (this.bottom - this.top) / 55);
    const step = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250].find(step => step >= wanted) ?? 500;
    for (let price = Math.ceil(this.low / step) * step; price < this.high; price += step) {
      const y = Math.round(this.y(price)) + 0.5;
      pen.beginPath();
      pen.moveTo(this.left, y);
      pen.lineTo(this.right, y);
      pen.stroke();
      pen.fillText(price.toFixed(2), this.right + 6, y + 4);
    }
    const { from, to } = this.span();
    const each = (to - from) / Math.max(2, (this.right - this.left) / 90);
    const gap = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].map(s => s * 1000).find(ms => ms >= each) ?? 28800000;
    pen.textAlign = "center";
    for (let ts = Math.ceil((from + this.piece.zone_ms) / gap) * gap - this.piece.zone_ms; ts <= to; ts += gap) {
      const x = Math.round(this.x(ts)) + 0.5;
      pen.beginPath();
      pen.moveTo(x, this.top);
      pen.lineTo(x, this.bottom);
      pen.stroke();
      if (x > 24 && x < this.right - 10) pen.fillText(this.clock(ts, gap < 60000), x, this.bottom + 16);
    }
    pen.textAlign = "start";
  }

  candles(pen, colour) {
    const step = this.piece.step_s * 1000;
    const body = Math.max(1, this.x(step) - this.x(0) - 1);
    const [up, down] = [colour("up"), colour("down")];
    for (const [ts, open, high, low, close] of this.piece.candles) {
      const x = this.x(ts - step / 2);
      const rises = close >= open;
      pen.strokeStyle = pen.fillStyle = rises ? up : down;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(x, this.y(high));
      pen.lineTo(x, this.y(low));
      pen.stroke();
      if (body < 3) continue;
      const [top, bottom] = [this.y(Math.max(open, close)), this.y(Math.min(open, close))];
      // Hollow where it rose: no colour is needed to tell.
      if (rises) {
        pen.fillStyle = colour("card");
        pen.fillRect(x - body / 2, top, body, Math.max(1, bottom - top));
        pen.strokeRect(x - body / 2, top, body, Math.max(1, bottom - top));
      } else {
        pen.fillRect(x - body / 2, top, body, Math.max(1, bottom - top));
      }
    }
  }

  levels(pen, colour) {
    const styles = { stop: ["loss", [7, 4]], target: ["gain", [2, 4]], entry: ["soft", []] };
    pen.lineWidth = 1.6;
    for (const { kind, from, to, price } of this.piece.levels) {
      pen.strokeStyle = colour(styles[kind][0]);
      pen.setLineDash(styles[kind][1]);
      pen.beginPath();
      pen.moveTo(this.x(from), this.y(price));
      pen.lineTo(Math.max(this.x(to), this.x(from) + 2), this.y(price));
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  marks(pen, colour) {
    // Hundreds of them are not to hide the price.
    const size = this.piece.marks.length * 8 > this.right - this.left ? 0.6 : 1;
    for (const mark of this.piece.marks) {
      const [x, y] = [this.x(mark.ts), this.y(mark.price)];
      pen.strokeStyle = colour("card");
      pen.lineWidth = 1.5;
      pen.beginPath();
      if (mark.exit) {
        pen.fillStyle = mark.net_cents === null ? colour("ink") : mark.net_cents > 0 ? colour("gain") : colour("loss");
        pen.rect(x - 4.5 * size, y - 4.5 * size, 9 * size, 9 * size);
      } else {
        const way = mark.buy ? 1 : -1;
        pen.fillStyle = colour("accent");
        pen.moveTo(x, y + way * 1);
        pen.lineTo(x - 6 * size, y + way * 12 * size);
        pen.lineTo(x + 6 * size, y + way * 12 * size);
        pen.closePath();
      }
      pen.fill();
      pen.stroke();
    }
  }

  // The last price, and where stop and target lie now, at the right edge.
  tags(pen, colour) {
    const last = this.piece.candles.at(-1);
    const now = this.piece.levels.filter(level => level.to >= this.piece.last && level.kind !== "entry");
    const tags = [["", last[4], "ink"], ...now.map(level => [level.kind[0].toUpperCase(), level.price, level.kind === "stop" ? "loss" : "gain"])];
    for (const [name, price, ink] of tags) {
      const y = this.y(price);
      if (y < this.top - 8 || y > this.bottom + 8) continue;
      const text = `${name} ${price.toFixed(2)}`.trim();
      pen.fillStyle = colour(ink);
      pen.fillRect(this.right + 1, y - 9, 61, 18);
      pen.fillStyle = colour("card");
      pen.fillText(text, this.right + 4, y + 4, 55);
    }
  }
}
