// The Video tab: drop a video, choose looks, see five frames and the cost, paint it, watch it grow.
import * as api from "./api.js";
import { app, fail } from "./app.js";
import { $, element, pickFiles, showMessage } from "./dom.js";
import { Frames } from "./frames.js";
import { JobTab } from "./jobtab.js";
import { Looks } from "./looks.js";
import { order } from "./orders.js";
import { drawStrip } from "./results.js";
import { texts } from "./texts.js";

const DIALS = ["start", "end", "on"];
const PAINTING = ["strength", "style_scale", "color", "size"];

class VideoTab extends JobTab {
  constructor() {
    super({ section: "video", kind: "video", prefix: "film" });
    this.video = null;
    this.painting = {};
    this.preview = null;
    this.format = "mp4";
  }

  setUp({ schema, formats, videos, limit, clipFormats, onRemove }) {
    this.formats = formats;
    this.limit = limit;
    this.video = videos[0] || null;
    this.setUpParts({ formats: clipFormats, stopText: texts.stop, onRemove });
    this.looks = new Looks({ regions: $("video-regions"), grid: $("video-looks"), blend: $("video-blend"), prefix: "video-region" },
      { onChange: () => this.forgetPreview(), onAdd: null, onRemove: null });
    this.at("dials").append(...PAINTING.filter((name) => name in app.schema).map((name) => this.dial(app.schema, name, this.painting)));
    this.addDials(schema, DIALS);
    this.at("dials").append(this.formatField());
    this.frames = new Frames({
      onChange: () => this.forgetPreview(),
      onOpen: () => {
        this.preview = null;
        this.draw();
        this.showSource();
      },
    });
    this.frames.setVideo(this.video);
    $("choose-video").addEventListener("click", () => this.pick());
    $("other-video").addEventListener("click", () => this.pick());
    $("preview-film").addEventListener("click", () => this.makePreview());
    $("make-film").addEventListener("click", () => this.make());
  }

  onSetting() {
    this.forgetPreview();
  }

  formatField() {
    const select = element("select", { id: "film-format", onchange: () => { this.format = select.value; } }, ...this.formats.map((name) => new Option(texts.clipFormats[name] || name, name)));
    return element("div", { class: "field" }, element("label", { htmlFor: "film-format" }, texts.format), select);
  }

  open() {
    if (this.looks.isEmpty) this.looks.setChosen(order().looks);
    this.watchRunning();
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
      this.frames.setVideo(this.video);
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
    if (this.shown && this.frames.isOpen) this.frames.isOpen = false;
    this.frames.draw();
    this.drawEmpty(isEmpty);
    this.at("player").hidden = isEmpty || this.showsTiles || this.frames.isOpen;
    this.at("tiles").hidden = !this.showsTiles;
    for (const id of ["video-source", "frames-block", "video-looks-block", "film-dials-block", "video-go"]) $(id).hidden = isResult || !this.video;
    $("film-result").hidden = !isResult;
    this.drawBar();
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
    const { corrections } = this.frames;
    return { looks: structuredClone(this.looks.chosen), settings: { ...this.painting }, film: { ...this.settings, ...(corrections.length ? { corrections } : {}) } };
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
    if (this.frames.isOpen) this.frames.close();
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
    this.at("tiles").replaceChildren(...captions.map((caption, number) => element("figure", {},
      element("img", { src: `/api/videos/${this.video.id}/preview/${number}?v=${version}`, alt: caption }), element("figcaption", {}, caption))));
    const gigabytes = (estimate.memory / 2 ** 30).toFixed(1);
    const megabytes = Math.max(1, Math.round(estimate.film / 2 ** 20));
    $("video-status").textContent = [texts.estimate(estimate.frames, estimate.keys, texts.duration(estimate.seconds), gigabytes, megabytes), ...notes].join(" ");
  }

  // ---- Films -------------------------------------------------------------------------------------------------------

  async make() {
    if (!this.video) return;
    this.clearErrors();
    const agreed = Boolean(this.preview?.estimate.is_long);
    await this.start("/api/films", { ...this.film, video: this.video.id, file_format: this.format, agreed });
  }

  actions(item) {
    const [again] = super.actions(item);
    if (!item.partial) return [again];
    again.className = "";
    return [element("button", { type: "button", class: "primary", onclick: () => this.start(`/api/history/${item.id}/resume`) }, texts.goOn), again];
  }

  async again(item) {
    try {
      this.video = await api.get(`/api/videos/${item.video}`);
    } catch (error) {
      fail(error);
    }
    this.frames.setVideo(this.video);
    const { agreed, corrections, ...form } = item.form || {};
    this.frames.corrections = corrections;
    JobTab.fill(this.settings, form);
    JobTab.fill(this.painting, item.order?.settings);
    for (const [name, dial] of Object.entries(this.dials)) dial.setValue(name in app.schema ? this.painting[name] : this.settings[name]);
    if (item.order) this.looks.setChosen(item.order.looks);
    this.preview = null;
    this.showNothing();
  }
}

export const video = new VideoTab();
