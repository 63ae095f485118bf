// What mes-watch shows. All text goes in by textContent; nothing is asked of any other server.
"use strict";

const by = id => document.getElementById(id);
let key = sessionStorage.getItem("key");
let view = null; // The last that was shown.
let heardAt = performance.now(); // When it came, and how old the journal was then.
let streamAt = performance.now();
let lost = "";
let inside = false; // The token was shown, or the session of before is good.
let row = null; // Of a day that is played back.
let playing = 0;

// Fetching ---------------------------------------------------------------------------------------------------------------

async function ask(path, body) {
  const options = body
    ? { method: "POST", headers: { "content-type": "application/json", "x-mes-key": key ?? "" }, body: JSON.stringify(body) }
    : { headers: { "x-mes-key": key ?? "" } };
  const answer = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401) throw new Error("shut");
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return answer;
}

async function enter() {
  const token = location.hash.slice(1);
  if (token) {
    // Neither history nor a shoulder needs it any more.
    history.replaceState(null, "", location.pathname);
    key = (await (await ask("/open", { token })).json()).key;
    sessionStorage.setItem("key", key);
  }
  if (!key) throw new Error("shut");
}

async function listen() {
  const answer = await ask("/changes");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    streamAt = performance.now();
    lost = "";
    // What came before the last is past.
    if (lines.length) show(JSON.parse(lines.at(-1)));
  }
}

async function begin() {
  try {
    await enter();
    const first = await (await ask("/view")).json();
    inside = true;
    show(first);
    if (first.replay) return replay(first);
    for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
      const began = performance.now();
      await listen().catch(error => {
        if (error.message === "shut") throw error;
      });
      if (performance.now() - began > 5000) wait = 250;
      lost = "mes-watch does not answer: what is shown is old";
      tick();
      await new Promise(resolve => setTimeout(resolve, wait));
    }
  } catch (error) {
    lost = error.message === "shut"
      ? "This page needs its token: open the whole address that mes-watch printed, as it stands after #."
      : `mes-watch does not answer (${error.message}): reload this page once it does.`;
    tick();
  }
}

// Showing ----------------------------------------------------------------------------------------------------------------

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

function put(id, text) {
  const element = by(id);
  if (element.textContent !== text) element.textContent = text;
}

// Fills a list, and leaves it alone where nothing changed: whoever reads or selects in it is not disturbed.
function fill(id, items, draw) {
  const element = by(id);
  const now = JSON.stringify(items);
  if (element.dataset.now === now) return;
  element.dataset.now = now;
  element.replaceChildren(...items.map(draw).flat());
}

function sign(money) {
  return money.cents > 0 ? "gain" : money.cents < 0 ? "loss" : "";
}

function signed(money) {
  return money.cents > 0 ? `▲ +${money.text}` : money.cents < 0 ? `▼ ${money.text.replace("-", "−")}` : money.text;
}

function show(next) {
  view = next;
  heardAt = performance.now();
  const { account, now } = next;
  put("account", account ? account.name : "mes-watch");
  by("kind").hidden = !account;
  if (account) {
    put("kind", account.kind);
    by("kind").classList.toggle("real", account.kind === "REAL");
    const days = account.days > 1 ? `, day ${account.days} of the journal` : "";
    put("what", `${account.contract}, rules ${account.rules}, ${account.money}; ${account.date || "no day yet"}${days}${next.replay ? "; replay" : next.ended ? "; the day has ended" : ""}`);
  }
  put("price", now?.price ?? "–");
  put("position", now?.position ?? "–");
  put("day", now ? signed(now.day) : "–");
  by("day").className = `big ${now ? sign(now.day) : ""}`;
  money(next);
  limits(next.limits);
  fill("stops", next.stops, stop => {
    const item = make("li");
    item.append(make("strong", "STOPPED ", "loss"), `${stop.why}; ${stop.lifted_by}`);
    return item;
  });
  fill("gates", next.gates, gate => {
    const item = make("li");
    item.append(make("strong", `${gate.name}: ${gate.state}`, "warn"), ` since ${gate.since}: ${gate.why}`);
    return item;
  });
  put("clear", next.now ? `${next.clear} other rules have nothing against an entry.` : "No row yet.");
  schedule(next);
  health(next);
  fill("decisions", next.decisions, line);
  fill("alerts", next.alerts.length ? next.alerts : [{ at: "none", word: "", text: "" }], line);
  trades(next);
  buttons(next);
  const title = now ? `${signed(now.day)} ${now.position} ${now.price}` : "mes-watch";
  if (document.title !== title) document.title = title;
  tick();
  chart.refresh();
}

