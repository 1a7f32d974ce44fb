// The stage: one canvas that shows the photo, its mask, previews and results, with zoom, pan and a divider.
const MAX_ZOOM = 16;

export class Stage {
  constructor(holder, canvas, divider, zoomLevel) {
    this.holder = holder;
    this.canvas = canvas;
    this.divider = divider;
    this.zoomLevel = zoomLevel;
    this.context = canvas.getContext("2d");
    this.photo = null;
    this.result = null;
    this.other = null;
    this.mask = null;
    this.overlay = null;
    this.mode = "edit";
    this.ground = "checker";
    this.ownColor = "#ff7a59";
    this.zoom = 1;
    this.offset = { x: 0, y: 0 };
    this.split = 0.5;
    this.cursor = null;
    this.draft = null;
    this.marks = [];
    this.outlined = null; // corners of a box that stays
    this.pending = false;
    new ResizeObserver(() => this.resize()).observe(holder);
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.setUpDivider();
  }

  // The photo's own size; what is shown of it may be smaller.
  get size() {
    return this.logical || { width: 1, height: 1 };
  }

  setPhoto(bitmap, size) {
    this.photo?.close?.();
    this.photo = bitmap;
    this.logical = size;
    this.result = null;
    this.other = null;
    this.marks = [];
    this.fit();
  }

  setResult(bitmap) {
    this.result?.close?.();
    this.result = bitmap;
    this.draw();
  }

  setOther(bitmap) {
    this.other?.close?.();
    this.other = bitmap;
    this.draw();
  }

  setMask(mask) {
    this.mask = mask;
    this.overlay = null;
    if (mask) {
      this.overlay = new OffscreenCanvas(mask.width, mask.height);
      this.overlayContext = this.overlay.getContext("2d");
      this.updateMask(mask.all());
    }
    this.draw();
  }

  // The overlay's alpha is the mask; tints are composed from it when drawing.
  updateMask(rect) {
    if (!this.mask || rect.right <= rect.left) return;
    const width = rect.right - rect.left;
    const rows = Math.max(1, Math.floor((1 << 21) / width));
    for (let top = rect.top; top < rect.bottom; top += rows) {
      const count = Math.min(rows, rect.bottom - top);
      const image = new ImageData(width, count);
      const words = new Uint32Array(image.data.buffer);
      for (let row = 0, at = 0; row < count; row += 1) {
        let from = (top + row) * this.mask.width + rect.left;
        for (let column = 0; column < width; column += 1, at += 1, from += 1) words[at] = (this.mask.data[from] << 24) | 0xffffff;
      }
      this.overlayContext.putImageData(image, rect.left, top);
    }
    this.draw();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const box = this.holder.getBoundingClientRect();
    if (!box.width || !box.height) return;
    const wasFit = this.isFit;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.ratio = ratio;
    if (wasFit !== false) this.fit();
    else this.draw();
  }

  fitZoom() {
    const { width, height } = this.size;
    const room = 0.965;
    return Math.min((this.canvas.width * room) / width, (this.canvas.height * room) / height);
  }

  fit() {
    this.isFit = true;
    this.zoom = this.fitZoom();
    const { width, height } = this.size;
    this.offset = { x: (this.canvas.width - width * this.zoom) / 2, y: (this.canvas.height - height * this.zoom) / 2 };
    this.draw();
  }

  // Zoom by a factor, or to `absolute` screen pixels per picture pixel, about a point of the canvas.
  zoomBy(factor, at, absolute) {
    const center = at || { x: this.canvas.width / 2, y: this.canvas.height / 2 };
    const least = Math.min(this.fitZoom(), 1) / 2;
    const next = Math.min(MAX_ZOOM, Math.max(least, absolute || this.zoom * factor));
    this.offset.x = center.x - ((center.x - this.offset.x) * next) / this.zoom;
    this.offset.y = center.y - ((center.y - this.offset.y) * next) / this.zoom;
    this.zoom = next;
    this.isFit = false;
    this.draw();
  }

