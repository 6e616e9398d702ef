// Small pictures, side by side on a canvas: ink on paper, or weights, blue above zero, orange below.

(function () {
  "use strict";

  const BLUE = [11, 92, 160], ORANGE = [190, 72, 0], INK = [20, 28, 40];

  /**
   * Paint pictures in rows, one pixel of the canvas for each number, a gap of one between two of
   * them. value(picture, i) is a number from -1 (orange) or 0 (paper) to 1 (`ink` or blue).
   */
  function paint(canvas, count, perRow, [rows, columns], value, ink = INK) {
    canvas.width = perRow * (columns + 1) - 1;
    canvas.height = Math.ceil(count / perRow) * (rows + 1) - 1;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let picture = 0; picture < count; picture++) {
      const left = (picture % perRow) * (columns + 1);
      const top = Math.floor(picture / perRow) * (rows + 1);
      for (let i = 0; i < rows * columns; i++) {
        const amount = Math.max(-1, Math.min(1, value(picture, i)));
        const colour = amount < 0 ? ORANGE : ink;
        const at = 4 * ((top + Math.floor(i / columns)) * canvas.width + left + (i % columns));
        for (let part = 0; part < 3; part++) {
          image.data[at + part] = 255 + (colour[part] - 255) * Math.abs(amount);
        }
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** A digit of 784 pixels from 0 to `largest`, dark on light. */
  function paintDigit(canvas, pixels, largest = 255) {
    paint(canvas, 1, 1, [28, 28], (_, i) => pixels[i] / largest);
  }

  /** Filters, each as strong in colour as its largest weight allows. */
  function paintFilters(canvas, filters) {
    const side = Math.sqrt(filters[0].length);
    const largest = filters.map((weights) =>
      weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-9),
    );
    paint(
      canvas,
      filters.length,
      filters.length,
      [side, side],
      (f, i) => filters[f][i] / largest[f],
      BLUE,
    );
  }

  /** The maps of one layer, all on one scale, `perRow` side by side. */
  function paintMaps(canvas, { shape: [rows, columns, channels], values }, perRow) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    paint(
      canvas,
      channels,
      perRow,
      [rows, columns],
      (map, i) => values[i * channels + map] / largest,
    );
  }

  Object.assign(window.mnistPlayground, { paintDigit, paintFilters, paintMaps });
})();
