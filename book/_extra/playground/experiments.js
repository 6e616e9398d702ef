// The eight experiments that stand ready: what B differs in, how many digits both see, and which of
// them then reads better, which the reader is asked after `before`; `shows` is the digit to look
// into. The tests hold what `after` says to a run with seed 0.

(function () {
  "use strict";

  window.mnistPlayground.experiments = {
    "too-fast": {
      title: "Too large a step",
      A: {}, B: { learningRate: 0.06 }, digits: 6000, better: "A",
      before: "B’s steps are twenty times as large as A’s.",
      after: "Each step goes downhill from where the network stands. B’s overshoot the valley.",
    },
    "all-equal": {
      title: "All weights equal",
      A: {}, B: { initialWeights: "equal" }, digits: 6000, better: "A",
      before: "A starts from random weights, B from weights that are all equal.",
      after: "Equal filters see the same and are corrected alike. Look inside: B’s eight are still identical.",
    },
    "no-relu": {
      title: "ReLU taken away",
      A: { architecture: "dense" }, B: { activation: "linear" }, digits: 20000, better: "A",
      before: "Both have two dense layers. A has ReLU in between, B has nothing.",
      after: "Weighted sums of weighted sums are weighted sums: B’s two layers can do no more than one.",
    },
    "shuffled-pixels": {
      title: "Pixels shuffled",
      A: { shuffled: true }, B: { architecture: "dense" }, digits: 6000, better: "B",
      before: "All pixels trade places, the same way in every digit. A is convolutional, B is dense.",
      after: "A dense layer never knew which pixels are neighbours. A’s small windows depend on it.",
    },
    "few-digits": {
      title: "200 digits, not 7,000",
      A: {}, B: { digits: 200 }, digits: 6000, better: "A",
      before: "Both see 6,000 digits: A as many different ones, B the same 200 thirty times.",
      after: "B makes no more errors on its own 200, as its thin line shows. They have little left to teach it.",
    },
    "few-changed": {
      title: "The same 200, changed",
      A: { digits: 200 }, B: { augmentation: "article" }, digits: 10000, better: "B",
      before: "Both have the same 200 digits. B’s are shifted, turned and slanted differently each time.",
      after: "B misreads more of the digits it learns from, and fewer unseen ones: augmentation.",
    },
    "random-labels": {
      title: "Labels at random",
      A: { digits: 200 }, B: { randomLabels: 1 }, digits: 10000, better: "A",
      before: "Both have the same 200 digits, but B’s labels are drawn at random.",
      after: "They can, by heart: see B’s thin line. On unseen digits, B is as good as a guess.",
    },
    "never-a-4": {
      title: "Never shown a 4",
      A: {}, B: { leftOut: "4" }, digits: 6000, better: "A", shows: 4,
      before: "A is shown all ten kinds of digits, B never a 4.",
      after: "B never answers 4. Draw one, and see what it says instead, and how confidently.",
    },
  };
})();
