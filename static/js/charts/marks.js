// What every kind of mark has in common: its values in the document, its colour, its link, its whisker.

import { spoken } from "./text.js";

/** Give marks their values, to the last digit, and their colour. `place`: of the series; `index`: of the category. */
export function mark(selection, chart, place, index) {
  const series = chart.series[place];
  const { value, low, high, colour } = series.marks[index];
  return selection
    .classed("mark", true)
    .classed(`colour-${colour ?? series.colour}`, true)
    .classed("is-dashed", series.dashed)
    .attr("data-index", index)
    .attr("data-series", series.name)
    .attr("data-category", chart.categories[index].label)
    .attr("data-value", value)
    .attr("data-low", low ?? null)
    .attr("data-high", high ?? null);
}

/** The link that `href` asks for, or a group; `place`: where the link is one series' alone. */
export function stop(parent, chart, index, href, place = null) {
  const selection = parent.append(href ? "a" : "g").attr("data-index", index);
  if (!href) return selection;
  return selection.attr("class", "stop").attr("href", href).attr("aria-label", spoken(chart, index, place));
}

/** The group of a category and, where its marks lead to different places, a group for one of them. */
export const categoryStop = (parent, chart, index) => stop(parent, chart, index, chart.categories[index].href);
export const markStop = (parent, chart, index, place) =>
  chart.links === "mark" ? stop(parent, chart, index, chart.series[place].marks[index].href, place) : parent;

/** An interval over a bar: dark on a light edge, so that it shows on the bar and beyond it. */
export function whisker(parent, from, to, across, { horizontal }) {
  const cap = 3;
  const path = horizontal
    ? `M${from},${across}H${to}M${from},${across - cap}v${2 * cap}M${to},${across - cap}v${2 * cap}`
    : `M${across},${from}V${to}M${across - cap},${from}h${2 * cap}M${across - cap},${to}h${2 * cap}`;
  parent.append("path").attr("class", "whisker-edge").attr("d", path);
  parent.append("path").attr("class", "whisker").attr("d", path);
}

/** Where each mark starts and ends in values: from zero, or from the end of the one before it where they add up. */
export function spans(chart) {
  const tops = chart.categories.map(() => 0);
  const bottoms = chart.categories.map(() => 0);
  return chart.series.map(({ marks }) =>
    marks.map((one, index) => {
      if (!one) return null;
      if (!chart.stacked) return [0, one.value];
      const ends = one.value < 0 ? bottoms : tops;
      const start = ends[index];
      ends[index] += one.value;
      return [start, ends[index]];
    }),
  );
}
