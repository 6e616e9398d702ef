// The page: it takes the drawing, hands it to the network, and shows every layer's numbers.

(function () {
  "use strict";

  const page = document.getElementById("mnist-draw");
  if (!page) return;
  const api = window.mnistDraw, { colours, setBox } = api;
  const part = (id) => document.getElementById(`md-${id}`);

  // A 7 that writes itself when the page opens. The page's first answer, in its HTML, is the answer to it.
  const SEVEN = [[[52, 52], [92, 50], [146, 48], [128, 84], [110, 120], [94, 162]]];

  const answer = api.createAnswer(part("answer"));
  let network = null, layers = null, unitPanel = null, lines = null, occlusion = null;
  let digit = null; // what the paper shows, as its component says
  let drawing = null;

  // --------------------------------------------------------------------------- one pass of the network

  /** From a centred digit to bars and maps. */
  function pass(changed) {
    digit = changed;
    drawSeen();
    if (!network) {
      if (drawing && !drawing.written) answer.none(digit ? "The network is on its way…" : "Nothing is drawn yet.");
      return;
    }
    const found = Boolean(digit && digit.pixels), { values } = network.layers[0];
    for (let i = 0; i < values.length; i++) values[i] = found ? digit.pixels[i] / 255 : 0;
    network.run();
    layers.draw();
    layers.lookForReader();
    showUnit(layers.unit);
    showAnswer();
    if (part("depends").checked) occlusion.update(found ? values : null);
  }

  function showAnswer() {
    if (digit === null) answer.none("Nothing is drawn yet.");
    else if (digit.problem) answer.none(digit.problem);
    else answer.show(logitsNow(), api.weights, drawing.label, Number(part("temperature").value));
  }

  const logitsNow = () => Array.from(network.layers[network.layers.length - 1].values);

  api.pass = () => {
    const start = performance.now();
    drawing.report();
    return performance.now() - start;
  };

  // -------------------------------------------------------------------------- what the network is given

  const seen = part("seen").getContext("2d"), seenImage = new ImageData(28, 28);
  const seenPixels = new Uint32Array(seenImage.data.buffer);

  function drawSeen() {
    const found = digit && digit.pixels;
    for (let i = 0; i < 784; i++) seenPixels[i] = colours.paper[found ? digit.pixels[i] : 0];
    seen.putImageData(seenImage, 0, 0);
    part("note").textContent = found ? whatWasDone() : "Your ink is cut out, fitted into 20 × 20 pixels and centred.";
  }

  function whatWasDone() {
    const { box, place: to } = digit, { width, height } = drawing || { width: 1, height: 1 };
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const where = [y < 0.42 ? "top" : y > 0.58 ? "bottom" : "", x < 0.42 ? "left" : x > 0.58 ? "right" : ""];
    const size = Math.round((Math.max(box.width * width, box.height * height) * 100) / Math.max(width, height));
    return `Your ink, ${size} % of the paper's side and ${where.some(Boolean) ? `at the ${where.join(" ").trim()}` : "in the middle"}, ` +
      `was fitted into ${to.width} × ${to.height} pixels and centred by its weight.`;
  }

  // ------------------------------------------------------------------------------------------ a unit

  function showUnit(unit) {
    unitPanel.show(unit);
    lines.draw(unit);
    const field = part("field"), shows = unit && digit && digit.pixels;
    field.hidden = !shows;
    if (!unit) return drawing.mark(null);
    const { field: side, step } = unit.scene.layer;
    const left = unit.column * step, top = unit.row * step;
    drawing.mark({ left, top, side });
    setBox(field, { left: left / 28, top: top / 28, width: side / 28, height: side / 28 });
  }

  // ---------------------------------------------------------------------- what the answer depends on

  const map = part("map").getContext("2d");

  /** Colour the patches whose covering changes the margin: blue where it falls, orange where it grows. */
  function drawMap(found) {
    const { width } = map.canvas;
    map.clearRect(0, 0, width, width);
    part("depends-note").hidden = !part("depends").checked;
    if (!found) return;
    const { digit: best, falls } = found, largest = Math.max(1e-9, ...falls.map(Math.abs));
    falls.forEach((fall, i) => {
      map.fillStyle = fall < 0 ? "rgb(190 72 0)" : "rgb(11 92 160)";
      map.globalAlpha = (0.85 * Math.abs(fall)) / largest;
      map.fillRect(i % width, Math.floor(i / width), 1, 1);
    });
    part("depends-digit").textContent = best;
    part("depends-most").textContent = largest.toFixed(1);
  }

  part("depends").addEventListener("change", () => {
    const { checked } = part("depends");
    drawMap(null);
    if (occlusion) occlusion.update(checked && digit && digit.pixels ? network.layers[0].values : null);
  });

  // --------------------------------------------------------------------------- samples and pictures

  const samples = Uint8Array.from(atob(api.samples.pixels), (character) => character.charCodeAt(0));
  const SHOWN = 10;

  /** A canvas with one MNIST digit, dark on light, each pixel `size` pixels wide. */
  function sample(index, size) {
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    canvas.width = canvas.height = 28 * size;
    const image = context.createImageData(28 * size, 28 * size), pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) {
      const row = Math.floor(i / (28 * size) / size), column = Math.floor((i % (28 * size)) / size);
      pixels[i] = colours.paper[samples[784 * index + 28 * row + column]];
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  const choose = (index) => drawing.show(sample(index, 7), api.samples.labels[index]);

  api.samples.labels.slice(0, SHOWN).forEach((label, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${label === 8 ? "An" : "A"} ${label} from MNIST`);
    button.append(sample(index, 2));
    button.addEventListener("click", () => choose(index));
    part("samples").append(button);
  });
  part("surprise").addEventListener("click", () => choose(Math.floor(Math.random() * api.samples.labels.length)));

  // ------------------------------------------------------------------------------------ temperature

  function showTemperature() {
    part("temperature-value").textContent = Number(part("temperature").value).toFixed(2);
    if (network) showAnswer();
  }

  part("temperature").addEventListener("input", showTemperature);
  part("temperature-reset").addEventListener("click", () => {
    part("temperature").value = api.weights.temperature;
    showTemperature();
  });

  // ---------------------------------------------------------------------------------- flat and 3-D

  const stage = part("stage");

  function view(solid) {
    stage.classList.toggle("md-3d", solid);
    part("flat").setAttribute("aria-pressed", String(!solid));
    part("solid").setAttribute("aria-pressed", String(solid));
    part("turning").hidden = !solid;
    layers.look(null, false);
    layers.arrange();
  }

  function turn() {
    stage.style.setProperty("--turn", `${part("turn").value}deg`);
    lines.draw(layers.unit);
  }

  // ------------------------------------------------------------------------------------------ start

  drawing = window.mnistDrawing.create(part("paper"), { onChange: pass });
  window.mnistDrawing.acceptPictures(drawing, { input: part("file"), onProblem: (text) => answer.say(text, true) });
  drawing.write(SEVEN);

  api.load().then((loaded) => {
    network = loaded;
    api.logits = network.logits;
    unitPanel = api.createUnit(part("unit"));
    layers = api.createLayers(stage, part("layer"), network, showUnit);
    lines = api.createLines(stage, layers);
    occlusion = api.createOcclusion(network.copy(), drawMap);
    part("temperature").value = api.weights.temperature;
    layers.arrange();
    part("flat").addEventListener("click", () => view(false));
    part("solid").addEventListener("click", () => view(true));
    part("turn").addEventListener("input", turn);
    part("upright").addEventListener("click", () => {
      part("turn").value = part("turn").defaultValue;
      turn();
    });
    part("close").addEventListener("click", () => layers.look(null, false));
    colours.onTheme(() => layers.draw());
    let width = stage.clientWidth;
    new ResizeObserver(() => {
      if (stage.clientWidth === width) return;
      width = stage.clientWidth;
      layers.arrange();
      lines.draw(layers.unit);
    }).observe(stage);
    showTemperature();
    drawing.report();
  }, (error) => answer.none(`The network could not be loaded: ${error.message}`));
})();
