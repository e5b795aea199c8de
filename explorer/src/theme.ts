/** Light and dark, and colours that people who see fewer of them tell apart too. */

import { byId } from "./elements";

export interface Theme {
  dark: boolean;
  back: string;
  text: string;
  halo: string;
  strong: string;
  lasso: string;
  arrow: string;
  /** Okabe and Ito 2008; the last one is grey, for none. */
  groups: string[];
  labels: string[];
}

const GROUPS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

function mixed(colour: string, other: string, share: number): string {
  const part = (text: string, at: number) => parseInt(text.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) => Math.round((1 - share) * part(colour, at) + share * part(other, at)));
  return `#${parts.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function make(dark: boolean): Theme {
  const text = dark ? "#ececec" : "#1b1b1b";
  const groups = [...GROUPS, dark ? "#7d828b" : "#9a9a9a"];
  return {
    dark,
    back: dark ? "#16181c" : "#ffffff",
    text,
    halo: dark ? "rgba(22,24,28,.85)" : "rgba(255,255,255,.88)",
    strong: dark ? "#ffffff" : "#000000",
    lasso: dark ? "#8ab4f8" : "#0b57d0",
    arrow: dark ? "#ffb454" : "#b3261e",
    groups,
    labels: groups.map((colour) => mixed(colour, text, dark ? 0.35 : 0.45)),
  };
}

const KEPT = "firth-theme";

export function currentTheme(): Theme {
  return make(document.documentElement.dataset.theme === "dark");
}

/** Follows the system until somebody chooses; tells each change. */
export function watchTheme(changed: () => void): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const apply = () => {
    const kept = localStorage.getItem(KEPT);
    root.dataset.theme = kept ?? (system.matches ? "dark" : "light");
  };
  apply();
  system.addEventListener("change", () => {
    apply();
    changed();
  });
  byId("theme").addEventListener("click", () => {
    localStorage.setItem(KEPT, root.dataset.theme === "dark" ? "light" : "dark");
    apply();
    changed();
  });
}
