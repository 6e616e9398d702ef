// The book's network in plain JavaScript: from 784 pixels to ten probabilities.
//
// An array of shape (rows, columns, channels) is one long typed array; the number at a row, a column and
// a channel is at place (row * columns + column) * channels + channel. That is the order of NumPy and Keras.
//
// Batch normalization is gone: it is multiplied into the layer before it. It scales and shifts each channel
// after pooling, and pooling keeps the largest of four numbers. Scaling first and pooling then gives the same,
// since every scale of this network is positive. (A negative one would turn the largest into the smallest;
// `mnist-tutorial export` refuses to write such a network.) For the same reason it makes no difference that
// ReLU stands before the pooling here, as in the article, and after it in `models.build_cnn`.

(function () {
  "use strict";

  /** Slide 3 by 3 windows over the input; each of the filters writes its weighted sum, plus its bias. */
  function convolve(input, layer, output) {
    const { rows, columns, channels } = input;
    const filters = output.channels;
    const from = input.values, to = output.values, weights = layer.weights, bias = layer.bias;
    const inARow = 3 * channels; // three neighbours in a row, with all channels, stand side by side
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
    const from = input.values, to = output.values;
    const below = columns * channels;
    let place = 0;
    for (let row = 0; row < output.rows; row++) {
      for (let column = 0; column < output.columns; column++) {
        const corner = (2 * row * columns + 2 * column) * channels;
        for (let i = corner; i < corner + channels; i++) {
          to[place++] = Math.max(from[i], from[i + channels], from[i + below], from[i + below + channels]);
        }
      }
    }
  }

  /** Every output is a weighted sum of all inputs, plus its bias. */
  function dense(input, layer, output) {
    const from = input.values, to = output.values, weights = layer.weights;
    const outputs = to.length;
    to.set(layer.bias);
    for (let i = 0; i < from.length; i++) {
      const value = from[i];
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) to[o] += value * weights[i * outputs + o];
    }
  }

  /** Turn logits into probabilities: the exponential of each, divided by the sum of all. */
  function softmax(logits, probabilities) {
    const largest = Math.max(...logits); // subtracted so that no exponential is too large for a number
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += probabilities[i] = Math.exp(logits[i] - largest);
    for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
  }

  /** Make room for one layer's numbers. Doubles, which the loops above read and write fastest. */
  function room(rows, columns, channels) {
    return { rows, columns, channels, values: new Float64Array(rows * columns * channels) };
  }

  /**
   * Read the weights from weights.js: base64 of, for each layer in turn, a scale for each filter and its bias,
   * both float32, and its weights, float16. The scale, normalization's, is multiplied into the weights here.
   * All in the byte order of today's processors, the smallest byte first.
   */
  function decode({ shapes, data }) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const layers = {};
    let offset = 0;
    for (const [name, shape] of Object.entries(shapes)) {
      const filters = shape[shape.length - 1];
      const count = shape.reduce((product, side) => product * side);
      const scale = new Float32Array(bytes.buffer, offset, filters);
      const bias = Float64Array.from(new Float32Array(bytes.buffer, offset + 4 * filters, filters));
      const halves = new Uint16Array(bytes.buffer, offset + 8 * filters, count);
      layers[name] = { weights: Float64Array.from(halves, (bits, i) => float16(bits) * scale[i % filters]), bias };
      offset += 8 * filters + 2 * count;
    }
    return layers;
  }

  /** Turn the 16 bits of a float16 into the number: one for the sign, five for the exponent, ten for the fraction. */
  function float16(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  }

  /** Build the network; `run` computes every layer for the pixels in `layers.input.values`. */
  function build(weights) {
    const parameters = decode(weights);
    const layers = {
      input: room(28, 28, 1),
      relu_1: room(26, 26, 32),
      relu_2: room(24, 24, 32),
      pool_2: room(12, 12, 32),
      relu_3: room(10, 10, 64),
      relu_4: room(8, 8, 64),
      pool_4: room(4, 4, 64),
      relu_5: room(1, 1, 512),
      logits: room(1, 1, 10),
    };
    const probabilities = new Float64Array(10);

    function run() {
      convolve(layers.input, parameters.conv_1, layers.relu_1);
      relu(layers.relu_1);
      convolve(layers.relu_1, parameters.conv_2, layers.relu_2);
      relu(layers.relu_2);
      maxPool(layers.relu_2, layers.pool_2);
      convolve(layers.pool_2, parameters.conv_3, layers.relu_3);
      relu(layers.relu_3);
      convolve(layers.relu_3, parameters.conv_4, layers.relu_4);
      relu(layers.relu_4);
      maxPool(layers.relu_4, layers.pool_4);
      dense(layers.pool_4, parameters.dense_5, layers.relu_5);
      relu(layers.relu_5);
      dense(layers.relu_5, parameters.logits, layers.logits);
      softmax(layers.logits.values, probabilities);
    }

    /** 784 pixels in [0, 1], row by row, light ink on dark: ten logits. For tests and the curious. */
    function logits(pixels) {
      if (pixels.length !== 784) throw new Error(`Expected 784 pixels, got ${pixels.length}.`);
      layers.input.values.set(pixels);
      run();
      return Array.from(layers.logits.values);
    }

    return { layers, parameters, probabilities, run, logits };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { build, float16 });
})();
