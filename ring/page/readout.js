// The words in the middle of the ring: the member that is pointed at, else what is chosen, else all of them.
import { byId, make } from "./dom.js";
import { verdictOf } from "./whatif.js";
import { MODES, STATES, percent, plural } from "./words.js";

export class Readout {
  constructor() {
    this.box = byId("readout");
  }

  show(model) {
    this.model = model;
    if (this.member) this.member = model.byHost.get(this.member.hostId) ?? null;
    this.write();
  }

  answer(choice, answer) {
    this.count = this.model ? choice.hosts(this.model).size : 0;
    this.told = answer;
    this.write();
  }

  point(member, arc) {
    Object.assign(this, { member, arc });
    this.write();
  }

  write() {
    if (!this.model) return;
    const lines = this.member ? this.ofMember(this.member) : this.count ? this.ofChoice() : this.ofAll();
    this.box.replaceChildren(...lines.filter(Boolean));
  }

  ofAll() {
    const { counts, members, tokens } = this.model;
    return [
      make("p", { class: "name" }, `${counts.U} of ${members.length} up`),
      counts.D > 0 && make("p", { class: "line bad" }, `${counts.D} down`),
      counts["?"] > 0 && make("p", { class: "line warn" }, `${counts["?"]} unknown`),
      make("p", { class: "line" }, plural(tokens, "token")),
    ];
  }

  verdict() {
    if (this.told?.problem) return ["Not known", " warn"];
    const found = verdictOf(this.told);
    if (!found) return ["…", ""];
    return { safe: ["Safe", ""], "not safe": ["Not safe", " bad"], "not now": ["Not now", " warn"] }[found];
  }

  ofChoice() {
    const [words, mood] = this.verdict();
    return [make("p", { class: `name${mood}` }, words), make("p", { class: "line" }, `${plural(this.count, "member")} stopped`)];
  }

  ofMember(member) {
    const state = [STATES[member.live], MODES[member.mode]].filter(Boolean).join(", ");
    const mood = member.live === "D" ? " bad" : member.live === "?" ? " warn" : "";
    return [
      make("p", { class: "name" }, member.name),
      make("p", { class: `line${mood}` }, state),
      make("p", { class: "line" }, `${member.dcName} / ${member.rackName}`),
      member.owns !== undefined && make("p", { class: "line" }, `first for ${percent(member.owns)}`),
      this.count > 0 && make("p", { class: `line${this.verdict()[1]}` }, `${this.count} stopped: ${this.verdict()[0].toLowerCase()}`),
      this.arc && make("p", { class: "line" }, `up to ${this.arc.token}`),
    ];
  }
}
