// Small helpers for elements, messages and dialogs.
import { texts } from "./texts.js";

export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && name !== "role") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function say(text) {
  $("live").textContent = text;
}

export function showMessage(text) {
  for (const place of document.querySelectorAll("[data-message]")) {
    place.hidden = !text;
    place.textContent = text || "";
  }
}

export function fillTexts(root = document) {
  for (const each of root.querySelectorAll("[data-text]")) each.textContent = texts[each.dataset.text];
  for (const each of root.querySelectorAll("[data-label]")) {
    each.setAttribute("aria-label", texts[each.dataset.label]);
    each.title = texts[each.dataset.label];
  }
}

// Ask in a dialog; resolves with the chosen value, or null.
export function ask(title, actions, body = null) {
  const dialog = $("dialog");
  return new Promise((resolve) => {
    const finish = (value) => {
      dialog.close();
      resolve(value);
    };
    const buttons = actions.map(({ text, value, primary }) =>
      element("button", { type: "button", class: primary ? "primary" : "", onclick: () => finish(value) }, text));
    dialog.replaceChildren(
      element("h2", { id: "dialog-title" }, title), ...(body ? [body] : []),
      element("div", { class: "row end" }, ...buttons));
    dialog.oncancel = () => resolve(null);
    dialog.showModal();
  });
}

export function keyDialog() {
  const list = element("dl", { class: "keys" });
  for (const [keys, meaning] of texts.keyList) list.append(element("dt", {}, element("kbd", {}, keys)), element("dd", {}, meaning));
  return ask(texts.keys, [{ text: texts.close, value: null, primary: true }], list);
}

export function pickFiles({ multiple = false, folder = false, accept = "image/*,.heic,.heif,.tif,.tiff,.avif,.jxl" } = {}) {
  const input = $("file");
  input.multiple = multiple;
  input.webkitdirectory = folder;
  input.accept = accept;
  input.value = "";
  return new Promise((resolve) => {
    input.onchange = () => resolve([...input.files]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
