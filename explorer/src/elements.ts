/** Makes elements. Words only ever become text nodes or attributes: nothing here reads markup. */

type Child = Node | string | null | undefined | false;
type Settings = Record<string, string | number | boolean | ((event: never) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  settings: Settings = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === "function") {
      element.addEventListener(name, value as EventListener);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => !!child || child === ""));
  return element;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

const LONGEST = 60;

/** A word as it can be shown: control characters as signs, and not endlessly long. */
export function shown(word: string, longest = LONGEST): string {
  // Signs that turn the direction of the text around them would rewrite the page's own words.
  const plain = word.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\u00b7");
  if (plain.length <= longest) return plain;
  const cut = plain.slice(0, longest - 1);
  // Not through the middle of a pair of surrogates.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}\u2026`;
}

/** A word in an element of its own direction, whole in the tooltip where it is cut. */
export function wordElement(word: string): HTMLElement {
  const text = shown(word);
  return h("bdi", { class: "word", title: text === word ? undefined : word.slice(0, 1000) }, text);
}

/** A whole number with commas; `toLocaleString` takes a tenth of a second when it is first called. */
export const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
