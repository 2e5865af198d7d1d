// The chat page: the stream of events, and what the visitor does. Loaded after draw.js.
"use strict";

/* global make, drawMessage, drawDay, sentPictures */

const config = JSON.parse(document.body.dataset.config);
const words = config.words;
const $ = (id) => document.getElementById(id);
const log = $("log"), scroller = $("scroller"), text = $("text");
const MINUTES_TOGETHER = 5;
const HIDDEN_MS = 60000; // a hidden page gives its connection back: browsers allow six per host

let source = null, last = "", ready = false, hiddenTimer = 0, silent = config.silent, member = config.member;

// ---- small helpers

function fill(template, params) {
  return template.replace(/\{(\w+)\}/g, (_, name) => params[name]);
}

function address(path, extra = {}) {
  const here = new URLSearchParams(location.search);
  const query = new URLSearchParams({ lang: config.lang, ...extra });
  for (const name of ["as", "group"]) if (here.get(name)) query.set(name, here.get(name));
  return `${path}?${query}`;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function post(path, body) {
  return send(address(path), "application/json", JSON.stringify(body));
}

async function send(to, type, body) {
  const response = await fetch(to, { method: "POST", headers: { "Content-Type": type }, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || words.failed);
  return answer;
}

function complain(message) {
  $("problem").textContent = message || "";
  $("problem").hidden = !message;
}

let toastTimer = 0;
function toast(message) {
  $("toast").textContent = message;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 1600);
}

async function copy(value) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const box = make("textarea");
    box.value = value;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  toast(words.copied);
}

// ---- messages in their places

function dayOf(row) {
  return new Date(Number(row.dataset.at)).toDateString();
}

function turnDay(at) {
  const mark = drawDay(new Date(at));
  const marks = log.querySelectorAll(".day");
  if (!marks.length || marks[marks.length - 1].dataset.day !== mark.dataset.day) log.append(mark);
}

function place(row) {
  turnDay(Number(row.dataset.at));
  const previous = log.lastElementChild;
  const together = previous && previous.dataset.from === row.dataset.from
    && row.dataset.at - previous.dataset.at < MINUTES_TOGETHER * 60000;
  if (together) {
    row.classList.add("follows");
    previous.classList.add("before");
    row.querySelector(".name")?.remove();
  }
  log.append(row);
}

function show(message) {
  $("welcome").hidden = true;
  if (message.kind === "note") {
    turnDay(message.at);
    log.append(make("div", "note", fill(words[message.code], { name: message.name })));
    if (message.mine) setMember(message.code === "joined");
    return stickIfLow();
  }
  const row = drawMessage(message);
  const old = $(message.id) || (message.mine && message.key && log.querySelector(`[data-key="${CSS.escape(message.key)}"]`));
  if (old && old === log.lastElementChild && dayOf(old) !== dayOf(row)) {
    // Ours was dated by this device; on the demo's stage the server is days ahead, and its day counts.
    const mark = old.previousElementSibling;
    old.remove();
    if (mark?.classList.contains("day")) mark.remove();
    place(row);
  } else if (old) {
    for (const mark of ["follows", "before"]) row.classList.toggle(mark, old.classList.contains(mark));
    if (row.classList.contains("follows")) row.querySelector(".name")?.remove();
    old.replaceWith(row);
  } else {
    place(row);
  }
  stickIfLow(message.mine);
}

// ---- keeping to the newest message unless one reads further up

let low = true, height = 0;
function stickIfLow(force) {
  height = scroller.scrollHeight;
  if (low || force) scroller.scrollTop = height;
  else if (ready) $("newest").hidden = false;
}
scroller.addEventListener("scroll", () => {
  if (scroller.scrollHeight !== height) return; // it grew under us, nobody scrolled
  low = height - scroller.scrollTop - scroller.clientHeight < 80;
  if (low) $("newest").hidden = true;
});
const growth = new ResizeObserver(() => {
  height = scroller.scrollHeight;
  if (low) scroller.scrollTop = height;
});
growth.observe(scroller);
growth.observe(log);
$("newest").addEventListener("click", () => { low = true; stickIfLow(); });

// ---- the stream

function setStatus(state) {
  const shown = state === "online" ? (silent ? words.muted : config.group ? config.name : words.online) : words[state];
  $("status").textContent = shown;
}

function connect() {
  source?.close();
  source = new EventSource(address("/chat/events", last ? { after: last } : {}));
  source.addEventListener("message", (event) => {
    last = event.lastEventId;
    show(JSON.parse(event.data));
  });
  source.addEventListener("gap", () => log.append(make("div", "note", words.gap)));
  source.addEventListener("typing", (event) => {
    $("typing").hidden = !JSON.parse(event.data).on;
    stickIfLow();
  });
  source.addEventListener("ready", () => {
    if (!ready) {
      ready = true;
      log.removeAttribute("aria-busy");
      if (!log.childElementCount || config.code) greet();
      low = true;
      stickIfLow();
      requestAnimationFrame(() => document.body.classList.add("ready"));
    }
    setStatus("online");
  });
  source.addEventListener("error", lost);
}

async function lost() {
  $("typing").hidden = true;
  setStatus("offline");
  if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
  const response = await fetch(address("/chat/events", { after: last }), { method: "HEAD" }).catch(() => null);
  if (response && response.status === 401) return explainCookies();
  setTimeout(connect, 3000);
}

