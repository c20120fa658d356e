// The table of members: every one with its pod, place and state; sorted and filtered here, never cut short.
import { attribute, byId, follow, make, text } from "./dom.js";
import { MODES, SIGNS, STATES, UNKNOWN, bytes, percent, plural, seconds } from "./words.js";

const MOODS = { U: "good", D: "bad", "?": "warn" };
const natural = new Intl.Collator("en", { numeric: true });

const COLUMNS = [
  { name: "Member", sort: (m) => m.name, cell: named },
  { name: "State", sort: (m) => `${"D?U".indexOf(m.live)}${m.mode}`, cell: state },
  { name: "Address", sort: (m) => m.address, cell: (m) => [m.address ?? UNKNOWN], kind: "mono" },
  { name: "DC", sort: (m) => m.dc, cell: (m) => [m.dc ?? UNKNOWN] },
  { name: "Rack", sort: (m) => m.rack, cell: (m) => [m.rack ?? UNKNOWN] },
  { name: "Kubernetes node", sort: (m) => m.kubernetesNode, cell: (m) => [m.kubernetesNode ? m.kubernetesNode + (m.zone && m.zone !== m.rack ? ` (${m.zone})` : "") : UNKNOWN] },
  { name: "Ready", sort: (m) => m.native, cell: (m) => [m.native === null ? UNKNOWN : m.native ? "serves CQL" : "no CQL"] },
  { name: "Owns", sort: (m) => m.owns ?? -1, cell: (m) => [m.owns === undefined ? UNKNOWN : percent(m.owns)], kind: "number", title: "First replica for so much of its data centre's tokens" },
  { name: "Tokens", sort: (m) => m.tokens.length, cell: (m) => [m.tokens.length ? String(m.tokens.length) : UNKNOWN], kind: "number" },
  { name: "Load", sort: (m) => m.load ?? -1, cell: (m) => [bytes(m.load)], kind: "number" },
  { name: "Seen by", sort: (m) => m.votes.down * 1000 - m.votes.up, cell: (m) => [votes(m.votes)] , title: "Running members that see it up, and that do not" },
  { name: "Last word", sort: (m) => m.ageSeconds ?? Infinity, cell: (m) => [m.ageSeconds === null ? "silent" : seconds(m.ageSeconds)], kind: "number", title: "Since it last spoke to its sidecar, when the picture was taken" },
  { name: "Restarts", sort: (m) => m.restarts ?? -1, cell: (m) => [m.restarts === null ? UNKNOWN : String(m.restarts)], kind: "number" },
  { name: "Release", sort: (m) => m.release, cell: (m) => [m.release ?? UNKNOWN] },
  { name: "Host ID", sort: (m) => m.hostId, cell: (m) => [m.hostId], kind: "mono" },
];

export class MemberTable {
  /** `onChoose(member)` when its box is ticked, `onPoint(member or null)` follows pointer and focus. */
  constructor({ onChoose, onPoint }) {
    Object.assign(this, { onChoose, table: byId("members-table"), by: null, down: false });
    this.heads();
    byId("filter").addEventListener("input", () => this.show(this.model, this.colours, this.chosen));
    const body = this.table.tBodies[0];
    const rowOf = (event) => this.model?.byHost.get(event.target.closest?.("tr")?.dataset.host) ?? null;
    for (const name of ["pointerover", "focusin"]) body.addEventListener(name, (event) => onPoint(rowOf(event)));
    for (const name of ["pointerleave", "focusout"]) body.addEventListener(name, () => onPoint(null));
    body.addEventListener("change", (event) => onChoose(rowOf(event)));
  }

  heads() {
    const cells = COLUMNS.map((column) => make("th", { scope: "col", class: column.kind === "number" ? "number" : null, title: column.title },
      make("button", { type: "button", on: { click: () => this.order(column) } }, column.name, make("span", { "aria-hidden": "true" }))));
    this.table.tHead.append(make("tr", {}, cells));
  }

