/** Words written over the points: frequent ones first, as many as find a place. */

import { shown } from "./elements";
import type { Projection } from "./points";
import type { Theme } from "./theme";
import type { Places, WordMap } from "./word_map";

export interface Arrow {
  from: number;
  to: number;
}

export interface Marks {
  /** The word that was chosen, or -1. */
  chosen: number;
  /** Its neighbours, or what else is to be seen. */
  strong: number[];
  hovered: number;
  arrows: Arrow[];
  /** Written at the ends of the axes: left, right, below, above. */
  ends: [string, string, string, string] | null;
  /** Words of these groups are not written. */
  hidden: Set<number>;
  /** Only these are written; all if null. */
  only: Set<number> | null;
}

const CELL = 4;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const SIDES = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 0.8], [-1, 0.8], [1, -0.8], [-1, -0.8]];
const LONGEST = 28;

export class Labels {
  private readonly pen: CanvasRenderingContext2D;
  private readonly widths = new Map<number, number>();
  private width = 0;
  private height = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d")!;
  }

  resize(): void {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  forget(): void {
    this.widths.clear();
  }

  draw(map: WordMap, places: Places, to: Projection, marks: Marks, theme: Theme): void {
    const { pen, width, height } = this;
    pen.clearRect(0, 0, width, height);
    const at = (i: number) => to.project(places.x[i], places.y[i]);
    if (marks.ends) this.drawEnds(marks.ends, to, theme);
    if (marks.chosen >= 0) this.drawLines(at, marks, theme);
    for (const arrow of marks.arrows) this.drawArrow(at(arrow.from), at(arrow.to), theme);
    this.drawWords(map, places, to, marks, theme);
    for (const [i, ring] of [[marks.hovered, 1.5], [marks.chosen, 2.2]]) {
      if (i < 0) continue;
      const [x, y] = at(i);
      pen.lineWidth = ring;
      pen.strokeStyle = theme.strong;
      pen.beginPath();
      pen.arc(x, y, 7, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  private drawLines(at: (i: number) => [number, number], marks: Marks, theme: Theme): void {
    const [x, y] = at(marks.chosen);
    const { pen } = this;
    pen.lineWidth = 1;
    pen.strokeStyle = theme.text;
    pen.globalAlpha = 0.35;
    for (const i of marks.strong) {
      const [toX, toY] = at(i);
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(toX, toY);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  private drawArrow(from: [number, number], to: [number, number], theme: Theme): void {
    const { pen } = this;
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 4) return;
    const [dx, dy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    const tip = [to[0] - 6 * dx, to[1] - 6 * dy];
    pen.strokeStyle = pen.fillStyle = theme.arrow;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.moveTo(from[0] + 6 * dx, from[1] + 6 * dy);
    pen.lineTo(tip[0] - 9 * dx, tip[1] - 9 * dy);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(tip[0], tip[1]);
    pen.lineTo(tip[0] - 13 * dx + 6 * dy, tip[1] - 13 * dy - 6 * dx);
    pen.lineTo(tip[0] - 13 * dx - 6 * dy, tip[1] - 13 * dy + 6 * dx);
    pen.fill();
  }

  private drawEnds(ends: readonly string[], to: Projection, theme: Theme): void {
    const { pen, width, height } = this;
    const [x, y] = to.project(0, 0);
    pen.strokeStyle = theme.text;
    pen.globalAlpha = 0.25;
    pen.lineWidth = 1;
    for (const line of [[0, y, width, y], [x, 0, x, height]]) {
      pen.beginPath();
      pen.moveTo(line[0], line[1]);
      pen.lineTo(line[2], line[3]);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    const [left, right, below, above] = ends.map((word) => shown(word, LONGEST));
    const middleX = Math.min(width - 60, Math.max(60, x));
    const middleY = Math.min(height - 40, Math.max(40, y));
    pen.font = `600 14px ${FONT}`;
    pen.textBaseline = "middle";
    const written: [string, CanvasTextAlign, number, number][] = [
      [`\u2190 ${left}`, "left", 12, middleY - 12],
      [`${right} \u2192`, "right", width - 12, middleY - 12],
      [`\u2193 ${below}`, "center", middleX, height - 18],
      [`\u2191 ${above}`, "center", middleX, 60],
    ];
    for (const [text, align, textX, textY] of written) {
      pen.textAlign = align;
      this.write(text, textX, textY, theme.arrow, theme);
    }
  }

  private write(text: string, x: number, y: number, colour: string, theme: Theme): void {
    const { pen } = this;
    pen.lineWidth = 3.5;
    pen.lineJoin = "round";
    pen.strokeStyle = theme.halo;
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }

  private textWidth(i: number, text: string, size: number, bold: boolean): number {
    const key = i * 64 + size * 2 + Number(bold);
    let found = this.widths.get(key);
    if (found === undefined) {
      if (this.widths.size > 50_000) this.widths.clear();
      this.pen.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
      found = this.pen.measureText(text).width;
      this.widths.set(key, found);
    }
    return found;
  }

  private drawWords(map: WordMap, places: Places, to: Projection, marks: Marks, theme: Theme): void {
    const { pen, width, height } = this;
    const across = Math.ceil(width / CELL);
    const down = Math.ceil(height / CELL);
    const taken = new Uint8Array(across * down);
    const most = Math.min(400, (width * height) / 3200);
    const ends = marks.arrows.flatMap(({ from, to: end }) => [from, end]);
    const first = [...new Set([marks.chosen, marks.hovered, ...ends, ...marks.strong])].filter((i) => i >= 0);
    const firsts = new Set(first);
    let placed = 0;
    pen.textAlign = "center";
    pen.textBaseline = "middle";

    const place = (i: number, strong: boolean) => {
      const [x, y] = to.project(places.x[i], places.y[i]);
      if (x < 0 || y < 0 || x > width || y > height) return;
      const bold = i === marks.chosen || i === marks.hovered;
      const depth = Math.log2(1 + i / Math.max(1, to.zoom * to.zoom * 40));
      const size = strong ? 14 : Math.round(Math.max(11, 16 - 0.8 * depth));
      const text = shown(map.words[i], LONGEST);
      const w = this.textWidth(i, text, size, bold) + 3;
      const tall = size + 1;
      for (const [dx, dy] of SIDES) {
        const middleX = x + dx * (w / 2 + 5);
        const middleY = y + dy * (tall / 2 + 4);
        const x0 = Math.floor((middleX - w / 2) / CELL);
        const x1 = Math.floor((middleX + w / 2) / CELL);
        const y0 = Math.floor((middleY - tall / 2) / CELL);
        const y1 = Math.floor((middleY + tall / 2) / CELL);
        if (x0 < 0 || y0 < 0 || x1 >= across || y1 >= down) continue;
        let free = true;
        for (let row = y0; free && row <= y1; row++) {
          for (let column = x0; column <= x1; column++) {
            if (taken[row * across + column]) {
              free = false;
              break;
            }
          }
        }
        if (!free && !bold) continue;
        for (let row = y0; row <= y1; row++) {
          taken.fill(1, row * across + x0, row * across + x1 + 1);
        }
        pen.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
        this.write(text, middleX, middleY, strong ? theme.text : theme.labels[map.groups[i]], theme);
        placed++;
        return;
      }
    };

    // A lasso may have caught more words than could ever be written.
    for (const i of first.slice(0, 6 * most)) place(i, true);
    // Beside words that were asked for, the others step back.
    const others = firsts.size > 1 ? most / 3 : most;
    pen.globalAlpha = firsts.size > 1 ? 0.6 : 1;
    for (let i = 0, tried = 0; i < map.words.length && placed < others + first.length && tried < 6 * most; i++) {
      if (firsts.has(i) || marks.hidden.has(map.groups[i])) continue;
      if (marks.only && !marks.only.has(i)) continue;
      const [x, y] = to.project(places.x[i], places.y[i]);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      tried++;
      place(i, false);
    }
    pen.globalAlpha = 1;
  }
}
