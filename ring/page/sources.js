// Where a picture comes from: what was read, how old that is, and what could not be.
import { byId, make, text } from "./dom.js";
import { plural, seconds, some } from "./words.js";

const GROUPS = [["kubernetes", "Kubernetes"], ["sidecars", "Sidecars"], ["cql", "Cassandra, by CQL"]];

export function showSources(picture) {
  const rows = GROUPS.map(([key, title]) => row(title, Object.entries(picture.sources[key])));
  const failing = rows.reduce((sum, each) => sum + each.bad, 0);
  text(byId("sources-short"), failing ? `· ${plural(failing, "source")} cannot be read` : "· all sources fresh");
  const heads = ["Source", "Fresh", "Oldest", "What cannot be read"];
  byId("sources-body").replaceChildren(make("table", { class: "grid" },
    make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, rows.map((each) => make("tr", {}, make("th", { scope: "row" }, each.title), each.cells.map((cell) => make("td", {}, cell)))))));
  text(byId("ring-id"), picture.ringId ? `Ring ${picture.ringId}.` : "The ring's record is not known.");
}

function row(title, readings) {
  const bad = readings.filter(([, each]) => !each.fresh || each.failure);
  const ages = readings.map(([, each]) => each.ageSeconds).filter((age) => age !== null);
  const words = bad.map(([name, each]) => `${name}: ${each.failure ?? "not fresh"}`);
  return { title, bad: bad.length, cells: [`${readings.filter(([, each]) => each.fresh).length} of ${readings.length}`, ages.length ? seconds(Math.max(...ages)) : "–", some(words, 4)] };
}
