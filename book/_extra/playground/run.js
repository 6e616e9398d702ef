// One run: a network, its settings, and how far it has come.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  const { PIXELS, LEARNED, UNSEEN } = engine;

  /** Build the network that the settings describe, with its initial weights. */
  function createNetwork(settings) {
    const network = engine.build(settings.architecture, settings.activation);
    engine.initialize(network, settings.initialWeights, settings.seed);
    return network;
  }

  /** Begin a run with complete settings; `digits` is what `unpack` returned. */
  function createRun(settings, digits, network = createNetwork(settings)) {
    const { optimizer, learningRate, batchSize } = settings;
    const update = engine.optimizers[optimizer](network.parameters, learningRate);
    const order = engine.chooseDigits(settings, digits.labels);
    const labels = engine.drawLabels(settings, digits.labels);
    const places = engine.placesOf(settings);
    const scale = settings.pixels === "0-255" ? 1 : 1 / 255;
    const range = engine.RANGES[settings.augmentation]; // undefined: digits as they are
    const changed = new Float64Array(PIXELS);
    const shuffling = engine.random(settings.seed, "order");
    const changing = engine.random(settings.seed, "augmentation");
    const latest = new Uint8Array(Math.min(500, order.length)); // of the digits seen: 1 if misread
    const run = { settings, network, order, seen: 0, loss: NaN, stopped: false };

    function show(pixels) {
      const { values } = network.picture;
      for (let i = 0; i < PIXELS; i++) values[places[i]] = scale * pixels[i];
    }

    function picture(digit) {
      return digits.pixels.subarray(digit * PIXELS, (digit + 1) * PIXELS);
    }

    /** Learn from one batch: read, add up the gradients, take one step. Returns the loss. */
    function step() {
      run.loss = 0;
      for (let i = 0; i < batchSize; i++) {
        const turn = run.seen % order.length;
        if (turn === 0) engine.shuffle(order, shuffling); // all once before one comes again
        const digit = order[turn];
        if (range) engine.augment(picture(digit), changed, range, changing);
        show(range ? changed : picture(digit));
        latest[run.seen % latest.length] = network.read() === labels[digit] ? 0 : 1;
        run.loss += network.learn(labels[digit], batchSize);
        run.seen++;
      }
      update();
      run.stopped = !Number.isFinite(run.loss); // NaN in a weight is NaN in the next loss
      return run.loss;
    }

    /**
     * Read a picture of 784 pixels from 0 to 255: fills `network.probabilities`, returns
     * the likeliest digit.
     */
    function read(pixels) {
      show(pixels);
      return network.read();
    }

    /** Count how many of the 1,000 unseen digits are misread. */
    function errors() {
      let wrong = 0;
      for (let digit = LEARNED; digit < LEARNED + UNSEEN; digit++) {
        if (read(picture(digit)) !== digits.labels[digit]) wrong++;
      }
      return wrong;
    }

    /** Return the fraction of the latest digits seen that were misread before being learned. */
    function latestErrors() {
      const count = Math.min(run.seen, latest.length);
      return latest.subarray(0, count).reduce((sum, wrong) => sum + wrong, 0) / count;
    }

    return Object.assign(run, { step, read, errors, latestErrors });
  }

  Object.assign(engine, { createNetwork, createRun });
});
