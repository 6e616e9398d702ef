// The colours of numbers: 0 is the page's surface, large is ink; below 0 orange, above blue. Mixed
// anew for each theme.

(function () {
  "use strict";

  const ramp = new Uint32Array(256); // from 0 to the largest
  const both = new Uint32Array(511); // from the largest below 0 over 0 to the largest above
  const paper = new Uint32Array(256); // black ink on white paper, in either theme
  const PALETTES = {
    light: {
      surface: [244, 246, 249],
      strong: [9, 58, 110],
      plus: [11, 92, 160],
      minus: [190, 72, 0],
    },
    dark: {
      surface: [42, 49, 60],
      strong: [186, 222, 255],
      plus: [92, 178, 255],
      minus: [255, 160, 92],
    },
  };
  const isDark = () => document.documentElement.dataset.theme === "dark";

  /** A colour as putImageData takes it from a Uint32Array: alpha, blue, green, red. */
  const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

  function mixColours() {
    const { surface, strong, plus, minus } = PALETTES[isDark() ? "dark" : "light"];
    const mix = (to, share) =>
      pack(surface.map((level, k) => Math.round(level + (to[k] - level) * share)));
    for (let i = 0; i < 256; i++) {
      ramp[i] = mix(strong, (i / 255) ** 0.8);
      paper[i] = pack([255 - i, 255 - i, 255 - i]);
    }
    for (let i = -255; i < 256; i++) both[i + 255] = mix(i < 0 ? minus : plus, Math.abs(i) / 255);
  }

  const callbacks = [];
  /**
   * Call back whenever the reader, or the book as it opens, switches between the light and the dark
   * theme.
   */
  const onTheme = (callback) => callbacks.push(callback);

  new MutationObserver(() => {
    mixColours();
    for (const callback of callbacks) callback();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  mixColours();
  window.mnistDraw = Object.assign(window.mnistDraw || {}, {
    colours: { ramp, both, paper, isDark, onTheme },
  });
})();
