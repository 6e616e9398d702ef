// A paper on which a reader draws a digit with mouse, pen, finger or keyboard, or puts a picture.
//
//   const drawing = mnistDrawing.create(place, { onChange(digit) { ... } });
//
// onChange is called at most once per frame, and only after a change: with null for an empty paper,
// with what `centerDigit` returned, or with { problem } where no digit was found. All coordinates
// are those of a drawing of 200 by 200, from which the network's picture is cut; what is shown is
// sharper.

(function () {
  "use strict";

  const SIDE = 200; // of the drawing
  const SHARP = 3; // the drawing that is shown has this many pixels for one of those
  const WRITING = 1200; // milliseconds in which a digit writes itself
  const REST = 700; // milliseconds after which a lifted pen has finished
  const UNDOABLE = 50; // steps
  const PALM = 60; // pixels of the screen: a touch this wide is no fingertip
  const RESTING = 5; // a pointer that has moved less than this may be a hand at rest
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const KEY_STEP = 6,
    KEY_MARGIN = 10;

  const MARKUP = `
    <div class="drawing-margin">
      <div class="drawing-paper">
        <canvas width="${SIDE * SHARP}" height="${SIDE * SHARP}" tabindex="0" role="application"
          aria-label="Paper to draw a digit on"></canvas>
        <span class="drawing-field" hidden></span><span class="drawing-pen" hidden></span>
        <span class="drawing-hint" hidden>now you</span>
      </div>
    </div>
    <div class="drawing-tools">
      <button type="button" class="drawing-undo">Undo</button>
      <button type="button" class="drawing-clear">Clear</button>
      <label>Pen <input class="drawing-thickness" type="range" min="4" max="32" value="16"></label>
    </div>
    <p class="drawing-keys"><kbd>↑</kbd><kbd>↓</kbd><kbd>←</kbd><kbd>→</kbd> move the pen,
      <kbd>space</kbd> puts it down and lifts it, <kbd>Ctrl</kbd>+<kbd>Z</kbd> undoes.</p>`;

  let papers = 0;

  /** Put a paper into an element of the page. */
  function create(place, { onChange }) {
    place.classList.add("mnist-drawing");
    place.innerHTML = MARKUP;
    const part = (name) => place.querySelector(`.drawing-${name}`);
    const canvas = place.querySelector("canvas"),
      shown = canvas.getContext("2d");
    const paper = document.createElement("canvas"); // what the network's picture is cut from
    const ink = paper.getContext("2d", { willReadFrequently: true });
    part("keys").id = `drawing-keys-${++papers}`;
    canvas.setAttribute("aria-describedby", part("keys").id);

    // A drawing is a picture below (or none), with its label where it has one, and strokes on it; a
    // stroke is its thickness and its points. A drawing that was `written` by itself gives way to
    // the reader's first stroke.
    const empty = () => ({ below: null, label: null, strokes: [], written: false });
    let drawn = empty();
    let history = [];
    let digit = null; // what onChange was told last
    let field = null; // what mark() was told last
    let waiting = 0; // the frame in which onChange will be called
    let writing = 0; // the next frame of a digit that writes itself
    let resting = 0; // the timer that runs until the hand has rested

    // --- paint and report ---

    /** Where the picture lies in the drawing: as large as fits, in the middle. */
    function frame() {
      const scale = SIDE / Math.max(paper.width, paper.height);
      return {
        scale,
        left: (SIDE - paper.width * scale) / 2,
        top: (SIDE - paper.height * scale) / 2,
      };
    }

    function repaint() {
      const { below, strokes } = drawn;
      paper.width = below ? below.width : SIDE;
      paper.height = below ? below.height : SIDE;
      for (const context of [ink, shown]) {
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.fillStyle = "white";
        context.fillRect(0, 0, context.canvas.width, context.canvas.height);
        context.lineCap = context.lineJoin = "round";
        context.strokeStyle = "black";
      }
      const { scale, left, top } = frame();
      shown.setTransform(SHARP, 0, 0, SHARP, 0, 0);
      if (below) {
        ink.drawImage(below, 0, 0);
        shown.imageSmoothingEnabled = scale < 1;
        shown.drawImage(below, left, top, paper.width * scale, paper.height * scale);
      }
      ink.setTransform(1 / scale, 0, 0, 1 / scale, -left / scale, -top / scale);
      for (const stroke of strokes) paint(stroke, 0);
      part("hint").hidden = !drawn.written;
      schedule();
    }

    /** Paint a stroke from one of its points on, on both canvases. */
    function paint({ thickness, points }, from) {
      for (const context of [ink, shown]) {
        context.lineWidth = thickness;
        context.beginPath();
        context.moveTo(points[from], points[from + 1]);
        context.lineTo(points[from] + 0.01, points[from + 1]); // so that a mere tap leaves a dot
        for (let i = from; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
        context.stroke();
      }
    }

    function schedule() {
      if (!waiting) waiting = requestAnimationFrame(report);
    }

    /** Something is being drawn: it is unfinished until no pen has moved or been down for a while. */
    function goOn() {
      schedule();
      clearTimeout(resting);
      resting = setTimeout(() => {
        if (pressed.size) goOn();
        else {
          resting = 0;
          schedule();
        }
      }, REST);
    }

    /** What comes now is finished, and nothing writes itself any more. */
    function stop() {
      cancelAnimationFrame(writing);
      clearTimeout(resting);
      resting = 0;
    }

    /** Centre the digit and tell the page. */
    function report() {
      cancelAnimationFrame(waiting);
      waiting = 0;
      digit = null;
      if (drawn.below || drawn.strokes.length) {
        try {
          const { data, width, height } = ink.getImageData(0, 0, paper.width, paper.height);
          digit = window.mnistDrawing.centerDigit(data, width, height, !drawn.below);
        } catch (error) {
          digit = { problem: error.message };
        }
      }
      onChange(digit);
      showField();
    }

    // --- what changes it ---

    function remember() {
      history.push({ ...drawn, strokes: drawn.strokes.slice() });
      if (history.length > UNDOABLE) history.shift();
    }

    function begin(x, y) {
      remember();
      stop();
      if (drawn.written) {
        drawn = empty();
        repaint();
      }
      const stroke = { thickness: Number(part("thickness").value), points: [x, y] };
      drawn.strokes.push(stroke);
      drawn.label = null;
      paint(stroke, 0);
      goOn();
      return stroke;
    }

    function extend(stroke, x, y) {
      const from = stroke.points.length - 2;
      stroke.points.push(x, y);
      paint(stroke, from);
      goOn();
    }

    /**
     * Put a picture (anything that drawImage takes) on the paper, and say what its label is if it
     * has one.
     */
    function show(picture, label = null) {
      remember();
      stop();
      drawn = { ...empty(), below: picture, label };
      repaint();
    }

    /** Put back what `strokes` gave on another page. */
    function restore(strokes) {
      stop();
      for (const stroke of strokes) {
        remember();
        drawn.strokes.push(stroke);
      }
      repaint();
    }

    function undo() {
      stop();
      pressed.clear();
      drawn = history.pop() || drawn;
      repaint();
    }

    /**
     * Let a digit write itself: strokes, each a list of [x, y]. The reader's first stroke clears
     * it.
     */
    function write(strokes) {
      stop();
      const thickness = Number(part("thickness").value);
      drawn = { ...empty(), written: true };
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
        drawn.strokes = strokes.map((points) => ({ thickness, points: points.flat() }));
        repaint();
        return;
      }
      repaint();
      const steps = strokes.flatMap((points) =>
        points.slice(1).map((to, i) => ({ from: points[i], to, first: i === 0 })),
      );
      const lengths = steps.map(({ from, to }) => Math.hypot(to[0] - from[0], to[1] - from[1]));
      const speed = lengths.reduce((sum, length) => sum + length, 0) / WRITING;
      let step = 0,
        within = 0,
        last = performance.now(),
        stroke = null;
      writing = requestAnimationFrame(function move(now) {
        let way = Math.max(0, now - last) * speed;
        last = now;
        while (step < steps.length && way > 0) {
          const { from, to, first } = steps[step];
          if (first && within === 0)
            drawn.strokes.push((stroke = { thickness, points: from.slice() }));
          const go = Math.min(way, lengths[step] - within);
          within += go;
          way -= go;
          const share = within / lengths[step];
          extend(stroke, from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share);
          if (share >= 1) [step, within] = [step + 1, 0];
        }
        if (step < steps.length) writing = requestAnimationFrame(move);
      });
    }

    // --- mouse, pen and finger ---

    // The pointers that are down and draw: of each, its id, its kind and its stroke. There is at
    // most one.
    const pressed = new Map();

    function toDrawing(event) {
      const box = canvas.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * SIDE,
        ((event.clientY - box.top) / box.height) * SIDE,
      ];
    }

    /**
     * Whether another pointer that is down really draws, and is not a hand that rests on the paper.
     */
    function othersDraw(event) {
      for (const [id, { kind, stroke }] of pressed) {
        const { points } = stroke;
        let reach = 0;
        for (let i = 2; i < points.length; i += 2) {
          reach = Math.max(reach, Math.hypot(points[i] - points[0], points[i + 1] - points[1]));
        }
        const rests = reach < RESTING || (kind === "touch" && event.pointerType === "pen");
        if (!rests) return true;
        pressed.delete(id);
        if (drawn.strokes[drawn.strokes.length - 1] === stroke) undo();
      }
      return false;
    }

    // The margin listens, so that a stroke may begin just outside the paper.
    const margin = part("margin");
    margin.addEventListener("pointerdown", (event) => {
      const isPalm = event.pointerType === "touch" && Math.max(event.width, event.height) > PALM;
      if (event.button !== 0 || isPalm || othersDraw(event)) return;
      margin.setPointerCapture(event.pointerId);
      pressed.set(event.pointerId, { kind: event.pointerType, stroke: begin(...toDrawing(event)) });
    });
    margin.addEventListener("pointermove", (event) => {
      const pointer = pressed.get(event.pointerId);
      if (!pointer) return;
      const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const move of moves.length ? moves : [event]) extend(pointer.stroke, ...toDrawing(move));
    });
    for (const type of ["pointerup", "pointercancel"]) {
      margin.addEventListener(type, (event) => {
        if (pressed.delete(event.pointerId)) goOn();
      });
    }

    // A browser would drag away a paper that is selected with the text around it.
    margin.addEventListener("dragstart", (event) => event.preventDefault());

    // --- keyboard ---

    const pen = { x: SIDE / 2, y: SIDE / 4, stroke: null };

    function showPen(visible) {
      const mark = part("pen");
      mark.hidden = !visible;
      mark.style.left = `${(pen.x / SIDE) * 100}%`;
      mark.style.top = `${(pen.y / SIDE) * 100}%`;
      mark.classList.toggle("drawing-down", Boolean(pen.stroke));
    }

    const within = (value) => Math.min(SIDE - KEY_MARGIN, Math.max(KEY_MARGIN, value));

    canvas.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      if (move) {
        pen.x = within(pen.x + move[0] * KEY_STEP);
        pen.y = within(pen.y + move[1] * KEY_STEP);
        if (pen.stroke) extend(pen.stroke, pen.x, pen.y);
      } else if (event.key === " ") {
        pen.stroke = pen.stroke ? null : begin(pen.x, pen.y);
      } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
        pen.stroke = null;
        undo();
      } else return;
      event.preventDefault();
      showPen(true);
    });
    canvas.addEventListener("blur", () => {
      pen.stroke = null;
      showPen(false);
    });

    part("undo").addEventListener("click", undo);
    part("clear").addEventListener("click", () => show(null));

    // --- the field ---

    /**
     * Frame a part of the 28 by 28 pixels, { left, top, side }, on the paper; null frames nothing.
     */
    function mark(part) {
      field = part;
      showField();
    }

    function showField() {
      const mark = part("field"),
        found = digit && digit.pixels;
      mark.hidden = !field || !found;
      if (mark.hidden) return;
      // Back from the 28 by 28 pixels to the drawing, through the box that the ink was cut out of.
      const { box, place: to } = digit,
        { scale, left, top } = frame();
      const toX = (x) =>
        (left + (box.left + ((x - to.left) / to.width) * box.width) * paper.width * scale) / SIDE;
      const toY = (y) =>
        (top + (box.top + ((y - to.top) / to.height) * box.height) * paper.height * scale) / SIDE;
      const inside = (share) => Math.min(1, Math.max(0, share));
      const x = inside(toX(field.left)),
        y = inside(toY(field.top));
      Object.assign(mark.style, {
        left: `${100 * x}%`,
        top: `${100 * y}%`,
        width: `${100 * (inside(toX(field.left + field.side)) - x)}%`,
        height: `${100 * (inside(toY(field.top + field.side)) - y)}%`,
      });
    }

    repaint();
    return {
      write,
      show,
      restore,
      undo,
      mark,
      report,
      clear: () => show(null),
      /** The label of the picture, where it has one and nothing is drawn on it. */
      get label() {
        return drawn.label;
      },
      /** The reader's own strokes, where there is nothing else. */
      get strokes() {
        return drawn.written || drawn.below ? [] : drawn.strokes;
      },
      get isPicture() {
        return Boolean(drawn.below);
      },
      /** Whether the digit may be half drawn. */
      get unfinished() {
        return resting !== 0;
      },
      /** Whether what is seen wrote itself. */
      get written() {
        return drawn.written;
      },
      get width() {
        return paper.width;
      },
      get height() {
        return paper.height;
      },
    };
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, { create });
})();
