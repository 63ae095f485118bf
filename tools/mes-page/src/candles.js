// Candles with what was traded on them: from all days to the second, and to the trade that a table asks for.
for (const box of document.querySelectorAll(".candles")) {
  const data = JSON.parse(document.getElementById(box.dataset.from).textContent);
  const coarse = Prices.decode(data.coarse), fine = Prices.decode(data.fine), trades = data.trades;
  if (!coarse.count) continue;
  const axis = Prices.axis(Prices.stretches(coarse)), tick = data.tick;
  const LENGTHS = [1, 5, 15, 60, 300, 900, 3600, 14400, 86400].map(seconds => seconds * 1000);
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].map(seconds => seconds * 1000);
  const NARROWEST = Math.max(20 * data.fine.every, 20e3), RIGHT = 62, BELOW = 22;
  const make = (name, text) => Object.assign(document.createElement(name), { textContent: text ?? "" });
  const canvas = make("canvas"), bar = make("div"), read = make("span"), said = make("p");
  bar.className = "tools"; read.className = "read"; said.className = "caption said"; said.setAttribute("role", "status");
  const frame = make("div");
  frame.className = "frame"; frame.tabIndex = 0; frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", box.dataset.label + ". Arrow keys move, plus and minus zoom, n and p go from trade to trade.");
  frame.append(canvas);
  box.replaceChildren(bar, frame, said);

  // Where each instant stands, from the first to the last of what is seen; the trade that is shown.
  let [from, to] = [0, axis.whole], chosen = -1, width = 0, height = 0, level = 0, drawn = [], due = false;
  const clock = options => new Intl.DateTimeFormat("en-CA", { timeZone: "America/New_York", hourCycle: "h23", ...options });
  const day = clock({ year: "numeric", month: "2-digit", day: "2-digit" }), month = clock({ month: "short", day: "numeric" });
  const minute = clock({ hour: "2-digit", minute: "2-digit" });
  const second = clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const usd = cents => (cents > 0 ? "+" : cents < 0 ? "−" : "") + "$" + (Math.abs(cents) / 100).toFixed(2);
  const price = ticks => (ticks * tick).toFixed(2);

  const look = (one, other) => {
    const span = Math.min(Math.max(other - one, Math.min(NARROWEST, axis.whole)), axis.whole);
    const middle = (one + other) / 2;
    from = Math.min(Math.max(middle - span / 2, 0), axis.whole - span);
    to = from + span;
    if (!due) requestAnimationFrame(draw);
    due = true;
  };
  const zoom = (factor, share = 0.5) => {
    const at = from + (to - from) * share, span = Math.min(Math.max((to - from) * factor, NARROWEST), axis.whole);
    look(at - span * share, at + span * (1 - share));
  };
  const move = share => look(from + (to - from) * share, to + (to - from) * share);
  const around = time => axis.stretches.find(({ to }) => time <= to) ?? axis.stretches.at(-1);
  const whole = stretch => look(stretch.offset, stretch.offset + stretch.to - stretch.from);
  const today = () => whole(around(axis.time((from + to) / 2)));
  const beside = step => {
    const at = axis.stretches.indexOf(around(axis.time((from + to) / 2)));
    whole(axis.stretches[Math.min(Math.max(at + step, 0), axis.stretches.length - 1)]);
  };
  const words = at => {
    const { entered, exited, side, contracts, entry, exit, net, why, mae, mfe } = trades[at];
    return `Trade ${data.before + at + 1}: ${side > 0 ? "long" : "short"} ${contracts}, ${day.format(entered)} ${second.format(entered)} at ` +
      `${entry.toFixed(2)} to ${second.format(exited)} at ${exit.toFixed(2)}, ${why}, ${usd(net)}; against ${mae}, for ${mfe} ticks`;
  };
  const show = at => {
    if (!trades[at]) return;
    chosen = at;
    const { entered, exited } = trades[at], room = Math.max((exited - entered) * 0.6, 60e3);
    look(axis.place(entered) - room, axis.place(exited) + room);
    said.textContent = words(at);
    frame.scrollIntoView({ block: "nearest" });
  };
  const step = by => show(Math.min(Math.max(chosen < 0 ? (by > 0 ? 0 : trades.length - 1) : chosen + by, 0), trades.length - 1));
  document.addEventListener("show-trade", event => {
    show(event.detail - data.before);
    frame.focus({ preventScroll: true });
  });

  const x = time => (axis.place(time) - from) / (to - from) * (width - RIGHT);
  const pick = () => {
    const each = (to - from) / Math.max((width - RIGHT) / 5, 1);
    level = LENGTHS.find(length => length >= each && length >= data.fine.every) ?? LENGTHS.at(-1);
    const [one, other] = [axis.time(from) - level, axis.time(to) + level];
    if (level >= coarse.every) return Prices.candles(coarse, one, other, level);
    const seconds = Prices.candles(fine, one, other, level);
    if (data.fine.whole) return seconds;
    // Where rows were not kept, the coarse candles stand in.
    const known = end => {
      const at = Prices.after(fine.ends, end - coarse.every);
      return at < fine.count && fine.ends[at] <= end;
    };
    return [...seconds, ...Prices.candles(coarse, one, other, coarse.every, end => !known(end))].sort((a, b) => a.to - b.to);
  };

  const draw = () => {
    due = false;
    width = frame.clientWidth; height = frame.clientHeight;
    if (!width) return;
    const ratio = devicePixelRatio || 1, style = getComputedStyle(box), ink = name => style.getPropertyValue("--" + name).trim();
    canvas.width = width * ratio; canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px " + style.fontFamily;
    drawn = pick();
    const seen = trades.map((trade, at) => [trade, at]).filter(([{ entered, exited }]) =>
      axis.place(exited) >= from && axis.place(entered) <= to);
    const near = to - from < 6 * 3600e3 && seen.length <= 60;
    let low = Number.MAX_VALUE, high = -low, most = 1;
    const take = ticks => { low = Math.min(low, ticks); high = Math.max(high, ticks); };
    // One more at each edge is drawn and cut off.
    for (const candle of drawn) if (axis.place(candle.to) > from && axis.place(candle.from) < to) {
      take(candle.low); take(candle.high); most = Math.max(most, candle.volume);
    }
    if (chosen >= 0 && seen.some(([, at]) => at === chosen)) {
      const { stops, target } = trades[chosen];
      stops.forEach(([, stop]) => take(stop));
      if (target !== null) take(target);
    }
    if (low > high) [low, high] = [0, 1];
    const floor = height - BELOW, air = Math.max((high - low) * 0.06, 2);
    low -= air; high += air;
    const y = ticks => 4 + (high - ticks) / (high - low) * (floor - 4) * 0.84;
    const line = (a, b, c, d) => { pen.beginPath(); pen.moveTo(a, b); pen.lineTo(c, d); pen.stroke(); };

    // Grid and scales.
    pen.lineWidth = 1; pen.strokeStyle = ink("grid"); pen.fillStyle = ink("soft"); pen.textBaseline = "middle";
    const wanted = (high - low) * tick / 6, power = 10 ** Math.floor(Math.log10(wanted));
    const every = Math.max([1, 2, 2.5, 5, 10].find(part => part * power >= wanted) * power, tick);
    for (let value = Math.ceil(low * tick / every) * every; value < high * tick; value += every) {
      const at = Math.round(y(value / tick)) + 0.5;
      line(0, at, width - RIGHT, at);
      pen.fillText(value.toFixed(2), width - RIGHT + 6, at);
    }
    pen.textAlign = "center"; pen.textBaseline = "alphabetic";
    const span = to - from, step = STEPS.find(step => step >= span / Math.max((width - RIGHT) / 90, 2));
    let last = -90;
    const mark = (at, text) => {
      if (at < last + 80 || at > width - RIGHT - 20) return;
      line(at, 0, at, floor); pen.fillText(text, Math.max(at, 22), height - 6);
      last = at;
    };
    for (const stretch of axis.stretches) {
      const offset = stretch.offset - from;
      if (offset > span || offset + stretch.to - stretch.from <= 0) continue;
      // Over many days each is named where it begins; within one the clock goes by round times.
      if (!step) { mark(Math.max(offset, 0) / span * (width - RIGHT), month.format(stretch.from)); continue; }
      if (offset > 0) mark(offset / span * (width - RIGHT), month.format(stretch.from));
      const begin = Math.ceil(Math.max(axis.time(from), stretch.from) / step) * step;
      for (let time = begin; time <= stretch.to && x(time) <= width - RIGHT; time += step) mark(x(time), (step < 60e3 ? second : minute).format(time));
    }
    pen.strokeStyle = ink("line");
    for (const { offset } of axis.stretches) {
      const at = (offset - from) / span * (width - RIGHT);
      if (at > 0 && at < width - RIGHT && axis.stretches.length < 60 + width / 4) line(at, 0, at, floor);
    }

    pen.save();
    pen.beginPath(); pen.rect(0, 0, width - RIGHT, floor); pen.clip();
    for (const candle of drawn) {
      const [left, right] = [x(candle.from), x(candle.to)], rises = candle.close >= candle.open;
      const wide = Math.max((right - left) * 0.7, 1), middle = (left + right) / 2;
      pen.fillStyle = pen.strokeStyle = ink(rises ? "gain" : "loss");
      pen.globalAlpha = 0.22;
      const tall = candle.volume / most * (floor - 4) * 0.14;
      pen.fillRect(middle - wide / 2, floor - tall, wide, tall);
      pen.globalAlpha = 1;
      line(middle, y(candle.high), middle, y(candle.low));
      const [top, bottom] = [y(Math.max(candle.open, candle.close)), y(Math.min(candle.open, candle.close))];
      pen.fillRect(middle - wide / 2, top, wide, Math.max(bottom - top, 1));
    }
    // Trades: where they began and ended, and what would have ended them.
    for (const [trade, at] of seen) {
      const [a, b] = [x(trade.entered), x(trade.exited)], [c, d] = [y(trade.entry / tick), y(trade.exit / tick)];
      const won = ink(trade.net > 0 ? "gain" : trade.net < 0 ? "loss" : "soft");
      if (near || at === chosen) {
        pen.setLineDash([5, 3]); pen.strokeStyle = ink("loss"); pen.lineWidth = at === chosen ? 1.6 : 1;
        trade.stops.forEach(([time, stop], index) => line(x(time), y(stop), x(trade.stops[index + 1]?.[0] ?? trade.exited), y(stop)));
        pen.strokeStyle = ink("gain");
        if (trade.target !== null) line(a, y(trade.target), b, y(trade.target));
        pen.setLineDash([]);
      }
      pen.strokeStyle = ink("ink"); pen.lineWidth = at === chosen ? 2.4 : 1.2;
      line(a, c, b, d);
      const size = at === chosen ? 8 : 6, up = trade.side > 0 ? 1 : -1;
      pen.fillStyle = ink("blue"); pen.strokeStyle = ink("card"); pen.lineWidth = 1.5;
      pen.beginPath(); pen.moveTo(a, c); pen.lineTo(a - size, c + up * size * 1.7); pen.lineTo(a + size, c + up * size * 1.7); pen.closePath();
      pen.fill(); pen.stroke();
      pen.fillStyle = won;
      pen.beginPath(); pen.rect(b - size * 0.7, d - size * 0.7, size * 1.4, size * 1.4); pen.fill(); pen.stroke();
    }
    pen.restore();
    const name = level < 60e3 ? level / 1000 + " s" : level < 3600e3 ? level / 60e3 + " min" : level / 3600e3 + " h";
    Object.assign(box.dataset, { start: Math.round(axis.time(from)), end: Math.round(axis.time(to)), level, chosen });
    title.textContent = `${day.format(axis.time(from))} ${minute.format(axis.time(from))} to ` +
      `${day.format(axis.time(from)) === day.format(axis.time(to)) ? "" : day.format(axis.time(to)) + " "}${minute.format(axis.time(to))} · ${name}`;
  };

  const buttons = [["−", "zoom out", () => zoom(2)], ["+", "zoom in", () => zoom(0.5)], ["‹", "earlier", () => move(-0.5)],
    ["›", "later", () => move(0.5)], ["day", "the whole day", today], ["all", "all days", () => look(0, axis.whole)]];
  if (axis.stretches.length > 1) buttons.push(["‹ day", "the day before", () => beside(-1)], ["day ›", "the day after", () => beside(1)]);
  if (trades.length) buttons.push(["‹ trade", "the trade before", () => step(-1)], ["trade ›", "the trade after", () => step(1)]);
  for (const [text, name, act] of buttons) {
    const button = make("button", text);
    button.title = button.ariaLabel = name;
    button.addEventListener("click", act);
    bar.append(button);
  }
  const title = make("span");
  title.className = "caption";
  bar.append(title);

  const share = event => (event.clientX - frame.getBoundingClientRect().left) / Math.max(width - RIGHT, 1);
  const keys = { ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    Home: () => whole(axis.stretches[0]), End: () => whole(axis.stretches.at(-1)), n: () => step(1), p: () => step(-1), Escape: today };
  frame.addEventListener("keydown", event => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  frame.addEventListener("wheel", event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, share(event));
  }, { passive: false });
  frame.addEventListener("dblclick", event => zoom(event.shiftKey ? 3 : 1 / 3, share(event)));

  // One finger or the mouse moves, two fingers zoom.
  const down = new Map();
  const tell = event => {
    const time = axis.time(from + (to - from) * share(event)), found = drawn.find(candle => candle.to >= time);
    if (!found || share(event) < 0 || share(event) > 1) return read.remove();
    read.textContent = `${day.format(found.to)} ${second.format(found.to)}  O ${price(found.open)} H ${price(found.high)} ` +
      `L ${price(found.low)} C ${price(found.close)}  V ${found.volume}`;
    frame.append(read);
  };
  frame.addEventListener("pointerdown", event => {
    down.set(event.pointerId, event.clientX);
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", event => {
    const before = down.get(event.pointerId);
    if (before === undefined) return tell(event);
    const others = [...down].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (others.length) {
      const [was, is] = [Math.abs(before - others[0]), Math.abs(event.clientX - others[0])];
      if (was > 10 && is > 10) zoom(was / is);
    } else move((before - event.clientX) / Math.max(width - RIGHT, 1));
    down.set(event.pointerId, event.clientX);
  });
  for (const kind of ["pointerup", "pointercancel"]) frame.addEventListener(kind, event => down.delete(event.pointerId));
  frame.addEventListener("pointerleave", () => read.remove());

  new ResizeObserver(() => look(from, to)).observe(frame);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => look(from, to));
  whole(around(trades.length ? trades.at(-1).entered : axis.time(axis.whole)));
}
