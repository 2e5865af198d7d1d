// The Mini App: says to the server what Telegram has signed, and shows the board with one's own line.
"use strict";

const EVERY = 3000; // milliseconds between two questions
const opened = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData") ?? "";
const wanted = new URLSearchParams(location.search);
const wait = document.getElementById("wait");
const me = document.getElementById("me");
const spans = document.getElementById("spans");
let window_ = "all", known = "", failures = 0, turn = 0;

// Telegram's programs each hear in their own way; documented with the events of Mini Apps.
function tell(kind, data = {}) {
  if (window.TelegramWebviewProxy) window.TelegramWebviewProxy.postEvent(kind, JSON.stringify(data));
  else if (window.external && "notify" in window.external) window.external.notify(JSON.stringify({ eventType: kind, eventData: data }));
  else if (window.parent !== window) window.parent.postMessage(JSON.stringify({ eventType: kind, eventData: data }), "https://web.telegram.org");
}

function show(board) {
  document.getElementById("brand").textContent = board.brand;
  document.getElementById("title").textContent = board.title;
  list.dataset.mine = board.me.k;
  draw(board);
  wait.hidden = true;
  spans.hidden = board.state !== "running" && board.state !== "paused";
  const { r, s, of } = board.me;
  const lang = list.dataset.lang;
  me.replaceChildren();
  if (r === null) me.textContent = me.dataset.none;
  else {
    const place = document.createElement("b"), brought = document.createElement("span");
    place.textContent = me.dataset.stands.replace("{rank}", r.toLocaleString(lang)).replace("{of}", of.toLocaleString(lang));
    brought.textContent = me.dataset.brought.replace("{n}", s.toLocaleString(lang));
    me.append(place, brought);
  }
}

function stop(words) {
  wait.textContent = words;
  wait.hidden = false;
}

async function ask() {
  const mine = turn;
  const query = new URLSearchParams({ window: window_ });
  for (const name of ["b", "c", "lang"]) if (wanted.has(name)) query.set(name, wanted.get(name));
  try {
    const answer = await fetch(`/mini/board?${query}`, {
      headers: { Accept: "application/json", Authorization: `tma ${opened}`, ...(known ? { "If-None-Match": known } : {}) },
      cache: "no-store",
    });
    if (mine !== turn) return;
    failures = 0;
    if (answer.status === 403 || answer.status === 404) { // nothing will change by asking again
      stop((await answer.json().catch(() => ({}))).detail || wait.dataset.failed);
      return;
    }
    if (answer.status === 200) {
      known = answer.headers.get("ETag") ?? "";
      show(await answer.json());
    }
  } catch {
    if (mine !== turn) return;
    failures += 1;
    if (failures > 2) stop(wait.dataset.failed);
  }
  setTimeout(() => { if (mine === turn) ask(); }, document.hidden ? EVERY * 10 : EVERY * Math.min(8, 1 + failures));
}

spans.addEventListener("click", (event) => {
  const button = event.target.closest("[data-window]");
  if (!button) return;
  window_ = button.dataset.window;
  for (const one of spans.children) one.setAttribute("aria-pressed", String(one === button));
  known = "";
  turn += 1;
  ask();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && opened) { turn += 1; ask(); } });

tell("web_app_ready");
tell("web_app_expand");
if (opened) ask(); else stop(wait.dataset.outside);
