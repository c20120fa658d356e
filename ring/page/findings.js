// Shows findings with their evidence, what to do, and commands to copy.
import { attribute, byId, follow, make, text } from "./dom.js";
import { plural } from "./words.js";

const MOODS = { critical: "bad", warning: "warn", info: "info" };
const SIGNS = { critical: "✕", warning: "▲", info: "i" };
const SAID = 2500; // milliseconds for which a button says that it copied

export function showFindings(found) {
  const worst = found.length ? found[0].severity : "";
  text(byId("findings-count"), found.length ? plural(found.length, "finding") : "");
  const count = byId("nav-findings");
  count.hidden = !found.length;
  text(count, String(found.length));
  attribute(count, "class", `count ${worst}`);
  const seen = new Map();
  const items = found.map((each) => {
    // Of one kind there may be several; what they are about tells them apart, and stays while numbers in them move.
    const base = `${each.kind} ${subject(each)}`;
    seen.set(base, (seen.get(base) ?? 0) + 1);
    return { ...each, key: `${base} ${seen.get(base)}` };
  });
  follow(byId("findings-list"), items.length ? items : [{ key: "none" }], {
    key: (each) => each.key,
    create: (each) => (each.kind ? card(each) : make("li", { class: "none" }, "Nothing was found: the ring is as it should be, as far as it is known.")),
    update: (element, each) => each.kind && fill(element, each),
    stamp: (each) => JSON.stringify(each),
  });
}

function subject(each) {
  return each.what.replace(/[\d.,]+/g, "#");
}

function card(each) {
  return make("li", { class: "finding", "data-severity": each.severity, "data-kind": each.kind },
    make("p", { class: "what" }), make("p", { class: "advice" }), make("div", { class: "commands" }),
    make("details", {}, make("summary", {}, "Evidence"), make("dl", { class: "evidence" })));
}

function fill(element, each) {
  const [what, advice, commands, details] = element.children;
  attribute(element, "data-severity", each.severity);
  what.replaceChildren(
    make("span", { class: "badge", "data-mood": MOODS[each.severity] }, make("span", { "aria-hidden": "true" }, SIGNS[each.severity]), each.severity),
    make("span", {}, each.what), make("span", { class: "kind" }, each.kind));
  text(advice, each.advice);
  follow(commands, each.commands.map((words, index) => ({ words, index })), {
    key: (command) => `${command.index} ${command.words}`,
    create: (command) => commandBox(command.words),
    stamp: (command) => command.words,
  });
  const evidence = Object.entries(each.evidence);
  details.hidden = !evidence.length;
  details.lastElementChild.replaceChildren(...evidence.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, written(value))]));
}

function written(value) {
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.join(", ") || "none";
  return typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : String(value);
}

function commandBox(words) {
  const code = make("code", {}, words);
  const button = make("button", { type: "button", "aria-label": `Copy: ${words}` }, "Copy");
  button.addEventListener("click", async () => {
    text(button, (await copied(words, code)) ? "Copied" : "Selected");
    setTimeout(() => text(button, "Copy"), SAID);
  });
  return make("div", { class: "command" }, make("pre", {}, code), button);
}

/** Copy, or where the browser forbids that (plain HTTP), select it for the user to copy. */
async function copied(words, element) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}
