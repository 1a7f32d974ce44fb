// The Animate tab: the subject of a finished picture, or of a photo, moves.
import * as api from "./api.js";
import { app } from "./app.js";
import { $, element } from "./dom.js";
import { JobTab } from "./jobtab.js";
import { looks, order } from "./orders.js";
import { flushMask } from "./photo.js";
import { drawStrip } from "./results.js";
import { texts } from "./texts.js";

const DIALS = ["duration", "fps", "loop"];
const MOST_MOTIONS = 8;

class Animate extends JobTab {
  constructor() {
    super({ section: "animate", kind: "animate", prefix: "clip" });
    this.source = null; // { kind: "item" | "photo" | "looks", item }
    this.chosen = ["breathe"];
  }

  setUp({ schema, formats, motions, onRemove }) {
    this.motions = motions;
    this.setUpParts({ formats, stopText: texts.cancel, onRemove });
    this.addDials(schema, DIALS, { hidden: ["motion"] });
    $("make-clip").addEventListener("click", () => this.make());
  }

  // Begin with what the Paint tab shows.
  open() {
    const item = app.shown?.item;
    if (item?.kind === "clip") return this.showItem(item);
    if (item) this.source = { kind: "item", item };
    else if (!this.source || this.source.kind !== "item") this.source = app.photo ? { kind: looks.isEmpty ? "photo" : "looks" } : null;
    if (!this.source) {
      const picture = app.history.find((each) => each.kind === "picture");
      if (picture) this.source = { kind: "item", item: picture };
    }
    this.watchRunning();
    this.draw();
    this.showSource();
    this.findMotions();
  }

  choose(item) {
    if (item.kind === "clip") return this.showItem(item);
    this.source = { kind: "item", item };
    this.showNothing();
    this.findMotions();
  }

  get photo() {
    return this.source?.kind === "item" ? this.source.item.photo : app.photo?.id;
  }

  get stillAddress() {
    if (!this.source) return "";
    return this.source.kind === "item" ? `/api/history/${this.source.item.id}/image?format=png` : `/api/photos/${app.photo.id}/image`;
  }

  showSource() {
    if (this.shown) return;
    if (this.source) this.player.showStill(this.stillAddress, this.source.item?.name || app.photo?.name);
    else this.player.clear();
  }

  draw() {
    const isEmpty = !this.source && !this.shown?.item;
    this.drawEmpty(isEmpty);
    $("clip-player").hidden = isEmpty;
    $("animate-go").hidden = $("motion-block").hidden = $("clip-dials-block").hidden = $("source-block").hidden = Boolean(this.shown?.item) || isEmpty;
    $("clip-result").hidden = !this.shown?.item;
    this.drawSources();
    this.drawMotions();
    this.drawBar();
    $("make-clip").disabled = !this.source;
    drawStrip();
  }

  drawSources() {
    const choices = [];
    if (this.source?.kind === "item") choices.push(["item", this.source.item.name]);
    if (app.photo) {
      choices.push(["photo", texts.sourcePhoto]);
      if (!looks.isEmpty) choices.push(["looks", texts.sourceLooks]);
    }
    const focused = document.activeElement?.name === "clip-source" ? document.activeElement.value : null;
    $("clip-sources").replaceChildren(...choices.map(([kind, name]) => element("label", { class: "choice" },
      element("input", { type: "radio", name: "clip-source", value: kind, checked: this.source?.kind === kind, onchange: () => this.pick(kind) }), element("span", {}, name))));
    if (focused) $("clip-sources").querySelector(`input[value="${focused}"]`)?.focus();
  }

  pick(kind) {
    this.source = kind === "item" ? this.source : { kind, item: this.source?.item };
    this.showNothing();
    this.findMotions();
  }

  // ---- Motions -----------------------------------------------------------------------------------------------------

  async findMotions() {
    const id = this.photo;
    if (!id) return;
    const version = app.photo?.id === id ? app.photo.mask_version : "";
    const key = `${id} ${version}`;
    if (this.known === key) return;
    this.known = key;
    this.drawn = null;
    $("motion-status").textContent = texts.findingMotions;
    try {
      await flushMask();
      const found = await api.get(`/api/photos/${id}/motions`);
      if (this.known !== key) return;
      this.motions = found;
      this.drawn = { id, version };
      $("motion-status").textContent = "";
      this.chosen = this.chosen.filter((name) => !found.find((motion) => motion.name === name)?.problem);
      if (!this.chosen.length) this.chosen = found.filter((motion) => !motion.problem).slice(0, 1).map((motion) => motion.name);
    } catch (error) {
      this.known = null;
      $("motion-status").textContent = error.message || "";
    }
    this.drawMotions();
  }

