// What the page knows, and what all of its parts use: the stage, states and errors.
import * as api from "./api.js";
import { $, showMessage } from "./dom.js";
import { Stage } from "./stage.js";
import { texts } from "./texts.js";

export const app = {
  photo: null, jobs: new Map(), history: [], settings: {}, schema: {}, axes: {}, dials: {}, shown: null, maskDirty: false,
};
export const stage = new Stage($("canvas-holder"), $("canvas"), $("divider"), $("zoom-level"));

export function setState(state) {
  $("app").dataset.state = state;
  $("drop").hidden = state !== "empty";
  $("canvas-holder").hidden = state === "empty" || state === "sheet";
  $("sheet").hidden = $("sheet-block").hidden = state !== "sheet";
  const hasPhoto = Boolean(app.photo);
  for (const id of ["subject-block", "looks-block", "dials-block", "go"]) $(id).hidden = !hasPhoto || state === "result" || state === "empty" || state === "sheet";
  $("tools").hidden = state !== "edit";
  $("views").hidden = state !== "result";
  $("result-block").hidden = state !== "result";
  $("progress").hidden = state !== "painting";
  $("new-photo").hidden = state === "empty";
}

export function fail(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof api.ApiError)) console.error(error); // a fault of the page itself
  if (error.status === 0) return showMessage(texts.offline);
  if (error.field && app.dials[error.field]) {
    app.dials[error.field].setError(error.message);
    if ($("more").contains(app.dials[error.field])) $("more").open = true;
  }
  showMessage(error.message);
}

// Whether a job ended without a result.
export const isLost = (job) => job?.state === "failed" || job?.state === "canceled";

const questions = new Set(); // of each that is not answered yet, the ids of what was removed since it was asked

// Ask the server; return its answer, and the ids of what was removed meanwhile: the answer may be older.
export async function inquire(ask) {
  const gone = new Set();
  questions.add(gone);
  try {
    return { answer: await ask(), gone };
  } finally {
    questions.delete(gone);
  }
}

// Note that a job or a result is gone, or that there is one again.
export function noteGone(id) {
  for (const gone of questions) gone.add(id);
}
export function noteThere(id) {
  for (const gone of questions) gone.delete(id);
}

// Ask the server for something that queues jobs; return its answer. Events that come before the answer are newer than it.
export async function queue(ask) {
  const before = new Map(app.jobs);
  const made = new Map(app.history.map((item) => [item.id, item.made]));
  const { answer, gone } = await inquire(ask);
  const jobs = (answer.jobs || [answer]).map((job) => {
    if (gone.has(job.id)) return { ...job, state: "canceled" };
    if (app.jobs.get(job.id) === before.get(job.id)) app.jobs.set(job.id, job);
    return app.jobs.get(job.id);
  });
  const results = jobs.map((job) => app.history.find((item) => item.job === job.id && made.get(item.id) !== item.made));
  return { jobs, results };
}

// Stop a job and keep what there is of it; one that waits is dropped.
export async function stopJob(job) {
  try {
    await api.post(`/api/jobs/${job.id}/stop`);
  } catch (error) {
    if (error.status !== 404) fail(error); // otherwise it has ended, and the news is on its way
  }
}

export const stem = (name) => name.replace(/\.[^.]+$/, "");
