// What runs beside the page, so that the page never stutters: it advances one run or two, and
// reports.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  const { PIXELS, LEARNED, UNSEEN } = engine;
  const SHOWN = 40; // unseen digits whose answers are reported: every 25th
  const BETWEEN_REPORTS = 50; // milliseconds
  const FIRST_SCORES = [0, 125, 250, 500, 1000]; // digits seen

  /** After how many digits a run is scored next: every thousand, later every tenth more. */
  function nextScore(seen) {
    const first = FIRST_SCORES.find((score) => score > seen);
    return first ?? 1000 * (Math.floor(seen / 1000) + Math.max(1, Math.floor(seen / 20000)));
  }

  /**
   * Obey the page's messages: { digits }, { settings: { A, B }, until }, { going }, { step }, {
   * picture }. Report after each of them, and every 50 ms while going. Going stops when `until`
   * digits are seen.
   */
  function listen(page) {
    let digits = null,
      runs = [],
      going = false,
      until = Infinity,
      picture = null,
      generation = 0;
    // rings at once, when the messages are read
    const { port1: alarm, port2: bell } = new MessageChannel();
    let awake = false;
    alarm.onmessage = go;

    page.onmessage = async ({ data: message }) => {
      if ("digits" in message) digits = await engine.unpack(message.digits);
      if ("digits" in message)
        page.postMessage({
          unseen: Array.from({ length: SHOWN }, (_, i) => ({
            ...shown(i),
            pixels: shown(i).pixels.slice(),
          })),
        });
      if ("settings" in message) begin(message);
      if ("picture" in message) picture = message.picture;
      if ("step" in message) advance(runs.length);
      if ("going" in message) going = message.going;
      if (going) wake();
      if (runs.length) report();
    };

    function shown(i) {
      const digit = LEARNED + i * (UNSEEN / SHOWN);
      return {
        pixels: digits.pixels.subarray(digit * PIXELS, (digit + 1) * PIXELS),
        label: digits.labels[digit],
      };
    }

    function begin({ settings, until: end, generation: number }) {
      generation = number;
      until = end ?? Infinity;
      runs = Object.entries(settings)
        .filter(([, each]) => each)
        .map(([name, each]) => ({ name, scores: [], due: 0, run: engine.createRun(each, digits) }));
      runs.forEach(score);
    }

    function score(each) {
      const { seen } = each.run;
      each.scores.push({ seen, wrong: each.run.errors(), latest: each.run.latestErrors() });
      each.due = nextScore(seen);
    }

    /**
     * Take some batches, each by the run that has seen fewer digits: so neither is ever ahead by
     * more than one.
     */
    function advance(batches) {
      for (let batch = 0; batch < batches; batch++) {
        const able = runs.filter(({ run }) => !run.stopped && run.seen < until);
        if (able.length === 0) {
          going = false;
          return;
        }
        const each = able.reduce((a, b) => (b.run.seen < a.run.seen ? b : a));
        each.run.step();
        if (each.run.seen >= each.due && !each.run.stopped) score(each);
      }
    }

    function wake() {
      if (!awake) bell.postMessage(null);
      awake = true;
    }

    function go() {
      awake = false;
      const end = performance.now() + BETWEEN_REPORTS;
      while (going && performance.now() < end) advance(1);
      report();
      if (going) wake();
    }

    function report() {
      page.postMessage({
        generation,
        going,
        done: !going && runs.every(({ run }) => run.stopped || run.seen >= until),
        runs: runs.map(stateOf),
      });
    }

    /**
     * What the page shows of a run: how far it has come, its answers, its filters, and the picture
     * inside it.
     */
    function stateOf(each) {
      const { run } = each,
        { layers, probabilities } = run.network;
      const answers = Array.from({ length: SHOWN }, (_, i) => run.read(shown(i).pixels));
      const [first, second] = Object.values(layers);
      const scores = each.scores.splice(0);
      const state = {
        name: each.name,
        seen: run.seen,
        loss: run.loss,
        latest: run.latestErrors(),
        stopped: run.stopped,
        scores,
        answers,
        filters: firstFilters(first.kernel),
        inside: null,
      };
      if (picture) {
        run.read(picture);
        state.inside = {
          given: run.network.picture.values.slice(),
          probabilities: probabilities.slice(),
          maps: [first, second]
            .filter(({ output }) => output.shape.length === 3)
            .map(({ output }) => ({ shape: output.shape, values: output.values.slice() })),
        };
      }
      return state;
    }

    /** The weights of eight filters, or of eight units of a dense layer, each as a picture. */
    function firstFilters({ shape, values }) {
      const channels = shape[shape.length - 1],
        side = shape.length === 4 ? shape[0] : 28;
      return Array.from({ length: 8 }, (_, f) =>
        Float32Array.from({ length: side * side }, (_, i) => values[i * channels + f]),
      );
    }
  }

  Object.assign(engine, { SHOWN, listen });
});
