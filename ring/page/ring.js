// Draws the ring: a track for each data centre, coloured by owner, and inside of them what can be served.
import { attribute, byId } from "./dom.js";
import { fitted, hatching, inks } from "./ink.js";
import { arcAt, place } from "./model.js";
import { isDark } from "./theme.js";

const INKS = ["card", "ink", "soft", "line", "calm", "bad", "bad-ground", "warn-mark", "unknown", "focus", "sunk"];
const TURN = 2 * Math.PI;
const GAP = 2; // CSS pixels between tracks
const NAMED = 17; // an arc that is so long has its owner's short name on it
const SEEN = 1.6; // no mark is shorter, whatever it stands for

const angle = (where) => where * TURN - TURN / 4;

export class RingDrawing {
  /** `onPoint(arc or null)` where the pointer is, `onChoose(member)` on a click. */
  constructor({ onPoint, onChoose }) {
    this.box = byId("drawing");
    this.base = byId("ring-base");
    this.over = byId("ring-over");
    this.model = null;
    this.bands = [];
    this.chosen = new Set();
    this.shown = null;
    this.frame = this.overFrame = 0;
    this.box.addEventListener("pointermove", (event) => {
      const arc = this.arcUnder(event);
      this.box.classList.toggle("over", Boolean(arc));
      onPoint(arc);
    });
    this.box.addEventListener("pointerleave", () => onPoint(null));
    this.box.addEventListener("click", (event) => {
      const arc = this.arcUnder(event);
      if (arc) onChoose(arc.member);
    });
    this.box.addEventListener("keydown", (event) => {
      const arc = this.arcBy(event.key);
      if (!arc) return;
      event.preventDefault();
      if (event.key === "Enter" || event.key === " ") onChoose(arc.member);
      else onPoint(arc);
    });
    this.box.addEventListener("focus", () => attribute(byId("readout"), "aria-live", "polite"));
    this.box.addEventListener("blur", () => {
      attribute(byId("readout"), "aria-live", null);
      onPoint(null);
    });
    this.at = { track: 0, where: 0 };
    new ResizeObserver(() => this.later()).observe(this.box);
  }

  /** Show a model with its owners' colours. */
  show(model, colours) {
    Object.assign(this, { model, colours });
    attribute(this.base, "aria-label", described(model));
    this.later();
  }

  /** Mark parts of the ring, [{from, to, kind: "none" | "lost" | "newly"}], and members that would stop. */
  mark(bands, chosen) {
    Object.assign(this, { bands, chosen });
    this.later();
  }

  /** Bring out what one member owns. */
  point(member) {
    if (this.shown === member) return;
    this.shown = member;
    if (this.overFrame) return; // a pointer moves more often than a screen is drawn
    this.overFrame = requestAnimationFrame(() => {
      this.overFrame = 0;
      this.drawOver();
    });
  }

