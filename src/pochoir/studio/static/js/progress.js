// Progress of a job, for the tabs beside Paint: text, meter and a button that cancels.
import { element } from "./dom.js";
import { texts } from "./texts.js";

export function progressText(job) {
  if (job.stopping) return texts.stopping;
  if (job.state === "queued") return texts.queued;
  const share = `${Math.round((100 * (job.done || 0)) / (job.total || 1))} %`;
  return [texts.stages[job.stage] || job.stage || texts.preparing, job.done ? share : "", job.left_s == null ? "" : texts.left(texts.seconds(job.left_s))].filter(Boolean).join(", ");
}

export class ProgressBar {
  constructor(place, { label, onStop }) {
    this.text = element("div", { class: "progress-text" });
    this.fill = element("div", { class: "meter-fill" });
    this.button = element("button", { type: "button", class: "stop", onclick: () => this.job && onStop(this.job) }, label);
    this.place = place;
    place.replaceChildren(this.text, element("div", { class: "meter" }, this.fill), this.button);
    this.draw(null);
  }

  draw(job) {
    this.job = job;
    this.place.hidden = !job;
    if (!job) return;
    this.text.textContent = progressText(job);
    this.fill.style.transform = `scaleX(${job.total ? job.done / job.total : 0})`;
    this.button.disabled = Boolean(job.stopping);
  }
}
