// Planes of numbers, row by row, and what NumPy, SciPy and Pillow do with them in mnist_tutorial.

(function () {
  "use strict";

  function plane(height, width, value, type = Float64Array) {
    const values = new type(height * width);
    for (let i = 0; i < values.length; i++) values[i] = value(i);
    return { height, width, values };
  }

  const map = ({ height, width, values }, change, type) =>
    plane(height, width, (i) => change(values[i], i), type);
  const above = (one, level) => map(one, (value) => Number(value > level));
  const clip = (value, most) => Math.min(most, Math.max(0, value));
  const largest = ({ values }) => values.reduce((a, b) => Math.max(a, b));

  /** Where a plane holds more than this level. */
  function places({ values }, level) {
    const found = [];
    values.forEach((value, i) => { if (value > level) found.push(i); });
    return found;
  }

  function transpose({ height, width, values }) {
    const turned = new values.constructor(values.length);
    for (let row = 0, i = 0; row < height; row++) {
      for (let column = 0; column < width; column++) turned[column * height + row] = values[i++];
    }
    return { height: width, width: height, values: turned };
  }

  /** Do something to every row, then to every column. */
  const bothWays = (one, change) => transpose(change(transpose(change(one))));

  /** Cut a part out of a plane, around which lies 0. */
  function cut({ height, width, values }, top, left, newHeight, newWidth) {
    return plane(newHeight, newWidth, (i) => {
      const row = top + Math.floor(i / newWidth), column = left + (i % newWidth);
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      return isInside ? values[row * width + column] : 0;
    });
  }

  const pad = (one, size) => cut(one, -size, -size, one.height + 2 * size, one.width + 2 * size);

  /** Scale bytes, their shape kept, so that the longer side has this many pixels. */
  function resize(one, side) {
    const factor = side / Math.max(one.height, one.width);
    return bothWays(one, (rows) =>
      resizeRows(rows, Math.max(1, Math.floor(rows.width * factor + 0.5))));
  }

  /** Pillow's cubic resampling, to the bit: it averages where a row shrinks. */
  function resizeRows({ height, width, values }, newWidth) {
    const step = width / newWidth, reach = Math.max(step, 1), unit = 2 ** 22;
    const result = new Uint8Array(height * newWidth);
    for (let column = 0; column < newWidth; column++) {
      const centre = (column + 0.5) * step;
      const first = Math.max(0, Math.trunc(centre - 2 * reach + 0.5));
      const end = Math.min(width, Math.trunc(centre + 2 * reach + 0.5));
      let weights = Array.from({ length: end - first }, (_, k) =>
        cubic(Math.abs((k + first - centre + 0.5) / reach)));
      const sum = weights.reduce((a, b) => a + b);
      weights = weights.map((w) => Math.trunc((w / sum) * unit + Math.sign(w) * 0.5));
      for (let row = 0; row < height; row++) {
        let total = unit / 2;
        for (let k = 0; k < weights.length; k++) total += weights[k] * values[row * width + first + k];
        result[row * newWidth + column] = clip(Math.floor(total / unit), 255);
      }
    }
    return { height, width: newWidth, values: result };
  }

  function cubic(x) {
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
  }

  /** Every row's moving maximum (sign 1) or minimum (-1), as if its ends went on outwards. */
  function extremes({ height, width, values }, size, sign = 1, grown = 0) {
    const first = (size - 1 + grown) / 2, newWidth = width + grown;
    const result = new Float64Array(height * newWidth), line = new Float64Array(newWidth + size - 1);
    for (let row = 0; row < height; row++) {
      for (let i = 0; i < line.length; i++) {
        line[i] = sign * values[row * width + clip(i - first, width - 1)];
      }
      let reach = 1; // a number in the line is the largest of so many
      for (; 2 * reach <= size; reach *= 2) {
        for (let i = 0; i + reach < line.length; i++) {
          if (line[i + reach] > line[i]) line[i] = line[i + reach];
        }
      }
      for (let i = 0; i < newWidth; i++) {
        result[row * newWidth + i] = sign * Math.max(line[i], line[i + size - reach]);
      }
    }
    return { height, width: newWidth, values: result };
  }

  const dilate = (one, size, sign) => bothWays(one, (rows) => extremes(rows, size, sign));

  /** The value below which this share of the numbers lies, between two of them where need be. */
  function quantile(numbers, share) {
    const sorted = Float64Array.from(numbers).sort();
    const place = share * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  /** The parts of a mask, each a list of its pixels: pixels that meet at a corner are one part. */
  function partsOf({ height, width, values }) {
    const left = values.slice(), parts = [];
    left.forEach((_, start) => {
      if (!left[start]) return;
      const part = [start];
      left[start] = 0;
      for (const i of part) { // which grows meanwhile
        const column = i % width, row = (i - column) / width;
        for (let r = Math.max(0, row - 1); r <= Math.min(height - 1, row + 1); r++) {
          for (let c = Math.max(0, column - 1); c <= Math.min(width - 1, column + 1); c++) {
            if (left[r * width + c]) part.push(r * width + c);
            left[r * width + c] = 0;
          }
        }
      }
      parts.push(part);
    });
    return parts;
  }

  /** A mask of these pixels. */
  function marked({ height, width }, pixels) {
    const mask = plane(height, width, () => 0);
    for (const i of pixels) mask.values[i] = 1;
    return mask;
  }

  /** The box around pixels of a plane of this width. */
  function boxOf(pixels, width) {
    const rows = pixels.map((i) => Math.floor(i / width)), columns = pixels.map((i) => i % width);
    const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
    const end = (values) => values.reduce((a, b) => Math.max(a, b), -1) + 1;
    return { top: least(rows), left: least(columns), bottom: end(rows), right: end(columns) };
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, {
    planes: {
      above, bothWays, boxOf, clip, cut, dilate, extremes, largest, map, marked, pad, partsOf, places,
      plane, quantile, resize, transpose,
    },
  });
})();
