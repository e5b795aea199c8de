/** One model on its map: points, words over them, a legend; or a list where nothing can be drawn. */

import { type Axes, mapState, type MapState, type Model, models } from "./api";
import { h, number, shown, wordElement } from "./elements";
import { listenToFingers, listenToKeys } from "./gestures";
import { Labels, type Marks } from "./labels";
import { createPoints, type Points, type View } from "./points";
import { currentTheme } from "./theme";
import { loadMap, type Places, type WordMap } from "./word_map";

export interface PaneEvents {
  choose(word: string): void;
  lasso(pane: Pane, words: string[]): void;
  hover(pane: Pane, word: string | null): void;
  viewed(pane: Pane): void;
  /** There is a list now where the map was. */
  listed(): void;
  search(): void;
  leave(): void;
}

const LISTED = 500;
const SOON = 1500;
const LATER = 10_000;
const TAP_REACH = 24;

export class Pane {
  map!: WordMap;
  places!: Places;
  readonly root: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly labels: Labels;
  private readonly size = h("span", { class: "dim" });
  private readonly tip: HTMLElement;
  private readonly note: HTMLElement;
  private readonly legend: HTMLElement;
  private points: Points | null = null;
  private frame = 0;
  private marks: Marks = {
    chosen: -1, strong: [], hovered: -1, arrows: [], ends: null, hidden: new Set(), only: null,
  };

  constructor(
    readonly model: Model,
    private readonly events: PaneEvents,
  ) {
    this.canvas = h("canvas", {
      class: "points",
      tabindex: 0,
      role: "application",
      "aria-label": `Map of the words of ${model.name}. Arrow keys move it, plus and minus zoom, 0 shows all, Enter chooses the word in the middle, slash searches. The panel beside it lists the same words.`,
    });
    const labels = h("canvas", { class: "labels", "aria-hidden": "true" });
    this.labels = new Labels(labels);
    this.tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.note = h("p", { class: "note" });
    this.legend = h("ul", { class: "legend", "aria-label": "Clusters; press one to hide or show it" });
    this.root = h(
      "section",
      { class: "pane", "aria-label": `Model ${model.name}` },
      h("h2", { class: "model" }, h("bdi", {}, shown(model.name)), this.size),
      h("div", { class: "plot" }, this.canvas, labels, this.tip),
      h("div", { class: "about-map" }, this.legend, this.note),
    );
    this.tellSize();
  }

  private tellSize(): void {
    this.size.textContent = ` ${number(this.model.words)} words \u00d7 ${this.model.vectorSize}`;
  }

  get hasMap(): boolean {
    return this.points !== null;
  }

  async open(): Promise<void> {
    const loading = loadMap(this.model.name);
    this.points = createPoints(this.canvas, currentTheme(), {
      hover: (i) => this.hovered(i),
      click: (i) => this.events.choose(this.map.words[i]),
      lasso: (chosen) => this.events.lasso(this, chosen.map((i) => this.map.words[i])),
      view: () => this.viewed(),
      lost: () => this.lose(),
    });
    this.map = await loading;
    this.places = this.map;
    if (this.points) {
      listenToFingers(this.canvas, this.points, (x, y) => this.tapped(x, y));
      listenToKeys(this.canvas, this.points, {
        fit: () => this.fit(),
        chooseMiddle: () => this.tapped(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2, Infinity),
        search: () => this.events.search(),
        leave: () => this.events.leave(),
      });
      new ResizeObserver(() => {
        this.labels.resize();
        this.redraw();
      }).observe(this.canvas);
      this.labels.resize();
      await this.showPoints(false);
      this.points.setView({ x: 0, y: 0, zoom: 1 });
    } else {
      this.showList("This browser draws no WebGL, so that here are the words as a list.");
    }
    this.tellGroups();
    void this.follow();
  }

  private lose(): void {
    const { points } = this;
    if (!points) return;
    this.points = null;
    this.showList("The browser lost what it draws the map with, so that here are the words as a list. To reload the page brings the map back.");
    this.events.listed();
    // Not within the call that tells of it.
    setTimeout(() => points.destroy());
  }

  // --- what is shown ----------------------------------------------------------------------------

  private async showPoints(moving: boolean): Promise<void> {
    // The largest dots for the most frequent words: a rank is known even where counts are not.
    const n = this.map.words.length;
    const sizes = new Float32Array(n);
    for (let i = 0; i < n; i++) sizes[i] = Math.max(0, 1 - Math.log(1 + i) / Math.log(1 + n));
    await this.points?.show(this.places, this.map.groups, sizes, moving);
    this.repaint();
  }

  private tellGroups(): void {
    const { map } = this;
    const colours = currentTheme().groups;
    this.legend.replaceChildren(
      ...map.groupNames.map((name, group) => {
        const dot = h("i");
        dot.style.background = colours[group];
        const button = h(
          "button",
          {
            type: "button",
            "aria-pressed": String(!this.marks.hidden.has(group)),
            click: () => {
              this.marks.hidden.has(group) ? this.marks.hidden.delete(group) : this.marks.hidden.add(group);
              button.setAttribute("aria-pressed", String(!this.marks.hidden.has(group)));
              this.filter();
            },
          },
          dot,
          name,
        );
        return h("li", {}, button);
      }),
    );
  }

