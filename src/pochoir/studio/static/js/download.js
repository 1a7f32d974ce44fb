// Downloads that the server has to make first: the file is fetched, so that an error is told in a line.
import * as api from "./api.js";
import { element } from "./dom.js";
import { texts } from "./texts.js";

export function downloadMenu(item, formats, { onError, onBusy }) {
  const save = async (format) => {
    onBusy(texts.converting(format));
    try {
      const blob = await api.get(`/api/history/${item.id}/image?format=${format}&download=1`);
      const address = URL.createObjectURL(blob);
      element("a", { href: address, download: `${item.name.replace(/\.[^.]+$/, "")}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      onBusy("");
    } catch (error) {
      onBusy("");
      onError(error);
    }
  };
  const menu = element("details", { class: "menu" }, element("summary", { class: "button" }, texts.download),
    element("div", { class: "menu-items" }, ...formats.filter((format) => !(item.transparent && format === "mp4")).map((format) =>
      element("button", { type: "button", onclick: () => { menu.open = false; save(format); } }, texts.clipFormats[format] || format))));
  return menu;
}
