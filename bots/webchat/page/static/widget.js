// A chat button for any site: <script src="https://HOST/chat/widget.js" data-lang="zh" data-code="CODE" defer></script>
"use strict";

(() => {
  const script = document.currentScript;
  const page = new URL("/chat", script.src);
  for (const name of ["lang", "code"]) if (script.dataset[name]) page.searchParams.set(name, script.dataset[name]);
  const chinese = (script.dataset.lang || navigator.language).toLowerCase().startsWith("zh");
  const words = chinese ? { open: "打开聊天", close: "关闭聊天", title: "聊天" } : { open: "Open chat", close: "Close chat", title: "Chat" };

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // works under the site's own content security policy, unlike a <style>
  sheet.replaceSync(`
    :host { all: initial; }
    button, iframe { position: fixed; right: 20px; z-index: 2147483000; border: 0; }
    button { bottom: 20px; width: 60px; height: 60px; border-radius: 50%; cursor: pointer; color: #fff; background: linear-gradient(145deg, #5b8dff, #2557d6); box-shadow: 0 8px 24px #10285055; transition: transform .15s; }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid #9dbcff; outline-offset: 2px; }
    svg { width: 28px; height: 28px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    iframe { bottom: 92px; width: 390px; height: min(680px, calc(100dvh - 112px)); border-radius: 20px; background: Canvas; box-shadow: 0 16px 48px #10182840; color-scheme: light dark; }
    iframe[hidden] { display: none; }
    @media (max-width: 480px) { iframe { right: 0; bottom: 0; width: 100vw; height: calc(100dvh - 8px); border-radius: 20px 20px 0 0; } button[aria-expanded="true"] { bottom: auto; top: 16px; right: 8px; width: 36px; height: 36px; transform: none; } button[aria-expanded="true"] svg { width: 18px; height: 18px; } }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
  `);
  root.adoptedStyleSheets = [sheet];

  const bubble = "M21 11.5a8.5 8.5 0 0 1-12.3 7.6L4 20.5l1.4-4.7A8.5 8.5 0 1 1 21 11.5z";
  const cross = "M6 6l12 12M18 6L6 18";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.append(path);
  const button = document.createElement("button");
  button.type = "button";
  button.append(svg);
  let frame = null;

  function show(open) {
    if (open && !frame) {
      frame = document.createElement("iframe");
      frame.src = page.href;
      frame.title = words.title;
      frame.allow = "clipboard-write";
      root.prepend(frame);
    }
    if (frame) frame.hidden = !open;
    path.setAttribute("d", open ? cross : bubble);
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", open ? words.close : words.open);
    if (open) frame.focus();
  }

  button.addEventListener("click", () => show(!frame || frame.hidden));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && frame && !frame.hidden) { show(false); button.focus(); } });
  root.append(button);
  show(false);
  document.body.append(host);
})();
