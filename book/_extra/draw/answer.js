// The answer: the best digit in large type, a second guess, a sentence, and ten bars.
// What the page says before there is a network to ask stands in the page itself.

(function () {
  "use strict";

  /** A share in per cent. Softmax never gives 0 or 1, and rounding shall not say so. */
  function percent(share) {
    if (share > 0.9995) return "> 99.9\u00a0%";
    return share < 0.0005 ? "< 0.1\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`;
  }

  const article = (digit) => (digit === 8 ? "an 8" : `a ${digit}`);

  /** The places of the largest number and of the second largest. */
  function twoBest(numbers) {
    const order = Array.from(numbers.keys()).sort((a, b) => numbers[b] - numbers[a]);
    return order.slice(0, 2);
  }

  function createAnswer(place) {
    const part = (name) => place.querySelector(`.answer-${name}`);
    const list = part("bars");
    const bars = list.dataset.stored.split(" ").map((stored, digit) => {
      const row = document.createElement("li");
      row.innerHTML = `<span>${digit}</span>
        <span class="answer-track"><span></span></span><span class="answer-number"></span>`;
      list.append(row);
      return {
        row,
        bar: row.querySelector(".answer-track span"),
        number: row.lastElementChild,
        stored: Number(stored),
      };
    });

    function fill(probabilities) {
      const [best, second] = probabilities ? twoBest(probabilities) : [];
      bars.forEach(({ row, bar, number }, digit) => {
        bar.style.transform = `scaleX(${probabilities ? probabilities[digit] : 0})`;
        number.textContent = probabilities ? percent(probabilities[digit]) : "–";
        row.classList.toggle("answer-best", digit === best);
      });
      part("digit").textContent = probabilities ? best : "?";
      part("percent").textContent = probabilities ? percent(probabilities[best]) : "";
      const doubted = probabilities && probabilities[second] > 0.0005;
      part("second").textContent = doubted
        ? `or ${second}: ${percent(probabilities[second])}`
        : "";
    }

    function say(sentence, doubtful) {
      place.classList.toggle("answer-doubtful", doubtful);
      if (part("verdict").textContent !== sentence) part("verdict").textContent = sentence;
    }

    /**
     * Show the answer to a digit's pixels. The bars follow the pen; the sentence waits until the
     * drawing is finished, and gives a drawing the advice that it needs.
     */
    function show(pixels, logits, weights, drawing, temperature = weights.temperature) {
      const { softmax } = window.mnistDraw;
      fill(softmax(logits, temperature));
      if (drawing.unfinished) return say("", false);
      const probabilities = softmax(logits, weights.temperature);
      const advice = drawing.isPicture ? undefined : "draw it more plainly";
      const { doubt } = window.mnistDrawing;
      const doubtful = doubt(pixels, logits, probabilities, weights.limits, advice);
      const verdict = doubtful || `This is ${article(twoBest(probabilities)[0])}.`;
      const { label } = drawing; // nobody can help a sample
      const labelled = `${verdict.replace(/:.*/, ".")} Its label says ${label}.`;
      say(label === null ? verdict : labelled, Boolean(doubtful));
    }

    /** Show that there is no answer, and say why. */
    function none(sentence) {
      fill(null);
      say(sentence, true);
    }

    fill(bars.map(({ stored }) => stored));
    return { show, none, say };
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { createAnswer, twoBest });
})();
