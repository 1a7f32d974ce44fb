// A button for a tool: a glyph, its name for screen readers, and its key.
import { element } from "./dom.js";
import { texts } from "./texts.js";

export const TOOL_KEYS = { keep: "K", drop: "D", brush: "B", erase: "E", lasso: "L", box: "X", pan: "H" };
const GLYPHS = { keep: "✛", drop: "⊖", brush: "●", erase: "○", lasso: "◌", box: "▭", pan: "✥", undo: "↶", redo: "↷", invert: "◐", clear: "∅" };

export function toolButton(name, { pressed, disabled, act }) {
  const key = TOOL_KEYS[name];
  const button = element("button", { type: "button", class: "tool", disabled: Boolean(disabled), onclick: act, title: key ? `${texts.tools[name]} (${key})` : texts.tools[name], "aria-label": texts.tools[name] }, GLYPHS[name]);
  if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
  button.dataset.tool = name;
  return button;
}
