// A readable form of the API's description.
import { element } from "./dom.js";

const api = await (await fetch("/api/openapi.json")).json();
const name = (reference) => reference.split("/").pop();

function type(schema = {}) {
  if (schema.$ref) return element("a", { href: `#${name(schema.$ref)}` }, name(schema.$ref));
  if (schema.anyOf) return join(schema.anyOf.map(type), " or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return join(["list of ", type(schema.items)], "");
  return schema.format || schema.type || "any";
}

function join(parts, between) {
  const holder = element("span");
  parts.forEach((part, index) => holder.append(...(index ? [between] : []), part));
  return holder;
}

for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, call] of Object.entries(methods)) {
    const answer = call.responses["200"]?.content || {};
    const body = Object.values(call.requestBody?.content || {})[0]?.schema;
    const parameters = (call.parameters || []).map((each) => element("li", {}, element("code", {}, each.name), " ", type(each.schema), each.description ? `: ${each.description}` : ""));
    document.getElementById("calls").append(element("section", { class: "call" },
      element("h3", {}, element("code", {}, `${method.toUpperCase()} ${path}`)),
      element("p", {}, call.description || ""),
      ...(parameters.length ? [element("ul", {}, ...parameters)] : []),
      ...(body ? [element("p", { class: "small" }, "Body: ", type(body))] : []),
      ...(answer["application/json"] ? [element("p", { class: "small" }, "Answer: ", type(answer["application/json"].schema))] : [])));
  }
}
for (const [title, schema] of Object.entries(api.components.schemas)) {
  const rows = Object.entries(schema.properties || {}).map(([field, value]) => element("li", {}, element("code", {}, field), " ", type(value), value.description ? `: ${value.description}` : ""));
  document.getElementById("shapes").append(element("section", { id: title, class: "call" }, element("h3", {}, title), element("p", {}, schema.description || ""), element("ul", {}, ...rows)));
}
