// Wires the parts: the stream brings pictures, every part shows its side of them, and what is pointed at or chosen.
import { attribute, byId, follow, make, text } from "./dom.js";
import { freshness, steadyClock } from "./freshness.js";
import { showFindings } from "./findings.js";
import { HealthTable } from "./health.js";
import { said, showHistory, startHistory } from "./history.js";
import { RackMap } from "./map.js";
import { MemberTable } from "./members.js";
import { derive } from "./model.js";
import { meaning, paint } from "./palette.js";
import { Readout } from "./readout.js";
import { RingDrawing } from "./ring.js";
import { Sight } from "./sees.js";
import { showSources } from "./sources.js";
import { ask, Stream } from "./stream.js";
import { showSummary } from "./summary.js";
import { startTheme } from "./theme.js";
import { Choice, Consequences, showAnswer } from "./whatif.js";
import { Bands } from "./bands.js";
import { rack, seconds } from "./words.js";

const clock = steadyClock();
const choice = new Choice();
const state = { model: null, colours: null, health: null, healthProblem: "", healthTurn: 0, picture: null, answer: null, stale: false, wallOffset: 0 };

const ring = new RingDrawing({ onPoint: (arc) => point(arc?.member ?? null, arc), onChoose: (member) => choose("stop", member.hostId) });
const map = new RackMap(byId("map"), { onChoose: choose, onPoint: point, onClear: clear });
const table = new MemberTable({ onChoose: (member) => choose("stop", member.hostId), onPoint: point });
const sight = new Sight({ onPoint: point });
const readout = new Readout();
const health = new HealthTable();
const bands = new Bands(() => showBands());
const consequences = new Consequences((answer) => {
  state.answer = answer;
  showWhatif();
});
const stream = new Stream({ onPicture: take, onChange: showFreshness, clock });

startTheme(() => state.model && redraw());
startHistory();
byId("clear").addEventListener("click", clear);
byId("chosen").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(button.dataset.kind, button.dataset.name);
});
byId("drain").addEventListener("change", (event) => {
  if (event.target.value) choose("drain", event.target.value);
  event.target.value = "";
});
setInterval(showFreshness, 500);
stream.start();

/** A new picture, or word that the one here is still the newest. */
function take({ picture, age, stale, got }) {
  state.picture = { age, stale, got };
  if (picture) {
    const before = state.model;
    state.wallOffset = Date.parse(picture.at) + age * 1000 - got;
    state.model = derive(picture);
    state.colours = paint(state.model);
    show(before);
    refreshHealth();
    if (choice.size) consequences.ask(choice.query(state.model), choice.gate(state.model));
  }
  showFreshness();
}

function show(before) {
  const { model, colours } = state;
  const { picture } = model;
  byId("main").removeAttribute("data-waiting");
  text(byId("service"), picture.service || "Cassandra ring");
  text(byId("namespace"), picture.namespace ? `in ${picture.namespace}` : "");
  if (choice.prune(model)) state.answer = null;
  ring.show(model, colours);
  showFindings(picture.findings);
  showSummary(model, state.health, state.healthProblem);
  health.show(model, state.health, state.healthProblem);
  sight.show(model);
  showHistory(picture.history, model, clock() + state.wallOffset);
  showSources(picture);
  machines(model);
  legend(model, colours);
  readout.show(model);
  showWhatif();
  title(model);
  speak(before, model);
}

/** Colours of canvases do not follow the theme by themselves. */
function redraw() {
  ring.show(state.model, state.colours);
  sight.draw();
}

async function refreshHealth() {
  const turn = (state.healthTurn += 1);
  const [answer] = await Promise.all([ask("v1/keyspaces?checks=all").catch((error) => error), bands.refresh(), health.refresh()]);
  if (turn !== state.healthTurn) return; // a newer picture is being asked about
  state.health = answer.body ?? null;
  state.healthProblem = answer.body ? "" : answer.message;
  showSummary(state.model, state.health, state.healthProblem);
  health.show(state.model, state.health, state.healthProblem);
}

function choose(kind, name) {
  choice.toggle(kind, name);
  state.answer = null;
  consequences.ask(choice.query(state.model), choice.gate(state.model));
  showWhatif();
}

function clear() {
  choice.clear();
  state.answer = null;
  consequences.ask("");
  showWhatif();
}

function showWhatif() {
  const { model, colours } = state;
  if (!model) return;
  const answer = answerNow();
  map.show(model, colours, choice);
  table.show(model, colours, choice.hosts(model));
  showAnswer(model, choice, answer);
  readout.answer(choice, answer);
  showBands();
}

