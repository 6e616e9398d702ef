// The digits, 7,000 to learn from and 1,000 to score by, and what the knobs do to them.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  const LEARNED = 7000, UNSEEN = 1000, PIXELS = 784;

  // How far a digit is changed each way: degrees, pixels of shift, and factors of size.
  const RANGES = {
    article: { rotation: 8, shift: 0.08 * 28, shear: 17, zoom: 0.08 },
    far: { rotation: 90, shift: 10, shear: 60, zoom: 0.5 },
  };

  /** Unpack digits.js: base64 of the deflated pixels of all digits, then their labels. */
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const unpacked = new Uint8Array(await new Response(stream).arrayBuffer());
    const pixels = unpacked.subarray(0, (LEARNED + UNSEEN) * PIXELS);
    return { pixels, labels: unpacked.subarray(pixels.length) };
  }

  /** Return which digits a run learns from: the first, without the classes left out. */
  function chooseDigits({ digits, leftOut }, labels) {
    const chosen = [];
    for (let i = 0; i < LEARNED && chosen.length < digits; i++) {
      if (!leftOut.includes(labels[i])) chosen.push(i);
    }
    return chosen;
  }

  /** Return the labels that a run learns from: a fraction of them is drawn at random. */
  function drawLabels({ randomLabels, seed }, labels) {
    const next = engine.random(seed, "labels");
    return labels.map((label) => {
      const [lot, other] = [next(), Math.floor(10 * next())];
      return lot < randomLabels ? other : label;
    });
  }

  /** Return where each pixel goes, the same for all digits: where it was, or shuffled. */
  function placesOf({ shuffled, seed }) {
    const places = Array.from({ length: PIXELS }, (_, i) => i);
    return shuffled ? engine.shuffle(places, engine.random(seed, "pixels")) : places;
  }

  /**
   * Rotate, shift, shear and zoom a picture of 28 by 28 pixels, into another array.
   *
   * Of each pixel of the result it asks where it comes from, and mixes the four pixels
   * around that spot. Composed as in the article's `ImageDataGenerator`: rotation @ shift
   * @ shear @ zoom, about the centre.
   */
  function augment(from, to, range, next) {
    const draw = (largest) => largest * (2 * next() - 1);
    const angle = (draw(range.rotation) * Math.PI) / 180;
    const shear = (draw(range.shear) * Math.PI) / 180;
    const up = draw(range.shift), left = draw(range.shift);
    const tall = 1 + draw(range.zoom), wide = 1 + draw(range.zoom);
    const cos = Math.cos(angle), sin = Math.sin(angle);
    const slant = Math.sin(shear), upright = Math.cos(shear);
    for (let place = 0, row = -13.5; row < 14; row++) {
      for (let column = -13.5; column < 14; column++, place++) {
        const y = tall * row - slant * wide * column + up, x = upright * wide * column + left;
        to[place] = mix(from, cos * y - sin * x + 13.5, sin * y + cos * x + 13.5);
      }
    }
  }

  /**
   * Mix the four pixels around a spot, the nearer the more; outside the picture there is
   * no ink.
   */
  function mix(pixels, y, x) {
    const row = Math.floor(y), column = Math.floor(x), down = y - row, right = x - column;
    return (
      (1 - down) * ((1 - right) * ink(pixels, row, column) + right * ink(pixels, row, column + 1)) +
      down * ((1 - right) * ink(pixels, row + 1, column) + right * ink(pixels, row + 1, column + 1))
    );
  }

  function ink(pixels, row, column) {
    return row < 0 || row > 27 || column < 0 || column > 27 ? 0 : pixels[28 * row + column];
  }

  Object.assign(engine, {
    LEARNED,
    UNSEEN,
    PIXELS,
    RANGES,
    unpack,
    chooseDigits,
    drawLabels,
    placesOf,
    augment,
  });
});
