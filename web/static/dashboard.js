// What makes the brand's pages quicker to use; all of them work without it.
"use strict";

const said = document.getElementById("said");
let timer = 0;

function say(message) {
  said.textContent = message;
  said.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { said.hidden = true; }, 1800);
}

async function copy(value) {
  try {
    await navigator.clipboard.writeText(value);
  } catch { // not by https, or an older browser inside another app
    const box = document.createElement("textarea");
    box.value = value;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

// Of a row of tabs that is wider than a phone, the one that is open is seen.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const row = tab.closest(".tabs");
  row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

// A table that is wider than its place can be moved by keys.
function reach() {
  for (const box of document.querySelectorAll(".table-box")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
reach();
window.addEventListener("resize", reach);
document.addEventListener("htmx:afterSettle", reach);

// What is shown stays as it was while nothing can be fetched; whoever looks is told that it is old.
document.addEventListener("htmx:sendError", () => say(said.dataset.lost));

// An explanation stands beside its mark, wholly on the screen; without script it would stand in the middle.
function place(box, mark) {
  const at = mark.getBoundingClientRect();
  const left = Math.min(Math.max(12, at.left - 20), window.innerWidth - box.offsetWidth - 12);
  const below = at.bottom + 8;
  const top = below + box.offsetHeight > window.innerHeight - 12 ? Math.max(12, at.top - box.offsetHeight - 8) : below;
  box.style.inset = "auto";
  box.style.margin = "0";
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

function explain(mark, open) {
  const box = mark && document.getElementById(mark.dataset.tip);
  if (!box || !box.showPopover || box.matches(":popover-open") === open) return;
  if (open) { box.showPopover(); place(box, mark); } else box.hidePopover();
}

let pressed = null; // opened by a press, so it stays when the mouse goes
document.addEventListener("toggle", (event) => {
  if (event.newState === "closed" && pressed?.dataset.tip === event.target.id) pressed = null; // by Escape, or elsewhere
  const mark = event.newState === "open" && document.querySelector(`[data-tip="${event.target.id}"]`);
  if (mark) place(event.target, mark);
}, true);
document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "mouse") explain(event.target.closest?.("[data-tip]"), true);
});
document.addEventListener("pointerout", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (mark && event.pointerType === "mouse" && mark !== pressed && !mark.contains(event.relatedTarget)) explain(mark, false);
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (mark?.matches(":focus-visible")) explain(mark, true);
});
document.addEventListener("focusout", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (mark && mark !== pressed) explain(mark, false);
});

document.addEventListener("click", async (event) => {
  const mark = event.target.closest("[data-tip]");
  if (mark) { // the mouse has opened it already: the press keeps it instead of closing it
    event.preventDefault();
    // Closed by Escape a moment ago, it may not have been told yet.
    const again = pressed === mark && document.getElementById(mark.dataset.tip)?.matches(":popover-open");
    pressed = again ? null : mark;
    explain(mark, !again);
    return;
  }
  pressed = null;
  const button = event.target.closest("[data-copy]");
  if (button) {
    await copy(button.dataset.copy);
    say(said.dataset.done);
  }
  for (const menu of document.querySelectorAll("details.switch[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.switch[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A choice by mouse or finger is followed at once; by keys one passes others on the way, and presses the button.
let byHand = false;
document.addEventListener("pointerdown", () => { byHand = true; });
document.addEventListener("keydown", () => { byHand = false; });
document.addEventListener("change", (event) => {
  if (byHand && event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form is sent once: a second press on the way is no second wish. A file that comes back leaves the page as it is, so
// after a while it can be sent again; so can one to which somebody comes back.
const sent = new Set();
window.addEventListener("pageshow", () => sent.clear());
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (sent.has(form) || (question && !window.confirm(question))) { event.preventDefault(); return; }
  if (form.method !== "post") return;
  sent.add(form);
  setTimeout(() => sent.delete(form), 3000);
});
