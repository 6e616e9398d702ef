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
    const update = engine.optimizers[settings.optimizer](
      network.parameters,
      settings.learningRate,
    );
    const order = engine.chooseDigits(settings, digits.labels);
    const labels = engine.drawLabels(settings, digits.labels);
    const places = engine.placesOf(settings);
    const scale = settings.pixels === "0-255" ? 1 : 1 / 255;
    const range = engine.RANGES[settings.augmentation]; // undefined: digits as they are
    const changed = new Float64Array(PIXELS);
    const shuffling = engine.random(settings.seed, "order");
    const changing = engine.random(settings.seed, "augmentation");
    // 1 for a digit misread before it was learned
    const latest = new Uint8Array(Math.min(500, order.length));
    const run = {
      settings,
      network,
      order,
      seen: 0,
      loss: NaN,
      stopped: false,
      step,
      read,
      errors,
      latestErrors,
    };

    function show(pixels) {
      const { values } = network.picture;
      for (let i = 0; i < PIXELS; i++) values[places[i]] = scale * pixels[i];
    }

    const picture = (digit) =>
      digits.pixels.subarray(digit * PIXELS, (digit + 1) * PIXELS);

    /**
     * Learn from one batch: read each digit, add up the gradients, take one step. Returns
     * the loss.
     */
    function step() {
      run.loss = 0;
      for (let i = 0; i < settings.batchSize; i++) {
        const turn = run.seen % order.length;
        // every digit once before any of them comes again
        if (turn === 0) engine.shuffle(order, shuffling);
        const digit = order[turn];
        if (range) engine.augment(picture(digit), changed, range, changing);
        show(range ? changed : picture(digit));
        latest[run.seen % latest.length] = network.read() === labels[digit] ? 0 : 1;
        run.loss += network.learn(labels[digit], settings.batchSize);
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

    /** Count how many of the first `count` unseen digits are misread. */
    function errors(count = UNSEEN) {
      let wrong = 0;
      for (let i = LEARNED; i < LEARNED + count; i++)
        if (read(picture(i)) !== digits.labels[i]) wrong++;
      return wrong;
    }

    /**
     * Return which fraction of the latest digits was misread just before the network
     * learned from them.
     */
    function latestErrors() {
      const count = Math.min(run.seen, latest.length);
      return count
        ? latest.subarray(0, count).reduce((sum, wrong) => sum + wrong) / count
        : 1;
    }

    return run;
  }

  Object.assign(engine, { createNetwork, createRun });
});
