// Lines with ribbons, and areas, stacked where there are several.
import { anchorGroup, area, colourClass, columnsFrame, describe, line, textWidth } from "./frame.js";

const LABEL_HEIGHT = 15;
const MOST_POINTS_SHOWN = 40;

export function drawLine(plot) {
  const { data } = plot;
  const labelled = !plot.narrow && data.series.length > 1;
  columnsFrame(plot, { labelsRight: labelled ? Math.max(...data.series.map(({ name }) => textWidth(name))) + 14 : 0 });
  const at = data.series.map(({ marks }) => marks.map((mark) => (mark ? plot.value(mark.value) : undefined)));
  targets(plot, at);
  data.series.forEach((series, place) => {
    const group = plot.svg.append("g").attr("class", `chart-series ${colourClass(series)}${series.dashed ? " is-dashed" : ""}`);
    const ribbon = area().defined((mark) => mark?.low !== undefined).x((_, index) => plot.centre(index))
      .y0((mark) => plot.value(mark.low)).y1((mark) => plot.value(mark.high));
    if (series.marks.some((mark) => mark?.low !== undefined)) group.append("path").attr("class", "chart-ribbon").attr("d", ribbon(series.marks));
    const path = line().defined((mark) => mark !== null).x((_, index) => plot.centre(index)).y((mark) => plot.value(mark.value));
    group.append("path").attr("class", "chart-line").attr("d", path(series.marks));
    points(plot, group, series, at[place]);
  });
  if (labelled) endLabels(plot, at);
}

export function drawArea(plot) {
  const { data } = plot;
  const labelled = !plot.narrow && data.series.length > 1;
  columnsFrame(plot, { labelsRight: labelled ? Math.max(...data.series.map(({ name }) => textWidth(name))) + 14 : 0 });
  const below = data.categories.map(() => 0);
  const edges = data.series.map((series) => {
    const from = [...below];
    series.marks.forEach((mark, index) => { below[index] += mark?.value ?? 0; });
    return { from, to: [...below] };
  });
  data.series.forEach((series, place) => {
    const { from, to } = edges[place];
    const group = plot.svg.append("g").attr("class", `chart-series ${colourClass(series)}`);
    const shape = area().x((_, index) => plot.centre(index)).y0((_, index) => plot.value(from[index])).y1((_, index) => plot.value(to[index]));
    group.append("path").attr("class", "chart-area").attr("d", shape(series.marks));
    points(plot, group, series, to.map(plot.value), { hidden: true });
  });
  const middles = edges.map(({ from, to }) => to.map((top, index) => plot.value((top + from[index]) / 2)));
  targets(plot, edges.map(({ to }) => to.map(plot.value)));
  if (labelled) endLabels(plot, middles);
}

function points(plot, group, series, at, { hidden = false } = {}) {
  const radius = hidden || series.dashed || series.marks.length > MOST_POINTS_SHOWN ? 0 : 2.5;
  series.marks.forEach((mark, index) => {
    if (!mark) return;
    describe(group.append("circle"), series, plot.data.categories[index], mark)
      .attr("class", "chart-point").attr("cx", plot.centre(index)).attr("cy", at[index]).attr("r", radius);
  });
}

// Columns to point at, each with a rule that shows where one is.
function targets(plot, at) {
  const { data, inner } = plot;
  const layer = plot.svg.append("g");
  data.categories.forEach((category, index) => {
    const heights = at.map((series) => series[index]).filter((y) => y !== undefined);
    const group = anchorGroup(plot, layer, { index, href: category.href, x: plot.centre(index), y: Math.min(...heights, inner.bottom) });
    group.append("rect").attr("class", "chart-ground is-column").attr("x", plot.centre(index) - plot.band / 2).attr("y", inner.top)
      .attr("width", plot.band).attr("height", inner.bottom - inner.top);
    group.append("line").attr("class", "chart-guide").attr("x1", plot.centre(index)).attr("x2", plot.centre(index))
      .attr("y1", inner.top).attr("y2", inner.bottom);
  });
}

// The name of each series at its end, moved apart where two would lie on each other.
function endLabels(plot, at) {
  const { data, inner } = plot;
  const labels = data.series.map((series, place) => {
    const last = series.marks.findLastIndex((mark) => mark !== null);
    return { series, y: last < 0 ? inner.bottom : at[place][last] };
  }).sort((one, other) => one.y - other.y);
  labels.forEach((label, place) => {
    const above = labels[place - 1];
    if (above) label.y = Math.max(label.y, above.y + LABEL_HEIGHT);
  });
  let lowest = inner.bottom + 4;
  for (const label of labels.reverse()) {
    label.y = Math.min(label.y, lowest);
    lowest = label.y - LABEL_HEIGHT;
    plot.svg.append("text").attr("class", `chart-end-label ${colourClass(label.series)}`).attr("aria-hidden", "true")
      .attr("x", inner.right + 8).attr("y", label.y).attr("dy", "0.35em").text(label.series.name);
  }
}
