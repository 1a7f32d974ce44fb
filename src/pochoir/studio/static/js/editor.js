// Tools that change the mask: clicks, brush, eraser, lasso and box, by pointer and by keyboard.
export const TOOLS = ["keep", "drop", "brush", "erase", "lasso", "box", "pan"];

export class Editor {
  constructor(stage, { onClickPoint, onBox, onMaskChange, onTool }) {
    this.stage = stage;
    this.tool = "brush";
    this.radius = 20;
    this.hardness = 0.8;
    this.enabled = false;
    Object.assign(this, { onClickPoint, onBox, onMaskChange, onTool });
    const { canvas } = stage;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event, true));
    canvas.addEventListener("pointerleave", () => this.hideCursor());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get mask() {
    return this.stage.mask;
  }

  setTool(tool) {
    this.tool = tool;
    this.stage.draft = null;
    this.hideCursor();
    this.stage.canvas.style.cursor = { pan: "grab", keep: "crosshair", drop: "crosshair", lasso: "crosshair", box: "crosshair" }[tool] || "none";
    this.onTool(tool);
  }

  setRadius(radius) {
    this.radius = Math.min(2000, Math.max(1, radius));
    if (this.stage.cursor) this.stage.cursor.radius = this.radius;
    this.stage.draw();
    this.onTool(this.tool);
  }

  setHardness(hardness) {
    this.hardness = Math.min(1, Math.max(0, hardness));
    this.onTool(this.tool);
  }

  get canEdit() {
    return this.enabled && this.stage.mode === "edit" && this.mask;
  }

  hideCursor() {
    if (this.active) return;
    this.stage.cursor = null;
    this.stage.draw();
  }

  down(event) {
    const { canvas } = this.stage;
    canvas.setPointerCapture(event.pointerId); // a stroke that leaves the canvas goes on
    canvas.focus({ preventScroll: true });
    const point = this.stage.toPicture(event);
    if (event.button === 1 || this.tool === "pan" || this.spaceHeld || !this.canEdit) {
      this.active = { kind: "pan", x: event.clientX, y: event.clientY };
      return;
    }
    if (event.button > 2) return;
    const removes = event.button === 2 || event.altKey;
    if (this.tool === "keep" || this.tool === "drop") {
      this.click(point, (this.tool === "keep") !== removes);
    } else if (this.tool === "brush" || this.tool === "erase") {
      this.active = { kind: "stroke", ...point };
      this.mask.begin((this.tool === "brush") !== removes ? 255 : 0, this.radius, this.hardness);
      this.mask.lineTo(point.x, point.y, point.x, point.y);
    } else {
      this.active = { kind: this.tool, points: [[point.x, point.y]], removes, start: point };
      this.stage.draft = { points: this.active.points, closed: true };
    }
  }

  move(event) {
    const point = this.stage.toPicture(event);
    if (this.canEdit && (this.tool === "brush" || this.tool === "erase")) {
      this.stage.cursor = { ...point, radius: this.radius };
      this.stage.draw();
    }
    const { active } = this;
    if (!active) return;
    if (active.kind === "pan") {
      this.stage.panBy(event.clientX - active.x, event.clientY - active.y);
      active.x = event.clientX;
      active.y = event.clientY;
    } else if (active.kind === "stroke") {
      const events = event.getCoalescedEvents?.() || [event];
      for (const each of events.length ? events : [event]) {
        const next = this.stage.toPicture(each);
        this.mask.lineTo(active.x, active.y, next.x, next.y);
        active.x = next.x;
        active.y = next.y;
      }
    } else if (active.kind === "lasso") {
      active.points.push([point.x, point.y]);
      this.stage.draw();
    } else if (active.kind === "box") {
      const { start } = active;
      active.points = [[start.x, start.y], [point.x, start.y], [point.x, point.y], [start.x, point.y]];
      this.stage.draft = { points: active.points, closed: true };
      this.stage.draw();
    }
  }

  up(event, canceled = false) {
    const { active } = this;
    this.active = null;
    if (!active) return;
    if (active.kind === "stroke") {
      this.mask.end();
      this.onMaskChange();
    } else if (active.kind === "lasso" && !canceled && active.points.length > 2) {
      this.mask.fillPolygon(active.points, active.removes ? 0 : 255);
      this.onMaskChange();
    } else if (active.kind === "box" && !canceled && active.points.length === 4) {
      this.finishBox(active.points[0], active.points[2]);
    }
    this.stage.draft = null;
    this.stage.draw();
  }

  click(point, keep) {
    const { width, height } = this.stage.size;
    const x = Math.floor(point.x), y = Math.floor(point.y);
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    this.stage.marks.push({ x: x + 0.5, y: y + 0.5, keep });
    this.stage.draw();
    this.onClickPoint({ x, y, keep });
  }

  finishBox(first, last) {
    const { width, height } = this.stage.size;
    const left = Math.max(0, Math.round(Math.min(first[0], last[0]))), top = Math.max(0, Math.round(Math.min(first[1], last[1])));
    const right = Math.min(width, Math.round(Math.max(first[0], last[0]))), bottom = Math.min(height, Math.round(Math.max(first[1], last[1])));
    if (right - left > 2 && bottom - top > 2) this.onBox([left, top, right - left, bottom - top]);
  }

  // By keyboard: arrows move the brush, Space or Enter paints, clicks, or sets the corners.
  key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { width, height } = this.stage.size;
    if (!this.canEdit || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in arrows) {
      event.preventDefault();
      const step = event.shiftKey ? 1 : Math.max(2, this.radius / 2);
      const from = this.stage.cursor || { x: width / 2, y: height / 2 };
      const to = {
        x: Math.min(width, Math.max(0, from.x + step * arrows[event.key][0])),
        y: Math.min(height, Math.max(0, from.y + step * arrows[event.key][1])),
      };
      this.stage.cursor = { ...to, radius: this.tool === "brush" || this.tool === "erase" ? this.radius : 3 };
      if (this.keyCorner && this.tool === "box") {
        const start = this.keyCorner;
        this.stage.draft = { points: [[start.x, start.y], [to.x, start.y], [to.x, to.y], [start.x, to.y]], closed: true };
      } else if (this.keyLasso && this.tool === "lasso") {
        this.keyLasso.push([to.x, to.y]);
        this.stage.draft = { points: this.keyLasso, closed: true };
      }
      this.stage.draw();
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      this.stage.cursor ||= { x: width / 2, y: height / 2, radius: this.radius };
      this.act(this.stage.cursor);
    }
  }

  act(point) {
    if (this.tool === "keep" || this.tool === "drop") {
      this.click(point, this.tool === "keep");
    } else if (this.tool === "brush" || this.tool === "erase") {
      this.mask.begin(this.tool === "brush" ? 255 : 0, this.radius, this.hardness);
      this.mask.lineTo(point.x, point.y, point.x, point.y);
      this.mask.end();
      this.onMaskChange();
    } else if (this.tool === "box") {
      if (this.keyCorner) this.finishBox([this.keyCorner.x, this.keyCorner.y], [point.x, point.y]);
      this.keyCorner = this.keyCorner ? null : { x: point.x, y: point.y };
      this.stage.draft = null;
    } else if (this.tool === "lasso") {
      if (this.keyLasso && this.keyLasso.length > 2) {
        this.mask.fillPolygon(this.keyLasso, 255);
        this.onMaskChange();
      }
      this.keyLasso = this.keyLasso ? null : [[point.x, point.y]];
      this.stage.draft = null;
    }
    this.stage.draw();
  }
}
