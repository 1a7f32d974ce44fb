// The tabs: Paint, Animate, Video, Batch. Another tab is a section of the page and its line in this table.
import { animate } from "./animate.js";
import { stage } from "./app.js";
import { $, element } from "./dom.js";
import { drawStrip } from "./results.js";
import { texts } from "./texts.js";
import { video } from "./video.js";

let parts = {};

// `batch` is made by the page's main module.
export function setUpTabs({ batch }) {
  parts = { paint: () => stage.resize(), animate: () => animate.open(), video: () => video.open(), batch: () => batch.draw() };
  openTab("paint");
}

export function openTab(active, item = null, job = null) {
  $("tabs").replaceChildren(...Object.keys(parts).map((name) => element("button", {
    type: "button", id: `tab-${name}`, "aria-current": name === active ? "page" : "false", onclick: () => { openTab(name); $(`tab-${name}`).focus(); },
  }, texts.tabs[name])));
  $("app").dataset.tab = active;
  $("batch").hidden = active !== "batch";
  $("animate").hidden = $("animate-panel").hidden = active !== "animate";
  $("video").hidden = $("video-panel").hidden = active !== "video";
  $("stage").hidden = $("panel").hidden = active !== "paint";
  if (item) (active === "video" ? video : animate).showItem(item);
  else if (job) (active === "video" ? video : animate).watch(job);
  else parts[active]();
  drawStrip();
}
