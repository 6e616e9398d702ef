// What the reader can do, and what the page shows of the worker's reports.

(function () {
  "use strict";

  const { engine, experiments, loadDigits, startWorker, createCurve } = window.mnistPlayground;
  const { paintDigit, paintFilters, paintMaps } = window.mnistPlayground;
  const { WORDS, FOLDED, NAMES, markup } = window.mnistPlayground;
  const { KNOBS, SHOWN, settingsFrom, fromFragment, toFragment } = engine;
  const place = document.getElementById("playground");
  if (!place) return;

  const FIRST_SHOWN = 4; // of the unseen digits, the one that is looked into at first
  const MARKS = [50, 10, 5, 3, 2]; // per cent of errors at which screen readers are told
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  place.innerHTML = markup(experiments, SHOWN);
  const part = (name) => place.querySelector(`.pg-${name}`);
  const all = (selector) => Array.from(place.querySelectorAll(selector));
  const tiles = { A: all(".pg-answers .pg-A button"), B: all(".pg-answers .pg-B button") };
  const bars = all(".pg-bars > div");
  const curve = createCurve(part("curve"));

  const thousands = (count) => count.toLocaleString("en");
  const percent = (fraction) => `${(100 * fraction).toFixed(fraction < 0.0995 ? 1 : 0)} %`;
  const inWords = (key, value) => WORDS[key][2]?.[value] ?? String(value);

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // ------------------------------------------------------------------------------- the state

  let settings = { A: settingsFrom(), B: null };
  let experiment = null, guess = null;
  let unseen = null; // the forty digits, once they are loaded
  let chosen = FIRST_SHOWN; // the unseen digit that is looked into
  let drawn = null; // what is on the paper: { pixels } or { problem }
  let wanted = false; // whether the reader wants it to go
  let done = false; // whether it has gone as far as it can
  let generation = 0; // counts beginnings, so that a late report of the run before is known
  let runs = []; // the latest report of each run, with all of its scores
  let told = 100; // the last of the marks

  const worker = startWorker();
  worker.onmessage = ({ data }) => {
    if (data.unseen) receiveDigits(data.unseen);
    else if (data.generation === generation) receive(data);
  };
  worker.onerror = (event) => complain(`The network stopped: ${event.message}`);
  loadDigits().then((digits) => worker.postMessage({ digits }), (error) => complain(error.message));

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
    told = 100;
    generation++;
    showSettings();
    showCard();
    if (unseen) {
      const { digits: until = Infinity, shows } = experiments[experiment] ?? {};
      if (shows !== undefined) chosen = unseen.findIndex(({ label }) => label === shows);
      worker.postMessage({ settings, generation, until });
      sendPicture();
    }
    send();
  }

  function send() {
    worker.postMessage({ going: wanted && !document.hidden });
    render();
  }

  function sendPicture() {
    if (unseen) worker.postMessage({ picture: drawn ? drawn.pixels : unseen[chosen].pixels });
    render();
  }

  function receive(report) {
    for (const state of report.runs) {
      const before = runs.find(({ name }) => name === state.name);
      state.scores = [...(before ? before.scores : []), ...state.scores];
    }
    runs = report.runs;
    const ended = report.done && !done;
    done = report.done;
    if (done) wanted = false;
    if (ended) showCard();
    tell(report.going);
    render();
  }

  // --------------------------------------------------------------------------- what it shows

  let waiting = 0;

  function render() {
    if (waiting) return;
    waiting = calm.matches && wanted ? setTimeout(paint, 500) : requestAnimationFrame(paint);
  }

  function paint() {
    waiting = 0;
    place.classList.toggle("pg-two", Boolean(settings.B));
    place.classList.toggle("pg-going", wanted);
    setText(part("learn"), !wanted ? "Learn" : unseen ? "Pause" : "Loading …");
    const asking = isAsking();
    place.classList.toggle("pg-aside", asking || done); // there is a better button than Learn
    for (const button of all("[data-guess]")) {
      button.setAttribute("aria-disabled", String(!asking));
      button.setAttribute("aria-pressed", String(button.dataset.guess === guess));
    }
    part("line").innerHTML = asking ? "Guess which will read better, and both start." : lineOf();
    for (const run of runs) {
      paintAnswers(run);
      paintFiltersAndMaps(run);
    }
    curve.draw(runs);
    paintReading();
  }

  const wrongOf = ({ scores }) => scores[scores.length - 1].wrong;

  /** Whether a guess can still be made: nothing has been seen yet. */
  const isAsking = () => Boolean(experiment) && !guess && !wanted && !runs.some(({ seen }) => seen);

  /** What has happened, in a sentence, and another for a run that stopped. */
  function lineOf() {
    if (runs.length === 0) return wanted && !unseen ? "The digits are being loaded." : "";
    const two = Boolean(settings.B), learning = runs.filter(({ stopped }) => !stopped);
    const sentences = runs.filter(({ stopped }) => stopped).map(({ name, seen }) =>
      `${two ? name : "It"} stopped after ${thousands(seen)}: its numbers overflowed (NaN).`);
    if (learning.length) {
      const misread = learning.map((run, i) => `<span class="pg-score pg-${run.name}">` +
        `${two ? run.name : "it"}${i ? "" : " misreads"} <b>${thousands(wrongOf(run))}</b></span>`);
      const seen = `<span class="pg-seen"><b>${thousands(learning[0].seen)}</b> digits</span>`;
      sentences.unshift(`After ${seen}, ` +
        `${misread.join(" and ")} of 1,000 that ${two ? "neither has" : "it has never"} seen.`);
    }
    return sentences.join(" ");
  }

  /** Frame the digits that a run reads rightly, and write its answer on the others. */
  function paintAnswers({ name, answers }) {
    tiles[name].forEach((tile, i) => {
      const { label } = unseen[i], right = answers[i] === label;
      const answer = answers[i] < 0 ? "–" : String(answers[i]); // none, where numbers overflowed
      tile.className = right ? "pg-right-one" : "pg-wrong-one";
      if (tile.lastChild.textContent === answer) return;
      tile.lastChild.textContent = answer;
      tile.setAttribute("aria-label", `a ${label}, read ${right ? "rightly" : `as ${answer}`}`);
    });
  }

  function paintFiltersAndMaps({ name, filters, inside }) {
    const [canvas, ...others] = part(`inside.pg-${name}`).querySelectorAll("canvas");
    paintFilters(canvas, filters);
    others.forEach((other, i) => {
      const maps = inside?.maps[i]; // a dense network has none
      other.hidden = !maps;
      if (maps) paintMaps(other, maps, 8);
    });
  }

  /** What each run makes of the drawing, or of the chosen digit. */
  function paintReading() {
    const readings = [];
    bars.forEach((bar) => bar.classList.remove("pg-best"));
    for (const name of NAMES) {
      const run = runs.find((each) => each.name === name);
      const probabilities = run && !run.stopped && run.inside ? run.inside.probabilities : [];
      const best = probabilities.indexOf(Math.max(...probabilities));
      bars.forEach((bar, digit) => {
        bar.querySelector(`.pg-${name}`).style.setProperty("--p", probabilities[digit] ?? 0);
      });
      if (best < 0) continue;
      bars[best].classList.add("pg-best");
      const reader = settings.B ? `${name} reads` : "It reads";
      readings.push(`${reader} a ${best} (${percent(probabilities[best])}).`);
    }
    if (drawn?.problem) readings.splice(0, 2, drawn.problem);
    if (!drawn && unseen) readings.push(`Its label says ${unseen[chosen].label}.`);
    setText(part("verdict"), readings.join(" "));
    setText(part("framed"), drawn ? "" : readings.join(" "));
    part("bars").setAttribute("aria-label", readings.join(" ") || "No answer yet");

    const given = runs[0]?.inside?.given;
    part("given").hidden = !given;
    if (given) paintDigit(part("given"), given, Math.max(1e-9, ...given));
    part("hint").hidden = Boolean(drawn);
    for (const name of NAMES) {
      tiles[name].forEach((tile, i) => tile.toggleAttribute("data-chosen", !drawn && i === chosen));
    }
  }

  const say = (sentence) => setText(part("status"), sentence.replace(/<.*?>/g, ""));

  /** A word to screen readers when errors fall below a mark and when it halts, not at each step. */
  function tell(going) {
    if (runs[0].seen === 0 || (done && experiment)) return; // the card tells how that ended
    const percentage = wrongOf(runs[0]) / 10;
    const mark = MARKS.filter((each) => percentage <= each).pop() ?? 100;
    if (going && mark >= told) return;
    told = Math.min(told, mark);
    say(lineOf());
  }

  // ------------------------------------------------------------------- knobs and experiments

  function showSettings() {
    const { A, B } = settings;
    for (const row of all(".pg-knob")) {
      const { key } = row.dataset;
      for (const select of row.querySelectorAll("select")) {
        const value = (settings[select.dataset.run] ?? A)[key];
        const values = [...new Set([...KNOBS[key].values, value])];
        select.replaceChildren(...values.map((each) => new Option(inWords(key, each))));
        select.selectedIndex = values.indexOf(value);
        select.onchange = () => turn(select.dataset.run, key, values[select.selectedIndex]);
      }
      row.classList.toggle("pg-different", Boolean(B) && A[key] !== B[key]);
    }
    const different = Object.keys(KNOBS).filter((key) => B && A[key] !== B[key]);
    const isTurned = (key) => A[key] !== KNOBS[key].initial || different.includes(key);
    if (FOLDED.some(isTurned)) place.querySelector("details").open = true;
    part("differs").textContent = B ? differenceOf(different) : "";
    part("compare").textContent = B ? "Without B" : "Compare with a second run, B";
    for (const button of all("[data-experiment]")) {
      button.setAttribute("aria-pressed", String(button.dataset.experiment === experiment));
    }
  }

  function differenceOf(keys) {
    if (keys.length === 0) return "A and B are alike: turn a knob of B.";
    const words = keys.map((key) => {
      const [plain, word] = WORDS[key];
      const values = NAMES.map((name) => inWords(key, settings[name][key]));
      return `${word || plain.toLowerCase()} (${values.join(", ")})`;
    });
    const count = keys.length === 1 ? "one thing" : `${keys.length} things`;
    return `B differs in ${count}: ${words.join("; ")}.`;
  }

  /** The question of an experiment, and once it has ended, its answer. */
  function showCard() {
    const card = part("card");
    card.hidden = !experiment;
    if (!experiment) return;
    const { title, before, after, better } = experiments[experiment];
    const said = guess ? `You said ${guess}: ${guess === better ? "right" : "wrong"}. ` : "";
    const verdict = `${said}${better} reads better.`;
    card.classList.toggle("pg-good", done && guess === better);
    card.classList.toggle("pg-bad", done && said.endsWith("wrong. "));
    setText(card.querySelector(".pg-title"), done ? verdict : title);
    setText(part("text"), done ? after : before);
    part("guess").hidden = done;
    part("next").hidden = !done;
    setText(part("next"), `Next: ${experiments[following().dataset.experiment].title}`);
    if (done) say([verdict, lineOf(), after].join(" "));
  }

  /** The button of the experiment after this one; after the last, of the first. */
  const following = () =>
    place.querySelector('[aria-pressed="true"] + [data-experiment]') ?? all("[data-experiment]")[0];

  /** Turn a knob. As long as it is no experiment, a knob of A turns that of B with it. */
  function turn(name, key, value) {
    settings[name] = { ...settings[name], [key]: value };
    if (name === "A" && settings.B && !experiment) settings.B = { ...settings.B, [key]: value };
    leaveExperiment();
  }

  function leaveExperiment() {
    experiment = guess = null;
    const fragment = toFragment(settings.A, settings.B);
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
    complain();
    begin();
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

  function readAddress() {
    const fragment = location.hash.slice(1);
    if (Object.hasOwn(experiments, fragment)) choose(fragment);
    else if (fragment.includes("=")) {
      const { A, B, problems } = fromFragment(fragment);
      settings = { A, B };
      experiment = guess = null;
      wanted = false;
      complain(...problems);
      begin();
    }
  }

  // -------------------------------------------------------------------------- what one can do

  part("learn").onclick = () => {
    wanted = !wanted;
    if (done && runs.every(({ stopped }) => stopped)) begin();
    else if (done) worker.postMessage({ until: Infinity }); // beyond the end of an experiment
    send();
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
  };
  for (const button of all("[data-experiment]")) {
    button.onclick = () => {
      history.replaceState(null, "", `#${button.dataset.experiment}`);
      choose(button.dataset.experiment);
      part("card").scrollIntoView({ block: "nearest" });
    };
  }
  part("next").onclick = () => {
    following().click();
    place.querySelector("[data-guess]").focus();
  };
  for (const button of all("[data-guess]")) {
    button.onclick = () => {
      if (!isAsking()) return;
      guess = button.dataset.guess;
      wanted = true;
      send();
      part("learn").focus();
    };
  }
  for (const name of NAMES) {
    tiles[name].forEach((tile, i) => {
      tile.onclick = () => {
        chosen = i;
        drawn = null;
        drawing.clear();
        sendPicture();
      };
      tile.onkeydown = (event) => {
        const [{ offsetTop: top }] = tiles[name];
        const row = tiles[name].filter(({ offsetTop }) => offsetTop === top).length;
        const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row };
        const next = tiles[name][i + moves[event.key]];
        if (!next) return;
        event.preventDefault();
        tile.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      };
    });
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
