// Passkeys: asks the browser for one and hands its answer over. Without script, or where a browser has none, the
// buttons stay hidden.
"use strict";
(() => {
  const named = !/^[\d.]+$|:/.test(location.hostname);
  const able = Boolean(window.PublicKeyCredential && window.isSecureContext && named);
  for (const part of document.querySelectorAll("[data-passkeys]")) part.hidden = !able;
  for (const part of document.querySelectorAll("[data-no-passkeys]")) part.hidden = able;
  const zone = document.querySelector("[data-zone]");
  if (zone && !zone.form.elements.brand.value) {
    const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const option of zone.options) if (option.value === mine) zone.value = mine;
  }
  if (!able) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

  async function ask(path, body, csrf) {
    const headers = { accept: "application/json", "content-type": "application/json" };
    if (csrf) headers["x-csrf-token"] = csrf;
    const lang = document.documentElement.lang.startsWith("zh") ? "zh_Hans" : "en";
    const answer = await fetch(`${path}?lang=${lang}`, { method: "POST", headers, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.detail), { told: true });
    return said;
  }

  function told(credential) {
    const given = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[part]) given[part] = text(credential.response[part]);
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: given };
  }

  const name = () => (navigator.userAgentData && navigator.userAgentData.platform) || navigator.platform || "";

  async function signIn(next) {
    const options = await ask("/sign-in/passkey/options", {});
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: [] };
    const credential = await navigator.credentials.get({ publicKey });
    location.assign((await ask("/sign-in/passkey", { credential: told(credential), next })).to);
  }

  async function add(csrf) {
    const options = await ask("/account/passkeys/options", {}, csrf);
    const user = { ...options.user, id: bytes(options.user.id) };
    const publicKey = {
      ...options, user, challenge: bytes(options.challenge), excludeCredentials: keys(options.excludeCredentials),
    };
    const credential = await navigator.credentials.create({ publicKey });
    const done = await ask("/account/passkeys", { credential: told(credential), name: name() }, csrf);
    location.assign(done.to);
  }

  for (const button of document.querySelectorAll("[data-passkey]")) {
    const said = document.querySelector("[data-passkey-said]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      said.hidden = true;
      try {
        await (button.dataset.passkey === "in" ? signIn(button.dataset.next || "") : add(button.dataset.csrf));
      } catch (error) {
        said.textContent = error.told ? error.message : button.dataset.failed;
        said.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
