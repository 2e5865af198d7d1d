// Working off the queue by keyboard: j and k go on and back, a and d open yes and no, x marks.
"use strict";

const cases = [...document.querySelectorAll(".case")];
for (const hint of document.querySelectorAll(".keys")) hint.hidden = !window.matchMedia("(pointer: fine)").matches;

function current() {
  return cases.findIndex((one) => one.contains(document.activeElement));
}

function go(place) {
  const one = cases[Math.min(Math.max(place, 0), cases.length - 1)];
  one?.focus();
  one?.scrollIntoView({ block: "nearest" });
}

function open(one, verdict) {
  const choice = one?.querySelector(`details.${verdict}`);
  if (!choice) return;
  choice.open = true;
  choice.querySelector("input[type=radio]:checked, input[type=radio], button")?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  const place = current();
  if (event.key === "j") go(place + 1);
  else if (event.key === "k") go(place < 0 ? 0 : place - 1);
  else if (event.key === "a") open(cases[place], "approve");
  else if (event.key === "d") open(cases[place], "decline");
  else if (event.key === "x") cases[place]?.querySelector("input[name=case]")?.click();
  else return;
  event.preventDefault();
});
