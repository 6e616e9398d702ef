// Three ways to take a step, once the gradients of a batch are known. Each goes through
// all parameters, changes their values, and leaves their gradients at zero for the next
// batch. Numbers and formulae are those of Keras.

(window.mnistPlayground ??= { parts: [] }).parts.push(function (engine) {
  "use strict";

  /** Downhill: each weight moves against its gradient. */
  function sgd(parameters, learningRate) {
    return function step() {
      for (const { values, gradient } of parameters) {
        for (let i = 0; i < values.length; i++) values[i] -= learningRate * gradient[i];
        gradient.fill(0);
      }
    };
  }

  /** Like a ball: nine tenths of the last step, plus this gradient's. */
  function momentum(parameters, learningRate) {
    const velocities = parameters.map(({ values }) => new Float64Array(values.length));
    return function step() {
      parameters.forEach(({ values, gradient }, p) => {
        const velocity = velocities[p];
        for (let i = 0; i < values.length; i++) {
          velocity[i] = 0.9 * velocity[i] - learningRate * gradient[i];
          values[i] += velocity[i];
        }
        gradient.fill(0);
      });
    };
  }

  /**
   * Each weight has a step size of its own: the gradient's running mean, divided by the
   * root of the running mean of its square. Both means begin at zero, so at first they
   * are too small. Dividing by 1 - 0.9 ** batch and 1 - 0.999 ** batch corrects that.
   */
  function adam(parameters, learningRate) {
    const means = parameters.map(({ values }) => new Float64Array(values.length));
    const squares = parameters.map(({ values }) => new Float64Array(values.length));
    let batch = 0;
    return function step() {
      batch++;
      const rate = (learningRate * Math.sqrt(1 - 0.999 ** batch)) / (1 - 0.9 ** batch);
      parameters.forEach(({ values, gradient }, p) => {
        const mean = means[p], square = squares[p];
        for (let i = 0; i < values.length; i++) {
          mean[i] += 0.1 * (gradient[i] - mean[i]);
          square[i] += 0.001 * (gradient[i] * gradient[i] - square[i]);
          values[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + 1e-7);
        }
        gradient.fill(0);
      });
    };
  }

  engine.optimizers = { sgd, momentum, adam };
});
