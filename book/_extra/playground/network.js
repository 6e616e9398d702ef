// A network is a list of layers. It reads a picture forward, and learns from a label
// backward.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  /** Build a network for pictures of 28 by 28 pixels; its weights are all zero. */
  function build(architecture, activation) {
    const picture = { ...engine.room(28, 28, 1), gradient: null };
    const layers = {};
    if (architecture === "convolutional") {
      layers.conv_1 = engine.convolution(picture, 8, 5, activation);
      layers.conv_2 = engine.convolution(layers.conv_1.output, 16, 3, activation);
      layers.logits = engine.dense(layers.conv_2.output, 10, "linear");
    } else {
      layers.dense_1 = engine.dense(picture, 64, activation);
      layers.logits = engine.dense(layers.dense_1.output, 10, "linear");
    }
    const order = Object.values(layers);
    const backwards = [...order].reverse();
    const parameters = order.flatMap(({ kernel, bias }) => [kernel, bias]);
    const logits = layers.logits.output;
    const probabilities = new Float64Array(10);

    /**
     * Read the digit in `picture.values`: fill `probabilities`, and return the likeliest
     * answer.
     */
    function read() {
      for (const layer of order) layer.forward();
      engine.softmax(logits.values, probabilities);
      return probabilities.indexOf(Math.max(...probabilities));
    }

    /**
     * Add the gradient for the digit just read, divided by `batchSize`, to those of the
     * batch so far. Return its loss, divided likewise: the cross-entropy, or how
     * surprised the network was by the label.
     */
    function learn(label, batchSize) {
      for (let digit = 0; digit < 10; digit++) {
        logits.gradient[digit] =
          (probabilities[digit] - (digit === label ? 1 : 0)) / batchSize;
      }
      for (const layer of backwards) layer.backward();
      return -Math.log(Math.max(probabilities[label], 1e-300)) / batchSize;
    }

    return { picture, layers, parameters, probabilities, read, learn };
  }

  engine.build = build;
});
