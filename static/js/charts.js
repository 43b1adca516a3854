// Draws each <chart-figure>: its JSON (charts/browser.py) into its svg, anew when the width changes, with a tooltip for
// the pointer and for the keyboard.

import "../vendor/d3/d3.min.js";
import { drawArea } from "./charts/area.js";
import { drawBars } from "./charts/bars.js";
import { drawDots } from "./charts/dots.js";
import { drawHeatmap } from "./charts/heatmap.js";
import { walkCells } from "./charts/heatmap-keyboard.js";
import { drawHistogram } from "./charts/histogram.js";
import { walkLinks, walkMarks } from "./charts/keyboard.js";
import { drawLine } from "./charts/line.js";
import { drawSankey } from "./charts/sankey.js";
import { hideTooltip, leaveTooltip, showTooltip, tooltipContent } from "./charts/tooltip.js";
import { drawWaterfall } from "./charts/waterfall.js";

// Further kinds (curves, dumbbell) come with their pages: a module each, named here. It draws a chart into `svg`
// and returns `indexAt(x, y)`, `extent(index)` and `highlight(index)`, in pixels of the plot, and, where the tooltip is not
// that of a category, `tooltip(chart, index)`. An index is that of a category or, in a heatmap, of a cell.
const KINDS = {
  area: drawArea,
  bars: drawBars,
  dots: drawDots,
  heatmap: drawHeatmap,
  histogram: drawHistogram,
  line: drawLine,
  sankey: drawSankey,
  waterfall: drawWaterfall,
};

class ChartFigure extends HTMLElement {
  connectedCallback() {
    this.chart = JSON.parse(this.querySelector("script").textContent);
    this.svg = this.querySelector("svg");
    this.across = !this.chart.horizontal;
    this.active = null;
    this.dismissed = null;
    this.listening = new AbortController();
    const listen = (target, type, act) => target.addEventListener(type, act, { signal: this.listening.signal });
    for (const type of ["pointermove", "pointerdown"]) listen(this.svg, type, (event) => this.pointed(event));
    listen(this.svg, "pointerleave", (event) => this.left(event));
    const walk = this.chart.links === "none" ? walkMarks : walkLinks;
    this.walk = (this.chart.kind === "heatmap" ? walkCells : walk)(this, listen);
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this);
    this.draw();
    document.fonts.ready.then(() => this.isConnected && this.draw({ always: true }));
  }

  disconnectedCallback() {
    this.resizing.disconnect();
    this.listening.abort();
    if (this.active !== null) hideTooltip();
  }

  draw({ always = false } = {}) {
    const width = Math.floor(this.clientWidth);
    if (!width || (width === this.width && !always)) return;
    this.width = width;
    const height = Number(this.svg.getAttribute("height"));
    const key = this.closest(".chart").querySelector(".chart-key-gives-way .chart-key-series");
    const labelled = Boolean(key) && getComputedStyle(key).display === "none";
    const svg = d3.select(this.svg).attr("viewBox", `0 0 ${width} ${height}`).attr("preserveAspectRatio", "xMinYMin meet");
    this.walk.keepingFocus(() => {
      svg.selectAll("*").remove();
      this.layout = KINDS[this.chart.kind](svg, this.chart, { width, height, labelled });
    });
    if (this.active !== null) this.emphasise(this.active);
  }

  pointed(event) {
    const pointer = { x: event.clientX, y: event.clientY };
    const index = this.indexUnder(pointer);
    if (index === null) {
      this.left(event);
      return;
    }
    if (index === this.dismissed) return;
    const place = this.placeOf(event.target);
    if (index === this.active && place === this.place && !this.across) return; // in its row the tooltip stays put
    this.show(index, { pointer, place });
  }

  indexUnder({ x, y }) {
    const frame = this.svg.getBoundingClientRect();
    return this.layout.indexAt(x - frame.left, y - frame.top);
  }

  /** Whether, after the page was scrolled, the pointer is still on what it showed; what has the focus keeps it. */
  isStillMeant() {
    return this.pointer === null || this.indexUnder(this.pointer) === this.active;
  }

  left(event) {
    this.dismissed = null;
    if (event.pointerType === "touch" || this.active === null) return; // a touched tooltip stays until one touches elsewhere
    leaveTooltip(() => this.walk.current() ?? hideTooltip());
  }

  /** Show what category `index` says; `place`: the one series meant, `pointer`: where the pointer is, if it was it. */
  show(index, { pointer = null, place = null } = {}) {
    this.place = place;
    this.pointer = pointer;
    this.dismissed = null;
    const locate = () => {
      const frame = this.svg.getBoundingClientRect();
      const { left, right, top, bottom } = this.layout.extent(index);
      const extent = { left: frame.left + left, right: frame.left + right, top: frame.top + top, bottom: frame.top + bottom };
      return { extent, pointer };
    };
    const content = this.layout.tooltip ?? tooltipContent;
    showTooltip(this, content(this.chart, index, place), locate, { across: this.across });
    this.emphasise(index);
  }

  emphasise(index) {
    for (const one of this.svg.querySelectorAll(".mark.active")) one.classList.remove("active");
    for (const one of this.svg.querySelectorAll(`.mark[data-index="${index}"]`)) one.classList.add("active");
    this.layout.highlight(index);
    this.active = index;
  }

  tooltipHidden({ dismissed }) {
    this.dismissed = dismissed ? this.active : null;
    this.emphasise(null);
  }

  /** The series of a mark that is a link of its own, else null. */
  placeOf(target) {
    if (this.chart.links !== "mark") return null;
    const name = target.closest("a")?.querySelector(".mark")?.dataset.series;
    const place = this.chart.series.findIndex((series) => series.name === name);
    return place < 0 ? null : place;
  }
}

customElements.define("chart-figure", ChartFigure);
