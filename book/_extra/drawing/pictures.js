// Pictures for the paper: a file that is chosen, dropped anywhere on the page, or pasted.

(function () {
  "use strict";

  const LARGEST = 1000; // a picture with a longer side is shrunk to it

  /** Read a picture file into a canvas. Its transparent parts become white. */
  async function readPicture(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      throw new Error(`${file.name} is not a picture that this browser can read.`);
    }
    const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return canvas;
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
