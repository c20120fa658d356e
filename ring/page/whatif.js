// What is chosen to stop, what the manager says of it, and how that is told.
import { attribute, byId, follow, make, text } from "./dom.js";
import { ask } from "./stream.js";
import { alike, level, pair, percent, plural, signed, some } from "./words.js";

const KINDS = ["stop", "drain", "rack", "dc"];
const SHOWN = 12; // lines of an answer
const MOST = 150; // pods that fit into a request's line with room to spare
const PAUSE = 120; // milliseconds, so that a rack chosen button by button is one question

/** What is chosen; names are host IDs, Kubernetes nodes, DC/RACK and data centres, as `/v1/whatif` takes them. */
export class Choice {
  constructor() {
    for (const kind of KINDS) this[kind] = new Set();
  }

  toggle(kind, name) {
    if (!this[kind].delete(name)) this[kind].add(name);
  }

  clear() {
    for (const kind of KINDS) this[kind].clear();
  }

  get size() {
    return KINDS.reduce((sum, kind) => sum + this[kind].size, 0);
  }

  /** Forget what the ring has no more; returns whether anything was. */
  prune(model) {
    const before = this.size;
    const machines = new Set(model.members.map((member) => member.kubernetesNode));
    const racks = new Set(model.dcs.flatMap((dc) => dc.racks.map((rack) => `${dc.name}/${rack.name}`)));
    const dcs = new Set(model.dcs.map((dc) => dc.name));
    for (const host of this.stop) if (!model.byHost.has(host)) this.stop.delete(host);
    for (const name of this.drain) if (!machines.has(name)) this.drain.delete(name);
    for (const name of this.rack) if (!racks.has(name)) this.rack.delete(name);
    for (const name of this.dc) if (!dcs.has(name)) this.dc.delete(name);
    return this.size !== before;
  }

  /** Host IDs of all members that would stop. */
  hosts(model) {
    const found = new Set(this.stop);
    for (const member of model.members) {
      const chosen = this.drain.has(member.kubernetesNode) || this.rack.has(`${member.dcName}/${member.rackName}`) || this.dc.has(member.dcName);
      if (chosen) found.add(member.hostId);
    }
    return found;
  }

  /** [kind, name, words] of each thing chosen. */
  entries(model) {
    const words = {
      stop: (name) => model.byHost.get(name)?.name ?? name,
      drain: (name) => `node ${name}`,
      rack: (name) => `rack ${name}`,
      dc: (name) => `data centre ${name}`,
    };
    return KINDS.flatMap((kind) => [...this[kind]].map((name) => ({ kind, name, words: words[kind](name) })));
  }

  /** As a query; pods' names are shorter than host IDs, and a request's line has an end. */
  query(model) {
    const query = new URLSearchParams();
    for (const kind of KINDS) {
      for (const name of this[kind]) query.append(kind, kind === "stop" ? model.byHost.get(name)?.pod ?? name : name);
    }
    return query.toString();
  }

  /** The same for `/v1/gate`, which knows pods and one machine; null where there is too much to ask. */
  gate(model) {
    const query = new URLSearchParams();
    if (this.drain.size === 1 && this.size === 1) query.append("node", [...this.drain][0]);
    else for (const host of this.hosts(model)) query.append("pod", model.byHost.get(host).pod ?? host);
    return query.size && query.size <= MOST ? query.toString() : null;
  }
}

/** Asks for the consequences of a choice; a newer question ends an older one. */
export class Consequences {
  constructor(onAnswer) {
    this.onAnswer = onAnswer;
  }

  /** `query` is of what-if and arcs, `gate` of the gate or null; an empty query takes the answer back. */
  ask(query, gate) {
    clearTimeout(this.timer);
    this.asking?.abort();
    if (!query) return this.onAnswer(null);
    this.timer = setTimeout(() => this.fetch(query, gate), PAUSE);
  }

  async fetch(query, gate) {
    const { signal } = (this.asking = new AbortController());
    const paths = [`v1/whatif?${query}`, `v1/arcs?${query}`, ...(gate ? [`v1/gate?${gate}`] : [])];
    try {
      const answers = await Promise.all(paths.map((path) => ask(path, { signal })));
      const [whatif, arcs, gated] = answers.map(({ body }) => body);
      if (!signal.aborted) this.onAnswer({ whatif, arcs, gate: gated ?? null });
    } catch (error) {
      if (!signal.aborted) this.onAnswer({ problem: error.message });
    }
  }
}

/** Show what is chosen and the answer to it. */
export function showAnswer(model, choice, answer) {
  const entries = choice.entries(model);
  byId("clear").hidden = !entries.length;
  follow(byId("chosen"), entries, {
    key: (entry) => `${entry.kind} ${entry.name}`,
    create: (entry) => make("li", {}, make("button", { type: "button", "data-kind": entry.kind, "data-name": entry.name })),
    update: (element, entry) => {
      text(element.firstChild, `${entry.words} ×`);
      attribute(element.firstChild, "aria-label", `Do not stop ${entry.words}`);
    },
    stamp: (entry) => entry.words,
  });
  const title = byId("answer-title");
  const told = verdict(entries, choice.hosts(model).size, answer);
  attribute(title, "data-safe", told.safe);
  text(title, told.words);
  const body = byId("answer-body");
  const stamp = JSON.stringify([told, answer?.whatif?.keyspaces, answer?.gate]);
  if (body.dataset.stamp === stamp) return;
  body.dataset.stamp = stamp;
  body.replaceChildren(...(answer?.whatif ? [...gateSays(answer), ...consequences(answer.whatif, model), ...gateWarns(answer)] : []));
}

