// What the ring's inner band shows: ranges with nothing to spare, and those that are lost or would be.
import { byId, follow, make, text } from "./dom.js";
import { place } from "./model.js";
import { ask } from "./stream.js";

export class Bands {
  constructor(onChange) {
    this.onChange = onChange;
    this.now = null;
    this.keyspace = "";
    byId("shown").addEventListener("change", (event) => {
      this.keyspace = event.target.value;
      onChange();
    });
  }

  async refresh() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const answer = await ask("v1/arcs").catch(() => ({ body: null })); // the health table says why
    if (turn !== this.turn) return;
    this.now = answer.body;
    this.choices();
    this.onChange();
  }

  choices() {
    const names = this.now ? this.now.replications.flatMap((each) => each.keyspaces).sort() : [];
    if (!names.includes(this.keyspace)) this.keyspace = "";
    follow(byId("shown"), ["", ...names], {
      key: (name) => name,
      create: (name) => make("option", { value: name }),
      update: (option, name) => text(option, name || "all keyspaces"),
      stamp: (name) => name,
    });
    byId("shown").value = this.keyspace;
  }

  /** The bands to draw: those of an answer to a what-if where there is one, else those of now. */
  shown(answer) {
    const found = answer ?? this.now;
    if (!found) return [];
    const of = this.keyspace ? found.replications.filter((each) => each.keyspaces.includes(this.keyspace)) : found.replications;
    return of.flatMap((each) => each.arcs.map((arc) => {
      const from = place(arc.after), to = place(arc.to);
      const width = arc.after === arc.to ? 1 : (to - from + 1) % 1;
      return { from, to, width, kind: arc.newly ? "newly" : arc.margin < 0 ? "lost" : "none" };
    }));
  }
}
