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

// Make `old` look like `fresh` but keep its nodes: a click counts only if the node stays while the button is down.
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return fresh;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return old;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = value; // the page's security policy forbids the attribute
    else old.setAttribute(name, value);
  }
  const before = [...old.childNodes], after = [...fresh.childNodes];
  after.forEach((child, index) => (index < before.length ? morph(before[index], child) : old.append(child)));
  for (const child of before.slice(after.length)) child.remove();
  return old;
}

// The same for a list of elements that are known by `data-key`.
export function morphList(place, fresh) {
  const known = new Map([...place.children].map((child) => [child.dataset.key, child]));
  let at = place.firstChild;
  for (const each of fresh) {
    const old = known.get(each.dataset.key);
    const node = old && each.dataset.key ? morph(old, each) : each;
    known.delete(each.dataset.key);
    if (node === at) at = at.nextSibling;
    else place.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
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

// Put in the parts that several tabs have; ids of their elements begin with the tab's prefix.
export function fillTemplates() {
  for (const place of document.querySelectorAll("[data-template]")) {
    const part = $(place.dataset.template).content.cloneNode(true);
    for (const each of part.querySelectorAll("[data-id]")) each.id = `${place.dataset.prefix}-${each.dataset.id}`;
    place.replaceWith(part);
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
