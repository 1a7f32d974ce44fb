// Looks and settings: the form, the draft that survives a reload, and orders made from them.
import * as api from "./api.js";
import { app, fail, queue } from "./app.js";
import { $, ask, element, pickFiles, showMessage } from "./dom.js";
import { control } from "./form.js";
import { Looks } from "./looks.js";
import { flushMask } from "./photo.js";
import { drawStrip, watch } from "./results.js";
import { showSheet } from "./sheet.js";
import { texts } from "./texts.js";

export const looks = new Looks({ regions: $("regions"), grid: $("looks"), blend: $("blend") }, { onChange: keepDraft, onAdd: addStyles, onRemove: removeStyle });
const DIALS = ["strength", "style_scale", "color", "size"];

export function drawDials() {
  const names = Object.keys(app.schema);
  const make = (name) => {
    app.dials[name] = control(name, app.schema[name], app.settings[name], (field, value) => {
      if (value === (app.schema[field].default ?? null)) delete app.settings[field];
      else app.settings[field] = value;
      app.dials[field].setError("");
      keepDraft();
    });
    return app.dials[name];
  };
  $("dials").replaceChildren(...DIALS.filter((name) => names.includes(name)).map(make));
  const rest = names.filter((name) => !DIALS.includes(name));
  const groups = new Map();
  for (const name of rest) {
    const group = app.schema[name].group || "";
    if (!groups.has(group)) groups.set(group, element("fieldset", {}, element("legend", {}, group)));
    groups.get(group).append(make(name));
  }
  $("more-form").replaceChildren(...groups.values());
}

export function order() {
  return { looks: structuredClone(looks.chosen), settings: { ...app.settings } };
}

export function applyOrder({ looks: chosen, settings }) {
  looks.setChosen(chosen || {});
  app.settings = { ...settings };
  for (const [name, dial] of Object.entries(app.dials)) dial.setValue(app.settings[name]);
  keepDraft();
}

export function keepDraft() {
  localStorage.setItem("pochoir-draft", JSON.stringify(order()));
  showMessage("");
}

export function restoreDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem("pochoir-draft") || "null");
    if (draft) applyOrder({ looks: draft.looks, settings: Object.fromEntries(Object.entries(draft.settings || {}).filter(([name]) => name in app.schema)) });
    else looks.draw();
  } catch {
    looks.draw();
  }
}

// Queue a painting or a sheet and show it. A problem is shown, or returned where `quiet`.
export async function paint(extra = {}, { quiet = false } = {}) {
  if (!app.photo) return null;
  if (looks.isEmpty) {
    showMessage(texts.noLook);
    $("looks").querySelector(".look")?.focus();
    return null;
  }
  showMessage("");
  try {
    await flushMask();
    const { jobs } = await queue(() => api.post("/api/jobs", { photo: app.photo.id, ...order(), ...extra }));
    drawStrip();
    if (jobs[0].place) showSheet(jobs[0].place.sheet);
    else await watch(jobs[0]);
  } catch (error) {
    if (quiet) return error;
    fail(error);
  }
  return null;
}

// Paint a small picture of a sheet again, at the size that the form had before.
export async function paintLarge({ order: small }) {
  const { enlarge, full_size, size } = app.settings;
  const settings = { ...small.settings, enlarge, full_size, size: size === small.settings.size ? undefined : size };
  applyOrder({ looks: small.looks, settings });
  await paint();
}

export async function addStyles(files) {
  const chosen = Array.isArray(files) ? files : await pickFiles({ multiple: true });
  for (const file of chosen) {
    try {
      const style = await api.upload("/api/styles", file);
      looks.setStyles([...looks.styles.filter((other) => other.id !== style.id), style]);
      looks.choose(style.id, false);
    } catch (error) {
      fail(error);
    }
  }
}

export async function removeStyle(style) {
  const sure = await ask(texts.removeAsk(style.name), [{ text: texts.cancel, value: false }, { text: texts.remove, value: true, primary: true }]);
  if (!sure) return;
  try {
    await api.remove(`/api/styles/${style.id}`);
    looks.setStyles(looks.styles.filter((other) => other.id !== style.id));
    keepDraft();
  } catch (error) {
    fail(error);
  }
}
