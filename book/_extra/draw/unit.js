// One unit taken apart: its inputs times its weights, their sum, the bias and ReLU; as a picture
// and as a table.

(function () {
  "use strict";

  const WINDOW = 3,
    POOLED = 2;
  const STRONGEST = 8; // inputs in the table, and lines on the stage
  const figure = (number) => (Math.abs(number) < 0.005 ? 0 : number).toFixed(2).replace("-", "−");
  const counted = (number) => number.toLocaleString("en");

  /**
   * The inputs of a unit: where each is in the layer before, its value, its weight and their
   * product.
   */
  function inputsOf({ scene, channel, row, column }) {
    const { from, kind, weights, channels } = scene.layer;
    const inputs = [];
    const add = (y, x, c, weight) => {
      const value = from.values[(y * from.columns + x) * from.channels + c];
      inputs.push({ row: y, column: x, channel: c, value, weight, product: value * weight });
    };
    if (kind === "input") return inputs;
    if (kind === "pool") {
      for (let y = 0; y < POOLED; y++) {
        for (let x = 0; x < POOLED; x++) add(POOLED * row + y, POOLED * column + x, channel, 1);
      }
      return inputs;
    }
    const rows = kind === "conv" ? WINDOW : from.rows,
      columns = kind === "conv" ? WINDOW : from.columns;
    let place = channel;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let c = 0; c < from.channels; c++, place += channels)
          add(row + y, column + x, c, weights[place]);
      }
    }
    return inputs;
  }

  /** The inputs with the largest products, the largest first. */
  function strongestOf(inputs, count = STRONGEST) {
    return inputs
      .slice()
      .sort((a, b) => Math.abs(b.product) - Math.abs(a.product))
      .slice(0, count);
  }

  const sumOf = (inputs) => inputs.reduce((sum, { product }) => sum + product, 0);

  /** The inputs that the three small grids show, how many stand in a row, and what they are. */
  function shownOf({ scene }, inputs) {
    const { kind, from } = scene.layer;
    if (kind === "pool") return { shown: inputs, columns: POOLED, what: "Four inputs" };
    if (kind === "dense") {
      return {
        shown: strongestOf(inputs, WINDOW ** 2),
        columns: WINDOW,
        what: "The nine strongest inputs",
      };
    }
    if (from.channels === 1) return { shown: inputs, columns: WINDOW, what: "Nine pixels" };
    const maps = Array.from({ length: from.channels }, (_, map) =>
      inputs.filter(({ channel }) => channel === map),
    );
    const sums = maps.map((map) => Math.abs(sumOf(map)));
    const best = sums.indexOf(Math.max(...sums));
    return { shown: maps[best], columns: WINDOW, what: `Map ${best + 1}, which counts most` };
  }

  function createUnit(place) {
    const part = (name) => place.querySelector(`#md-${name}`);
    const details = place.querySelector("details");
    let current = null;

    /** Fill a grid with numbers, coloured by their share of the largest. */
    function fillGrid(grid, numbers, columns, largest) {
      grid.style.setProperty("--columns", columns);
      while (grid.children.length < numbers.length) grid.append(document.createElement("span"));
      while (grid.children.length > numbers.length) grid.lastChild.remove();
      numbers.forEach((number, i) => {
        const cell = grid.children[i];
        cell.textContent = figure(number);
        cell.className = number < 0 ? "md-below" : "md-above";
        cell.style.setProperty("--strength", (Math.abs(number) / largest).toFixed(2));
      });
    }

    const most = (numbers) => Math.max(1e-9, ...numbers.map(Math.abs));

    function show(unit) {
      if (unit !== current) place.scrollTop = 0;
      current = unit;
      place.hidden = !unit;
      if (!unit) return;
      const { scene, row, column } = unit,
        { layer } = scene;
      const value = layer.values[(row * layer.columns + column) * layer.channels + unit.channel];
      part("unit-title").textContent = `${nameOf(unit)}: ${figure(value)}`;
      part("unit-where").textContent = `${scene.title}. ${whatItSees(layer)}`;
      const inputs = inputsOf(unit),
        pools = layer.kind === "pool";
      part("picture").hidden = details.hidden = layer.kind === "input";
      if (layer.kind === "input") return;

      const { shown, columns, what } = shownOf(unit, inputs);
      const values = shown.map((input) => input.value),
        products = shown.map((input) => input.product);
      part("picture").classList.toggle("md-pools", pools);
      part("shown").textContent = pools ? `${what}, of which it keeps the largest` : what;
      fillGrid(part("patch"), values, columns, most(values));
      if (!pools) {
        const weights = shown.map((input) => input.weight);
        fillGrid(part("filter"), weights, columns, most(weights));
        fillGrid(part("products"), products, columns, most(products));
      }
      part("steps").replaceChildren(
        ...(pools ? pooling(value) : adding(layer, unit, inputs, shown, value)),
      );
      if (details.open) fillTable();
    }

    /** One number of the chain below the grids, with its sign before it and its name under it. */
    function step(sign, number, name) {
      const item = document.createElement("li"),
        subtracts = sign === "+" && number < 0;
      const contents = subtracts ? ["−", figure(-number), name] : [sign, figure(number), name];
      const [before, text, below] = contents.map((content, i) => {
        const element = document.createElement(i === 1 ? "b" : "span");
        element.textContent = content;
        return element;
      });
      before.className = "md-sign";
      item.append(before, text, below);
      return item;
    }

    const pooling = (value) => [step("", value, "the largest of the four")];

    function adding({ relu, bias }, { channel }, inputs, shown, value) {
      const sum = sumOf(inputs),
        here = sumOf(shown),
        others = inputs.length - shown.length;
      const steps = [step("", here, `these ${shown.length}`)];
      if (others) steps.push(step("+", sum - here, `${counted(others)} others`));
      steps.push(step("+", bias[channel], "bias"), step("=", sum + bias[channel], "sum"));
      if (relu) steps.push(step("→", value, "ReLU"));
      return steps;
    }

    function whatItSees({ kind, field, rows }) {
      if (kind === "input") return "0 is paper, 1 is ink.";
      return rows === 1
        ? "It sees the whole picture."
        : `It sees ${field} × ${field} pixels.`;
    }

    function nameOf({ scene, channel, row, column }) {
      const { name, rows } = scene.layer;
      if (name === "logits") return `Digit ${channel}`;
      if (rows === 1) return `Number ${channel + 1}`;
      const spot = `row ${row + 1}, column ${column + 1}`;
      return name === "input" ? `Pixel, ${spot}` : `Map ${channel + 1}, ${spot}`;
    }

    function inputName({ row, column, channel }, from) {
      if (from.rows === 1) return `number ${channel + 1}`;
      return `${from.channels > 1 ? `map ${channel + 1}, ` : ""}row ${row + 1}, col. ${column + 1}`;
    }

    /**
     * The table behind the picture: the strongest inputs one by one, the others together, bias, sum
     * and ReLU.
     */
    function fillTable() {
      if (!current || current.scene.layer.kind === "input") return;
      const { scene, row, column, channel } = current,
        { layer } = scene;
      const value = layer.values[(row * layer.columns + column) * layer.channels + channel];
      const inputs = inputsOf(current),
        rows = [];
      const line = (name, number, kind = "") => rows.push([kind, name, "", "", figure(number)]);
      if (layer.kind === "pool") {
        for (const input of inputs)
          rows.push(["", inputName(input, layer.from), figure(input.value), "", ""]);
        line("the largest", value, "md-total");
      } else {
        const strongest = strongestOf(inputs),
          others = inputs.length - strongest.length;
        for (const input of strongest) {
          const { value: of, weight, product } = input;
          rows.push([
            "",
            inputName(input, layer.from),
            figure(of),
            `× ${figure(weight)}`,
            figure(product),
          ]);
        }
        const sum = sumOf(inputs) + layer.bias[channel];
        if (others) line(`the other ${counted(others)}`, sumOf(inputs) - sumOf(strongest));
        line("bias", layer.bias[channel]);
        line("sum", sum, "md-total");
        if (layer.relu) line(sum < 0 ? "ReLU makes it" : "ReLU keeps it", value, "md-total");
      }
      part("sum").innerHTML = rows
        .map(
          ([kind, ...cells]) =>
            `<tr class="${kind}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`,
        )
        .join("");
    }

    details.addEventListener("toggle", () => {
      fillTable();
      const head = place.firstElementChild; // stays where it is
      if (details.open) place.scrollTop = details.offsetTop - head.offsetHeight;
    });
    return { show };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createUnit, inputsOf, strongestOf });
})();