/** "safe", "not safe", or "not now" where replicas would do and the gate still says no; null without an answer. */
export function verdictOf(answer) {
  if (!answer?.whatif) return null;
  if (!answer.whatif.safe) return "not safe";
  return answer.gate && !answer.gate.allowed ? "not now" : "safe";
}

/** What the gate holds against it, besides levels that the what-if tells of. */
function gateSays({ whatif, gate }) {
  const against = gate?.reasons.filter((reason) => whatif.safe || reason.code !== "level-lost") ?? [];
  return against.length ? [make("ul", { class: "losses", id: "gate" }, against.map(({ what }) => make("li", { class: "loss", "data-mood": "bad" }, what)))] : [];
}

/** What does not forbid it and is worth knowing. */
function gateWarns({ gate }) {
  return gate?.warnings.length ? [make("ul", { class: "losses" }, gate.warnings.map(({ what }) => make("li", { class: "loss" }, what)))] : [];
}

function verdict(entries, count, answer) {
  if (!entries.length) return { safe: "none", words: "Nothing is chosen." };
  const what = entries.length === 1 ? entries[0].words : plural(count, "member");
  if (!answer) return { safe: "none", words: `Working out what stopping ${what} would do …` };
  if (answer.problem) return { safe: "none", words: `No answer: ${answer.problem}` };
  if (verdictOf(answer) === "not now") return { safe: "later", words: `▲ Not now: with ${what} stopped, whatever is served now still is, but other things speak against it.` };
  if (answer.whatif.safe) return { safe: "yes", words: `✓ Safe: with ${what} stopped, whatever is served now still is.` };
  const lost = Object.entries(answer.whatif.keyspaces).filter(([, each]) => !each.safe).map(([name]) => name);
  return { safe: "no", words: `✕ Not safe: with ${what} stopped, ${lost.length === 1 ? "a part" : "parts"} of ${some(lost)} cannot be served.` };
}

function consequences(whatif, model) {
  const keyspaces = Object.entries(whatif.keyspaces).sort(([, one], [, other]) => one.safe - other.safe);
  const items = merged(keyspaces.flatMap(([name, each]) => lines(name, each)));
  const shown = items.slice(0, SHOWN);
  const rest = items.length - shown.length;
  const unknown = whatif.unknown.map((host) => model.byHost.get(host)?.name ?? host);
  return [
    make("ul", { class: "losses" }, shown),
    rest > 0 && make("p", { class: "hint" }, `and ${rest} more, of less weight`),
    unknown.length > 0 && make("p", { class: "hint" }, `Whether ${some(unknown)} ${unknown.length === 1 ? "is" : "are"} up is unknown: figures are for the worst and the best case.`),
    !items.length && make("p", { class: "hint" }, "No consistency level of any keyspace gets worse."),
  ].filter(Boolean);
}

/** What gets worse in a keyspace: first levels that decide, then in one line those that do not. */
function lines(name, keyspace) {
  const tight = (check) => check.loss || check.after.margin.worst <= 0;
  const made = alike(keyspace.worse.filter((check) => check.decides && tight(check))).map((check) => {
    const what = check.loss ? `lost for ${pair(check.lost, percent)} of the ring` : "served, with nothing to spare";
    return line(check.loss ? "bad" : "warn", name, `${level(check)}, ${check.operations.join(" and ")}: ${what}`, `margin ${pair(check.before.margin, signed)} → ${pair(check.after.margin, signed)}`);
  });
  for (const check of alike(keyspace.lostBefore)) {
    const share = { worst: 1 - check.satisfiable.worst, best: 1 - check.satisfiable.best };
    made.push(line("warn", name, `${level(check)}: lost already for ${pair(share, percent)} of the ring, before any change`));
  }
  const levels = (some) => [...new Set(keyspace.worse.filter(some).map((check) => check.level))].join(", ");
  const also = levels((check) => check.loss && !check.decides), spare = levels((check) => check.decides && !tight(check));
  if (spare) made.push(line("none", name, `${spare}: less to spare`));
  if (also) made.push(line("none", name, `${also}: lost in part, but they do not decide`));
  return made;
}

function line(mood, name, words, facts = "") {
  return { mood, names: [name], words, facts };
}

/** Keyspaces for which the same is to be said share a line. */
function merged(found) {
  const known = new Map();
  for (const each of found) {
    const key = [each.mood, each.words, each.facts].join("|");
    if (known.has(key)) known.get(key).names.push(...each.names);
    else known.set(key, each);
  }
  const order = ["bad", "warn", "none"];
  return [...known.values()].sort((one, other) => order.indexOf(one.mood) - order.indexOf(other.mood)).map(({ mood, names, words, facts }) =>
    make("li", { class: "loss", "data-mood": mood }, make("b", {}, some(names, 4)), ` ${words} `, facts && make("span", { class: "facts" }, facts)));
}
