/** The points of a map. Only this file knows what draws them. */

import createScatterplot from "regl-scatterplot";
import type { Places } from "./word_map";
import type { Theme } from "./theme";

/** What is seen: the point in the middle, and how many times larger than the whole map. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

export interface Projection {
  zoom: number;
  project(x: number, y: number): [number, number];
}

export interface PointEvents {
  hover(i: number): void;
  click(i: number): void;
  lasso(chosen: number[]): void;
  /** The view changed; `byHand` unless the page itself moved it. */
  view(): void;
  /** The browser took away what draws them: the graphics failed, or slept too long. */
  lost(): void;
}

export interface Points {
  show(places: Places, groups: Uint8Array, sizes: Float32Array, moving: boolean): Promise<void>;
  paint(theme: Theme, dimmed: boolean): void;
  select(chosen: number[]): void;
  only(chosen: number[] | null): void;
  setLasso(on: boolean): void;
  view(): View;
  setView(view: View, moving?: boolean): void;
  pan(dx: number, dy: number): void;
  zoomAt(factor: number, px: number, py: number): void;
  /** Where points are in the view of this moment: pixels from the left and from the top. */
  projection(): Projection;
  /** What a pixel shows. */
  unproject(px: number, py: number): [number, number];
  destroy(): void;
}

const MOST_ZOOM = 2000;
const LEAST_ZOOM = 0.4;
const FLIGHT = 450;

/** Null where the browser cannot draw them. */
export function createPoints(canvas: HTMLCanvasElement, theme: Theme, events: PointEvents): Points | null {
  if (new URLSearchParams(location.search).has("list")) return null;
  try {
    return drawnBy(canvas, theme, events);
  } catch {
    // regl throws where there is no WebGL, or not all of what it needs.
    return null;
  }
}

