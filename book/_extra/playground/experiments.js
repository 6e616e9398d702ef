// The eight experiments that stand ready: what B differs in, for how many digits they run, and which reads better.
// What `after` says held for each of the seeds 0 to 4, and the book's tests hold the page to it.

(function () {
  "use strict";

  window.mnistPlayground.experiments = {
    "too-fast": {
      title: "Too large a step", A: {}, B: { learningRate: 0.06 }, digits: 10000, better: "A",
      before: "B takes steps twenty times as large as A’s. Twenty times the step, twenty times the progress?",
      after: "A step follows the slope where it begins; one that is too long lands where that slope says nothing.",
    },
    "all-equal": {
      title: "All weights equal", A: {}, B: { initialWeights: "equal" }, digits: 10000, better: "A",
      before: "A begins with random weights. In B, all weights of a layer begin equal. Does the start matter, if both learn?",
      after: "Equal filters see the same and are corrected alike, so B’s eight stay one and the same filter. Look inside.",
    },
    "no-relu": {
      title: "ReLU taken away", A: { architecture: "dense" }, B: { architecture: "dense", activation: "linear" },
      digits: 20000, better: "A",
      before: "Both have two dense layers. A has ReLU between them, B has nothing. All the weights are there. Is one missed?",
      after: "Without ReLU, two layers of sums are one layer of sums: B can do no more than a network of a single layer.",
    },
    "shuffled-pixels": {
      title: "Pixels shuffled", A: { shuffled: true }, B: { shuffled: true, architecture: "dense" },
      digits: 10000, better: "B",
      before: "All pixels are shuffled, in one order for all digits. A is the convolutional network, B is dense. Who copes?",
      after: "A dense layer never knew which pixels are neighbours. A’s windows look for strokes, and there are none left.",
    },
    "few-digits": {
      title: "200 digits, not 7,000", A: {}, B: { digits: 200 }, digits: 10000, better: "A",
      before: "Both see 10,000 digits. A sees some of its 7,000 twice; B sees the same 200 fifty times. Is that as good?",
      after: "B soon makes no error on its own 200 (the thin line falls to the floor), and stops getting better at others.",
    },
    "few-changed": {
      title: "The same 200, changed", A: { digits: 200 }, B: { digits: 200, augmentation: "article" },
      digits: 10000, better: "B",
      before: "Both have 200 digits. B’s are shifted, turned, slanted and stretched a little, each time differently. A help?",
      after: "B finds its digits harder than A does, and reads unseen ones better: this is augmentation.",
    },
    "random-labels": {
      title: "Labels at random", A: { digits: 200 }, B: { digits: 200, randomLabels: 1 }, digits: 20000, better: "A",
      before: "Both have the same 200 digits, but B’s labels are drawn by lot: a 3 may be called a 7. Can that be learned?",
      after: "B has learned its labels by heart (follow its thin line), and reads unseen digits no better than by guessing.",
    },
    "never-a-4": {
      title: "Never shown a 4", A: {}, B: { leftOut: "4" }, digits: 10000, better: "A",
      before: "B learns from nine classes: it is never shown a 4. What will it make of one?",
      after: "B never answers “4”. Draw a 4 and see what it says instead, and how confident it is.",
    },
  };
})();