function money({ now }) {
  const rows = !now ? [] : [
    ["position", now.position], ["entered at", now.entry ?? "–"], ["stop", now.stop ?? "–"], ["target", now.target ?? "–"],
    ["protected by", now.protection], ["today", signed(now.day)], ["of it realised", signed(now.realised)],
    ["of it open", signed(now.open)], ["equity", now.equity.text], ["balance", now.balance.text], ["bid / ask", now.quote ?? "not in the rows"],
  ];
  fill("money", rows, ([name, value]) => [make("dt", name), make("dd", value, value.startsWith("NO STOP") ? "loss" : "")]);
}

function limits(bars) {
  fill("limits", bars, bar => {
    const state = bar.share >= 1 ? "reached" : bar.share >= 0.75 ? "near" : "";
    const item = make("div", undefined, `limit ${state}`);
    item.id = `limit-${bar.rule}`;
    const text = make("div", undefined, "text");
    const word = { reached: "REACHED: ", near: "near: ", "": "" }[state];
    text.append(make("strong", bar.name), make("span", `${word}${bar.used} used, ${bar.left} left of ${bar.limit}`));
    const track = make("div", undefined, "track");
    const percent = Math.round(bar.share * 100);
    for (const [name, value] of [["role", "meter"], ["aria-label", bar.name], ["aria-valuemin", 0], ["aria-valuemax", 100], ["aria-valuenow", percent],
      ["aria-valuetext", `${bar.used} of ${bar.limit} used`]]) track.setAttribute(name, value);
    const inner = make("div", undefined, "fill");
    inner.style.width = `${percent}%`;
    track.append(inner);
    item.append(text, track, make("div", bar.lasts, "small"));
    return item;
  });
}

function line(note) {
  const item = make("li");
  const loud = note.word === "ALERT" || note.word === "STOP";
  item.append(make("time", note.at), make("span", note.word, loud ? "word loud" : "word"), make("span", note.text));
  return item;
}

function schedule(next) {
  let coming = next.schedule.findIndex(step => !step.past);
  fill("schedule", next.schedule.map((step, at) => [step, at === coming]), ([step, is]) => {
    const item = make("li", `${step.at}  ${step.what}`, step.past ? "past" : is ? "next" : "");
    if (step.past) item.append(make("span", " (past)"));
    if (is) item.append(make("span", " ← next"));
    return item;
  });
}

function health(next) {
  fill("health", next.health, one => [make("dt", one.name), make("dd", `${one.well ? "✓" : "✗"} ${one.text}`, one.well ? "" : "loss")]);
  fill("latencies", next.latencies.length ? next.latencies : [{ at: "", what: "none yet", text: "" }],
    one => make("li", `${one.at} ${one.what}${one.text ? `: ${one.text}` : ""}`));
}

function trades(next) {
  put("result", next.result.text);
  fill("trades", next.trades, trade => {
    const line = make("tr");
    const cells = [trade.entered, trade.exited, trade.side];
    line.append(...cells.map(text => make("td", text)), ...[String(trade.contracts), trade.entry, trade.exit].map(text => make("td", text, "n")),
      make("td", signed(trade.net), `n ${sign(trade.net)}`), make("td", trade.why));
    return line;
  });
}

// What passes without a change: the age of the journal, and the time until everything has to be flat.
function tick() {
  const silent = view && !view.replay && performance.now() - streamAt > 5000 ? "mes-watch does not answer: what is shown is old" : "";
  const said = lost || silent || view?.said || "";
  by("said").hidden = !said;
  put("said", said);
  if (!view) return;
  const since = view.heard_ms + performance.now() - heardAt;
  const runs = !view.replay && !view.ended && view.now;
  const age = runs ? `; the journal grew ${Math.round(since / 1000)} s ago` : "";
  put("fresh", view.now ? `as of ${view.now.at} New York, row ${view.row + 1} of ${view.rows}${age}` : "no row yet");
  by("fresh").classList.toggle("loss", Boolean(runs) && since > 10000);
  const left = view.flat_ms === null || !view.now ? null : view.flat_ms - view.now.ts - (runs ? since : 0);
  put("countdown", left === null ? "–" : left <= 0 ? "past" : new Date(left).toISOString().slice(11, 19));
}
setInterval(tick, 500);

