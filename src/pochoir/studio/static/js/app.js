// What the page knows, and what all of its parts use: the stage, states and errors.
import { ApiError } from "./api.js";
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
  if (!(error instanceof ApiError)) console.error(error); // a fault of the page itself
  if (error.status === 0) return showMessage(texts.offline);
  if (error.field && app.dials[error.field]) {
    app.dials[error.field].setError(error.message);
    if ($("more").contains(app.dials[error.field])) $("more").open = true;
  }
  showMessage(error.message);
}

// Whether a job ended without a result.
export const isLost = (job) => job?.state === "failed" || job?.state === "canceled";

// Ask the server for something that queues jobs; return its answer. Events that come before the answer are newer than it.
export async function queue(ask) {
  const before = new Map(app.jobs);
  const items = new Set(app.history);
  const answer = await ask();
  const jobs = (answer.jobs || [answer]).map((job) => {
    if (app.jobs.get(job.id) === before.get(job.id)) app.jobs.set(job.id, job);
    return app.jobs.get(job.id);
  });
  const results = jobs.map((job) => app.history.find((item) => item.job === job.id && !items.has(item)));
  return { jobs, results };
}

export const stem = (name) => name.replace(/\.[^.]+$/, "");
