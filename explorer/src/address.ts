/** What is looked at, as the address of the page: it can be copied and opened again. */

import type { View } from "./points";

export type Ends = [string, string, string, string];

export interface Looked {
  model?: string;
  word?: string;
  view?: View;
  ends?: Ends;
}

export function readAddress(): Looked {
  const given = new URLSearchParams(location.hash.slice(1));
  const looked: Looked = {};
  if (given.get("model")) looked.model = given.get("model")!;
  if (given.get("word")) looked.word = given.get("word")!;
  const view = given.get("view")?.split(",").map(Number);
  if (view?.length === 3 && view.every(Number.isFinite) && view[2] > 0) {
    looked.view = { x: view[0], y: view[1], zoom: view[2] };
  }
  const ends = given.getAll("end");
  if (ends.length === 4 && ends.every(Boolean)) looked.ends = ends as Ends;
  return looked;
}

function written(looked: Looked): string {
  const parts = new URLSearchParams();
  if (looked.model) parts.set("model", looked.model);
  if (looked.word) parts.set("word", looked.word);
  for (const end of looked.ends ?? []) parts.append("end", end);
  if (looked.view) {
    const { x, y, zoom } = looked.view;
    parts.set("view", [x.toFixed(4), y.toFixed(4), zoom.toPrecision(4)].join(","));
  }
  return `#${parts}`;
}

/** A new word is a step that the browser can go back; a new view is not. */
export function writeAddress(looked: Looked, trail: string[], step: boolean): void {
  const state = { trail };
  if (step) history.pushState(state, "", written(looked));
  else history.replaceState(state, "", written(looked));
}

export function readTrail(state: unknown): string[] {
  const trail = (state as { trail?: unknown } | null)?.trail;
  return Array.isArray(trail) ? trail.filter((word) => typeof word === "string") : [];
}
