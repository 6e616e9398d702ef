// What the answer depends on: cover one patch after another with paper, and see by how much the
// answer's margin changes.

(function () {
  "use strict";

  const SIDE = 28,
    PATCH = 4,
    PATCHES = SIDE / PATCH;
  const PAUSE = 250; // milliseconds without a change before the work begins
  const SLICE = 12; // milliseconds of work between two frames

  /** How far the logit of one digit lies above the largest of the others. */
  function marginOf(logits, digit) {
    return logits[digit] - Math.max(...logits.filter((_, other) => other !== digit));
  }

  /**
   * onMap is called with { digit, falls }, how much the margin falls for each of the 49 patches; or
   * with null.
   */
  function createOcclusion(network, onMap) {
    let timer = 0;

    /**
     * Map the answer to these 784 pixels once they have not changed for a while; null for no map.
     */
    function update(pixels) {
      clearTimeout(timer);
      onMap(null);
      if (pixels) timer = setTimeout(begin, PAUSE, Float64Array.from(pixels));
    }

    function begin(pixels) {
      const logits = network.logits(pixels);
      const digit = logits.indexOf(Math.max(...logits)),
        before = marginOf(logits, digit);
      const falls = [];
      timer = setTimeout(function work() {
        const end = performance.now() + SLICE;
        while (falls.length < PATCHES ** 2 && performance.now() < end) {
          const covered = cover(pixels, Math.floor(falls.length / PATCHES), falls.length % PATCHES);
          falls.push(covered ? before - marginOf(network.logits(covered), digit) : 0);
        }
        if (falls.length < PATCHES ** 2) timer = setTimeout(work);
        else onMap({ digit, falls });
      });
    }

    /** The pixels with one patch blank, or null where it is blank already. */
    function cover(pixels, row, column) {
      const covered = pixels.slice();
      for (let y = row * PATCH; y < (row + 1) * PATCH; y++) {
        covered.fill(0, y * SIDE + column * PATCH, y * SIDE + (column + 1) * PATCH);
      }
      return covered.some((value, i) => value !== pixels[i]) ? covered : null;
    }

    return { update };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createOcclusion });
})();
