"use strict";
// Asks central for numbers when it says that they changed, and draws them. Draws only what the rule for small counts lets through:
// central has already left the rest out. Figures, days and hours come as they are to be written: this machine's clock and time zone
// decide nothing about them.

const TEXTS = {
  "zh-CN": {
    other: "English", skip: "跳到评分", live: "实时", example: "示例数据：以下评价由程序生成，不是患者的评价", lost: "与服务器的连接断开，显示的是最后收到的数据", updated: "更新于",
    scores: "各触点评分", period: "时间范围", filter: "计入哪些评价", today: "今天", "7d": "7 天", "28d": "28 天", "91d": "91 天", all: "全部",
    since: "{from} 至 {to}（{zone}）", allTime: "全部时间（{zone}）", closed: "已停用",
    filtered: "不含可疑", raw: "全部评价", terminals: "终端", incidents: "数据异常", n: "评价数", interval: "95% 区间",
    hidden: "少于 {k} 份，不显示", complement: "为保护另一组的少数评价，不显示", count_only: "{n} 份，太少，暂不评分", no_answers: "还没有评价",
    reasons: "原因", people: "{n} 人", asked: "{n} 人回答", askedFew: "回答的人少于 {k} 位", r_hidden: "少于 {k} 人", r_complement: "为保护他人不显示", r_none: "还没有人选择原因", moreHidden: "另有 {n} 项少于 {k} 人，不显示",
    hours: "最近 24 小时", noHours: "最近 24 小时没有评价", hour: "{h} 时", queue: "待上传", seen: "最近联系",
    tested: "按键自检 {ago}（{n} 个）", testedOf: "按键自检 {ago}（{of} 个中的 {n} 个）", untested: "按键未自检", never: "从未", ok: "正常", stale: "失联", revoked: "已吊销", held: "已收", complete: "完整", incomplete: "未收全", noTerminals: "还没有终端。用 xinsheng-central enrol --touchpoint … 生成注册码。",
    download: "下载：", scoresCsv: "评分 CSV", reasonsCsv: "原因 CSV", answersCsv: "近 28 天逐条评价 CSV",
    legend: "圆点是得分，横条是 95% 置信区间；斜线表示评价不足 30 份，少于 10 份只显示数量，少于 {k} 份不显示（小圆点），为保护少数而不显示的是小方块。区间重叠的触点不宜排名。",
    csat: "满意率", ces: "轻松率", ces_mean: "费力度均值", nps: "净推荐值", fft_positive: "好评率", fft_negative: "差评率", index: "体验指数",
    positive: "笑脸占比", good_rate: "好评率（3–5 级）", yes: "回答“是”", clone: "两台机器写同一日志，或存储卡被还原", lost_entries: "存储损坏，可能丢失记录", quarantine: "有记录未能计入", config_refused: "配置有误，未生效", restart_needed: "需重启才能生效", site_missing: "配置缺少已有终端的院区",
    help: "有人需要帮助", rings: "{place}有人呼叫帮助，{lang}", waits: "已等待 {span}", speaks: "语言：{lang}", again: "呼叫 {n} 次", answer: "已有人前往", note: "已知悉",
    calls: "之前的求助", lateCall: "送达过晚", notedCall: "送达过晚，已知悉", answeredCall: "{span}后有人前往", calledAt: "{time} 呼叫，{span}前", calledUnknown: "呼叫时间不明，{time} 送达",
    moment: "不到 1 分钟", spanMin: "{n} 分钟", spanHr: "{n} 小时", spanDay: "{n} 天",
    times: "{n} 次", now: "刚刚", min: "{n} 分钟前", hr: "{n} 小时前", day: "{n} 天前", site: "患者体验",
  },
  en: {
    other: "中文", skip: "Skip to the scores", live: "live", example: "Example data: a program made these answers; no patient gave them", lost: "no connection to the server; these are the last numbers received", updated: "updated",
    scores: "Scores by touchpoint", period: "Period", filter: "Which answers count", today: "Today", "7d": "7 days", "28d": "28 days", "91d": "91 days", all: "All",
    since: "{from} to {to} ({zone})", allTime: "All time ({zone})", closed: "closed",
    filtered: "Without doubtful", raw: "All answers", terminals: "Terminals", incidents: "Incidents", n: "Answers", interval: "95% interval",
    hidden: "fewer than {k} answers: not shown", complement: "not shown, to protect a small group elsewhere", count_only: "{n} answers: too few for a score", no_answers: "no answers yet",
    reasons: "Reasons", people: "{n}", asked: "{n} answered", askedFew: "fewer than {k} answered", r_hidden: "fewer than {k}", r_complement: "hidden to protect others", r_none: "nobody has chosen a reason yet", moreHidden: "{n} more with fewer than {k} each: not shown",
    hours: "Last 24 hours", noHours: "No answers in the last 24 hours", hour: "{h}:00", queue: "waiting", seen: "last seen",
    tested: "buttons tested {ago} ({n})", testedOf: "buttons tested {ago} ({n} of {of})", untested: "buttons not tested yet", never: "never", ok: "fine", stale: "not heard of", revoked: "revoked", held: "received", complete: "complete", incomplete: "not all yet", noTerminals: "No terminals yet. Make a code with xinsheng-central enrol --touchpoint …",
    download: "Download:", scoresCsv: "scores CSV", reasonsCsv: "reasons CSV", answersCsv: "single answers of 28 days CSV",
    legend: "The dot is the score, the bar its 95% interval; hatched means fewer than 30 answers, below 10 only their number is shown, below {k} nothing (a small dot); a small square is hidden to protect a small group. Touchpoints whose intervals overlap should not be ranked.",
    csat: "satisfied", ces: "found it easy", ces_mean: "mean ease", nps: "NPS", fft_positive: "positive", fft_negative: "negative", index: "experience index",
    positive: "smiling faces", good_rate: "good rating (levels 3–5)", yes: "said yes", clone: "Two machines write one journal, or a card was restored", lost_entries: "Storage was damaged; entries may be lost", quarantine: "Entries are kept and not counted", config_refused: "The changed configuration is refused", restart_needed: "Central must be restarted", site_missing: "A site of enrolled terminals is missing in the configuration",
    help: "Help needed", rings: "Help needed: {place}, {lang}", waits: "waiting {span}", speaks: "speaks {lang}", again: "called {n} times", answer: "Somebody is going", note: "Noted",
    calls: "Earlier calls for help", lateCall: "came too late", notedCall: "came too late, noted", answeredCall: "answered after {span}", calledAt: "called {time}, {span} ago", calledUnknown: "time of call unknown, came {time}",
    moment: "less than a minute", spanMin: "{n} min", spanHr: "{n} h", spanDay: "{n} days",
    times: "{n} times", now: "just now", min: "{n} min ago", hr: "{n} h ago", day: "{n} days ago", site: "Patient experience",
  },
};
const PERIODS = ["today", "7d", "28d", "91d", "all"];
const REASONS_SHOWN = 4;
const EARLIER_MAX = 20;
const state = { lang: "en", period: "all", filter: "filtered", scores: null, hours: null, reasons: null, terminals: null, chains: [], incidents: [], calls: [], callsAt: 0, rung: new Set(), seen: new Map(), lost: false };

