// Says how far a picture may be trusted now: the one place that decides what is shown as fresh.

/** Seconds after which a picture is old, as the manager itself has it (ring/latest.py). */
export const OLD = 20;
/** Seconds without any word from the manager after which nothing here counts as present. */
export const SILENT = 5;

/**
 * Judge a picture.
 *
 * `picture`: {age: seconds old when it was got, stale: whether the manager called it so, got: time} or null.
 * `stream`: "open", "connecting" or "refused". `heard`: when the manager last said anything, or null.
 * All times are in milliseconds of one clock.
 */
export function freshness({ now, picture, stream, heard }) {
  if (!picture) {
    const lost = stream !== "open" && stream !== "connecting";
    return { state: lost ? "stale" : "waiting", age: null, reason: lost ? "The ring manager does not answer" : "" };
  }
  const age = picture.age + Math.max(0, now - picture.got) / 1000;
  const quiet = heard === null ? Infinity : Math.max(0, now - heard) / 1000;
  if (picture.stale) return { state: "stale", age, reason: "The ring manager has no newer picture" };
  if (age > OLD) return { state: "stale", age, reason: stream === "open" ? "No newer picture came" : "The stream from the ring manager is lost" };
  if (stream === "open") return { state: "live", age, reason: "" };
  if (quiet > SILENT) return { state: "stale", age, reason: "The stream from the ring manager is lost" };
  return { state: "catching", age, reason: "Connecting to the stream" };
}

/** Milliseconds that never go back and do not stand still while a machine sleeps. */
export function steadyClock(monotonic = () => performance.now(), wall = () => Date.now()) {
  const began = [monotonic(), wall()];
  let last = 0;
  return () => {
    last = Math.max(last, monotonic() - began[0], wall() - began[1]);
    return last;
  };
}
