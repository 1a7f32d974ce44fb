// The Video tab: drop a video, choose looks, see five frames and the cost, paint it, watch it grow.
import * as api from "./api.js";
import { app, fail } from "./app.js";
import { $, element, pickFiles, say, showMessage } from "./dom.js";
import { downloadMenu } from "./download.js";
import { control } from "./form.js";
import { Looks } from "./looks.js";
import { order } from "./orders.js";
import { Player } from "./player.js";
import { ProgressBar } from "./progress.js";
import { drawStrip, removeItem } from "./results.js";
import { texts } from "./texts.js";

const DIALS = ["start", "end", "on"];
const PAINTING = ["strength", "style_scale", "color", "size"];

class VideoTab {
  constructor() {
    this.video = null;
    this.shown = null; // { job } or { item }
    this.settings = {};
    this.painting = {};
    this.dials = {};
    this.preview = null;
    this.format = "mp4";
  }

  setUp({ schema, formats, videos, limit, clipFormats }) {
    this.formats = formats;
    this.limit = limit;
    this.clipFormats = clipFormats;
    this.video = videos[0] || null;
    this.player = new Player($("video-player"));
    this.bar = new ProgressBar($("video-progress"), { label: texts.stop, onStop: (job) => this.stop(job) });
    this.looks = new Looks({ regions: $("video-regions"), grid: $("video-looks"), blend: $("video-blend"), prefix: "video-region" },
      { onChange: () => this.forgetPreview(), onAdd: null, onRemove: null });
    const make = (of, own) => (name) => {
      this.dials[name] = control(name, of[name], this[own][name], (field, value) => {
        if (value === (of[field].default ?? null)) delete this[own][field];
        else this[own][field] = value;
        this.dials[field].setError("");
        this.forgetPreview();
      }, "film");
      return this.dials[name];
    };
    const names = Object.keys(schema);
    const film = make(schema, "settings");
    $("video-dials").replaceChildren(...PAINTING.filter((name) => name in app.schema).map(make(app.schema, "painting")),
      ...DIALS.filter((name) => name in schema).map(film), this.formatField());
    $("video-more-form").replaceChildren(...names.filter((name) => !DIALS.includes(name)).map(film));
    $("choose-video").addEventListener("click", () => this.pick());
    $("other-video").addEventListener("click", () => this.pick());
    $("preview-film").addEventListener("click", () => this.makePreview());
    $("make-film").addEventListener("click", () => this.make());
  }

  formatField() {
    const select = element("select", { id: "film-format", onchange: () => { this.format = select.value; } }, ...this.formats.map((name) => new Option(texts.clipFormats[name] || name, name)));
    return element("div", { class: "field" }, element("label", { htmlFor: "film-format" }, texts.format), select);
  }

  get isOpen() {
    return !$("video").hidden;
  }

  open() {
    if (this.looks.isEmpty) this.looks.setChosen(order().looks);
    const running = [...app.jobs.values()].find((job) => job.kind === "video" && (job.state === "started" || job.state === "queued"));
    if (running && !this.shown) this.shown = { job: running.id };
    this.draw();
    this.showSource();
  }

  setStyles(styles) {
    this.looks.setStyles(styles);
  }

  async pick() {
    const [file] = await pickFiles({ accept: "video/*,image/gif,image/webp,.mkv,.mov,.webm,.avi,.m4v" });
    if (file) await this.add(file);
  }

  async add(file) {
    showMessage("");
    if (file.size > this.limit) return fail(new api.ApiError(texts.tooLarge(`${Math.round(this.limit / 2 ** 30)} GB`), 413));
    $("video-drop-status").textContent = texts.readingVideo;
    try {
      this.video = await api.upload("/api/videos", file);
      this.shown = null;
      this.preview = null;
    } catch (error) {
      fail(error);
    }
    $("video-drop-status").textContent = "";
    this.draw();
    this.showSource();
  }

  draw() {
    const isResult = Boolean(this.shown?.item);
    const isEmpty = !this.video && !this.shown;
    $("video-empty").hidden = !isEmpty;
    $("video-player").hidden = isEmpty || this.showsTiles;
    $("video-tiles").hidden = !this.showsTiles;
    for (const id of ["video-source", "video-looks-block", "video-dials-block", "video-go"]) $(id).hidden = isResult || !this.video;
    $("video-result").hidden = !isResult;
    this.bar.draw(this.shown?.job ? app.jobs.get(this.shown.job) || null : null);
    if (this.video) {
      $("video-name").textContent = this.video.name;
      const { width, height, frames, duration_s: seconds, has_sound: hasSound } = this.video;
      $("video-facts").textContent = [`${width} × ${height}`, texts.frames(frames), texts.exactSeconds(seconds), ...(hasSound ? [texts.withSound] : []), ...this.video.notes].join(" · ");
    }
    this.looks.draw();
    this.drawPreview();
    drawStrip();
  }

  get showsTiles() {
    return Boolean(this.preview && !this.shown);
  }

  showSource() {
    if (this.shown?.item || this.showsTiles) return;
    if (this.video) this.player.showStill(`/api/videos/${this.video.id}/poster`, this.video.name);
    else this.player.clear();
  }

