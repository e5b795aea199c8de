/** The page of firth explore: maps on one side, questions on the other. */

import { type Ends, type Looked, readAddress, readTrail, writeAddress } from "./address";
import { live, type Model, models, moved, ServerError } from "./api";
import { Combobox } from "./combobox";
import { byId, h, number, wordElement } from "./elements";
import { Linked } from "./linked";
import { Pane } from "./pane";
import { AnalogyPanel, AxesPanel, OddPanel } from "./question_panels";
import { SelectionPanel } from "./selection_panel";
import { Tabs } from "./tabs";
import { watchTheme } from "./theme";
import { Training } from "./training";
import { allowReglPrograms } from "./trusted_types";
import { WordPanel } from "./word_panel";

const CRUMBS = 6;
const SETTLED = 250; // milliseconds without a move, before the address is written

class Explorer {
  private readonly search: Combobox;
  private readonly wordPanel: WordPanel;
  private readonly selection: SelectionPanel;
  private readonly axesPanel: AxesPanel;
  private readonly linked: Linked;
  private word: string | null = null;
  private trail: string[] = [];
  private ends: Ends | null = null;
  private settling = 0;

  constructor(
    private readonly panes: Pane[],
    private readonly tabs: Tabs,
  ) {
    const choose = (word: string) => this.choose(word);
    this.linked = new Linked(panes);
    this.search = new Combobox(byId<HTMLInputElement>("search"), () => panes[0].map, choose);
    this.wordPanel = new WordPanel(panes, { choose, hover: (word) => this.hover(word) });
    this.selection = new SelectionPanel(panes, choose, () => this.linked.leading);
    const questions = {
      choose,
      plane: (ends: Ends | null) => this.planeShown(ends),
      flown: () => this.linked.release(),
    };
    new AnalogyPanel(panes, questions);
    new OddPanel(panes, questions);
    this.axesPanel = new AxesPanel(panes, questions);
    this.wordPanel.clear();
    this.listen();
  }

  /** Shows what the address tells. */
  async open(looked: Looked, trail: string[]): Promise<void> {
    this.trail = trail;
    if (looked.ends && this.panes[0].hasMap) {
      this.tabs.show("axes");
      await this.axesPanel.show(looked.ends);
    } else if (this.ends) {
      await this.axesPanel.leave();
    }
    if (looked.word) await this.choose(looked.word, false, !looked.view);
    else if (this.word !== null) this.leave();
    if (looked.view) {
      this.linked.lead(this.panes[0]);
      this.panes[0].setView(looked.view);
    }
  }

  async choose(word: string, step = true, fly = true): Promise<void> {
    if (step && word !== this.word && this.word !== null) this.trail.push(this.word);
    this.word = word;
    this.search.value = word;
    this.tabs.show("word");
    this.tellTrail();
    if (step) this.write(true);
    document.title = `${word.slice(0, 60)} \u2013 firth explore`;
    if (fly) this.linked.release();
    for (const pane of this.panes) {
      pane.mark(word);
      if (fly) pane.fly(word);
    }
    const neighbours = await this.wordPanel.show(word);
    if (this.word !== word) return;
    this.panes.forEach((pane, k) => pane.mark(word, neighbours[k]));
    const told = neighbours[0].slice(0, 5).join(", ");
    byId("said").textContent = told ? `Nearest to ${word}: ${told}` : `${word} has no neighbours here`;
  }

  lassoed(pane: Pane, words: string[]): void {
    this.lasso(false);
    this.tabs.show("selection");
    this.selection.show(pane, words);
  }

  hover(word: string | null, of?: Pane): void {
    for (const pane of this.panes) if (pane !== of) pane.markHovered(word);
  }

  viewed(pane: Pane): void {
    this.linked.follow(pane);
    window.clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.write(false), SETTLED);
  }

  leave(): void {
    this.word = null;
    for (const pane of this.panes) pane.mark(null);
    this.wordPanel.clear();
    this.write(false);
  }

  /** Shows the newer vectors of a training. */
  async renewed(): Promise<void> {
    await this.panes[0].renew();
    if (this.word === null) return;
    const neighbours = await this.wordPanel.show(this.word);
    this.panes[0].mark(this.word, neighbours[0]);
  }

  focusSearch(): void {
    const field = byId<HTMLInputElement>("search");
    field.focus();
    field.select();
  }

  private planeShown(ends: Ends | null): void {
    this.ends = ends;
    this.write(false);
  }

  private write(step: boolean): void {
    const looked: Looked = { model: this.panes[0].model.name };
    if (this.word !== null) looked.word = this.word;
    if (this.ends) looked.ends = this.ends;
    if (this.panes[0].hasMap && !step) looked.view = this.panes[0].view();
    writeAddress(looked, this.trail, step);
  }

  private tellTrail(): void {
    const trail = byId("trail");
    trail.hidden = !this.trail.length;
    const crumbs = this.trail.map((word, k) => ({ word, k })).slice(-CRUMBS);
    trail.replaceChildren(
      h("button", { type: "button", class: "back", "aria-label": "Back to the word before", click: () => this.back(this.trail.length - 1) }, "\u2190"),
      ...crumbs.flatMap(({ word, k }) => [
        h("button", { type: "button", class: "plain", click: () => this.back(k) }, wordElement(word)),
        h("span", { class: "dim", "aria-hidden": "true" }, "\u203a"),
      ]),
      h("span", {}, wordElement(this.word ?? "")),
    );
  }

  /** Walks the trail back to one of its words. */
  private back(to: number): void {
    const word = this.trail[to];
    if (word === undefined) return;
    this.trail = this.trail.slice(0, to);
    this.word = null;
    void this.choose(word, false);
    // At once: the browser's own Back may come before the neighbours do.
    this.write(true);
  }

  private zoom(factor: number): void {
    const pane = this.linked.leading;
    this.linked.lead(pane);
    pane.zoom(factor);
  }

  private lasso(on: boolean): void {
    byId("lasso").setAttribute("aria-pressed", String(on));
    for (const pane of this.panes) pane.setLasso(on);
  }

  private listen(): void {
    byId("zoom-in").addEventListener("click", () => this.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => this.zoom(1 / 1.6));
    byId("fit").addEventListener("click", () => this.panes.forEach((pane) => pane.fit()));
    byId("lasso").addEventListener("click", () => this.lasso(byId("lasso").getAttribute("aria-pressed") !== "true"));
    byId("copy").addEventListener("click", () => void this.copy());
    byId("skip").addEventListener("click", (event) => {
      // The address is the view's: a jump within the page would let go of it.
      event.preventDefault();
      byId("side").focus();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        this.focusSearch();
      }
    });
    window.addEventListener("popstate", (event) => {
      const looked = readAddress();
      if (event.state === null) {
        // An address that was put into this tab, and no step that was made here.
        if ((looked.model ?? this.panes[0].model.name) === this.panes[0].model.name) void this.open(looked, []);
        else location.reload();
        return;
      }
      this.trail = readTrail(event.state);
      if (looked.word && looked.word !== this.word) void this.choose(looked.word, false);
      else if (!looked.word) this.leave();
    });
  }

  private async copy(): Promise<void> {
    this.write(false);
    const button = byId("copy");
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      // Without leave for the clipboard there is the address bar, which has it.
      button.textContent = "See the address bar";
    }
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  }
}

