// <chart-figure>: an <svg> of settled height and its data as JSON. Drawn anew whenever its width changes.
import { drawBars } from "./bars.js";
import { drawColumns } from "./columns.js";
import { drawDots } from "./dots.js";
import { select } from "./frame.js";
import { drawArea, drawLine } from "./lines.js";
import { Tooltip } from "./tooltip.js";

const NARROW = 520; // css/charts.css has the same number

// How each kind is drawn. A further kind (waterfall, curves, dumbbell, heatmap, Sankey) gets a module and a line here.
const DRAW = {
  line: drawLine,
  area: drawArea,
  bars: (plot) => (plot.data.horizontal ? drawBars(plot) : drawColumns(plot)),
  dots: drawDots,
  histogram: drawColumns,
};

export class ChartFigure extends HTMLElement {
  connectedCallback() {
    this.svg = this.querySelector("svg");
    this.data = JSON.parse(this.querySelector("script").textContent);
    this.tooltip = new Tooltip(this, this.data);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this);
    this.addEventListener("pointerleave", () => this.tooltip.hide());
    this.addEventListener("focusout", () => this.tooltip.hide());
    this.addEventListener("keydown", (event) => this.onKey(event));
    if (this.data.links === "none") this.svg.setAttribute("tabindex", "0");
  }

  disconnectedCallback() {
    this.observer.disconnect();
  }

  draw() {
    const width = Math.floor(this.clientWidth);
    if (!width || width === this.width) return;
    this.width = width;
    const focused = [...this.svg.querySelectorAll("a")].indexOf(document.activeElement);
    this.tooltip.hide();
    const plot = {
      svg: select(this.svg),
      data: this.data,
      width,
      height: Number(this.svg.getAttribute("height")),
      narrow: width < NARROW,
      anchors: [],
    };
    plot.svg.selectAll("*").remove();
    plot.svg.attr("viewBox", `0 0 ${width} ${plot.height}`);
    DRAW[this.data.kind](plot);
    this.anchors = plot.anchors;
    for (const anchor of this.anchors) this.listen(anchor);
    if (focused >= 0) this.svg.querySelectorAll("a")[focused].focus();
  }

  // An anchor is a category (or, with `series`, one of its marks): the node that hears of pointer and focus, and where.
  listen(anchor) {
    anchor.node.addEventListener("pointerenter", () => this.show(anchor));
    anchor.node.addEventListener("focus", () => this.show(anchor, { announce: false }));
  }

  show(anchor, { announce = false } = {}) {
    this.at = this.anchors.indexOf(anchor);
    this.tooltip.show(anchor, { announce });
  }

  onKey(event) {
    if (event.key === "Escape" && this.tooltip.isOpen) {
      this.tooltip.hide();
      event.stopPropagation();
      return;
    }
    if (this.data.links !== "none" || event.target !== this.svg) return;
    const last = this.anchors.length - 1;
    const here = this.tooltip.isOpen ? this.at : undefined;
    const to = {
      ArrowRight: here === undefined ? 0 : Math.min(here + 1, last),
      ArrowDown: here === undefined ? 0 : Math.min(here + 1, last),
      ArrowLeft: here === undefined ? last : Math.max(here - 1, 0),
      ArrowUp: here === undefined ? last : Math.max(here - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(this.anchors[to], { announce: true });
  }
}
