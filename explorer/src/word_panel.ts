/** A word and its neighbours; those of two models side by side. */

import { type Answer, type Neighbour, ServerError, similar } from "./api";
import { byId, h, number, wordElement } from "./elements";
import type { Pane } from "./pane";

export interface WordPanelEvents {
  choose(word: string): void;
  hover(word: string | null): void;
}

// What most people know, where the vocabulary has it.
const WELL_KNOWN = ["king", "music", "water", "guitar", "computer", "paris", "physics", "tennis", "bread", "happy", "function", "string", "error", "file"];
const CHIPS = 8;
const LEAST = 10;
const MOST = 50;

export class WordPanel {
  private k = LEAST;
  private asked = 0;

  constructor(
    private readonly panes: Pane[],
    private readonly events: WordPanelEvents,
  ) {}

  /** Shows a word; gives its neighbours in each model, for the maps. */
  async show(word: string): Promise<string[][]> {
    const turn = ++this.asked;
    const body = byId("word-body");
    body.setAttribute("aria-busy", "true");
    const answers = await Promise.all(this.panes.map((pane) => this.ask(pane, word)));
    // Who clicks fast sees the answer of the last click, whichever comes first.
    if (turn !== this.asked) return answers.map(() => []);
    body.removeAttribute("aria-busy");
    const title = h("h2", { id: "word-title", tabindex: -1 }, wordElement(word));
    body.replaceChildren(title);
    if (this.panes.length === 1) body.append(this.facts(this.panes[0], word, answers[0]));
    else body.append(this.agreement(answers));
    body.append(
      h("div", { class: `columns n${this.panes.length}` },
        ...this.panes.map((pane, k) => this.column(pane, word, answers[k], answers[1 - k]))),
    );
    if (answers.some((answer) => answer instanceof Object && "neighbours" in answer)) {
      body.append(
        h("p", { class: "dim" },
          `Found among all words by the cosines of the full vectors (${this.panes.map(({ model }) => model.vectorSize).join(" and ")} dimensions), not on the picture.`),
        h("button", { type: "button", class: "more", click: () => {
          this.k = this.k === LEAST ? MOST : LEAST;
          void this.show(word);
        } }, this.k === LEAST ? `Show ${MOST} neighbours` : `Show ${LEAST} neighbours`),
      );
    }
    return answers.map((answer) => ("neighbours" in answer ? answer.neighbours.map((each) => each.word) : []));
  }

  clear(): void {
    this.asked++;
    byId("word-body").replaceChildren(
      h("p", {}, "Search for a word, or click one on the map: here are then the words whose vectors are nearest to its own."),
      h("div", { class: "chips", role: "group", "aria-label": "Words to begin with" },
        ...WELL_KNOWN.filter((word) => this.panes[0].map.index.has(word)).slice(0, CHIPS).map((word) =>
          h("button", { type: "button", click: () => this.events.choose(word) }, word))),
      h("p", { class: "dim" }, "Keys: / searches, arrows move the map, + and \u2212 zoom, 0 shows all, Enter takes the word in the middle. Shift and drag draws around words."),
    );
  }

  private async ask(pane: Pane, word: string): Promise<Answer | ServerError> {
    try {
      return await similar(pane.model.name, word, this.k);
    } catch (error) {
      if (error instanceof ServerError) return error;
      throw error;
    }
  }

  private facts(pane: Pane, word: string, answer: Answer | ServerError): HTMLElement {
    const i = pane.map.index.get(word);
    let told: string;
    if (i !== undefined) {
      const count = pane.map.counted ? `, seen ${number(pane.map.counts[i])} times` : "";
      told = `Word ${number(i + 1)} of ${number(pane.map.total)}${count}.`;
    } else if (answer instanceof ServerError) {
      told = "";
    } else if (answer.unseen) {
      told = "Not in the vocabulary: its vector is made of its parts, so that it has no place on the map.";
    } else {
      told = "Too rare for the map, but it has neighbours.";
    }
    return h("p", { class: "dim" }, told);
  }

  private agreement(answers: (Answer | ServerError)[]): HTMLElement {
    const [one, other] = answers;
    if (!("neighbours" in one) || !("neighbours" in other)) return h("p");
    const there = new Set(other.neighbours.map(({ word }) => word));
    const shared = one.neighbours.filter(({ word }) => there.has(word)).length;
    return h("p", { class: "dim" },
      `${shared} of ${Math.max(one.neighbours.length, other.neighbours.length)} neighbours are the same; those of one model alone are marked `,
      h("span", { class: "alone" }, "\u25c6"), ".");
  }

  private column(pane: Pane, word: string, answer: Answer | ServerError, other?: Answer | ServerError): HTMLElement {
    const column = h("div", { class: "column" });
    if (this.panes.length > 1) {
      column.append(h("h3", {}, h("bdi", {}, pane.model.name)), this.facts(pane, word, answer));
    }
    if (answer instanceof ServerError) {
      column.append(h("p", { class: "error", role: "alert" }, answer.message));
      return column;
    }
    if (!answer.neighbours.length) {
      column.append(h("p", { class: "dim" }, "No neighbours: its vector has no direction."));
      return column;
    }
    const known = other && "neighbours" in other ? new Set(other.neighbours.map((each) => each.word)) : null;
    column.append(this.neighbours(answer.neighbours, known));
    return column;
  }

  private neighbours(found: Neighbour[], known: Set<string> | null): HTMLElement {
    return h("ol", { class: "neighbours", "aria-label": "Nearest neighbours with their cosines" },
      ...found.map(({ word, score }) => {
        const alone = known !== null && !known.has(word);
        const meter = h("span", { class: "meter", "aria-hidden": "true" });
        meter.style.setProperty("--share", String(Math.max(0, score)));
        return h("li", {},
          h("button", {
            type: "button",
            class: alone ? "alone" : undefined,
            click: () => this.events.choose(word),
            pointerenter: () => this.events.hover(word),
            pointerleave: () => this.events.hover(null),
            focus: () => this.events.hover(word),
            blur: () => this.events.hover(null),
          },
          wordElement(word),
          alone && h("span", { class: "mark", title: "A neighbour in this model only" }, "\u25c6", h("span", { class: "unseen" }, " only here")),
          h("span", { class: "score" }, score.toFixed(3)), meter));
      }));
  }
}
