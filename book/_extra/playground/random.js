// Numbers that look random and are the same for the same seed, so that a run can be shown
// again by its address.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  /**
   * Return a function that gives one number from 0 to 1 after another. Each `purpose` has
   * numbers of its own: a knob that uses more of them for one thing changes nothing else.
   * (The generator is Mulberry32.)
   */
  function random(seed, purpose) {
    let state = seed;
    for (const letter of purpose) state = Math.imul(state ^ letter.charCodeAt(0), 0x9e3779b1);
    return function next() {
      state = (state + 0x6d2b79f5) | 0;
      let bits = Math.imul(state ^ (state >>> 15), state | 1);
      bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
      return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /** Put the numbers of an array into random order, in place (Fisher and Yates). */
  function shuffle(array, next) {
    for (let last = array.length - 1; last > 0; last--) {
      const other = Math.floor((last + 1) * next());
      [array[last], array[other]] = [array[other], array[last]];
    }
    return array;
  }

  /**
   * Give each kernel its initial weights; biases stay zero.
   *
   * "random" is Keras's own choice, Glorot's: uniform, and the smaller the more sums a
   * weight takes part in. "large" is thirty times that. "equal" gives all weights of a
   * kernel its typical size, and "zero" none.
   */
  function initialize(network, initialWeights, seed) {
    const next = random(seed, "weights");
    for (const { kernel } of Object.values(network.layers)) {
      const [inputs, outputs] = kernel.shape.slice(-2);
      const places = kernel.shape.slice(0, -2).reduce((product, side) => product * side, 1);
      const limit = Math.sqrt(6 / (places * (inputs + outputs)));
      const draw = {
        random: () => limit * (2 * next() - 1),
        large: () => 30 * limit * (2 * next() - 1),
        equal: () => limit / 2,
        zero: () => 0,
      }[initialWeights];
      for (let i = 0; i < kernel.values.length; i++) kernel.values[i] = draw();
    }
  }

  Object.assign(engine, { random, shuffle, initialize });
});
