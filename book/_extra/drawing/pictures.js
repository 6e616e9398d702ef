// Pictures for the paper: a file that is chosen, dropped anywhere on the page, or pasted.

(function () {
  "use strict";

  const LARGEST = 512; // a picture with a longer side is shrunk to it

  /**
   * Decode a picture file. A JPEG that has its last two bytes is left to an image element, which
   * shrinks it while it decodes: twice as fast. Half a JPEG it would draw without an error.
   */
  async function decode(file) {
    const end = new Uint8Array(await file.slice(-2).arrayBuffer());
    if (end[0] !== 0xff || end[1] !== 0xd9) return createImageBitmap(file);
    const image = new Image();
    image.src = URL.createObjectURL(file);
    try {
      await new Promise((done, fail) => Object.assign(image, { onload: done, onerror: fail }));
    } finally {
      URL.revokeObjectURL(image.src);
    }
    return image;
  }

  /** Read a picture file into a canvas. Dark ink on transparent is laid on white, light on black. */
  async function readPicture(file) {
    let picture;
    try {
      picture = await decode(file);
    } catch {
      const isHeic = /\.hei[cf]$/i.test(file.name);
      const what = isHeic ? "a HEIC picture: save it as JPEG" : "not a picture that this browser can read";
      throw new Error(`${file.name} is ${what}.`);
    }
    const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close?.(); // an image element has nothing to close
    context.globalCompositeOperation = "destination-over"; // below what is there already
    context.fillStyle = paperFor(context.getImageData(0, 0, canvas.width, canvas.height).data);
    context.fillRect(0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /** White, unless what is opaque in a partly transparent picture is light. */
  function paperFor(colours) {
    let light = 0, opaque = 0, least = 255;
    for (let i = 0; i < colours.length; i += 4) {
      const alpha = colours[i + 3];
      light += (alpha * (colours[i] + colours[i + 1] + colours[i + 2])) / 3;
      opaque += alpha;
      least = Math.min(least, alpha);
    }
    return least === 255 || light < 128 * opaque ? "white" : "black";
  }

  /**
   * Take pictures for a drawing from a file input, and whatever is dropped on or pasted into the
   * page.
   */
  function acceptPictures(drawing, { input, onProblem }) {
    async function open(file) {
      try {
        drawing.show(await readPicture(file));
      } catch (error) {
        onProblem(error.message);
      }
    }

    input.addEventListener("change", () => {
      if (input.files.length) open(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    });
    const hasFile = (transfer) => Array.from(transfer.types).includes("Files");
    for (const type of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(type, (event) => {
        if (!hasFile(event.dataTransfer)) return; // a piece of text goes where it always goes
        event.preventDefault(); // or the browser would leave the page for the picture
        document.documentElement.classList.toggle("drawing-dropping", type === "dragover");
        if (type === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
      });
    }
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      open(event.clipboardData.files[0]);
    });
  }

  window.mnistDrawing = Object.assign(window.mnistDrawing || {}, { readPicture, acceptPictures });
})();
