// The four answers that come first: who is up, what is served, what was found, and whether it is one ring.
import { attribute, byId, follow, make, text } from "./dom.js";
import { level, percent, plural, some } from "./words.js";

const MOOD_SIGN = { good: "✓", warn: "▲", bad: "✕", none: "·" };

/** Bring the tiles up to date; `health` is null while it is not known, `healthProblem` says why. */
export function showSummary(model, health, healthProblem) {
  const tiles = [members(model), service(health, healthProblem), findings(model.picture.findings), unity(model)];
  follow(byId("tiles"), tiles, {
    key: (tile) => tile.name,
    create: () => make("div", { class: "tile" }, make("dt"), make("dd", { class: "big" }), make("dd", { class: "more" })),
    update: (element, tile) => {
      const [term, big, more] = element.children;
      attribute(element, "data-mood", tile.mood);
      attribute(element, "id", `tile-${tile.name}`);
      text(term, tile.term);
      big.replaceChildren(make("span", { class: "sign", "aria-hidden": "true" }, MOOD_SIGN[tile.mood]), tile.big);
      text(more, tile.more);
    },
    stamp: (tile) => JSON.stringify(tile),
  });
}

function members({ counts, members: all, dcs }) {
  const mood = counts.D ? "bad" : counts["?"] ? "warn" : "good";
  const moving = [["J", "joining"], ["L", "leaving"], ["M", "moving"]].filter(([mode]) => counts[mode]);
  const more = [
    counts.D ? `${counts.D} down` : "",
    counts["?"] ? `${counts["?"]} unknown` : "",
    ...moving.map(([mode, word]) => `${counts[mode]} ${word}`),
    `${plural(dcs.length, "data centre")}, ${plural(dcs.reduce((sum, dc) => sum + dc.racks.length, 0), "rack")}`,
  ];
  return { name: "members", term: "Members", mood: all.length ? mood : "warn", big: `${counts.U} of ${all.length} up`, more: more.filter(Boolean).join(" · ") };
}

/** What the levels that decide can serve, over all keyspaces. */
function service(health, problem) {
  const term = "Reads and writes";
  if (!health) return { name: "service", term, mood: "warn", big: "Not known", more: problem || "no answer yet" };
  const checks = Object.entries(health.keyspaces).flatMap(([keyspace, each]) => each.checks.filter((check) => check.decides).map((check) => ({ keyspace, ...check })));
  if (!checks.length) return { name: "service", term, mood: "warn", big: "Not known", more: "no keyspace was read" };
  const failing = checks.filter((check) => check.failingRanges.worst > 0);
  if (failing.length) {
    const worst = failing.reduce((one, other) => (other.satisfiable.worst < one.satisfiable.worst ? other : one));
    const certain = failing.some((check) => check.failingRanges.best > 0);
    const names = [...new Set(failing.map((check) => check.keyspace))];
    return {
      name: "service", term, mood: certain ? "bad" : "warn",
      big: certain ? `Lost in ${some(names, 2)}` : `In doubt in ${some(names, 2)}`,
      more: `${level(worst)} cannot be had for ${percent(1 - worst.satisfiable.worst)} of ${worst.keyspace}`,
    };
  }
  const least = checks.reduce((one, other) => (other.margin.worst < one.margin.worst ? other : one));
  const spare = least.margin.worst;
  return {
    name: "service", term, mood: spare > 0 ? "good" : "warn",
    big: "All served",
    more: spare > 0 ? `${plural(spare, "replica")} to spare everywhere` : `nothing to spare: ${level(least)} of ${least.keyspace}`,
  };
}

function findings(found) {
  const of = (severity) => found.filter((each) => each.severity === severity).length;
  const [critical, warning, info] = ["critical", "warning", "info"].map(of);
  const parts = [critical && `${critical} critical`, warning && plural(warning, "warning"), info && `${info} info`].filter(Boolean);
  return {
    name: "findings", term: "Findings", mood: critical ? "bad" : warning ? "warn" : "good",
    big: parts.length ? parts.join(", ") : "None",
    more: found[0]?.what ?? "nothing to look after",
  };
}

function unity({ picture }) {
  const term = "Rings and islands";
  const turn = picture.turn ? ` · ${picture.turn} has the join turn` : "";
  if (picture.rings.length > 1) return { name: "unity", term, mood: "bad", big: `${picture.rings.length} rings`, more: "members founded apart from each other" };
  const apart = (kind) => picture.findings.find((each) => each.kind === kind);
  if (apart("network-cut")) return { name: "unity", term, mood: "bad", big: `${picture.islands.length} islands`, more: "members that do not reach each other" };
  const other = apart("lone-view") ?? apart("views-differ");
  if (other) return { name: "unity", term, mood: "warn", big: "Views differ", more: other.what };
  if (!picture.rings.length) return { name: "unity", term, mood: "warn", big: "Not known", more: `no running member was heard${turn}` };
  const schemas = new Set(picture.members.filter((each) => each.state[0] === "U" && each.schemaVersion).map((each) => each.schemaVersion));
  const agreed = schemas.size > 1 ? `${schemas.size} schema versions` : schemas.size ? "one schema" : "schema not known";
  return { name: "unity", term, mood: schemas.size > 1 ? "warn" : "good", big: "One ring", more: `all connected · ${agreed}${turn}${picture.certain ? "" : " · not certain: something could not be read"}` };
}
