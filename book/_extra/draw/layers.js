// The stage: every layer's numbers as pictures, flat below one another or as a shelf of turned
// sheets, and the unit that the reader looks at. A unit is { scene, channel, row, column }; a scene
// is a layer with its canvas.

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

  function shapeOf({ rows, columns, channels }) {
    if (rows === 1) return `${channels} numbers`;
    const sides = `${rows}\u00a0×\u00a0${columns}`;
    return channels === 1 ? sides : `${channels} maps of ${sides}`;
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
    const { ramp, both, isDark } = window.mnistDraw.colours;
    const stack = stage.querySelector(".md-stack");
    const scenes = network.layers.map((layer) => {
      const figure = template.content.firstElementChild.cloneNode(true);
      const surface = figure.querySelector("canvas");
      const title = nameOf(layer, network.layers);
      figure.dataset.layer = layer.name;
      figure.querySelector(".md-name").textContent = title;
      figure.querySelector(".md-shape").textContent = shapeOf(layer);
      surface.setAttribute(
        "aria-label",
        `${title}, ${shapeOf(layer)}. Arrow keys move from unit to unit.`,
      );
      stack.append(figure);
      return {
        layer,
        title,
        surface,
        context: surface.getContext("2d"),
        maps: figure.querySelector(".md-maps"),
        mark: figure.querySelector(".md-mark"),
        mapMark: figure.querySelector(".md-map-mark"),
      };
    });
    const sceneOf = new Map(scenes.map((scene) => [scene.layer, scene]));
    let unit = null;
    let pinned = null; // the unit that a click chose: it comes back when the pointer leaves others

    /** Lay the maps out, for the view and the width that the stage has now. */
    function arrange() {
      const solid = stage.classList.contains("md-3d"),
        narrow = stage.clientWidth < NARROW;
      for (const scene of scenes) {
        const { rows, columns, channels } = scene.layer;
        const plain = rows === 1; // numbers without a place: small squares
        scene.across = acrossOf(scene.layer, solid, narrow);
        scene.pixel =
          channels === 1 ? 4 : channels === 10 ? 40 : plain ? 12 : Math.floor(MAP / columns);
        const gap = plain && channels > 10 ? 2 : 4;
        scene.cellWidth = columns * scene.pixel + gap;
        scene.cellHeight = rows * scene.pixel + gap;
        scene.surface.width = scene.across * scene.cellWidth - gap;
        scene.surface.height = Math.ceil(channels / scene.across) * scene.cellHeight - gap;
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
      for (let channel = 0; channel < channels; channel++) {
        const corner =
          Math.floor(channel / across) * cellHeight * width + (channel % across) * cellWidth;
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
      const channel = Math.max(0, Math.floor(y / scene.cellHeight)) * scene.across + across;
      const { rows, columns, channels } = scene.layer;
      if (channel >= channels) return null;
      const within = (length, sides) =>
        Math.min(sides - 1, Math.max(0, Math.floor(length / scene.pixel)));
      return {
        scene,
        channel,
        row: within(y % scene.cellHeight, rows),
        column: within(x % scene.cellWidth, columns),
      };
    }

    /**
     * The next unit to the right, below and so on: within its map, then over its edge into the next
     * map.
     */
    function neighbour({ scene, channel, row, column }, right, down) {
      const { rows, columns, channels } = scene.layer;
      const last = Math.ceil(channels / scene.across);
      let x = (channel % scene.across) * columns + column + right;
      let y = Math.floor(channel / scene.across) * rows + row + down;
      x = Math.min(scene.across * columns - 1, Math.max(0, x));
      y = Math.min(last * rows - 1, Math.max(0, y));
      const next = Math.floor(y / rows) * scene.across + Math.floor(x / columns);
      return { scene, channel: Math.min(channels - 1, next), row: y % rows, column: x % columns };
    }

    /** The unit of a layer with the largest value. */
    function strongest(scene) {
      const { columns, channels, values } = scene.layer;
      let best = 0;
      for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
      const spot = Math.floor(best / channels);
      return {
        scene,
        channel: best % channels,
        row: Math.floor(spot / columns),
        column: spot % columns,
      };
    }

    function show(at) {
      unit = at;
      drawMarks();
      onLook(unit);
    }

    /** The reader looks at a unit, or pins it; null lets go. */
    function look(at, pins = false) {
      stage.classList.add("md-chosen");
      if (pins || !at) pinned = at;
      show(at);
      if (pinned === at && at) at.scene.mapMark.scrollIntoView({ block: "nearest" });
    }

    /** Show new values: of the reader's unit, or until there is one, of the strongest in layer 1. */
    function update() {
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
        const { rows, columns } = scene.layer;
        look(
          { scene, channel: 0, row: Math.floor(rows / 2), column: Math.floor(columns / 2) },
          true,
        );
      });
      scene.surface.addEventListener("keydown", (event) => {
        const move = KEYS[event.key];
        if (event.key === "Escape") look(null);
        else if (move && unit && unit.scene === scene) look(neighbour(unit, ...move), true);
        else return;
        event.preventDefault();
      });
    }

    /** Where a unit is in its layer's canvas, in fractions of its sides. */
    function boxOf({ scene, channel, row, column }) {
      const { surface, across, pixel, cellWidth, cellHeight } = scene;
      return {
        left: ((channel % across) * cellWidth + column * pixel) / surface.width,
        top: (Math.floor(channel / across) * cellHeight + row * pixel) / surface.height,
        width: pixel / surface.width,
        height: pixel / surface.height,
      };
    }

    /** Frame the unit and its map. */
    function drawMarks() {
      for (const scene of scenes)
        scene.mark.hidden = scene.mapMark.hidden = !unit || unit.scene !== scene;
      if (!unit) return;
      const { scene } = unit,
        { rows, columns } = scene.layer;
      const map = boxOf({ ...unit, row: 0, column: 0 });
      setBox(scene.mark, boxOf(unit));
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
