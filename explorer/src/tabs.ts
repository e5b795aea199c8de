/** Tabs, one of which is open; arrow keys go from one to the next. */

import { byId } from "./elements";

export class Tabs {
  private readonly all = [...byId("tabs").querySelectorAll<HTMLElement>("[role=tab]")];

  constructor() {
    for (const tab of this.all) {
      tab.addEventListener("click", () => this.show(tab.id.slice(4)));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const there = this.all.filter((each) => !each.hidden);
        const next = there[(there.indexOf(tab) + step + there.length) % there.length];
        this.show(next.id.slice(4));
        next.focus();
      });
    }
  }

  show(name: string): void {
    for (const tab of this.all) {
      const open = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(open));
      tab.tabIndex = open ? 0 : -1;
      byId(tab.getAttribute("aria-controls")!).hidden = !open;
    }
  }
}
