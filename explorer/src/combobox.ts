/** A field for a word, with completion: the pattern of a combobox with a list, of WAI-ARIA. */

import { byId, h, wordElement } from "./elements";
import { completions, type WordMap } from "./word_map";

const MOST = 12;
let made = 0;

export class Combobox {
  private options: string[] = [];
  private active = -1;
  private readonly list: HTMLElement;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly map: () => WordMap | undefined,
    private readonly chosen: (word: string) => void,
    private readonly left: () => void = () => {},
  ) {
    const id = `words-${++made}`;
    this.list = h("ul", { id, role: "listbox", class: "completions", hidden: true, "aria-label": "Words" });
    for (const [name, value] of Object.entries({
      role: "combobox", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      maxlength: "5000", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
    })) {
      input.setAttribute(name, value);
    }
    input.after(this.list);
    input.addEventListener("input", () => this.complete());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    // Before the field loses the focus, which closes the list.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get value(): string {
    return this.input.value.trim();
  }

  set value(word: string) {
    this.input.value = word;
  }

  close(): void {
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  private complete(): void {
    const map = this.map();
    const found = map ? completions(map, this.value, MOST) : [];
    this.options = map ? found.map((i) => map.words[i]) : [];
    this.active = -1;
    this.list.replaceChildren(
      ...this.options.map((word, k) =>
        h("li", {
          id: `${this.list.id}-${k}`, role: "option", "aria-selected": "false",
          click: () => this.take(word),
        }, wordElement(word)),
      ),
    );
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
  }

  private move(step: number): void {
    if (!this.options.length) return;
    if (this.list.hidden) this.complete();
    const n = this.options.length;
    this.active = this.active < 0 && step < 0 ? n - 1 : (this.active + step + n) % n;
    [...this.list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === this.active)));
    const item = byId(`${this.list.id}-${this.active}`);
    item.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", item.id);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.isComposing) {
      const word = this.active >= 0 ? this.options[this.active] : this.value;
      if (!word) return;
      event.preventDefault();
      this.take(word);
    } else if (event.key === "Escape") {
      if (this.list.hidden) this.left();
      else this.close();
    }
  }

  private take(word: string): void {
    this.input.value = word;
    this.close();
    this.chosen(word);
  }
}
