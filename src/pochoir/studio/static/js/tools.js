// The bars below the picture: tools for the mask, and views of a result.
import { app, stage } from "./app.js";
import { $, element } from "./dom.js";
import { TOOLS } from "./editor.js";
import { editor, invert, saveMaskSoon } from "./photo.js";
import { texts } from "./texts.js";
import { toolButton } from "./toolbutton.js";

export function drawTools() {
  const focused = document.activeElement?.dataset?.tool;
  const bar = $("tools");
  bar.setAttribute("aria-label", texts.subjectTitle);
  const isReady = editor.enabled;
  const slider = (name, value, max, step, act) => element("label", { class: "mini" }, element("span", {}, texts.toolNames[name]),
    element("input", { type: "range", min: step, max, step, value, disabled: !isReady, title: texts.tools[name], oninput: (event) => act(Number(event.target.value)) }));
  if (bar.dataset.built) {
    for (const button of bar.querySelectorAll("button")) {
      const name = button.dataset.tool;
      if (TOOLS.includes(name)) button.setAttribute("aria-pressed", String(name === editor.tool));
      button.disabled = name === "undo" ? !stage.mask?.undoStack.length : name === "redo" ? !stage.mask?.redoStack.length : !isReady && name !== "pan";
    }
    const [size, hardness] = bar.querySelectorAll("input");
    for (const input of [size, hardness]) input.disabled = !isReady;
    size.value = Math.sqrt(editor.radius);
    hardness.value = editor.hardness;
    return;
  }
  bar.dataset.built = "true";
  bar.replaceChildren(
    element("div", { class: "group" }, ...TOOLS.map((name) => toolButton(name, { pressed: name === editor.tool, act: () => editor.setTool(name) }))),
    element("div", { class: "group" }, slider("size", Math.sqrt(editor.radius), 30, 0.25, (value) => editor.setRadius(value * value)), slider("hardness", editor.hardness, 1, 0.05, (value) => editor.setHardness(value))),
    element("div", { class: "group" },
      toolButton("undo", { act: () => stage.mask?.undo() && saveMaskSoon() }), toolButton("redo", { act: () => stage.mask?.redo() && saveMaskSoon() }),
      toolButton("invert", { act: invert }), toolButton("clear", { act: () => { stage.mask?.fill(0); saveMaskSoon(); } })),
  );
  drawTools();
  if (focused) bar.querySelector(`[data-tool="${focused}"]`)?.focus();
}

export function drawViews() {
  const bar = $("views");
  bar.setAttribute("aria-label", texts.views.result);
  const item = app.shown?.item;
  const modes = ["compare", "result", "photo", ...(stage.mask ? ["matte", "cutout"] : [])];
  const button = (name, pressed, act) => element("button", { type: "button", "aria-pressed": String(pressed), onclick: act }, texts.views[name]);
  const grounds = item?.transparent || stage.mode === "cutout" ? ["checker", "white", "black", "own"] : [];
  const color = element("input", { type: "color", value: stage.ownColor, "aria-label": texts.views.own, oninput: (event) => { stage.ownColor = event.target.value; stage.ground = "own"; stage.draw(); } });
  bar.replaceChildren(
    element("div", { class: "group" }, ...modes.map((name) => button(name, stage.mode === name, () => setMode(name)))),
    ...(grounds.length ? [element("div", { class: "group" }, ...grounds.map((name) => button(name, stage.ground === name, () => { stage.ground = name; stage.draw(); drawViews(); })), color)] : []),
    element("div", { class: "group" }, button("fit", false, () => stage.fit()), button("actual", false, () => stage.zoomBy(1, null, stage.ratio))),
  );
}

export function setMode(mode) {
  stage.mode = mode;
  stage.draw();
  drawViews();
}
