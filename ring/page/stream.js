// Keeps the newest picture: told by server-sent events, fetched with its tag, asked for where events do not come.

const PATIENCE = 10000; // milliseconds for one answer
const POLL = 4000; // between questions while there is no stream
const AGAIN = [500, 8000]; // first and longest pause before a stream is tried again
const IDLE = 60000; // a hidden page gives its stream back after this

/** Fetch JSON; throws an Error that carries `status` and the manager's own words. */
export async function ask(path, { signal, tag } = {}) {
  const limit = AbortSignal.timeout(PATIENCE);
  const headers = tag ? { "If-None-Match": tag } : {};
  const response = await fetch(path, { headers, cache: "no-store", signal: signal ? AbortSignal.any([signal, limit]) : limit });
  if (response.status === 304) return { response, body: null };
  const body = await response.json().catch(() => null);
  if (!response.ok) {
    const words = body?.error ? `${body.error}${body.hint ? ` (${body.hint})` : ""}` : `HTTP ${response.status}`;
    throw Object.assign(new Error(words), { status: response.status });
  }
  return { response, body };
}

export class Stream {
  /** `onPicture({picture, age, stale, got})`, `onChange()` when the connection's state did; `clock` gives milliseconds. */
  constructor({ onPicture, onChange, clock }) {
    Object.assign(this, { onPicture, onChange, clock });
    this.state = "connecting";
    this.heard = null;
    this.problem = "";
    this.tag = null;
    this.pause = AGAIN[0];
    this.busy = false;
    this.wanted = false;
  }

  start() {
    this.open();
    this.poll = setInterval(() => this.state !== "open" && this.refresh(), POLL);
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("online", () => this.again());
  }

  seen() {
    clearTimeout(this.idle);
    if (document.hidden) this.idle = setTimeout(() => this.close("connecting"), IDLE);
    else if (!this.source) this.again();
  }

  again() {
    clearTimeout(this.retry);
    this.pause = AGAIN[0];
    this.open();
  }

  open() {
    this.source?.close();
    const source = (this.source = new EventSource("v1/stream"));
    source.addEventListener("open", () => {
      this.pause = AGAIN[0];
      this.note("open");
      this.refresh();
    });
    source.addEventListener("ring", () => {
      this.note("open");
      this.refresh();
    });
    // A browser tries again by itself only after some failures, and not after an error answer: here always.
    source.addEventListener("error", () => {
      this.close("refused");
      if (!document.hidden) this.retry = setTimeout(() => this.open(), this.pause * (0.5 + Math.random()));
      this.pause = Math.min(2 * this.pause, AGAIN[1]);
      this.refresh();
    });
  }

  close(state) {
    this.source?.close();
    this.source = null;
    this.state = state;
    this.onChange();
  }

  note(state) {
    this.heard = this.clock();
    this.state = state;
    this.onChange();
  }

  /** Fetch the picture; while one is on the way, once more after it. */
  async refresh() {
    if (document.hidden && this.state !== "open") return;
    if (this.busy) {
      this.wanted = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.wanted = false;
        await this.fetched();
      } while (this.wanted);
    } catch (error) {
      this.problem = error.status ? error.message : "The ring manager does not answer";
    } finally {
      this.busy = false;
      this.onChange();
    }
  }

  async fetched() {
    const { response, body } = await ask("v1/ring", { tag: this.tag });
    const got = this.clock();
    this.heard = got;
    this.problem = "";
    const age = Number(response.headers.get("X-Ring-Age") ?? 0);
    const stale = response.headers.get("X-Ring-Stale") === "true";
    if (body) this.tag = response.headers.get("ETag");
    this.onPicture({ picture: body, age, stale, got });
  }
}
