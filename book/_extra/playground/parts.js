// The words and the parts of the page; page.js brings them to life.

(function () {
  "use strict";

  // What each knob is called, the field's word for it, and how its values are called.
  const WORDS = {
    learningRate: ["Step size", "learning rate"],
    batchSize: ["Digits per step", "batch size"],
    optimizer: ["How it steps", "optimizer", { adam: "Adam", momentum: "momentum", sgd: "SGD" }],
    initialWeights: [
      "Initial weights",
      "",
      { random: "random", equal: "all equal", zero: "zeros", large: "far too large" },
    ],
    seed: ["Seed", ""],
    digits: ["Digits to learn from", "", { 1000: "1,000", 7000: "7,000" }],
    randomLabels: [
      "Labels at random",
      "",
      { 0: "none", 0.1: "10 %", 0.3: "30 %", 0.6: "60 %", 1: "all" },
    ],
    pixels: ["Pixels", "", { "0-1": "0 to 1", "0-255": "0 to 255" }],
    activation: ["After each sum", "activation", { relu: "ReLU", linear: "nothing" }],
    augmentation: [
      "Digits changed",
      "augmentation",
      { none: "never", article: "a little", far: "too far" },
    ],
    architecture: ["Network", "", { convolutional: "convolutional", dense: "dense" }],
    shuffled: ["Order of pixels", "", { false: "as it is", true: "shuffled" }],
    leftOut: ["Never shown", "classes", { "": "none" }],
  };
  const FOLDED = ["architecture", "shuffled", "leftOut"];
  const NAMES = ["A", "B"];

  const times = (count, part) => Array.from({ length: count }, (_, i) => part(i)).join("");
  const both = (part) => NAMES.map(part).join("");
  const title = (text, small) => `<p class="pg-title">${text} <small>${small}</small></p>`;
  const canvas = (name, label) =>
    `<canvas class="${name}" role="img" aria-label="${label}"></canvas>`;
  const column = (name) => `<span class="pg-${name}">${name}</span>`;

  function knob(key) {
    const [plain, word] = WORDS[key], label = word ? `${plain}, ${word}` : plain;
    return `<div class="pg-knob" data-key="${key}">
      <span>${plain} ${word && `<small>${word}</small>`}</span>
      ${both((name) => `<select class="pg-${name}" data-run="${name}"
        aria-label="${label}, ${name}"></select>`)}</div>`;
  }

  const bar = `<div class="pg-bar">
    <button type="button" class="pg-go pg-learn">Learn</button>
    <button type="button" class="pg-step">One step</button>
    <button type="button" class="pg-over">Start over</button>
    <p class="pg-line"></p></div>`;

  const card = `<div class="pg-card" hidden>
    <div><p class="pg-title"></p><p class="pg-text"></p></div>
    <div class="pg-guess" role="group" aria-label="Your guess">Which will read better?
      ${both((name) => `<button type="button" class="pg-go pg-${name}" data-guess="${name}"
        aria-label="${name} will read better">${name}</button>`)}</div>
    <button type="button" class="pg-next"></button></div>`;

  const list = (experiments) => `<section class="pg-experiments" aria-label="Experiments">
    ${title("Experiments", "guess, then see")}
    <div class="pg-list">${Object.entries(experiments)
      .map(([name, experiment], i) => `<button type="button" data-experiment="${name}"
        aria-pressed="false"><span>${i + 1}</span> ${experiment.title}</button>`)
      .join("")}</div></section>`;

  const unseen = (shown) => `<section class="pg-unseen" aria-label="What it can read">
    ${title(
      "Forty unseen digits",
      "Green: read rightly. Red: its answer instead. Choose one to look into it.",
    )}
    <div class="pg-answers">${both((name) => `<div class="pg-${name}"><p class="pg-name">${name}</p>
      <div class="pg-digits" role="group" aria-label="Forty unseen digits, as ${name} reads them">
        ${times(shown, (i) => `<button type="button" tabindex="${i ? -1 : 0}"
          aria-label="an unseen digit"><canvas></canvas><b></b></button>`)}</div></div>`)}</div>
    <p class="pg-framed"></p></section>`;

  const errors = `<section class="pg-errors" aria-label="Its errors">
    ${title("Wrong of 1,000 unseen digits", "Thin line: digits it learns from.")}
    <div class="pg-curve"></div></section>`;

  const right = `<section class="pg-right" aria-label="What it makes of one digit">
    ${title("Draw into it", "while it learns")}
    <div class="pg-desk"><div class="pg-drawing"></div>
      <span class="pg-hint">draw a digit here</span></div>
    <div class="pg-bars" role="img" aria-label="No answer yet">
      ${times(10, (digit) => `<div>${both((name) => `<i class="pg-${name}"></i>`)}
        <span>${digit}</span></div>`)}</div>
    <div class="pg-answer">${canvas("pg-given", "The 28 by 28 pixels that it is given")}
      <p class="pg-verdict"></p></div>
    </section>`;

  const insides = `<section class="pg-insides" aria-label="Inside the network">
    ${title("Inside", "Eight filters, what each finds, and the next layer’s maps.")}
    ${both((name) => `<div class="pg-inside pg-${name}"><p class="pg-name">${name}</p>
      ${canvas("pg-filters", `The filters of ${name}: blue above zero, orange below`)}
      ${canvas("pg-maps", `Where each filter of ${name} finds what it responds to`)}
      ${canvas("pg-maps", `The sixteen maps of the second layer of ${name}`)}</div>`)}</section>`;

  const knobs = `<section class="pg-knobs" aria-label="Knobs">
    ${title("Knobs", "turning one starts over")}
    <p class="pg-differs"></p>
    <div class="pg-heads"><span></span>${both(column)}</div>
    ${Object.keys(WORDS).filter((key) => !FOLDED.includes(key)).map(knob).join("")}
    <details><summary>More</summary>${FOLDED.map(knob).join("")}</details>
    <button type="button" class="pg-compare"></button></section>`;

  /** All parts of the page, for some experiments and a number of unseen digits that are shown. */
  const markup = (experiments, shown) => `${bar}
    <p class="pg-problem" role="alert" hidden></p>
    <p class="pg-hidden pg-status" role="status"></p>
    <div class="pg-columns"><div class="pg-left">${list(experiments)}${knobs}</div>
      <div class="pg-top">${card}${unseen(shown)}</div>${errors}${right}${insides}</div>`;

  Object.assign(window.mnistPlayground, { WORDS, FOLDED, NAMES, markup });
})();
