// The journey's page: printing, where there is a script to ask for it. Everything is opened for the paper.
"use strict";

const button = document.querySelector("[data-print]");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll(".journey details:not([open])")];
  for (const one of closed) one.open = true;
});
window.addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