  order(column) {
    this.down = this.by === column && !this.down;
    this.by = column;
    [...this.table.tHead.rows[0].cells].forEach((cell, index) => {
      const here = COLUMNS[index] === column;
      attribute(cell, "aria-sort", here ? (this.down ? "descending" : "ascending") : null);
      text(cell.querySelector("span"), here ? (this.down ? " ▼" : " ▲") : "");
    });
    this.show(this.model, this.colours, this.chosen);
  }

  show(model, colours, chosen) {
    Object.assign(this, { model, colours, chosen });
    if (!model) return;
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = model.members.filter((member) => words.every((word) => haystack(member).includes(word)));
    if (this.by) shown.sort((one, other) => (this.down ? -1 : 1) * compare(this.by.sort(one), this.by.sort(other)));
    text(byId("members-count"), words.length ? `${shown.length} of ${plural(model.members.length, "member")}` : plural(model.members.length, "member"));
    follow(this.table.tBodies[0], shown, {
      key: (member) => member.hostId,
      create: (member) => make("tr", { "data-host": member.hostId }),
      update: (row, member) => this.fill(row, member),
      stamp: (member) => JSON.stringify([member.state, chosen.has(member.hostId), colours.get(member.hostId).css, COLUMNS.map((column) => column.sort(member)), member.zone, member.votes, member.podExists]),
    });
    this.podsWithoutMember();
  }

  fill(row, member) {
    const focused = row.contains(document.activeElement);
    row.style.setProperty("--c", this.colours.get(member.hostId).css);
    row.classList.toggle("picked", this.chosen.has(member.hostId));
    attribute(row, "data-state", member.state);
    row.replaceChildren(...COLUMNS.map((column, index) => make(index ? "td" : "th", { class: column.kind, scope: index ? null : "row" }, column.cell(member, this.chosen))));
    if (focused) row.querySelector("input").focus();
  }

  point(member) {
    this.table.querySelector("tr.shown")?.classList.remove("shown");
    if (member) this.table.querySelector(`tr[data-host="${CSS.escape(member.hostId)}"]`)?.classList.add("shown");
  }

  /** Pods that are no member, which no row can show. */
  podsWithoutMember() {
    const pods = (this.model.picture.pods ?? []).filter((pod) => !pod.hostId || !this.model.byHost.has(pod.hostId));
    follow(byId("strangers"), pods, {
      key: (pod) => pod.name,
      create: () => make("p"),
      update: (element, pod) => text(element, `${pod.name} is a pod and no member: ${pod.phase}${pod.terminating ? ", terminating" : ""}, disk ${pod.disk ?? "not known"}, Cassandra ${pod.cassandra ?? "not known"}.`),
      stamp: (pod) => JSON.stringify(pod),
    });
  }
}

function named(member, chosen) {
  const box = make("input", { type: "checkbox", "aria-label": `What if ${member.name} stops?` });
  box.checked = chosen.has(member.hostId);
  const gone = member.podExists === false ? make("span", { class: "aside" }, " (no such pod)") : null;
  return [make("label", {}, box, " ", make("span", { class: "owner", "aria-hidden": "true" }), member.name), gone];
}

function state(member) {
  const words = [STATES[member.live], MODES[member.mode]].filter(Boolean).join(", ");
  const mood = member.live === "U" && member.mode !== "N" ? "info" : MOODS[member.live];
  return [make("span", { class: "badge", "data-mood": mood, title: `${member.state}, as nodetool status has it` }, make("span", { "aria-hidden": "true" }, SIGNS[member.live]), words)];
}

function votes({ up, down, undecided, silent }) {
  const parts = [`${up} up`, down && `${down} down`, undecided && `${undecided} undecided`, silent && `${silent} silent`];
  return parts.filter(Boolean).join(", ");
}

function haystack(member) {
  const { name, address, dc, rack, kubernetesNode, zone, hostId, release, state: letters } = member;
  return [name, address, dc, rack, kubernetesNode, zone, hostId, release, letters, STATES[member.live], MODES[member.mode]].join(" ").toLowerCase();
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  return typeof one === "string" ? natural.compare(one, other) : one - other;
}
