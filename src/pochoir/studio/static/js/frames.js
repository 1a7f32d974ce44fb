// Corrections of single frames of a video: step to a frame, see the subject that is found there, click what is wrong.
import * as api from "./api.js";
import { fail } from "./app.js";
import { $, element, say } from "./dom.js";
import { Editor } from "./editor.js";
import { Mask } from "./mask.js";
import { Stage } from "./stage.js";
import { texts } from "./texts.js";
import { toolButton } from "./toolbutton.js";

const TOOLS = ["keep", "drop", "box", "pan"];
const SETTLE_MS = 150; // whoever steps on or drags the slider passes many frames, whose subjects nobody needs
const settled = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

export class Frames {
  // `onChange` is called after each change of the corrections, `onOpen` when frames are shown or no more.
  constructor({ onChange, onOpen }) {
    Object.assign(this, { onChange, onOpen });
    this.video = null;
    this.isOpen = false;
    this.number = 0;
    this.words = new Map(); // frame: { points: [{ x, y, keep }], box }
    this.stage = new Stage($("frame-stage"), $("frame-canvas"), $("frame-divider"), $("frame-zoom"));
    this.editor = new Editor(this.stage, {
      onClickPoint: (point) => this.change({ ...this.word, points: [...this.word.points, point] }),
      onBox: (box) => this.change({ ...this.word, box }), onMaskChange: () => {}, onTool: () => this.drawTools(),
    });
    this.editor.setTool("keep");
    $("frames-open").addEventListener("click", () => this.open());
    $("frames-close").addEventListener("click", () => this.close());
    $("frame-number").addEventListener("input", () => this.show(Number($("frame-number").value), { isPassing: true }));
    $("frame-back").addEventListener("click", () => this.step(-1));
    $("frame-next").addEventListener("click", () => this.step(1));
    $("frame-undo").addEventListener("click", () => this.undo());
    $("frame-clear").addEventListener("click", () => this.change({ points: [] }));
  }

  setVideo(video) {
    if (video?.id === this.video?.id) return;
    this.video = video;
    this.words.clear();
    this.number = 0;
    this.isOpen = false;
    this.stage.setMask(null);
    this.draw();
  }

  // Corrections as the API takes them.
  get corrections() {
    return [...this.words.keys()].sort((one, other) => one - other).map((frame) => ({ frame, ...hints(this.words.get(frame)) }));
  }

  // Corrections as the API keeps them, with points written "x,y;x,y".
  set corrections(list) {
    const read = (text, keep) => (text || "").split(";").filter(Boolean).map((pair) => pair.split(",").map(Number)).map(([x, y]) => ({ x, y, keep }));
    this.words = new Map((list || []).map(({ frame, keep_points: keep, drop_points: drop, box }) => [
      frame, { points: [...read(keep, true), ...read(drop, false)], box },
    ]));
    this.draw();
  }

  get word() {
    return this.words.get(this.number) || { points: [] };
  }

  open(number = this.number) {
    this.isOpen = true;
    this.onOpen();
    this.stage.resize();
    $("frame-canvas").focus({ preventScroll: true });
    return this.show(number);
  }

  close() {
    this.isOpen = false;
    this.onOpen();
    $("frames-open").focus({ preventScroll: true });
  }

  step(by) {
    const next = Math.min(this.video.frames - 1, Math.max(0, this.number + by));
    if (next !== this.number) this.show(next);
  }

  async show(number, { isPassing = false } = {}) {
    const turn = (this.turn = Symbol("turn"));
    this.number = number;
    this.editor.enabled = false;
    this.isFinding = true;
    this.draw();
    if (isPassing) await settled();
    if (this.turn !== turn) return;
    try {
      const picture = await createImageBitmap(await api.get(`/api/videos/${this.video.id}/frames/${number}`));
      if (this.turn !== turn) return;
      const { offset, zoom, isFit } = this.stage;
      this.stage.setMask(null);
      this.stage.setPhoto(picture, { width: this.video.width, height: this.video.height });
      if (isFit === false) Object.assign(this.stage, { offset, zoom, isFit }); // the part that was looked at stays
      this.drawMarks();
      if (!isPassing) await settled();
      if (this.turn === turn) await this.find(turn);
    } catch (error) {
      if (this.turn === turn) this.fail(error);
    }
  }

