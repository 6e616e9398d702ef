// From a picture to what the network is given: the steps of `preprocessing.center_digit`, in the same order,
// with the same arithmetic. The book's tests hold the two to each other.

(function () {
  "use strict";

  const SIZE = 28, BOX = 20, LARGEST = 200;

  /**
   * Bring a picture of one digit to MNIST's form.
   *
   * grey: height * width numbers from 0 (black) to 255 (white), row by row. Returns `pixels`, 784 whole numbers
   * from 0 to 255, light ink on dark; and where they come from: `box`, the ink's place in the picture as
   * fractions of its sides, and `place`, that box's place among the 28 by 28 pixels.
   * Throws an error for a picture without a digit.
   */
  function centerDigit(grey, width, height) {
    let picture = { rows: height, columns: width, values: Float64Array.from(grey, (level) => level / 255) };
    if (Math.max(width, height) > LARGEST) picture = fit(picture, LARGEST);
    const { rows, columns, values } = picture;

    const threshold = otsuThreshold(values);
    const edge = [];
    for (let i = 0; i < values.length; i++) {
      const row = Math.floor(i / columns), column = i % columns;
      if (row === 0 || row === rows - 1 || column === 0 || column === columns - 1) edge.push(i);
    }
    const paperIsLight = edge.filter((i) => values[i] > threshold).length > edge.length / 2;
    const border = edge.filter((i) => values[i] > threshold === paperIsLight);

    const paper = plane(border.map((i) => [Math.floor(i / columns), i % columns, values[i]]));
    const ink = new Float64Array(values.length);
    let strongest = 0;
    for (let i = 0; i < values.length; i++) {
      const level = paper(Math.floor(i / columns), i % columns);
      ink[i] = Math.max(0, paperIsLight ? level - values[i] : values[i] - level);
      strongest = Math.max(strongest, ink[i]);
    }
    const noise = 4 * quantile(border.map((i) => ink[i]), 0.9);
    if (!(strongest - noise >= 0.1)) {
      throw new Error("The picture shows no digit: it is blank, or its ink hardly differs from its paper.");
    }
    let top = rows, bottom = -1, left = columns, right = -1;
    for (let i = 0; i < ink.length; i++) {
      ink[i] = clip((ink[i] - noise) / (strongest - noise));
      if (ink[i] > 0.1) {
        const row = Math.floor(i / columns), column = i % columns;
        top = Math.min(top, row);
        bottom = Math.max(bottom, row);
        left = Math.min(left, column);
        right = Math.max(right, column);
      }
    }

    const cut = { rows: bottom - top + 1, columns: right - left + 1, values: [] };
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) cut.values.push(ink[row * columns + column]);
    }
    const fitted = fit(cut, BOX);
    const inRows = new Float64Array(fitted.rows), inColumns = new Float64Array(fitted.columns);
    let most = 0;
    fitted.values.forEach((value, i) => {
      inRows[Math.floor(i / fitted.columns)] += value;
      inColumns[i % fitted.columns] += value;
      most = Math.max(most, value);
    });
    const down = offset(inRows), across = offset(inColumns);
    const pixels = new Uint8Array(SIZE * SIZE);
    fitted.values.forEach((value, i) => {
      const row = down + Math.floor(i / fitted.columns), column = across + (i % fitted.columns);
      pixels[row * SIZE + column] = Math.floor((value / most) * 255 + 0.5);
    });
    return {
      pixels,
      box: { top: top / rows, left: left / columns, height: cut.rows / rows, width: cut.columns / columns },
      place: { top: down, left: across, height: fitted.rows, width: fitted.columns },
    };
  }

  const clip = (value) => Math.min(1, Math.max(0, value));

  /** The grey level that parts the pixels into two groups with the least spread within them. */
  function otsuThreshold(values) {
    const counts = new Float64Array(256);
    for (const value of values) counts[Math.floor(value * 255 + 0.5)]++;
    let sum = 0;
    counts.forEach((count, level) => (sum += count * level));
    let below = 0, sumBelow = 0, best = -1, found = 0;
    for (let level = 0; level < 256; level++) {
      below += counts[level];
      sumBelow += counts[level] * level;
      const difference = sumBelow * values.length - sum * below;
      const apart = (difference * difference) / Math.max(below * (values.length - below), 1);
      if (apart > best) [best, found] = [apart, level];
    }
    return (found + 0.5) / 255;
  }

  /** The plane through points (row, column, level) that misses them least: a function of row and column. */
  function plane(points) {
    const mean = [0, 0, 0];
    for (const point of points) for (let k = 0; k < 3; k++) mean[k] += point[k] / points.length;
    let rr = 0, rc = 0, cc = 0, rl = 0, cl = 0;
    for (const [row, column, level] of points) {
      const r = row - mean[0], c = column - mean[1], l = level - mean[2];
      rr += r * r;
      rc += r * c;
      cc += c * c;
      rl += r * l;
      cl += c * l;
    }
    const area = rr * cc - rc * rc;
    const down = area > 1e-9 ? (rl * cc - cl * rc) / area : rr > cc ? rl / rr : 0;
    const across = area > 1e-9 ? (cl * rr - rl * rc) / area : cc > rr ? cl / cc : 0;
    return (row, column) => mean[2] + down * (row - mean[0]) + across * (column - mean[1]);
  }

  /** The value below which this share of the numbers lies, between two of them where need be. */
  function quantile(numbers, share) {
    numbers.sort((a, b) => a - b);
    const place = share * (numbers.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, numbers.length - 1);
    return numbers[below] + (place - below) * (numbers[above] - numbers[below]);
  }

  /** Scale a picture, its shape kept, so that its longer side has this many pixels. */
  function fit(picture, side) {
    const { rows, columns, values } = picture;
    const scale = side / Math.max(rows, columns);
    const newRows = Math.max(1, Math.floor(rows * scale + 0.5));
    const newColumns = Math.max(1, Math.floor(columns * scale + 0.5));
    const across = new Float64Array(rows * newColumns);
    resampling(columns, newColumns).forEach(({ first, weights }, column) => {
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k] * values[row * columns + first + k];
        across[row * newColumns + column] = sum;
      }
    });
    const fitted = new Float64Array(newRows * newColumns);
    resampling(rows, newRows).forEach(({ first, weights }, row) => {
      for (let column = 0; column < newColumns; column++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k] * across[(first + k) * newColumns + column];
        fitted[row * newColumns + column] = clip(sum);
      }
    });
    return { rows: newRows, columns: newColumns, values: fitted };
  }

  /** Which old pixels make each new one, and with which weights: cubic; it averages where a line shrinks. */
  function resampling(length, newLength) {
    const step = length / newLength, reach = Math.max(step, 1);
    return Array.from({ length: newLength }, (_, i) => {
      const centre = (i + 0.5) * step;
      const first = Math.max(0, Math.floor(centre - 2 * reach));
      const end = Math.min(length, Math.ceil(centre + 2 * reach));
      const weights = [];
      let sum = 0;
      for (let k = first; k < end; k++) {
        const weight = cubic(Math.abs(k + 0.5 - centre) / reach);
        weights.push(weight);
        sum += weight;
      }
      return { first, weights: weights.map((weight) => weight / sum) };
    });
  }

  function cubic(distance) {
    if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
    if (distance < 2) return ((-0.5 * distance + 2.5) * distance - 4) * distance + 2;
    return 0;
  }

  /** Where a line of ink must start so that its centre of mass is at pixel 14. */
  function offset(mass) {
    let sum = 0, moment = 0;
    mass.forEach((ink, place) => {
      sum += ink;
      moment += place * ink;
    });
    const start = Math.floor(SIZE / 2 - moment / sum + 0.5 + 1e-6); // a tie must not hang on rounding
    return Math.min(SIZE - mass.length, Math.max(0, start));
  }

  const center = (grey, width, height) => centerDigit(grey, width, height).pixels;

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { centerDigit, center });
})();