  later() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      this.drawOver();
    });
  }

  layout(size) {
    const radius = size / 2;
    const tracks = Math.max(1, this.model.dcs.length);
    const depth = Math.min(radius * 0.15, (radius * 0.3) / tracks);
    const outer = radius * 0.955;
    const lines = this.model.dcs.map((dc, index) => ({ dc, middle: outer - depth / 2 - index * (depth + GAP), depth }));
    const inner = outer - tracks * (depth + GAP);
    return { radius, lines, outer, inner, bandDepth: Math.max(5, radius * 0.034), bandMiddle: inner - Math.max(5, radius * 0.034) / 2 - 3 };
  }

  draw() {
    if (!this.model || !this.base.clientWidth) return;
    const { context, size } = fitted(this.base);
    const ink = (this.ink = inks(INKS));
    const at = this.layout(size);
    context.translate(at.radius, at.radius);
    const down = hatching(context, ink.bad, ink["bad-ground"]);
    const gone = hatching(context, ink.ink, ink.card);
    const doubt = hatching(context, ink.unknown, ink.sunk);
    for (const line of at.lines) {
      const styles = new Map();
      for (const arc of line.dc.arcs) {
        const style = this.styleOf(arc.member, { down, gone, doubt });
        if (!styles.has(style)) styles.set(style, []);
        styles.get(style).push(arc);
      }
      for (const [style, arcs] of styles) this.stroke(context, arcs, line, style, line.depth);
      this.names(context, line, ink);
    }
    this.marks(context, at, ink);
    this.service(context, at, ink);
  }

  styleOf(member, { down, gone, doubt }) {
    if (this.chosen.has(member.hostId)) return gone;
    if (member.live === "D") return down;
    if (member.live === "?") return doubt;
    return this.colours.get(member.hostId)[isDark() ? "dark" : "light"];
  }

  /** Stroke arcs of one style as one path: thousands of them are one call. */
  stroke(context, arcs, { middle }, style, width, least = 0) {
    context.beginPath();
    for (const arc of arcs) {
      const length = Math.max(arc.width * TURN * middle, least);
      const trim = length > 5 ? 0.6 / middle : 0;
      const end = angle(arc.to) - trim;
      const begin = end - length / middle + 2 * trim;
      context.moveTo(middle * Math.cos(begin), middle * Math.sin(begin));
      context.arc(0, 0, middle, begin, end);
    }
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }

  names(context, line, ink) {
    if (line.depth < 15) return;
    context.font = `600 ${Math.min(13, line.depth * 0.5)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const dark = isDark();
    for (const arc of line.dc.arcs) {
      if (arc.width * TURN * line.middle < Math.max(NAMED, 8 * arc.member.short.length + 6)) continue;
      const turn = angle(arc.to - arc.width / 2);
      const plain = arc.member.live !== "U" || this.chosen.has(arc.member.hostId);
      const lightness = Number(/oklch\(([\d.]+)/.exec(this.colours.get(arc.member.hostId)[dark ? "dark" : "light"])[1]);
      const [x, y] = [line.middle * Math.cos(turn), line.middle * Math.sin(turn)];
      if (plain) {
        context.strokeStyle = ink.card;
        context.lineWidth = 4;
        context.strokeText(arc.member.short, x, y);
      }
      context.fillStyle = plain ? ink.ink : lightness < 0.57 ? "#fff" : "#000";
      context.fillText(arc.member.short, x, y);
    }
  }

  /** Outside of the tracks, a mark for whatever is not up and normal: seen also where arcs are hair-thin. */
  marks(context, at, ink) {
    const kinds = { D: ink.bad, "?": ink.unknown, J: ink.focus, L: ink.focus, M: ink.focus };
    const width = Math.max(3, at.radius * 0.016);
    const line = { middle: at.radius - width / 2 - 1 };
    for (const [kind, style] of Object.entries(kinds)) {
      const arcs = [];
      for (const dc of this.model.dcs) {
        for (const arc of dc.arcs) if (arc.member.live === kind || (arc.member.live === "U" && arc.member.mode === kind)) arcs.push(arc);
      }
      this.stroke(context, arcs, line, style, width, SEEN);
    }
    const coming = this.model.members.filter((member) => member.mode === "J" && member.tokens.length);
    this.stroke(context, coming.flatMap((member) => member.tokens.map((token) => ({ to: place(token), width: 0 }))), line, ink.focus, width * 2, SEEN * 1.5);
  }

  /** The inner band: calm where there is something to spare, and what cannot be served cuts into the ring. */
  service(context, at, ink) {
    context.beginPath();
    context.arc(0, 0, at.bandMiddle, 0, TURN);
    context.strokeStyle = ink.calm;
    context.lineWidth = 2;
    context.stroke();
    const of = (kind) => this.bands.filter((band) => band.kind === kind);
    const wedge = (bands, style) => {
      context.beginPath();
      for (const band of bands) {
        const end = angle(band.to), begin = end - Math.max(band.width * TURN, SEEN / at.bandMiddle);
        const [near, far] = [at.radius * 0.46, at.bandMiddle];
        context.moveTo(near * Math.cos(begin), near * Math.sin(begin));
        context.arc(0, 0, far, begin, end);
        context.arc(0, 0, near, end, begin, true);
        context.closePath();
      }
      context.fillStyle = style;
      context.fill();
    };
    this.stroke(context, of("none"), { middle: at.bandMiddle }, ink["warn-mark"], at.bandDepth * 0.6, SEEN);
    wedge(of("newly"), ink["bad-ground"]);
    this.stroke(context, of("lost"), { middle: at.bandMiddle }, hatching(context, ink.bad, ink.card), at.bandDepth, SEEN);
    this.stroke(context, of("newly"), { middle: at.bandMiddle }, ink.bad, at.bandDepth, SEEN);
  }

  drawOver() {
    if (!this.model || !this.over.clientWidth) return;
    const { context, size } = fitted(this.over);
    if (!this.shown) return;
    const at = this.layout(size);
    context.translate(at.radius, at.radius);
    for (const line of at.lines) {
      const own = line.dc.arcs.filter((arc) => arc.member.hostId === this.shown.hostId);
      context.globalAlpha = 0.68;
      context.beginPath();
      context.arc(0, 0, line.middle, 0, TURN);
      context.strokeStyle = this.ink.card;
      context.lineWidth = line.depth + 1;
      context.stroke();
      context.globalAlpha = 1;
      if (!own.length) continue;
      this.stroke(context, own, line, this.ink.ink, line.depth + 8, SEEN + 1.4);
      this.stroke(context, own, line, this.styleOf(this.shown, this.patterns(context)), line.depth + 3, SEEN);
    }
  }

  patterns(context) {
    return {
      down: hatching(context, this.ink.bad, this.ink["bad-ground"]),
      gone: hatching(context, this.ink.ink, this.ink.card),
      doubt: hatching(context, this.ink.unknown, this.ink.sunk),
    };
  }

  /** The piece that a key leads to, from the one that a key led to before. */
  arcBy(key) {
    const tracks = this.model?.dcs.map((dc) => dc.arcs).filter((arcs) => arcs.length) ?? [];
    const [along, across] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Enter: [0, 0], " ": [0, 0] }[key] ?? [];
    if (!tracks.length || along === undefined) return null;
    const track = Math.min(tracks.length - 1, Math.max(0, this.at.track + across));
    const arcs = tracks[track];
    const arc = arcs[(arcs.indexOf(arcAt(arcs, this.at.where)) + along + arcs.length) % arcs.length];
    this.at = { track, where: arc.to };
    return arc;
  }

  arcUnder(event) {
    if (!this.model) return null;
    const box = this.box.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2, y = event.clientY - box.top - box.height / 2;
    const far = Math.hypot(x, y);
    const at = this.layout(box.width);
    const line = at.lines.find((each) => Math.abs(far - each.middle) <= each.depth / 2 + GAP);
    if (!line?.dc.arcs.length) return null;
    const where = (Math.atan2(y, x) / TURN + 1.25) % 1;
    return arcAt(line.dc.arcs, where);
  }
}

function described(model) {
  const { counts, members, dcs, tokens } = model;
  const parts = dcs.map((dc) => `${dc.name} with ${dc.members.length} members in racks ${dc.racks.map((rack) => rack.name).join(", ")}`);
  return `The ring: ${members.length} members with ${tokens} tokens; ${counts.U} up, ${counts.D} down, ${counts["?"]} unknown. ${parts.join("; ")}. The table of members has the same.`;
}
