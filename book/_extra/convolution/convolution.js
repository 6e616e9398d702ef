// The chapter "Convolution": a small picture under a 3 by 3 kernel, to change and to step through.
// A classic script that needs nothing but the element #convolve before it, so it also works from
// disk.
(function () {
  "use strict";

  // The first is the chapter's example; the others are MNIST training digits, cropped and reduced
  // to 7 by 7, their grey levels to 0..9.
  const PICTURES = {
    "5 × 5, from the text": ["11100", "01110", "00111", "00110", "01100"],
    "digit 7": ["0788990", "0010280", "0000370", "0000540", "0000720", "0000800", "0000900"],
    "digit 4": ["0280000", "0720020", "0898960", "0000630", "0000710", "0000800", "0000820"],
    "digit 0": ["0697200", "0831810", "0900250", "0800070", "1800070", "0900180", "0388720"],
    "digit 1": ["0018000", "0008000", "0008000", "0009100", "0009000", "0009000", "0008000"],
  };
  const KERNELS = {
    "from the text": [
      [1, 0, 1],
      [0, 1, 0],
      [1, 0, 1],
    ],
    "vertical edge": [
      [1, 0, -1],
      [1, 0, -1],
      [1, 0, -1],
    ],
    "horizontal edge": [
      [1, 1, 1],
      [0, 0, 0],
      [-1, -1, -1],
    ],
    Laplacian: [
      [-1, -1, -1],
      [-1, 8, -1],
      [-1, -1, -1],
    ],
    "diagonal line": [
      [-1, -1, 2],
      [-1, 2, -1],
      [2, -1, -1],
    ],
    "box blur, times nine": [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
    sharpen: [
      [0, -1, 0],
      [-1, 5, -1],
      [0, -1, 0],
    ],
  };
  const LARGEST = 99; // what a cell has room for
  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function convolve(image, kernel) {
    const rows = image.length - kernel.length + 1;
    const columns = image[0].length - kernel[0].length + 1;
    return Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => add(products(image, kernel, row, column))),
    );
  }

  function products(image, kernel, row, column) {
    return kernel.flatMap((weights, i) =>
      weights.map((weight, j) => [image[row + i][column + j], weight]),
    );
  }

  const add = (pairs) => pairs.reduce((sum, [pixel, weight]) => sum + pixel * weight, 0);
  const show = (number) => String(Number(number.toFixed(2))).replace("-", "−");
  const showFactor = (number) => (number < 0 ? `(${show(number)})` : show(number));

  // Read what a reader typed: a number, or NaN.
  const read = (text) =>
    text.trim() === "" ? NaN : Number(text.replace("−", "-").replace(",", "."));
  const within = (number) => Math.max(-LARGEST, Math.min(LARGEST, number));

  function element(name, properties, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in node) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  }

  function start(root) {
    let image, kernel, row, column;

    const picture = chooser("Picture", Object.keys(PICTURES));
    const kernelChoice = chooser("Kernel", Object.keys(KERNELS));
    const pictureBoard = element("div", {
      className: "board",
      role: "group",
      "aria-label": "Pixels of the picture",
    });
    const kernelBoard = element("div", {
      className: "board",
      role: "group",
      "aria-label": "Weights of the kernel",
    });
    const resultBoard = element("div", {
      className: "board",
      role: "group",
      "aria-label": "Results; choose one to move the window there",
    });
    const frame = element("div", { className: "frame", "aria-hidden": "true" });
    const sum = element("p", { className: "sum", role: "status", "aria-live": "polite" });
    const terms = element("p", { className: "terms" });
    const back = element("button", { type: "button", textContent: "← Back" });
    const next = element("button", { type: "button", textContent: "Next →" });
    const help = element(
      "p",
      { className: "help" },
      "Arrow keys move the window, and so does a tap on a result. Type into any cell: ",
      element("b", { textContent: `numbers from −${LARGEST} to ${LARGEST}` }),
      ".",
    );
    const again = element("button", { type: "button", textContent: "Start again" });

    root.replaceChildren(
      element("div", { className: "line" }, picture.row, kernelChoice.row),
      element(
        "div",
        { className: "line boards" },
        part("picture", pictureBoard),
        sign("×"),
        part("kernel", kernelBoard),
        sign("="),
        part("result", resultBoard),
      ),
      sum,
      terms,
      element("div", { className: "line" }, back, next, again),
      help,
    );
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "A convolution to play with");

    function chooser(name, options) {
      const id = `convolve-${name.toLowerCase()}`;
      const select = element(
        "select",
        { id },
        ...options.map((option) => element("option", { textContent: option })),
      );
      return {
        select,
        row: element("div", { className: "line" }, element("label", { htmlFor: id }, name), select),
      };
    }
    function part(name, board) {
      return element(
        "div",
        { className: "part" },
        element("div", { className: "name", textContent: name }),
        board,
      );
    }
    function sign(text) {
      return element("div", { className: "sign", textContent: text, "aria-hidden": "true" });
    }

    function load() {
      image = PICTURES[picture.select.value].map((line) => Array.from(line, Number));
      kernel = KERNELS[kernelChoice.select.value].map((weights) => weights.slice());
      row = column = 0;
      fill(pictureBoard, image, "pixel");
      pictureBoard.append(frame);
      fill(kernelBoard, kernel, "weight");
      const results = convolve(image, kernel);
      resultBoard.replaceChildren();
      layOut(resultBoard, results, (i, j) => {
        const button = element("button", { type: "button" });
        button.addEventListener("click", () => moveTo(i, j));
        return button;
      });
      draw();
    }

    function layOut(board, values, make) {
      board.style.setProperty("--columns", values[0].length);
      values.forEach((line, i) => line.forEach((_, j) => board.append(make(i, j))));
    }

    function fill(board, values, what) {
      board.replaceChildren();
      layOut(board, values, (i, j) => {
        const input = element("input", {
          type: "text",
          value: String(values[i][j]),
          maxLength: 5,
          autocomplete: "off",
          "aria-label": `${what}, row ${i + 1}, column ${j + 1}`,
        });
        // A phone's keyboard of digits may have no minus sign, which weights need.
        if (what === "pixel") input.inputMode = "decimal";
        input.addEventListener("focus", () => input.select());
        input.addEventListener("input", () => {
          const typed = read(input.value),
            number = within(typed);
          input.setAttribute("aria-invalid", String(Number.isNaN(number)));
          const corrected = Math.abs(typed) > LARGEST;
          if (corrected) input.value = String(number); // at once, where the reader looks
          help.classList.toggle("corrected", corrected);
          values[i][j] = Number.isNaN(number) ? 0 : number;
          draw();
        });
        input.addEventListener("change", () => {
          input.value = String(values[i][j]);
          input.removeAttribute("aria-invalid");
        });
        return element(
          "div",
          { className: "square" },
          input,
          element("span", { "aria-hidden": "true" }),
        );
      });
    }

    function moveTo(newRow, newColumn) {
      const results = convolve(image, kernel);
      const hadFocus = resultBoard.contains(document.activeElement);
      row = Math.max(0, Math.min(results.length - 1, newRow));
      column = Math.max(0, Math.min(results[0].length - 1, newColumn));
      draw();
      if (hadFocus) resultBoard.children[row * results[0].length + column].focus();
    }

    function step(by) {
      const results = convolve(image, kernel);
      const columns = results[0].length;
      const places = results.length * columns;
      const place = (row * columns + column + by + places) % places;
      moveTo(Math.floor(place / columns), place % columns);
    }

    function draw() {
      const results = convolve(image, kernel);
      const pairs = products(image, kernel, row, column);
      shade(pictureBoard, image);
      shade(kernelBoard, kernel);
      shade(resultBoard, results);
      pictureBoard.querySelectorAll(".square").forEach((square, index) => {
        const i = Math.floor(index / image[0].length) - row;
        const j = (index % image[0].length) - column;
        const inside = i >= 0 && i < kernel.length && j >= 0 && j < kernel[0].length;
        square.querySelector("span").textContent = inside ? `×${show(kernel[i][j])}` : "";
      });
      frame.style.transform = `translate(${(column * 100) / 3}%, ${(row * 100) / 3}%)`;
      Array.from(resultBoard.children).forEach((button, index) => {
        const [i, j] = [Math.floor(index / results[0].length), index % results[0].length];
        const here = i === row && j === column;
        button.textContent = show(results[i][j]);
        button.tabIndex = here ? 0 : -1;
        button.setAttribute("aria-label", `row ${i + 1}, column ${j + 1}: ${show(results[i][j])}`);
        if (here) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      });
      sum.textContent = `Row ${row + 1}, column ${column + 1}: the sum is ${show(add(pairs))}`;
      terms.replaceChildren(
        ...pairs.flatMap(([pixel, weight], index) => [
          element("span", {
            className: pixel * weight === 0 ? "nothing" : "",
            textContent: `${index ? "+ " : ""}${showFactor(pixel)}×${showFactor(weight)}`,
          }),
          " ",
        ]),
        element("b", { textContent: `= ${show(add(pairs))}` }),
      );
    }

    // The larger a number, the stronger its cell's colour: blue above 0, orange below.
    function shade(board, values) {
      const flat = values.flat();
      const largest = Math.max(...flat.map(Math.abs)) || 1;
      Array.from(board.children).forEach((square, index) => {
        if (square === frame) return;
        square.classList.toggle("negative", flat[index] < 0);
        square.style.setProperty(
          "--strength",
          ((0.5 * Math.abs(flat[index])) / largest).toFixed(3),
        );
      });
    }

    root.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (
        !arrow ||
        event.target.tagName === "SELECT" ||
        event.altKey ||
        event.ctrlKey ||
        event.metaKey ||
        event.shiftKey
      )
        return;
      event.preventDefault();
      moveTo(row + arrow[0], column + arrow[1]);
    });
    back.addEventListener("click", () => step(-1));
    next.addEventListener("click", () => step(1));
    for (const control of [picture.select, kernelChoice.select]) control.addEventListener("change", load);
    again.addEventListener("click", load);
    load();
  }

  const root = document.getElementById("convolve");
  if (root) start(root);
})();
