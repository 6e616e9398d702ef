// From a picture to what the network is given: the steps of `center_digit` in pictures.py and
// ink.py of mnist_tutorial, in the same order and with the same names, where the reasons stand.
// The book's tests hold the two to each other. A plane is numbers, row by row.

(function () {
  "use strict";

  const SIZE = 28, BOX = 20, LARGEST = 256, GAP = 0.03, STRONG = 0.6, WEAK = 0.2, THINNEST = 1.8;
  const SCALES = [0.03, 0.06, 0.1, 0.16, 0.24];

  /**
   * Find the digit in a picture; fit it to 20x20, centre it in 28x28, light on dark.
   *
   * levels: 0 to 255, row by row, four for each pixel (RGBA) or one (grey). Returns `pixels`,
   * 784 bytes; and where they come from: `box`, the ink's place in the picture as fractions of
   * its sides, and `place`, that box's place among the pixels. Throws an error without ink.
   * On a paper that is white because the page made it, all ink is the digit: `isDrawn` saves the
   * search.
   */
  function centerDigit(levels, width, height, isDrawn = false) {
    const step = levels.length / (width * height);
    let planes = Array.from({ length: isDrawn ? 1 : Math.min(step, 3) }, (_, k) =>
      plane(height, width, Uint8Array, (i) => levels[i * step + k]));
    if (Math.max(width, height) > LARGEST) planes = planes.map((one) => resize(one, LARGEST));
    const { digit, box } = thicken(isDrawn ? allInk(planes[0]) : findDigit(planes));
    const fitted = resize(map(digit, (ink) => Math.floor(ink * 255 + 0.5), Uint8Array), BOX);
    const most = fitted.values.reduce((a, b) => Math.max(a, b));
    const top = offset(fitted, false), left = offset(fitted, true);
    const pixels = new Uint8Array(SIZE * SIZE);
    fitted.values.forEach((value, i) => {
      const row = top + Math.floor(i / fitted.width), column = left + (i % fitted.width);
      pixels[row * SIZE + column] = Math.floor((value / most) * 255 + 0.5);
    });
    return {
      pixels,
      box: {
        top: box.top / planes[0].height, left: box.left / planes[0].width,
        height: digit.height / planes[0].height, width: digit.width / planes[0].width,
      },
      place: { top, left, height: fitted.height, width: fitted.width },
    };
  }

  function findDigit(planes) {
    const { grey, scale } = darkOnLight(oneGrey(planes));
    return pickDigit(liftInk(grey, scale), grey);
  }

  function allInk(grey) {
    const { digit, box } = cutOut(map(grey, (level) => 255 - level, Uint8Array), 255);
    return { digit: map(digit, (level) => level / 255), box };
  }

  /** Cut out the box that holds all ink; `full` is the most that a pixel can have. */
  function cutOut(ink, full = 1) {
    const box = { ...NOWHERE };
    ink.values.forEach((value, i) => {
      if (value > 0.1 * full) include(box, Math.floor(i / ink.width), i % ink.width);
    });
    const { top, left, bottom, right } = box;
    return { digit: cut(ink, top, left, bottom - top, right - left), box };
  }

  function plane(height, width, type = Float64Array, value = null) {
    const values = new type(height * width);
    if (value) for (let i = 0; i < values.length; i++) values[i] = value(i);
    return { height, width, values };
  }

  const map = ({ height, width, values }, change, type = Float64Array) =>
    plane(height, width, type, (i) => change(values[i], i));

  function transpose({ height, width, values }) {
    const turned = plane(width, height, values.constructor);
    for (let row = 0, i = 0; row < height; row++) {
      for (let column = 0; column < width; column++) turned.values[column * height + row] = values[i++];
    }
    return turned;
  }

  /** Do something to every row, then to every column. */
  const bothWays = (one, change) => transpose(change(transpose(change(one))));

  function cut({ width, values }, top, left, newHeight, newWidth) {
    const part = plane(newHeight, newWidth);
    for (let row = 0; row < newHeight; row++) {
      const start = (top + row) * width + left;
      part.values.set(values.subarray(start, start + newWidth), row * newWidth);
    }
    return part;
  }

  /** Lay a margin around a plane: of 0, or as the border goes on outwards. */
  function pad({ height, width, values }, size, goesOn = false) {
    const wide = plane(height + 2 * size, width + 2 * size), full = width + 2 * size;
    for (let row = goesOn ? -size : 0; row < (goesOn ? height + size : height); row++) {
      const from = clip(row, height - 1) * width, to = (row + size) * full;
      wide.values.set(values.subarray(from, from + width), to + size);
      if (!goesOn) continue;
      wide.values.fill(values[from], to, to + size);
      wide.values.fill(values[from + width - 1], to + size + width, to + full);
    }
    return wide;
  }

  /** Scale bytes, their shape kept, so that the longer side has this many pixels. */
  function resize(one, side) {
    const factor = side / Math.max(one.height, one.width);
    const length = (old) => Math.max(1, Math.floor(old * factor + 0.5));
    const across = resizeRows(one, length(one.width));
    return transpose(resizeRows(transpose(across), length(one.height)));
  }

  /** Pillow's cubic resampling, to the bit: it averages where a row shrinks. */
  function resizeRows({ height, width, values }, newWidth) {
    const step = width / newWidth, reach = Math.max(step, 1), unit = 2 ** 22;
    const result = plane(height, newWidth, Uint8Array);
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
        result.values[row * newWidth + column] = clip(Math.floor(total / unit), 255);
      }
    }
    return result;
  }

  function cubic(x) {
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
  }

  const clip = (value, most) => Math.min(most, Math.max(0, value));

  /** See colours along the direction in which neighbours differ most, as 0 to 255. */
  function oneGrey(planes) {
    const colours = planes.map((one) => map(one, Number));
    const [first] = colours;
    if (colours.every(({ values }) => values.every((v, i) => v === first.values[i]))) return first;
    const { height, width } = first, area = height * width;
    const fine = colours.map(({ values }) => plane(height, width * 2, Float64Array, (i) => {
      if (i < area) return (i + 1) % width ? values[i + 1] - values[i] : 0;
      return i + width < 2 * area ? values[i + width - area] - values[i - area] : 0;
    }).values);
    const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    let square = fine.map((a) => fine.map((b) => product(a, b)));
    for (let k = 0; k < 40; k++) { // its columns turn towards its first eigenvector
      const trace = square[0][0] + square[1][1] + square[2][2];
      square = square.map((row) => square.map((other) => product(row, other) / trace ** 2));
    }
    let axis = square.reduce((a, b) => (product(a, a) >= product(b, b) ? a : b));
    const length = Math.sqrt(product(axis, axis));
    const sign = axis[0] + axis[1] + axis[2] > 0 ? 1 : -1;
    axis = axis.map((value) => (sign * value) / length);
    const least = 255 * axis.reduce((sum, value) => sum + Math.min(value, 0), 0);
    const most = axis.reduce((sum, value) => sum + Math.abs(value), 0);
    const seen = (i) => axis.reduce((sum, value, k) => sum + value * colours[k].values[i], 0);
    return plane(height, width, Float64Array, (i) => Math.floor((seen(i) - least) / most + 0.5));
  }

  const windowOf = ({ height, width }, fraction) =>
    Math.max(2 * Math.floor((Math.max(height, width) * fraction) / 2) + 1, 3);

  /** Blur a little, so that a speck is no stroke. */
  const smoothed = (grey) => bothWays(grey, (rows) => map(rows, (value, i) => {
    const column = i % rows.width, { values } = rows;
    const next = column < rows.width - 1;
    return (values[i - (column > 0)] + 2 * value + values[i + next]) / 4;
  }));

  /** Every row's moving maximum (sign 1) or minimum (-1), from each block's two ends. */
  function extremes({ height, width, values }, size, sign = 1) {
    const radius = (size - 1) / 2, length = Math.ceil((width + 2 * radius) / size) * size;
    const result = plane(height, width), found = result.values;
    const fromLeft = new Float64Array(length), toRight = new Float64Array(length);
    for (let row = 0; row < found.length; row += width) {
      for (let i = 0; i < length; i++) {
        const column = i < radius ? 0 : i - radius < width ? i - radius : width - 1;
        fromLeft[i] = toRight[i] = sign * values[row + column];
      }
      for (let block = 0; block < length; block += size) {
        for (let i = block + 1, j = block + size - 2; j >= block; i++, j--) {
          if (fromLeft[i - 1] > fromLeft[i]) fromLeft[i] = fromLeft[i - 1];
          if (toRight[j + 1] > toRight[j]) toRight[j] = toRight[j + 1];
        }
      }
      for (let column = 0; column < width; column++) {
        const a = toRight[column], b = fromLeft[column + size - 1];
        found[row + column] = sign * (a > b ? a : b);
      }
    }
    return result;
  }

  const dilate = (one, size, sign) => bothWays(one, (rows) => extremes(rows, size, sign));

  /** Fill what is dark and narrower than a square, as if the border went on outwards. */
  function close(grey, fraction) {
    const size = windowOf(grey, fraction), r = (size - 1) / 2;
    const across = transpose(extremes(pad(grey, r, true), size));
    const down = transpose(extremes(extremes(across, size), size, -1));
    return cut(extremes(down, size, -1), r, r, grey.height, grey.width);
  }

  /** Turn light ink into dark, and say how wide strokes are (one of SCALES). */
  function darkOnLight(grey) {
    const invert = (one) => map(one, (value) => 255 - value);
    const smooth = smoothed(grey), inverse = invert(smooth);
    const filled = (one, scale) => close(one, scale).values.reduce((sum, full, i) => {
      const square = (full - one.values[i]) * (full - one.values[i]);
      return sum + square * square;
    }, 0);
    const mostDark = filled(smooth, SCALES[4]), mostLight = filled(inverse, SCALES[4]);
    for (const scale of SCALES) {
      const dark = filled(smooth, scale), light = filled(inverse, scale);
      if (dark >= Math.max(mostDark / 2, light)) return { grey, scale };
      const isThin = light > dark && light >= mostLight / 2;
      if (isThin && light >= filled(smooth, SCALES[3]) / 2) return { grey: invert(grey), scale };
    }
    throw new Error(NO_INK); // never: the last scale is one of the two
  }

  /** What fraction of the paper's own light is missing at each pixel. */
  function liftInk(grey, scale) {
    const least = 7 / Math.max(grey.height, grey.width); // in the smallest pictures a stroke takes 3 pixels
    const paper = close(grey, Math.max(2.5 * scale, least)).values;
    return map(grey, (value, i) => (paper[i] - value) / Math.max(paper[i], 1));
  }

  /** The value below which this share of the numbers lies, between two of them where need be. */
  function quantile(numbers, share) {
    const sorted = Float64Array.from(numbers).sort();
    const place = share * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    const part = place - below, gap = sorted[above] - sorted[below];
    return part < 0.5 ? sorted[below] + part * gap : sorted[above] - (1 - part) * gap; // as NumPy rounds
  }

  const above = (ink, level) => map(ink, (value) => Number(value > level), Uint8Array);

  /** Number the pieces of ink and list them, the strongest first: all, or those free of the border. */
  function piecesOf(ink, grey, level, free) {
    const { height, width } = ink, mask = above(ink, level);
    const { values } = dilate(mask, windowOf(mask, GAP));
    const labels = new Int32Array(values.length), pieces = [];
    for (let start = 0; start < values.length; start++) {
      if (!values[start] || labels[start]) continue;
      const piece = { number: pieces.length + 1, strength: 0, pixels: [], around: [], ...NOWHERE };
      const waiting = [start];
      labels[start] = piece.number;
      while (waiting.length) {
        const i = waiting.pop(), column = i % width, row = (i - column) / width;
        (mask.values[i] ? piece.pixels : piece.around).push(i);
        if (mask.values[i]) {
          piece.strength += ink.values[i] ** 1.5; // dark before large
          include(piece, row, column);
        }
        for (let r = Math.max(0, row - 1); r <= Math.min(height - 1, row + 1); r++) {
          for (let c = Math.max(0, column - 1); c <= Math.min(width - 1, column + 1); c++) {
            const next = r * width + c;
            if (!values[next] || labels[next]) continue;
            labels[next] = piece.number;
            waiting.push(next);
          }
        }
      }
      const isFlat = piece.right - piece.left > 3 * (piece.bottom - piece.top);
      if (isFlat) piece.strength *= 0.1; // a flat line is no whole digit
      pieces.push(piece);
    }
    pieces.sort((a, b) => b.strength - a.strength || a.number - b.number);
    return pieces.filter((piece) => !free || (
      piece.top > 0 && piece.left > 0 && piece.bottom < height && piece.right < width
      && extent(piece) >= GAP * Math.max(height, width)
      && darkAround(piece, ink.values, grey.values, level) < 0.1));
  }

  /** What fraction around a piece is dark, halfway to its ink, and no ink itself. */
  function darkAround({ pixels, around }, ink, grey, level) {
    const half = pixels.reduce((sum, i) =>
      sum + (grey[i] * (1 - 0.5 * ink[i])) / Math.max(1 - ink[i], 0.01), 0) / pixels.length;
    return around.filter((i) => grey[i] < half && ink[i] < level / 2).length / around.length;
  }

  const largest = ({ values }) => values.reduce((a, b) => Math.max(a, b));

  const marked = ({ height, width }, pixels) => {
    const mask = plane(height, width, Uint8Array);
    for (const i of pixels) mask.values[i] = 1;
    return mask;
  };

  /** List the pieces of ink, with the level that suits the strongest. */
  function findPieces(ink, grey, free) {
    const most = largest(ink), at = (level) => piecesOf(ink, grey, level, free);
    const strong = at(STRONG * most), weak = at(WEAK * most);
    const total = (list) => (list.length ? list[0].strength : 0);
    let pieces = total(weak) > total(strong) ? weak : strong;
    if (!pieces.length) return { pieces, level: 0 };
    const level = STRONG * quantile(pieces[0].pixels.map((i) => ink.values[i]), 0.95);
    const again = at(level), faint = at(level / 2);
    if (again.length) pieces = again;
    const there = new Set(faint.length ? faint[0].pixels : []);
    if (pieces[0].pixels.some((i) => there.has(i))) {
      const pixels = faint.flatMap((piece) => piece.pixels);
      const added = marked(ink, pixels.filter((i) => ink.values[i] <= level));
      if (!largest(dilate(added, 3, -1))) return { pieces: faint, level: level / 2 };
    }
    return { pieces, level };
  }

  const NOWHERE = { top: Infinity, left: Infinity, bottom: 0, right: 0 };
  const extent = ({ top, left, bottom, right }) => Math.max(bottom - top, right - left);

  /** Whether a piece has ink above, below, left and right of another's box. */
  function surrounds({ pixels }, { top, left, bottom, right }, width) {
    const ends = new Set();
    for (const i of pixels) {
      const column = i % width, row = (i - column) / width;
      if (row >= top && row < bottom) ends.add(column < left ? "left" : column >= right ? "right" : "");
      if (column >= left && column < right) ends.add(row < top ? "above" : row >= bottom ? "below" : "");
    }
    return ["left", "right", "above", "below"].every((end) => ends.has(end));
  }

  function include(box, row, column) {
    box.top = Math.min(box.top, row);
    box.left = Math.min(box.left, column);
    box.bottom = Math.max(box.bottom, row + 1);
    box.right = Math.max(box.right, column + 1);
  }

  /** Choose the pieces of ink that are the digit, and cut their box out. */
  function pickDigit(ink, grey) {
    let { pieces, level } = findPieces(ink, grey, true);
    if (!pieces.length) {
      const middle = (grey.values.reduce((a, b) => Math.min(a, b)) + largest(grey)) / 2;
      const paper = quantile(grey.values.filter((value) => value >= middle), 0.5);
      ink = map(grey, (value) => clip((paper - value) / Math.max(paper, 1), 1));
      ({ pieces, level } = findPieces(ink, grey, false));
    }
    if (!pieces.length) throw new Error(NO_INK);
    let main = pieces[0];
    for (const piece of pieces) {
      if (piece.strength > 0.1 * main.strength && surrounds(main, piece, ink.width)) main = piece;
    }
    const chosen = pieces.filter((piece) => belongs(piece, main) && !surrounds(piece, main, ink.width));
    const pixels = chosen.flatMap((piece) => piece.pixels);
    const near = dilate(marked(ink, pixels), 5).values, inked = dilate(above(ink, level), 5).values;
    const paper = ink.values.filter((_, i) => !inked[i]);
    const [grain, noise] = paper.length ? [0.75, 0.95].map((share) => quantile(paper, share)) : [0, 0];
    const full = quantile(pixels.map((i) => ink.values[i]), 0.9);
    if (full < 4 * grain) throw new Error(NO_INK);
    return cutOut(map(ink, (value, i) => near[i] * clip((value - noise) / (full - noise), 1)));
  }

  const NO_INK = "No ink stands out in the picture: write larger or with more contrast.";

  /** Whether a piece is part of the digit, or another digit, and no speck. */
  function belongs(piece, main) {
    const down = Math.max(piece.top - main.bottom, main.top - piece.bottom);
    const right = Math.max(piece.left - main.right, main.left - piece.right);
    const beside = down < -0.5 * (main.bottom - main.top); // as another digit is
    const least = Math.max(down, right) < 0.25 * extent(main) ? 0.01 : beside ? 0.3 : Infinity;
    return piece.strength >= least * main.strength;
  }

  /** Draw a thin stroke with a wider pen, so that it survives being shrunk. */
  function thicken({ digit, box }) {
    const mask = pad(above(digit, 0.4), 1), around = [-1, 1, -mask.width, mask.width];
    let inked = 0, edge = 0;
    mask.values.forEach((there, i) => {
      inked += there;
      if (there && around.some((step) => !mask.values[i + step])) edge++;
    });
    const pixel = Math.max(digit.height, digit.width) / BOX;
    const radius = Math.trunc((THINNEST * pixel - (2 * inked) / edge) / 2 + 0.5);
    if (radius < 1) return { digit, box };
    return {
      digit: dilate(pad(digit, radius), 2 * radius + 1),
      box: { top: box.top - radius, left: box.left - radius },
    };
  }

  /** Where rows, or columns, of ink must start so that their centre of mass is at pixel 14. */
  function offset({ height, width, values }, columns) {
    let sum = 0, moment = 0;
    values.forEach((ink, i) => {
      sum += ink;
      moment += ink * (columns ? i % width : Math.floor(i / width));
    });
    const start = Math.floor(SIZE / 2 - moment / sum + 0.5 + 1e-6); // a tie must not hang on rounding
    return clip(start, SIZE - (columns ? width : height));
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, { centerDigit });
})();
