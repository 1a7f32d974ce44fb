// Sheets: one order painted small several times, with one or two settings swept. Choose one and paint it large.
import * as api from "./api.js";
import { app, fail, setState, stage, stopJob } from "./app.js";
import { $, ask, element, morphList } from "./dom.js";
import { forget } from "./news.js";
import { applyOrder, order, paint, paintLarge } from "./orders.js";
import { drawStrip, endWatching, showItem } from "./results.js";
import { texts } from "./texts.js";

const nameOf = (setting) => {
  const name = texts.settings[setting] || setting.replaceAll("_", " ");
  return name[0].toUpperCase() + name.slice(1);
};
const show = (value) => (typeof value === "boolean" ? (value ? texts.yes : texts.no) : String(value));

// All pictures of a sheet, painted or not, in the order of its grid.
export function cellsOf(sheet) {
  const items = app.history.filter((item) => item.place?.sheet === sheet);
  const done = new Set(items.map((item) => item.job));
  const jobs = [...app.jobs.values()].filter((job) => job.place?.sheet === sheet && !done.has(job.id) && job.state !== "canceled");
  const cells = [...items.map((item) => ({ item, place: item.place, order: item.order, key: item.job || item.id })),
    ...jobs.map((job) => ({ job, place: job.place, order: job.order, key: job.id }))];
  const rank = ({ place }) => Object.entries(place.axes).reduce((sum, [name, values]) => sum * values.length + values.indexOf(place.values[name]), 0);
  return cells.sort((one, other) => rank(one) - rank(other));
}

export function showSheet(sheet, chosen) {
  const cells = cellsOf(sheet);
  if (!cells.length) return endWatching();
  app.shown = { sheet, chosen: chosen ?? (app.shown?.sheet === sheet ? app.shown.chosen : undefined) };
  stage.setResult(null);
  setState("sheet");
  drawSheet();
  drawStrip();
}

export function drawSheet() {
  const { sheet } = app.shown;
  const cells = cellsOf(sheet);
  if (!cells.length) return endWatching();
  const chosen = cells.find((cell) => cell.key === app.shown.chosen);
  const axes = Object.entries(cells[0].place.axes);
  const drawn = axes.length === 2 ? table(axes, cells) : list(axes[0], cells);
  drawn.dataset.key = sheet;
  morphList($("sheet-grid"), [drawn]);
  $("sheet-title").textContent = axes.map(([name]) => nameOf(name)).join(" × ");
  const open = cells.filter((cell) => cell.job && cell.job.state !== "failed");
  $("sheet-facts").textContent = chosen ? axes.map(([name]) => `${nameOf(name)} ${show(chosen.place.values[name])}`).join(" · ")
    : open.length ? texts.sheetPainting(cells.length - open.length, cells.length) : texts.sheetChoose;
  const act = (text, onclick, properties = {}) => element("button", { type: "button", onclick, ...properties }, text);
  const current = () => cellsOf(sheet).find((cell) => cell.key === app.shown.chosen);
  morphList($("sheet-actions"), [
    act(texts.large, () => paintLarge(current()), { class: "primary wide", disabled: !chosen, "data-key": "large" }),
    act(texts.sheetOpen, () => showItem(current().item), { disabled: !chosen?.item, "data-key": "open" }),
    ...(open.length ? [act(texts.sheetStop, () => stopAll(sheet), { "data-key": "stop" })] : []),
    act(texts.back, endWatching, { "data-key": "back" }),
    act(texts.sheetRemove, () => removeAll(sheet), { class: "danger", "data-key": "remove" }),
  ]);
}

function list([name], cells) {
  const columns = cells.length <= 3 ? cells.length : cells.length === 4 ? 2 : Math.ceil(Math.sqrt(cells.length));
  const made = element("div", { class: "sheet-list" }, ...cells.map((cell) => button(cell, `${nameOf(name)} ${show(cell.place.values[name])}`, true)));
  made.style.setProperty("--columns", columns);
  return made;
}

function table([[rowName, rows], [columnName, columns]], cells) {
  const find = (row, column) => cells.find(({ place }) => place.values[rowName] === row && place.values[columnName] === column);
  const head = element("tr", {}, element("td", {}), ...columns.map((value) => element("th", { scope: "col" }, `${nameOf(columnName)} ${show(value)}`)));
  const body = rows.map((row) => element("tr", {}, element("th", { scope: "row" }, `${nameOf(rowName)} ${show(row)}`), ...columns.map((column) => {
    const cell = find(row, column);
    return element("td", {}, ...(cell ? [button(cell, `${nameOf(rowName)} ${show(row)}, ${nameOf(columnName)} ${show(column)}`, false)] : []));
  })));
  const made = element("table", { class: "sheet-table" }, element("thead", {}, head), element("tbody", {}, ...body));
  made.style.setProperty("--columns", columns.length);
  return made;
}

