// What canvases are drawn with: the page's named colours as they are now, hatching, and sizes in real pixels.

/** Read named colours of style.css in the present theme. */
export function inks(names) {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** Fit a canvas to the size that it is shown in; returns its context in CSS pixels, and that size. */
export function fitted(canvas) {
  const size = canvas.clientWidth;
  const ratio = Math.min(3, devicePixelRatio || 1);
  const pixels = Math.max(1, Math.round(size * ratio));
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(pixels / size || 1, 0, 0, pixels / size || 1, 0, 0);
  context.clearRect(0, 0, size, size);
  return { context, size };
}

/** A pattern of slanted lines, told apart without any colour. */
export function hatching(context, line, ground) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  if (ground) {
    pen.fillStyle = ground;
    pen.fillRect(0, 0, 8, 8);
  }
  pen.strokeStyle = line;
  pen.lineWidth = 2.2;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift - 2, 10);
    pen.lineTo(shift + 10, -2);
    pen.stroke();
  }
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / Math.min(3, devicePixelRatio || 1) * 1.5));
  return pattern;
}
