// The looks: built-in styles and the user's shelf, for the whole picture or for each region.
import { element } from "./dom.js";
import { texts } from "./texts.js";

export const REGIONS = ["whole", "subject", "background"];

export class Looks {
  constructor({ regions, grid, blend, prefix = "region" }, { onChange, onAdd, onRemove }) {
    Object.assign(this, { regions, grid, blend, prefix, onChange, onAdd, onRemove });
    this.styles = [];
    this.region = "subject";
    this.chosen = { whole: [], subject: [], background: [] };
  }

  setStyles(styles) {
    this.styles = styles;
    for (const region of REGIONS) {
      this.chosen[region] = this.chosen[region].filter((look) => styles.some((style) => style.id === look.id));
    }
    this.draw();
  }

  setChosen(chosen) {
    for (const region of REGIONS) this.chosen[region] = (chosen[region] || []).map((look) => ({ ...look }));
    this.region = this.chosen.whole.length ? "whole" : this.chosen.subject.length || !this.chosen.background.length ? "subject" : "background";
    this.draw();
  }

  get isEmpty() {
    return REGIONS.every((region) => !this.chosen[region].length);
  }

  name(id) {
    return this.styles.find((style) => style.id === id)?.name || id;
  }

  choose(id, adds) {
    const own = this.chosen[this.region];
    const at = own.findIndex((look) => look.id === id);
    if (at >= 0) own.splice(at, 1);
    else if (adds && own.length) own.splice(1, 1, { id, weight: own[0].weight });
    else own.splice(0, own.length, { id, weight: 1 });
    // The whole picture's look stands in for those of its regions, and the other way round.
    if (own.length) for (const region of REGIONS) if ((region === "whole") !== (this.region === "whole")) this.chosen[region] = [];
    this.draw();
    this.onChange();
  }

  draw() {
    this.regions.replaceChildren(...REGIONS.map((region) => {
      const names = this.chosen[region].map((look) => this.name(look.id)).join(" + ");
      return element("button", {
        type: "button", role: "tab", id: `${this.prefix}-${region}`, "aria-selected": String(region === this.region), "aria-controls": this.grid.id,
        tabIndex: region === this.region ? 0 : -1,
        onclick: () => this.select(region), onkeydown: (event) => this.tabKey(event),
      }, texts.regions[region], element("small", {}, names || "–"));
    }));
    const own = this.chosen[this.region];
    const focused = document.activeElement?.dataset?.look;
    this.grid.setAttribute("aria-labelledby", `${this.prefix}-${this.region}`);
    this.grid.replaceChildren(...this.styles.map((style, index) => this.tile(style, own, index)));
    if (this.onAdd) this.grid.append(element("button", { type: "button", class: "look add", role: "option", "aria-selected": "false", title: texts.addStyle, "aria-label": texts.addStyle, onclick: this.onAdd }, element("span", {}, "+")));
    if (focused) this.grid.querySelector(`[data-look="${CSS.escape(focused)}"]`)?.focus();
    this.drawBlend(own);
  }

  tile(style, own, index) {
    const at = own.findIndex((look) => look.id === style.id);
    const tile = element("button", {
      type: "button", class: "look", role: "option", "aria-selected": String(at >= 0), title: style.description || style.name,
      tabIndex: at === 0 || (!own.length && index === 0) ? 0 : -1,
      onclick: (event) => this.choose(style.id, event.shiftKey), onkeydown: (event) => this.gridKey(event, style),
    }, element("img", { src: `/api/styles/${style.id}/thumb`, alt: "", loading: "lazy", width: 72, height: 72 }), element("span", {}, style.name));
    tile.dataset.look = style.id;
    if (at >= 0 && own.length > 1) tile.append(element("b", { class: "badge" }, String(at + 1)));
    return tile;
  }

  drawBlend(own) {
    this.blend.hidden = false;
    if (own.length < 2) {
      const removable = this.styles.find((style) => this.onRemove && style.id === own[0]?.id && !style.builtin);
      this.blend.replaceChildren(element("p", { class: "hint" }, own.length ? texts.blendHint : ""));
      if (removable) {
        this.blend.append(element("button", { type: "button", class: "quiet", onclick: () => this.onRemove(removable) }, texts.removeStyle(removable.name)));
      }
      return;
    }
    const share = own[1].weight / (own[0].weight + own[1].weight);
    const slider = element("input", {
      type: "range", min: 0.1, max: 0.9, step: 0.05, value: share, id: `${this.prefix}-share`,
      oninput: () => {
        own[0].weight = Math.round(100 * (1 - slider.value)) / 100;
        own[1].weight = Math.round(100 * slider.value) / 100;
        this.onChange();
      },
    });
    this.blend.replaceChildren(element("label", { htmlFor: `${this.prefix}-share` }, texts.blend(this.name(own[0].id), this.name(own[1].id))), slider);
  }

  select(region) {
    this.region = region;
    this.draw();
    this.regions.querySelector('[aria-selected="true"]').focus();
  }

  tabKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.select(REGIONS[(REGIONS.indexOf(this.region) + step + REGIONS.length) % REGIONS.length]);
  }

  gridKey(event, style) {
    if ((event.key === "Delete" || event.key === "Backspace") && !style.builtin && this.onRemove) {
      event.preventDefault();
      this.onRemove(style);
      return;
    }
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const tiles = [...this.grid.querySelectorAll(".look")];
    const next = tiles[tiles.indexOf(event.currentTarget) + step];
    if (next) next.focus();
  }
}
