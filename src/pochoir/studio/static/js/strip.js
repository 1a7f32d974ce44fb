// The strip below the stage: what is being painted, then what was painted.
import { element, morphList } from "./dom.js";
import { texts } from "./texts.js";

export class Strip {
  constructor(place, actions) {
    this.place = place;
    Object.assign(this, actions);
  }

  draw(jobs, history, shown) {
    this.jobs = new Map(jobs.map((job) => [job.id, job]));
    this.items = new Map(history.map((item) => [item.id, item]));
    const known = new Set(history.map((item) => item.job));
    const open = jobs.filter((job) => !known.has(job.id) && job.state !== "canceled" && job.state !== "saved" && job.state !== "skipped");
    const cards = [];
    const sheets = new Set();
    for (const each of [...open, ...history]) {
      const sheet = each.place?.sheet;
      if (!sheet) cards.push(each.state ? this.jobCard(each, shown) : this.itemCard(each, shown));
      else if (!sheets.has(sheet)) {
        sheets.add(sheet);
        cards.push(this.sheetCard(sheet, open.filter((job) => job.place?.sheet === sheet), history.filter((item) => item.place?.sheet === sheet), shown));
      }
    }
    morphList(this.place, cards.length ? cards : [element("p", { class: "hint", "data-key": "empty" }, texts.empty)]);
  }

  jobCard(job, shown) {
    const state = job.state === "failed" ? texts.failed : job.state === "queued" ? texts.queued : `${Math.round((100 * (job.done || 0)) / (job.total || 1))} %`;
    const open = element("button", {
      type: "button", class: `card job ${job.state}`, "aria-current": String(shown?.job === job.id), "aria-label": `${job.name}: ${state}`,
      onclick: () => {
        const now = this.jobs.get(job.id);
        if (now) (now.state === "failed" ? this.onRetry : this.onJob)(now);
      },
    }, ...(job.preview ? [element("img", { src: `/api/jobs/${job.id}/preview?v=${job.preview}`, alt: "", height: 72 })] : []),
      element("span", { class: "card-state" }, state), element("span", { class: "card-name" }, job.name));
    open.dataset.key = `job-${job.id}`;
    return open;
  }

  itemCard(item, shown) {
    const card = element("button", {
      type: "button", class: "card", "aria-current": String(shown?.item?.id === item.id), title: item.name, "aria-label": item.name,
      onclick: () => this.onItem(this.items.get(item.id) || item), onkeydown: (event) => event.key === "Delete" && this.onRemove(item),
    }, element("img", { src: `/api/history/${item.id}/thumb`, alt: "", height: 72, loading: "lazy" }));
    card.dataset.key = `item-${item.id}`;
    return card;
  }
  // The pictures of a sheet share one card.
  sheetCard(sheet, open, items, shown) {
    const count = open.length + items.length;
    const state = open.length ? texts.sheetPainting(items.length, count) : texts.sheetOf(count);
    const card = element("button", {
      type: "button", class: "card sheet-card", "aria-current": String(shown?.sheet === sheet), title: state, "aria-label": state, onclick: () => this.onSheet(sheet),
    }, ...items.slice(0, 4).map((item) => element("img", { src: `/api/history/${item.id}/thumb`, alt: "", loading: "lazy" })),
      element("span", { class: "card-count" }, open.length ? `${items.length}/${count}` : String(count)));
    card.dataset.key = `sheet-${sheet}`;
    return card;
  }
}
