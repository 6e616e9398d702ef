// A strip at the top of the screen: the network's input and its answer, small, while the paper and
// the answer themselves are out of sight. A click on it leads back to them.

(function () {
  "use strict";

  const MENU = 56; // pixels of the screen which the theme's own bar covers

  function createStrip(strip, paper, answer, seen) {
    const picture = strip.querySelector("canvas").getContext("2d");
    const canvas = paper.querySelector("canvas"),
      large = answer.querySelector(".answer-large");

    /** Show what the answer shows now. */
    function update() {
      if (strip.hidden) return;
      picture.drawImage(seen, 0, 0);
      for (const name of ["digit", "percent"]) {
        const { textContent } = large.querySelector(`.answer-${name}`);
        strip.querySelector(`.md-strip-${name}`).textContent = textContent;
      }
    }

    const inSight = new Set();
    const watcher = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries)
          inSight[isIntersecting ? "add" : "delete"](target);
        strip.hidden = inSight.size > 0;
        update();
      },
      { rootMargin: `-${MENU}px 0px 0px` },
    );
    for (const part of [canvas, large]) watcher.observe(part);

    strip.querySelector("button").addEventListener("click", () => {
      paper.scrollIntoView();
      canvas.focus({ preventScroll: true }); // as the strip goes
    });
    return { update };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createStrip });
})();
