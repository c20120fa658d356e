// Writes numbers, times and states for people.

export const UNKNOWN = "–";

export const STATES = { U: "up", D: "down", "?": "unknown" };
export const MODES = { N: "", J: "joining", L: "leaving", M: "moving" };
export const SIGNS = { U: "●", D: "✕", "?": "?" };

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A share such as 0.3333: "33.3 %". Never rounded to none or all where it is not. */
export function percent(share) {
  if (share <= 0) return "0 %";
  if (share >= 1) return "100 %";
  const shown = 100 * share;
  if (shown < 0.1) return "< 0.1 %";
  if (shown > 99.9) return "> 99.9 %";
  return `${shown.toFixed(shown < 10 || shown > 99 ? 1 : 0)} %`;
}

export function signed(number) {
  return number > 0 ? `+${number}` : number < 0 ? `−${-number}` : "0";
}

export function bytes(count) {
  if (count === null) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  while (count >= 1024 && step < units.length - 1) {
    count /= 1024;
    step += 1;
  }
  return `${count < 10 && step ? count.toFixed(1) : Math.round(count)} ${units[step]}`;
}

export function seconds(count) {
  if (count === null) return UNKNOWN;
  if (count < 1) return "under 1 s";
  if (count < 100) return `${Math.round(count)} s`;
  const minutes = count / 60;
  if (minutes < 100) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}

export function ago(from, now) {
  const passed = Math.max(0, (now - from) / 1000);
  return passed < 1 ? "just now" : `${seconds(passed)} ago`;
}

export function moment(iso) {
  const at = new Date(iso);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Name a few, and say how many more there are. */
export function some(names, limit = 3) {
  const rest = names.length - limit;
  if (rest > 1) return `${names.slice(0, limit).join(", ")} and ${rest} more`;
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** "rack a", but "rack1" as it is. */
export function rack(name) {
  return /^rack/i.test(name) ? name : `rack ${name}`;
}

/** "LOCAL_QUORUM in dc1" */
export function level(check) {
  return check.dc ? `${check.level} in ${check.dc}` : check.level;
}

/** A pair of the worst and the best case, as one where they are the same. */
export function pair(both, write = String) {
  const worst = write(both.worst), best = write(both.best);
  return worst === best ? worst : `${worst} … ${best}`;
}

/** Join checks that differ only in what is done: read and write have one answer most of the time. */
export function alike(checks) {
  const found = new Map();
  for (const check of checks) {
    const { operation, ...rest } = check;
    const key = JSON.stringify(rest);
    const entry = found.get(key);
    if (entry) entry.operations.push(operation);
    else found.set(key, { ...check, operations: [operation] });
  }
  return [...found.values()];
}
