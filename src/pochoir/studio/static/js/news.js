// News of the server: events while the page is connected, and the whole state at first and after a break.
import { animate } from "./animate.js";
import * as api from "./api.js";
import { app, fail, inquire, isLost, noteGone, noteThere } from "./app.js";
import { say, showMessage } from "./dom.js";
import { looks } from "./orders.js";
import { flushMask, updatePhoto } from "./photo.js";
import { drawProgress, drawStrip, endWatching, showItem } from "./results.js";
import { drawSheet } from "./sheet.js";
import { texts } from "./texts.js";
import { video } from "./video.js";

let batch = null;
let wasOffline = false;
let isSetUp = false; // whether the state has come
let reading = null; // the last reading of the state, until it is done
let isBehind = false; // whether the state is read again after that

// `tab` is the Batch tab.
export function connect(tab) {
  batch = tab;
  api.listen(onEvent, (isOnline) => {
    if (!isOnline) {
      wasOffline = true;
      showMessage(texts.offline);
    } else if (wasOffline) {
      wasOffline = false;
      showMessage("");
      say(texts.reconnected);
      catchUp();
    } else if (isSetUp) catchUp(); // the connection was slow, and the state came before it
  });
}

// Read the state; `use(state)` takes what is neither a job nor a result nor the warning.
export function readState(use) {
  const state = takeState(use);
  reading = state.catch(() => {});
  return state;
}

async function takeState(use) {
  const before = { jobs: new Map(app.jobs), items: new Map(app.history.map((item) => [item.id, item])) };
  const { answer: state, gone } = await inquire(() => api.get("/api/state"));
  use(state);
  isSetUp = true;
  takeItems(state.history.filter((item) => !gone.has(item.id)), before.items);
  takeJobs(state.jobs.filter((job) => !gone.has(job.id)), before.jobs);
  drawStrip();
  warn(state.warning);
  return state;
}

// Events that were sent during a break are lost.
async function catchUp() {
  if (isBehind) return;
  isBehind = true;
  await reading;
  isBehind = false;
  if (!isSetUp) return location.reload(); // the state did not come when the page was opened
  try {
    const saved = flushMask();
    await readState(({ styles }) => setStyles(styles));
    await saved;
    if (app.photo) await updatePhoto(await api.get(`/api/photos/${app.photo.id}`));
  } catch (error) {
    fail(error);
  }
}

// Items and jobs that changed since the state was asked for came with events, which are newer than it.
function takeItems(items, before) {
  const newer = app.history.filter((item) => before.get(item.id) !== item);
  const ids = new Set(newer.map((item) => item.id));
  const older = items.filter((item) => !ids.has(item.id));
  app.history = [...newer, ...older];
  for (const item of older) if (before.get(item.id)?.made !== item.made || before.get(item.id).job !== item.job) showNew(item);
  const known = new Set(app.history.map((item) => item.id));
  for (const id of before.keys()) if (!known.has(id)) forget(id);
}

function takeJobs(jobs, before) {
  const isOld = (id) => app.jobs.get(id) === before.get(id);
  const ids = new Set(jobs.map((job) => job.id));
  for (const job of jobs.filter((each) => isOld(each.id))) {
    showJob(job);
    if (before.has(job.id) && before.get(job.id).state !== "failed") showFailure(job);
  }
  for (const job of before.values()) if (!ids.has(job.id) && isOld(job.id)) forget(job.id);
}

function onEvent(event) {
  if (event.type === "photo" && event.photo.id === app.photo?.id) updatePhoto(event.photo);
  else if (event.type === "job") {
    noteThere(event.job.id);
    showJob(event.job);
    showFailure(event.job);
    drawStrip();
  } else if (event.type === "history") {
    noteThere(event.item.id);
    app.history = [event.item, ...app.history.filter((other) => other.id !== event.item.id)];
    showNew(event.item);
    drawStrip();
  } else if (event.type === "removed") {
    noteGone(event.id);
    forget(event.id);
  } else if (event.type === "styles") setStyles(event.styles);
  else if (event.type === "warning") warn(event.text);
}

export function setStyles(styles) {
  looks.setStyles(styles);
  video.setStyles(styles);
}

// A message of the server that stands until it is withdrawn, such as that of a full disk.
let warning = "";
function warn(text) {
  if (text || warning) showMessage(text);
  if (warning && !text) flushMask();
  warning = text;
}

function showJob(job) {
  app.jobs.set(job.id, job);
  batch.update(job);
  animate.updateJob(job);
  video.updateJob(job);
  if (app.shown?.job === job.id) {
    if (isLost(job)) endWatching();
    else drawProgress(job);
  }
  if (app.shown?.sheet && app.shown.sheet === job.place?.sheet) drawSheet();
}

function showFailure(job) {
  if (job.state === "failed") showMessage(`${job.name}: ${job.error}`);
}

function showNew(item) {
  batch.addResult(item);
  animate.addItem(item);
  video.addItem(item);
  if (app.shown?.sheet && app.shown.sheet === item.place?.sheet) drawSheet();
  if (app.shown?.job && app.shown.job === item.job) {
    showItem(item);
    say(texts.saved(item.name));
  }
}

// Forget a result, or a job that ended without one.
export function forget(id) {
  const made = app.history.find((item) => item.id === id)?.job;
  if (["saved", "skipped"].includes(app.jobs.get(made)?.state)) app.jobs.delete(made); // nothing more comes of it
  app.history = app.history.filter((item) => item.id !== id);
  app.jobs.delete(id);
  batch.forget(id);
  animate.forget(id);
  video.forget(id);
  if (app.shown?.job === id || app.shown?.item?.id === id) endWatching();
  if (app.shown?.sheet) drawSheet();
  drawStrip();
}
