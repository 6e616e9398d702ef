// The way from the page to the engine: in a worker for what the reader sees, and here for the console.

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

  /** Start a worker from the text of the engine's functions: from disk, a page may load none. */
  function startWorker() {
    const source = `const engine = {};
      for (const part of [${parts.join(",\n")}]) part(engine);
      engine.listen(self);`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  }

  /**
   * A network to train from the console: `run = mnistPlayground.create({ seed: 1, digits: 200 })`.
   *
   * `await run.step(100)` takes a hundred batches and returns the last one's loss,
   * `await run.errors()` counts the errors in the 1,000 unseen digits, and `run.weights` are copies,
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
          if (batch % 8 === 7) await new Promise((resume) => setTimeout(resume)); // paint, answer
        }
        return run.loss;
      },
      async errors() {
        return (await started).errors();
      },
      get weights() {
        const copies = {};
        for (const [name, layer] of Object.entries(network.layers)) {
          for (const kind of ["kernel", "bias"]) {
            const { shape, values } = layer[kind];
            copies[`${name}/${kind}`] = { shape: shape.slice(), values: values.slice() };
          }
        }
        return copies;
      },
    };
  }

  Object.assign(window.mnistPlayground, { engine, loadDigits, startWorker, create });
})();
