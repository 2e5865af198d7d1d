// The list under the search field by keyboard: down goes from the field to the first name, up comes back.
"use strict";

const box = document.getElementById("f-q");
document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const names = [...document.querySelectorAll("#found tbody td:first-child a")];
  const at = names.indexOf(document.activeElement);
  if (document.activeElement !== box && at < 0) return;
  const next = event.key === "ArrowDown" ? names[at + 1] : names[at - 1] ?? box;
  if (!next) return;
  event.preventDefault();
  next.focus();
});
// Another order or campaign is another list at once.
for (const select of document.querySelectorAll(".finding select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
