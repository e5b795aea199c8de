/** What the server is asked. Addresses are relative: the page talks to where it came from. */

export interface Model {
  name: string;
  words: number;
  vectorSize: number;
  subwords: boolean;
  counts: boolean;
}
export interface Neighbour {
  word: string;
  score: number;
}
export interface Answer {
  neighbours: Neighbour[];
  /** The vector was made from parts of the word: it is not in the vocabulary. */
  unseen: boolean;
}
export interface MapState {
  state: "ready" | "arranging" | "failed";
  message: string;
  version: string;
  /** Why what is on disk by now is not what is served, if it is not. */
  fault: string | null;
}
export interface Moved {
  word: string;
  distance: number;
}
export interface Axes {
  coordinates: Float32Array;
  about: { angle: number };
}

/** An answer that tells in words why there is none. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number>;

async function request(path: string, query: Query = {}, body?: unknown): Promise<Response> {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) given.set(name, String(value));
  const text = given.toString();
  let response: Response;
  try {
    response = await fetch(text ? `${path}?${text}` : path, body === undefined ? {} : {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ServerError("The server does not answer: does firth explore still run?", 0);
  }
  if (!response.ok) {
    let message = `The server answered with status ${response.status}.`;
    try {
      const told = await response.json();
      if (typeof told.detail === "string") message = told.detail;
    } catch {
      // No JSON: the status says it all.
    }
    throw new ServerError(message, response.status);
  }
  return response;
}

async function json<T>(path: string, query?: Query): Promise<T> {
  return (await request(path, query)).json() as Promise<T>;
}

interface ToldModel {
  name: string;
  n_words: number;
  vector_size: number;
  subwords: string | null;
  has_counts: boolean;
}

export async function models(): Promise<Model[]> {
  const told = await json<{ models: ToldModel[] }>("v1/models");
  return told.models.map((model) => ({
    name: model.name,
    words: model.n_words,
    vectorSize: model.vector_size,
    subwords: model.subwords !== null,
    counts: model.has_counts,
  }));
}

interface ToldNeighbour {
  word: string;
  similarity: number;
}
interface ToldAnswer {
  neighbours?: ToldNeighbour[];
  answers?: ToldNeighbour[];
  unseen?: string[];
  odd_one_out?: string;
  error?: string;
}

/**
 * Asks one question as one of many: then a word that is not there is an answer like any other, where
 * it would be an error of the connection, which browsers write into their consoles.
 */
async function ask(path: string, model: string, question: unknown, k?: number): Promise<ToldAnswer> {
  const response = await request(path, {}, { model, questions: [question], ...(k ? { k } : {}) });
  const told = (await response.json()) as { answers: ToldAnswer[] };
  const answer = told.answers[0];
  if (answer.error !== undefined) throw new ServerError(answer.error, 404);
  return answer;
}

function read(answer: ToldAnswer): Answer {
  const found = answer.neighbours ?? answer.answers ?? [];
  return {
    neighbours: found.map(({ word, similarity }) => ({ word, score: similarity })),
    unseen: !!answer.unseen?.length,
  };
}

export async function similar(model: string, word: string, k: number): Promise<Answer> {
  return read(await ask("v1/similar", model, word, k));
}

export async function analogy(model: string, a: string, b: string, c: string): Promise<Answer> {
  return read(await ask("v1/analogy", model, [a, b, c], 5));
}

export async function oddOneOut(model: string, words: string[]): Promise<string> {
  return (await ask("v1/odd-one-out", model, words)).odd_one_out!;
}

/** The model that is being trained, if one is. */
export async function live(): Promise<string | null> {
  return (await json<{ live: string | null }>("explorer/about")).live;
}

export async function mapBytes(model: string): Promise<ArrayBuffer> {
  return (await request("explorer/map", { model })).arrayBuffer();
}

export function mapState(model: string): Promise<MapState> {
  return json("explorer/map/state", { model });
}

export async function axes(model: string, ends: [string, string, string, string]): Promise<Axes> {
  const [left, right, below, above] = ends;
  // Are the words there? See `ask`.
  await ask("v1/similarity", model, [left, right]);
  await ask("v1/similarity", model, [below, above]);
  const response = await request("explorer/axes", { model, left, right, below, above });
  return {
    coordinates: new Float32Array(await response.arrayBuffer()),
    about: { angle: Number(response.headers.get("X-Angle")) },
  };
}

export function moved(
  model: string,
  other: string,
): Promise<{ compared: number; shared: number; moved: Moved[] }> {
  return json("explorer/moved", { model, other });
}