function button(cell, label, isShown) {
  const { item, job, key } = cell;
  const state = item ? "" : job.state === "failed" ? texts.failed : job.state === "queued" ? texts.queued : `${Math.round((100 * (job.done || 0)) / (job.total || 1))} %`;
  const source = item ? `/api/history/${item.id}/image?format=png` : job.preview ? `/api/jobs/${job.id}/preview?v=${job.preview}` : "";
  const made = element("button", {
    type: "button", class: "cell", "aria-pressed": String(key === app.shown.chosen), "aria-label": state ? `${label}: ${state}` : label, title: job?.error || label,
    onclick: () => {
      const now = cellsOf(app.shown.sheet).find((each) => each.key === key);
      if (app.shown.chosen === key && now?.item) return showItem(now.item);
      app.shown.chosen = key;
      drawSheet();
    }, onkeydown: moveByArrow,
  }, ...(source ? [element("img", { src: source, alt: "" })] : [element("span", { class: "cell-empty" })]),
    ...(state ? [element("span", { class: "cell-state" }, state)] : []), ...(isShown ? [element("span", { class: "cell-label" }, label)] : []));
  made.dataset.cell = key;
  return made;
}

function moveByArrow(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0, ArrowDown: 0 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const cells = [...$("sheet-grid").querySelectorAll(".cell")];
  const columns = Number(getComputedStyle(event.currentTarget.closest(".sheet-list, .sheet-table")).getPropertyValue("--columns"));
  const jump = step || (event.key === "ArrowUp" ? -columns : columns);
  cells[cells.indexOf(event.currentTarget) + jump]?.focus();
}

async function stopAll(sheet) {
  for (const { job } of cellsOf(sheet).reverse()) if (job && job.state !== "failed") await stopJob(job); // those that wait come first
}

async function removeAll(sheet) {
  const sure = await ask(texts.sheetRemoveAsk(cellsOf(sheet).length), [{ text: texts.cancel, value: false }, { text: texts.remove, value: true, primary: true }]);
  if (!sure) return;
  try {
    for (let cells = cellsOf(sheet); cells.length; cells = cellsOf(sheet)) await removeCell(cells.at(-1)); // those that wait come first
  } catch (error) {
    fail(error);
  }
}

async function removeCell({ item, job }) {
  try {
    await api.remove(item ? `/api/history/${item.id}` : `/api/jobs/${job.id}`);
  } catch (error) {
    if (error.status !== 404) throw error;
    if (job && app.jobs.has(job.id)) return new Promise((resolve) => setTimeout(resolve, 100)); // it is saved: its picture is about to come
  }
  forget(item ? item.id : job.id);
}

// Ask which settings to sweep, beginning with the suggestions of the server; the server checks them.
export async function askSheet(from) {
  if (from?.order) applyOrder(from.order);
  const names = Object.keys(app.axes);
  const message = element("p", { class: "field-error", role: "alert", hidden: true });
  const rows = ["strength", ""].map((chosen, index) => {
    const values = element("input", { type: "text", id: `sweep-values-${index}`, "aria-label": texts.sweepValues(index + 1), spellcheck: false });
    const select = element("select", { id: `sweep-${index}`, "aria-label": texts.sweepSetting(index + 1), onchange: () => fill() },
      ...(index ? [new Option(texts.sweepNone, "")] : []), ...names.map((name) => new Option(nameOf(name), name)));
    const fill = () => {
      values.value = select.value ? app.axes[select.value].join(", ") : "";
      values.disabled = !select.value;
      count();
    };
    select.value = chosen;
    values.addEventListener("input", () => count());
    return { select, values, fill };
  });
  const total = element("p", { class: "hint", role: "status" });
  const count = () => {
    const pictures = rows.reduce((product, { select, values }) => product * (select.value ? values.value.split(",").filter((part) => part.trim()).length : 1), 1);
    total.textContent = texts.sweepCount(pictures);
  };
  for (const { fill } of rows) fill();
  const form = element("div", { class: "sweep" }, element("p", { class: "hint" }, texts.sweepText),
    ...rows.map(({ select, values }) => element("div", { class: "sweep-row" }, select, values)), total, message);
  while (await ask(texts.sweepTitle, [{ text: texts.cancel, value: false }, { text: texts.sweepStart, value: true, primary: true }], form)) {
    const grid = rows.filter(({ select }) => select.value).map(({ select, values }) => `${select.value}=${values.value}`);
    const problem = await paint({ grid }, { quiet: true });
    if (!problem) return;
    message.hidden = false;
    message.textContent = problem.message;
  }
}
