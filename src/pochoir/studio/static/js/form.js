// Controls made from the settings' JSON schema, so that page and command line cannot disagree.
import { texts } from "./texts.js";

export function control(name, schema, value, onChange, prefix = "set") {
  const row = document.createElement("div");
  row.className = "field";
  const id = `${prefix}-${name}`;
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = texts[`${prefix}Settings`]?.[name] || texts.settings[name] || name.replaceAll("_", " ");
  const kind = resolve(schema);
  const input = build(kind, id, value ?? schema.default);
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.id = `${id}-hint`;
  const own = texts[`${prefix}Hints`]?.[name] ?? (prefix === "clip" ? undefined : texts.dialHints[name]);
  hint.textContent = own ?? (schema.description ? `${schema.description.replace(/\.$/, "")}.` : "");
  hint.hidden = !hint.textContent;
  row.title = schema.description || "";
  const error = document.createElement("p");
  error.className = "field-error";
  error.id = `${id}-error`;
  error.hidden = true;
  input.setAttribute("aria-describedby", `${hint.id} ${error.id}`);
  row.append(label, input, hint, error);
  const output = document.createElement("output");
  if (input.type === "range") {
    output.htmlFor = id;
    output.value = show(input.value);
    label.append(" ", output);
    input.addEventListener("input", () => (output.value = show(input.value)));
  }
  input.addEventListener("change", () => onChange(name, read(input, kind, schema)));
  row.setValue = (next) => {
    if (input.type === "checkbox") input.checked = Boolean(next ?? schema.default);
    else input.value = text(next ?? schema.default);
    if (input.type === "range") output.value = show(input.value);
  };
  row.setError = (message) => {
    error.hidden = !message;
    error.textContent = message || "";
    input.setAttribute("aria-invalid", message ? "true" : "false");
  };
  return row;
}

const show = (value) => String(Math.round(1000 * Number(value)) / 1000);

function resolve(schema) {
  const options = schema.anyOf || [schema];
  const useful = options.filter((option) => option.type !== "null");
  const named = useful.find((option) => option.enum);
  if (named && useful.length === 1) return { ...named, ...bounds(schema) };
  if (named && useful.some((option) => option.type === "string")) return { type: "string", suggestions: named.enum };
  const number = useful.find((option) => option.type === "number" || option.type === "integer");
  if (number && useful.length === 1) return { ...number, ...bounds(schema) };
  return useful.length === 1 ? { ...useful[0], ...bounds(schema) } : { type: "string" };
}

const bounds = (schema) => Object.fromEntries(["minimum", "maximum"].filter((key) => key in schema).map((key) => [key, schema[key]]));

function build(kind, id, value) {
  let input;
  if (kind.enum) {
    input = document.createElement("select");
    for (const choice of kind.enum) input.add(new Option(choice, choice));
  } else {
    input = document.createElement("input");
    if (kind.type === "boolean") {
      input.type = "checkbox";
    } else if (kind.type === "number" && kind.maximum !== undefined && kind.maximum - kind.minimum <= 10) {
      input.type = "range";
      input.min = kind.minimum;
      input.max = kind.maximum;
      input.step = 0.05;
    } else if (kind.type === "integer" || kind.type === "number") {
      input.type = "number";
      if (kind.minimum !== undefined) input.min = kind.minimum;
      if (kind.maximum !== undefined) input.max = kind.maximum;
      input.step = kind.type === "integer" ? 1 : "any";
    } else {
      input.type = "text";
    }
    if (kind.suggestions) input.placeholder = kind.suggestions.join(", ");
  }
  input.id = id;
  if (input.type === "checkbox") input.checked = Boolean(value);
  else input.value = text(value);
  return input;
}

const text = (value) => (value === null || value === undefined ? "" : Array.isArray(value) ? value.join(",") : String(value));

function read(input, kind, schema) {
  if (input.type === "checkbox") return input.checked;
  const value = input.value.trim();
  if (value === "") return schema.default ?? null;
  if (input.type === "range" || input.type === "number") return Number(value);
  const numeric = (schema.anyOf || []).some((option) => option.type === "integer" || option.type === "number");
  return numeric && value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
}
