// The page: starts, and hears tabs, keys and drops.
import { animate } from "./animate.js";
import * as api from "./api.js";
import { app, fail, stage, stopJob } from "./app.js";
import { Batch } from "./batch.js";
import { $, fillTemplates, fillTexts, keyDialog, pickFiles } from "./dom.js";
import { connect, readState, setStyles } from "./news.js";
import { addStyles, drawDials, looks, order, paint, restoreDraft } from "./orders.js";
import { addPhoto, editor, flushMask, invert, openPhoto, resetMask, saveMaskSoon, showDrop, uploadMask } from "./photo.js";
import { endWatching, removeItem, watch } from "./results.js";
import { askSheet } from "./sheet.js";
import { openTab, setUpTabs } from "./tabs.js";
import { TOOL_KEYS } from "./toolbutton.js";
import { setMode } from "./tools.js";
import { video } from "./video.js";

const batch = new Batch($("batch"), { order: () => order(), looks });
window.studio = { app, stage, editor, looks, animate, video, ready: start() };

async function start() {
  fillTemplates();
  fillTexts();
  setUpTabs({ batch });
  connect(batch);
  try {
    const { photo, jobs } = await readState((state) => {
      app.schema = state.settings;
      app.axes = state.axes;
      app.limit = state.limits.upload;
      animate.setUp({ schema: state.clip_settings, formats: state.clip_formats, motions: state.motions, onRemove: removeItem });
      video.setUp({ schema: state.film_settings, formats: state.film_formats, videos: state.videos, limit: state.limits.video, clipFormats: state.clip_formats, onRemove: removeItem });
      setStyles(state.styles);
      drawDials();
      restoreDraft();
    });
    if (photo) await openPhoto(photo);
    else showDrop();
    const running = jobs.find((job) => job.state === "started" && job.kind === "stylize" && !job.place);
    if (running && photo && running.photo === photo.id) watch(running);
  } catch (error) {
    fail(error);
    showDrop();
  }
  $("app").dataset.ready = "true";
}

// ---- Tabs, keys, drops ---------------------------------------------------------------------------------------------

function isTyping(target) {
  return target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea, dialog");
}

/** Close the open menus that do not hold an element; return whether there was one. */
function closeMenus(target) {
  const open = [...document.querySelectorAll("details.menu[open]")].filter((menu) => !menu.contains(target));
  for (const menu of open) menu.open = false;
  return open.length > 0;
}

addEventListener("pointerdown", (event) => closeMenus(event.target));

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && closeMenus(null)) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isTyping(event.target)) {
    event.preventDefault();
    if (stage.mask && (event.shiftKey ? stage.mask.redo() : stage.mask.undo())) saveMaskSoon();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog").open) return;
  if (video.isOpen && video.frames.key(event.key)) return event.preventDefault();
  if ($("app").dataset.tab !== "paint") return event.key === "?" && keyDialog();
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
  else if (state === "result" || state === "sheet") endWatching();
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
    openTab("batch");
    return batch.addDropped(event.dataTransfer);
  }
  if (files.length) openFile(files[0]);
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])][0];
  if (file) openFile(file);
});

const isVideo = (file) => file.type.startsWith("video/") || /\.(mkv|mov|m4v|avi)$/i.test(file.name);

function openFile(file) {
  if (isVideo(file) || (video.isOpen && file.type === "image/gif")) {
    openTab("video");
    return video.add(file);
  }
  if ($("app").dataset.tab !== "paint") openTab("paint");
  addPhoto(file);
}

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
  openTab("paint");
  showDrop();
  $("choose-photo").focus();
});
$("show-keys").addEventListener("click", keyDialog);
$("mask-reset").addEventListener("click", resetMask);
$("mask-upload").addEventListener("click", uploadMask);
$("paint").addEventListener("click", () => paint());
$("variations").addEventListener("click", () => paint({ variations: 4 }));
$("sweep").addEventListener("click", () => askSheet());
$("leave").addEventListener("click", endWatching);
$("stop").addEventListener("click", () => app.shown?.job && stopJob({ id: app.shown.job }));
