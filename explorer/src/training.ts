/** Watching a training: how far it is, its loss, scores, and neighbours of words as they change. */

import { ServerError, similar } from "./api";
import { Combobox } from "./combobox";
import { byId, h, number, wordElement } from "./elements";
import type { WordMap } from "./word_map";

interface State {
  state: "reading" | "training" | "finished" | "stopped" | "failed";
  model: string;
  algorithm: string | null;
  message: string | null;
  done: number;
  total: number;
  epochs: number;
  total_epochs: number;
  rate: number | null;
  seconds: number;
  seconds_left: number | null;
  loss: number | null;
  vectors: number;
}
interface Point {
  epochs: number;
  loss?: number;
  probe?: string;
  score?: number | null;
  scores?: Record<string, number>;
  neighbours?: Record<string, string[]>;
}

const NEIGHBOURS = 6;
const MOST_PROBES = 8;
const FIRST_PROBES = 3;
const ENDED = { reading: "Reading the text", training: "Training", finished: "Finished", stopped: "Stopped", failed: "Failed" };

export class Training {
  private vectors = 0;
  private readonly losses: [number, number][] = [];
  private readonly scores = new Map<string, [number, number][]>();
  private readonly probes = new Map<string, string[]>();
  private readonly newer: (() => void)[] = [];
  private readonly figures = h("div", { class: "figures" });
  private readonly bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the training" });
  private readonly told = h("p", { class: "dim", role: "status" });
  private readonly curve = h("canvas", { class: "curve", role: "img", "aria-label": "Loss along the training" });
  private readonly table = h("table");
  private readonly words = h("div", { "aria-live": "off" });
  private probing = false;

  constructor(
    readonly model: string,
    private readonly map: () => WordMap | undefined,
    private readonly choose: (word: string) => void,
  ) {
    const field = h("input", { type: "text", placeholder: "Watch a word", "aria-label": "Watch a word" });
    byId("panel-training").replaceChildren(
      this.told, this.bar, this.figures,
      h("h3", {}, "Loss"), this.curve, this.table,
      h("h3", {}, "Neighbours as they change"),
      h("div", { class: "field wide" }, field),
      this.words,
    );
    new Combobox(field, map, (word) => {
      field.value = "";
      this.watch(word);
    });
    byId("tab-training").hidden = false;
    const source = new EventSource("v1/training/events");
    source.addEventListener("state", (event) => this.state(JSON.parse(event.data), source));
    source.addEventListener("points", (event) => this.points(JSON.parse(event.data)));
  }

  /** Waits until there are vectors, or newer ones. */
  newVectors(): Promise<void> {
    return new Promise((done) => this.newer.push(done));
  }

  get hasVectors(): boolean {
    return this.vectors > 0;
  }

  watch(word: string): void {
    if (this.probes.size >= MOST_PROBES) this.probes.delete(this.probes.keys().next().value!);
    if (!this.probes.has(word)) this.probes.set(word, []);
    void this.probe();
  }

  private state(state: State, source: EventSource): void {
    const minutes = (seconds: number) => {
      const whole = Math.round(seconds);
      return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
    };
    const what = state.algorithm ? `${ENDED[state.state]}: ${state.algorithm}` : ENDED[state.state];
    this.told.textContent = state.message ? `${what}. ${state.message}` : `${what}.`;
    const share = state.total ? state.done / state.total : state.epochs / Math.max(1, state.total_epochs);
    if (state.state === "reading") this.bar.removeAttribute("value");
    else this.bar.value = state.state === "finished" ? 1 : share;
    const figures: [string, string][] = [
      ["epoch", `${state.epochs.toFixed(1)} of ${state.total_epochs}`],
      ["loss", state.loss === null ? "\u2013" : state.loss.toFixed(4)],
      ["words/s", state.rate === null ? "\u2013" : number(Math.round(state.rate))],
      ["time", minutes(state.seconds)],
      ["left", state.state === "training" && state.seconds_left !== null ? minutes(state.seconds_left) : "\u2013"],
    ];
    this.figures.replaceChildren(...figures.map(([name, value]) =>
      h("div", {}, h("span", { class: "dim" }, name), h("b", {}, value))));
    if (state.vectors !== this.vectors) {
      this.vectors = state.vectors;
      for (const done of this.newer.splice(0)) done();
      if (!this.probes.size) for (const word of this.wellKnown()) this.probes.set(word, []);
      void this.probe();
    }
    // Otherwise the browser would come again and again to hear that it is over.
    if (["finished", "stopped", "failed"].includes(state.state)) setTimeout(() => source.close(), 5000);
  }