// Stopping ---------------------------------------------------------------------------------------------------------------

function buttons(next) {
  by("acts").hidden = next.replay || !next.buttons.length;
  fill("buttons", next.buttons, button => {
    const made = make("button", `${button.act[0].toUpperCase()}${button.act.slice(1)} (${button.act[0]})`, "danger");
    made.type = "button";
    made.id = button.act;
    made.title = button.says;
    made.disabled = !button.works;
    made.addEventListener("click", () => question(button));
    return made;
  });
  const idle = next.buttons.find(button => !button.works);
  if (idle && !by("buttons").querySelector(".no")) by("buttons").append(make("span", `flatten, kill: ${idle.says}`, "no"));
  fill("actions", next.actions.toReversed(), action => {
    const item = make("li");
    const state = action.done ? (action.code === 0 ? "done" : "NOT DONE") : "under way";
    // The last word first, in sight on a small screen.
    const last = action.lines.at(-1);
    item.append(make("strong", `${action.act}: ${state}${last ? `: ${last}` : ""}`, action.done && action.code !== 0 ? "loss" : ""),
      make("pre", action.lines.slice(0, -1).join("\n")));
    return item;
  });
}

async function question(button) {
  const dialog = by("question");
  if (dialog.open || !button.works) return;
  put("asks", button.asks);
  put("yes", `Yes, ${button.act}`);
  by("why").hidden = button.act !== "halt";
  by("reason").value = "";
  dialog.returnValue = "no";
  dialog.showModal();
  by("no").focus();
  try {
    const { once } = await (await ask("/ask", { act: button.act })).json();
    if (dialog.open) await new Promise(resolve => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "yes") return;
    const done = await (await ask("/act", { once, reason: by("reason").value })).json();
    if (done.refused) throw new Error(done.refused);
  } catch (error) {
    dialog.close("no");
    by("said").hidden = false;
    lost = `${button.act}: NOT done: ${error.message}`;
    tick();
  }
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, dialog")) return;
  const button = view?.buttons.find(button => button.act[0] === event.key);
  if (button) question(button);
  if (event.key === " " && view?.replay && event.target.tagName !== "BUTTON") {
    event.preventDefault();
    by("play").click();
  }
});

// Playing back -----------------------------------------------------------------------------------------------------------

let seeking = false;
let wanted = null;

function replay(first) {
  by("replay").hidden = false;
  by("slider").max = Math.max(0, first.rows - 1);
  by("slider").value = first.row;
  slid(first);
  by("slider").addEventListener("input", () => seek(Number(by("slider").value)));
  by("play").addEventListener("click", () => {
    playing = playing ? clearInterval(playing) ?? 0 : setInterval(step, 100);
    put("play", playing ? "❚❚ pause" : "▶ play");
    if (playing && Number(by("slider").value) >= Number(by("slider").max)) seek(0);
  });
}

let part = 0;
function step() {
  part += Number(by("speed").value) / 10;
  const whole = Math.floor(part);
  part -= whole;
  const next = Math.min((wanted ?? view.row) + whole, view.rows - 1);
  if (whole) seek(next);
  if (next >= view.rows - 1) by("play").click();
}

async function seek(to) {
  wanted = to;
  if (seeking) return;
  seeking = true;
  while (wanted !== null) {
    row = wanted;
    try {
      const next = await (await ask(`/view?row=${row}`)).json();
      if (wanted === row) wanted = null;
      by("slider").value = next.row;
      slid(next);
      show(next);
    } catch (error) {
      wanted = null;
      lost = `mes-watch does not answer (${error.message})`;
      tick();
    }
  }
  seeking = false;
}

function slid(next) {
  put("slid", next.now ? `${next.now.at}, row ${next.row + 1} of ${next.rows}` : "no row");
}

const chart = new DayChart(by("chart"), async span => {
  if (!inside) return null;
  const query = Object.entries(span).map(([name, value]) => `${name}=${value}`);
  if (row !== null) query.push(`row=${row}`);
  return (await ask(`/chart?${query.join("&")}`)).json();
}, text => put("read", text));
for (const [id, act] of [["in", () => chart.zoom(0.6)], ["out", () => chart.zoom(1 / 0.6)], ["back", () => chart.move(-0.25)],
  ["forth", () => chart.move(0.25)], ["whole", () => chart.whole()]]) by(id).addEventListener("click", act);
begin();
