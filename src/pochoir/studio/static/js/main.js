// The page: keeps what the server says, and shows it.
import * as api from "./api.js";
import { Batch } from "./batch.js";
import { $, ask, element, fillTexts, keyDialog, pickFiles, say, showMessage } from "./dom.js";
import { Editor, TOOLS } from "./editor.js";
import { control } from "./form.js";
import { Looks } from "./looks.js";
import { Mask } from "./mask.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { texts } from "./texts.js";

const app = { photo: null, jobs: new Map(), history: [], settings: {}, schema: {}, dials: {}, shown: null, maskDirty: false };
const stage = new Stage($("canvas-holder"), $("canvas"), $("divider"), $("zoom-level"));
const editor = new Editor(stage, {
  onClickPoint: (point) => correct(point),
  onBox: (box) => findAgain({ box }),
  onMaskChange: () => saveMaskSoon(),
  onTool: drawTools,
});
const looks = new Looks({ regions: $("regions"), grid: $("looks"), blend: $("blend") }, { onChange: keepDraft, onAdd: addStyles, onRemove: removeStyle });
const strip = new Strip($("strip"), { onJob: watch, onItem: showItem, onStop: stopJob, onRemove: removeItem, onLarge: paintLarge });
const batch = new Batch($("batch"), { order: () => order(), looks });
window.studio = { app, stage, editor, looks, ready: start() };

async function start() {
  fillTexts();
  drawTabs("paint");
  connect();
  try {
    const state = await api.get("/api/state");
    app.schema = state.settings;
    app.limit = state.limits.upload;
    for (const job of state.jobs) app.jobs.set(job.id, job);
    app.history = state.history;
    looks.setStyles(state.styles);
    drawDials();
    restoreDraft();
    drawStrip();
    if (state.photo) await openPhoto(state.photo);
    else showDrop();
    const running = state.jobs.find((job) => job.state === "started");
    if (running && state.photo && running.photo === state.photo.id) watch(running);
  } catch (error) {
    fail(error);
    showDrop();
  }
  $("app").dataset.ready = "true";
}

// ---- The server's events -------------------------------------------------------------------------------------------

let wasOffline = false;
function connect() {
  api.listen(onEvent, (isOnline) => {
    if (!isOnline) {
      wasOffline = true;
      showMessage(texts.offline);
    } else if (wasOffline) {
      wasOffline = false;
      showMessage("");
      say(texts.reconnected);
    }
  });
}

function onEvent(event) {
  if (event.type === "photo" && event.photo.id === app.photo?.id) updatePhoto(event.photo);
  else if (event.type === "job") updateJob(event.job);
  else if (event.type === "history") addItem(event.item);
  else if (event.type === "removed") {
    app.history = app.history.filter((item) => item.id !== event.id);
    app.jobs.delete(event.id);
    drawStrip();
  } else if (event.type === "styles") looks.setStyles(event.styles);
}

function updateJob(job) {
  app.jobs.set(job.id, job);
  batch.update(job);
  if (app.shown?.job === job.id) drawProgress(job);
  drawStrip();
  if (job.state === "failed") {
    if (job.id === app.shown?.job) endWatching();
    showMessage(`${job.name}: ${job.error}`);
  }
}

function addItem(item) {
  app.history = [item, ...app.history.filter((other) => other.id !== item.id)];
  batch.addResult(item);
  drawStrip();
  if (app.shown?.job && app.shown.job === item.job) {
    showItem(item);
    say(texts.saved(item.name));
  }
}

// ---- Photo and mask ------------------------------------------------------------------------------------------------

function setState(state) {
  $("app").dataset.state = state;
  $("drop").hidden = state !== "empty";
  $("canvas-holder").hidden = state === "empty";
  const hasPhoto = Boolean(app.photo);
  for (const id of ["subject-block", "looks-block", "dials-block", "go"]) $(id).hidden = !hasPhoto || state === "result" || state === "empty";
  $("tools").hidden = state !== "edit";
  $("views").hidden = state !== "result";
  $("result-block").hidden = state !== "result";
  $("progress").hidden = state !== "painting";
  $("new-photo").hidden = state === "empty";
}

function showDrop() {
  app.photo = null;
  app.shown = null;
  setState("empty");
}

