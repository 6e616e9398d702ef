// What the page does: it takes the drawing, hands it to the network, and shows every layer's numbers.
// The network is in network.js, the way from a drawing to 28 by 28 pixels in centering.js.

(function () {
  "use strict";

  const api = window.mnistDraw;
  const network = api.build(api.weights);
  const { layers, parameters, probabilities } = network;
  api.logits = network.logits;
  const place = document.getElementById("mnist-draw");
  if (!place) return;

  const CANVAS = 200; // the side of the drawing that the network's picture is cut from
  const SHARP = 3; // the drawing that is shown has this many pixels for one of those

  // What each layer is, where its inputs come from, and how large a field of the 28 by 28 pixels one unit sees:
  // `field` pixels wide, `step` pixels from one unit to the next.
  const VIEWS = [
    { name: "input", title: "The picture", field: 1, step: 1, kind: "input" },
    { name: "relu_1", title: "Convolution 1, ReLU", from: "input", by: "conv_1", field: 3, step: 1, kind: "conv" },
    { name: "relu_2", title: "Convolution 2, ReLU", from: "relu_1", by: "conv_2", field: 5, step: 1, kind: "conv" },
    { name: "pool_2", title: "Max pooling", from: "relu_2", field: 6, step: 2, kind: "pool" },
    { name: "relu_3", title: "Convolution 3, ReLU", from: "pool_2", by: "conv_3", field: 10, step: 2, kind: "conv" },
    { name: "relu_4", title: "Convolution 4, ReLU", from: "relu_3", by: "conv_4", field: 14, step: 2, kind: "conv" },
    { name: "pool_4", title: "Max pooling", from: "relu_4", field: 16, step: 4, kind: "pool" },
    { name: "relu_5", title: "Dense layer, ReLU", from: "pool_4", by: "dense_5", field: 28, step: 0, kind: "dense" },
    { name: "logits", title: "The ten logits", from: "relu_5", by: "logits", field: 28, step: 0, kind: "dense" },
  ];
  const viewOf = Object.fromEntries(VIEWS.map((view) => [view.name, view]));

  // ---------------------------------------------------------------------------------------- the parts

  place.innerHTML = `
    <div class="md-top">
      <div class="md-panel">
        <p class="md-title" id="md-drawing-title">Draw a digit</p>
        <div class="md-square md-paper">
          <canvas id="md-canvas" width="${CANVAS * SHARP}" height="${CANVAS * SHARP}" tabindex="0" role="application"
            aria-labelledby="md-drawing-title" aria-describedby="md-keys"></canvas>
          <span class="md-field" hidden></span><span class="md-pen" hidden></span>
        </div>
        <div class="md-tools">
          <button type="button" id="md-undo">Undo</button>
          <button type="button" id="md-clear">Clear</button>
          <label>Pen <input type="range" id="md-thickness" min="4" max="32" value="14"></label>
        </div>
        <p class="md-hidden" id="md-keys">With a keyboard: the arrow keys move the pen, the space bar puts it down and lifts it.</p>
      </div>
      <div class="md-panel">
        <p class="md-title">What the network is given</p>
        <div class="md-square md-seen">
          <canvas id="md-seen" width="28" height="28" role="img" aria-label="The drawing, centred in 28 by 28 pixels"></canvas>
          <span class="md-field" hidden></span>
        </div>
        <p class="md-note" id="md-note"></p>
      </div>
      <div class="md-panel md-answer">
        <p class="md-title">What it answers</p>
        <ol class="md-bars" id="md-bars" start="0">${Array.from(probabilities, (_, digit) => `
          <li><span class="md-digit">${digit}</span><span class="md-track"><span class="md-bar"></span></span><span class="md-percent">–</span></li>`).join("")}
        </ol>
        <p class="md-verdict" id="md-verdict"></p>
        <p class="md-hidden" id="md-status" role="status"></p>
      </div>
    </div>
    <div class="md-try">
      <p class="md-title">Or try one of these</p>
      <div class="md-samples" id="md-samples" role="group" aria-label="Digits from MNIST's test set"></div>
      <div class="md-tools">
        <button type="button" id="md-random">Any of them</button>
        <label class="md-file">A picture of yours <input type="file" id="md-file" accept="image/*"></label>
        <span class="md-note">or drop a picture on the drawing</span>
      </div>
    </div>
    <div class="md-inside">
      <div class="md-head">
        <p class="md-title">Inside the network</p>
        <div class="md-tools md-views" role="group" aria-label="View">
          <button type="button" id="md-flat" aria-pressed="true">Flat</button>
          <button type="button" id="md-solid" aria-pressed="false">3-D</button>
        </div>
        <div class="md-tools md-turning" hidden>
          <label>Turn <input type="range" id="md-turn" min="-85" max="85" value="-58"></label>
          <label>Tilt <input type="range" id="md-tilt" min="-60" max="60" value="-12"></label>
        </div>
      </div>
      <p class="md-note">Point at a unit, or tap it, to see how its value came about. Arrow keys move on from it; Escape lets it go.</p>
      <div class="md-work">
        <div class="md-stage" id="md-stage"><div class="md-stack">${VIEWS.map((view, index) => `
          <figure class="md-layer" data-layer="${view.name}" style="--index: ${index}">
            <figcaption><span>${view.title}</span> <span class="md-shape">${shapeOf(layers[view.name])}</span></figcaption>
            <div class="md-maps"><canvas tabindex="0" role="application"
              aria-label="${view.title}, ${shapeOf(layers[view.name])}. Arrow keys move from unit to unit."></canvas>
              <span class="md-map-mark" hidden></span><span class="md-mark" hidden></span></div>
          </figure>`).join("")}
        </div></div>
        <div class="md-unit" id="md-unit" hidden>
          <div class="md-unit-head"><p class="md-title" id="md-unit-title" role="status"></p><button type="button" id="md-close" aria-label="Close">×</button></div>
          <p class="md-note" id="md-unit-where"></p>
          <div class="md-patches" id="md-patches">
            <figure><div class="md-square md-sees"><canvas id="md-sees" width="28" height="28" role="img" aria-label="The part of the picture that this unit sees"></canvas><span class="md-field"></span></div><figcaption>what it sees</figcaption></figure>
            <figure><canvas id="md-patch" role="img" aria-label="The inputs of this unit"></canvas><figcaption>its inputs, one layer back</figcaption></figure>
            <figure><canvas id="md-filter" role="img" aria-label="The weights of this unit: blue above zero, orange below"></canvas><figcaption>its weights: <b class="md-plus">above</b>, <b class="md-minus">below</b> 0</figcaption></figure>
          </div>
          <table class="md-sum"><caption>Its strongest inputs</caption><thead><tr><th scope="col">input</th><th scope="col">value</th><th scope="col">weight</th><th scope="col">product</th></tr></thead><tbody id="md-sum"></tbody></table>
        </div>
      </div>
    </div>`;

  function shapeOf({ rows, columns, channels }) {
    if (rows > 1) return channels > 1 ? `${channels} maps of ${rows} × ${columns}` : `${rows} × ${columns}`;
    return `${channels} numbers`;
  }

  const part = (id) => document.getElementById(`md-${id}`);
  const canvas = part("canvas"), shown = canvas.getContext("2d");
  const paper = document.createElement("canvas"); // what the network's picture is cut from
  const ink = paper.getContext("2d", { willReadFrequently: true });
  const bars = Array.from(part("bars").children, (row) => ({
    row,
    bar: row.querySelector(".md-bar"),
    percent: row.querySelector(".md-percent"),
  }));

  // -------------------------------------------------------------------------------------- the drawing

  // A drawing is a picture below (a sample, a file, or none) and strokes on it. A stroke is its thickness and
  // its points, all in pixels of the 200 by 200 drawing.
  let below = null, strokes = [], stroke = null, history = [], label = null, problem = "";
  let centred = null; // what centerDigit returned, or null while there is no digit
  let waiting = 0;

  /** Where the picture lies in the drawing: as large as fits, in the middle. */
  function frame() {
    const scale = CANVAS / Math.max(paper.width, paper.height);
    return { scale, left: (CANVAS - paper.width * scale) / 2, top: (CANVAS - paper.height * scale) / 2 };
  }

  function repaint() {
    paper.width = below ? below.width : CANVAS;
    paper.height = below ? below.height : CANVAS;
    for (const context of [ink, shown]) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "white";
      context.fillRect(0, 0, context.canvas.width, context.canvas.height);
      context.lineCap = context.lineJoin = "round";
      context.strokeStyle = context.fillStyle = "black";
    }
    const { scale, left, top } = frame();
    shown.setTransform(SHARP, 0, 0, SHARP, 0, 0);
    if (below) {
      ink.drawImage(below, 0, 0);
      shown.drawImage(below, left, top, paper.width * scale, paper.height * scale);
    }
    ink.setTransform(1 / scale, 0, 0, 1 / scale, -left / scale, -top / scale);
    for (const one of strokes) paint(one, 0);
    schedule();
  }

  /** Paint a stroke from one of its points on, on both canvases. */
  function paint({ thickness, points }, from) {
    for (const context of [ink, shown]) {
      context.lineWidth = thickness;
      context.beginPath();
      context.moveTo(points[from], points[from + 1]);
      context.lineTo(points[from] + 0.01, points[from + 1]); // so that a mere tap leaves a dot
      for (let i = from; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
      context.stroke();
    }
  }

  function remember() {
    history.push({ below, strokes: strokes.slice(), label });
    if (history.length > 50) history.shift();
  }

  function begin(x, y) {
    remember();
    stroke = { thickness: Number(part("thickness").value), points: [x, y] };
    strokes.push(stroke);
    label = null;
    problem = "";
    paint(stroke, 0);
    schedule();
  }

  function extend(x, y) {
    const from = stroke.points.length - 2;
    stroke.points.push(x, y);
    paint(stroke, from);
    schedule();
  }

  function show(picture, itsLabel) {
    remember();
    below = picture;
    strokes = [];
    stroke = null;
    label = itsLabel;
    problem = "";
    repaint();
  }

  function undo() {
    const last = history.pop();
    if (last) ({ below, strokes, label } = last);
    stroke = null;
    problem = "";
    repaint();
  }

  function toDrawing(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * CANVAS, ((event.clientY - box.top) / box.height) * CANVAS];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || stroke) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    begin(...toDrawing(event));
    stroke.pointer = event.pointerId;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || stroke.pointer !== event.pointerId) return;
    const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const move of moves.length ? moves : [event]) extend(...toDrawing(move));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => {
      if (stroke && stroke.pointer === event.pointerId) stroke = null;
    });
  }

  // With the keyboard: arrows move a pen, the space bar puts it down and lifts it.
  const pen = { x: CANVAS / 2, y: CANVAS / 4, mark: place.querySelector(".md-pen") };
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function showPen() {
    pen.mark.style.left = `${(pen.x / CANVAS) * 100}%`;
    pen.mark.style.top = `${(pen.y / CANVAS) * 100}%`;
    pen.mark.classList.toggle("md-down", Boolean(stroke));
  }

  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move) {
      pen.x = Math.min(CANVAS - 10, Math.max(10, pen.x + move[0] * 6));
      pen.y = Math.min(CANVAS - 10, Math.max(10, pen.y + move[1] * 6));
      if (stroke) extend(pen.x, pen.y);
    } else if (event.key === " ") {
      if (stroke) stroke = null;
      else begin(pen.x, pen.y);
    } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      undo();
    } else return;
    event.preventDefault();
    pen.mark.hidden = false;
    showPen();
  });
  canvas.addEventListener("blur", () => {
    pen.mark.hidden = true;
    stroke = null;
  });

  part("undo").addEventListener("click", undo);
  part("clear").addEventListener("click", () => show(null, null));

  // ---------------------------------------------------------------------------- samples and pictures

  const samples = Uint8Array.from(atob(api.samples.pixels), (character) => character.charCodeAt(0));

  /** A canvas with one MNIST digit, dark on light, each pixel `size` pixels wide. */
  function sample(index, size) {
    const small = new ImageData(28, 28);
    for (let i = 0; i < 784; i++) small.data.set([0, 0, 0, samples[784 * index + i]], 4 * i);
    const one = document.createElement("canvas"), large = document.createElement("canvas");
    one.width = one.height = 28;
    one.getContext("2d").putImageData(small, 0, 0);
    large.width = large.height = 28 * size;
    const context = large.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.fillStyle = "white";
    context.fillRect(0, 0, large.width, large.height);
    context.drawImage(one, 0, 0, large.width, large.height);
    return large;
  }

  const choose = (index) => show(sample(index, 7), api.samples.labels[index]);
  api.samples.labels.forEach((digit, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${digit === 8 ? "An" : "A"} ${digit} from MNIST`);
    button.append(sample(index, 2));
    button.addEventListener("click", () => choose(index));
    part("samples").append(button);
  });
  part("random").addEventListener("click", () => choose(Math.floor(Math.random() * api.samples.labels.length)));

  /** Show a picture file. A picture with a side over 1,000 pixels is shrunk to 1,000. */
  async function open(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      problem = `${file.name} is not a picture that this browser can read.`;
      say(problem);
      part("verdict").textContent = problem;
      return;
    }
    const scale = Math.min(1, 1000 / Math.max(picture.width, picture.height));
    const copy = document.createElement("canvas");
    copy.width = Math.max(1, Math.round(picture.width * scale));
    copy.height = Math.max(1, Math.round(picture.height * scale));
    const context = copy.getContext("2d");
    context.fillStyle = "white"; // transparent parts become white
    context.fillRect(0, 0, copy.width, copy.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, copy.width, copy.height);
    picture.close();
    show(copy, null);
  }

  part("file").addEventListener("change", (event) => {
    if (event.target.files.length) open(event.target.files[0]);
    event.target.value = ""; // so that the same file can be chosen again
  });
  const dropping = canvas.parentElement;
  for (const type of ["dragover", "dragleave", "drop"]) {
    dropping.addEventListener(type, (event) => {
      event.preventDefault();
      dropping.classList.toggle("md-dropping", type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
    });
  }

  // ------------------------------------------------------------------------- one pass of the network

  const grey = { values: new Float64Array(0) };

  /** Read the drawing as grey levels, 0 for black, as Pillow turns colours into grey. */
  function readGrey() {
    const { data } = ink.getImageData(0, 0, paper.width, paper.height);
    const count = paper.width * paper.height;
    if (grey.values.length !== count) grey.values = new Float64Array(count);
    for (let i = 0, k = 0; i < count; i++, k += 4) {
      grey.values[i] = (19595 * data[k] + 38470 * data[k + 1] + 7471 * data[k + 2] + 32768) >> 16;
    }
    return grey.values;
  }

  function schedule() {
    if (!waiting) waiting = requestAnimationFrame(pass);
  }

  /** From the drawing to bars and maps. Returns the time it took, in milliseconds. */
  function pass() {
    const start = performance.now();
    waiting = 0;
    const empty = !below && !strokes.length;
    const values = layers.input.values;
    centred = null;
    if (!empty) {
      try {
        centred = window.mnistDrawing.centerDigit(readGrey(), paper.width, paper.height);
      } catch {
        // No digit in it: `centred` stays null, and the answer says so.
      }
    }
    for (let i = 0; i < 784; i++) values[i] = centred ? centred.pixels[i] / 255 : 0;
    network.run();
    drawSeen();
    drawAnswer(empty);
    drawLayers();
    drawUnit();
    return performance.now() - start;
  }
  api.pass = pass;

  // ----------------------------------------------------------------------------------------- colours

  // 256 colours from the page's surface to ink, and 511 from orange (below 0) over the surface to blue.
  const ramp = new Uint32Array(256), both = new Uint32Array(511);
  let isDark = false;

  function mixColours() {
    isDark = document.documentElement.dataset.theme === "dark";
    const surface = isDark ? [29, 34, 42] : [244, 246, 249];
    const strong = isDark ? [186, 222, 255] : [9, 58, 110];
    const plus = isDark ? [92, 178, 255] : [11, 92, 160], minus = isDark ? [255, 160, 92] : [190, 72, 0];
    const mix = (to, share) => {
      const [r, g, b] = surface.map((level, k) => Math.round(level + (to[k] - level) * share));
      return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    };
    for (let i = 0; i < 256; i++) ramp[i] = mix(strong, (i / 255) ** 0.8);
    for (let i = -255; i < 256; i++) both[i + 255] = mix(i < 0 ? minus : plus, Math.abs(i) / 255);
  }

  // ---------------------------------------------------------------------------- answer and picture

  const seen = part("seen").getContext("2d"), seenImage = new ImageData(28, 28);
  const seenColours = new Uint32Array(seenImage.data.buffer);

  function drawSeen() {
    for (let i = 0; i < 784; i++) {
      const level = 255 - (centred ? centred.pixels[i] : 0);
      seenColours[i] = ((255 << 24) | (level << 16) | (level << 8) | level) >>> 0;
    }
    seen.putImageData(seenImage, 0, 0);
    part("sees").getContext("2d").putImageData(seenImage, 0, 0);
    part("note").textContent = centred ? whatWasDone() : "Your ink is cut out, fitted into 20 × 20 pixels, and put in the middle of 28 × 28.";
  }

  function whatWasDone() {
    const { box, place: to } = centred;
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const where = [y < 0.42 ? "top" : y > 0.58 ? "bottom" : "", x < 0.42 ? "left" : x > 0.58 ? "right" : ""].filter(Boolean);
    const size = Math.round(Math.max(box.width * paper.width, box.height * paper.height) * 100 / Math.max(paper.width, paper.height));
    return `Your ink, ${size} % of the paper's side and ${where.length ? `at the ${where.join(" ")}` : "in the middle"}, was cut out, ` +
      `fitted into ${to.width} × ${to.height} pixels, and centred by its weight. Neither place nor size reaches the network.`;
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  function drawAnswer(empty) {
    let best = 0, second = 1;
    if (probabilities[1] > probabilities[0]) [best, second] = [1, 0];
    for (let digit = 2; digit < 10; digit++) {
      if (probabilities[digit] > probabilities[best]) [best, second] = [digit, best];
      else if (probabilities[digit] > probabilities[second]) second = digit;
    }
    bars.forEach(({ row, bar, percent: figure }, digit) => {
      const share = centred ? probabilities[digit] : 0;
      bar.style.transform = `scaleX(${share})`;
      figure.textContent = centred ? percent(share) : "–";
      row.classList.toggle("md-best", Boolean(centred) && digit === best);
    });
    let verdict;
    if (problem) verdict = problem;
    else if (empty) verdict = "Nothing is drawn yet.";
    else if (!centred) verdict = "There is no digit here: the picture is blank, or its ink hardly differs from its paper.";
    else if (layers.logits.values[best] < api.weights.limits.logit) {
      verdict = `This is unlike any digit it has learned. If it is one, the best guess is ${best}.`;
    } else if (probabilities[best] < api.weights.limits.probability) {
      verdict = `Not sure: ${best} (${percent(probabilities[best])}) or ${second} (${percent(probabilities[second])}).`;
    } else verdict = `This is ${best === 8 ? "an" : "a"} ${best}.`;
    if (label !== null && centred) verdict += ` Its label says ${label}.`;
    if (part("verdict").textContent !== verdict) part("verdict").textContent = verdict;
    say(verdict);
  }

  // A screen reader hears the answer when the drawing pauses, not at every point of a stroke.
  let saying = 0, toSay = "";
  function say(text) {
    toSay = text;
    clearTimeout(saying);
    saying = setTimeout(() => {
      if (part("status").textContent !== toSay) part("status").textContent = toSay;
    }, 500);
  }

  // ------------------------------------------------------------------------------------- the layers

  const stage = part("stage");
  const scenes = VIEWS.map((view) => {
    const figure = stage.querySelector(`[data-layer="${view.name}"]`);
    const surface = figure.querySelector("canvas");
    const scene = { view, figure, surface, context: surface.getContext("2d"), layer: layers[view.name] };
    scene.mark = figure.querySelector(".md-mark");
    scene.mapMark = figure.querySelector(".md-map-mark");
    return scene;
  });

  /** Decide how many maps stand side by side, and make room for them. */
  function arrange() {
    const solid = stage.classList.contains("md-3d");
    const narrow = solid || stage.clientWidth < 560;
    for (const scene of scenes) {
      const { rows, columns, channels } = scene.layer;
      const flat = rows === 1; // plain numbers: small squares
      scene.across = channels === 1 ? 1 : channels === 10 ? 10 : flat ? (narrow ? 32 : 64) : narrow ? 8 : 16;
      scene.pixel = channels === 1 ? 4 : flat ? (channels === 10 ? 40 : 12) : Math.floor(52 / columns);
      scene.gap = flat && channels > 10 ? 2 : 4;
      scene.cellWidth = columns * scene.pixel + scene.gap;
      scene.cellHeight = rows * scene.pixel + scene.gap;
      scene.surface.width = scene.across * scene.cellWidth - scene.gap;
      scene.surface.height = Math.ceil(channels / scene.across) * scene.cellHeight - scene.gap;
      scene.image = scene.context.createImageData(scene.surface.width, scene.surface.height);
      scene.colours = new Uint32Array(scene.image.data.buffer);
    }
    drawLayers();
    drawMarks();
  }

  function drawLayers() {
    for (const scene of scenes) drawMaps(scene);
  }

  /** Colour every number of a layer, the largest of the layer darkest (on a dark page: lightest). */
  function drawMaps({ layer, across, pixel, cellWidth, cellHeight, colours, surface, context, image }) {
    const { rows, columns, channels, values } = layer;
    const signed = layer === layers.logits;
    let largest = 1e-9;
    for (let i = 0; i < values.length; i++) largest = Math.max(largest, signed ? Math.abs(values[i]) : values[i]);
    const scale = 255 / largest, width = surface.width;
    for (let channel = 0; channel < channels; channel++) {
      const corner = Math.floor(channel / across) * cellHeight * width + (channel % across) * cellWidth;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const level = Math.round(values[(row * columns + column) * channels + channel] * scale);
          const colour = signed ? both[level + 255] : ramp[level];
          const start = corner + row * pixel * width + column * pixel;
          for (let y = 0; y < pixel; y++) {
            for (let i = start + y * width, end = i + pixel; i < end; i++) colours[i] = colour;
          }
        }
      }
    }
    context.putImageData(image, 0, 0);
    if (signed) {
      context.font = "600 20px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let digit = 0; digit < 10; digit++) {
        const strong = Math.abs(values[digit]) * scale > 110;
        context.fillStyle = strong === isDark ? "#10151c" : strong ? "#ffffff" : isDark ? "#e6edf5" : "#1d2733";
        context.fillText(digit, digit * cellWidth + pixel / 2, pixel / 2 + 1);
      }
    }
  }

  // ---------------------------------------------------------------------------------- a single unit

  let unit = null; // { scene, channel, row, column } that is looked at
  let held = false; // true once it was tapped: the pointer then passes over others freely

  function unitAt(scene, event) {
    const x = (event.offsetX / scene.surface.clientWidth) * scene.surface.width;
    const y = (event.offsetY / scene.surface.clientHeight) * scene.surface.height;
    const across = Math.min(scene.across - 1, Math.max(0, Math.floor(x / scene.cellWidth)));
    const channel = Math.max(0, Math.floor(y / scene.cellHeight)) * scene.across + across;
    const { rows, columns, channels } = scene.layer;
    if (channel >= channels) return null;
    const within = (length, sides) => Math.min(sides - 1, Math.max(0, Math.floor(length / scene.pixel)));
    return { scene, channel, row: within(y % scene.cellHeight, rows), column: within(x % scene.cellWidth, columns) };
  }

  function look(at, hold) {
    unit = at;
    held = Boolean(at) && hold;
    drawMarks();
    drawUnit();
  }

  for (const scene of scenes) {
    scene.surface.addEventListener("pointermove", (event) => {
      if (!held && !turning && event.pointerType !== "touch") look(unitAt(scene, event), false);
    });
    scene.surface.addEventListener("click", (event) => {
      if (turned) return;
      const at = unitAt(scene, event);
      const same = held && unit.scene === scene && at && ["channel", "row", "column"].every((k) => at[k] === unit[k]);
      look(same ? null : at, true);
    });
    scene.surface.addEventListener("focus", () => {
      if (scene.surface.matches(":focus-visible") && (!unit || unit.scene !== scene)) {
        const { rows, columns } = scene.layer;
        look({ scene, channel: 0, row: Math.floor(rows / 2), column: Math.floor(columns / 2) }, true);
      }
    });
    scene.surface.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (event.key === "Escape") look(null, false);
      else if (move && unit && unit.scene === scene) look(neighbour(unit, ...move), true);
      else return;
      event.preventDefault();
    });
  }
  part("close").addEventListener("click", () => look(null, false));

  /** The next unit to the right, below and so on: within its map, then over its edge into the next map. */
  function neighbour({ scene, channel, row, column }, right, down) {
    const { rows, columns, channels } = scene.layer;
    const last = Math.ceil(channels / scene.across);
    let x = (channel % scene.across) * columns + column + right, y = Math.floor(channel / scene.across) * rows + row + down;
    x = Math.min(scene.across * columns - 1, Math.max(0, x));
    y = Math.min(last * rows - 1, Math.max(0, y));
    const next = Math.floor(y / rows) * scene.across + Math.floor(x / columns);
    return { scene, channel: Math.min(channels - 1, next), row: y % rows, column: x % columns };
  }

  const fields = place.querySelectorAll(".md-field");

  /** Frame the unit in its layer, and its receptive field in the drawing and in the network's picture. */
  function drawMarks() {
    for (const scene of scenes) scene.mark.hidden = scene.mapMark.hidden = !unit || unit.scene !== scene;
    for (const field of fields) field.hidden = !unit || !centred;
    if (!unit) return;
    const { scene, channel, row, column } = unit;
    const { surface, across, pixel, cellWidth, cellHeight, layer, view } = scene;
    const left = (channel % across) * cellWidth, top = Math.floor(channel / across) * cellHeight;
    setBox(scene.mapMark, left / surface.width, top / surface.height, (layer.columns * pixel) / surface.width, (layer.rows * pixel) / surface.height);
    setBox(scene.mark, (left + column * pixel) / surface.width, (top + row * pixel) / surface.height, pixel / surface.width, pixel / surface.height);
    if (!centred) return;
    const x = column * view.step, y = row * view.step, side = view.field;
    for (const field of [fields[1], fields[2]]) setBox(field, x / 28, y / 28, side / 28, side / 28);
    // Back from the 28 by 28 pixels to the drawing, through the box that the ink was cut out of.
    const { box, place: to } = centred, { scale, left: startX, top: startY } = frame();
    const toX = (pixels) => (startX + (box.left + ((pixels - to.left) / to.width) * box.width) * paper.width * scale) / CANVAS;
    const toY = (pixels) => (startY + (box.top + ((pixels - to.top) / to.height) * box.height) * paper.height * scale) / CANVAS;
    const x0 = Math.max(0, toX(x)), y0 = Math.max(0, toY(y));
    setBox(fields[0], x0, y0, Math.max(0, Math.min(1, toX(x + side)) - x0), Math.max(0, Math.min(1, toY(y + side)) - y0));
  }

  function setBox(mark, left, top, width, height) {
    Object.assign(mark.style, {
      left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%`,
    });
  }

  /** The inputs of a unit: for each, where it is, its value and its weight. */
  function inputsOf({ scene, channel, row, column }) {
    const { view, layer } = scene;
    const from = layers[view.from];
    const terms = [];
    const add = (y, x, c, weight) =>
      terms.push({ y, x, c, value: from.values[(y * from.columns + x) * from.channels + c], weight });
    if (view.kind === "pool") {
      for (let y = 0; y < 2; y++) for (let x = 0; x < 2; x++) add(2 * row + y, 2 * column + x, channel, null);
      return { terms, rows: 2, columns: 2, maps: 1 };
    }
    const { weights } = parameters[view.by];
    const rows = view.kind === "conv" ? 3 : from.rows, columns = view.kind === "conv" ? 3 : from.columns;
    let place = channel;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let c = 0; c < from.channels; c++, place += layer.channels) add(row + y, column + x, c, weights[place]);
      }
    }
    return { terms, rows, columns, maps: from.channels };
  }

  const figure = (number) => (Math.abs(number) < 0.005 ? 0 : number).toFixed(2).replace("-", "−");

  function drawUnit() {
    part("unit").hidden = !unit;
    stage.classList.toggle("md-held", held);
    if (!unit) return;
    if (fields[0].hidden !== !centred || held) drawMarks();
    const { scene, channel, row, column } = unit;
    const { view, layer } = scene;
    const value = layer.values[(row * layer.columns + column) * layer.channels + channel];
    const flat = layer.rows === 1;
    const name = view.name === "input" ? "Pixel" : flat ? `${view.name === "logits" ? "Digit" : "Number"} ${view.name === "logits" ? channel : channel + 1}` : `Map ${channel + 1} of ${layer.channels}`;
    part("unit-title").textContent = `${name}${flat ? "" : `, row ${row + 1}, column ${column + 1}`}: ${figure(value)}`;
    part("unit-where").textContent = `${view.title}. ` + (view.field === 28 ? "It sees the whole picture." : view.field === 1 ? "0 is paper, 1 is ink." : `It sees ${view.field} × ${view.field} of the picture's pixels.`);
    const has = view.kind !== "input", pools = view.kind === "pool";
    part("patch").parentElement.hidden = !has;
    part("filter").parentElement.hidden = !has || pools;
    part("sum").parentElement.hidden = !has;
    if (!has) return;

    const { terms, rows, columns, maps } = inputsOf(unit);
    drawTerms(part("patch"), terms, rows, columns, maps, "value");
    if (!pools) drawTerms(part("filter"), terms, rows, columns, maps, "weight");
    part("sum").innerHTML = pools ? pooled(terms, value) : summed(terms, parameters[view.by].bias[channel], value, view);
  }

  function nameOf(term, from) {
    if (from.rows === 1) return `number ${term.c + 1}`;
    return `${from.channels > 1 ? `map ${term.c + 1}, ` : ""}row ${term.y + 1}, col. ${term.x + 1}`;
  }

  function pooled(terms, value) {
    const from = layers[unit.scene.view.from];
    const rows = terms.map((term) => `<tr><td>${nameOf(term, from)}</td><td>${figure(term.value)}</td><td></td><td></td></tr>`);
    return `${rows.join("")}<tr class="md-total"><td>the largest</td><td></td><td></td><td>${figure(value)}</td></tr>`;
  }

  function summed(terms, bias, value, view) {
    const from = layers[view.from];
    let sum = bias;
    for (const term of terms) sum += term.product = term.value * term.weight;
    const strongest = terms.slice().sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, 4);
    const others = sum - bias - strongest.reduce((total, term) => total + term.product, 0);
    const line = (name, number, kind = "") => `<tr class="${kind}"><td>${name}</td><td></td><td></td><td>${figure(number)}</td></tr>`;
    return (
      strongest.map((term) => `<tr><td>${nameOf(term, from)}</td><td>${figure(term.value)}</td><td>× ${figure(term.weight)}</td><td>${figure(term.product)}</td></tr>`).join("") +
      line(`the other ${(terms.length - strongest.length).toLocaleString("en")} inputs`, others) +
      line("bias", bias) +
      line("sum", sum, "md-total") +
      (view.name === "logits" ? "" : line(sum < 0 ? "ReLU makes it" : "ReLU keeps it", value, "md-total"))
    );
  }

  /** Draw a unit's inputs or weights, one small grid for each map that they come from. */
  function drawTerms(surface, terms, rows, columns, maps, what) {
    const plain = rows === 1; // numbers without a place: in rows of 32
    const across = plain ? 32 : maps === 1 ? 1 : 8;
    const pixel = maps === 1 ? 24 : plain ? 6 : rows === 3 ? 6 : 5, gap = maps === 1 || plain ? 1 : 4;
    const cellWidth = columns * pixel + gap, cellHeight = rows * pixel + gap;
    surface.width = across * cellWidth - gap;
    surface.height = Math.ceil(maps / across) * cellHeight - gap;
    const image = new ImageData(surface.width, surface.height), colours = new Uint32Array(image.data.buffer);
    const largest = terms.reduce((most, term) => Math.max(most, Math.abs(term[what])), 1e-9);
    terms.forEach((term, i) => {
      const map = maps === 1 ? 0 : i % maps, spot = maps === 1 ? i : Math.floor(i / maps);
      const y = Math.floor(map / across) * cellHeight + Math.floor(spot / columns) * pixel;
      const x = (map % across) * cellWidth + (spot % columns) * pixel;
      const level = Math.round((255 * term[what]) / largest);
      const colour = what === "weight" ? both[level + 255] : ramp[Math.max(0, level)];
      for (let k = 0; k < pixel; k++) colours.fill(colour, (y + k) * surface.width + x, (y + k) * surface.width + x + pixel);
    });
    surface.getContext("2d").putImageData(image, 0, 0);
  }

  // ------------------------------------------------------------------------------------- flat and 3-D

  let turning = null, turned = false;

  function view(solid) {
    stage.classList.toggle("md-3d", solid);
    part("flat").setAttribute("aria-pressed", String(!solid));
    part("solid").setAttribute("aria-pressed", String(solid));
    place.querySelector(".md-turning").hidden = !solid;
    turn();
    arrange();
  }

  function turn() {
    stage.style.setProperty("--turn", `${part("turn").value}deg`);
    stage.style.setProperty("--tilt", `${part("tilt").value}deg`);
  }

  part("flat").addEventListener("click", () => view(false));
  part("solid").addEventListener("click", () => view(true));
  part("turn").addEventListener("input", turn);
  part("tilt").addEventListener("input", turn);
  stage.addEventListener("pointerdown", (event) => {
    turned = false;
    if (!stage.classList.contains("md-3d") || event.button !== 0) return;
    turning = { x: event.clientX, y: event.clientY, turn: Number(part("turn").value), tilt: Number(part("tilt").value) };
  });
  window.addEventListener("pointermove", (event) => {
    if (!turning) return;
    const x = event.clientX - turning.x, y = event.clientY - turning.y;
    if (Math.hypot(x, y) > 5) turned = true;
    if (!turned) return;
    part("turn").value = turning.turn + x * 0.4;
    if (event.pointerType !== "touch") part("tilt").value = turning.tilt - y * 0.4;
    turn();
  });
  for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, () => (turning = null));

  // --------------------------------------------------------------------------------------------- start

  mixColours();
  view(false);
  repaint();
  new MutationObserver(() => {
    mixColours();
    schedule();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  let wide = stage.clientWidth;
  new ResizeObserver(() => {
    if (stage.clientWidth < 560 !== wide < 560) arrange();
    wide = stage.clientWidth;
  }).observe(stage);
})();