  panBy(x, y) {
    this.offset.x += x * this.ratio;
    this.offset.y += y * this.ratio;
    this.isFit = false;
    this.draw();
  }

  wheel(event) {
    event.preventDefault();
    if (event.shiftKey) this.panBy(-event.deltaY, 0);
    else if (event.ctrlKey || event.metaKey || !event.deltaX) this.zoomBy(Math.exp(-event.deltaY / 400), this.toCanvas(event));
    else this.panBy(-event.deltaX, -event.deltaY);
  }

  toCanvas(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) * this.ratio, y: (event.clientY - box.top) * this.ratio };
  }

  toPicture(event) {
    const point = this.toCanvas(event);
    return { x: (point.x - this.offset.x) / this.zoom, y: (point.y - this.offset.y) / this.zoom };
  }

  setUpDivider() {
    const move = (event) => {
      const point = this.toPicture(event);
      this.setSplit(point.x / this.size.width);
    };
    this.divider.addEventListener("pointerdown", (event) => {
      this.divider.setPointerCapture(event.pointerId);
      this.dragging = true;
    });
    this.divider.addEventListener("pointermove", (event) => this.dragging && move(event));
    this.divider.addEventListener("pointerup", () => (this.dragging = false));
    this.divider.addEventListener("pointercancel", () => (this.dragging = false));
    this.divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.setSplit(this.split + step);
    });
  }

  setSplit(value) {
    this.split = Math.min(1, Math.max(0, value));
    this.divider.setAttribute("aria-valuenow", String(Math.round(100 * this.split)));
    this.draw();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint();
    });
  }

  paint() {
    const { context: c, canvas } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.photo && !this.result) return;
    const { width, height } = this.size;
    const place = [Math.round(this.offset.x), Math.round(this.offset.y), Math.round(width * this.zoom), Math.round(height * this.zoom)];
    c.imageSmoothingEnabled = this.zoom < 3 * (this.ratio || 1);
    c.imageSmoothingQuality = "high";
    const photo = this.photo || this.result;
    this.divider.hidden = this.mode !== "compare" || !this.result;
    if (this.mode === "edit") {
      c.drawImage(photo, ...place);
      if (this.overlay) this.paintOverlay(place);
    } else if (this.mode === "matte" && this.overlay) {
      c.fillStyle = "#000";
      c.fillRect(...place);
      c.drawImage(this.overlay, ...place);
    } else if (this.mode === "cutout" && this.overlay) {
      this.paintCutout(place);
    } else if (this.mode === "photo") {
      c.drawImage(photo, ...place);
    } else if (this.mode === "compare" && this.result) {
      c.drawImage(this.other || photo, ...place);
      const cut = place[0] + place[2] * this.split;
      c.save();
      c.beginPath();
      c.rect(cut, place[1], place[0] + place[2] - cut, place[3]);
      c.clip();
      this.paintGround(place);
      c.drawImage(this.result, ...place);
      c.restore();
      this.divider.style.left = `${cut / this.ratio}px`;
      this.divider.style.top = `${Math.max(0, place[1] / this.ratio)}px`;
      this.divider.style.height = `${Math.min(canvas.height, place[3]) / this.ratio}px`;
    } else {
      this.paintGround(place);
      c.drawImage(this.result || photo, ...place);
    }
    this.paintDraft(place);
    const percent = Math.round((100 * this.zoom) / (this.ratio || 1));
    if (this.zoomLevel.value !== `${percent} %`) this.zoomLevel.value = `${percent} %`;
  }

  paintGround(place) {
    const { context: c } = this;
    if (this.ground === "checker") {
      c.fillStyle = this.checkerPattern();
    } else {
      c.fillStyle = { white: "#fff", black: "#000", own: this.ownColor }[this.ground];
    }
    c.fillRect(...place);
  }

  checkerPattern() {
    if (!this.pattern) {
      const tile = new OffscreenCanvas(20, 20);
      const t = tile.getContext("2d");
      t.fillStyle = "#bbb";
      t.fillRect(0, 0, 20, 20);
      t.fillStyle = "#eee";
      t.fillRect(0, 0, 10, 10);
      t.fillRect(10, 10, 10, 10);
      this.pattern = this.context.createPattern(tile, "repeat");
    }
    return this.pattern;
  }

  layer(name) {
    this.layers ||= {};
    let layer = this.layers[name];
    if (!layer || layer.width !== this.canvas.width || layer.height !== this.canvas.height) {
      layer = this.layers[name] = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    }
    const context = layer.getContext("2d");
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, layer.width, layer.height);
    return context;
  }

  // Outside of the subject: a dark veil and the accent colour, so that it shows on bright and on dark photos.
  paintOverlay(place) {
    const { context: c } = this;
    const veil = this.layer("veil");
    veil.fillStyle = "rgba(14, 20, 30, 0.62)";
    veil.fillRect(...place);
    veil.fillStyle = "rgba(255, 98, 64, 0.30)";
    veil.fillRect(...place);
    veil.globalCompositeOperation = "destination-out";
    veil.drawImage(this.overlay, ...place);
    c.drawImage(veil.canvas, 0, 0);
    const width = Math.max(1, this.ratio || 1);
    this.paintOutline(place, 2 * width, "#0c1118");
    this.paintOutline(place, width, "#fff");
  }

  paintOutline(place, width, color) {
    const line = this.layer("line");
    for (let step = 0; step < 8; step += 1) {
      const angle = (step * Math.PI) / 4;
      line.drawImage(this.overlay, place[0] + width * Math.cos(angle), place[1] + width * Math.sin(angle), place[2], place[3]);
    }
    line.globalCompositeOperation = "destination-out";
    // Drawn several times, a soft edge becomes a hard one.
    for (let count = 0; count < 3; count += 1) line.drawImage(this.overlay, ...place);
    line.globalCompositeOperation = "source-in";
    line.fillStyle = color;
    line.fillRect(0, 0, line.canvas.width, line.canvas.height);
    this.context.save();
    this.context.beginPath();
    this.context.rect(...place);
    this.context.clip();
    this.context.drawImage(line.canvas, 0, 0);
    this.context.restore();
  }

  paintCutout(place) {
    this.paintGround(place);
    const cut = this.layer("cut");
    cut.drawImage(this.result || this.photo, ...place);
    cut.globalCompositeOperation = "destination-in";
    cut.drawImage(this.overlay, ...place);
    this.context.drawImage(cut.canvas, 0, 0);
  }

  paintDraft(place) {
    const { context: c } = this;
    const scale = this.zoom;
    const toScreen = (x, y) => [place[0] + x * scale, place[1] + y * scale];
    const outline = (path) => {
      c.lineWidth = 3 * this.ratio;
      c.strokeStyle = "rgba(0, 0, 0, 0.75)";
      c.stroke(path);
      c.lineWidth = 1.5 * this.ratio;
      c.strokeStyle = "#fff";
      c.stroke(path);
    };
    for (const mark of this.marks) {
      const path = new Path2D();
      const [x, y] = toScreen(mark.x, mark.y);
      const arm = 5 * this.ratio;
      path.arc(x, y, 9 * this.ratio, 0, 2 * Math.PI);
      path.moveTo(x - arm, y);
      path.lineTo(x + arm, y);
      if (mark.keep) {
        path.moveTo(x, y - arm);
        path.lineTo(x, y + arm);
      }
      outline(path);
    }
    for (const shape of [this.draft, this.outlined && { points: this.outlined, closed: true }]) {
      if (!shape?.points?.length) continue;
      const path = new Path2D();
      shape.points.forEach(([x, y], index) => (index ? path.lineTo(...toScreen(x, y)) : path.moveTo(...toScreen(x, y))));
      if (shape.closed) path.closePath();
      outline(path);
    }
    if (this.cursor && this.mode === "edit") {
      const path = new Path2D();
      path.arc(...toScreen(this.cursor.x, this.cursor.y), Math.max(2, this.cursor.radius * scale), 0, 2 * Math.PI);
      outline(path);
    }
  }
}