function explainCookies() {
  const link = make("a", "", words.open_window);
  link.href = location.href;
  link.target = "_blank";
  $("status").textContent = "";
  $("problem").replaceChildren(words.no_cookie, " ", link);
  $("problem").hidden = false;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(() => { source?.close(); source = null; }, HIDDEN_MS);
  } else if (!source || source.readyState === EventSource.CLOSED) {
    connect();
  }
});

// ---- what the visitor does

async function act(body, button) {
  button.disabled = true;
  complain("");
  try {
    await post("/chat/messages", { ...body, key: newKey() });
    return true;
  } catch (error) {
    complain(error.message);
    return false;
  } finally {
    button.disabled = false;
  }
}

function say(said, key = newKey()) {
  const lines = said.split("\n").map((line) => (line ? [{ text: line }] : []));
  return sending(key, { lines }, () => post("/chat/messages", { text: said, key }), () => say(said, key));
}

function sendPicture(file, key = newKey()) {
  if (file.size > config.maxPicture) return complain(fill(words.picture_large, { megabytes: config.maxPicture >> 20 }));
  if (!sentPictures.has(key)) sentPictures.set(key, URL.createObjectURL(file));
  const put = () => send(address("/chat/pictures", { key }), file.type || "image/*", file);
  return sending(key, { lines: [], sent: "picture" }, put, () => sendPicture(file, key));
}

async function sending(key, message, put, again) {
  complain("");
  show({ kind: "message", id: `p${key}`, key, mine: true, author: config.name, at: new Date().toISOString(), ...message });
  const row = log.querySelector(`[data-key="${key}"]`);
  row.classList.add("pending");
  try {
    await put();
  } catch (error) {
    complain(error.message);
    const retry = make("button", "retry", `↻ ${words.retry}`);
    retry.type = "button";
    retry.addEventListener("click", () => { retry.remove(); again(); });
    log.querySelector(`[data-key="${key}"]`).querySelector(".stack").append(retry);
  }
}

function greet() {
  if (config.code) $("welcome-text").textContent = words.welcome_code;
  $("welcome").hidden = false;
  stickIfLow(true);
}

$("start").addEventListener("click", () => {
  $("welcome").hidden = true;
  say(config.code ? `/start ${config.code}` : "/start");
  if (config.code) {
    config.code = "";
    const here = new URL(location.href);
    here.searchParams.delete("code");
    history.replaceState(null, "", here);
  }
  text.focus();
});

function fit() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
  const length = [...text.value.trim()].length;
  $("send").disabled = length === 0 || length > config.maxText;
  $("count").hidden = length < config.maxText * 0.9;
  $("count").textContent = `${length} / ${config.maxText}`;
  $("count").classList.toggle("over", length > config.maxText);
}
text.addEventListener("input", fit);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (!said || [...said].length > config.maxText) return;
  text.value = "";
  fit();
  say(said);
});

$("send-picture").hidden = Boolean(config.group);
$("send-picture").addEventListener("click", () => $("picture").click());
$("picture").addEventListener("change", () => {
  const [file] = $("picture").files;
  if (file) sendPicture(file);
  $("picture").value = ""; // the same one may be chosen again
});
text.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file || config.group) return;
  event.preventDefault();
  sendPicture(file);
});

for (const item of config.menu) {
  const chip = make("button", "", item.label);
  chip.type = "button";
  chip.title = item.help;
  chip.addEventListener("click", () => {
    if (!item.asks) return say(item.say);
    text.value = `${item.say} `;
    fit();
    text.focus();
  });
  $("chips").append(chip);
}

// ---- settings

$("lang").addEventListener("click", () => {
  const here = new URL(location.href);
  here.searchParams.set("lang", config.lang === "en" ? "zh" : "en");
  location.href = here;
});

function setMember(now) {
  member = now;
  $("member").textContent = member ? words.leave : words.join;
}
if (config.group) {
  $("title").textContent = config.group;
  $("member").hidden = false;
  setMember(member);
  $("member").addEventListener("click", async () => {
    try {
      setMember((await post(`/chat/groups/${encodeURIComponent(config.group)}/${member ? "leave" : "join"}`, {})).member);
    } catch (error) {
      complain(error.message);
    }
  });
}

function drawMute() {
  $("mute").textContent = silent ? words.unmute : words.mute;
}
$("open-settings").addEventListener("click", () => {
  $("name").value = config.name;
  $("name").maxLength = config.maxName;
  $("name").disabled = config.staged;
  $("save").hidden = config.staged;
  drawMute();
  $("settings").showModal();
});
$("close-settings").addEventListener("click", () => $("settings").close());
$("close-viewer").addEventListener("click", () => $("viewer").close());
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
$("settings-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    config.name = (await post("/chat/name", { name: $("name").value })).name;
    $("settings").close();
    complain("");
  } catch (error) {
    $("settings").close();
    complain(error.message);
  }
});
$("mute").addEventListener("click", async () => {
  try {
    silent = !(await post("/chat/reachable", { reachable: silent })).reachable;
    drawMute();
    setStatus("online");
  } catch (error) {
    complain(error.message);
  }
  $("settings").close();
});

fit();
connect();
