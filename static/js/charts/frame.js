// What charts have in common: scales, axes, gridlines, and what a mark says of itself to whoever reads the page.
import "../../vendor/d3/d3.min.js";

import { spoken } from "./tooltip.js";

export const { area, line, scaleBand, scaleLinear, select } = globalThis.d3;

const FONT = '12px "Inter", system-ui, sans-serif';
const ELLIPSIS = "…";
const LEFT_LABELS_AT_MOST = 190;
const pen = document.createElement("canvas").getContext("2d");

export function textWidth(text) {
  pen.font = FONT;
  return pen.measureText(text).width;
}

// The text, cut short where it is wider than `width`.
export function fitted(text, width) {
  if (textWidth(text) <= width) return text;
  let kept = text;
  while (kept && textWidth(kept + ELLIPSIS) > width) kept = kept.slice(0, -1);
  return kept + ELLIPSIS;
}

// What a mark tells of itself: tests, and whoever inspects the page, read the values from here.
export function describe(selection, series, category, mark) {
  selection
    .attr("data-series", series.name)
    .attr("data-category", category.label)
    .attr("data-value", mark.value);
  if (mark.low !== undefined) selection.attr("data-low", mark.low).attr("data-high", mark.high);
  return selection;
}

export const colourClass = (series, mark) => `colour-${mark?.colour ?? series.colour}`;

// A group for a category: a link where it has an address. `series`: the place of the one series it is for, if any.
export function anchorGroup(plot, parent, { index, series, href, x, y }) {
  const group = parent.append(href ? "a" : "g").attr("class", "chart-target");
  const anchor = { index, series, x, y, node: group.node() };
  if (href) group.attr("href", href).attr("aria-label", spoken(plot.data, anchor));
  plot.anchors.push(anchor);
  return group;
}

// Values upwards, categories from left to right. Adds `plot.value`, `plot.centre`, `plot.band`, `plot.inner`.
export function columnsFrame(plot, { labelsRight = 0 } = {}) {
  const { svg, data, width, height } = plot;
  const left = Math.ceil(Math.max(...data.axis.ticks.map((tick) => textWidth(tick.text)))) + 10;
  plot.inner = { left, right: width - Math.max(labelsRight, 8), top: 24, bottom: height - 26 };
  const { inner } = plot;
  plot.value = scaleLinear([data.axis.low, data.axis.high], [inner.bottom, inner.top]);
  plot.band = (inner.right - inner.left) / data.categories.length;
  plot.centre = (index) => inner.left + plot.band * (index + 0.5);
  svg.append("text").attr("class", "chart-axis-title").attr("x", 0).attr("y", 11).text(fitted(data.axis.title, width));
  const grid = svg.append("g").attr("class", "chart-grid-lines").attr("aria-hidden", "true");
  for (const tick of data.axis.ticks) {
    const y = plot.value(tick.value);
    grid.append("line").attr("class", tick.value === 0 ? "chart-zero" : "chart-rule")
      .attr("x1", inner.left).attr("x2", inner.right).attr("y1", y).attr("y2", y);
    grid.append("text").attr("class", "chart-tick").attr("x", left - 8).attr("y", y).attr("dy", "0.35em")
      .attr("text-anchor", "end").text(tick.text);
  }
  categoryTicks(plot);
}

// Names under the columns, each where the one before leaves it room.
function categoryTicks(plot) {
  const { svg, data, inner } = plot;
  const axis = svg.append("g").attr("class", "chart-category-ticks").attr("aria-hidden", "true");
  let taken = -Infinity;
  const named = data.categories.map((category, index) => ({ text: category.tick, index })).filter(({ text }) => text);
  for (const { text, index } of named) {
    const half = textWidth(text) / 2;
    const x = Math.min(Math.max(plot.centre(index), half), plot.width - half);
    if (x - half < taken + 8) continue;
    taken = x + half;
    axis.append("text").attr("class", "chart-tick").attr("x", x).attr("y", inner.bottom + 18)
      .attr("text-anchor", "middle").text(text);
  }
}

// Categories from top to bottom, values to the right. Adds `plot.value`, `plot.row`, `plot.rowTop`, `plot.inner`.
export function rowsFrame(plot, { labelsRight = 0 } = {}) {
  const { svg, data, width, height, narrow } = plot;
  const longest = Math.max(...data.categories.map(({ label }) => textWidth(label)));
  const left = narrow ? 2 : Math.ceil(Math.min(longest, LEFT_LABELS_AT_MOST)) + 12;
  const half = textWidth(data.axis.ticks.at(-1).text) / 2;
  plot.inner = { left, right: width - Math.max(labelsRight, half + 2), top: 0, bottom: height - 46 };
  const { inner } = plot;
  plot.value = scaleLinear([data.axis.low, data.axis.high], [inner.left, inner.right]);
  plot.row = inner.bottom / data.categories.length;
  plot.rowTop = (index) => plot.row * index;
  const grid = svg.append("g").attr("class", "chart-grid-lines").attr("aria-hidden", "true");
  let taken = -Infinity;
  for (const tick of data.axis.ticks) {
    const x = plot.value(tick.value);
    grid.append("line").attr("class", tick.value === 0 ? "chart-zero" : "chart-rule")
      .attr("x1", x).attr("x2", x).attr("y1", 0).attr("y2", inner.bottom);
    const reach = textWidth(tick.text) / 2;
    if (x - reach < taken + 6) continue;
    taken = x + reach;
    grid.append("text").attr("class", "chart-tick").attr("x", Math.max(x, reach)).attr("y", inner.bottom + 16)
      .attr("text-anchor", "middle").text(tick.text);
  }
  svg.append("text").attr("class", "chart-axis-title").attr("x", inner.left).attr("y", height - 8)
    .text(fitted(data.axis.title, width - inner.left));
}

// The name of a row: left of it, or above it on narrow screens.
export function rowLabel(plot, group, index, middle) {
  const { label } = plot.data.categories[index];
  const text = group.append("text").attr("class", "chart-row-label").attr("aria-hidden", "true");
  const room = plot.narrow ? plot.width - 4 : plot.inner.left - 12;
  const shown = fitted(label, room);
  if (plot.narrow) text.attr("x", plot.inner.left).attr("y", plot.rowTop(index) + 14);
  else text.attr("x", plot.inner.left - 10).attr("y", middle).attr("dy", "0.35em").attr("text-anchor", "end");
  text.text(shown);
  if (shown !== label) text.append("title").text(label);
}

// Where the bars or dots of a row begin: below its name on narrow screens, centred otherwise.
export function lanesTop(plot, index, thickness) {
  const spare = plot.row - thickness;
  return plot.rowTop(index) + (plot.narrow ? Math.min(20, spare) : spare / 2);
}

// The ground of a row that shows when it is pointed at.
export function rowGround(plot, group, index) {
  group.append("rect").attr("class", "chart-ground").attr("x", 0).attr("y", plot.rowTop(index))
    .attr("width", plot.width).attr("height", plot.row);
}

// A whisker along the value axis with caps; `across`: where it lies on the other axis.
export function whisker(plot, group, mark, across, { upright }) {
  const [low, high] = [plot.value(mark.low), plot.value(mark.high)];
  const cap = 4;
  const path = upright
    ? `M${across} ${low}V${high}M${across - cap} ${low}h${2 * cap}M${across - cap} ${high}h${2 * cap}`
    : `M${low} ${across}H${high}M${low} ${across - cap}v${2 * cap}M${high} ${across - cap}v${2 * cap}`;
  group.append("path").attr("class", "chart-whisker").attr("d", path);
}