async function addPhoto(file) {
  showMessage("");
  if (app.limit && file.size > app.limit) return fail(new api.ApiError(texts.tooLarge(`${Math.round(app.limit / 2 ** 20)} MB`), 413));
  try {
    await openPhoto(await api.upload("/api/photos", file));
  } catch (error) {
    fail(error);
  }
}

async function openPhoto(photo) {
  app.photo = photo;
  app.shown = null;
  app.version = null;
  editor.enabled = false;
  stage.setMask(null);
  stage.mode = "edit";
  setState("edit");
  const blob = await api.get(`/api/photos/${photo.id}/image`);
  if (app.photo?.id !== photo.id) return; // another photo was opened meanwhile
  stage.setPhoto(await createImageBitmap(blob, { imageOrientation: "none" }), { width: photo.width, height: photo.height });
  stage.resize();
  editor.setRadius(Math.max(4, Math.round(Math.max(photo.width, photo.height) / 40)));
  $("canvas").setAttribute("aria-label", photo.name);
  if (photo.order) {
    applyOrder(photo.order);
    say(texts.recipeBack);
  }
  editor.setTool(editor.tool);
  await updatePhoto(photo);
}

async function updatePhoto(photo) {
  app.photo = { ...app.photo, ...photo };
  drawSubject();
  $("mask-download").href = `/api/photos/${photo.id}/mask`;
  $("mask-download").setAttribute("download", `${stem(photo.name)}-mask.png`);
  if (photo.error) showMessage(photo.error);
  if (photo.state === "finding" || photo.mask_version === app.version) return;
  app.version = photo.mask_version;
  if (!photo.mask_version) return;
  const blob = await api.get(`/api/photos/${photo.id}/mask?v=${photo.mask_version}`);
  const mask = await Mask.fromImage(blob, photo.width, photo.height);
  if (app.photo?.id !== photo.id) return;
  if (stage.mask && stage.mask.width === mask.width && stage.mask.height === mask.height) {
    stage.mask.replace(mask.data);
  } else {
    mask.onChange = (rect, isWhole) => {
      stage.updateMask(rect);
      if (isWhole) drawTools();
    };
    stage.setMask(mask);
  }
  editor.enabled = true;
  drawSubject();
  drawTools();
}

function drawSubject() {
  const { photo } = app;
  const status = $("subject-status");
  status.classList.toggle("busy", photo.state === "finding");
  if (photo.state === "finding") status.textContent = texts.finding;
  else if (!stage.mask) status.textContent = photo.error || "";
  else {
    const share = Math.round(100 * stage.mask.share());
    status.textContent = share === 0 ? texts.noSubject : share === 100 ? texts.full : texts.found(share);
  }
  const parts = $("parts");
  parts.hidden = !(photo.parts > 1);
  if (!parts.hidden) {
    const choices = [["all", texts.allParts], ...Array.from({ length: Math.min(photo.parts, 8) }, (_, index) => [String(index + 1), texts.part(index + 1)])];
    parts.replaceChildren(...choices.map(([value, name]) => element("button", {
      type: "button", "aria-pressed": String((photo.subject || "all") === value), onclick: () => findAgain({ subject: value }),
    }, name)));
  }
}

function correct(point) {
  const { photo } = app;
  const corrections = photo.corrections || { keep_points: [], drop_points: [] };
  const name = point.keep ? "keep_points" : "drop_points";
  corrections[name] = [...(corrections[name] || []), [point.x, point.y]];
  findAgain({ ...corrections });
}

async function findAgain(change) {
  try {
    await flushMask();
    app.photo.corrections = { ...(app.photo.corrections || {}), ...change };
    await updatePhoto(await api.post(`/api/photos/${app.photo.id}/subject`, app.photo.corrections));
  } catch (error) {
    fail(error);
  }
}

async function resetMask() {
  app.photo.corrections = {};
  stage.marks = [];
  stage.draw();
  try {
    await updatePhoto(await api.remove(`/api/photos/${app.photo.id}/mask`));
  } catch (error) {
    fail(error);
  }
}

let saveTimer = 0, saving = Promise.resolve();
function saveMaskSoon() {
  app.maskDirty = true;
  $("app").dataset.saving = "true";
  drawTools();
  drawSubject();
  clearTimeout(saveTimer);
  saveTimer = setTimeout(flushMask, 350);
}

