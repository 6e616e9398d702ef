// The page: it takes the drawing, hands it to the network, and shows every layer's numbers.

(function () {
  "use strict";

  const page = document.getElementById("mnist-draw");
  if (!page) return;
  const api = window.mnistDraw,
    { colours, setBox } = api;
  const LAG = 50; // milliseconds by which the layers may follow the pen, so as not to hold it up
  const part = (id) => document.getElementById(`md-${id}`);

  let network = null,
    layers = null,
    unitPanel = null,
    lines = null,
    occlusion = null; // once it is loaded
  let due = 0; // the timer of the layers, where they lag behind the answer

  const reader = api.createReader({
    paper: part("paper"),
    place: part("answer"),
    temperature: () => Number(part("temperature").value),
    onRead() {
      drawSeen();
      strip.update();
      if (layers && !due) due = setTimeout(showLayers, LAG);
    },
  });
  const { answer, drawing } = reader;
  const strip = api.createStrip(part("strip"), part("paper"), part("answer"), part("seen"));

  function showLayers() {
    due = 0;
    layers.update(pixelsNow() !== null && !drawing.unfinished); // an empty paper is no drawing
    depend();
  }

  /**
   * Read the drawing and show the layers at once, for tests and measurements. Returns the time it
   * took, in milliseconds.
   */
  api.pass = () => {
    const start = performance.now();
    drawing.report();
    clearTimeout(due);
    showLayers();
    return performance.now() - start;
  };

  // --- what the network is given ---

  const seen = part("seen").getContext("2d"),
    seenImage = new ImageData(28, 28);
  const seenPixels = new Uint32Array(seenImage.data.buffer);

  /** The 784 pixels that the paper's digit became, or null where there is none. */
  const pixelsNow = () => (reader.digit && reader.digit.pixels) || null;

  function drawSeen() {
    const pixels = pixelsNow();
    for (let i = 0; i < seenPixels.length; i++)
      seenPixels[i] = colours.paper[pixels ? pixels[i] : 0];
    seen.putImageData(seenImage, 0, 0);
    part("note").textContent = pixels
      ? whatWasDone()
      : "Your ink is cut out, fitted into 20 × 20 pixels and centred.";
  }

  function whatWasDone() {
    const { box, place: to } = reader.digit,
      { width, height } = drawing;
    const x = box.left + box.width / 2,
      y = box.top + box.height / 2;
    const where = [
      y < 0.42 ? "top" : y > 0.58 ? "bottom" : "",
      x < 0.42 ? "left" : x > 0.58 ? "right" : "",
    ];
    const size = Math.round(
      (Math.max(box.width * width, box.height * height) * 100) / Math.max(width, height),
    );
    const found = where.some(Boolean) ? `at the ${where.join(" ").trim()}` : "in the middle";
    const fitted = `${to.width}\u00a0×\u00a0${to.height} pixels`;
    return (
      `Your ink (${found}, ${size}\u00a0% of the paper), ` +
      `fitted into ${fitted} and centred by its weight.`
    );
  }

  // --- a unit ---

  function showUnit(unit) {
    unitPanel.show(unit);
    lines.draw(unit);
    part("pinned").hidden = unit !== layers.pinned;
    const field = part("field"),
      shown = unit && stage.classList.contains("md-chosen"); // what nobody asked for would only puzzle
    field.hidden = !shown || !pixelsNow();
    if (!shown) {
      drawing.mark(null);
      return;
    }
    const { field: side, step } = unit.scene.layer;
    const left = unit.column * step,
      top = unit.row * step;
    drawing.mark({ left, top, side });
    setBox(field, { left: left / 28, top: top / 28, width: side / 28, height: side / 28 });
  }

  // --- what the answer depends on ---

  const map = part("map").getContext("2d");

  /**
   * Colour the patches whose covering changes the margin: blue where it falls, orange where it
   * grows.
   */
  function drawMap(found) {
    const { width } = map.canvas;
    map.clearRect(0, 0, width, width);
    part("depends-note").hidden = !part("depends").checked;
    if (!found) return;
    const { digit: best, falls } = found,
      largest = Math.max(1e-9, ...falls.map(Math.abs));
    falls.forEach((fall, i) => {
      map.fillStyle = fall < 0 ? "rgb(190 72 0)" : "rgb(11 92 160)";
      map.globalAlpha = (0.85 * Math.abs(fall)) / largest;
      map.fillRect(i % width, Math.floor(i / width), 1, 1);
    });
    part("depends-digit").textContent = best;
    part("depends-most").textContent = largest.toFixed(1);
  }

  function depend() {
    if (occlusion)
      occlusion.update(part("depends").checked && pixelsNow() ? network.layers[0].values : null);
  }

  part("depends").addEventListener("change", depend);

  // --- samples and pictures ---

  const samples = Uint8Array.from(atob(api.samples.pixels), (character) => character.charCodeAt(0));
  const SHOWN = 10; // the others are digits that the network misreads
  let surprises = [];

  /** A canvas with one MNIST digit, dark on light, each pixel `size` pixels wide. */
  function sample(index, size) {
    const canvas = document.createElement("canvas"),
      context = canvas.getContext("2d");
    canvas.width = canvas.height = 28 * size;
    const image = context.createImageData(28 * size, 28 * size),
      pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) {
      const row = Math.floor(i / (28 * size) / size),
        column = Math.floor((i % (28 * size)) / size);
      pixels[i] = colours.paper[samples[784 * index + 28 * row + column]];
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  function choose(index) {
    drawing.show(sample(index, 7), api.samples.labels[index]);
    part("answer").scrollIntoView({ block: "nearest" });
  }

  api.samples.labels.slice(0, SHOWN).forEach((label, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${label === 8 ? "An" : "A"} ${label} from MNIST`);
    button.append(sample(index, 2));
    button.addEventListener("click", () => choose(index));
    part("samples").append(button);
  });
  part("surprise").addEventListener("click", () => {
    if (!surprises.length) surprises = api.samples.labels.map((_, i) => i).slice(SHOWN);
    choose(surprises.splice(Math.floor(Math.random() * surprises.length), 1)[0]);
  });

  // --- temperature ---

  function showTemperature() {
    part("temperature-value").textContent = Number(part("temperature").value).toFixed(2);
    if (network) reader.showAnswer();
    strip.update();
  }

  part("temperature").addEventListener("input", showTemperature);
  part("temperature-reset").addEventListener("click", () => {
    part("temperature").value = api.weights.temperature;
    showTemperature();
  });

  // --- flat and 3-D ---

  const stage = part("stage");

  function view(solid) {
    stage.classList.toggle("md-3d", solid);
    part("flat").setAttribute("aria-pressed", String(!solid));
    part("solid").setAttribute("aria-pressed", String(solid));
    part("turning").hidden = !solid;
    part("all").hidden = solid; // there, all are shown
    changeView();
  }

  /** One row of maps for each layer, or all. */
  function showAll() {
    const all = stage.classList.toggle("md-all");
    part("all").setAttribute("aria-pressed", String(all));
    changeView();
  }

  function changeView() {
    if (matchMedia("(max-width: 1100px)").matches) layers.look(null); // its sum would cover the view
    arrange();
  }

  function arrange() {
    layers.arrange();
    lines.measure();
    lines.draw(layers.unit);
  }

  function turn() {
    stage.style.setProperty("--turn", `${part("turn").value}deg`);
    lines.measure();
    lines.draw(layers.unit);
  }

  // Dragging turns the sheets, from anywhere on the stage, and is no click.
  let dragged = 0;
  stage.addEventListener("pointerdown", () => {
    dragged = 0;
  });
  stage.addEventListener("pointermove", ({ buttons, movementX }) => {
    if (buttons !== 1 || !stage.classList.contains("md-3d")) return;
    dragged += Math.abs(movementX);
    part("turn").value = Number(part("turn").value) + movementX / 3;
    turn();
  });
  stage.addEventListener("click", (event) => dragged > 4 && event.stopPropagation(), true);

  /** Once the network is there: its layers, and the units in them. */
  function open(loaded) {
    network = loaded;
    api.logits = network.logits;
    unitPanel = api.createUnit(part("unit"));
    layers = api.createLayers(stage, part("layer"), network, showUnit);
    lines = api.createLines(stage, layers);
    occlusion = api.createOcclusion(network.copy(), drawMap);
    part("temperature").value = api.weights.temperature;
    showTemperature();
    arrange();
    part("flat").addEventListener("click", () => view(false));
    part("solid").addEventListener("click", () => view(true));
    part("all").addEventListener("click", showAll);
    part("turn").addEventListener("input", turn);
    part("upright").addEventListener("click", () => {
      part("turn").value = part("turn").defaultValue;
      turn();
    });
    part("close").addEventListener("click", () => layers.look(null));
    colours.onTheme(layers.draw);
    let width = stage.clientWidth;
    new ResizeObserver(() => {
      if (stage.clientWidth === width) return;
      width = stage.clientWidth;
      arrange();
    }).observe(stage);
    drawing.report();
  }

  const input = part("file");
  window.mnistDrawing.acceptPictures(drawing, {
    input,
    onProblem(text) {
      answer.say(text, true);
      part("answer").scrollIntoView({ block: "nearest" });
    },
  });
  reader.load().then((loaded) => loaded && open(loaded));
})();
