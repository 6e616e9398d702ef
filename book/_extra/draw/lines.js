// Lines from a unit to its strongest inputs: thick where the product is large, blue above zero,
// orange and dashed below.

(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const THIN = 1,
    THICK = 3.2; // pixels

  function createLines(stage, layers) {
    const { inputsOf, strongestOf, setBox } = window.mnistDraw;
    const drawing = document.createElementNS(SVG, "svg");
    drawing.classList.add("md-lines");
    drawing.setAttribute("aria-hidden", "true");
    stage.append(drawing);

    /** Where the middles of units are on the stage, turned or not: the browser knows. */
    function middlesOf(units) {
      const probes = units.map((unit) => {
        const probe = document.createElement("span");
        probe.className = "md-probe";
        setBox(probe, layers.boxOf(unit));
        unit.scene.maps.append(probe);
        return probe;
      });
      const origin = stage.getBoundingClientRect();
      const boxes = probes.map((probe) => probe.getBoundingClientRect());
      for (const probe of probes) probe.remove();
      return boxes.map((box) => [
        box.left + box.width / 2 - origin.left,
        box.top + box.height / 2 - origin.top,
      ]);
    }

    function draw(unit) {
      const inputs = unit ? strongestOf(inputsOf(unit)).filter(({ product }) => product !== 0) : [];
      drawing.replaceChildren();
      if (!inputs.length) return;
      const scene = layers.sceneOf.get(unit.scene.layer.from),
        largest = Math.abs(inputs[0].product);
      const [[x, y], ...ends] = middlesOf([unit, ...inputs.map((input) => ({ ...input, scene }))]);
      ends.forEach(([x2, y2], i) => {
        const { product } = inputs[i];
        const line = document.createElementNS(SVG, "line");
        for (const [name, value] of Object.entries({ x1: x, y1: y, x2, y2 }))
          line.setAttribute(name, value.toFixed(1));
        line.classList.add(product < 0 ? "md-below" : "md-above");
        line.style.strokeWidth = THIN + ((THICK - THIN) * Math.abs(product)) / largest;
        drawing.append(line);
      });
    }

    return { draw };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createLines });
})();
