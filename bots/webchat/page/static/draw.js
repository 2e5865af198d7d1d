// Messages as elements. Everything that people or the bot wrote becomes text nodes; nothing is ever parsed as HTML.
"use strict";

/* exported drawMessage, drawDay, sentPictures */
/* global config, words, $, copy, act */

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function drawSpan(span) {
  let node = document.createTextNode(span.text);
  if (span.code) node = make("code", "", node);
  if (span.italic) node = make("em", "", node);
  if (span.bold) node = make("strong", "", node);
  if (span.url) {
    node = make("a", "", node);
    node.href = span.url;
    node.target = "_blank";
    node.rel = "noopener noreferrer";
  }
  return node;
}

function drawLine(spans) {
  const bullet = spans.length > 0 && spans[0].text === "• ";
  const line = make("p", `text${spans.length ? "" : " blank"}${bullet ? " bullet" : ""}`, ...spans.map(drawSpan));
  line.dir = "auto";
  return line;
}

function drawFile(file) {
  const link = make("a", "file", `📎 ${file.filename}`);
  link.href = file.url;
  link.download = file.filename;
  link.title = file.alt;
  return link;
}

const sentPictures = new Map(); // key of a message → the picture this page sent with it

function drawSent(message) {
  const url = sentPictures.get(message.key);
  return url ? drawPicture({ url, alt: words.image }) : make("p", "text", `🖼 ${words.image}`);
}

function drawPicture(image) {
  const img = make("img");
  img.src = image.url;
  img.alt = image.alt;
  const button = make("button", "picture", img);
  button.type = "button";
  button.title = words.open_image;
  button.addEventListener("click", () => {
    const large = $("viewer").querySelector("img");
    large.src = image.url;
    large.alt = image.alt;
    $("viewer").showModal();
  });
  return button;
}

function drawKey(key, message) {
  if (key.url) {
    const link = make("a", "", key.label);
    link.href = key.url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }
  const button = make("button", "", key.label);
  button.type = "button";
  button.dir = "auto";
  if (key.copy !== undefined) button.addEventListener("click", () => copy(key.copy));
  else button.addEventListener("click", () => act({ action: key.action, message: message.id }, button));
  return button;
}

function drawForm(form, message) {
  const card = make("form", "card", make("h3", "", form.title));
  for (const field of form.fields) {
    const input = make(field.multiline ? "textarea" : "input");
    input.name = field.name;
    input.placeholder = field.placeholder;
    input.maxLength = field.max;
    input.value = field.value || "";
    input.required = field.required !== false;
    card.append(make("label", "", field.label, input));
  }
  const submit = make("button", "primary", words.submit);
  card.append(submit);
  card.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answers = Object.fromEntries([...new FormData(card)].map(([name, value]) => [name, String(value)]));
    if (await act({ form: form.action, answers, message: message.id }, submit)) {
      for (const input of card.elements) input.disabled = true;
      submit.textContent = words.sent_form;
    }
  });
  return card;
}

function initials(name) {
  const parts = name.trim().split(/\s+/);
  const pick = /^[\x20-\x7e]/.test(name) && parts.length > 1 ? [parts[0], parts[parts.length - 1]] : [parts[0] || "?"];
  return pick.map((part) => [...part][0] || "").join("").toUpperCase();
}

function tint(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)) % 997;
  return `tint${sum % 8}`;
}

function drawAvatar(message) {
  const bot = !message.author;
  const avatar = make("span", bot ? "avatar bot" : `avatar ${tint(message.author)}`, bot ? document.title.slice(0, 1) : initials(message.author));
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

function clock(at) {
  return at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
}

function drawMessage(message) {
  const at = new Date(message.at);
  const meta = make("span", "meta");
  if (message.private) meta.append(make("span", "", words.only_you));
  if (message.edited) meta.append(make("span", "", words.edited));
  meta.append(make("time", "", clock(at)));
  const bubble = make("div", "bubble");
  if (message.image) bubble.append(message.image.file ? drawFile(message.image) : drawPicture(message.image));
  if (message.sent === "picture") bubble.append(drawSent(message));
  else bubble.append(...message.lines.map(drawLine));
  if (message.form) bubble.append(drawForm(message.form, message));
  const lastLine = message.form ? null : bubble.querySelector(".text:last-child");
  (lastLine || bubble).append(meta); // beside the last words where there is room
  const stack = make("div", "stack", bubble);
  if (message.author && !message.mine) stack.prepend(make("bdi", "name", message.author));
  if (message.buttons) {
    stack.append(make("div", "keys", ...message.buttons.map((row) => make("div", "", ...row.map((key) => drawKey(key, message))))));
  }
  const row = make("div", `row ${message.mine ? "mine" : "theirs"}${message.private ? " private" : ""}`, stack);
  if (!message.mine) row.prepend(drawAvatar(message));
  row.id = message.id;
  row.dataset.at = at.getTime();
  row.dataset.from = message.mine ? "me" : message.author || "bot";
  if (message.key) row.dataset.key = message.key;
  return row;
}

function drawDay(at) {
  const day = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const ago = Math.round((day(new Date()) - day(at)) / 86400000);
  const name = ago === 0 ? words.today : ago === 1 ? words.yesterday
    : at.toLocaleDateString(document.documentElement.lang, { month: "long", day: "numeric" });
  const node = make("div", "day", name);
  node.dataset.day = String(day(at));
  return node;
}
