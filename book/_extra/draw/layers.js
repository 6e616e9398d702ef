// The stage: every layer's numbers as pictures, flat below one another or as a shelf of turned
// sheets, and the unit that the reader looks at. A unit is { scene, channel, row, column }; a scene
// is a layer with its canvas, on which `order` says which channel is in each place: flat, a layer
// is one row of its most active channels, and of those that a pinned unit needs, unless the reader
// asks for all.

(function () {
  "use strict";

  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const NARROW = 460; // pixels of the screen
  const MAP = 52; // pixels of the canvas for a map's side

  /** What a layer is called, and its shape, for people. */
  function nameOf(layer, layers) {
    const number = layers.filter(({ kind }) => kind === layer.kind).indexOf(layer) + 1;
    const names = {
      input: "Picture",
      conv: `Convolution ${number}`,
      pool: `Pooling ${number}`,
      dense: "Dense layer",
    };
    return layer.name === "logits" ? "Ten logits" : names[layer.kind];
  }

  /** A layer's shape, and how many of its channels are shown if not all. */
  function shapeOf({ rows, columns, channels }, shown) {
    const part = shown < channels ? `${shown} of ` : "";
    if (rows === 1) return `${part}${channels} numbers`;
    const sides = `${rows}\u00a0×\u00a0${columns}`;
    return channels === 1 ? sides : `${part}${channels} maps of ${sides}`;
  }

  const inOrder = ({ channels }) => Array.from({ length: channels }, (_, channel) => channel);

  /** The channels of a layer, that with the largest sum first; digits keep their order. */
  function byActivity(layer) {
    const { name, channels, values } = layer;
    if (name === "logits") return inOrder(layer);
    const sums = new Float64Array(channels);
    for (let i = 0; i < values.length; i++) sums[i % channels] += values[i];
    return inOrder(layer).sort((a, b) => sums[b] - sums[a] || a - b);
  }

  /** How many maps, or plain numbers, stand side by side. */
  function acrossOf({ rows, channels }, solid, narrow) {
    if (channels === 1) return 1;
    if (channels === 10) return solid && !narrow ? 1 : 10;
    if (rows === 1) return solid && !narrow ? 16 : narrow ? 32 : 64;
    if (solid) return narrow ? channels / 4 : channels / 8;
    return narrow ? 8 : 16;
  }

  /** Put the layers on a stage. onLook is called with the unit that is looked at, or null. */
  function createLayers(stage, template, network, onLook) {
    const { inputsOf, strongestOf } = window.mnistDraw;
    const { ramp, both, isDark } = window.mnistDraw.colours;
    const stack = stage.querySelector(".md-stack");
    const scenes = network.layers.map((layer) => {
      const figure = template.content.firstElementChild.cloneNode(true);
      const surface = figure.querySelector("canvas");
      const title = nameOf(layer, network.layers);
      figure.dataset.layer = layer.name;
      figure.querySelector(".md-name").textContent = title;
      stack.append(figure);
      return {
        layer,
        title,
        ranked: inOrder(layer), // all channels, the most active first, when that was last asked
        surface,
        shape: figure.querySelector(".md-shape"),
        context: surface.getContext("2d"),
        maps: figure.querySelector(".md-maps"),
        mark: figure.querySelector(".md-mark"),
        mapMark: figure.querySelector(".md-map-mark"),
      };
    });
    const sceneOf = new Map(scenes.map((scene) => [scene.layer, scene]));
    let unit = null;
    let pinned = null; // the unit that a click chose: it comes back when the pointer leaves others
    let finished = false; // whether the numbers are those of a finished drawing
    let brief = true; // whether a layer is one row

    /** The channels of a layer that a pinned unit needs: its own, and where its lines end. */
    function neededIn(scene) {
      if (!pinned) return [];
      if (scene === pinned.scene) return [pinned.channel];
      if (scene.layer !== pinned.scene.layer.from) return [];
      return strongestOf(inputsOf(pinned)).map(({ channel }) => channel);
    }

    /** Choose the channels that are shown, most active first. Their number does not change. */
    function choose(scene) {
      if (!brief) {
        scene.order = inOrder(scene.layer);
        return;
      }
      const shown = new Set(neededIn(scene));
      for (const channel of scene.ranked) if (shown.size < scene.across) shown.add(channel);
      scene.order = scene.ranked.filter((channel) => shown.has(channel));
    }

    /** Rank the channels again, but not under a moving pen or a pinned unit: maps would jump. */
    function rank() {
      if (!finished) return;
      for (const scene of scenes) {
        if (!pinned) scene.ranked = byActivity(scene.layer);
        choose(scene);
      }
    }

    /** Where a channel is on its canvas, or -1 where it is not shown. */
    const placeOf = ({ scene, channel }) => scene.order.indexOf(channel);

    /** Lay the maps out, for the view and the width that the stage has now. */
    function arrange() {
      const solid = stage.classList.contains("md-3d"),
        narrow = stage.clientWidth < NARROW;
      brief = !solid && !stage.classList.contains("md-all");
      for (const scene of scenes) {
        const { rows, columns, channels } = scene.layer;
        const plain = rows === 1; // numbers without a place: small squares
        scene.across = acrossOf(scene.layer, solid, narrow);
        choose(scene);
        const shape = shapeOf(scene.layer, scene.order.length);
        const label = `${scene.title}, ${shape}. Arrow keys move from unit to unit.`;
        scene.shape.textContent = shape;
        scene.surface.setAttribute("aria-label", label);
        scene.pixel =
          channels === 1 ? 4 : channels === 10 ? 40 : plain ? 12 : Math.floor(MAP / columns);
        const gap = plain && channels > 10 ? 2 : 4;
        scene.cellWidth = columns * scene.pixel + gap;
        scene.cellHeight = rows * scene.pixel + gap;
        scene.surface.width = scene.across * scene.cellWidth - gap;
        const down = Math.ceil(scene.order.length / scene.across);
        scene.surface.height = down * scene.cellHeight - gap;
        scene.image = scene.context.createImageData(scene.surface.width, scene.surface.height);
        scene.pixels = new Uint32Array(scene.image.data.buffer);
      }
      draw();
      drawMarks();
    }

    // Only what is on the screen, or nearly, is drawn; the rest when it comes there.
    const visible = new Set();
    const watcher = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const scene = scenes.find(({ surface }) => surface === target);
          visible[isIntersecting ? "add" : "delete"](scene);
          if (isIntersecting) drawMaps(scene);
        }
      },
      { rootMargin: "100px" },
    );
    for (const { surface } of scenes) watcher.observe(surface);

    function draw() {
      for (const scene of visible) drawMaps(scene);
    }

    /** Colour every number of a layer, the largest of the layer strongest. */
    function drawMaps({
      layer,
      order,
      across,
      pixel,
      cellWidth,
      cellHeight,
      pixels,
      surface,
      context,
      image,
    }) {
      const { rows, columns, channels, values } = layer;
      const signed = !layer.relu && layer.kind === "dense";
      let largest = 1e-9;
      for (let i = 0; i < values.length; i++)
        largest = Math.max(largest, signed ? Math.abs(values[i]) : values[i]);
      const scale = 255 / largest,
        width = surface.width;
      for (let place = 0; place < order.length; place++) {
        const channel = order[place];
        const corner =
          Math.floor(place / across) * cellHeight * width + (place % across) * cellWidth;
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const level = Math.round(values[(row * columns + column) * channels + channel] * scale);
            const colour = signed ? both[level + 255] : ramp[level];
            const start = corner + row * pixel * width + column * pixel;
            for (let y = 0; y < pixel; y++) {
              for (let i = start + y * width, end = i + pixel; i < end; i++) pixels[i] = colour;
            }
          }
        }
      }
      context.putImageData(image, 0, 0);
      if (signed) drawDigits(context, values, scale, across, cellWidth, cellHeight, pixel);
    }

    function drawDigits(context, values, scale, across, cellWidth, cellHeight, pixel) {
      context.font = "600 20px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let digit = 0; digit < values.length; digit++) {
        const strong = Math.abs(values[digit]) * scale > 110;
        context.fillStyle =
          strong === isDark() ? "#10151c" : strong ? "#ffffff" : isDark() ? "#e6edf5" : "#1d2733";
        const x = (digit % across) * cellWidth + pixel / 2,
          y = Math.floor(digit / across) * cellHeight + pixel / 2;
        context.fillText(digit, x, y + 1);
      }
    }

    // --- which unit ---

    function unitAt(scene, event) {
      const x = (event.offsetX / scene.surface.clientWidth) * scene.surface.width;
      const y = (event.offsetY / scene.surface.clientHeight) * scene.surface.height;
      const across = Math.min(scene.across - 1, Math.max(0, Math.floor(x / scene.cellWidth)));
      const place = Math.max(0, Math.floor(y / scene.cellHeight)) * scene.across + across;
      const { rows, columns } = scene.layer;
      if (place >= scene.order.length) return null;
      const within = (length, sides) =>
        Math.min(sides - 1, Math.max(0, Math.floor(length / scene.pixel)));
      return {
        scene,
        channel: scene.order[place],
        row: within(y % scene.cellHeight, rows),
        column: within(x % scene.cellWidth, columns),
      };
    }

    /**
     * The next unit to the right, below and so on: within its map, then over its edge into the map
     * that is shown next to it. From a map that is no longer shown, one comes to the first.
     */
    function neighbour(unit, right, down) {
      const { scene, row, column } = unit,
        { rows, columns } = scene.layer;
      const place = Math.max(0, placeOf(unit)),
        count = scene.order.length,
        last = Math.ceil(count / scene.across);
      let x = (place % scene.across) * columns + column + right;
      let y = Math.floor(place / scene.across) * rows + row + down;
      x = Math.min(scene.across * columns - 1, Math.max(0, x));
      y = Math.min(last * rows - 1, Math.max(0, y));
      const next = Math.floor(y / rows) * scene.across + Math.floor(x / columns);
      const channel = scene.order[Math.min(count - 1, next)];
      return { scene, channel, row: y % rows, column: x % columns };
    }

    /** The unit with the largest value in the maps of a layer that are shown. */
    function strongest(scene) {
      const { columns, channels, values } = scene.layer;
      let best = scene.order[0];
      for (let i = 0; i < values.length; i++) {
        if (values[i] > values[best] && scene.order.includes(i % channels)) best = i;
      }
      const spot = Math.floor(best / channels);
      return {
        scene,
        channel: best % channels,
        row: Math.floor(spot / columns),
        column: spot % columns,
      };
    }

    /** The middle of the first map that is shown. */
    function middleOf(scene) {
      const { rows, columns } = scene.layer;
      const middle = { row: Math.floor(rows / 2), column: Math.floor(columns / 2) };
      return { scene, channel: scene.order[0], ...middle };
    }

    function show(at) {
      unit = at;
      drawMarks();
      onLook(unit);
    }

    /** The reader looks at a unit, or pins it; null lets go. */
    function look(at, pins = false) {
      stage.classList.add("md-chosen");
      if (pins || !at) {
        pinned = at;
        rank(); // which another pin may have held up
        scenes.forEach(choose);
        draw();
      }
      show(at);
      if (pinned === at && at) at.scene.mapMark.scrollIntoView({ block: "nearest" });
    }

    /**
     * Show new values, of a finished drawing or not: of the reader's unit, or until there is one,
     * of the strongest in layer 1.
     */
    function update(isFinished) {
      finished = isFinished;
      rank();
      draw();
      show(stage.classList.contains("md-chosen") ? unit : strongest(scenes[1]));
    }

    for (const scene of scenes) {
      scene.surface.addEventListener("pointermove", (event) => {
        const at = unitAt(scene, event);
        if (at && !event.buttons && event.pointerType !== "touch") look(at);
      });
      scene.surface.addEventListener("pointerleave", () => {
        if (pinned) show(pinned);
      });
      scene.surface.addEventListener("click", (event) => {
        look(unitAt(scene, event), true);
      });
      scene.surface.addEventListener("focus", () => {
        if (!scene.surface.matches(":focus-visible") || (pinned && pinned.scene === scene)) return;
        look(middleOf(scene), true);
      });
      scene.surface.addEventListener("keydown", (event) => {
        const move = KEYS[event.key];
        if (event.key === "Escape") look(null);
        else if (move)
          look(unit && unit.scene === scene ? neighbour(unit, ...move) : middleOf(scene), true);
        else return;
        event.preventDefault();
      });
    }

    /** Where a unit is in its layer's canvas, in fractions of its sides; null if not shown. */
    function boxOf(unit) {
      const { scene, row, column } = unit,
        { surface, across, pixel, cellWidth, cellHeight } = scene;
      const place = placeOf(unit);
      if (place < 0) return null;
      return {
        left: ((place % across) * cellWidth + column * pixel) / surface.width,
        top: (Math.floor(place / across) * cellHeight + row * pixel) / surface.height,
        width: pixel / surface.width,
        height: pixel / surface.height,
      };
    }

    /** Frame the unit and its map, if they are shown. */
    function drawMarks() {
      const box = unit && boxOf(unit);
      for (const scene of scenes)
        scene.mark.hidden = scene.mapMark.hidden = !box || unit.scene !== scene;
      if (!box) return;
      const { scene } = unit,
        { rows, columns } = scene.layer;
      const map = boxOf({ ...unit, row: 0, column: 0 });
      setBox(scene.mark, box);
      setBox(scene.mapMark, { ...map, width: map.width * columns, height: map.height * rows });
    }

    return {
      scenes,
      sceneOf,
      arrange,
      draw,
      look,
      update,
      boxOf,
      get unit() {
        return unit;
      },
      get pinned() {
        return pinned;
      },
    };
  }

  /** Place an element over a part of its parent, given in fractions of the parent's sides. */
  function setBox(element, { left, top, width, height }) {
    Object.assign(element.style, {
      left: `${100 * left}%`,
      top: `${100 * top}%`,
      width: `${100 * width}%`,
      height: `${100 * height}%`,
    });
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createLayers, setBox });
})();
