// The way from the page to the engine: in a worker for what the reader sees, here for tests and the
// console.

(function () {
  "use strict";

  const here = document.currentScript.src;
  const { parts } = window.mnistPlayground;
  const engine = {};
  for (const part of parts) part(engine);

  let loading = null;

  /** Load digits.js, once; a page opened from disk may load a script, but may not fetch a file. */
  function loadDigits() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("digits.js", here);
      script.onload = () => resolve(window.mnistPlayground.digits);
      script.onerror = () =>
        reject(new Error("playground/digits.js, the file with the digits, cannot be loaded."));
      document.head.append(script);
    });
    return loading;
  }

  /**
   * Start a worker from the text of the engine's own functions, since a page opened from disk may
   * load none.
   */
  function startWorker() {
    const source = `const engine = {};\nfor (const part of [${parts.join(",\n")}]) part(engine);\nengine.listen(self);`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  }

  /**
   * A network to train from the console: `const run = mnistPlayground.create({ seed: 1, optimizer:
   * "sgd" })`.
   *
   * `await run.step(100)` takes a hundred batches and returns the last one's loss; `await
   * run.errors()` counts how many of the 1,000 unseen digits are misread; `run.weights` are copies,
   * by name, with their shapes.
   */
  function create(given) {
    const settings = engine.settingsFrom(given);
    const network = engine.createNetwork(settings);
    const unpacked = loadDigits().then(engine.unpack);
    const started = unpacked.then((digits) => engine.createRun(settings, digits, network));
    started.catch(() => {}); // whoever calls step() hears of it
    return {
      settings,
      async step(batches = 1) {
        const run = await started;
        for (let batch = 0; batch < batches && !run.stopped; batch++) {
          run.step();
          // let the page breathe
          if (batch % 8 === 7) await new Promise((resume) => setTimeout(resume));
        }
        return run.loss;
      },
      async errors() {
        return (await started).errors();
      },
      get weights() {
        return Object.fromEntries(
          Object.entries(network.layers).flatMap(([name, layer]) =>
            ["kernel", "bias"].map((kind) => [
              `${name}/${kind}`,
              { shape: layer[kind].shape.slice(), values: layer[kind].values.slice() },
            ]),
          ),
        );
      },
    };
  }

  Object.assign(window.mnistPlayground, { engine, loadDigits, startWorker, create });
})();
