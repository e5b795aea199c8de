/** Words with their places: what the server sends as one block of numbers. */

import { mapBytes } from "./api";

interface Header {
  model: string;
  words: string[];
  groups: string[];
  method: string;
  note: string;
  version: string;
  total: number;
  counted: boolean;
}

export interface Places {
  x: Float32Array;
  y: Float32Array;
}

export interface WordMap extends Places {
  model: string;
  /** The most frequent first. */
  words: string[];
  counts: Uint32Array;
  counted: boolean;
  groups: Uint8Array;
  groupNames: string[];
  /** Where a word is in `words`. */
  index: Map<string, number>;
  lower: string[];
  note: string;
  version: string;
  /** How many words the model has, of which these are on the map. */
  total: number;
}

export async function loadMap(model: string): Promise<WordMap> {
  const bytes = await mapBytes(model);
  const headerLength = new DataView(bytes).getUint32(0, true);
  const header = JSON.parse(
    new TextDecoder().decode(new Uint8Array(bytes, 4, headerLength)),
  ) as Header;
  const n = header.words.length;
  let at = 4 + headerLength;
  const coordinates = new Float32Array(bytes, at, 2 * n);
  at += 8 * n;
  const counts = new Uint32Array(bytes, at, n);
  at += 4 * n;
  const groups = new Uint8Array(bytes, at, n);
  const index = new Map<string, number>();
  header.words.forEach((word, i) => index.set(word, i));
  return {
    model,
    words: header.words,
    ...fitted(coordinates),
    counts,
    counted: header.counted,
    groups,
    groupNames: header.groups,
    index,
    lower: header.words.map((word) => word.toLowerCase()),
    note: header.note,
    version: header.version,
    total: header.total,
  };
}

/** Moves points into the square from -1 to 1, keeping their proportions. */
export function fitted(coordinates: Float32Array): Places {
  const n = coordinates.length / 2;
  let [left, right, below, above] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    left = Math.min(left, coordinates[2 * i]);
    right = Math.max(right, coordinates[2 * i]);
    below = Math.min(below, coordinates[2 * i + 1]);
    above = Math.max(above, coordinates[2 * i + 1]);
  }
  const scale = 2 / (Math.max(right - left, above - below) || 1);
  const [middleX, middleY] = [(left + right) / 2, (below + above) / 2];
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    x[i] = (coordinates[2 * i] - middleX) * scale;
    y[i] = (coordinates[2 * i + 1] - middleY) * scale;
  }
  return { x, y };
}

/** Words that begin with what was typed, then those that have it inside; frequent ones first. */
export function completions(map: WordMap, typed: string, most: number): number[] {
  const wanted = typed.toLowerCase();
  if (!wanted) return [];
  const exact = map.index.get(typed);
  const found: number[] = exact === undefined ? [] : [exact];
  const inside: number[] = [];
  for (let i = 0; i < map.lower.length && found.length < most; i++) {
    if (i === exact) continue;
    const at = map.lower[i].indexOf(wanted);
    if (at === 0) found.push(i);
    else if (at > 0 && inside.length < most) inside.push(i);
  }
  return [...found, ...inside].slice(0, most);
}
