/** Two maps that are looked at together: one goes where the words are that the other shows. */

import type { Pane } from "./pane";

const WORDS = 200;
const MARGIN = 0.25; // what is at the edge is not what is looked at
const SHARE = 0.35; // of the way, each frame: so that it glides

/**
 * Two models have two maps, in which the same word stands in different places. So what is linked is
 * not the place but the words: the other map shows the middle of those that are seen in this one.
 */
export class Linked {
  private leader: Pane | null = null;
  private gliding = 0;
  private resting = 0;

  constructor(private readonly panes: Pane[]) {
    for (const pane of panes) {
      // Who is touched leads; what the other does then is an echo.
      for (const event of ["pointerdown", "wheel", "keydown", "pointerenter"]) {
        pane.root.addEventListener(event, () => (this.leader = pane), { passive: true, capture: true });
      }
    }
  }

  /** The other map goes from now on where this one does. */
  lead(pane: Pane): void {
    this.leader = pane;
  }

  /** Each map goes its own way, to a word that is elsewhere in each, until one is touched again. */
  release(): void {
    this.leader = null;
    cancelAnimationFrame(this.gliding);
  }

  /** The map that was touched last. */
  get leading(): Pane {
    return this.leader ?? this.panes[0];
  }

  follow(moved: Pane): void {
    if (this.panes.length < 2 || moved !== this.leader || this.resting) return;
    // Not for every frame: what is in sight has to be looked for.
    this.resting = window.setTimeout(() => {
      this.resting = 0;
      if (this.leader === moved) this.glide(moved);
    }, 60);
  }

  private glide(leader: Pane): void {
    const other = this.panes.find((pane) => pane !== leader)!;
    const { zoom } = leader.view();
    const seen = zoom <= 1.05 ? [] : leader.wordsInSight(WORDS, MARGIN);
    const to = zoom <= 1.05 ? ([0, 0] as [number, number]) : other.middleOf(seen);
    if (!to) return;
    cancelAnimationFrame(this.gliding);
    const step = () => {
      const now = other.view();
      const next = {
        x: now.x + SHARE * (to[0] - now.x),
        y: now.y + SHARE * (to[1] - now.y),
        zoom: now.zoom * (zoom / now.zoom) ** SHARE,
      };
      other.setView(next);
      const far = Math.hypot(next.x - to[0], next.y - to[1]) * zoom + Math.abs(Math.log(next.zoom / zoom));
      if (far > 0.005) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }
}
