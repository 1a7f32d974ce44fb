// Paintings while they are made, and results: shown, compared, copied, deleted.
import { animate } from "./animate.js";
import * as api from "./api.js";
import { app, fail, isLost, queue, setState, stage } from "./app.js";
import { $, ask, element, say, showMessage } from "./dom.js";
import { forget } from "./news.js";
import { applyOrder, paintLarge } from "./orders.js";
import { openPhoto } from "./photo.js";
import { askSheet, showSheet } from "./sheet.js";
import { Strip } from "./strip.js";
import { openTab } from "./tabs.js";
import { texts } from "./texts.js";
import { drawViews, setMode } from "./tools.js";
import { video } from "./video.js";

const strip = new Strip($("strip"), {
  onJob: (job) => {
    if (job.kind === "stylize") openTab("paint");
    watch(job);
  },
  onItem: (item) => {
    if (animate.isOpen && item.kind !== "film") return animate.choose(item);
    if (item.kind === "picture") openTab("paint");
    return showItem(item);
  },
  onSheet: (sheet) => (openTab("paint"), showSheet(sheet)), onRemove: removeItem, onRetry: retryJob,
});

export async function watch(job) {
  if (job.kind !== "stylize") return openTab(job.kind === "video" ? "video" : "animate", null, job);
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
  else if (!app.jobs.has(job.id) || isLost(app.jobs.get(job.id))) endWatching();
}

export async function drawProgress(job) {
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

export async function retryJob(job) {
  const tries = await ask(`${job.name}: ${job.error}`, [{ text: texts.cancel, value: null }, { text: texts.remove, value: "remove" }, { text: texts.retry, value: "retry", primary: true }]);
  try {
    if (tries === "retry") {
      const { jobs: [queued] } = await queue(() => api.post(`/api/jobs/${job.id}/retry`));
      showMessage("");
      await watch(queued);
    } else if (tries === "remove") {
      await api.remove(`/api/jobs/${job.id}`);
      forget(job.id);
    }
    drawStrip();
  } catch (error) {
    fail(error);
  }
}

export function endWatching() {
  app.shown = null;
  stage.setResult(null);
  stage.mode = "edit";
  setState(app.photo ? "edit" : "empty");
  stage.draw();
}

export async function showItem(item) {
  if (item.kind !== "picture") return openTab(item.kind === "film" ? "video" : "animate", item);
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
    const bitmap = await createImageBitmap(await api.get(`/api/history/${item.id}/image?format=png`), { premultiplyAlpha: "default" });
    if (app.shown?.item?.id !== item.id) return;
    if (!app.photo) stage.setPhoto(bitmap, { width: bitmap.width, height: bitmap.height });
    stage.setOther(null);
    stage.setResult(bitmap);
    stage.mode = app.photo ? "compare" : "result";
    setState("result");
    drawViews();
    drawResult(item);
    stage.resize();
    $("stage").focus({ preventScroll: true });
    await drawRecipe(item);
  } catch (error) {
    fail(error);
  }
}

// The recipe comes after the picture: it is read by a process that may be busy.
async function drawRecipe(item) {
  $("command").textContent = $("python").textContent = "";
  const recipe = await api.get(`/api/history/${item.id}/recipe`);
  if (app.shown?.item?.id !== item.id) return;
  $("command").textContent = recipe.command;
  $("python").textContent = recipe.python;
}

function drawResult(item) {
  $("result-title").textContent = item.name;
  const facts = [`${item.width} × ${item.height}`, ...(item.seconds ? [texts.seconds(item.seconds)] : []), ...(item.notes || [])];
  $("result-facts").textContent = facts.join(" · ");
  const link = (name, query) => element("a", { class: "button", href: `/api/history/${item.id}/image?download=1&${query}`, download: "" }, name);
  const formats = element("details", { class: "menu" }, element("summary", { class: "button" }, texts.download),
    element("div", { class: "menu-items" },
      link("PNG", "format=png"), link("JPEG", "format=jpeg"), link("WebP", "format=webp"), link("TIFF", "format=tiff"),
      ...(item.has_matte ? [link(texts.views.cutout, "format=png&as=cutout"), link(texts.views.matte, "format=png&as=matte"), link("OpenRaster", "format=ora&as=layers")] : []),
      link("PNG, no recipe", "format=png&recipe=0")));
  const others = app.history.filter((other) => other.kind === "picture" && other.id !== item.id && other.photo === item.photo);
  const compare = element("select", { "aria-label": texts.compareWith, onchange: (event) => compareWith(event.target.value) },
    new Option(texts.views.photo, ""), ...others.map((other) => new Option(other.name, other.id)));
  $("result-actions").replaceChildren(
    element("button", { type: "button", class: "primary", onclick: () => paintAgain(item) }, texts.again),
    formats,
    element("button", { type: "button", onclick: () => openTab("animate") }, texts.animateThis),
    element("button", { type: "button", onclick: () => copyPicture(item) }, texts.copy),
    ...(others.length ? [element("label", { class: "inline" }, `${texts.compareWith} `, compare)] : []),
    ...(item.place ? [element("button", { type: "button", onclick: () => paintLarge(item) }, texts.large), element("button", { type: "button", onclick: () => showSheet(item.place.sheet, item.job || item.id) }, texts.sheetBack)] : []),
    ...(item.order && app.photo ? [element("button", { type: "button", onclick: () => askSheet(item) }, texts.sweep)] : []),
    element("button", { type: "button", class: "danger", onclick: () => removeItem(item) }, texts.remove),
  );
}

async function compareWith(id) {
  if (!id) return stage.setOther(null);
  try {
    stage.setOther(await createImageBitmap(await api.get(`/api/history/${id}/image?format=png`)));
    setMode("compare");
  } catch (error) {
    fail(error);
  }
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

export async function removeItem(item) {
  const sure = await ask(texts.removeAsk(item.name), [{ text: texts.cancel, value: false }, { text: texts.remove, value: true, primary: true }]);
  if (!sure) return;
  try {
    await api.remove(`/api/history/${item.id}`);
  } catch (error) {
    if (error.status !== 404) return fail(error); // otherwise the file is gone already
  }
  forget(item.id);
}

export function drawStrip() {
  strip.draw([...app.jobs.values()], app.history, animate.isOpen ? animate.shown : video.isOpen ? video.shown : app.shown);
}
