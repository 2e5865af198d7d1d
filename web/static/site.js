// Copying a code or an account by one touch.
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

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await copy(button.dataset.copy);
    say(said.dataset.done);
  });
}