  // Find the subject in the frame that is shown, with its hints.
  async find(turn = (this.turn = Symbol("turn"))) {
    this.isFinding = true;
    this.drawStatus();
    try {
      const blob = await api.post(`/api/videos/${this.video.id}/frames/${this.number}/matte`, hints(this.word));
      if (this.turn !== turn) return;
      const { width, height } = this.stage.photo;
      this.stage.setMask(await Mask.fromImage(blob, width, height));
      this.editor.enabled = true;
      this.isFinding = false;
      this.drawStatus();
      say($("frame-status").textContent);
    } catch (error) {
      if (this.turn === turn) this.fail(error);
    }
  }

  fail(error) {
    this.isFinding = false;
    this.editor.enabled = Boolean(this.stage.mask);
    this.drawStatus();
    fail(error);
  }

  undo() {
    const { points, box } = this.word;
    this.change(points.length ? { points: points.slice(0, -1), box } : { points: [] });
  }

  change(word) {
    if (word.points.length || word.box) this.words.set(this.number, word);
    else this.words.delete(this.number);
    this.draw();
    this.onChange();
    this.find();
  }

  // A key outside of fields; returns whether it was meant for the frames.
  key(key) {
    if (!this.isOpen) return false;
    const tool = { k: "keep", d: "drop", x: "box", h: "pan" }[key.toLowerCase()];
    const actions = {
      ",": () => this.step(-1), ".": () => this.step(1), "+": () => this.stage.zoomBy(1.25), "=": () => this.stage.zoomBy(1.25),
      "-": () => this.stage.zoomBy(0.8), 0: () => this.stage.fit(), Escape: () => this.close(),
    };
    if (tool) {
      this.editor.setTool(tool);
      $("frame-canvas").focus({ preventScroll: true });
    } else actions[key]?.();
    return Boolean(tool || actions[key]);
  }

  // ---- Drawing -----------------------------------------------------------------------------------------------------

  draw() {
    $("app").dataset.frames = String(this.isOpen);
    $("frame-stage").hidden = $("frames-form").hidden = !this.isOpen;
    $("frames-open").hidden = this.isOpen;
    const last = Math.max(0, (this.video?.frames || 1) - 1);
    const slider = $("frame-number");
    slider.max = last;
    slider.value = this.number;
    $("frame-of").value = texts.frameOf(this.number, last);
    $("frame-back").disabled = this.number === 0;
    $("frame-next").disabled = this.number === last;
    $("frame-undo").disabled = $("frame-clear").disabled = !this.words.has(this.number);
    this.drawList();
    this.drawTools();
    this.drawMarks();
    this.drawStatus();
  }

  drawList() {
    const place = $("frame-list");
    const focused = document.activeElement?.dataset?.frame;
    place.hidden = !this.words.size;
    place.replaceChildren(...this.corrections.map(({ frame }) => {
      const { points, box } = this.words.get(frame);
      const button = element("button", { type: "button", "aria-pressed": String(this.isOpen && frame === this.number), onclick: () => this.open(frame) },
        texts.correctedFrame(frame, points.length, Boolean(box)));
      button.dataset.frame = frame;
      return button;
    }));
    if (focused) place.querySelector(`[data-frame="${focused}"]`)?.focus();
  }

  drawTools() {
    const bar = $("frame-tools");
    if (!bar.childElementCount) bar.append(...TOOLS.map((name) => toolButton(name, { pressed: false, act: () => this.editor.setTool(name) })));
    for (const button of bar.children) button.setAttribute("aria-pressed", String(button.dataset.tool === this.editor?.tool));
  }

  drawMarks() {
    const { points, box } = this.word;
    this.stage.marks = points.map(({ x, y, keep }) => ({ x: x + 0.5, y: y + 0.5, keep }));
    const [left, top, width, height] = box || [];
    this.stage.outlined = box ? [[left, top], [left + width, top], [left + width, top + height], [left, top + height]] : null;
    this.stage.draw();
  }

  drawStatus() {
    const status = $("frame-status");
    const { mask } = this.stage;
    status.classList.toggle("busy", Boolean(this.isFinding));
    status.textContent = this.isFinding ? texts.finding : mask ? texts.frameFound(Math.round(100 * mask.share())) : "";
    $("frame-stage").dataset.found = this.isFinding || !mask ? "" : String(this.number);
  }
}

function hints({ points, box }) {
  const chosen = (keep) => points.filter((point) => point.keep === keep).map(({ x, y }) => [x, y]);
  return { keep_points: chosen(true), drop_points: chosen(false), ...(box ? { box } : {}) };
}
