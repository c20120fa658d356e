// The table of keyspaces and consistency levels; a row opens to every check, and to who is behind it.
import { attribute, byId, follow, make, text } from "./dom.js";
import { ask } from "./stream.js";
import { alike, pair, percent, plural, signed, some } from "./words.js";

const LEVELS = ["ONE", "LOCAL_ONE", "TWO", "THREE", "QUORUM", "LOCAL_QUORUM", "EACH_QUORUM", "ALL", "SERIAL", "LOCAL_SERIAL"];
const SIGNS = { good: "", warn: "▲", bad: "✕" };

export class HealthTable {
  constructor() {
    this.opened = new Map(); // keyspace → its answer, null while that is on the way
    this.table = byId("health-table");
  }

  show(model, health, problem) {
    Object.assign(this, { model, health });
    const rows = health ? Object.entries(health.keyspaces).map(([name, each]) => ({ name, ...each })) : [];
    rows.sort((one, other) => one.healthy - other.healthy || own(one) - own(other) || one.name.localeCompare(other.name));
    const levels = LEVELS.filter((level) => rows.some((row) => row.checks.some((check) => check.level === level)));
    const bad = rows.filter((row) => !row.healthy).length;
    text(byId("health-aside"), health ? (bad ? `${bad} of ${plural(rows.length, "keyspace")} not healthy` : `${plural(rows.length, "keyspace")}, all healthy`) : problem || "not known yet");
    this.heads(levels);
    const items = rows.flatMap((row) => (this.opened.has(row.name) ? [{ ...row, key: row.name }, { ...row, key: `${row.name} more`, inside: true }] : [{ ...row, key: row.name }]));
    for (const [name, why] of Object.entries(health?.unreadable ?? {})) items.push({ key: `unreadable ${name}`, name, why });
    follow(this.table.tBodies[0], items, {
      key: (row) => row.key,
      create: (row) => (row.inside ? make("tr", {}, make("td", { class: "inside" })) : make("tr")),
      update: (element, row) => {
        if (row.inside) this.inside(element.firstChild, row.name, levels.length + 1);
        else if (row.why) element.replaceChildren(make("th", { scope: "row" }, row.name), make("td", { colspan: levels.length }, `cannot be judged: ${row.why}`));
        else this.fill(element, row, levels);
      },
      stamp: (row) => JSON.stringify([row, levels, row.inside && this.opened.get(row.name)]),
    });
  }

  heads(levels) {
    const head = this.table.tHead;
    if (head.dataset.levels === levels.join()) return;
    head.dataset.levels = levels.join();
    head.replaceChildren(make("tr", {}, make("th", { scope: "col" }, "Keyspace"), levels.map((level) => make("th", { scope: "col" }, level))));
  }

  fill(element, row, levels) {
    const open = this.opened.has(row.name);
    const focused = element.contains(document.activeElement);
    const button = make("button", { type: "button", "aria-expanded": String(open), "aria-label": `Every check of ${row.name}`, on: { click: () => this.toggle(row.name) } }, open ? "▾" : "▸");
    const title = make("th", { scope: "row" }, make("span", { class: "more" }, button), row.name, make("small", {}, replication(row.replication)));
    element.replaceChildren(title, ...levels.map((level) => make("td", {}, this.cell(row, level))));
    if (focused) button.focus();
  }

  /** One level: its worst answer over reads and writes, and over data centres. */
  cell(row, level) {
    const checks = row.checks.filter((check) => check.level === level);
    if (!checks.length) return "";
    const worst = checks.reduce((one, other) => (other.satisfiable.worst < one.satisfiable.worst || (other.satisfiable.worst === one.satisfiable.worst && other.margin.worst < one.margin.worst) ? other : one));
    const mood = worst.failingRanges.worst ? "bad" : worst.margin.worst > 0 ? "good" : "warn";
    const lost = { worst: 1 - worst.satisfiable.worst, best: 1 - worst.satisfiable.best };
    const words = mood === "bad" ? pair(lost, percent) : pair(worst.margin, signed);
    const where = `${worst.operation}${worst.dc ? ` in ${worst.dc}` : ""}`;
    const said = mood === "bad" ? `cannot be had for ${words} of the ring (${where})` : `margin ${words} (${where})`;
    return make("span", { class: `margin${checks.some((check) => check.decides) ? " decides" : ""}`, "data-mood": mood, title: said },
      SIGNS[mood] && make("span", { "aria-hidden": "true" }, SIGNS[mood]), make("span", { "aria-hidden": "true" }, words), make("span", { class: "unseen" }, said));
  }

  async toggle(name) {
    if (this.opened.delete(name)) return this.show(this.model, this.health);
    this.opened.set(name, null);
    this.show(this.model, this.health);
    await this.refresh([name]);
  }

  /** Ask again for what is open. */
  async refresh(names = [...this.opened.keys()]) {
    await Promise.all(names.map(async (name) => {
      const answer = await ask(`v1/keyspaces/${encodeURIComponent(name)}`).then(({ body }) => body, (error) => ({ problem: error.message }));
      if (this.opened.has(name)) this.opened.set(name, answer);
    }));
    if (this.model) this.show(this.model, this.health);
  }

  inside(cell, name, columns) {
    attribute(cell, "colspan", columns);
    const answer = this.opened.get(name);
    if (!answer || answer.problem) {
      cell.replaceChildren(answer ? `No answer: ${answer.problem}` : "Asking …");
      return;
    }
    const rows = alike(answer.checks).map((check) => make("tr", {},
      make("th", { scope: "row" }, check.level), make("td", {}, check.operations.join(" and ")), make("td", {}, check.dc ?? "all"),
      make("td", { class: "number" }, pair(check.satisfiable, percent)), make("td", { class: "number" }, pair(check.margin, signed)),
      make("td", { class: "number" }, pair(check.failingRanges, (count) => count.toLocaleString("en"))), make("td", {}, this.behind(check))));
    const heads = ["Level", "For", "DC", "Served", "Margin", "Failing ranges", "Behind it (ranges)"];
    cell.replaceChildren(make("table", { class: "grid" },
      make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, rows)));
  }

  behind(check) {
    const found = Object.entries(check.behind ?? {}).map(([host, { ranges }]) => `${this.model.byHost.get(host)?.name ?? host} (${ranges})`);
    return some(found, 4);
  }
}

/** Cassandra's own keyspaces come last. */
function own(row) {
  return /^system(_|$)/.test(row.name) ? 1 : 0;
}

function replication(options) {
  const { class: name, ...rest } = options;
  const pairs = Object.entries(rest).map(([option, value]) => (option === "replication_factor" ? `RF ${value}` : `${option} ${value}`));
  return [name.replace(/^.*\./, "").replace("NetworkTopologyStrategy", "Network topology").replace("SimpleStrategy", "Simple"), ...pairs].join(" · ");
}