  /** Looks whether there is another map: a better one, or that of newer vectors. */
  private async follow(): Promise<void> {
    for (;;) {
      const told = await mapState(this.model.name).catch(() => null);
      if (told === null) {
        this.note.replaceChildren(h("span", { class: "fault" }, "The server does not answer any more."));
        return;
      }
      if (told.version !== this.map.version) await this.reload();
      this.tellState(told);
      await new Promise((done) => setTimeout(done, told.state === "arranging" ? SOON : LATER));
    }
  }

  private tellState({ state, message, fault }: MapState): void {
    const why = message.replace(/\.$/, "");
    const rest = {
      ready: "Words that are together are similar; ask the list of neighbours, not the picture, how similar.",
      arranging: `A better map is being made, once: ${why} \u2026`,
      failed: `A better map could not be made: ${why}.`,
    }[state];
    this.note.replaceChildren(this.points ? `${this.map.note} ${rest}` : "", ...(fault ? [h("span", { class: "fault" }, ` ${fault}.`)] : []));
  }

  /** Shows the map that there is by now, with the same words marked. */
  private async reload(): Promise<void> {
    const { chosen, strong, ends, arrows } = this.marks;
    const words = (rows: number[]) => rows.map((i) => this.map.words[i]);
    const [word, others] = [chosen >= 0 ? this.map.words[chosen] : null, words(strong)];
    const pairs = arrows.map(({ from, to }): [string, string] => [this.map.words[from], this.map.words[to]]);
    this.map = await loadMap(this.model.name);
    // What was replaced on disk may have other words, of another size.
    Object.assign(this.model, (await models()).find(({ name }) => name === this.model.name));
    this.tellSize();
    this.labels.forget();
    if (!ends) {
      this.places = this.map;
      await this.showPoints(true);
    }
    this.mark(word, others, pairs);
    this.tellGroups();
  }

  /** Shows the newer vectors of a training. */
  async renew(): Promise<void> {
    const told = await mapState(this.model.name);
    if (told.version !== this.map.version) await this.reload();
  }

  private filter(): void {
    const { hidden, only } = this.marks;
    if (!hidden.size && !only) {
      this.points?.only(null);
    } else {
      const kept: number[] = [];
      for (let i = 0; i < this.map.words.length; i++) {
        if (!hidden.has(this.map.groups[i]) && (!only || only.has(i))) kept.push(i);
      }
      this.points?.only(kept);
    }
    this.redraw();
  }

  /** Shows a word with others beside it; those that are not on the map are left out. */
  mark(word: string | null, others: string[] = [], arrows: [string, string][] = []): void {
    const at = (each: string) => this.map.index.get(each) ?? -1;
    const strong = others.map(at).filter((i) => i >= 0);
    const chosen = word === null ? -1 : at(word);
    const drawn = arrows
      .map(([from, to]) => ({ from: at(from), to: at(to) }))
      .filter(({ from, to }) => from >= 0 && to >= 0);
    Object.assign(this.marks, { chosen, strong, arrows: drawn });
    this.points?.select(chosen >= 0 ? [...strong, chosen] : strong);
    this.redraw();
  }

  markHovered(word: string | null): void {
    this.marks.hovered = word === null ? -1 : (this.map.index.get(word) ?? -1);
    this.redraw();
  }

  showOnly(words: string[] | null): void {
    const rows = words?.map((word) => this.map.index.get(word)).filter((i) => i !== undefined);
    this.marks.only = rows ? new Set(rows) : null;
    this.filter();
  }

  async showAxes(axes: Axes | null, ends: Marks["ends"]): Promise<void> {
    this.marks.ends = axes ? ends : null;
    if (axes) {
      // Not fitted in the middle: the zero of both axes stays in the centre of the plane.
      const n = axes.coordinates.length / 2;
      const x = new Float32Array(n);
      const y = new Float32Array(n);
      let farthest = 1e-6;
      for (const value of axes.coordinates) farthest = Math.max(farthest, Math.abs(value));
      for (let i = 0; i < n; i++) {
        x[i] = axes.coordinates[2 * i] / farthest;
        y[i] = axes.coordinates[2 * i + 1] / farthest;
      }
      this.places = { x, y };
    } else {
      this.places = this.map;
    }
    await this.showPoints(true);
    this.fit();
  }

  // --- the view ---------------------------------------------------------------------------------

  view(): View {
    return this.points?.view() ?? { x: 0, y: 0, zoom: 1 };
  }

  setView(view: View, moving = false): void {
    this.points?.setView(view, moving);
  }

  fit(): void {
    this.points?.setView({ x: 0, y: 0, zoom: 1 }, true);
  }

  zoom(factor: number): void {
    this.points?.zoomAt(factor, this.canvas.clientWidth / 2, this.canvas.clientHeight / 2);
  }

