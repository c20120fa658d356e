// The members by data centre and rack, as buttons: what is chosen here is thought to stop.
import { attribute, follow, make, text } from "./dom.js";
import { MODES, SIGNS, STATES, plural, rack } from "./words.js";

const FEW = 24; // members that have room for their whole names
const MANY = 120; // and from here on the buttons are small

export class RackMap {
  /** `onChoose(kind, name)`: kind is "stop", "rack" or "dc". `onPoint(member or null)` follows pointer and focus. */
  constructor(root, { onChoose, onPoint, onClear }) {
    Object.assign(this, { root, onChoose, onPoint });
    root.addEventListener("keydown", (event) => (event.key === "Escape" ? onClear() : this.move(event)));
    for (const name of ["focusin", "pointerover"]) root.addEventListener(name, (event) => onPoint(this.memberOf(event.target)));
    for (const name of ["focusout", "pointerleave"]) root.addEventListener(name, () => onPoint(null));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-kind]");
      if (button) onChoose(button.dataset.kind, button.dataset.name);
    });
  }

  memberOf(target) {
    const seat = target.closest?.(".seat");
    return seat ? this.model.byHost.get(seat.dataset.name) ?? null : null;
  }

  show(model, colours, whatif) {
    this.model = model;
    const size = model.members.length <= FEW ? "wide" : model.members.length > MANY ? "tight" : "";
    follow(this.root, model.dcs, {
      key: (dc) => dc.name,
      create: (dc) => this.newDc(dc),
      update: (element, dc) => {
        const [head, racks] = element.children;
        this.head(head, dc, "dc", dc.name, whatif.dc.has(dc.name), "data centre");
        follow(racks, dc.racks, {
          key: (rack) => rack.name,
          create: (rack) => this.newRack(rack),
          update: (inner, part) => {
            const name = `${dc.name}/${part.name}`;
            this.head(inner.children[0], part, "rack", name, whatif.rack.has(name), "rack", part.colour);
            this.seats(inner.children[1], part.members, colours, whatif, size);
          },
        });
      },
    });
  }

  newDc() {
    return make("section", { class: "dc" }, make("div", { class: "dchead" }), make("div", { class: "racks" }));
  }

  newRack(rack) {
    return make("div", { class: "rack" }, make("div", { class: "rackhead" }), make("div", { class: "seats", role: "toolbar", "aria-label": `Members of rack ${rack.name} in ${rack.dc}` }));
  }

  head(element, part, kind, name, pressed, word, colour) {
    const up = part.members.filter((member) => member.live === "U").length;
    if (!element.firstChild) {
      element.append(make(kind === "dc" ? "b" : "span"), make("span", { class: "aside" }), make("button", { type: "button", "data-kind": kind, "data-name": name }));
    }
    const [title, aside, button] = element.children;
    text(title, kind === "dc" ? part.name : rack(part.name));
    const evident = kind === "rack" && part.members.length <= 3; // who is there can be seen
    const counted = up === part.members.length ? plural(up, "member") : `${up} of ${part.members.length} up`;
    text(aside, evident ? "" : counted);
    aside.hidden = evident;
    text(button, `Stop ${kind === "dc" ? "DC" : "rack"}`);
    attribute(button, "aria-label", `Stop ${word} ${name}`);
    attribute(button, "aria-pressed", String(pressed));
    if (colour) element.style.setProperty("--c", colour.css);
  }

  seats(element, members, colours, whatif, size) {
    follow(element, members, {
      key: (member) => member.hostId,
      create: (member) => make("button", { type: "button", "data-kind": "stop", "data-name": member.hostId, tabindex: -1 }),
      update: (seat, member) => {
        const colour = colours.get(member.hostId);
        seat.style.setProperty("--c", colour.css);
        seat.style.setProperty("--on", colour.on);
        const chosen = whatif.hosts(this.model).has(member.hostId);
        attribute(seat, "class", `seat ${size}${seat.classList.contains("shown") ? " shown" : ""}`);
        attribute(seat, "data-live", member.live);
        attribute(seat, "data-mode", member.mode);
        attribute(seat, "aria-pressed", String(chosen));
        const state = [STATES[member.live], MODES[member.mode]].filter(Boolean).join(", ");
        attribute(seat, "aria-label", `${member.name}, ${state}, rack ${member.rackName}`);
        attribute(seat, "title", `${member.name}: ${state}`);
        text(seat, (size === "wide" ? member.name : member.short) + (member.live === "U" ? "" : ` ${SIGNS[member.live]}`));
      },
      stamp: (member) => [member.state, member.name, colours.get(member.hostId).css, whatif.hosts(this.model).has(member.hostId), size, member.short].join("|"),
    });
    if (element.firstElementChild && !element.querySelector('[tabindex="0"]')) element.firstElementChild.tabIndex = 0;
  }

  /** Bring out one member's button. */
  point(member) {
    this.root.querySelector(".seat.shown")?.classList.remove("shown");
    if (member) this.root.querySelector(`.seat[data-name="${CSS.escape(member.hostId)}"]`)?.classList.add("shown");
  }

  /** Arrow keys go from button to button, up and down to the nearest one there; Home and End to the ends of a rack. */
  move(event) {
    const seat = event.target.closest(".seat");
    const to = seat && this.target(seat, event.key);
    if (!to) return;
    event.preventDefault();
    seat.tabIndex = -1;
    to.parentElement.querySelectorAll('[tabindex="0"]').forEach((each) => (each.tabIndex = -1));
    to.tabIndex = 0;
    if (to.parentElement !== seat.parentElement) seat.tabIndex = 0;
    to.focus();
  }

  target(seat, key) {
    const all = [...this.root.querySelectorAll(".seat")];
    const at = all.indexOf(seat);
    if (key === "ArrowRight") return all[at + 1];
    if (key === "ArrowLeft") return all[at - 1];
    if (key === "Home") return seat.parentElement.firstElementChild;
    if (key === "End") return seat.parentElement.lastElementChild;
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    const here = seat.getBoundingClientRect();
    const sign = key === "ArrowDown" ? 1 : -1;
    let best = null, least = Infinity;
    for (const each of all) {
      const box = each.getBoundingClientRect();
      const down = sign * (box.top - here.top);
      if (down < here.height / 2) continue;
      const far = down * 4 + Math.abs(box.left - here.left);
      if (far < least) [best, least] = [each, far];
    }
    return best;
  }
}