function flushMask() {
  clearTimeout(saveTimer);
  if (!app.maskDirty || !app.photo || !stage.mask) return saving;
  app.maskDirty = false;
  const { photo } = app;
  const data = stage.mask.data.slice();
  saving = saving.then(async () => {
    try {
      const body = await api.gzip(data);
      const saved = await api.put(`/api/photos/${photo.id}/mask`, body, { headers: { "Content-Type": "application/x-pochoir-mask" } });
      if (app.photo?.id === photo.id) app.version = saved.mask_version;
      say(texts.maskSaved);
      if (!app.maskDirty) delete $("app").dataset.saving;
    } catch (error) {
      app.maskDirty = true;
      fail(error);
    }
  });
  return saving;
}
addEventListener("visibilitychange", () => document.hidden && flushMask());
addEventListener("pagehide", () => flushMask());

async function uploadMask() {
  const [file] = await pickFiles();
  if (!file) return;
  try {
    await updatePhoto(await api.upload(`/api/photos/${app.photo.id}/mask`, file));
  } catch (error) {
    fail(error);
  }
}

// ---- Toolbars ------------------------------------------------------------------------------------------------------

const TOOL_KEYS = { keep: "K", drop: "D", brush: "B", erase: "E", lasso: "L", box: "X", pan: "H" };
const GLYPHS = { keep: "✛", drop: "⊖", brush: "●", erase: "○", lasso: "◌", box: "▭", pan: "✥", undo: "↶", redo: "↷", invert: "◐", clear: "∅" };

function toolButton(name, { pressed, disabled, act }) {
  const key = TOOL_KEYS[name];
  const button = element("button", { type: "button", class: "tool", disabled: Boolean(disabled), onclick: act, title: key ? `${texts.tools[name]} (${key})` : texts.tools[name], "aria-label": texts.tools[name] }, GLYPHS[name]);
  if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
  button.dataset.tool = name;
  return button;
}

function drawTools() {
  const focused = document.activeElement?.dataset?.tool;
  const bar = $("tools");
  bar.setAttribute("aria-label", texts.subjectTitle);
  const isReady = editor.enabled;
  const slider = (name, value, max, step, act) => element("label", { class: "mini" }, element("span", {}, texts.toolNames[name]),
    element("input", { type: "range", min: step, max, step, value, disabled: !isReady, title: texts.tools[name], oninput: (event) => act(Number(event.target.value)) }));
  if (bar.dataset.built) {
    for (const button of bar.querySelectorAll("button")) {
      const name = button.dataset.tool;
      if (TOOLS.includes(name)) button.setAttribute("aria-pressed", String(name === editor.tool));
      button.disabled = name === "undo" ? !stage.mask?.undoStack.length : name === "redo" ? !stage.mask?.redoStack.length : !isReady && name !== "pan";
    }
    const [size, hardness] = bar.querySelectorAll("input");
    for (const input of [size, hardness]) input.disabled = !isReady;
    size.value = Math.sqrt(editor.radius);
    hardness.value = editor.hardness;
    return;
  }
  bar.dataset.built = "true";
  bar.replaceChildren(
    element("div", { class: "group" }, ...TOOLS.map((name) => toolButton(name, { pressed: name === editor.tool, act: () => editor.setTool(name) }))),
    element("div", { class: "group" }, slider("size", Math.sqrt(editor.radius), 30, 0.25, (value) => editor.setRadius(value * value)), slider("hardness", editor.hardness, 1, 0.05, (value) => editor.setHardness(value))),
    element("div", { class: "group" },
      toolButton("undo", { act: () => stage.mask?.undo() && saveMaskSoon() }), toolButton("redo", { act: () => stage.mask?.redo() && saveMaskSoon() }),
      toolButton("invert", { act: invert }), toolButton("clear", { act: () => { stage.mask?.fill(0); saveMaskSoon(); } })),
  );
  drawTools();
  if (focused) bar.querySelector(`[data-tool="${focused}"]`)?.focus();
}

function invert() {
  if (!editor.enabled) return;
  stage.mask.invert();
  saveMaskSoon();
}

