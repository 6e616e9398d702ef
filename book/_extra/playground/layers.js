// The layers of the network that learns in the page: each computes forward and backward.
//
// A layer reads its `input` and writes its `output`. Going backward it is the other way
// round: `output.gradient` holds how much the loss would change with each number of the
// output, and the layer works out the same for each of its own weights and for each
// number of its input.
//
// As in NumPy and Keras, an array of shape (rows, columns, channels) is one long row of
// numbers; the one at a row, a column and a channel is at place (row * columns + column)
// * channels + channel. The numbers are doubles, which JavaScript computes with anyway:
// floats of 32 bits would be converted at every step.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  /**
   * Make room for numbers of some shape, and for the gradient of the loss by each of
   * them.
   */
  function room(...shape) {
    const size = shape.reduce((product, side) => product * side);
    return { shape, values: new Float64Array(size), gradient: new Float64Array(size) };
  }

  /**
   * Slide `filters` windows of `size` by `size` over the input, and keep the largest of
   * every four sums that lie in a square: convolution and max pooling in one. Then ReLU,
   * or nothing ("linear").
   */
  function convolution(input, filters, size, activation) {
    const [rows, columns, channels] = input.shape;
    const output = room((rows - size + 1) >> 1, (columns - size + 1) >> 1, filters);
    const kernel = room(size, size, channels, filters), bias = room(filters);
    const winners = new Int32Array(output.values.length); // where each best window begins
    const down = columns * channels; // from one input value to the one a row below
    const across = size * channels; // the length of one row of a window

    /**
     * Compute eight sums at a time, of two filters (p and q) at the four places of a
     * square, so that each number fetched from memory is used several times.
     */
    function forward() {
      const x = input.values, w = kernel.values, b = bias.values;
      let place = 0;
      for (let row = 0; row < output.shape[0]; row++) {
        for (let column = 0; column < output.shape[1]; column++) {
          const corner = 2 * row * down + 2 * column * channels;
          for (let f = 0; f < filters; f += 2) {
            let p0 = b[f], p1 = p0, p2 = p0, p3 = p0;
            let q0 = b[f + 1], q1 = q0, q2 = q0, q3 = q0;
            for (let line = 0, k = f; line < size; line++) {
              const start = corner + line * down;
              for (let i = start; i < start + across; i++, k += filters) {
                const x0 = x[i], x1 = x[i + channels];
                const x2 = x[i + down], x3 = x[i + down + channels];
                const p = w[k], q = w[k + 1];
                p0 += p * x0; p1 += p * x1; p2 += p * x2; p3 += p * x3;
                q0 += q * x0; q1 += q * x1; q2 += q * x2; q3 += q * x3;
              }
            }
            keepLargest(place++, corner, p0, p1, p2, p3);
            keepLargest(place++, corner, q0, q1, q2, q3);
          }
        }
      }
    }

    function keepLargest(place, corner, sum0, sum1, sum2, sum3) {
      let largest = sum0, winner = corner;
      if (sum1 > largest) { largest = sum1; winner = corner + channels; }
      if (sum2 > largest) { largest = sum2; winner = corner + down; }
      if (sum3 > largest) { largest = sum3; winner = corner + down + channels; }
      output.values[place] = activation === "relu" && largest < 0 ? 0 : largest;
      winners[place] = winner;
    }

    /**
     * Only winners that passed ReLU affect the loss; every other sum has a slope of 0.
     */
    function backward() {
      const x = input.values, w = kernel.values, dw = kernel.gradient;
      const dx = input.gradient; // null for the picture, whose pixels do not learn
      if (dx) dx.fill(0);
      for (let place = 0; place < winners.length; place++) {
        const slope = output.gradient[place];
        const cut = activation === "relu" && output.values[place] === 0;
        if (cut || slope === 0) continue;
        const f = place % filters;
        bias.gradient[f] += slope;
        for (let line = 0, k = f; line < size; line++) {
          const start = winners[place] + line * down;
          for (let i = start; i < start + across; i++, k += filters) {
            dw[k] += slope * x[i]; // one weight, many places: a sum over all of them
            if (dx) dx[i] += slope * w[k];
          }
        }
      }
    }

    return { input, output, kernel, bias, forward, backward };
  }

  /**
   * Every output is a weighted sum of all inputs, plus its bias; then ReLU, or nothing
   * ("linear").
   */
  function dense(input, units, activation) {
    const output = room(units);
    const kernel = room(input.values.length, units), bias = room(units);

    function forward() {
      const x = input.values, y = output.values, w = kernel.values;
      y.set(bias.values);
      for (let i = 0; i < x.length; i++) {
        if (x[i] === 0) continue; // such an input adds nothing to any sum
        const row = i * units; // of the kernel
        for (let unit = 0; unit < units; unit++) y[unit] += x[i] * w[row + unit];
      }
      if (activation !== "relu") return;
      for (let unit = 0; unit < units; unit++) y[unit] = Math.max(0, y[unit]);
    }

    function backward() {
      const x = input.values, dx = input.gradient, dy = output.gradient;
      const w = kernel.values, dw = kernel.gradient, db = bias.gradient;
      for (let unit = 0; unit < units; unit++) {
        if (activation === "relu" && output.values[unit] === 0) dy[unit] = 0;
        db[unit] += dy[unit];
      }
      for (let i = 0; i < x.length; i++) {
        const row = i * units;
        if (x[i] !== 0) {
          for (let unit = 0; unit < units; unit++) dw[row + unit] += x[i] * dy[unit];
        }
        if (dx) {
          dx[i] = 0;
          for (let unit = 0; unit < units; unit++) dx[i] += w[row + unit] * dy[unit];
        }
      }
    }

    return { input, output, kernel, bias, forward, backward };
  }

  /** Turn logits into probabilities: exponentials, divided by their sum. */
  function softmax(logits, probabilities) {
    const largest = Math.max(...logits); // or an exponential might overflow
    let sum = 0;
    logits.forEach((logit, i) => (sum += probabilities[i] = Math.exp(logit - largest)));
    for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
  }

  Object.assign(engine, { room, convolution, dense, softmax });
});
