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

export const stem = (name) => name.replace(/\.[^.]+$/, "");