const $ = (selector, root = document) => root.querySelector(selector);
const t = (key, values = {}) => (TEXTS[state.lang][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
const name = (texts) => texts[state.lang] ?? Object.entries(texts).find(([l]) => l.split("-")[0] === state.lang.split("-")[0])?.[1] ?? Object.values(texts)[0] ?? "";

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "line", "circle", "text", "title", "defs", "pattern"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Names may be in any script, whatever the page is in.
const words = (tag, attributes, text) => make(tag, { dir: "auto", ...attributes }, text);
const flat = (text) => text.replace(/\s*\n\s*/g, /[\u3000-\u9fff\uff00-\uffef]/.test(text) ? "" : " ");

function ago(text) {
  if (!text) return t("never");
  const minutes = Math.floor((Date.now() - Date.parse(text)) / 60e3);
  if (minutes < 1) return t("now");
  if (minutes < 60) return t("min", { n: minutes });
  if (minutes < 48 * 60) return t("hr", { n: Math.floor(minutes / 60) });
  return t("day", { n: Math.floor(minutes / 1440) });
}

function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return t("moment");
  if (minutes < 60) return t("spanMin", { n: minutes });
  if (minutes < 48 * 60) return t("spanHr", { n: Math.floor(minutes / 60) });
  return t("spanDay", { n: Math.floor(minutes / 1440) });
}

function clock(text) {
  const at = new Date(text), today = new Date().toDateString() === at.toDateString();
  const day = today ? {} : { month: "numeric", day: "numeric" };
  return new Intl.DateTimeFormat(state.lang, { ...day, hour: "numeric", minute: "2-digit" }).format(at);
}

// Which language somebody speaks: its name without the region.
function tongue(lang) {
  try {
    return new Intl.DisplayNames([state.lang], { type: "language" }).of(lang.split("-")[0]);
  } catch {
    return lang;
  }
}

function less(row) {
  return t(row.suppressed, { n: row.written.n, k: state.scores.hide_below });
}

// ---- drawings ----

function hatch() {
  return make("defs", {}, make("pattern", { id: "hatch", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    make("rect", { width: 8, height: 8, class: "hatch-ground" }), make("line", { x1: 0, y1: 0, x2: 0, y2: 8, class: "hatch-line" })));
}

function whisker(row) {
  const width = 320, pad = 10, x = (value) => pad + ((value - row.min) / (row.max - row.min)) * (width - 2 * pad);
  const label = `${t(row.score)} ${row.written.value}${row.unit}, ${t("interval")} ${row.written.low} – ${row.written.high}`;
  const svg = make("svg", { viewBox: `0 0 ${width} 46`, role: "img", "aria-label": label });
  svg.append(make("line", { x1: pad, x2: width - pad, y1: 15, y2: 15, class: "track" }));
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const at = pad + part * (width - 2 * pad);
    svg.append(make("line", { x1: at, x2: at, y1: 10, y2: 20, class: "tick" }));
  }
  const from = x(row.low), to = x(row.high);
  svg.append(make("rect", { x: from, y: 7, width: Math.max(to - from, 3), height: 16, rx: 5, class: row.display === "hatched" ? "band hatched" : "band" }));
  svg.append(make("circle", { cx: x(row.value), cy: 15, r: 7, class: "dot" }));
  const middle = (row.min + row.max) / 2;
  svg.append(make("text", { x: pad, y: 43, class: "axis" }, String(row.min)), make("text", { x: width / 2, y: 43, class: "axis middle" }, String(middle)),
    make("text", { x: width - pad, y: 43, class: "axis end" }, String(row.max)));
  return svg;
}

function hourStrip(rows, slots) {
  const box = make("div", { class: "hours" });
  const cells = new Map(rows.map((row) => [row.start, row]));
  if (cells.size === 0) {
    box.append(make("p", {}, t("noHours")));
    return box;
  }
  const width = 320, step = width / Math.max(slots.length, 1), height = 40;
  const svg = make("svg", { viewBox: `0 0 ${width} ${height + 18}`, role: "img" });
  const said = [];
  svg.append(make("line", { x1: 0, x2: width, y1: height, y2: height, class: "base" }));
  slots.forEach((slot, i) => {
    const at = i * step, row = cells.get(slot.start), hour = Number(slot.label);
    if (hour % 6 === 0) svg.append(make("text", { x: at + step / 2, y: height + 16, class: "axis middle" }, String(hour)));
    if (!row) return;
    let shape;
    if (row.value !== null) {
      const tall = Math.max(2, ((row.value - row.min) / (row.max - row.min)) * (height - 2));
      shape = make("rect", { x: at + 1.5, y: height - tall, width: step - 3, height: tall, class: row.display === "hatched" ? "bar-hatched" : "bar-plain" });
    } else if (row.suppressed === "count_only") {
      shape = make("rect", { x: at + 2, y: height - 12, width: step - 4, height: 11, class: "bar-count" });
    } else if (row.suppressed === "complement") {
      shape = make("rect", { x: at + step / 2 - 3, y: height - 9, width: 6, height: 6, class: "bar-protected" });
    } else {
      shape = make("circle", { cx: at + step / 2, cy: height - 6, r: 2.5, class: "bar-hidden" });
    }
    const full = `${t("hour", { h: slot.label })}: ${row.value !== null ? `${row.written.value}${row.unit} (${row.written.n})` : less(row)}`;
    shape.append(make("title", {}, full));
    svg.append(shape);
    said.push(full);
  });
  svg.setAttribute("aria-label", `${t("hours")}. ${said.join("; ")}`);
  box.append(make("p", {}, t("hours")), svg);
  return box;
}

// How many chose a reason, and out of how many: a bar of the share, as far as it may be seen.
function reasonLine(row) {
  const line = make("li", { class: "reason", "data-reason": row.reason }, words("span", { class: "text" }, flat(name(row.texts)) || row.reason));
  const width = 320;
  const bar = make("svg", { viewBox: `0 0 ${width} 8`, preserveAspectRatio: "none", "aria-hidden": "true" }, make("rect", { width, height: 8, class: "share-track" }));
  if (row.value !== null) bar.append(make("rect", { width: (row.value / 100) * width, height: 8, class: row.display === "hatched" ? "share few" : "share" }));
  const figure = row.n === null ? t(`r_${row.suppressed}`, { k: state.reasons.hide_below }) : t("people", { n: row.written.n });
  const share = row.value === null ? null : make("span", { class: "percent", title: `${t("interval")} ${row.written.low} – ${row.written.high}%` }, `${row.written.value}%`);
  line.append(make("span", { class: row.n === null ? "n soft" : "n" }, figure), share ?? "", bar);
  return line;
}

function reasonBox(groups) {
  return groups.filter((group) => group.suppressed !== "no_answers").map((group) => {
    const k = state.reasons.hide_below;
    const chosen = group.reasons.filter((row) => row.suppressed !== "no_answers");
    const seen = chosen.filter((row) => row.n !== null).slice(0, REASONS_SHOWN);
    const kept = chosen.filter((row) => row.suppressed === "complement"), few = chosen.filter((row) => row.suppressed === "hidden");
    const asked = group.asked === null ? t(group.suppressed === "hidden" ? "askedFew" : "r_complement", { k }) : t("asked", { n: group.asked_written });
    const lines = [...seen, ...kept].map(reasonLine);
    if (few.length > 0 && group.asked !== null) lines.push(make("li", { class: "reason soft" }, seen.length + kept.length > 0 ? t("moreHidden", { n: few.length, k }) : t("r_hidden", { k })));
    if (chosen.length === 0) lines.push(make("li", { class: "reason soft" }, t("r_none")));
    return make("div", { class: "reasons" },
      make("h4", {}, words("span", {}, flat(name(group.prompt)) || t("reasons")), " ", make("span", { class: "asked" }, asked)), make("ul", {}, ...lines));
  });
}

// ---- sections ----

function drawScores() {
  if (!state.scores) return;
  $("#example").hidden = !state.scores.example;
  const groups = new Map();
  for (const row of state.scores.rows) {
    const key = `${row.site} ${row.touchpoint} ${row.question} ${row.scale}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const list = $("#scores .cards");
  const span = state.scores.spans[0];
  $("#span").textContent = !span ? "" : span.first_day ? t("since", { from: span.first_day, to: span.last_day, zone: span.time_zone }) : t("allTime", { zone: span.time_zone });
  // Two places of one name are told apart by their ids.
  const places = new Map();
  for (const [, [row]] of groups) {
    const called = `${row.site} ${name(row.names)}`;
    places.set(called, (places.get(called) ?? new Set()).add(row.touchpoint));
  }
  const isTwice = (row) => places.get(`${row.site} ${name(row.names)}`).size > 1;
  // In journey order, those without anything to show after the others.
  const cards = [...groups].map(([key, rows]) => card(key, rows, isTwice(rows[0])));
  const isQuiet = (item) => item.classList.contains("quiet");
  list.replaceChildren(...cards.filter((item) => !isQuiet(item)), ...cards.filter(isQuiet));
  list.prepend(make("li", { class: "defs", role: "presentation", "aria-hidden": "true" }, make("svg", { width: 0, height: 0 }, hatch())));
}

function card(key, rows, isTwice) {
  const head = rows.find((row) => row.headline) ?? rows[0];
  const hours = (state.hours?.rows ?? []).filter((row) => row.touchpoint === head.touchpoint && row.site === head.site && row.headline);
  const slots = state.hours?.spans.find((span) => span.site === head.site)?.slots ?? [];
  const reasons = (state.reasons?.rows ?? []).filter((row) => row.touchpoint === head.touchpoint && row.site === head.site && row.question === head.question);
  const quiet = head.value === null && head.suppressed !== "count_only" && hours.length === 0;
  const title = words("h3", {}, flat(name(head.names)) || head.touchpoint);
  if (isTwice) title.append(" ", make("span", { class: "id" }, head.touchpoint));
  if (head.closed) title.append(" ", make("span", { class: "closed" }, t("closed")));
  const item = make("li", { class: quiet ? "card quiet" : "card", "data-touchpoint": head.touchpoint, "data-score": head.score, "data-state": head.suppressed ?? "shown" },
    title, words("p", { class: "question" }, flat(name(head.texts))));
  if (head.value === null) {
    item.append(make("div", { class: "figure" }, make("span", { class: "value less" }, less(head))));
  } else {
    item.append(make("div", { class: "figure" },
      make("div", { class: "score" }, make("span", { class: "value" }, head.written.value, make("small", {}, head.unit)), make("span", { class: "measure" }, t(head.score))),
      make("dl", {}, make("dt", {}, t("n")), make("dd", { class: "n" }, head.written.n),
        make("dt", {}, t("interval")), make("dd", { class: "interval" }, `${head.written.low} – ${head.written.high}`))),
      whisker(head));
    const others = rows.filter((row) => row !== head && row.value !== null);
    if (others.length > 0) {
      item.append(make("ul", { class: "other" }, ...others.map((row) => make("li", {}, `${t(row.score)} `, make("b", {}, `${row.written.value}${row.unit}`), ` (${row.written.low} – ${row.written.high})`))));
    }
  }
  if (!quiet || reasons.length > 0) item.append(...reasonBox(reasons));
  if (!quiet) item.append(hourStrip(hours, slots));
  const shown = JSON.stringify([head.value, head.n]), before = state.seen.get(key);
  if (before !== undefined && before !== shown) item.classList.add("changed");
  state.seen.set(key, shown);
  return item;
}

function drawTerminals() {
  if (!state.terminals) return;
  const rows = state.terminals.map((terminal) => {
    const kind = terminal.revoked_at ? "revoked" : terminal.stale ? "stale" : "ok";
    const chains = state.chains.filter((chain) => chain.terminal === terminal.terminal);
    const tested = terminal.self_test_at
      ? t(terminal.self_test_of ? "testedOf" : "tested", { ago: ago(terminal.self_test_at), n: terminal.self_test_targets, of: terminal.self_test_of })
      : t("untested");
    const held = chains.map((chain) => `${t("held")} ${chain.range} ${t(chain.complete ? "complete" : "incomplete")}`).join(" · ");
    return make("li", { class: `row ${kind}`, "data-terminal": terminal.terminal },
      make("div", { class: "name" }, make("b", {}, name(terminal.names) || terminal.touchpoint), " ", make("span", { class: "id" }, terminal.terminal)),
      make("div", {}, make("span", { class: "state" }, t(kind))),
      make("div", {}, `${t("queue")} `, make("b", { class: "queue" }, terminal.queue_depth === null ? "–" : String(terminal.queue_depth))),
      make("div", {}, `${t("seen")} ${ago(terminal.last_seen)}`),
      make("div", { class: "soft facts" }, [held, tested].filter(Boolean).join(" · ")),
      terminal.last_error && kind !== "ok" ? make("div", { class: "error" }, terminal.last_error) : null);
  });
  $("#terminals .rows").replaceChildren(...(rows.length ? rows : [make("li", { class: "empty" }, t("noTerminals"))]));
}

function drawIncidents() {
  $("#incidents").hidden = state.incidents.length === 0;
  $("#incidents ul").replaceChildren(...state.incidents.map((incident) => make("li", {}, make("b", {}, t(incident.kind)),
    make("div", {}, `${incident.terminal ? `${incident.terminal} · ` : ""}${ago(incident.last_at)} · ${t("times", { n: incident.times })}`), make("div", {}, incident.detail))));
}

// ---- calls for help ----

const place = (call) => name(call.names) || call.touchpoint;
// Central's clock counted the age up to its answer, a clock that never jumps what has passed since: this machine's time of day may be wrong.
const age = (call) => call.age_s + (performance.now() - state.callsAt) / 1000;

function answerButton(calls, words) {
  const ids = calls.map((call) => call.id);
  const button = make("button", { type: "button", "data-calls": ids.join(" "), "aria-label": `${words}: ${place(calls[0])}` }, words);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      for (const id of ids) await ask(`v1/help/${id}/answered`, "POST");
    } catch {
      button.disabled = false;
    }
    loadCalls().catch(() => {});
  });
  return button;
}

// One terminal that calls again is one place to go to.
function ringing() {
  const groups = new Map();
  for (const call of state.calls.filter((call) => call.state === "open")) {
    const key = `${call.site} ${call.terminal} ${call.touchpoint}`;
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  // Who waits longest comes first.
  return [...groups.values()].map((calls) => calls.sort((a, b) => b.age_s - a.age_s)).sort((a, b) => b[0].age_s - a[0].age_s);
}

function openCall(calls) {
  const [first] = calls, tongues = [...new Set(calls.map((call) => tongue(call.lang)))].join(", ");
  const made = calls.reduce((sum, call) => sum + call.calls, 0);
  const facts = [t("speaks", { lang: tongues }), clock(first.at), made > 1 ? t("again", { n: made }) : null, first.terminal];
  const told = [make("span", { class: "waits" }, t("waits", { span: span(age(first)) })), ...facts.filter(Boolean).map((fact) => make("span", {}, fact))];
  return make("li", { "data-touchpoint": first.touchpoint },
    make("b", {}, place(first)),
    make("div", { class: "told" }, ...told.flatMap((part) => [part, " "])),
    answerButton(calls, t("answer")));
}

function earlierCall(call) {
  const wait = (Date.parse(call.answered_at) - Date.parse(call.at)) / 1000;
  const became = call.state === "late" ? t("lateCall") : call.late ? t("notedCall") : t("answeredCall", { span: span(Math.max(wait, 0)) });
  const when = call.time_known ? t("calledAt", { time: clock(call.at), span: span(age(call)) }) : t("calledUnknown", { time: clock(call.received_at) });
  return make("li", { class: "row", "data-call": call.id },
    make("div", { class: "name" }, make("b", {}, place(call)), " ", make("span", { class: "id" }, call.terminal)),
    make("div", {}, when),
    make("div", {}, make("span", { class: "state" }, became), make("div", { class: "soft" }, t("speaks", { lang: tongue(call.lang) }))),
    call.state === "late" ? answerButton([call], t("note")) : null);
}

function drawCalls() {
  const focused = document.activeElement?.dataset?.calls;
  const open = ringing(), earlier = state.calls.filter((call) => call.state !== "open").sort((a, b) => (b.state === "late") - (a.state === "late"));
  $("#help").hidden = open.length === 0;
  $("#help ul").replaceChildren(...open.map(openCall));
  $("#calls").hidden = earlier.length === 0;
  $("#calls ul").replaceChildren(...earlier.slice(0, EARLIER_MAX).map(earlierCall));
  // The list is drawn anew every few seconds; whoever stands on a button stays there.
  if (focused) [...document.querySelectorAll("[data-calls]")].find((button) => button.dataset.calls === focused)?.focus();
  const fresh = open.filter((calls) => calls.some((call) => !state.rung.has(call.id)));
  if (fresh.length > 0 || open.length === 0) {
    $("#rings").textContent = fresh.map(([call]) => t("rings", { place: place(call), lang: tongue(call.lang) })).join("; ");
  }
  state.rung = new Set(open.flat().map((call) => call.id));
  drawTitle();
}

function drawTitle() {
  const open = ringing().length;
  document.title = `${open > 0 ? `(${open}) ${t("help")} · ` : ""}${t("site")} · 心声 Xinsheng`;
}

function drawFrame() {
  document.documentElement.lang = state.lang;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text, { k: state.scores?.hide_below ?? 5 });
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  const switcher = $("#language");
  switcher.textContent = t("other");
  switcher.lang = state.lang === "en" ? "zh-CN" : "en";
  $("#hospital").textContent = t("site");
  drawTitle();
  choices("period", PERIODS);
  choices("filter", ["filtered", "raw"]);
  drawLive();
}

function choices(what, keys) {
  const group = $(`#${what}`);
  if (group.children.length === 0) {
    group.append(...keys.map((key) => make("button", { type: "button", "data-key": key })));
    group.addEventListener("click", (event) => {
      const key = event.target.dataset?.key;
      if (!key) return;
      state[what] = key;
      state.seen.clear();
      drawFrame();
      loadScores().catch(() => {});
    });
  }
  for (const button of group.children) {
    button.textContent = t(button.dataset.key);
    button.setAttribute("aria-pressed", String(button.dataset.key === state[what]));
  }
}

function drawLive() {
  const line = $("#live");
  line.classList.toggle("lost", state.lost);
  // The hospital's time of the last figures, as central said it.
  const time = state.scores?.spans[0]?.now.slice(11, 19);
  line.textContent = state.lost ? t("lost") : time ? `${t("live")} · ${t("updated")} ${time}` : t("live");
}

function drawAll() {
  drawFrame();
  drawCalls();
  drawScores();
  drawTerminals();
  drawIncidents();
}

// ---- data ----

async function ask(path, method = "GET") {
  try {
    const reply = await fetch(path, { method, headers: { accept: "application/json" } });
    if (!reply.ok) throw new Error(`${reply.status}`);
    state.lost = false;
    return await reply.json();
  } catch (error) {
    state.lost = true;
    throw error;
  } finally {
    drawLive();
  }
}

async function loadScores() {
  const filter = `filter=${state.filter}`, period = `period=${state.period}`;
  const [scores, hours, reasons] = await Promise.all([
    ask(`v1/scores?by=touchpoint&${filter}&${period}`),
    ask(`v1/scores?by=hour&${filter}&period=24h`),
    ask(`v1/reasons?${filter}&${period}`),
  ]);
  Object.assign(state, { scores, hours, reasons });
  $("#scoresCsv").href = `v1/scores?format=csv&${filter}&${period}`;
  $("#reasonsCsv").href = `v1/reasons?format=csv&${filter}&${period}`;
  drawScores();
  drawLive();
}

async function loadTerminals() {
  [state.terminals, state.chains] = await Promise.all([ask("v1/terminals"), ask("v1/chains")]);
  drawTerminals();
}

async function loadCalls() {
  const calls = await ask("v1/help");
  state.calls = calls;
  state.callsAt = performance.now();
  drawCalls();
}

async function loadIncidents() {
  state.incidents = await ask("v1/incidents");
  drawIncidents();
}

// Many events in a moment are one look: at most two looks a second, whatever the terminals do.
function gently(load) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      load().catch(() => {});
    }, 400);
  };
}

const soon = { help: gently(loadCalls), scores: gently(loadScores), terminal: gently(loadTerminals), incident: gently(loadIncidents) };
const refresh = () => Object.values(soon).forEach((load) => load());

function listen() {
  const events = new EventSource("v1/events");
  for (const [kind, load] of Object.entries(soon)) events.addEventListener(kind, load);
  events.addEventListener("refresh", refresh);
  events.addEventListener("error", () => {
    state.lost = true;
    drawLive();
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

function start() {
  const kept = new URLSearchParams(location.search).get("lang") ?? navigator.language ?? "en";
  state.lang = kept.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
  $("#language").addEventListener("click", () => {
    state.lang = state.lang === "en" ? "zh-CN" : "en";
    drawAll();
  });
  drawAll();
  refresh();
  listen();
  // Relative times grow old, and an event may have been lost on the way.
  setInterval(refresh, 60e3);
  setInterval(drawCalls, 15e3);
}

start();
