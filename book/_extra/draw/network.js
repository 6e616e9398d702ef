// The book's network in plain JavaScript: from 784 pixels to ten probabilities.
//
// An array of shape (rows, columns, channels) is one long typed array; the number at a row, a
// column and a channel is at place (row * columns + column) * channels + channel. That is the order
// of NumPy and Keras.
//
// Batch normalization is gone: it is multiplied into the layer before it. It scales and shifts each
// channel after pooling, and pooling keeps the largest of four numbers. Scaling first and pooling
// then gives the same, since every scale of this network is positive. (A negative one would turn
// the largest into the smallest; `mnist-tutorial export` refuses to write such a network.) For the
// same reason it makes no difference that ReLU stands before the pooling here, as in the article,
// and after it in `models.build_cnn`.

(function () {
  "use strict";

  const WINDOW = 3; // the side of every convolution's window

  /**
   * Slide 3 by 3 windows over the input; each filter writes its weighted sum, plus its
   * bias.
   */
  function convolve(input, layer, output) {
    const { rows, columns, channels } = input;
    const filters = output.channels;
    const from = input.values,
      to = output.values,
      weights = layer.weights,
      bias = layer.bias;
    // Three neighbours in a row, with all channels, stand side by side.
    const inARow = 3 * channels;
    for (let row = 0; row < rows - 2; row++) {
      for (let column = 0; column < columns - 2; column++) {
        const out = (row * (columns - 2) + column) * filters;
        for (let f = 0; f < filters; f++) to[out + f] = bias[f];
        for (let down = 0; down < 3; down++) {
          const start = ((row + down) * columns + column) * channels;
          for (let i = 0; i < inARow; i++) {
            const value = from[start + i];
            if (value === 0) continue; // ReLU leaves many zeros, and they add nothing
            const w = (down * inARow + i) * filters;
            for (let f = 0; f < filters; f++) to[out + f] += value * weights[w + f];
          }
        }
      }
    }
  }

  /** Negative numbers become 0. */
  function relu(array) {
    const values = array.values;
    for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
  }

  /** Keep the largest number of each square of 2 by 2. */
  function maxPool(input, output) {
    const { columns, channels } = input;
    const from = input.values,
      to = output.values;
    const below = columns * channels;
    let place = 0;
    for (let row = 0; row < output.rows; row++) {
      for (let column = 0; column < output.columns; column++) {
        const corner = (2 * row * columns + 2 * column) * channels;
        for (let i = corner; i < corner + channels; i++) {
          to[place++] = Math.max(
            from[i],
            from[i + channels],
            from[i + below],
            from[i + below + channels],
          );
        }
      }
    }
  }

  /** Every output is a weighted sum of all inputs, plus its bias. */
  function dense(input, layer, output) {
    const from = input.values,
      to = output.values,
      weights = layer.weights;
    const outputs = to.length;
    to.set(layer.bias);
    for (let i = 0; i < from.length; i++) {
      const value = from[i];
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) to[o] += value * weights[i * outputs + o];
    }
  }

  /**
   * Turn logits into probabilities: the exponential of each over the temperature, divided by the
   * sum of all.
   */
  function softmax(logits, temperature) {
    const largest = Math.max(...logits); // subtracted so that no exponential is too large
    const exponentials = Array.from(logits, (logit) =>
      Math.exp((logit - largest) / temperature),
    );
    const sum = exponentials.reduce((total, one) => total + one);
    return exponentials.map((one) => one / sum);
  }

  /** Make room for one layer's numbers. Doubles, which the loops above read and write fastest. */
  function room(rows, columns, channels) {
    return { rows, columns, channels, values: new Float64Array(rows * columns * channels) };
  }

  /**
   * Make the network. weights: what weights.js assigns; parameters: of each layer, by name, what
   * `unpack` read.
   *
   * `run` computes every layer for the pixels in the first. A layer also knows its receptive field:
   * one unit sees `field` by `field` pixels, and the next unit's field begins `step` pixels further
   * on.
   */
  function build(weights, parameters) {
    const input = {
      name: "input",
      kind: "input",
      from: null,
      field: 1,
      step: 1,
      ...room(28, 28, 1),
    };
    const layers = [input];
    for (const made of weights.layers) {
      const from = layers[layers.length - 1];
      const filters = made.shape ? made.shape[made.shape.length - 1] : from.channels;
      const common = { ...made, from, ...parameters[made.parameters] };
      if (made.kind === "conv") {
        const lost = WINDOW - 1; // at the rim
        layers.push({
          ...common,
          ...room(from.rows - lost, from.columns - lost, filters),
          field: from.field + lost * from.step,
          step: from.step,
        });
      } else if (made.kind === "pool") {
        layers.push({
          ...common,
          ...room(Math.floor(from.rows / made.size), Math.floor(from.columns / made.size), filters),
          field: from.field + (made.size - 1) * from.step,
          step: from.step * made.size,
        });
      } else layers.push({ ...common, ...room(1, 1, filters), field: input.rows, step: 0 });
    }
    const compute = { conv: convolve, dense, pool: (from, layer, to) => maxPool(from, to) };

    function run() {
      for (const layer of layers.slice(1)) {
        compute[layer.kind](layer.from, layer, layer);
        if (layer.relu) relu(layer);
      }
    }

    /**
     * 784 pixels in [0, 1], row by row, light ink on dark: ten logits. For tests and the curious.
     */
    function logits(pixels) {
      if (pixels.length !== 784) throw new Error(`Expected 784 pixels, got ${pixels.length}.`);
      input.values.set(pixels);
      run();
      return Array.from(layers[layers.length - 1].values);
    }

    /** Another network with the same weights and numbers of its own. */
    const copy = () => build(weights, parameters);

    return { layers, run, logits, copy };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { build, softmax });
})();