  setLasso(on: boolean): void {
    this.points?.setLasso(on);
    this.canvas.classList.toggle("lasso", on);
  }

  fly(word: string): void {
    const i = this.map.index.get(word);
    if (i === undefined) return;
    const near = Math.min(40, Math.max(3, Math.sqrt(this.map.words.length) / 22));
    const zoom = Math.max(this.view().zoom, near);
    this.points?.setView({ x: this.places.x[i], y: this.places.y[i], zoom }, true);
  }

  flyToAll(words: string[]): void {
    const rows = words.map((word) => this.map.index.get(word)).filter((i) => i !== undefined);
    if (!rows.length || !this.points) return;
    const xs = rows.map((i) => this.places.x[i]);
    const ys = rows.map((i) => this.places.y[i]);
    const [left, right, below, above] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const spread = Math.max(right - left, above - below, 0.04);
    this.points.setView({ x: (left + right) / 2, y: (below + above) / 2, zoom: Math.min(40, 1.3 / spread) }, true);
  }

  /** The frequent words that are seen, but for a margin: a share of the width and of the height. */
  wordsInSight(most: number, margin: number): string[] {
    const found: string[] = [];
    if (!this.points) return found;
    const { project } = this.points.projection();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const inside = (at: number, size: number) => at > margin * size && at < (1 - margin) * size;
    const { hidden, only } = this.marks;
    for (let i = 0; i < this.map.words.length && found.length < most; i++) {
      const [x, y] = project(this.places.x[i], this.places.y[i]);
      const drawn = !hidden.has(this.map.groups[i]) && (!only || only.has(i));
      if (drawn && inside(x, width) && inside(y, height)) found.push(this.map.words[i]);
    }
    return found;
  }

  /** Where most of some words are. */
  middleOf(words: string[]): [number, number] | null {
    const rows = words.map((word) => this.map.index.get(word)).filter((i) => i !== undefined);
    if (!rows.length) return null;
    const median = (of: Float32Array) => {
      const sorted = rows.map((i) => of[i]).sort((a, b) => a - b);
      return sorted[sorted.length >> 1];
    };
    return [median(this.places.x), median(this.places.y)];
  }

  repaint(): void {
    this.points?.paint(currentTheme(), false);
    this.redraw();
  }

  redraw(): void {
    if (this.frame || !this.points || !this.map) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { points } = this;
      if (!points) return;
      this.labels.draw(this.map, this.places, points.projection(), this.marks, currentTheme());
      this.root.dataset.zoom = points.view().zoom.toFixed(3);
      this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
    });
  }

  // --- what people do ---------------------------------------------------------------------------

  private viewed(): void {
    this.redraw();
    if (this.marks.hovered >= 0) this.moveTip(this.marks.hovered);
    this.events.viewed(this);
  }

  private hovered(i: number): void {
    this.marks.hovered = i;
    this.tip.hidden = i < 0;
    if (i >= 0) {
      const count = this.map.counted ? `seen ${number(this.map.counts[i])} times` : `word ${number(i + 1)}`;
      this.tip.replaceChildren(wordElement(this.map.words[i]), h("span", { class: "dim" }, count));
      this.moveTip(i);
    }
    this.redraw();
    this.events.hover(this, i < 0 ? null : this.map.words[i]);
  }

  private moveTip(i: number): void {
    if (!this.points) return;
    const [x, y] = this.points.projection().project(this.places.x[i], this.places.y[i]);
    const left = Math.min(x + 14, this.canvas.clientWidth - this.tip.offsetWidth - 6);
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(y + 16)}px)`;
  }

  private tapped(px: number, py: number, reach = TAP_REACH): void {
    if (!this.points) return;
    const { project } = this.points.projection();
    let [best, least] = [-1, reach];
    for (let i = 0; i < this.map.words.length; i++) {
      if (this.marks.hidden.has(this.map.groups[i])) continue;
      const [x, y] = project(this.places.x[i], this.places.y[i]);
      const far = Math.hypot(x - px, y - py);
      if (far < least) [best, least] = [i, far];
    }
    if (best >= 0) this.events.choose(this.map.words[best]);
  }

  /** All words that a browser without WebGL can show. */
  private showList(why: string): void {
    const list = h("ol", { class: "words", "aria-label": `Words of ${this.model.name}, the most frequent first` });
    const more = h("button", { type: "button", class: "more", click: () => add() }, "More words");
    const add = () => {
      const from = list.children.length;
      const some = this.map.words.slice(from, from + LISTED);
      list.append(...some.map((word, k) =>
        h("li", {}, h("button", { type: "button", click: () => this.events.choose(word) }, wordElement(word),
          h("span", { class: "dim" }, this.map.counted ? number(this.map.counts[from + k]) : ""))),
      ));
      more.hidden = list.children.length >= this.map.words.length;
    };
    add();
    this.root.classList.add("listed");
    this.canvas.parentElement!.replaceWith(h("div", { class: "list" },
      h("p", { class: "dim" }, `${why} Everything else works as on the map.`), list, more));
  }
}

