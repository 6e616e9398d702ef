// When an answer should not be trusted, and what may help: `doubt` of mnist_tutorial/doubt.py,
// in the same order and with the same names. The book's tests hold the two to each other.

(function () {
  "use strict";

  const { above, boxOf, partsOf } = window.mnistDrawing.planes;
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
    const reach = (start, end) =>
      Math.max(...boxes.map((box) => box[end])) - Math.min(...boxes.map((box) => box[start])) - 1;
    const height = reach("top", "bottom"), width = reach("left", "right");
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
    const top = Math.min(...boxes.map((box) => box.top));
    const bottom = Math.max(...boxes.map((box) => box.bottom));
    const tall = boxes.filter((box) => box.bottom - box.top >= TALL * (bottom - top));
    tall.sort((a, b) => a.left - b.left || a.right - b.right);
    return tall.filter((box, i) => i === 0 || box.left >= tall[i - 1].right - 1).length;
  }

  /** The boxes of the pieces of ink. */
  function boxesOf(pixels) {
    const inked = above({ height: SIZE, width: SIZE, values: pixels }, INKED);
    return partsOf(inked).map((part) => boxOf(part, SIZE));
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
