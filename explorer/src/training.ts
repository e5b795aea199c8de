/** Watching a training: placeholder until the server tells of one. */

import type { Pane } from "./pane";

export async function watchTraining(_pane: Pane): Promise<void> {}
