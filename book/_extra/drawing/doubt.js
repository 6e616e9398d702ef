// When an answer should not be trusted, and what may help: `doubt` of mnist_tutorial/doubt.py,
// in the same order and with the same names. The book's tests hold the two to each other.

(function () {
  "use strict";

  const SIZE = 28, INKED = 50, TALL = 0.5, WIDEST = 1.8, THICKEST = 11, HEAVY = 170;

  const article = (digit) => (digit === 8 ? "an 8" : `a ${digit}`);

  /**
   * Return a sentence that says what is doubtful and what may help, or "" for a sure answer.
   * advice: what helps where the ink itself gives no hint.
   */
  function doubt(pixels, logits, probabilities, limits, advice = "crop closer or light it evenly") {
    const order = Array.from(probabilities.keys());
    order.sort((a, b) => probabilities[b] - probabilities[a] || b - a);
    const [best, second] = order, boxes = boxesOf(pixels), digits = countDigits(boxes);
    if (digits > 1) return `There seem to be ${digits} digits: it reads one at a time.`;
    const [height, width] = [0, 1].map((axis) =>
      Math.max(...boxes.map((box) => box[axis + 2])) - Math.min(...boxes.map((box) => box[axis])) - 1);
    if (width > WIDEST * height) {
      return "This is wider than any digit: it reads one at a time.";
    }
    if (isFilled(pixels)) return "This is a filled shape, not a stroke: use a thinner pen.";
    const heavy = pixels.reduce((sum, pixel) => sum + pixel, 0) > HEAVY * 255;
    const help = heavy ? "use a thinner pen" : advice;
    if (logits[best] < limits.logit) {
      return `Unlike any digit it knows, at best ${article(best)}: ${help}.`;
    }
    if (probabilities[best] < limits.probability) {
      return `Not sure, ${article(best)} or ${article(second)}: ${help}.`;
    }
    return "";
  }

  /** Count the tall pieces of ink that stand side by side (a broken 4 or 5 is one). */
  function countDigits(boxes) {
    const top = Math.min(...boxes.map((box) => box[0]));
    const bottom = Math.max(...boxes.map((box) => box[2]));
    const tall = boxes.filter((box) => box[2] - box[0] >= TALL * (bottom - top));
    tall.sort((a, b) => a[1] - b[1] || a[3] - b[3]);
    return tall.filter((box, i) => i === 0 || box[1] >= tall[i - 1][3] - 1).length;
  }

  /** The boxes of the pieces of ink: [top, left, bottom, right]. */
  function boxesOf(pixels) {
    const left = new Set(), boxes = [];
    pixels.forEach((pixel, i) => pixel > INKED && left.add(i));
    for (const start of left) {
      const box = [SIZE, SIZE, 0, 0], waiting = [start];
      left.delete(start);
      while (waiting.length) {
        const i = waiting.pop(), row = Math.floor(i / SIZE), column = i % SIZE;
        box[0] = Math.min(box[0], row);
        box[1] = Math.min(box[1], column);
        box[2] = Math.max(box[2], row + 1);
        box[3] = Math.max(box[3], column + 1);
        for (const down of [-1, 0, 1]) {
          for (const right of [-1, 0, 1]) {
            const next = i + SIZE * down + right, across = column + right;
            if (across >= 0 && across < SIZE && left.delete(next)) waiting.push(next);
          }
        }
      }
      boxes.push(box);
    }
    return boxes;
  }

  /** Whether a large square fits into the ink. */
  function isFilled(pixels) {
    const sides = new Uint8Array(SIZE * SIZE); // of the largest square that ends at a pixel
    for (let i = 0; i < sides.length; i++) {
      if (pixels[i] <= 127) continue;
      const inside = i >= SIZE && i % SIZE > 0;
      const before = inside ? [sides[i - 1], sides[i - SIZE], sides[i - SIZE - 1]] : [0];
      sides[i] = 1 + Math.min(...before);
    }
    return Math.max(...sides) >= THICKEST;
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, { doubt });
})();
