// A paper and its answer, and the network between them. A 7 writes itself; the answer to it stands
// in the page already, so that a page can be looked at before the network is there.

(function () {
  "use strict";

  const SEVEN = [
    [
      [52, 52],
      [92, 50],
      [146, 48],
      [128, 84],
      [110, 120],
      [94, 162],
    ],
  ];

  // A drawing goes with its reader from page to page, in the same tab.
  const KEY = "mnist-drawing";
  let kept = null;
  try {
    kept = sessionStorage;
  } catch {} // forbidden: the drawing stays behind

  /**
   * onRead(digit, network) is called after the network has read what the paper shows, a digit or
   * none.
   */
  function createReader({ paper, place, onRead = () => {}, temperature = () => undefined }) {
    const answer = window.mnistDraw.createAnswer(place);
    const drawing = window.mnistDrawing.create(paper, { onChange: read });
    let network = null;
    let digit = null; // what the paper shows, as its component says

    /** From a centred digit to an answer. */
    function read(changed) {
      digit = changed;
      if (network) {
        const { values } = network.layers[0],
          { pixels } = digit || {};
        for (let i = 0; i < values.length; i++) values[i] = pixels ? pixels[i] / 255 : 0;
        network.run();
      } else if (!drawing.written) load();
      showAnswer();
      onRead(digit, network);
    }

    function showAnswer() {
      if (network && digit && digit.pixels) {
        const { values } = network.layers[network.layers.length - 1];
        const { weights } = window.mnistDraw;
        answer.show(digit.pixels, Array.from(values), weights, drawing, temperature());
      } else if (drawing.written) return; // its answer stands in the page
      else if (!digit) answer.none("Nothing is drawn yet.");
      else if (!network) answer.none("The network is on its way…");
      else answer.none(drawing.unfinished ? "" : digit.problem);
    }

    /** Load the network, once, and read what the paper shows. */
    async function load() {
      try {
        network ||= await window.mnistDraw.load();
        drawing.report();
      } catch (error) {
        answer.none(`The network could not be loaded: ${error.message}`);
      }
      return network;
    }

    const strokes = JSON.parse(kept?.getItem(KEY) || "[]");
    if (strokes.length) drawing.restore(strokes);
    else drawing.write(SEVEN);
    addEventListener("pagehide", () => kept?.setItem(KEY, JSON.stringify(drawing.strokes)));
    return {
      answer,
      drawing,
      load,
      showAnswer,
      get digit() {
        return digit;
      },
    };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createReader });
})();