function drawViews() {
  const bar = $("views");
  bar.setAttribute("aria-label", texts.views.result);
  const item = app.shown?.item;
  const modes = ["compare", "result", "photo", ...(stage.mask ? ["matte", "cutout"] : [])];
  const button = (name, pressed, act) => element("button", { type: "button", "aria-pressed": String(pressed), onclick: act }, texts.views[name]);
  const grounds = item?.transparent || stage.mode === "cutout" ? ["checker", "white", "black", "own"] : [];
  const color = element("input", { type: "color", value: stage.ownColor, "aria-label": texts.views.own, oninput: (event) => { stage.ownColor = event.target.value; stage.ground = "own"; stage.draw(); } });
  bar.replaceChildren(
    element("div", { class: "group" }, ...modes.map((name) => button(name, stage.mode === name, () => setMode(name)))),
    ...(grounds.length ? [element("div", { class: "group" }, ...grounds.map((name) => button(name, stage.ground === name, () => { stage.ground = name; stage.draw(); drawViews(); })), color)] : []),
    element("div", { class: "group" }, button("fit", false, () => stage.fit()), button("actual", false, () => stage.zoomBy(1, null, stage.ratio))),
  );
}

function setMode(mode) {
  stage.mode = mode;
  stage.draw();
  drawViews();
}

// ---- Looks, dials and orders ---------------------------------------------------------------------------------------

const DIALS = ["strength", "style_scale", "color", "size"];

function drawDials() {
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

function order() {
  return { looks: structuredClone(looks.chosen), settings: { ...app.settings } };
}

function applyOrder({ looks: chosen, settings }) {
  looks.setChosen(chosen || {});
  app.settings = { ...settings };
  for (const [name, dial] of Object.entries(app.dials)) dial.setValue(app.settings[name]);
  keepDraft();
}

function keepDraft() {
  localStorage.setItem("pochoir-draft", JSON.stringify(order()));
  showMessage("");
}

function restoreDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem("pochoir-draft") || "null");
    if (draft) applyOrder({ looks: draft.looks, settings: Object.fromEntries(Object.entries(draft.settings || {}).filter(([name]) => name in app.schema)) });
    else looks.draw();
  } catch {
    looks.draw();
  }
}

async function paint(extra = {}) {
  if (!app.photo) return;
  if (looks.isEmpty) {
    showMessage(texts.noLook);
    $("looks").querySelector(".look")?.focus();
    return;
  }
  showMessage("");
  try {
    await flushMask();
    const { jobs } = await api.post("/api/jobs", { photo: app.photo.id, ...order(), ...extra });
    for (const job of jobs) app.jobs.set(job.id, job);
    drawStrip();
    watch(jobs[0]);
  } catch (error) {
    fail(error);
  }
}

async function paintLarge(job) {
  const source = app.jobs.get(job.id) || job;
  if (source.order) applyOrder({ looks: source.order.looks, settings: { ...source.order.settings, size: undefined } });
  await paint();
}

