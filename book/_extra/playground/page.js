// The page: its parts, what the reader can do, and what it shows of the worker's reports.

(function () {
  "use strict";

  const {
    engine,
    experiments,
    loadDigits,
    startWorker,
    createCurve,
    paintDigit,
    paintFilters,
    paintMaps,
  } = window.mnistPlayground;
  const place = document.getElementById("playground");
  if (!place) return;

  const { KNOBS, SHOWN, settingsFrom, fromFragment, toFragment } = engine;
  const NAMES = ["A", "B"];
  const FIRST_SHOWN = 4; // the unseen digit that is looked into at first
  const NOTE =
    "A smaller network than the book’s, scored on 1,000 training digits kept aside. One run is one draw: try another seed.";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const thousands = (count) => count.toLocaleString("en");
  const percent = (fraction) => `${(100 * fraction).toFixed(fraction < 0.0995 ? 1 : 0)} %`;

  // What each knob is called, the field's word for it, and its values in words.
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
    digits: ["Digits to learn from", "", {}],
    randomLabels: ["Labels at random", "", { 0: "none", 1: "all" }],
    pixels: ["Pixels", "", { "0-1": "0 to 1", "0-255": "0 to 255" }],
    activation: ["After each sum", "activation", { relu: "ReLU", linear: "nothing" }],
    augmentation: [
      "Digits changed",
      "augmentation",
      { none: "never", article: "a little", far: "too far" },
    ],
    architecture: ["Network", "", { convolutional: "convolutional", dense: "dense" }],
    shuffled: ["Pixels", "order", { false: "in place", true: "shuffled" }],
    leftOut: ["Never shown", "classes", { "": "none" }],
  };
  const FOLDED = ["architecture", "shuffled", "leftOut"];
  const inWords = (key, value) =>
    WORDS[key][2]?.[value] ??
    (key === "randomLabels"
      ? `${Math.round(100 * value)} %`
      : key === "digits"
        ? thousands(value)
        : String(value));

  // ------------------------------------------------------------------------------------------ the parts

  const knob = (key) => `
    <div class="pg-knob" data-key="${key}"><span id="pg-${key}">${WORDS[key][0]}
      ${WORDS[key][1] ? `<small>${WORDS[key][1]}</small>` : ""}</span>
      ${NAMES.map((name) => `<select class="pg-${name}" data-run="${name}" aria-label="${WORDS[key].slice(0, 2).filter(Boolean).join(", ")}, ${name}"></select>`).join("")}</div>`;
  const answersOf = (name) => `
    <div class="pg-${name}"><p class="pg-name">${name}</p>
      <div class="pg-digits" role="group" aria-label="Forty unseen digits, as ${name} reads them">${Array.from(
        { length: SHOWN },
        (_, i) =>
          `<button type="button" data-digit="${i}" tabindex="${i || name === "B" ? -1 : 0}"><canvas></canvas><b></b></button>`,
      ).join("")}</div></div>`;

  place.innerHTML = `
    <div class="pg-bar">
      <button type="button" class="pg-learn">Learn</button>
      <button type="button" class="pg-step">One step</button>
      <button type="button" class="pg-over">Start over</button>
      <div class="pg-numbers"><p class="pg-seen"><b>0</b> digits seen</p>
        ${NAMES.map((name) => `<p class="pg-score pg-${name}"><span class="pg-name">${name}</span> <b>–</b></p>`).join("")}
        <p>wrong of 1,000<span> unseen</span></p></div>
    </div>
    <p class="pg-line"></p>
    <p class="pg-problem" role="alert" hidden></p>
    <p class="pg-hidden pg-status" role="status"></p>
    <div class="pg-card" hidden><div><p class="pg-title"></p><p class="pg-text"></p></div>
      <div class="pg-guess" role="group" aria-label="Your guess">
        <button type="button" data-guess="A">A will read better</button>
        <button type="button" data-guess="B">B will read better</button></div></div>
    <div class="pg-columns">
      <section class="pg-experiments" aria-label="Experiments"><p class="pg-title">Experiments <small>guess first</small></p>
        <div class="pg-list">${Object.entries(experiments)
          .map(
            ([name, { title }], i) =>
              `<button type="button" data-experiment="${name}" aria-pressed="false"><span>${i + 1}</span> ${title}</button>`,
          )
          .join("")}</div></section>
      <section class="pg-middle">
        <p class="pg-title">Forty unseen digits <small>green: read rightly; else its wrong answer</small></p>
        <div class="pg-answers">${NAMES.map(answersOf).join("")}</div>
        <p class="pg-title">Wrong of 1,000 unseen digits <small>thin line: of those it learns from</small></p>
        <div class="pg-curve"></div>
      </section>
      <section class="pg-right">
        <p class="pg-title">Draw into it <small>while it learns</small></p>
        <div class="pg-desk"><div class="pg-drawing"></div><span class="pg-hint">draw a digit here</span></div>
        <div class="pg-bars" role="img" aria-label="No answer yet">${Array.from(
          { length: 10 },
          (_, digit) =>
            `<div>${NAMES.map((name) => `<i class="pg-${name}"></i>`).join("")}<span>${digit}</span></div>`,
        ).join("")}</div>
        <div class="pg-answer"><canvas class="pg-given" role="img" aria-label="The 28 by 28 pixels that it is given"></canvas>
          <p class="pg-verdict"></p></div>
        <p class="pg-title">Inside <small>eight filters, and what they find</small></p>
        ${NAMES.map(
          (name) => `<div class="pg-inside pg-${name}"><p class="pg-name">${name}</p><div>
          <canvas class="pg-filters" role="img" aria-label="The filters of ${name}: blue above zero, orange below"></canvas>
          <canvas class="pg-maps" role="img" aria-label="Where each filter of ${name} fires on the picture"></canvas>
          <canvas class="pg-maps" role="img" aria-label="The sixteen maps of the second layer of ${name}"></canvas></div></div>`,
        ).join("")}
      </section>
      <section class="pg-knobs" aria-label="Knobs">
        <p class="pg-title">Knobs <small>turning one starts over</small></p>
        <div class="pg-heads"><span></span><span class="pg-A">A</span><span class="pg-B">B</span></div>
        ${Object.keys(WORDS)
          .filter((key) => !FOLDED.includes(key))
          .map(knob)
          .join("")}
        <details><summary>More</summary>${FOLDED.map(knob).join("")}</details>
        <p class="pg-differs"></p>
        <button type="button" class="pg-compare"></button>
      </section>
    </div>`;

  const part = (name) => place.querySelector(`.pg-${name}`);
  const all = (selector) => Array.from(place.querySelectorAll(selector));
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const curve = createCurve(part("curve"));
  const bars = all(".pg-bars > div").map((column) => ({
    A: column.querySelector(".pg-A"),
    B: column.querySelector(".pg-B"),
    column,
  }));
  const tiles = Object.fromEntries(
    NAMES.map((name) => [name, all(`.pg-answers .pg-${name} button`)]),
  );

  // ------------------------------------------------------------------------------------------ the state

  let settings = { A: settingsFrom(), B: null };
  let experiment = null,
    guess = null;
  let unseen = null; // the forty digits, once they are loaded
  let chosen = FIRST_SHOWN; // the unseen digit that is looked into
  let drawn = null; // what is on the paper: { pixels } or { problem }
  let wanted = false; // whether the reader wants it to go
  let going = false,
    done = false,
    generation = 0;
  let runs = []; // the latest report of each, with all of its scores
  let milestone = 100;

  const worker = startWorker();
  worker.onmessage = ({ data }) => {
    if (data.unseen) receiveDigits(data.unseen);
    else if (data.generation === generation) receive(data);
  };
  worker.onerror = (event) => complain(`The network stopped: ${event.message}`);
  loadDigits().then(
    (digits) => worker.postMessage({ digits }),
    (error) => complain(error.message),
  );

  function complain(...sentences) {
    const problem = part("problem");
    problem.textContent = sentences.join(" ");
    problem.hidden = sentences.length === 0;
  }

  function receiveDigits(digits) {
    unseen = digits;
    for (const name of NAMES) {
      tiles[name].forEach((tile, i) => paintDigit(tile.querySelector("canvas"), unseen[i].pixels));
    }
    begin();
  }

  /** Start over with the settings of now; go on at once if the reader wants it to go. */
  function begin() {
    runs = [];
    done = false;
    milestone = 100;
    generation++;
    showSettings();
    if (!unseen) return;
    worker.postMessage({
      settings,
      until: experiment ? experiments[experiment].digits : null,
      generation,
    });
    sendPicture();
    send();
  }

  function send() {
    worker.postMessage({ going: wanted && !document.hidden });
    render();
  }

  function sendPicture() {
    if (unseen)
      worker.postMessage({ picture: drawn ? (drawn.pixels ?? null) : unseen[chosen].pixels });
    else render();
  }

  function receive(report) {
    for (const state of report.runs) {
      const before = runs.find(({ name }) => name === state.name);
      state.scores = [...(before ? before.scores : []), ...state.scores];
    }
    runs = report.runs;
    if (report.done && !done) finish();
    done = report.done;
    going = report.going;
    if (done) wanted = false;
    announce();
    render();
  }

  // ------------------------------------------------------------------------------------ what it shows

  let waiting = 0;

  function render() {
    if (!waiting)
      waiting = calm.matches && going ? setTimeout(paint, 500) : requestAnimationFrame(paint);
  }

  function paint() {
    waiting = 0;
    const seen = Math.max(0, ...runs.map((run) => run.seen));
    place.classList.toggle("pg-two", Boolean(settings.B));
    place.classList.toggle("pg-going", wanted);
    setText(part("learn"), !wanted ? "Learn" : unseen ? "Pause" : "Loading …");
    setText(place.querySelector(".pg-seen b"), thousands(seen));
    for (const run of runs) paintRun(run);
    curve.draw(runs);
    paintInside();
    setText(part("line"), lineOf(seen));
  }

  const wrongOf = ({ scores }) => scores[scores.length - 1].wrong;

  function paintRun(run) {
    setText(place.querySelector(`.pg-score.pg-${run.name} b`), thousands(wrongOf(run)));
    tiles[run.name].forEach((tile, i) => {
      const { label } = unseen[i],
        right = run.answers[i] === label;
      if (
        tile.className === (right ? "pg-right-one" : "pg-wrong-one") &&
        tile.lastChild.textContent === String(run.answers[i])
      )
        return;
      tile.className = right ? "pg-right-one" : "pg-wrong-one";
      tile.lastChild.textContent = run.answers[i];
      tile.setAttribute(
        "aria-label",
        right ? `a ${label}, read rightly` : `a ${label}, read as ${run.answers[i]}`,
      );
    });
    const inside = part(`inside.pg-${run.name}`);
    const [filters, ...maps] = inside.querySelectorAll("canvas");
    paintFilters(filters, run.filters);
    maps.forEach((canvas, i) => {
      canvas.hidden = !run.inside?.maps[i];
      if (!canvas.hidden) paintMaps(canvas, run.inside.maps[i], 8);
    });
  }

  function paintInside() {
    const verdicts = [];
    for (const { A, B, column } of bars) column.classList.remove("pg-best");
    for (const name of NAMES) {
      const run = runs.find((each) => each.name === name),
        inside = run?.inside;
      const usable = inside && !run.stopped;
      const best = usable ? inside.probabilities.indexOf(Math.max(...inside.probabilities)) : -1;
      bars.forEach((bar, digit) =>
        bar[name].style.setProperty("--p", usable ? inside.probabilities[digit] : 0),
      );
      if (best >= 0) {
        if (name === "A") bars[best].column.classList.add("pg-best");
        verdicts.push(
          `${settings.B ? `${name} reads` : "It reads"} a ${best} (${percent(inside.probabilities[best])}).`,
        );
      }
    }
    const given = runs[0]?.inside?.given;
    part("given").hidden = !given;
    if (given)
      paintDigit(
        part("given"),
        given,
        given.reduce((most, value) => Math.max(most, value), 1e-9),
      );
    part("hint").hidden = Boolean(drawn);
    if (drawn?.problem) verdicts.splice(0, 2, drawn.problem);
    else if (!drawn && unseen) verdicts.push(`Its label says ${unseen[chosen].label}.`);
    setText(part("verdict"), verdicts.join(" "));
    part("bars").setAttribute("aria-label", verdicts.join(" ") || "No answer yet");
    for (const name of NAMES)
      tiles[name].forEach((tile, i) => tile.toggleAttribute("data-chosen", !drawn && i === chosen));
  }

  /** One line that says what happens. */
  function lineOf(seen) {
    const broken = runs
      .filter(({ stopped }) => stopped)
      .map(
        ({ name, seen: at }) =>
          `${settings.B ? name : "It"} stopped after ${thousands(at)} digits: its numbers overflowed, and every sum became NaN.`,
      );
    if (broken.length) return broken.join(" ");
    if (seen === 0)
      return wanted
        ? "The digits are being loaded."
        : "It has seen no digit yet, and guesses. Press Learn.";
    return NOTE;
  }

  function scoresInWords() {
    const scores = runs.map(
      (run) => `${settings.B ? `${run.name}: ` : ""}${wrongOf(run)} of 1,000 unseen digits misread`,
    );
    return `${thousands(runs[0].seen)} digits seen, ${scores.join("; ")}.`;
  }

  /**
   * A word to screen readers, when the errors fall below a mark or the run halts, and not at every
   * step.
   */
  function announce() {
    if (runs.length === 0 || runs[0].seen === 0) return;
    const rate = wrongOf(runs[0]) / 10,
      mark = [50, 10, 5, 3, 2].find((each) => rate <= each && each < milestone);
    if (mark && going) {
      milestone = [50, 10, 5, 3, 2].filter((each) => rate <= each).pop();
      setText(part("status"), scoresInWords());
    } else if (runs.some(({ stopped }) => stopped)) setText(part("status"), lineOf(runs[0].seen));
    else if (!going && !done) setText(part("status"), scoresInWords());
  }

  // ------------------------------------------------------------------------------ knobs and experiments

  function showSettings() {
    const { A, B } = settings;
    for (const row of all(".pg-knob")) {
      const { key } = row.dataset,
        offered = KNOBS[key].values;
      for (const select of row.querySelectorAll("select")) {
        const value = (settings[select.dataset.run] ?? A)[key];
        const values = offered.includes(value) ? offered : [...offered, value];
        select.innerHTML = values
          .map((each, i) => `<option value="${i}">${inWords(key, each)}</option>`)
          .join("");
        select.value = values.indexOf(value);
        select.onchange = () => turn(select.dataset.run, key, values[Number(select.value)]);
      }
      row.classList.toggle("pg-different", Boolean(B) && A[key] !== B[key]);
    }
    const different = B ? Object.keys(KNOBS).filter((key) => A[key] !== B[key]) : [];
    if (FOLDED.some((key) => different.includes(key) || A[key] !== KNOBS[key].initial))
      place.querySelector("details").open = true;
    const names = different.map(
      (key) =>
        `${WORDS[key][1] || WORDS[key][0].toLowerCase()} (${inWords(key, A[key])}, ${inWords(key, B[key])})`,
    );
    part("differs").textContent = !B
      ? ""
      : different.length === 0
        ? "A and B are alike: change a knob of B."
        : `B differs in ${different.length === 1 ? "one thing" : `${different.length} things`}: ${names.join("; ")}.`;
    part("compare").textContent = B ? "Without B" : "Compare with a second run, B";
    for (const button of all("[data-experiment]"))
      button.setAttribute("aria-pressed", String(button.dataset.experiment === experiment));
    showCard();
  }

  function turn(name, key, value) {
    settings[name] = { ...settings[name], [key]: value };
    if (name === "A" && settings.B && !experiment) settings.B = { ...settings.B, [key]: value };
    leaveExperiment();
    begin();
  }

  function leaveExperiment() {
    experiment = guess = null;
    const fragment = toFragment(settings.A, settings.B);
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
    complain();
  }

  function choose(name) {
    experiment = name;
    guess = null;
    wanted = false;
    const { A, B } = experiments[name];
    settings = { A: settingsFrom(A), B: settingsFrom({ ...A, ...B }) };
    complain();
    begin();
  }

  function finish() {
    if (experiment) showCard(true);
  }

  function showCard(finished = false) {
    const card = part("card");
    card.hidden = !experiment;
    if (!experiment) return;
    const { title, before, after, better } = experiments[experiment];
    setText(card.querySelector(".pg-title"), title);
    const verdict = guess ? `You guessed ${guess}: ${guess === better ? "right" : "wrong"}. ` : "";
    const counts = finished
      ? runs
          .map(
            (run) =>
              `${run.name} ${run.stopped ? "overflowed" : `misreads ${wrongOf(run)} of 1,000`}`,
          )
          .join(", ")
      : "";
    setText(
      card.querySelector(".pg-text"),
      finished ? `${verdict}${counts}. ${after}` : guess ? `${before} You said ${guess}.` : before,
    );
    part("guess").hidden = finished || Boolean(guess);
    if (finished) setText(part("status"), card.querySelector(".pg-text").textContent);
  }

  function readAddress() {
    const fragment = decodeURIComponent(location.hash.slice(1));
    if (Object.hasOwn(experiments, fragment)) choose(fragment);
    else if (fragment.includes("=")) {
      const found = fromFragment(fragment);
      settings = { A: found.A, B: found.B };
      experiment = guess = null;
      wanted = false;
      complain(...found.problems);
      begin();
    }
  }

  // ---------------------------------------------------------------------------------- what one can do

  part("learn").onclick = () => {
    wanted = !wanted;
    if (done)
      begin(); // an experiment that has ended begins again
    else send();
  };
  part("step").onclick = () => {
    wanted = false;
    send();
    if (unseen) worker.postMessage({ step: true });
  };
  part("over").onclick = () => {
    wanted = false;
    guess = null;
    begin();
  };
  part("compare").onclick = () => {
    settings.B = settings.B ? null : { ...settings.A };
    leaveExperiment();
    begin();
  };
  for (const button of all("[data-experiment]")) {
    button.onclick = () => {
      history.replaceState(null, "", `#${button.dataset.experiment}`);
      choose(button.dataset.experiment);
    };
  }
  for (const button of all("[data-guess]")) {
    button.onclick = () => {
      guess = button.dataset.guess;
      wanted = true;
      showCard();
      send();
      part("learn").focus();
    };
  }
  for (const name of NAMES) {
    tiles[name].forEach((tile, i) => {
      tile.onclick = () => {
        chosen = i;
        drawing.clear();
        drawn = null;
        sendPicture();
      };
      tile.onkeydown = (event) => {
        const perRow = Math.round(tile.parentElement.clientWidth / tile.offsetWidth);
        const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow }[
          event.key
        ];
        if (!move || !tiles[name][i + move]) return;
        event.preventDefault();
        tile.tabIndex = -1;
        tiles[name][i + move].tabIndex = 0;
        tiles[name][i + move].focus();
      };
    });
    tiles[name][0].tabIndex = 0;
  }
  const drawing = window.mnistDrawing.create(part("drawing"), {
    onChange(digit) {
      drawn = digit;
      sendPicture();
    },
  });
  document.addEventListener("visibilitychange", send);
  window.addEventListener("hashchange", readAddress);
  showSettings();
  readAddress();
  render();
})();
