// The network's weights, from the file weights.js to numbers.

(function () {
  "use strict";

  const folder = new URL(".", document.currentScript.src);
  let loading = null;

  /** Load weights.js, once, and build the network from it. */
  function load() {
    loading ||= fetchScript("weights.js").then(async () => {
      const { weights } = window.mnistDraw;
      return window.mnistDraw.build(weights, await unpack(weights));
    });
    return loading;
  }

  /** Load a script of this folder. A page opened from disk may do this, but not fetch(). */
  function fetchScript(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(name, folder);
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${name} could not be loaded.`));
      document.head.append(script);
    });
  }

  /**
   * Unpack a network's numbers: base64 of what zlib compressed, for each layer in turn a scale for
   * each filter and its bias, both float32, and its weights, int8. The scale is multiplied into the
   * weights here. All in the byte order of today's processors, the smallest byte first.
   */
  async function unpack({ layers, data }) {
    const packed = await fetch(`data:;base64,${data}`); // which a page from disk may fetch
    const stream = packed.body.pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const parameters = {};
    let offset = 0;
    const take = (Numbers, count) => {
      const start = offset;
      offset += count * Numbers.BYTES_PER_ELEMENT;
      return new Numbers(bytes.slice(start, offset));
    };
    for (const { parameters: name, shape } of layers) {
      if (!name) continue; // pooling has none
      const filters = shape[shape.length - 1];
      const scale = take(Float32Array, filters);
      const bias = Float64Array.from(take(Float32Array, filters));
      const steps = take(Int8Array, shape.reduce((product, side) => product * side));
      const weights = new Float64Array(steps);
      for (let i = 0; i < weights.length; i += filters) {
        for (let f = 0; f < filters; f++) weights[i + f] *= scale[f];
      }
      parameters[name] = { weights, bias };
    }
    return parameters;
  }

  window.mnistDraw = Object.assign(window.mnistDraw || {}, { load, unpack });
})();
