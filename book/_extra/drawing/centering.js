// From a picture to what the network is given: the steps of `center_digit` in pictures.py and
// ink.py of mnist_tutorial, in the same order and with the same names, where the reasons stand.
// The book's tests hold the two to each other.

(function () {
  "use strict";

  const {
    above, bothWays, boxOf, clip, cut, dilate, extremes, largest, map, marked, pad, partsOf, places,
    plane, quantile, resize, transpose,
  } = window.mnistDrawing.planes;
  const SIZE = 28, BOX = 20, LARGEST = 256, GAP = 0.03, THINNEST = 1.8;
  const SCALES = [0.03, 0.06, 0.1, 0.16, 0.24], LEVELS = [0.6, 0.2];
  const NO_INK = "No ink stands out in the picture: write larger or with more contrast.";

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
      plane(height, width, (i) => levels[i * step + k], Uint8Array));
    if (Math.max(width, height) > LARGEST) planes = planes.map((one) => resize(one, LARGEST));
    const [paper] = planes;
    const ink = isDrawn ? map(paper, (level) => (255 - level) / 255) : findDigit(planes);
    const { digit, top, left } = cutOut(ink);
    const fitted = resize(map(digit, (value) => Math.floor(value * 255 + 0.5), Uint8Array), BOX);
    const down = offset(fitted), right = offset(transpose(fitted)), most = largest(fitted);
    const centred = cut(fitted, -down, -right, SIZE, SIZE);
    return {
      pixels: map(centred, (value) => Math.floor((value / most) * 255 + 0.5), Uint8Array).values,
      box: {
        top: top / paper.height, left: left / paper.width,
        height: digit.height / paper.height, width: digit.width / paper.width,
      },
      place: { top: down, left: right, height: fitted.height, width: fitted.width },
    };
  }

  // The steps of ink.py

  /** See colours along the direction in which neighbours differ most, as 0 to 255. */
  function oneGrey(planes) {
    const [first] = planes, { height, width } = first, colours = planes.map(({ values }) => values);
    if (colours.every((one) => one.every((v, i) => v === first.values[i]))) return map(first, Number);
    const changes = colours.map((one) => Float64Array.from({ length: 2 * one.length }, (_, k) => {
      const i = k >> 1, isLast = k % 2 ? i + width >= one.length : (i + 1) % width === 0;
      return isLast ? 0 : one[i + (k % 2 ? width : 1)] - one[i];
    }));
    const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    let square = changes.map((a) => changes.map((b) => product(a, b)));
    for (let k = 0; k < 40; k++) { // its columns turn towards its first eigenvector
      const trace = square[0][0] + square[1][1] + square[2][2];
      square = square.map((row) => square.map((other) => product(row, other) / trace ** 2));
    }
    const longest = square.reduce((a, b) => (product(a, a) >= product(b, b) ? a : b));
    const axis = longest.map((v) => (longest[0] + longest[1] + longest[2] > 0 ? v : -v));
    const least = 255 * axis.reduce((sum, value) => sum + Math.min(value, 0), 0);
    const most = axis.reduce((sum, value) => sum + Math.abs(value), 0);
    const seen = (i) => axis.reduce((sum, value, k) => sum + value * colours[k][i], 0);
    return plane(height, width, (i) => Math.floor((seen(i) - least) / most + 0.5));
  }

  const windowOf = ({ height, width }, fraction) =>
    Math.max(2 * Math.floor((Math.max(height, width) * fraction) / 2) + 1, 3);

  /** Fill what is dark and narrower than a square, as if the border went on outwards. */
  function close(grey, fraction) {
    const size = windowOf(grey, fraction);
    const grown = bothWays(grey, (rows) => extremes(rows, size, 1, size - 1));
    return bothWays(grown, (rows) => extremes(rows, size, -1, 1 - size));
  }

  /** Mix each pixel with its neighbours: 16 times as much, in whole numbers. */
  const blur = (grey) => bothWays(grey, (rows) => map(rows, (value, i) => {
    const column = i % rows.width, { values } = rows;
    return values[i - (column > 0)] + 2 * value + values[i + (column < rows.width - 1)];
  }));

  /** Find the sheet: the largest smooth part of the picture, and what it encloses. */
  function findSheet(grey) {
    const { height, width } = grey, whole = map(grey, () => 1);
    if (Math.max(height, width) < 100) return whole;
    const smooth = map(blur(close(grey, 0.04)), (value) => value / 16 + 32);
    const [most, least] = [1, -1].map((sign) => dilate(smooth, 5, sign).values);
    const isSmooth = map(smooth, (value, i) => Number(most[i] - least[i] < 0.12 * value));
    const weigh = (i) => {
      const column = i % width, x = (column + 0.5) / width, y = ((i - column) / width + 0.5) / height;
      return x * (1 - x) * y * (1 - y) * smooth.values[i];
    };
    const sizes = partsOf(isSmooth).map((part) => [part.reduce((sum, i) => sum + weigh(i), 0), part]);
    const [, largestPart] = sizes.reduce((a, b) => (a[0] >= b[0] ? a : b), [0, []]);
    const isPart = marked(grey, largestPart).values;
    const isFrame = (i) => i < width || i >= (height - 1) * width || (i + 1) % width < 2;
    const others = partsOf(map(grey, (_, i) => 1 - isPart[i]));
    const beyond = others.filter((part) =>
      part.filter(isFrame).length > 0.15 * Math.max(height, width)).flat();
    if (grey.values.length - beyond.length <= 0.25 * grey.values.length) return whole;
    for (const i of beyond) whole.values[i] = 0;
    return whole;
  }

  /** Turn light ink into dark, and say how wide strokes are (one of SCALES). */
  function darkOnLight(grey) {
    const smooth = blur(grey), inverse = map(smooth, (value) => 16 * 255 - value);
    const lazily = (one, found = []) => (k) => (found[k] ??= close(one, SCALES[k]).values
      .reduce((sum, full, i) => sum + (full - one.values[i]) ** 4, 0));
    const dark = lazily(smooth), light = lazily(inverse);
    const isDark = (k) => dark(k) ** 2 >= 0.8 * light(k) * dark(4) && dark(k) >= 0.06 * light(3);
    const isLight = (k) => light(k) ** 2 >= dark(k) * light(4) && light(k) >= dark(3) / 2;
    const first = SCALES.findIndex((_, k) => isDark(k) || isLight(k));
    const [ink, inks] = isDark(first) ? [grey, dark] : [map(grey, (v) => 255 - v), light];
    return { grey: ink, scale: SCALES.find((_, k) => inks(k) >= inks(4) / 2) };
  }

  /** What fraction of the paper's own light is missing at each pixel. */
  function liftInk(grey, scale) {
    const least = 7 / Math.max(grey.height, grey.width); // a stroke of the smallest takes 3 pixels
    const paper = close(grey, Math.max(2.5 * scale, least)).values;
    return map(grey, (value, i) => (paper[i] - value) / Math.max(paper[i], 1));
  }

  /** Take away what is long, thin, straight and nearly level, as ruled lines are. */
  function withoutLines(ink) {
    const { height, width } = ink, lines = plane(height, width, () => 0);
    const upright = (one, size, sign) => transpose(extremes(transpose(one), size, sign));
    const opened = (one, size) => extremes(extremes(one, size, -1), size);
    const wide = upright(ink, 5, 1);
    for (let slope = -5; slope <= 5; slope++) {
      const moved = (one, sign) => plane(height, width, (i) => {
        const column = i % width, sunk = Math.floor((slope / 25) * column + 0.5);
        const row = (i - column) / width + sign * sunk;
        return one.values[(((row % height) + height) % height) * width + column];
      });
      const level = moved(opened(moved(wide, 1), windowOf(ink, 0.3)), -1);
      level.values.forEach((value, i) => { lines.values[i] = Math.max(lines.values[i], value); });
    }
    const thick = 2 * Math.floor(0.011 * Math.max(height, width)) + 1;
    const crossing = transpose(opened(transpose(ink), thick));
    return map(ink, (value, i) => (lines.values[i] > value / 2 ? crossing.values[i] : value));
  }

  /** List the pieces of ink, the strongest first, without those that meet the border. */
  function piecesOf(ink, level, border) {
    const { height, width } = ink, isInk = above(ink, level);
    const pieces = partsOf(dilate(isInk, windowOf(ink, GAP))).map((part) => {
      const pixels = part.filter((i) => isInk.values[i]), box = boxOf(pixels, width);
      const [y, x] = [(box.top + box.bottom) / 2 / height, (box.left + box.right) / 2 / width];
      const inTheMiddle = 4 * y * (1 - y) * 4 * x * (1 - x);
      const strength = pixels.reduce((sum, i) => sum + ink.values[i] ** 2, 0) * inTheMiddle;
      return { pixels, strength, ...box };
    });
    return pieces.filter(({ pixels }) => !pixels.some((i) => border.values[i]))
      .sort((a, b) => b.strength - a.strength);
  }

  const pixelsOf = (pieces) => pieces.flatMap(({ pixels }) => pixels);
  const strongest = (pieces) => (pieces.length ? pieces[0].strength : 0);

  /** List the pieces of ink, at a low level where that finds far more. */
  function findPieces(ink, border) {
    const most = largest(ink);
    const [strong, weak] = LEVELS.map((part) => ({
      pieces: piecesOf(ink, part * most, border), level: part * most,
    }));
    const [main, longer] = [strong, weak].map(({ pieces }) => marked(ink, pixelsOf(pieces)).values);
    const changed = map(ink, (_, i) => Number(main[i] !== longer[i]));
    const isMore = largest(dilate(changed, 3, -1)) > 0 || weak.pieces.length > strong.pieces.length;
    return strongest(weak.pieces) > (isMore ? 2 : 1) * strongest(strong.pieces) ? weak : strong;
  }

  /** How far apart two boxes are, downwards and to the right; below 0, how far they overlap. */
  const gaps = (one, other) => [
    Math.max(one.top - other.bottom, other.top - one.bottom),
    Math.max(one.left - other.right, other.left - one.right),
  ];
  const sideOf = ({ top, left, bottom, right }) => Math.max(bottom - top, right - left);

  /** Whether a piece is a frame around a digit, or a pen that lies beside it. */
  function isObject(piece, digit, width) {
    const columns = piece.pixels.map((i) => i % width);
    const rows = piece.pixels.map((i) => Math.floor(i / width));
    const across = columns.filter((_, k) => rows[k] >= digit.top && rows[k] < digit.bottom);
    const down = rows.filter((_, k) => columns[k] >= digit.left && columns[k] < digit.right);
    const isFrame = across.some((column) => column < digit.left)
      && across.some((column) => column >= digit.right)
      && down.some((row) => row < digit.top) && down.some((row) => row >= digit.bottom);
    const side = sideOf(digit), length = Math.hypot(piece.bottom - piece.top, piece.right - piece.left);
    const isApart = Math.max(...gaps(piece, digit)) >= 0.5 * side;
    if (isFrame || !isApart || length < 2 * side || length >= 5 * side) return isFrame;
    const mean = (values) => values.reduce((a, b) => a + b) / values.length;
    const spread = (a, b) => mean(a.map((value, k) => value * b[k])) - mean(a) * mean(b);
    const [y, x, xy] = [spread(rows, rows), spread(columns, columns), spread(rows, columns)];
    return y * x - xy ** 2 < 0.01 * (y + x) ** 2; // a bar ten times as long as wide is straight
  }

  /** Whether a piece is part of the digit, or another digit, and no speck. */
  function belongs(piece, main) {
    const [down, right] = gaps(piece, main);
    const beside = down < -0.5 * (main.bottom - main.top) ? 0.2 : Infinity; // as another digit is
    const least = Math.max(down, right) < 0.25 * sideOf(main) ? 0.01 : beside;
    return piece.strength >= least * main.strength;
  }

  /** Choose the pieces of ink that are the digit, and wipe everything else away. */
  function pickDigit(ink, grey, sheet) {
    const inner = cut(dilate(pad(sheet, 1), 3, -1), 1, 1, ink.height, ink.width);
    const border = map(inner, (value) => 1 - value), nowhere = map(ink, () => 0);
    const isWhole = sheet.values.every(Boolean), box = boxOf(places(sheet, 0), ink.width);
    let { pieces, level } = findPieces(ink, border);
    const rivals = findPieces(ink, nowhere).pieces, [first] = rivals;
    const spans = first && (first.bottom - first.top > 0.9 * (box.bottom - 1 - box.top)
      || first.right - first.left > 0.9 * (box.right - 1 - box.left));
    let isWeak = strongest(pieces) <= 0.1 * strongest(rivals);
    if (isWeak && spans) {
      const plain = transpose(withoutLines(transpose(withoutLines(ink))));
      const freed = findPieces(plain, border);
      if (strongest(freed.pieces) > strongest(pieces)) {
        [ink, { pieces, level }, isWeak] = [plain, freed, false];
      }
    }
    if (isWhole && !pieces.length) {
      const middle = (grey.values.reduce((a, b) => Math.min(a, b)) + largest(grey)) / 2;
      const paper = quantile(grey.values.filter((value) => value >= middle), 0.5);
      ink = map(grey, (value) => clip((paper - value) / Math.max(paper, 1), 1));
      ({ pieces, level } = findPieces(ink, nowhere));
    }
    if (!pieces.length || (isWeak && !isWhole)) throw new Error(NO_INK);
    let [main] = pieces;
    for (const piece of pieces) {
      if (piece.strength > 0.1 * main.strength && isObject(main, piece, ink.width)) main = piece;
    }
    const chosen = pieces.filter((piece) => belongs(piece, main) && !isObject(piece, main, ink.width));
    const digit = marked(ink, pixelsOf(chosen)), near = dilate(digit, 5);
    const inked = dilate(above(ink, level), 5);
    const values = ink.values.filter((_, i) => digit.values[i]), full = quantile(values, 0.9);
    const paper = ink.values.filter((_, i) => !inked.values[i]);
    const [grain, noise] = paper.length ? [0.4, 0.95].map((share) => quantile(paper, share)) : [0, 0];
    if (full < (isWhole ? 4 * grain : Math.max(4 * grain, 0.15))) throw new Error(NO_INK);
    return map(ink, (value, i) => near.values[i] * clip((value - noise) / (full - noise), 1));
  }

  /** Find the digit's ink on the sheet; where that holds none, in the whole picture. */
  function findDigit(planes) {
    const grey = oneGrey(planes), sheet = findSheet(grey);
    try {
      return digitOn(grey, sheet);
    } catch (noInk) {
      return digitOn(grey, map(sheet, () => 1));
    }
  }

  /** Find the digit's ink on a sheet, around which everything is painted over. */
  function digitOn(grey, sheet) {
    const paper = quantile(grey.values.filter((_, i) => sheet.values[i]), 0.5);
    const painted = map(grey, (value, i) => (sheet.values[i] ? value : paper));
    const { grey: dark, scale } = darkOnLight(painted);
    return pickDigit(liftInk(dark, scale), dark, sheet);
  }

  /** Cut the ink's box out, and draw a thin stroke with a wider pen: it survives shrinking. */
  function cutOut(ink) {
    const { top, left, bottom, right } = boxOf(places(ink, 0.1), ink.width);
    const digit = cut(ink, top, left, bottom - top, right - left), framed = pad(digit, 1);
    const pen = places(framed, 0.4), around = [-1, 1, -framed.width, framed.width];
    const edge = pen.filter((i) => around.some((step) => !(framed.values[i + step] > 0.4)));
    const wanted = (THINNEST * Math.max(digit.height, digit.width)) / BOX;
    const radius = Math.max(0, Math.trunc((wanted - (2 * pen.length) / edge.length) / 2 + 0.5));
    if (!radius) return { digit, top, left };
    const wider = dilate(pad(digit, radius), 2 * radius + 1);
    return { digit: wider, top: top - radius, left: left - radius };
  }

  /** Where rows of ink must start so that their centre of mass is at row 14. */
  function offset({ height, width, values }) {
    const moment = values.reduce((sum, ink, i) => sum + ink * Math.floor(i / width), 0);
    const centre = moment / values.reduce((a, b) => a + b);
    const start = Math.floor(SIZE / 2 - centre + 0.5 + 1e-6); // a tie must not hang on rounding
    return clip(start, SIZE - height);
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, { centerDigit });
})();
