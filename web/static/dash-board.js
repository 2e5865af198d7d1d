// A board that follows its stream: lines move to where they belong, figures change, nothing is loaded anew.
"use strict";

const list = document.querySelector("[data-board]");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const REST = 60000; // milliseconds out of sight after which a page stops listening
const AGAIN = 8000; // milliseconds until a stream that was refused is asked for again

function line(place, teams) {
  const { link, anonymous, unnamed } = list.dataset;
  const row = document.createElement("li"), rank = document.createElement("i"), score = document.createElement("b");
  const name = document.createElement("bdi");
  row.dataset.k = place.k;
  name.textContent = place.n || (teams ? unnamed : anonymous);
  if (!place.n) name.className = "nameless";
  row.append(rank);
  if (link && place.m) {
    const leads = document.createElement("a");
    leads.href = link + encodeURIComponent(place.m);
    leads.append(name);
    row.append(leads);
  } else row.append(name);
  row.append(score);
  return row;
}

function write(row, place, teams) {
  row.querySelector("i").textContent = place.r;
  row.classList.toggle("mine", place.k === list.dataset.mine);
  row.querySelector("b").textContent = place.s;
  const name = row.querySelector("bdi"), called = place.n || (teams ? list.dataset.unnamed : list.dataset.anonymous);
  if (name.textContent !== called) name.textContent = called;
  name.classList.toggle("nameless", !place.n);
}

// First where every line stood, then where it stands now, and in between it glides.
function draw(board) {
  const most = Number(list.dataset.most);
  const rows = new Map([...list.children].map((row) => [row.dataset.k, row]));
  const before = new Map([...rows].map(([key, row]) => [key, row.getBoundingClientRect().top]));
  const first = rows.size === 0;
  const shown = board.places.slice(0, most).map((place) => {
    const row = rows.get(place.k) ?? line(place, board.teams);
    const gained = rows.has(place.k) && Number(row.dataset.s) < place.s;
    row.dataset.s = place.s;
    write(row, place, board.teams);
    return { row, gained, fresh: !rows.has(place.k) };
  });
  const leader = list.querySelector("li bdi")?.textContent;
  list.replaceChildren(...shown.map(({ row }) => row));
  list.classList.toggle("none", shown.length === 0);
  for (const empty of document.querySelectorAll(".nobody")) empty.hidden = shown.length > 0;
  for (const heads of document.querySelectorAll(".cols")) heads.hidden = shown.length === 0;
  for (const name of ["friends", "of"]) {
    for (const total of document.querySelectorAll(`[data-total=${name}]`)) {
      total.textContent = board[name].toLocaleString(list.dataset.lang);
    }
  }
  const leads = list.querySelector("li bdi")?.textContent;
  const said = document.getElementById("board-said");
  if (said && leads && leads !== leader) said.textContent = list.dataset.leads.replace("{name}", leads);
  if (calm.matches || document.hidden) return;
  for (const { row, gained, fresh } of shown) {
    const moved = before.has(row.dataset.k) ? before.get(row.dataset.k) - row.getBoundingClientRect().top : 0;
    if (moved) {
      row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 620, easing: "cubic-bezier(.2,.8,.2,1)" });
    } else if (fresh && !first) {
      row.animate([{ opacity: 0, transform: "translateY(14px)" }, { opacity: 1, transform: "none" }], { duration: 420, easing: "ease-out" });
    }
    if (gained) {
      row.classList.remove("gained");
      void row.offsetWidth; // so that the same animation begins again
      row.classList.add("gained");
    }
  }
}

const live = document.getElementById("live");
function lit(on) {
  if (!live) return;
  live.classList.toggle("lost", !on);
  live.textContent = on ? live.dataset.on : live.dataset.off;
}

const again = () => setTimeout(() => location.reload(), Math.random() * 3000); // not all who watch at once

let stream = null, seen = "", rest = 0;
function follow() {
  const address = new URL(list.dataset.board, location.href);
  if (seen) address.searchParams.set("seen", seen);
  stream?.close();
  stream = new EventSource(address);
  stream.addEventListener("open", () => lit(true));
  stream.addEventListener("message", (event) => {
    seen = event.lastEventId;
    const board = JSON.parse(event.data);
    if (`${board.state}/${board.final ?? 0}` === list.dataset.state) draw(board);
    else again(); // what stands around it changes too
  });
  stream.addEventListener("over", () => { stream.close(); again(); });
  stream.addEventListener("error", () => {
    lit(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN + Math.random() * AGAIN);
  });
}
if (list?.dataset.board) {
  follow();
  // A browser holds few connections to one place: a page nobody sees lets its own go. A screen is always seen.
  if (!document.querySelector("[data-screen]")) {
    document.addEventListener("visibilitychange", () => {
      clearTimeout(rest);
      if (document.hidden) rest = setTimeout(() => stream.close(), REST);
      else if (stream.readyState === EventSource.CLOSED) follow();
    });
  }
}

// ---- a screen that many look at

const screen = document.querySelector("[data-screen]");
if (screen) {
  const left = screen.querySelector("[data-ends]");
  const two = (value) => String(value).padStart(2, "0");
  const tick = () => {
    const seconds = Math.max(0, Number(left.dataset.ends) - Math.floor(Date.now() / 1000));
    const days = Math.floor(seconds / 86400);
    const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    left.querySelector("output").textContent = days ? left.dataset.days.replace("{d}", days).replace("{t}", clock) : clock;
  };
  if (left) { tick(); setInterval(tick, 1000); }

  const awake = async () => { // let go by the browser whenever the page is hidden
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen").catch(() => {});
  };
  awake();
  document.addEventListener("visibilitychange", awake);

  const full = document.getElementById("full");
  full.hidden = !document.fullscreenEnabled;
  full.addEventListener("click", () => document.documentElement.requestFullscreen().then(awake, () => {}));
  document.addEventListener("fullscreenchange", () => { full.hidden = Boolean(document.fullscreenElement); });
  let idle = 0;
  const stir = () => {
    screen.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => screen.classList.add("idle"), 3000);
  };
  for (const kind of ["pointermove", "pointerdown", "keydown"]) document.addEventListener(kind, stir);
  stir();
}
