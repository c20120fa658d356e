// The last changes of the ring, newest first.
import { byId, follow, make, text } from "./dom.js";
import { ago, moment, plural, seconds } from "./words.js";

const SHOWN = 25;
const SIGNS = {
  joined: "+", left: "−", replaced: "⇄", "address-changed": "→", "volume-changed": "▣",
  restarted: "↻", "went-down": "✕", "came-back": "●", "schema-changed": "§",
};

let all = false;
let last = null;

export function startHistory() {
  byId("history-more").addEventListener("click", () => {
    all = true;
    showHistory(...last);
  });
}

/** `now`: milliseconds since 1970 as the manager's clock has them, so that "ago" does not follow this machine's. */
export function showHistory(log, model, now) {
  last = [log, model, now];
  const items = log.map((change, index) => ({ ...change, key: `${change.at} ${change.what} ${change.hostId} ${log.length - index > SHOWN ? index : ""}` })).reverse();
  const shown = all ? items : items.slice(0, SHOWN);
  text(byId("history-count"), log.length ? plural(log.length, "change") : "");
  byId("history-more").hidden = shown.length === items.length;
  text(byId("history-more"), `Show all ${items.length}`);
  follow(byId("history-list"), shown.length ? shown : [{ key: "none" }], {
    key: (change) => change.key,
    create: (change) => (change.what ? make("li", {}, make("time", { datetime: change.at }), make("span")) : make("li", { class: "none" }, "Nothing changed since the ring manager began to watch.")),
    update: (element, change) => {
      if (!change.what) return;
      const [time, words] = element.children;
      text(time, `${moment(change.at)} · ${ago(Date.parse(change.at), now)}`);
      words.replaceChildren(make("span", { class: "sign", "aria-hidden": "true" }, SIGNS[change.what] ?? "·"), said(change, model));
    },
    stamp: (change) => (change.what ? `${ago(Date.parse(change.at), now)}` : ""),
  });
}

/** One change as a sentence. */
export function said(change, model) {
  const name = change.pod ?? model.byHost.get(change.hostId)?.name ?? change.hostId ?? "the ring";
  switch (change.what) {
    case "joined": return `${name} joined`;
    case "left": return `${name} left`;
    case "replaced": return `${name} replaced the member ${change.was}`;
    case "address-changed": return `${name} moved from ${change.was} to ${change.now}`;
    case "volume-changed": return `${name} came on another volume: ${change.was} → ${change.now}`;
    case "restarted": return `${name} was restarted`;
    case "went-down": return `${name} went down`;
    case "came-back": return `${name} came back${change.seconds === null ? "" : ` after ${seconds(change.seconds)}`}`;
    case "schema-changed": return `the schema changed: ${change.was} → ${change.now}`;
    default: return `${name}: ${change.what}`;
  }
}
