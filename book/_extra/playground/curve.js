// The curve of errors, on fixed logarithmic axes: an SVG, which takes its colours from the page.

(function () {
  "use strict";

  const HEIGHT = 250, LEFT = 44, RIGHT = 70, TOP = 12, BELOW = HEIGHT - 38;
  const FIRST = 100, LAST = 100000, LONGEST = 1000000; // the axis ends at LAST until a run passes it
  const RATES = [1, 0.3, 0.1, 0.03, 0.01], LOWEST = 0.005;
  const MARKS = [0, 1000, 3000, 10000, 30000, 100000]; // what the text alternative tells
  const NAMES = ["A", "B"];
  const count = (number) => number.toLocaleString("en");

  /** Make a curve; `draw(runs)` draws it from each run's name and scores. */
  function createCurve(place) {
    const group = (name) => `<g class="pg-run-${name}"><path class="pg-latest"/>
      <path class="pg-wrong"/><circle r="3.5"/><text class="pg-end"></text></g>`;
    place.innerHTML = `<svg role="img" aria-label="No digits seen yet."><g class="pg-grid"></g>
      ${NAMES.map(group).join("")}</svg>`;
    const svg = place.firstElementChild;
    let width = 0, last = LAST, runs = [];

    function x(seen) {
      const share = Math.log(Math.max(seen, FIRST) / FIRST) / Math.log(last / FIRST);
      return Number((LEFT + share * (width - LEFT - RIGHT)).toFixed(1));
    }

    function y(rate) {
      const share = Math.log(Math.max(rate, LOWEST)) / Math.log(LOWEST);
      return Number((TOP + share * (BELOW - TOP)).toFixed(1));
    }

    function drawGrid() {
      const right = width - RIGHT;
      const lines = RATES.map(
        (rate) => `<path d="M${LEFT} ${y(rate)}H${right}"/>
        <text x="${LEFT - 7}" y="${y(rate) + 4}" text-anchor="end">${100 * rate} %</text>`,
      );
      for (let seen = FIRST; seen <= last; seen *= 10) {
        lines.push(`<path d="M${x(seen)} ${TOP}V${BELOW}"/>
          <text x="${x(seen)}" y="${BELOW + 17}" text-anchor="middle">${count(seen)}</text>`);
      }
      lines.push(`<text x="${right}" y="${HEIGHT - 4}" text-anchor="end">digits seen</text>`);
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.querySelector(".pg-grid").innerHTML = lines.join("");
    }

    function draw(reported = runs) {
      runs = reported;
      const end = runs.some(({ seen }) => seen > LAST) ? LONGEST : LAST;
      if (end !== last) {
        last = end;
        drawGrid();
      }
      const labels = runs.map((run) => drawRun(run, runs.length > 1 ? `${run.name} ` : ""));
      for (const name of NAMES) {
        const shown = runs.some((run) => run.name === name);
        svg.querySelector(`.pg-run-${name}`).style.display = shown ? "" : "none";
      }
      const [a, b] = labels;
      if (b && Math.abs(a.y - b.y) < 16 && Math.abs(a.x - b.x) < 70) {
        const [upper, lower] = a.y <= b.y ? [a, b] : [b, a]; // one would cover the other
        const middle = (a.y + b.y) / 2;
        upper.y = middle - 8;
        lower.y = middle + 8;
      }
      for (const { label, ...place } of labels) {
        label.setAttribute("x", place.x);
        label.setAttribute("y", place.y);
      }
      svg.setAttribute("aria-label", runs.map(inWords).join(" ") || "No digits seen yet.");
    }

    /** Draw a run's lines; return its label and where that should stand. */
    function drawRun({ name, scores }, prefix) {
      const group = svg.querySelector(`.pg-run-${name}`);
      const shown = scores.filter(({ seen }) => seen <= LONGEST);
      const wrongs = shown.map(({ seen, wrong }) => `${x(seen)} ${y(wrong / 1000)}`);
      const latest = shown.slice(1).map((score) => `${x(score.seen)} ${y(score.latest)}`);
      group.querySelector(".pg-wrong").setAttribute("d", `M${wrongs.join("L")}`);
      group.querySelector(".pg-latest").setAttribute("d", latest.length ? `M${latest.join("L")}` : "");
      const { seen, wrong } = shown[shown.length - 1];
      const circle = group.querySelector("circle");
      circle.setAttribute("cx", x(seen));
      circle.setAttribute("cy", y(wrong / 1000));
      const label = group.querySelector("text");
      label.textContent = `${prefix}${(wrong / 10).toFixed(1)} %`;
      return { label, x: x(seen) + 8, y: y(wrong / 1000) + 4 };
    }

    /** The curve in words: a few of its points. */
    function inWords({ name, scores }) {
      const isFirstAfter = (mark, i) => scores[i].seen >= mark && !(scores[i - 1]?.seen >= mark);
      const isTold = (_, i) => i === scores.length - 1 || MARKS.some((mark) => isFirstAfter(mark, i));
      const told = scores.filter(isTold);
      const points = told.map(({ seen, wrong }) => `${wrong} after ${count(seen)} digits`);
      return `${name}, wrong of 1,000 unseen digits: ${points.join(", ")}.`;
    }

    new ResizeObserver(() => {
      width = place.clientWidth;
      drawGrid();
      draw();
    }).observe(place);
    return { draw };
  }

  window.mnistPlayground.createCurve = createCurve;
})();
