// The photo and its mask: opening, finding the subject, correcting, saving.
import * as api from "./api.js";
import { app, fail, setState, stage, stem } from "./app.js";
import { $, element, pickFiles, say, showMessage } from "./dom.js";
import { Editor } from "./editor.js";
import { Mask } from "./mask.js";
import { applyOrder } from "./orders.js";
import { texts } from "./texts.js";
import { drawTools } from "./tools.js";

export const editor = new Editor(stage, {
  onClickPoint: (point) => correct(point),
  onBox: (box) => findAgain({ box }),
  onMaskChange: () => saveMaskSoon(),
  onTool: drawTools,
});

export function showDrop() {
  app.photo = null;
  app.shown = null;
  setState("empty");
}

export async function addPhoto(file) {
  showMessage("");
  if (app.limit && file.size > app.limit) return fail(new api.ApiError(texts.tooLarge(`${Math.round(app.limit / 2 ** 20)} MB`), 413));
  try {
    await openPhoto(await api.upload("/api/photos", file));
  } catch (error) {
    fail(error);
  }
}

export async function openPhoto(photo) {
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

export async function updatePhoto(photo) {
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

export async function resetMask() {
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
export function saveMaskSoon() {
  app.maskDirty = true;
  $("app").dataset.saving = "true";
  drawTools();
  drawSubject();
  clearTimeout(saveTimer);
  saveTimer = setTimeout(flushMask, 350);
}

export function flushMask() {
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

export async function uploadMask() {
  const [file] = await pickFiles();
  if (!file) return;
  try {
    await updatePhoto(await api.upload(`/api/photos/${app.photo.id}/mask`, file));
  } catch (error) {
    fail(error);
  }
}

export function invert() {
  if (!editor.enabled) return;
  stage.mask.invert();
  saveMaskSoon();
}
