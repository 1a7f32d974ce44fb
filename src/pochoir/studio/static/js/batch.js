// Many photos with one look: uploads them, queues a job for each, and shows the states in a table.
import * as api from "./api.js";
import { queue } from "./app.js";
import { element, pickFiles } from "./dom.js";
import { texts } from "./texts.js";

export class Batch {
  constructor(place, { order, looks }) {
    this.place = place;
    this.order = order;
    this.looks = looks;
    this.rows = [];
    this.built = false;
  }

  draw() {
    if (!this.built) this.build();
    this.start.disabled = !this.rows.some((row) => row.file && !row.job);
    this.start.textContent = texts.batchStart(this.rows.filter((row) => row.file && !row.job).length);
  }

  build() {
    this.built = true;
    this.body = element("tbody");
    this.start = element("button", { type: "button", class: "primary", onclick: () => this.run() });
    this.message = element("p", { class: "message", role: "alert", hidden: true });
    this.place.replaceChildren(
      element("h2", {}, texts.batchTitle), element("p", {}, texts.batchText),
      element("div", { class: "row" }, element("button", { type: "button", onclick: async () => this.add(await pickFiles({ multiple: true })) }, texts.batchChoose), this.start),
      this.message,
      element("table", {}, element("thead", {}, element("tr", {}, ...texts.batchColumns.map((name) => element("th", { scope: "col" }, name)))), this.body));
  }

  add(files) {
    for (const file of files) {
      if (file.type && !file.type.startsWith("image/")) continue;
      const state = element("td", {}, "");
      const result = element("td", {});
      const line = element("tr", {}, element("th", { scope: "row" }, file.webkitRelativePath || file.name), state, result);
      this.body.append(line);
      this.rows.push({ file, state, result, job: null });
    }
    this.draw();
  }

  async addDropped(transfer) {
    if (!this.built) this.build();
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [];
    const read = async (entry) => {
      if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      else {
        const reader = entry.createReader();
        for (;;) {
          const found = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
          if (!found.length) break;
          for (const each of found) await read(each);
        }
      }
    };
    for (const entry of entries) await read(entry);
    files.sort((one, other) => one.name.localeCompare(other.name));
    this.add(files.filter((file) => !file.name.startsWith(".")));
  }

  async run() {
    this.message.hidden = true;
    if (this.looks.isEmpty) {
      this.message.hidden = false;
      this.message.textContent = texts.noLook;
      return;
    }
    this.start.disabled = true;
    const order = this.order();
    for (const row of this.rows.filter((each) => each.file && !each.job)) {
      try {
        const photo = await api.upload("/api/photos", row.file, { "X-Batch": "1" });
        const { jobs: [job], results: [item] } = await queue(() => api.post("/api/jobs", { photo: photo.id, ...order, use_mask: false }));
        row.job = job.id;
        row.file = null;
        this.update(job);
        if (item) this.addResult(item);
      } catch (error) {
        row.state.textContent = error.message || texts.offline;
        row.file = null;
      }
    }
    this.draw();
  }

  update(job) {
    const row = this.rows.find((each) => each.job === job.id);
    if (!row) return;
    row.state.textContent = job.state === "failed" ? job.error : job.state === "queued" ? texts.queued : job.state === "started" ? `${Math.round((100 * (job.done || 0)) / (job.total || 1))} %` : job.state;
  }

  forget(id) {
    const row = this.rows.find((each) => each.job === id || each.item === id);
    if (!row) return;
    row.state.textContent = texts.removed;
    row.result.replaceChildren();
  }

  addResult(item) {
    const row = this.rows.find((each) => each.job === item.job);
    if (!row) return;
    row.item = item.id;
    row.state.textContent = texts.saved("").trim();
    row.result.replaceChildren(element("a", { href: `/api/history/${item.id}/image?format=png&download=1`, download: "" }, element("img", { src: `/api/history/${item.id}/thumb`, alt: item.name, height: 48 })));
  }
}