function drawnBy(canvas: HTMLCanvasElement, theme: Theme, events: PointEvents): Points {
  const plot = createScatterplot({
    canvas,
    backgroundColor: theme.back,
    colorBy: "category",
    sizeBy: "value",
    pointColor: theme.groups,
    pointColorActive: theme.strong,
    pointColorHover: theme.strong,
    pointSize: [2],
    pointSizeSelected: 3,
    pointOutlineWidth: 1.5,
    opacity: 0.6,
    opacityInactiveMax: 0.35,
    opacityInactiveScale: 0.8,
    lassoColor: theme.lasso,
    lassoInitiator: false,
    deselectOnDblClick: false,
    deselectOnEscape: false,
    // A worker would be a script of another origin, which the page's policy forbids.
    spatialIndexUseWorker: false,
  } as Parameters<typeof createScatterplot>[0]);
  if (!plot.isSupported) throw new Error("no textures of floating-point numbers");
  let nPoints = 0;
  // One after the other: what comes while points are drawn would be left out.
  let drawing: Promise<unknown> = Promise.resolve();
  let lassoed = false;
  let silent = false;
  let flying = false;

  plot.subscribe("transitionStart", () => (flying = true));
  plot.subscribe("transitionEnd", () => (flying = false));
  plot.subscribe("pointOver", (i) => events.hover(i as number));
  plot.subscribe("pointOut", () => events.hover(-1));
  plot.subscribe("lassoStart", () => (lassoed = true));
  plot.subscribe("lassoEnd", () => (lassoed = true));
  plot.subscribe("select", ({ points }: { points: number[] }) => {
    if (silent) return;
    if (lassoed) events.lasso([...points]);
    else if (points.length) events.click(points[points.length - 1]);
    lassoed = false;
  });
  plot.get("renderer").regl.on("lost", () => events.lost());
  plot.subscribe("view", () => events.view());
  plot.subscribe("draw", () => events.view());

  // Kept, since to ask the page for sizes makes it lay itself out.
  let [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const observer = new ResizeObserver(() => ([width, height] = [canvas.clientWidth, canvas.clientHeight]));
  observer.observe(canvas);
  const aspect = () => width / Math.max(1, height);
  // regl-scatterplot takes a flight of the view for one of points, which it would then throw away
  // unmade; points that fly are drawn as they were when new ones are put under them.
  async function landed(): Promise<void> {
    while (flying) {
      await new Promise<void>((resolve) => plot.subscribe("transitionEnd", () => resolve(), 1));
    }
  }
  const matrix = () => plot.get("cameraView") as Float32Array;

  function view(): View {
    const v = matrix();
    const scale = Math.hypot(v[0], v[1]);
    return { x: -v[12] / scale, y: -v[13] / scale, zoom: scale / fitScale() };
  }
  // At a zoom of 1 the square from -1 to 1 just fits, with a margin.
  const fitScale = () => 0.94 * Math.min(1, aspect());
  function setView(to: View, moving = false): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, to.zoom));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    void plot.zoomToLocation([to.x, to.y], 1 / (zoom * fitScale()), {
      transition: moving && !still && nPoints > 0,
      transitionDuration: FLIGHT,
    });
  }
  function unproject(px: number, py: number): [number, number] {
    const v = matrix();
    const cx = ((2 * px) / width - 1) * aspect();
    const cy = 1 - (2 * py) / height;
    return [(cx - v[12]) / v[0], (cy - v[13]) / v[5]];
  }

  return {
    async show(places, groups, sizes, moving) {
      const same = places.x.length === nPoints;
      nPoints = places.x.length;
      const dot = Math.min(5, Math.max(1.6, 420 / Math.sqrt(Math.max(1, nPoints))));
      plot.set({ pointSize: Array.from({ length: 12 }, (_, k) => dot * (0.8 + 0.13 * k)) });
      const draw = async () => {
        await landed();
        await plot.draw(
          { x: places.x, y: places.y, z: groups, w: sizes },
          {
            transition: moving && same,
            transitionDuration: 900,
            zDataType: "categorical",
            wDataType: "continuous",
          },
        );
      };
      drawing = drawing.then(draw, draw);
      await drawing;
    },
    paint(to, dimmed) {
      plot.set({
        backgroundColor: to.back,
        pointColor: to.groups,
        pointColorActive: to.strong,
        pointColorHover: to.strong,
        lassoColor: to.lasso,
        opacity: dimmed ? 0.3 : nPoints > 50_000 ? 0.5 : 0.65,
      });
    },
    select(chosen) {
      silent = true;
      if (chosen.length) plot.select(chosen, { preventEvent: true });
      else plot.deselect({ preventEvent: true });
      silent = false;
    },
    only(chosen) {
      if (chosen) void plot.filter(chosen, { preventEvent: true });
      else void plot.unfilter({ preventEvent: true });
    },
    setLasso(on) {
      plot.set({ mouseMode: on ? "lasso" : "panZoom" });
    },
    view,
    setView,
    pan(dx, dy) {
      const now = view();
      const scale = now.zoom * fitScale() * (height / 2);
      setView({ ...now, x: now.x - dx / scale, y: now.y + dy / scale });
    },
    zoomAt(factor, px, py) {
      const now = view();
      const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, now.zoom * factor));
      const [x, y] = unproject(px, py);
      const kept = now.zoom / zoom;
      setView({ x: x + (now.x - x) * kept, y: y + (now.y - y) * kept, zoom });
    },
    projection() {
      const v = matrix();
      const [acrossX, acrossZero] = [(v[0] * height) / 2, (v[12] * height + width) / 2];
      const [downY, downZero] = [(-v[5] * height) / 2, ((1 - v[13]) * height) / 2];
      return {
        zoom: view().zoom,
        project: (x, y) => [acrossX * x + acrossZero, downY * y + downZero],
      };
    },
    unproject,
    destroy() {
      observer.disconnect();
      try {
        plot.destroy();
      } catch {
        // Of a lost context not everything can be given back, and needs not be.
      }
    },
  };
}