  drawMotions() {
    const focused = document.activeElement?.dataset?.motion;
    const grid = $("motions");
    const able = this.motions.filter((motion) => !motion.problem);
    grid.replaceChildren(...able.map((motion) => this.motionTile(motion)));
    this.drawUnable(this.motions.filter((motion) => motion.problem));
    const tiles = [...grid.children];
    for (const tile of tiles) tile.tabIndex = -1;
    const first = (focused && tiles.find((tile) => tile.dataset.motion === focused)) || tiles.find((tile) => tile.getAttribute("aria-selected") === "true") || tiles[0];
    if (first) first.tabIndex = 0;
    if (focused) first?.focus({ preventScroll: true });
    const chosen = this.motions.filter((motion) => this.chosen.includes(motion.name));
    $("motion-facts").textContent = chosen.map((motion) => motion.summary).join(" ");
  }

  // Motions that need another subject, with the reasons.
  drawUnable(motions) {
    $("motions-unable").hidden = !motions.length;
    $("motions-unable-title").textContent = texts.unable(motions.length);
    $("motions-unable-list").replaceChildren(...motions.flatMap(({ name, problem }) => [element("dt", {}, name), element("dd", {}, problem)]));
  }

  motionTile(motion) {
    const isChosen = this.chosen.includes(motion.name);
    const source = `/api/photos/${this.drawn?.id}/motions/${motion.name}?v=${this.drawn?.version}`;
    const image = this.drawn ? element("img", { alt: "", width: 72, height: 72, loading: "lazy", src: source }) : element("span", { class: "no-picture" });
    const tile = element("button", {
      type: "button", class: "look motion", role: "option", "aria-selected": String(isChosen), title: motion.summary,
      onclick: () => this.toggle(motion), onkeydown: (event) => this.key(event),
    }, image, element("span", {}, motion.name));
    tile.dataset.motion = motion.name;
    if (this.drawn && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const show = (moves) => () => (image.src = moves ? `${source}&moves=1` : source);
      tile.addEventListener("pointerenter", show(true));
      tile.addEventListener("pointerleave", show(false));
      tile.addEventListener("focus", show(true));
      tile.addEventListener("blur", show(false));
    }
    return tile;
  }

  toggle(motion) {
    if (this.chosen.includes(motion.name)) this.chosen = this.chosen.filter((name) => name !== motion.name);
    else if (this.chosen.length < MOST_MOTIONS) this.chosen = [...this.chosen, motion.name];
    if (!this.chosen.length) this.chosen = [motion.name];
    this.drawMotions();
  }

  key(event) {
    const columns = getComputedStyle($("motions")).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const tiles = [...$("motions").children];
    tiles[tiles.indexOf(event.currentTarget) + step]?.focus();
  }

  // ---- Clips -------------------------------------------------------------------------------------------------------

  async make() {
    if (!this.source) return;
    this.clearErrors();
    const amounts = this.amounts || {};
    const clip = { ...this.settings, motion: this.chosen.map((name) => (amounts[name] ? `${name}:${amounts[name]}` : name)) };
    const wanted = this.source.kind === "item" ? { item: this.source.item.id } : { photo: app.photo.id, ...(this.source.kind === "looks" ? order() : { settings: order().settings }) };
    await flushMask();
    await this.start("/api/clips", { ...wanted, clip });
  }

  forget(id) {
    const isSource = this.source?.item?.id === id;
    if (isSource && this.source.kind !== "item") this.source = { kind: this.source.kind };
    else if (isSource) this.source = app.photo ? { kind: "photo" } : null;
    super.forget(id);
    if (!isSource || !this.isOpen) return;
    this.draw();
    this.showSource();
    this.findMotions();
  }

  // The form as it was for a clip, to be changed.
  again(item) {
    const { motion = ["breathe"], ...rest } = item.form || {};
    this.chosen = motion.map((text) => text.split(":")[0]);
    this.amounts = Object.fromEntries(motion.map((text) => text.split(":")).filter(([, amount]) => amount));
    JobTab.fill(this.settings, rest);
    for (const [name, dial] of Object.entries(this.dials)) dial.setValue(this.settings[name]);
    if (!this.source) this.source = app.photo ? { kind: "photo" } : null;
    this.showNothing();
    this.findMotions();
    $("make-clip").focus();
  }
}

export const animate = new Animate();
