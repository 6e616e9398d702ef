// Lines from a unit to its strongest inputs: thick where the product is large, blue above zero,
// orange and dashed below.

(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const THIN = 1,
    THICK = 3.2; // pixels

  function createLines(stage, layers) {
    const { inputsOf, strongestOf } = window.mnistDraw;
    const drawing = document.createElementNS(SVG, "svg");
    drawing.classList.add("md-lines");
    drawing.setAttribute("aria-hidden", "true");
    stage.append(drawing);

    const places = new Map(); // of each scene, what measure() found

    /**
     * Remember where each layer's maps are and how they are turned: asking the browser at every
     * stroke would take as long as half of the network.
     */
    function measure() {
      for (const scene of layers.scenes) {
        const { maps, surface } = scene;
        const { transform } = getComputedStyle(maps);
        const middle = { x: maps.offsetWidth / 2, y: maps.offsetHeight / 2 }; // which it turns about
        places.set(scene, {
          matrix: new DOMMatrix(transform === "none" ? "" : transform),
          middle: { x: maps.offsetLeft + middle.x, y: maps.offsetTop + middle.y },
          left: maps.clientLeft + surface.offsetLeft - middle.x,
          top: maps.clientTop + surface.offsetTop - middle.y,
          width: surface.offsetWidth,
          height: surface.offsetHeight,
        });
      }
    }

    /** Where the middle of a unit is on the stage; null if its map is not shown. */
    function middleOf(unit) {
      const { matrix, middle, left, top, width, height } = places.get(unit.scene);
      const box = layers.boxOf(unit);
      if (!box) return null;
      const x = left + (box.left + box.width / 2) * width;
      const y = top + (box.top + box.height / 2) * height;
      const turned = matrix.transformPoint(new DOMPoint(x, y));
      return [middle.x + turned.x / turned.w, middle.y + turned.y / turned.w];
    }

    function draw(unit) {
      const inputs = unit ? strongestOf(inputsOf(unit)).filter(({ product }) => product !== 0) : [];
      drawing.replaceChildren();
      if (!inputs.length) return;
      const scene = layers.sceneOf.get(unit.scene.layer.from),
        largest = Math.abs(inputs[0].product);
      const start = middleOf(unit);
      for (const input of inputs) {
        const end = middleOf({ ...input, scene });
        if (!start || !end) continue;
        const [x, y] = start,
          [x2, y2] = end,
          { product } = input;
        const line = document.createElementNS(SVG, "line");
        for (const [name, value] of Object.entries({ x1: x, y1: y, x2, y2 }))
          line.setAttribute(name, value.toFixed(1));
        line.classList.add(product < 0 ? "md-below" : "md-above");
        line.style.strokeWidth = THIN + ((THICK - THIN) * Math.abs(product)) / largest;
        drawing.append(line);
      }
    }

    return { draw, measure };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createLines });
})();
