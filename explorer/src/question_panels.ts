/** Analogies, the odd one out, and planes of one's own. */

import { analogy, axes, oddOneOut, ServerError } from "./api";
import type { Ends } from "./address";
import { Combobox } from "./combobox";
import { byId, h, wordElement } from "./elements";
import type { Pane } from "./pane";

export interface QuestionEvents {
  choose(word: string): void;
  /** The plane of two axes is shown, or the map again. */
  plane(ends: Ends | null): void;
  /** The maps are about to fly, each to where words are in it. */
  flown(): void;
}

/** Does what a form asks for, and says below it why that cannot be. */
async function answered(output: HTMLElement, work: () => Promise<void>): Promise<void> {
  output.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    const told = error instanceof ServerError ? error.message : "This page failed; its console tells why.";
    output.replaceChildren(h("p", { class: "error", role: "alert" }, told));
    if (!(error instanceof ServerError)) throw error;
  } finally {
    output.removeAttribute("aria-busy");
  }
}

function fields(ids: string[], pane: Pane): Combobox[] {
  return ids.map((id, k) => new Combobox(byId<HTMLInputElement>(id), () => pane.map, () => {
    const next = ids[k + 1];
    if (next) byId(next).focus();
    else byId<HTMLInputElement>(id).form!.requestSubmit();
  }));
}

function onSubmit(form: string, does: () => void): void {
  byId<HTMLFormElement>(form).addEventListener("submit", (event) => {
    event.preventDefault();
    does();
  });
}

export class AnalogyPanel {
  private readonly words: Combobox[];

  constructor(private readonly panes: Pane[], private readonly events: QuestionEvents) {
    this.words = fields(["analogy-a", "analogy-b", "analogy-c"], panes[0]);
    onSubmit("analogy-form", () => void this.ask());
  }

  private async ask(): Promise<void> {
    const output = byId("analogy-answer");
    const [a, b, c] = this.words.map((field) => field.value);
    if (!a || !b || !c) {
      output.replaceChildren(h("p", { class: "error", role: "alert" }, "Give three words: man, woman, king."));
      return;
    }
    await answered(output, async () => {
      const answers = await Promise.all(this.panes.map((pane) => analogy(pane.model.name, a, b, c)));
      this.events.flown();
      output.replaceChildren(...answers.map((answer, k) => {
        const best = answer.neighbours[0]?.word;
        const pane = this.panes[k];
        pane.mark(null, [a, b, c, ...(best ? [best] : [])], best ? [[a, b], [c, best]] : []);
        pane.flyToAll([a, b, c, ...(best ? [best] : [])]);
        return h("div", { class: "column" },
          this.panes.length > 1 && h("h3", {}, h("bdi", {}, pane.model.name)),
          h("p", { class: "answer" }, wordElement(a), " is to ", wordElement(b), " as ", wordElement(c), " is to ",
            h("strong", {}, best ? wordElement(best) : "no word"), "."),
          h("ol", { class: "neighbours" }, ...answer.neighbours.map(({ word, score }) =>
            h("li", {}, h("button", { type: "button", click: () => this.events.choose(word) },
              wordElement(word), h("span", { class: "score" }, score.toFixed(3)))))));
      }), h("p", { class: "dim" }, "The nearest words to b \u2212 a + c by the full vectors. A plane keeps few of these directions: the two arrows need not look parallel."));
    });
  }
}

export class OddPanel {
  constructor(private readonly panes: Pane[], private readonly events: QuestionEvents) {
    onSubmit("odd-form", () => void this.ask());
  }

  private async ask(): Promise<void> {
    const output = byId("odd-answer");
    const words = [...new Set(byId<HTMLInputElement>("odd-words").value.split(/[\s,;]+/).filter(Boolean))];
    if (words.length < 3) {
      output.replaceChildren(h("p", { class: "error", role: "alert" }, "Give three words or more: green blue red zebra."));
      return;
    }
    await answered(output, async () => {
      const found = await Promise.all(this.panes.map((pane) => oddOneOut(pane.model.name, words)));
      this.events.flown();
      output.replaceChildren(...found.map((odd, k) => {
        const pane = this.panes[k];
        pane.mark(odd, words.filter((word) => word !== odd));
        pane.flyToAll(words);
        return h("p", { class: "answer" },
          this.panes.length > 1 && h("bdi", { class: "dim" }, `${pane.model.name}: `),
          h("button", { type: "button", class: "plain", click: () => this.events.choose(odd) }, h("strong", {}, wordElement(odd))),
          " fits least with the others.");
      }), h("p", { class: "dim" }, "The one whose full vector is furthest from the mean of all."));
    });
  }
}

const EXTREMES = 6;
const FREQUENT = 20_000;

export class AxesPanel {
  private readonly words: Combobox[];

  constructor(private readonly panes: Pane[], private readonly events: QuestionEvents) {
    this.words = fields(["axis-left", "axis-right", "axis-below", "axis-above"], panes[0]);
    onSubmit("axes-form", () => void this.show());
    byId("axes-leave").addEventListener("click", () => void this.leave());
  }

  async show(ends?: Ends): Promise<void> {
    if (ends) this.words.forEach((field, k) => (field.value = ends[k]));
    const given = this.words.map((field) => field.value) as Ends;
    const output = byId("axes-answer");
    if (!given.every(Boolean)) {
      output.replaceChildren(h("p", { class: "error", role: "alert" }, "Give a word for each end of the two axes."));
      return;
    }
    await answered(output, async () => {
      const found = await Promise.all(this.panes.map((pane) => axes(pane.model.name, given)));
      await Promise.all(found.map((each, k) => this.panes[k].showAxes(each, given)));
      byId("axes-leave").hidden = false;
      this.events.plane(given);
      output.replaceChildren(...found.map((each, k) => h("div", { class: "column" },
        this.panes.length > 1 && h("h3", {}, h("bdi", {}, this.panes[k].model.name)),
        ...this.extremes(this.panes[k], each.coordinates, given),
        h("p", { class: "dim" }, `The axes stand at ${each.about.angle.toFixed(0)}\u00b0 to each other in the full space (at 90\u00b0 they say different things). Places are cosines with each axis; the words listed are of the ${FREQUENT.toLocaleString("en")} most frequent.`))));
    });
  }

  async leave(): Promise<void> {
    byId("axes-leave").hidden = true;
    byId("axes-answer").replaceChildren();
    this.events.plane(null);
    await Promise.all(this.panes.map((pane) => pane.showAxes(null, null)));
  }

  /** The words that lie furthest out on each side. */
  private extremes(pane: Pane, coordinates: Float32Array, ends: Ends): HTMLElement[] {
    const n = Math.min(FREQUENT, coordinates.length / 2);
    const rows = Array.from({ length: n }, (_, i) => i);
    return ends.map((end, side) => {
      const axis = side >> 1;
      const sign = side % 2 ? 1 : -1;
      const best = [...rows].sort((i, j) => sign * (coordinates[2 * j + axis] - coordinates[2 * i + axis]));
      const list = h("span", {});
      best.slice(0, EXTREMES).forEach((i) => {
        const word = pane.map.words[i];
        list.append(h("button", { type: "button", class: "plain", click: () => this.events.choose(word) }, wordElement(word)), " ");
      });
      return h("p", { class: "extremes" }, h("b", {}, ["\u2190 ", "\u2192 ", "\u2193 ", "\u2191 "][side], wordElement(end)), " ", list);
    });
  }
}
