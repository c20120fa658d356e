// Light, dark or as the system has it; remembered in this browser.
import { attribute, byId, text } from "./dom.js";

const ORDER = ["system", "light", "dark"];
const SAID = { system: "as the system has them", light: "light", dark: "dark" };
const SHOWN = { system: "◐", light: "☀", dark: "☾" };

/** Wire the button; `onChange()` is called when colours changed, whoever changed them. */
export function startTheme(onChange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let theme = remembered();
  const show = () => {
    attribute(document.documentElement, "data-theme", theme === "system" ? null : theme);
    attribute(byId("theme"), "aria-label", `Colours: ${SAID[theme]}`);
    attribute(byId("theme"), "title", `Colours: ${SAID[theme]}`);
    text(byId("theme-sign"), SHOWN[theme]);
    onChange();
  };
  byId("theme").addEventListener("click", () => {
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
    remember(theme);
    show();
  });
  system.addEventListener("change", onChange);
  show();
}

export function isDark() {
  const set = document.documentElement.dataset.theme;
  return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function remembered() {
  try {
    const theme = localStorage.getItem("ring-theme");
    return ORDER.includes(theme) ? theme : "system";
  } catch {
    return "system"; // storage may be forbidden
  }
}

function remember(theme) {
  try {
    localStorage.setItem("ring-theme", theme);
  } catch {
    // it holds until the page is left
  }
}
