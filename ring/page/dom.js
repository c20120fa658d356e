// Makes and updates elements. Data only ever becomes text or attribute values: nothing here parses HTML.

/** Make an element. `on` is {event: listener}; other properties are attributes; false and null leave one out. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "css") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else attribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set an attribute only where it differs, so that an unchanged page costs nothing. */
export function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

export function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Let a parent's children follow a list, one element a key. Elements that stay keep focus and scroll.
 * `create(item)` makes one, `update(element, item)` brings it up to date where `stamp(item)` changed.
 */
export function follow(parent, items, { key, create, update = () => {}, stamp = () => Symbol() }) {
  const known = parent.kept ?? (parent.kept = new Map());
  const wanted = new Set(items.map(key));
  for (const [name, entry] of known) {
    if (wanted.has(name)) continue;
    entry.element.remove();
    known.delete(name);
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let entry = known.get(name);
    if (!entry) known.set(name, (entry = { element: create(item), stamp: undefined }));
    const now = stamp(item);
    if (entry.stamp !== now) {
      update(entry.element, item);
      entry.stamp = now;
    }
    if (entry.element === at) at = at.nextElementSibling;
    else parent.insertBefore(entry.element, at);
  }
}
