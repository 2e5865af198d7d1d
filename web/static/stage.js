// The stage: what its buttons do, and the board that follows the books.
"use strict";

const scene = document.getElementById("scene");
const { lang, advocate, friend } = scene.dataset;
const said = document.getElementById("said");
const frames = new Map([...document.querySelectorAll("iframe")].map((frame) => [frame.dataset.person, frame]));
const steps = [...document.querySelectorAll("#guide li")];
let timer = 0;

function say(message) {
  said.textContent = message;
  said.hidden = !message;
  clearTimeout(timer);
  timer = setTimeout(() => { said.hidden = true; }, 2600);
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || scene.dataset.failed);
  return answer;
}

// ---- the phones

function chatOf(name) {
  return `/chat?${new URLSearchParams({ as: name, lang })}`;
}

function inChat(frame) {
  try {
    return frame.contentWindow.location.pathname === "/chat";
  } catch {
    return false;
  }
}

function lookAt(name) {
  const frame = frames.get(name);
  frame.closest(".phone").scrollIntoView({ behavior: "smooth", block: "nearest", inline: "center" });
  return frame;
}

async function speak(name, text) {
  const frame = lookAt(name);
  if (!inChat(frame)) frame.src = chatOf(name);
  const key = `stage-${Date.now()}`;
  await post(`/chat/messages?${new URLSearchParams({ as: name, lang })}`, { text, key });
}

for (const button of document.querySelectorAll("[data-home]")) {
  button.addEventListener("click", () => { frames.get(button.dataset.home).src = chatOf(button.dataset.home); });
}

// ---- the story

let opened = false;
const story = {
  ask: () => speak(advocate, scene.dataset.ask),
  open: async () => {
    const { path } = await post("/stage/invite", { name: advocate });
    opened = true;
    lookAt(friend).src = `${path}?${new URLSearchParams({ as: friend, lang })}`;
  },
  wait: () => advance(7),
  paid: async () => {
    await advance(2);
    await speak(advocate, scene.dataset.paid);
  },
};
const BY_HAND = "open"; // done once the friend himself has gone on from the page into the chat

frames.get(friend).addEventListener("load", () => {
  if (opened && inChat(frames.get(friend))) mark(BY_HAND);
});

async function advance(days) {
  say(scene.dataset.passing);
  await post("/stage/advance", { days });
  say("");
}

function mark(done) {
  const at = steps.findIndex((step) => step.dataset.step === done);
  steps.forEach((step, place) => {
    if (place <= at) step.classList.add("done");
    step.classList.toggle("next", place === at + 1);
  });
}

async function act(button, work) {
  button.disabled = true;
  try {
    await work();
    return true;
  } catch (error) {
    say(error.message);
    return false;
  } finally {
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", async () => {
    const step = button.dataset.do;
    if (await act(button, story[step]) && step !== BY_HAND) mark(step);
  });
}
for (const button of document.querySelectorAll("[data-days]")) {
  button.addEventListener("click", () => act(button, () => advance(Number(button.dataset.days))));
}
mark("");

// ---- the board

const before = new Map();
function draw(board) {
  document.getElementById("today").textContent = board.today;
  document.getElementById("board-campaign").textContent = board.title;
  document.getElementById("nobody").hidden = board.places.length > 0;
  const first = before.size === 0;
  const rows = board.places.map(({ rank, name, score }) => {
    const row = document.createElement("li"), place = document.createElement("i");
    const who = document.createElement("bdi"), count = document.createElement("b");
    place.textContent = rank;
    who.textContent = name;
    count.textContent = score;
    row.append(place, who, count);
    row.classList.toggle("played", frames.has(name));
    row.classList.toggle("moved", !first && before.get(name) !== score);
    return row;
  });
  before.clear();
  for (const { name, score } of board.places) before.set(name, score);
  document.getElementById("places").replaceChildren(...rows);
}

const live = document.getElementById("live");
const stream = new EventSource(`/stage/board?${new URLSearchParams({ lang })}`);
stream.addEventListener("message", (event) => draw(JSON.parse(event.data)));
stream.addEventListener("open", () => live.classList.remove("lost"));
stream.addEventListener("error", () => live.classList.add("lost"));
