// The front page. The network is loaded when somebody draws, or when the browser has nothing else
// to do.

(function () {
  "use strict";

  const { load } = window.mnistDraw.createReader({
    paper: document.getElementById("front-paper"),
    place: document.getElementById("front-answer"),
  });
  // Safari has no requestIdleCallback.
  const whenIdle = window.requestIdleCallback || ((callback) => setTimeout(callback, 500));
  whenIdle(load);
})();
