// The knobs: what each may be, and how all of them fit into an address.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  const number = (value, least, most) => value >= least && value <= most;
  const whole = (value, least, most) => Number.isInteger(value) && number(value, least, most);
  const choice = (...values) => ({
    initial: values[0], values, is: (x) => values.includes(x), allowed: `one of ${values.join(", ")}`,
  });

  // For each knob: the value to begin with, the values to offer, and which are allowed.
  const KNOBS = {
    seed: {
      initial: 0,
      values: [0, 1, 2, 3, 4],
      is: (x) => whole(x, 0, 2 ** 31 - 1),
      allowed: "a whole number from 0",
    },
    optimizer: choice("adam", "momentum", "sgd"),
    learningRate: {
      initial: 0.003,
      values: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.3, 1],
      is: (x) => x > 0 && x <= 1000,
      allowed: "a number above 0, at most 1000",
    },
    batchSize: {
      initial: 32,
      values: [1, 8, 32, 128],
      is: (x) => whole(x, 1, 1000),
      allowed: "a whole number from 1 to 1000",
    },
    digits: {
      initial: 7000,
      values: [20, 50, 200, 1000, 7000],
      is: (x) => whole(x, 1, 7000),
      allowed: "a whole number from 1 to 7000",
    },
    augmentation: choice("none", "article", "far"),
    randomLabels: {
      initial: 0,
      values: [0, 0.1, 0.3, 0.6, 1],
      is: (x) => number(x, 0, 1),
      allowed: "a number from 0 to 1",
    },
    initialWeights: choice("random", "equal", "zero", "large"),
    activation: choice("relu", "linear"),
    pixels: choice("0-1", "0-255"),
    architecture: choice("convolutional", "dense"),
    shuffled: choice(false, true),
    leftOut: {
      initial: "",
      values: ["", "4", "7", "012"],
      is: (x) => /^(?!.*(.).*\1)\d{0,9}$/.test(x),
      allowed: "up to nine different digits, such as 49",
    },
  };

  /** Return the values to begin with, changed by those given. A RangeError names a bad one. */
  function settingsFrom(given = {}) {
    const settings = Object.fromEntries(
      Object.entries(KNOBS).map(([key, { initial }]) => [key, initial]),
    );
    for (const [key, value] of Object.entries(given)) {
      if (!Object.hasOwn(KNOBS, key)) {
        throw new RangeError(`${key} is no setting. There are: ${Object.keys(KNOBS).join(", ")}.`);
      }
      const { initial, is, allowed } = KNOBS[key];
      if (typeof value !== typeof initial || !is(value)) {
        throw new RangeError(`${key} must be ${allowed}, not ${JSON.stringify(value)}.`);
      }
      settings[key] = value;
    }
    return settings;
  }

  /**
   * Read an address such as "learningRate=0.01&B.learningRate=0.2": settings for A, and what
   * differs in B. Returns both, B's null if nothing stands for it, and one sentence for each bad
   * value, which is left out.
   */
  function fromFragment(fragment) {
    const changes = { A: {}, B: null }, problems = [];
    for (const [name, text] of new URLSearchParams(fragment)) {
      const [run, key] = name.startsWith("B.") ? ["B", name.slice(2)] : ["A", name];
      if (!Object.hasOwn(KNOBS, key)) {
        problems.push(`${name} is no setting.`);
        continue;
      }
      const value = valueOf(key, text);
      if (KNOBS[key].is(value)) (changes[run] ??= {})[key] = value;
      else problems.push(`${name} must be ${KNOBS[key].allowed}, not “${text}”.`);
    }
    const A = settingsFrom(changes.A);
    return { A, B: changes.B && { ...A, ...changes.B }, problems };
  }

  /** Read a text as what the knob's values are: a number, true or false, or a text. */
  function valueOf(key, text) {
    const kind = typeof KNOBS[key].initial;
    if (kind === "number") return text.trim() ? Number(text) : NaN;
    if (kind === "boolean") return text === "true" || (text === "false" ? false : text);
    return text;
  }

  /** Write both runs as an address: what differs from the values to begin with, and B from A. */
  function toFragment(A, B) {
    const query = new URLSearchParams();
    for (const key of Object.keys(KNOBS)) {
      if (A[key] !== KNOBS[key].initial) query.set(key, A[key]);
      if (B && B[key] !== A[key]) query.set(`B.${key}`, B[key]);
    }
    return query.toString();
  }

  Object.assign(engine, { KNOBS, settingsFrom, fromFragment, toFragment });
});