  get film() {
    return { looks: structuredClone(this.looks.chosen), settings: { ...this.painting }, film: { ...this.settings } };
  }

  // ---- Preview -----------------------------------------------------------------------------------------------------

  forgetPreview() {
    if (!this.preview) return;
    this.preview = null;
    this.draw();
    this.showSource();
  }

  async makePreview() {
    showMessage("");
    $("preview-film").disabled = true;
    $("video-status").textContent = texts.previewing;
    try {
      this.preview = await api.post(`/api/videos/${this.video.id}/preview`, this.film);
    } catch (error) {
      this.fail(error);
    }
    $("preview-film").disabled = false;
    this.draw();
    this.showSource();
  }

  drawPreview() {
    if (!this.preview) {
      if ($("preview-film").disabled === false) $("video-status").textContent = "";
      return;
    }
    const { captions, estimate, version, notes } = this.preview;
    $("video-tiles").replaceChildren(...captions.map((caption, number) => element("figure", {},
      element("img", { src: `/api/videos/${this.video.id}/preview/${number}?v=${version}`, alt: caption }), element("figcaption", {}, caption))));
    const gigabytes = (estimate.memory / 2 ** 30).toFixed(1);
    const megabytes = Math.max(1, Math.round(estimate.film / 2 ** 20));
    $("video-status").textContent = [texts.estimate(estimate.frames, estimate.keys, texts.duration(estimate.seconds), gigabytes, megabytes), ...notes].join(" ");
  }

  // ---- Films -------------------------------------------------------------------------------------------------------

  async make(agreed = false) {
    if (!this.video) return;
    showMessage("");
    for (const dial of Object.values(this.dials)) dial.setError("");
    try {
      const job = await api.post("/api/films", { ...this.film, video: this.video.id, file_format: this.format, agreed: agreed === true || Boolean(this.preview?.estimate.is_long) });
      app.jobs.set(job.id, job);
      this.watch(job);
      $("video-progress").querySelector("button").focus({ preventScroll: true });
    } catch (error) {
      this.fail(error);
    }
  }

  watch(job) {
    this.shown = { job: job.id };
    this.draw();
    this.showSource();
  }

  async stop(job) {
    try {
      await api.post(`/api/jobs/${job.id}/stop`);
    } catch (error) {
      fail(error);
    }
  }

  updateJob(job) {
    if (this.shown?.job !== job.id || !this.isOpen) return;
    this.bar.draw(job);
    if (job.preview && job.preview !== this.previewed) {
      this.previewed = job.preview;
      this.player.showStill(`/api/jobs/${job.id}/preview?v=${job.preview}`);
    }
    if (job.state === "canceled" || job.state === "failed") {
      this.shown = null;
      this.draw();
      this.showSource();
    }
  }

  addItem(item) {
    if (!this.shown?.job || this.shown.job !== item.job) return;
    this.showFilm(item);
    say(texts.saved(item.name));
  }

  async showFilm(item) {
    this.shown = { item };
    this.draw();
    this.player.item = null; // a film that went on has the same name
    this.player.show(item);
    $("film-title").textContent = item.name;
    $("film-facts").textContent = [`${item.width} × ${item.height}`, texts.frames(item.frames), ...(item.duration_s ? [texts.exactSeconds(item.duration_s)] : []), ...(item.notes || [])].join(" · ");
    $("film-actions").replaceChildren(
      ...(item.partial ? [element("button", { type: "button", class: "primary", onclick: () => this.resume(item) }, texts.goOn)] : []),
      element("button", { type: "button", class: item.partial ? "" : "primary", onclick: () => this.again(item) }, texts.clipAgain),
      downloadMenu(item, this.clipFormats, { onError: fail, onBusy: (text) => { $("film-status").textContent = text; } }),
      element("button", { type: "button", class: "danger", onclick: () => removeItem(item) }, texts.remove),
    );
    try {
      const recipe = await api.get(`/api/history/${item.id}/recipe`);
      if (this.shown?.item?.id !== item.id) return;
      $("film-command").textContent = recipe.command;
      $("film-python").textContent = recipe.python;
    } catch (error) {
      fail(error);
    }
  }

  async resume(item) {
    try {
      const job = await api.post(`/api/history/${item.id}/resume`);
      app.jobs.set(job.id, job);
      this.watch(job);
    } catch (error) {
      fail(error);
    }
  }

  async again(item) {
    try {
      this.video = await api.get(`/api/videos/${item.video}`);
    } catch (error) {
      fail(error);
    }
    const { agreed, ...form } = item.form || {};
    this.settings = form;
    this.painting = { ...item.order?.settings };
    for (const [name, dial] of Object.entries(this.dials)) dial.setValue(name in app.schema ? this.painting[name] : this.settings[name]);
    if (item.order) this.looks.setChosen(item.order.looks);
    this.shown = null;
    this.preview = null;
    this.draw();
    this.showSource();
  }

  forget(id) {
    if (this.shown?.item?.id !== id) return;
    this.shown = null;
    this.draw();
    this.showSource();
  }

  fail(error) {
    if (error.field && this.dials[error.field]) {
      this.dials[error.field].setError(error.message);
      if ($("video-more").contains(this.dials[error.field])) $("video-more").open = true;
    }
    fail(error);
  }
}

export const video = new VideoTab();