function showBands() {
  if (state.model) ring.mark(bands.shown(choice.size ? answerNow()?.arcs : null), choice.hosts(state.model));
}

/** An answer from an old picture decides nothing now. */
function answerNow() {
  if (!state.stale || state.answer?.problem) return state.answer;
  return { problem: "the picture is old, and so is what follows from it" };
}

function point(member, arc = null) {
  ring.point(member);
  map.point(member);
  table.point(member);
  readout.point(member, arc);
}

function machines(model) {
  const hosts = new Map();
  for (const { kubernetesNode, name } of model.members) if (kubernetesNode) hosts.set(kubernetesNode, [...(hosts.get(kubernetesNode) ?? []), name]);
  const names = [...hosts.keys()].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  follow(byId("drain"), ["", ...names], {
    key: (name) => name,
    create: (name) => make("option", { value: name }),
    update: (option, name) => text(option, name ? `${name} (${hosts.get(name).join(", ")})` : "a Kubernetes node …"),
    stamp: (name) => (name ? hosts.get(name).join() : ""),
  });
  byId("drain").disabled = !names.length;
}

function legend(model, colours) {
  const several = model.dcs.length > 1;
  const of = meaning(model);
  const owners = of === "rack"
    ? model.dcs.flatMap((dc) => dc.racks.map(({ name, colour }) => [several ? `${dc.name}/${name}` : rack(name), colour.css]))
    : model.members.slice(0, 8).map((member) => [member.name, colours.get(member.hostId).css]);
  const marks = [["down", "down"], ["unknown", "unknown"], ["stopped", "would stop"], ["none", "nothing to spare"], ["lost", "lost"], ["newly", "would be lost"]];
  const items = [
    ...owners.slice(0, 18).map(([words, css]) => ({ words, css, kind: "" })),
    ...(several ? [{ words: `${model.dcs.map((dc) => dc.name).join(", ")}: from outside in`, kind: "track" }] : []),
    ...marks.map(([kind, words]) => ({ words, kind })),
  ];
  follow(byId("legend"), items, {
    key: (item) => `${item.kind} ${item.words}`,
    create: (item) => make("li", {}, item.kind !== "track" && make("span", { class: `chip ${item.kind}`, css: item.css ? { "--c": item.css } : {}, "aria-hidden": "true" }), item.words),
    update: (element, item) => item.css && element.firstChild.style.setProperty("--c", item.css),
    stamp: (item) => item.css ?? "",
  });
}

function title({ picture, counts }) {
  const troubles = picture.findings.filter((each) => each.severity === "critical").length;
  const sign = troubles || counts.D ? "✕ " : "";
  document.title = `${sign}${picture.service || "ring"}: ${counts.U} of ${picture.members.length} up`;
}

/** Say aloud what is new since the picture before: changes of the ring and findings. */
function speak(before, { picture, ...model }) {
  if (!before) return;
  const last = before.picture.history.at(-1)?.at ?? "";
  const kinds = new Set(before.picture.findings.map((each) => each.kind));
  const words = [
    ...picture.history.filter((change) => change.at > last).slice(-3).map((change) => said(change, model)),
    ...picture.findings.filter((each) => !kinds.has(each.kind) && each.severity !== "info").slice(0, 3).map((each) => `${each.severity}: ${each.what}`),
  ];
  if (words.length) byId("spoken").replaceChildren(make("p", {}, words.join(". ")));
}

function showFreshness() {
  const { state: how, age, reason } = freshness({ now: clock(), picture: state.picture, stream: stream.state, heard: stream.heard });
  const pill = byId("freshness");
  const old = age === null ? "" : seconds(age);
  const words = { waiting: stream.problem || "Waiting for the first picture", live: `Live · ${old} old`, catching: `${reason} · ${old} old`, stale: age === null ? "No picture" : `Stale · ${old} old` };
  attribute(pill, "data-state", how);
  text(byId("freshness-text"), words[how]);
  const stale = how === "stale";
  if (stale !== state.stale) {
    state.stale = stale;
    showWhatif();
  }
  document.documentElement.toggleAttribute("data-stale", stale);
  const banner = byId("stale");
  banner.hidden = !stale;
  const why = [reason, stream.problem && stream.problem !== reason ? stream.problem : ""].filter(Boolean).join(": ");
  text(banner, !stale ? "" : state.model ? `${why}. What is below was so at ${at()}, and may be so no more.` : `${why}. Asking again.`);
  if (stale && state.model && !document.title.startsWith("(stale) ")) document.title = `(stale) ${document.title}`;
  if (!stale && document.title.startsWith("(stale) ")) title(state.model);
}

function at() {
  return new Date(state.model.picture.at).toLocaleTimeString();
}
