"use strict";
// Keeps a page fresh that shows live figures: when central says that something changed, the page is fetched anew and the parts that differ are
// exchanged. Every word and figure is central's; nothing is computed or formatted here. Without this script the page is complete, and as old as
// its last load.

const parts = () => document.querySelectorAll("[data-part]");
const seen = { calls: new Set() };

function ringing(root) {
  return [...root.querySelectorAll("[data-rings]")].flatMap((item) => item.dataset.rings.split(" "));
}

function setLost(lost) {
  const line = document.querySelector("#live");
  line.classList.toggle("lost", lost);
  if (lost) line.textContent = line.dataset.lost;
}

// Cards whose figures changed are marked for a moment.
function markChanged(part, next) {
  const before = new Map([...part.querySelectorAll(".card")].map((card) => [card.dataset.key, card.querySelector(".figure").textContent]));
  for (const card of next.querySelectorAll(".card")) {
    const was = before.get(card.dataset.key);
    card.classList.toggle("changed", was !== undefined && was !== card.querySelector(".figure").textContent);
  }
}

function exchange(next) {
  // Whoever stands on a button or link stays there.
  const focused = document.activeElement?.dataset?.key;
  for (const part of parts()) {
    const fresh = next.getElementById(part.id);
    if (!fresh || fresh.outerHTML === part.outerHTML) continue;
    markChanged(part, fresh);
    part.replaceWith(document.adoptNode(fresh));
  }
  document.title = next.title;
  if (focused && document.activeElement?.dataset?.key !== focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

// A screen reader says each call once.
function announce() {
  const items = [...document.querySelectorAll("[data-rings]")];
  const fresh = items.filter((item) => item.dataset.rings.split(" ").some((id) => !seen.calls.has(id)));
  if (fresh.length > 0 || items.length === 0) document.querySelector("#rings").textContent = fresh.map((item) => item.dataset.said).join("; ");
  seen.calls = new Set(ringing(document));
}

async function refresh() {
  try {
    const reply = await fetch(location.href, { headers: { accept: "text/html" } });
    if (reply.redirected) return location.reload();
    if (!reply.ok) throw new Error(`${reply.status}`);
    exchange(new DOMParser().parseFromString(await reply.text(), "text/html"));
    setLost(false);
    announce();
  } catch {
    setLost(true);
  }
}

// Many events in a moment are one look: at most two looks a second, whatever the terminals do.
let timer = null;
function soon() {
  timer ??= setTimeout(() => {
    timer = null;
    refresh();
  }, 400);
}

function listen(url) {
  const events = new EventSource(url);
  for (const kind of ["help", "scores", "terminal", "incident", "refresh"]) events.addEventListener(kind, soon);
  events.addEventListener("error", () => {
    setLost(true);
    if (events.readyState === EventSource.CLOSED) setTimeout(() => listen(url), 5000);
  });
}

// A form of a live page is sent without leaving the page.
document.addEventListener("submit", async (event) => {
  if (!event.target.closest("[data-part]")) return;
  event.preventDefault();
  const button = event.submitter;
  button.disabled = true;
  try {
    await fetch(event.target.action, { method: "POST", body: new URLSearchParams(new FormData(event.target)), redirect: "manual" });
  } catch {
    button.disabled = false;
  }
  refresh();
});

const live = document.querySelector("[data-events]");
if (live) {
  announce();
  listen(live.dataset.events);
  // Relative times grow old, and an event may have been lost on the way.
  setInterval(refresh, 15e3);
}
