// The layers of the network that learns in the page: each computes forward and backward.
//
// A layer reads its `input` and writes its `output`. Going backward it is the other way round: `output.gradient`
// holds how much the loss would change with each number of the output, and the layer works out the same for
// each of its own weights and for each number of its input.
//
// As in NumPy and Keras, an array of shape (rows, columns, channels) is one long row of numbers; the one at a
// row, a column and a channel is at place (row * columns + column) * channels + channel. The numbers are
// doubles, which JavaScript computes with anyway: floats of 32 bits would be converted at every step.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  /** Make room for numbers of some shape, and for the gradient of the loss by each of them. */
  function room(...shape) {
    const size = shape.reduce((product, side) => product * side);
    return { shape, values: new Float64Array(size), gradient: new Float64Array(size) };
  }

  /**
   * Slide `filters` windows of `size` by `size` over the input, and keep the largest of every four sums that
   * lie in a square: convolution and max pooling in one. Then ReLU, or nothing ("linear").
   */
  function convolution(input, filters, size, activation) {
    const [rows, columns, channels] = input.shape;
    const output = room((rows - size + 1) >> 1, (columns - size + 1) >> 1, filters);
    const kernel = room(size, size, channels, filters), bias = room(filters);
    const winners = new Int32Array(output.values.length); // where the window of the largest sum begins
    const down = columns * channels; // from a number of the input to the one below it
    const across = size * channels; // one row of a window

    function keep(place, corner, sums0, sums1, sums2, sums3) {
      let largest = sums0, winner = corner;
      if (sums1 > largest) { largest = sums1; winner = corner + channels; }
      if (sums2 > largest) { largest = sums2; winner = corner + down; }
      if (sums3 > largest) { largest = sums3; winner = corner + down + channels; }
      output.values[place] = activation === "relu" && largest < 0 ? 0 : largest;
      winners[place] = winner;
    }

    /** Two filters at four places: eight sums at a time, so that no number is fetched eight times. */
    function forward() {
      const x = input.values, w = kernel.values, b = bias.values;
      let place = 0;
      for (let row = 0; row < output.shape[0]; row++) {
        for (let column = 0; column < output.shape[1]; column++) {
          const corner = 2 * row * down + 2 * column * channels;
          for (let f = 0; f < filters; f += 2) {
            let a0 = b[f], a1 = a0, a2 = a0, a3 = a0;
            let b0 = b[f + 1], b1 = b0, b2 = b0, b3 = b0;
            for (let line = 0, k = f; line < size; line++) {
              const start = corner + line * down;
              for (let i = start; i < start + across; i++, k += filters) {
                const x0 = x[i], x1 = x[i + channels], x2 = x[i + down], x3 = x[i + down + channels];
                const wa = w[k], wb = w[k + 1];
                a0 += wa * x0; a1 += wa * x1; a2 += wa * x2; a3 += wa * x3;
                b0 += wb * x0; b1 += wb * x1; b2 += wb * x2; b3 += wb * x3;
              }
            }
            keep(place++, corner, a0, a1, a2, a3);
            keep(place++, corner, b0, b1, b2, b3);
          }
        }
      }
    }

    /** Only what won its pooling, and passed ReLU, has a part in the loss: the rest is not even looked at. */
    function backward() {
      const x = input.values, w = kernel.values, dw = kernel.gradient;
      const dx = input.gradient; // null for the picture itself, which does not learn
      if (dx) dx.fill(0);
      for (let place = 0; place < winners.length; place++) {
        const slope = output.gradient[place];
        if (slope === 0 || (activation === "relu" && output.values[place] === 0)) continue;
        const f = place % filters;
        bias.gradient[f] += slope;
        for (let line = 0, k = f; line < size; line++) {
          const start = winners[place] + line * down;
          for (let i = start; i < start + across; i++, k += filters) {
            dw[k] += slope * x[i]; // a weight is used at every place, so its gradient is a sum over places
            if (dx) dx[i] += slope * w[k];
          }
        }
      }
    }

    return { input, output, kernel, bias, forward, backward };
  }

  /** Every output is a weighted sum of all inputs, plus its bias; then ReLU, or nothing ("linear"). */
  function dense(input, units, activation) {
    const output = room(units), kernel = room(input.values.length, units), bias = room(units);

    function forward() {
      const x = input.values, y = output.values, w = kernel.values;
      y.set(bias.values);
      for (let i = 0; i < x.length; i++) {
        if (x[i] === 0) continue; // paper, or what ReLU cut off: it adds nothing
        for (let unit = 0, k = i * units; unit < units; unit++, k++) y[unit] += x[i] * w[k];
      }
      if (activation === "relu") for (let i = 0; i < units; i++) if (y[i] < 0) y[i] = 0;
    }

    function backward() {
      const x = input.values, dx = input.gradient, w = kernel.values, dw = kernel.gradient;
      const y = output.values, dy = output.gradient;
      if (activation === "relu") for (let i = 0; i < units; i++) if (y[i] === 0) dy[i] = 0;
      for (let unit = 0; unit < units; unit++) bias.gradient[unit] += dy[unit];
      for (let i = 0; i < x.length; i++) {
        if (x[i] !== 0) {
          for (let unit = 0, k = i * units; unit < units; unit++, k++) dw[k] += x[i] * dy[unit];
        }
        if (dx) {
          let sum = 0;
          for (let unit = 0, k = i * units; unit < units; unit++, k++) sum += w[k] * dy[unit];
          dx[i] = sum;
        }
      }
    }

    return { input, output, kernel, bias, forward, backward };
  }

  /** Turn logits into probabilities: the exponential of each, divided by the sum of all. */
  function softmax(logits, probabilities) {
    const largest = Math.max(...logits); // subtracted so that no exponential is too large for a number
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += probabilities[i] = Math.exp(logits[i] - largest);
    for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
  }

  Object.assign(engine, { room, convolution, dense, softmax });
});
