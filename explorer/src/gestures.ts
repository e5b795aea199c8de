/** Fingers and keys on the map; the mouse is the scatter plot's own. */

import type { Points } from "./points";

export interface KeyActions {
  fit(): void;
  chooseMiddle(): void;
  search(): void;
  leave(): void;
}

const STEP = 90; // pixels
const TAP = 10; // pixels that a finger may move and still mean a tap

export function listenToFingers(canvas: HTMLCanvasElement, points: Points, tap: (x: number, y: number) => void): void {
  const fingers = new Map<number, [number, number]>();
  let moved = 0;
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    if (fingers.size === 0) moved = 0;
    fingers.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
    if (moved < TAP) return;
    const share = other ? 0.5 : 1;
    points.pan((now[0] - before[0]) * share, (now[1] - before[1]) * share);
    if (other) {
      const spread = Math.hypot(now[0] - other[0], now[1] - other[1]);
      const spreadBefore = Math.hypot(before[0] - other[0], before[1] - other[1]);
      points.zoomAt(spread / Math.max(1, spreadBefore), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
  });
  const lift = (event: PointerEvent) => {
    const at = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    if (at && event.type === "pointerup" && moved < TAP && fingers.size === 0) tap(...at);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
}

export function listenToKeys(canvas: HTMLCanvasElement, points: Points, actions: KeyActions): void {
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle: [number, number] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    const does: Record<string, () => void> = {
      ArrowLeft: () => points.pan(STEP, 0),
      ArrowRight: () => points.pan(-STEP, 0),
      ArrowUp: () => points.pan(0, STEP),
      ArrowDown: () => points.pan(0, -STEP),
      "+": () => points.zoomAt(1.5, ...middle),
      "=": () => points.zoomAt(1.5, ...middle),
      "-": () => points.zoomAt(1 / 1.5, ...middle),
      "0": actions.fit,
      Enter: actions.chooseMiddle,
      "/": actions.search,
      Escape: actions.leave,
    };
    const action = does[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