async function tellMoved(panes: Pane[], choose: (word: string) => void): Promise<void> {
  const body = byId("moved-body");
  body.replaceChildren(h("p", { class: "dim" }, "Comparing \u2026"));
  try {
    const told = await moved(panes[0].model.name, panes[1].model.name);
    body.replaceChildren(
      h("p", {}, `Words whose vectors moved most from ${panes[0].model.name} to ${panes[1].model.name}.`),
      h("p", { class: "dim" }, `${number(told.shared)} words are in both; the ${number(told.compared)} most frequent are compared, after one space was rotated onto the other. The distance is 1 \u2212 cosine.`),
      h("ol", { class: "neighbours" }, ...told.moved.map(({ word, distance }) =>
        h("li", {}, h("button", { type: "button", click: () => choose(word) },
          wordElement(word), h("span", { class: "score" }, distance.toFixed(3)))))),
    );
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    body.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
  }
}

/** Hides what needs a map where there is none. */
function tellMaps(panes: Pane[]): void {
  const there = panes.every((pane) => pane.hasMap);
  byId("tools").hidden = !there;
  byId("tab-selection").hidden = !there;
  byId("tab-axes").hidden = !there;
}

/** The models to show: that of the address first; of a training, as soon as it has vectors. */
async function modelsToShow(all: Model[], wanted: string | undefined, training: Training | null): Promise<Model[]> {
  while (!all.length && training) {
    byId("opening").textContent = "The text is read; the map comes with the first vectors.";
    await training.newVectors();
    all = await models();
  }
  const first = all.findIndex(({ name }) => name === wanted);
  if (first > 0) all.unshift(...all.splice(first, 1));
  return all.slice(0, 2);
}

async function main(): Promise<void> {
  allowReglPrograms();
  const stage = byId("stage");
  const looked = readAddress();
  let explorer: Explorer | undefined;
  const panes: Pane[] = [];
  let training: Training | null = null;
  watchTheme(() => {
    for (const pane of panes) pane.repaint();
    training?.draw();
  });
  try {
    const [trained, served] = await Promise.all([live(), models()]);
    const choose = (word: string) => void explorer?.choose(word);
    training = trained === null ? null : new Training(trained, () => panes[0]?.map, choose);
    const tabs = new Tabs();
    if (training) {
      tabs.show("training");
      document.body.classList.add("watching");
    }
    for (const model of await modelsToShow(served, looked.model, training)) {
      panes.push(new Pane(model, {
        choose,
        lasso: (pane, words) => explorer?.lassoed(pane, words),
        hover: (pane, word) => explorer?.hover(word, pane),
        viewed: (pane) => explorer?.viewed(pane),
        listed: () => tellMaps(panes),
        search: () => explorer?.focusSearch(),
        leave: () => explorer?.leave(),
      }));
    }
    document.body.classList.toggle("two", panes.length > 1);
    stage.replaceChildren(...panes.map((pane) => pane.root));
    await Promise.all(panes.map((pane) => pane.open()));
    explorer = new Explorer(panes, tabs);
    tellMaps(panes);
    if (panes.length > 1) {
      byId("tab-moved").hidden = false;
      byId("tab-moved").addEventListener("click", () => void tellMoved(panes, choose), { once: true });
    }
    await explorer.open(looked, readTrail(history.state));
    document.documentElement.dataset.ready = "true";
    if (training) {
      for (;;) {
        await training.newVectors();
        await explorer.renewed();
      }
    }
  } catch (error) {
    const told = error instanceof ServerError ? error.message : "This page failed; its console tells why.";
    stage.replaceChildren(h("p", { class: "error", role: "alert" }, told));
    if (!(error instanceof ServerError)) throw error;
  }
}

void main();
