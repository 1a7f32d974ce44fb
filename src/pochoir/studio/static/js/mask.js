// The mask: 8-bit values at the photo's size, apart from the photo. Undo keeps the changed rectangle of each stroke.
const UNDO_BYTES = 192 << 20;

export class Mask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height);
    this.undoStack = [];
    this.redoStack = [];
    this.onChange = () => {};
    this.stroke = null;
  }

  static async fromImage(blob, width, height) {
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    if (bitmap.width !== width || bitmap.height !== height) throw new Error("The mask has another size than the photo.");
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const mask = new Mask(width, height);
    const rows = Math.max(1, Math.floor((1 << 22) / width));
    for (let top = 0; top < height; top += rows) {
      const count = Math.min(rows, height - top);
      const pixels = context.getImageData(0, top, width, count).data;
      for (let index = 0, at = top * width; index < width * count; index += 1, at += 1) mask.data[at] = pixels[4 * index];
    }
    return mask;
  }

  replace(data) {
    this.record({ left: 0, top: 0, right: this.width, bottom: this.height });
    this.data.set(data);
    this.onChange({ left: 0, top: 0, right: this.width, bottom: this.height }, true);
  }

  share() {
    let sum = 0;
    const step = Math.max(1, Math.floor(this.data.length / 200000));
    let count = 0;
    for (let index = 0; index < this.data.length; index += step, count += 1) sum += this.data[index];
    return sum / (255 * count);
  }

  // One stroke may pass the same place twice without growing denser: its coverage is the largest, not the sum.
  begin(value, radius, hardness) {
    this.stroke = {
      value, radius: Math.max(0.5, radius), hardness,
      before: this.data.slice(), coverage: new Uint8Array(this.data.length),
      rect: { left: this.width, top: this.height, right: 0, bottom: 0 },
    };
  }

  lineTo(fromX, fromY, toX, toY) {
    const { radius } = this.stroke;
    const length = Math.hypot(toX - fromX, toY - fromY);
    const count = Math.max(1, Math.ceil(length / Math.max(1, radius / 4)));
    const dirty = { left: this.width, top: this.height, right: 0, bottom: 0 };
    for (let index = 0; index <= count; index += 1) {
      this.dab(fromX + ((toX - fromX) * index) / count, fromY + ((toY - fromY) * index) / count, dirty);
    }
    if (dirty.right > dirty.left) {
      grow(this.stroke.rect, dirty);
      this.onChange(dirty, false);
    }
  }

  dab(x, y, dirty) {
    const { radius, hardness, value, before, coverage } = this.stroke;
    const rim = Math.max(1, radius * (1 - hardness));
    const left = Math.max(0, Math.floor(x - radius - 1)), right = Math.min(this.width, Math.ceil(x + radius + 1));
    const top = Math.max(0, Math.floor(y - radius - 1)), bottom = Math.min(this.height, Math.ceil(y + radius + 1));
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const amount = Math.round(255 * Math.min(1, Math.max(0, (radius - distance) / rim + 0.5)));
        const at = row * this.width + column;
        if (amount > coverage[at]) {
          coverage[at] = amount;
          this.data[at] = Math.round(before[at] + ((value - before[at]) * amount) / 255);
        }
      }
    }
    if (right > left && bottom > top) grow(dirty, { left, top, right, bottom });
  }

  end() {
    if (!this.stroke) return;
    const { rect, before } = this.stroke;
    this.stroke = null;
    if (rect.right > rect.left) {
      this.push({ rect, data: crop(before, this.width, rect) });
      this.onChange(rect, true);
    }
  }

  fillPolygon(points, value) {
    const canvas = new OffscreenCanvas(this.width, this.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.beginPath();
    points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fill();
    const rect = bounds(points, this.width, this.height);
    if (rect.right <= rect.left || rect.bottom <= rect.top) return;
    this.record(rect);
    const pixels = context.getImageData(rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top).data;
    let index = 3;
    for (let row = rect.top; row < rect.bottom; row += 1) {
      for (let column = rect.left; column < rect.right; column += 1, index += 4) {
        const at = row * this.width + column;
        this.data[at] = Math.round(this.data[at] + ((value - this.data[at]) * pixels[index]) / 255);
      }
    }
    this.onChange(rect, true);
  }

  invert() {
    this.record(this.all());
    for (let index = 0; index < this.data.length; index += 1) this.data[index] = 255 - this.data[index];
    this.onChange(this.all(), true);
  }

  fill(value) {
    this.record(this.all());
    this.data.fill(value);
    this.onChange(this.all(), true);
  }

  all() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  record(rect) {
    this.push({ rect, data: crop(this.data, this.width, rect) });
  }

  push(entry) {
    this.undoStack.push(entry);
    this.redoStack = [];
    let total = 0;
    for (let index = this.undoStack.length - 1; index >= 0; index -= 1) {
      total += this.undoStack[index].data.length;
      if (total > UNDO_BYTES && index < this.undoStack.length - 1) {
        this.undoStack.splice(0, index + 1);
        break;
      }
    }
  }

  undo() {
    return this.swap(this.undoStack, this.redoStack);
  }

  redo() {
    return this.swap(this.redoStack, this.undoStack);
  }

  swap(from, to) {
    const entry = from.pop();
    if (!entry) return false;
    to.push({ rect: entry.rect, data: crop(this.data, this.width, entry.rect) });
    paste(this.data, this.width, entry.rect, entry.data);
    this.onChange(entry.rect, true);
    return true;
  }
}

function grow(rect, other) {
  rect.left = Math.min(rect.left, other.left);
  rect.top = Math.min(rect.top, other.top);
  rect.right = Math.max(rect.right, other.right);
  rect.bottom = Math.max(rect.bottom, other.bottom);
}

function bounds(points, width, height) {
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  return {
    left: Math.max(0, Math.floor(Math.min(...xs)) - 1), right: Math.min(width, Math.ceil(Math.max(...xs)) + 1),
    top: Math.max(0, Math.floor(Math.min(...ys)) - 1), bottom: Math.min(height, Math.ceil(Math.max(...ys)) + 1),
  };
}

function crop(data, width, rect) {
  const columns = rect.right - rect.left;
  const result = new Uint8Array(columns * (rect.bottom - rect.top));
  for (let row = rect.top, at = 0; row < rect.bottom; row += 1, at += columns) {
    result.set(data.subarray(row * width + rect.left, row * width + rect.right), at);
  }
  return result;
}

function paste(data, width, rect, values) {
  const columns = rect.right - rect.left;
  for (let row = rect.top, at = 0; row < rect.bottom; row += 1, at += columns) {
    data.set(values.subarray(at, at + columns), row * width + rect.left);
  }
}