async function addStyles(files) {
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

async function removeStyle(style) {
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

// ---- Watching a painting -------------------------------------------------------------------------------------------

async function watch(job) {
  if (job.photo !== app.photo?.id) {
    try {
      await openPhoto(await api.get(`/api/photos/${job.photo}`));
    } catch (error) {
      return fail(error);
    }
  }
  app.shown = { job: job.id, preview: 0 };
  stage.setResult(null);
  stage.mode = "result";
  setState("painting");
  drawProgress(app.jobs.get(job.id) || job);
  $("stop").focus({ preventScroll: true });
  const done = app.history.find((item) => item.job === job.id);
  if (done) showItem(done);
}

async function drawProgress(job) {
  const isBusy = job.state === "queued" || job.state === "started";
  $("progress-text").textContent = job.stopping ? texts.stopping : job.state === "queued" ? texts.queued
    : job.done ? texts.painting(job.done, job.total, job.left_s == null ? "" : texts.seconds(job.left_s)) : job.stage || texts.preparing;
  $("progress-fill").style.transform = `scaleX(${job.total ? job.done / job.total : 0})`;
  $("stop").disabled = !isBusy || Boolean(job.stopping);
  if (job.preview && job.preview !== app.shown.preview) {
    const { shown } = app;
    shown.preview = job.preview;
    try {
      const bitmap = await createImageBitmap(await api.get(`/api/jobs/${job.id}/preview?v=${job.preview}`));
      if (app.shown === shown && $("app").dataset.state === "painting") stage.setResult(bitmap);
      $("app").dataset.previewed = job.id;
    } catch {}
  }
}

async function stopJob(job) {
  try {
    updateJob(await api.post(`/api/jobs/${job.id}/stop`));
  } catch (error) {
    fail(error);
  }
}

function endWatching() {
  app.shown = null;
  stage.setResult(null);
  stage.mode = "edit";
  setState(app.photo ? "edit" : "empty");
  stage.draw();
}

// ---- Results -------------------------------------------------------------------------------------------------------

async function showItem(item) {
  try {
    if (item.photo && item.photo !== app.photo?.id) {
      try {
        await openPhoto(await api.get(`/api/photos/${item.photo}`));
      } catch {
        app.photo = null;
        stage.setMask(null);
      }
    }
    app.shown = { item };
    const [picture, recipe] = await Promise.all([
      api.get(`/api/history/${item.id}/image?format=png`),
      api.get(`/api/history/${item.id}/recipe`),
    ]);
    const bitmap = await createImageBitmap(picture, { premultiplyAlpha: "default" });
    if (app.shown?.item?.id !== item.id) return;
    if (!app.photo) stage.setPhoto(bitmap, { width: bitmap.width, height: bitmap.height });
    stage.setOther(null);
    stage.setResult(bitmap);
    stage.mode = app.photo ? "compare" : "result";
    setState("result");
    drawViews();
    drawResult(item, recipe);
    stage.resize();
    $("stage").focus({ preventScroll: true });
  } catch (error) {
    fail(error);
  }
}

function drawResult(item, recipe) {
  $("result-title").textContent = item.name;
  const facts = [`${item.width} × ${item.height}`, ...(item.seconds ? [texts.seconds(item.seconds)] : []), ...(item.notes || [])];
  $("result-facts").textContent = facts.join(" · ");
  const link = (name, query) => element("a", { class: "button", href: `/api/history/${item.id}/image?download=1&${query}`, download: "" }, name);
  const formats = element("details", { class: "menu" }, element("summary", { class: "button" }, texts.download),
    element("div", { class: "menu-items" },
      link("PNG", "format=png"), link("JPEG", "format=jpeg"), link("WebP", "format=webp"), link("TIFF", "format=tiff"),
      ...(item.has_matte ? [link(texts.views.cutout, "format=png&as=cutout"), link(texts.views.matte, "format=png&as=matte"), link("OpenRaster", "format=ora&as=layers")] : []),
      link("PNG, no recipe", "format=png&recipe=0")));
  const others = app.history.filter((other) => other.id !== item.id && other.photo === item.photo);
  const compare = element("select", { "aria-label": texts.compareWith, onchange: (event) => compareWith(event.target.value) },
    new Option(texts.views.photo, ""), ...others.map((other) => new Option(other.name, other.id)));
  $("result-actions").replaceChildren(
    element("button", { type: "button", class: "primary", onclick: () => paintAgain(item) }, texts.again),
    formats,
    element("button", { type: "button", onclick: () => copyPicture(item) }, texts.copy),
    ...(others.length ? [element("label", { class: "inline" }, `${texts.compareWith} `, compare)] : []),
    ...(item.variation ? [element("button", { type: "button", onclick: () => paintLarge({ id: item.job, order: item.order, photo: item.photo }) }, texts.large)] : []),
    element("button", { type: "button", class: "danger", onclick: () => removeItem(item) }, texts.remove),
  );
  $("command").textContent = recipe.command;
  $("python").textContent = recipe.python;
}

async function compareWith(id) {
  if (!id) return stage.setOther(null);
  stage.setOther(await createImageBitmap(await api.get(`/api/history/${id}/image?format=png`)));
  setMode("compare");
}

function paintAgain(item) {
  if (item.order) applyOrder(item.order);
  endWatching();
  $("paint").focus();
}

async function copyPicture(item) {
  try {
    const blob = await api.get(`/api/history/${item.id}/image?format=png`);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    say(texts.copied);
    showMessage("");
  } catch {
    showMessage(texts.copyFailed);
  }
}

async function removeItem(item) {
  const sure = await ask(texts.removeAsk(item.name), [{ text: texts.cancel, value: false }, { text: texts.remove, value: true, primary: true }]);
  if (!sure) return;
  try {
    await api.remove(item.state ? `/api/jobs/${item.id}` : `/api/history/${item.id}`);
    app.history = app.history.filter((other) => other.id !== item.id);
    app.jobs.delete(item.id);
    drawStrip();
    if (app.shown?.item?.id === item.id) endWatching();
  } catch (error) {
    fail(error);
  }
}

function drawStrip() {
  strip.draw([...app.jobs.values()], app.history, app.shown);
}

// ---- Tabs, keys, drops ---------------------------------------------------------------------------------------------

function drawTabs(active) {
  $("tabs").replaceChildren(...Object.entries(texts.tabs).map(([name, title]) => element("button", {
    type: "button", "aria-current": name === active ? "page" : "false", onclick: () => drawTabs(name),
  }, title)));
  const isBatch = active === "batch";
  $("batch").hidden = !isBatch;
  $("stage").hidden = $("panel").hidden = isBatch;
  if (isBatch) batch.draw();
  else stage.resize();
}

function isTyping(target) {
  return target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea, dialog");
}

addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isTyping(event.target)) {
    event.preventDefault();
    if (stage.mask && (event.shiftKey ? stage.mask.redo() : stage.mask.undo())) saveMaskSoon();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog").open) return;
  const isEditing = $("app").dataset.state === "edit";
  const tool = Object.keys(TOOL_KEYS).find((name) => TOOL_KEYS[name].toLowerCase() === event.key.toLowerCase());
  const actions = {
    "[": () => editor.setRadius(editor.radius / 1.25), "]": () => editor.setRadius(editor.radius * 1.25),
    "{": () => editor.setHardness(editor.hardness - 0.1), "}": () => editor.setHardness(editor.hardness + 0.1),
    i: () => isEditing && invert(), "?": keyDialog, "+": () => stage.zoomBy(1.25), "=": () => stage.zoomBy(1.25), "-": () => stage.zoomBy(0.8),
    0: () => stage.fit(), 1: () => stage.zoomBy(1, null, stage.ratio), p: () => app.photo && paint(),
    c: () => stage.result && setMode(stage.mode === "compare" ? "result" : "compare"), Escape: escape,
  };
  if (event.key in actions) {
    actions[event.key]();
    event.preventDefault();
  } else if (tool && isEditing) {
    editor.setTool(tool);
    $("canvas").focus({ preventScroll: true });
    event.preventDefault();
  }
});

