// Player of clips and videos, for the tabs that show them. With reduced motion it is still until it is asked to play.
import { element } from "./dom.js";
import { texts } from "./texts.js";

const wantsCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const CONTAINERS = /\.(mp4|webm|mov|mkv)$/i;

export class Player {
  constructor(place) {
    this.place = place;
    this.item = null;
  }

  clear() {
    this.item = null;
    this.place.replaceChildren();
    delete this.place.dataset.playing;
    delete this.place.dataset.ground;
  }

  // A picture that stands for what comes: the source, or a preview.
  showStill(source, label = "") {
    this.item = null;
    delete this.place.dataset.playing;
    delete this.place.dataset.ground;
    const known = this.place.querySelector("img.still");
    if (known && this.place.childElementCount === 1) {
      known.src = source;
      known.alt = label;
    } else this.place.replaceChildren(element("img", { class: "still", src: source, alt: label }));
  }

  show(item) {
    if (this.item?.id === item.id) return;
    this.item = item;
    this.isPlaying = !wantsCalm();
    if (item.transparent) this.place.dataset.ground = "checker";
    else delete this.place.dataset.ground;
    if (CONTAINERS.test(item.name)) this.drawVideo();
    else this.drawPicture();
  }

  get address() {
    return `/api/history/${this.item.id}/image?format=${this.item.name.split(".").pop()}`;
  }

  drawVideo() {
    const video = element("video", { src: this.address, poster: `/api/history/${this.item.id}/image?as=still`, controls: true, loop: true, muted: true, playsInline: true, autoplay: this.isPlaying, "aria-label": this.item.name });
    video.addEventListener("play", () => (this.place.dataset.playing = "true"));
    video.addEventListener("pause", () => (this.place.dataset.playing = "false"));
    this.place.dataset.playing = "false";
    this.place.replaceChildren(video);
  }

  drawPicture() {
    const image = element("img", { alt: this.item.name });
    const toggle = element("button", { type: "button", class: "play", onclick: () => set(!this.isPlaying) });
    const set = (plays) => {
      this.isPlaying = plays;
      image.src = plays ? this.address : `/api/history/${this.item.id}/image?as=still`;
      toggle.textContent = plays ? texts.pause : texts.play;
      this.place.dataset.playing = String(plays);
    };
    set(this.isPlaying);
    this.place.replaceChildren(image, toggle);
  }
}
