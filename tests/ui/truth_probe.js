// Runs in the page before its own scripts: notes, in the very task in which a picture is drawn, which number stands in
// the canvas, which label was drawn over it, and which frame the page says it is.
(() => {
  const BITS = 8;
  const truth = { pictures: [], announced: 0 };
  globalThis.truth = truth;
  const places = new WeakMap();
  const labels = new WeakMap();
  const context = CanvasRenderingContext2D.prototype;
  const { drawImage, fillText } = context;
  context.drawImage = function (picture, ...at) {
    places.set(this.canvas, at);
    labels.set(this.canvas, []);
    return drawImage.call(this, picture, ...at);
  };
  context.fillText = function (text, ...at) {
    labels.get(this.canvas)?.push(text);
    return fillText.call(this, text, ...at);
  };
  const video = HTMLVideoElement.prototype;
  const { requestVideoFrameCallback } = video;
  video.requestVideoFrameCallback = function (callback) {
    return requestVideoFrameCallback.call(this, (...given) => {
      truth.announced += 1;
      callback(...given);
    });
  };
  const numberIn = (canvas) => {
    const [x, y, width, height] = places.get(canvas);
    const row = canvas.getContext("2d").getImageData(Math.round(x), Math.round(y + height / 2), Math.round(width), 1);
    let number = 0;
    for (let bit = 0; bit < BITS; bit += 1) {
      const at = 4 * Math.floor(((2 * bit + 1) * row.width) / (2 * BITS));
      number |= row.data[at] + row.data[at + 1] + row.data[at + 2] > 384 ? 1 << bit : 0;
    }
    return number;
  };
  document.addEventListener(
    "picture",
    (event) => {
      const label = labels.get(event.target).find((text) => /^n\d+ /.test(text));
      truth.pictures.push({
        number: numberIn(event.target),
        label: label === undefined ? null : Number(/^n(\d+) /.exec(label)[1]),
        frame: event.detail.frameIndex,
      });
    },
    { capture: true },
  );
})();
