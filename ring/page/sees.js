// Who sees whom: a table of letters while members are few, a drawing with the same in words where they are many.
import { attribute, byId, make, text } from "./dom.js";
import { fitted, inks } from "./ink.js";
import { seconds, some } from "./words.js";

const FEW = 24;
const WORDS = { U: "up", D: "down", "?": "as unknown", "-": "not at all: it does not know that host" };
const MAX_SAID = 12;

export class Sight {
  constructor({ onPoint }) {
    this.box = byId("sees-drawing");
    this.onPoint = onPoint;
    this.canvas = null;
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  show(model) {
    const { sees } = model.picture;
    const names = sees.hosts.map((host) => model.byHost.get(host)?.name ?? host);
    const stamp = JSON.stringify([sees.rows, names, sees.ageSeconds.map((age) => age === null)]);
    Object.assign(this, { model, sees, names });
    if (this.stamp !== stamp) {
      this.stamp = stamp;
      this.canvas = null;
      if (names.length && names.length <= FEW) this.table(model);
      else this.drawing();
      this.say();
    }
    this.draw();
  }

  table(model) {
    const short = this.sees.hosts.map((host) => model.byHost.get(host)?.short ?? host.slice(0, 4));
    const head = make("tr", {}, make("td", { "aria-hidden": "true" }), this.names.map((name, index) => make("th", { scope: "col", title: name }, make("span", { "aria-hidden": "true" }, short[index]), make("span", { class: "unseen" }, name))));
    const rows = this.sees.rows.map((row, from) => make("tr", { "data-silent": this.sees.ageSeconds[from] === null },
      make("th", { scope: "row" }, this.names[from]),
      [...row].map((letter, to) => make("td", { "data-see": letter, title: this.sentence(from, to) }, letter === "." ? "·" : letter))));
    this.box.replaceChildren(make("table", { class: "pairs" },
      make("caption", { class: "unseen" }, "Each row is a member, each column one that it sees: U up, D down, ? unknown, - not known to it"),
      make("thead", {}, head), make("tbody", {}, rows)), this.key());
  }

  drawing() {
    this.canvas = make("canvas", { role: "img", tabindex: 0, "aria-describedby": "sees-said", "aria-label": "Who sees whom, a row for each member. Arrow keys tell of one pair; the list beside it has in words whatever is not up" });
    this.canvas.addEventListener("pointermove", (event) => this.under(event));
    this.canvas.addEventListener("keydown", (event) => this.move(event));
    for (const leaves of ["pointerleave", "blur"]) this.canvas.addEventListener(leaves, () => this.tell(null));
    this.box.replaceChildren(this.canvas, this.key());
  }

  key() {
    const kinds = [["sees it up", "--good-ground"], ["sees it down", "--bad"], ["unknown", "--unknown"], ["does not know it", "--ink"], ["was not heard", "--sunk"]];
    return make("p", { class: "keyline", "aria-hidden": "true" }, kinds.map(([words, ink]) => make("span", {}, make("i", { css: { "--k": `var(${ink})` } }), words)));
  }

  /** Draw a square for each pair; with a thousand members a square is less than a pixel wide, and troubles still show. */
  draw() {
    if (!this.canvas?.isConnected || !this.sees) return;
    attribute(this.canvas, "height", null);
    this.canvas.style.aspectRatio = "1";
    const { context, size } = fitted(this.canvas);
    const ink = inks(["good-ground", "bad", "unknown", "ink", "sunk", "card"]);
    const count = this.sees.hosts.length;
    const step = size / count;
    const colour = { D: ink.bad, "?": ink.unknown, "-": ink.ink };
    context.fillStyle = ink["good-ground"];
    context.fillRect(0, 0, size, size);
    context.fillStyle = ink.sunk;
    this.sees.ageSeconds.forEach((age, row) => age === null && context.fillRect(0, row * step, size, step));
    const least = Math.max(step, 1.2);
    this.sees.rows.forEach((letters, row) => {
      if (this.sees.ageSeconds[row] === null) return;
      for (let column = 0; column < count; column += 1) {
        const style = colour[letters[column]];
        if (!style) continue;
        context.fillStyle = style;
        context.fillRect(column * step, row * step, least, least);
      }
    });
    context.strokeStyle = ink.card;
    context.lineWidth = Math.max(1, step / 2);
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(size, size);
    context.stroke();
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const count = this.sees.hosts.length;
    const at = (far, whole) => Math.min(count - 1, Math.max(0, Math.floor((far / whole) * count)));
    const from = at(event.clientY - box.top, box.height), to = at(event.clientX - box.left, box.width);
    this.tell([from, to]);
  }

  /** Arrow keys go from pair to pair: rows see, columns are seen; Home and End to the ends of a row. */
  move(event) {
    const last = this.sees.hosts.length - 1;
    const [from, to] = this.at ?? [0, -1];
    const pair = {
      ArrowUp: [from - 1, to], ArrowDown: [from + 1, to], ArrowLeft: [from, to - 1], ArrowRight: [from, to + 1],
      Home: [from, 0], End: [from, last],
    }[event.key];
    if (!pair) return;
    event.preventDefault();
    this.tell(pair.map((each) => Math.min(last, Math.max(0, each))));
  }

  tell(pair) {
    this.at = pair;
    text(byId("sees-said"), pair ? this.sentence(...pair) : "");
    this.onPoint(pair ? this.model.byHost.get(this.sees.hosts[pair[1]]) ?? null : null);
  }

  sentence(from, to) {
    const age = this.sees.ageSeconds[from];
    if (from === to) return this.names[from];
    if (age === null) return `${this.names[from]} was not heard`;
    return `${this.names[from]} sees ${this.names[to]} ${WORDS[this.sees.rows[from][to]]} (its word was ${seconds(age)} old)`;
  }

  /** Say in words what is not up, by whom it is seen so. */
  say() {
    const { rows, ageSeconds } = this.sees;
    const silent = this.names.filter((_, index) => ageSeconds[index] === null);
    const lines = [];
    for (const [letter, words] of [["D", "is seen down by"], ["-", "is not known to"], ["?", "is neither up nor down for"]]) {
      this.names.forEach((name, to) => {
        const by = this.names.filter((_, from) => from !== to && ageSeconds[from] !== null && rows[from][to] === letter);
        if (by.length) lines.push(`${name} ${words} ${some(by)}`);
      });
    }
    if (silent.length) lines.push(`${some(silent, 6)} ${silent.length === 1 ? "was" : "were"} not heard`);
    const item = (line) => make("li", {}, line);
    const rest = lines.slice(MAX_SAID);
    const more = rest.length && make("li", {}, make("details", {}, make("summary", {}, `and ${rest.length} more`), make("ul", { class: "plain" }, rest.map(item))));
    text(byId("sees-aside"), lines.length ? "" : this.names.length ? "everyone sees everyone up" : "nobody is known");
    byId("sees-list").replaceChildren(...lines.slice(0, MAX_SAID).map(item), ...(more ? [more] : []));
  }
}