function escape() {
  const state = $("app").dataset.state;
  if (state === "painting" && app.shown?.job) stopJob({ id: app.shown.job });
  else if (state === "result") endWatching();
  stage.draft = null;
  stage.draw();
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  if (!$("batch").hidden) return batch.addDropped(event.dataTransfer);
  const files = [...event.dataTransfer.files];
  if (event.target.closest?.("#looks-block")) return addStyles(files);
  if (files.length > 1) {
    drawTabs("batch");
    return batch.addDropped(event.dataTransfer);
  }
  if (files.length) addPhoto(files[0]);
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])][0];
  if (file) addPhoto(file);
});

$("choose-photo").addEventListener("click", async () => {
  const [file] = await pickFiles();
  if (file) addPhoto(file);
});
$("try-sample").addEventListener("click", async () => {
  try {
    await openPhoto(await api.post("/api/sample"));
  } catch (error) {
    fail(error);
  }
});
$("new-photo").addEventListener("click", async () => {
  await flushMask();
  showDrop();
  $("choose-photo").focus();
});
$("show-keys").addEventListener("click", keyDialog);
$("mask-reset").addEventListener("click", resetMask);
$("mask-upload").addEventListener("click", uploadMask);
$("paint").addEventListener("click", () => paint());
$("variations").addEventListener("click", () => paint({ variations: 4 }));
$("stop").addEventListener("click", () => app.shown?.job && stopJob({ id: app.shown.job }));

function fail(error) {
  if (error.name === "AbortError") return;
  if (error.status === 0) return showMessage(texts.offline);
  if (error.field && app.dials[error.field]) {
    app.dials[error.field].setError(error.message);
    if ($("more").contains(app.dials[error.field])) $("more").open = true;
  }
  showMessage(error.message);
}

const stem = (name) => name.replace(/\.[^.]+$/, "");