  private wellKnown(): string[] {
    const known = this.map()?.index;
    return ["king", "music", "water", "computer", "function", "city", "language", "error"]
      .filter((word) => known?.has(word)).slice(0, FIRST_PROBES);
  }

  private points(points: Point[]): void {
    for (const point of points) {
      if (point.loss !== undefined) this.losses.push([point.epochs, point.loss]);
      const scores = point.scores ?? (point.probe && typeof point.score === "number" ? { [point.probe]: point.score } : {});
      for (const [name, score] of Object.entries(scores)) {
        if (!this.scores.has(name)) this.scores.set(name, []);
        this.scores.get(name)!.push([point.epochs, score]);
      }
    }
    this.draw();
    this.table.replaceChildren(...[...this.scores].map(([name, scores]) => {
      const [first, last] = [scores[0][1], scores[scores.length - 1][1]];
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, last.toFixed(4)),
        h("td", { class: "dim" }, scores.length > 1 ? `from ${first.toFixed(4)}, ${scores.length} looks` : ""));
    }));
  }

  draw(): void {
    const { curve } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [curve.clientWidth, curve.clientHeight];
    if (!width || this.losses.length < 2) return;
    curve.width = width * ratio;
    curve.height = height * ratio;
    const pen = curve.getContext("2d")!;
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const values = this.losses.map(([, loss]) => loss);
    // The first points fall so steeply that all others would lie flat.
    const sorted = [...values].sort((a, b) => a - b);
    const high = sorted[Math.floor(0.97 * (sorted.length - 1))];
    const low = sorted[0];
    const last = this.losses[this.losses.length - 1][0] || 1;
    const x = (epochs: number) => 4 + (width - 8) * (epochs / last);
    const y = (loss: number) => 14 + (height - 22) * Math.min(1, Math.max(0, (high - loss) / (high - low || 1)));
    pen.strokeStyle = style.getPropertyValue("--accent");
    pen.lineWidth = 1.8;
    pen.lineJoin = "round";
    pen.beginPath();
    this.losses.forEach(([epochs, loss], k) => (k ? pen.lineTo(x(epochs), y(loss)) : pen.moveTo(x(epochs), y(loss))));
    pen.stroke();
    pen.fillStyle = style.getPropertyValue("--dim");
    pen.font = "11px system-ui, sans-serif";
    pen.fillText(high.toFixed(3), 4, 11);
    pen.textAlign = "right";
    pen.fillText(`${values[values.length - 1].toFixed(3)} after ${last.toFixed(1)} epochs`, width - 4, 11);
  }

  /** Asks the newest vectors for the neighbours of the watched words, and marks what is new. */
  private async probe(): Promise<void> {
    if (this.probing || !this.vectors) return;
    this.probing = true;
    try {
      const asked = this.vectors;
      const rows: HTMLElement[] = [];
      for (const [word, before] of this.probes) {
        let found: string[];
        try {
          found = (await similar(this.model, word, NEIGHBOURS)).neighbours.map((each) => each.word);
        } catch (error) {
          if (!(error instanceof ServerError)) throw error;
          rows.push(h("p", {}, wordElement(word), h("span", { class: "dim" }, " has no vector")));
          continue;
        }
        this.probes.set(word, found);
        const list = h("span", {});
        for (const each of found) {
          const fresh = before.length > 0 && !before.includes(each);
          list.append(h("button", { type: "button", class: fresh ? "plain fresh" : "plain", click: () => this.choose(each) },
            wordElement(each), fresh && h("span", { class: "unseen" }, " (new)")), " ");
        }
        rows.push(h("p", { class: "watched" },
          h("button", { type: "button", class: "plain", click: () => this.choose(word) }, h("b", {}, wordElement(word))), " ", list));
      }
      this.words.replaceChildren(...rows);
      this.words.dataset.vectors = String(asked);
    } finally {
      this.probing = false;
    }
  }
}
