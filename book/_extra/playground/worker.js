// What runs beside the page, so that the page never stutters: it advances one or two runs.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  const { PIXELS, LEARNED, UNSEEN } = engine;
  const SHOWN = 40; // unseen digits whose answers are reported: every 25th
  const BETWEEN_REPORTS = 50; // milliseconds
  const FIRST_SCORES = [125, 250, 500, 1000]; // digits seen

  /** After how many digits a run is scored next: every thousand, and later less often. */
  function nextScore(seen) {
    const every = 1000 * Math.max(1, Math.floor(seen / 20000));
    return FIRST_SCORES.find((score) => score > seen) ?? every * (Math.floor(seen / every) + 1);
  }

  /**
   * Obey the page's messages: { digits } are unpacked, { settings: { A, B }, generation } begins,
   * { until } sets after how many digits to halt, { going } goes or pauses, { step } takes one
   * batch, { picture } is looked into. Report after each of them, and every 50 ms while going.
   */
  function listen(page) {
    let digits = null, runs = [], picture = null, generation = 0;
    let going = false, until = Infinity, awake = false;
    const { port1: alarm, port2: bell } = new MessageChannel(); // rings after waiting messages

    page.onmessage = async ({ data: message }) => {
      if ("digits" in message) {
        digits = await engine.unpack(message.digits);
        page.postMessage({ unseen: Array.from({ length: SHOWN }, (_, i) => shown(i)) });
      }
      if ("settings" in message) begin(message);
      if ("until" in message) until = message.until;
      if ("picture" in message) picture = message.picture;
      if ("step" in message) runs.forEach(advance);
      if ("going" in message) going = message.going;
      if (going) wake();
      if (runs.length) report();
    };

    /** A copy of one of the digits that the page shows. */
    function shown(i) {
      const digit = LEARNED + i * (UNSEEN / SHOWN);
      const pixels = digits.pixels.slice(digit * PIXELS, (digit + 1) * PIXELS);
      return { pixels, label: digits.labels[digit] };
    }

    function begin({ settings, generation: number }) {
      generation = number;
      runs = Object.entries(settings)
        .filter(([, each]) => each !== null)
        .map(([name, each]) => ({ name, run: engine.createRun(each, digits), scores: [], due: 0 }));
      runs.forEach(score);
    }

    function score(each) {
      const { run } = each;
      each.scores.push({ seen: run.seen, wrong: run.errors(), latest: run.latestErrors() });
      each.due = nextScore(run.seen);
    }

    function wake() {
      if (!awake) bell.postMessage(null);
      awake = true;
    }

    alarm.onmessage = () => {
      awake = false;
      const end = performance.now() + BETWEEN_REPORTS;
      while (going && performance.now() < end) advance();
      report();
      if (going) wake();
    };

    /** Let the run that has seen fewer digits take a batch: neither is ahead by more than one. */
    function advance() {
      const able = runs.filter(({ run }) => !run.stopped && run.seen < until);
      if (able.length === 0) {
        going = false;
        return;
      }
      const each = able.reduce((first, other) => (other.run.seen < first.run.seen ? other : first));
      each.run.step();
      if (!each.run.stopped && (each.run.seen >= each.due || each.run.seen >= until)) score(each);
    }

    function report() {
      const done = !going && runs.every(({ run }) => run.stopped || run.seen >= until);
      page.postMessage({ generation, going, done, runs: runs.map(stateOf) });
    }

    /** What the page shows of a run: its progress, its answers, its filters, the picture in it. */
    function stateOf(each) {
      const { name, run } = each, layers = Object.values(run.network.layers);
      const answers = Array.from({ length: SHOWN }, (_, i) => run.read(shown(i).pixels));
      const scores = each.scores.splice(0), filters = pictures(layers[0].kernel);
      const progress = { name, seen: run.seen, stopped: run.stopped, scores };
      return { ...progress, answers, filters, inside: picture && inside(run, layers) };
    }

    function inside(run, layers) {
      run.read(picture);
      const maps = layers.filter(({ output }) => output.shape.length === 3)
        .map(({ output }) => ({ shape: output.shape, values: output.values.slice() }));
      const { picture: given, probabilities } = run.network;
      return { given: given.values.slice(), probabilities: probabilities.slice(), maps };
    }

    /** The weights of eight filters, or of eight units of a dense layer, each as a picture. */
    function pictures({ shape, values }) {
      const filters = shape[shape.length - 1], side = shape.length === 4 ? shape[0] : 28;
      const weights = (f) =>
        Float32Array.from({ length: side * side }, (_, i) => values[i * filters + f]);
      return Array.from({ length: 8 }, (_, f) => weights(f));
    }
  }

  Object.assign(engine, { SHOWN, listen });
});
