/** The words that were lassoed: listed, shown alone, saved as CSV. */

import { byId, h, number, wordElement } from "./elements";
import type { Pane } from "./pane";

const LISTED = 300;

/** One field of CSV (RFC 4180). A spreadsheet would compute what begins like a formula. */
export function csvField(value: string | number): string {
  if (typeof value === "number") return String(value);
  const inert = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

export class SelectionPanel {
  private words: string[] = [];
  private pane: Pane;
  private alone = false;

  constructor(
    private readonly panes: Pane[],
    private readonly choose: (word: string) => void,
    leading: () => Pane,
  ) {
    this.pane = panes[0];
    // For who cannot draw around words.
    byId("selection-sight").addEventListener("click", () => this.show(leading(), leading().wordsInSight(Infinity, 0)));
    byId("selection-save").addEventListener("click", () => this.save());
    byId("selection-alone").addEventListener("click", () => this.showAlone(!this.alone));
    byId("selection-clear").addEventListener("click", () => this.show(this.pane, []));
    this.tell();
  }

  show(pane: Pane, words: string[]): void {
    this.pane = pane;
    const at = (word: string) => pane.map.index.get(word) ?? Infinity;
    this.words = [...words].sort((a, b) => at(a) - at(b));
    if (!words.length && this.alone) this.showAlone(false);
    for (const each of this.panes) each.mark(null, this.words.slice(0, 100_000));
    this.tell();
  }

  private showAlone(alone: boolean): void {
    this.alone = alone;
    byId("selection-alone").setAttribute("aria-pressed", String(alone));
    for (const each of this.panes) each.showOnly(alone ? this.words : null);
  }

  private tell(): void {
    const n = this.words.length;
    byId("selection-about").textContent = n
      ? `${number(n)} words${this.panes.length > 1 ? `, chosen in ${this.pane.model.name}` : ""}, the most frequent first.`
      : "None yet. Hold Shift and draw around words on the map, or press the lasso and draw; or take all words in sight.";
    for (const id of ["selection-save", "selection-alone", "selection-clear"]) {
      byId<HTMLButtonElement>(id).disabled = !n;
    }
    byId("selection-words").replaceChildren(
      ...this.words.slice(0, LISTED).map((word) => {
        const i = this.pane.map.index.get(word)!;
        return h("li", {}, h("button", { type: "button", click: () => this.choose(word) }, wordElement(word),
          h("span", { class: "score" }, this.pane.map.counted ? number(this.pane.map.counts[i]) : "")));
      }),
    );
    byId("selection-rest").textContent = n > LISTED ? `and ${number(n - LISTED)} more; the file has all` : "";
  }

  private save(): void {
    const { map, places } = this.pane;
    const lines = this.words.map((word) => {
      const i = map.index.get(word)!;
      const group = map.groupNames[map.groups[i]] ?? "";
      const fields = [word, map.counted ? map.counts[i] : "", Number(places.x[i].toFixed(6)), Number(places.y[i].toFixed(6)), group];
      return fields.map(csvField).join(",");
    });
    // The mark at the front tells spreadsheets that this is UTF-8.
    const text = `\ufeffword,count,x,y,cluster\r\n${lines.join("\r\n")}\r\n`;
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = h("a", { href: url, download: `${map.model}-words.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
