// What the Animate and Video tabs share: a form of settings, a job that is watched, and its result in a player.
import * as api from "./api.js";
import { app, fail, isLost, queue, stopJob } from "./app.js";
import { $, element, say, showMessage } from "./dom.js";
import { downloadMenu } from "./download.js";
import { control } from "./form.js";
import { Player } from "./player.js";
import { ProgressBar } from "./progress.js";
import { texts } from "./texts.js";

export class JobTab {
  // `section` is the tab's part of the page, `kind` that of its jobs; ids of its elements begin with `prefix`.
  constructor({ section, kind, prefix }) {
    Object.assign(this, { section, kind, prefix });
    this.shown = null; // { job } or { item }
    this.settings = {};
    this.dials = {};
    this.previewed = 0;
  }

  setUpParts({ formats, stopText, onRemove }) {
    Object.assign(this, { downloads: formats, onRemove });
    this.player = new Player(this.at("player"));
    this.bar = new ProgressBar(this.at("progress"), { label: stopText, onStop: stopJob });
  }

  at(name) {
    return $(`${this.prefix}-${name}`);
  }

  get isOpen() {
    return !$(this.section).hidden;
  }

  // Drawn by each tab: its state, and what is shown while there is neither a job nor a result.
  draw() {}
  showSource() {}
  // Called after every change of a setting.
  onSetting() {}

  // ---- Form --------------------------------------------------------------------------------------------------------

  // Make the controls of a schema: those in `first` on top, the others under More.
  addDials(schema, first, { hidden = [] } = {}) {
    const names = Object.keys(schema).filter((name) => !first.includes(name) && !hidden.includes(name));
    this.at("dials").append(...first.filter((name) => name in schema).map((name) => this.dial(schema, name, this.settings)));
    this.at("more-form").append(...names.map((name) => this.dial(schema, name, this.settings)));
  }

  dial(schema, name, values) {
    this.dials[name] = control(name, schema[name], values[name], (field, value) => {
      if (value === (schema[field].default ?? null)) delete values[field];
      else values[field] = value;
      this.dials[field].setError("");
      this.onSetting();
    }, this.prefix);
    return this.dials[name];
  }

  // Give the settings new values; the controls keep the objects that they were made with.
  static fill(values, given) {
    for (const name of Object.keys(values)) delete values[name];
    Object.assign(values, given);
  }

  clearErrors() {
    showMessage("");
    for (const dial of Object.values(this.dials)) dial.setError("");
  }

  fail(error) {
    const dial = this.dials[error.field];
    if (dial) {
      dial.setError(error.message);
      if (this.at("more").contains(dial)) this.at("more").open = true;
    }
    fail(error);
  }

  // ---- Jobs --------------------------------------------------------------------------------------------------------

  async start(path, body) {
    try {
      const { jobs: [job], results: [item] } = await queue(() => api.post(path, body));
      if (item) return this.showItem(item);
      this.watch(job);
      this.bar.button.focus({ preventScroll: true });
      this.updateJob(job);
    } catch (error) {
      this.fail(error);
    }
  }

  watch(job) {
    this.shown = { job: job.id };
    this.draw();
    this.showSource();
  }

  // A job that runs is watched where nothing else is shown.
  watchRunning() {
    const running = [...app.jobs.values()].find((job) => job.kind === this.kind && (job.state === "started" || job.state === "queued"));
    if (running && !this.shown) this.shown = { job: running.id };
  }

  // Without anything to work on, the tab is a place to drop something, as wide as the page.
  drawEmpty(isEmpty) {
    $("app").dataset[`${this.section}Empty`] = String(isEmpty);
    $(`${this.prefix}-empty`).hidden = !isEmpty;
  }

  drawBar() {
    this.bar.draw(this.shown?.job ? app.jobs.get(this.shown.job) || null : null);
  }

  updateJob(job) {
    if (this.shown?.job !== job.id) return;
    if (isLost(job)) return this.showNothing();
    if (!this.isOpen) return;
    this.bar.draw(job);
    if (job.preview && job.preview !== this.previewed) {
      this.previewed = job.preview;
      this.player.showStill(`/api/jobs/${job.id}/preview?v=${job.preview}`);
    }
  }

  showNothing() {
    this.shown = null;
    this.draw();
    this.showSource();
  }

  // ---- Results -----------------------------------------------------------------------------------------------------

  addItem(item) {
    if (!this.shown?.job || this.shown.job !== item.job) return;
    this.showItem(item);
    say(texts.saved(item.name));
  }

  // Buttons for what was made, besides those for downloads and for removing it.
  actions(item) {
    return [element("button", { type: "button", class: "primary", onclick: () => this.again(item) }, texts.clipAgain)];
  }

  async showItem(item) {
    this.shown = { item };
    this.draw();
    this.player.item = null; // a film that went on has the same name
    this.player.show(item);
    this.at("title").textContent = item.name;
    const seconds = item.duration_s ? [texts.exactSeconds(item.duration_s)] : [];
    this.at("facts").textContent = [`${item.width} × ${item.height}`, texts.frames(item.frames), ...seconds, ...(item.notes || [])].join(" · ");
    this.at("actions").replaceChildren(
      ...this.actions(item),
      downloadMenu(item, this.downloads, { onError: fail, onBusy: (text) => { this.at("status").textContent = text; } }),
      element("button", { type: "button", class: "danger", onclick: () => this.onRemove(item) }, texts.remove),
    );
    try {
      const recipe = await api.get(`/api/history/${item.id}/recipe`);
      if (this.shown?.item?.id !== item.id) return;
      this.at("command").textContent = recipe.command;
      this.at("python").textContent = recipe.python;
    } catch (error) {
      fail(error);
    }
  }

  forget(id) {
    if (this.shown?.item?.id === id || this.shown?.job === id) this.showNothing();
  }
}
