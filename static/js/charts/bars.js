// Bars: grouped or stacked, upright or horizontal, with whiskers where marks have intervals and their value at the end.

import "../../vendor/d3/d3.min.js";
import { columnsFrame, hitArea } from "./columns.js";
import { categoryStop, mark, markStop, spans, whisker } from "./marks.js";
import { rowsFrame } from "./rows.js";
import { widthOf } from "./text.js";

const THICKEST = 16;
const THICKEST_LINKED = 24;
const WIDEST = 56;
const WORDS = 6;

export const drawBars = (svg, chart, room) => (chart.horizontal ? drawHorizontal(svg, chart, room) : drawUpright(svg, chart, room));

const furthest = ({ value, low, high }) => (value < 0 ? Math.min(value, low ?? value) : Math.max(value, high ?? value));

function drawHorizontal(svg, chart, { width, height }) {
  const all = chart.series.flatMap(({ marks }) => marks.filter(Boolean));
  const frame = rowsFrame(svg, chart, { width, height, ends: chart.stacked ? [] : all.map((one) => [furthest(one), one.text]) });
  const ends = spans(chart);
  const lanes = chart.stacked ? 1 : chart.series.length;
  const pitch = Math.min(frame.marksHeight / lanes, chart.links === "mark" ? THICKEST_LINKED : THICKEST);
  const thickness = Math.min(pitch, THICKEST) - (lanes > 1 ? 2 : 1);
  chart.categories.forEach((_, index) => {
    const row = categoryStop(frame.plot, chart, index);
    frame.hit(row, index);
    frame.writeName(row, index);
    const first = frame.top(index) + frame.marksTop + (frame.marksHeight - pitch * lanes) / 2;
    chart.series.forEach((series, place) => {
      const one = series.marks[index];
      if (!one) return;
      const middle = first + pitch * (chart.stacked ? 0.5 : place + 0.5);
      const bar = { chart, place, index, one, span: ends[place][index], middle, thickness };
      drawRowBar(markStop(row, chart, index, place), frame, bar);
    });
  });
  return {
    ...frame,
    extent(index) {
      const known = ends.flatMap((spansOf) => spansOf[index] ?? []);
      const [left = frame.x.range()[0], right = left] = d3.extent(known, frame.x);
      return { left, right: right + 60, top: frame.top(index), bottom: frame.top(index) + frame.rowHeight };
    },
  };
}

function drawRowBar(parent, { x }, { chart, place, index, one, span, middle, thickness }) {
  const [from, to] = d3.extent(span, x);
  mark(parent.append("rect"), chart, place, index).classed("bar", true).classed("bar-stacked", chart.stacked)
    .attr("x", from).attr("width", to - from).attr("y", middle - thickness / 2).attr("height", thickness)
    .attr("rx", chart.stacked ? null : Math.min(2, (to - from) / 2));
  if (one.low !== undefined) whisker(parent, x(one.low), x(one.high), middle, { horizontal: true });
  if (chart.stacked) return;
  const before = one.value < 0;
  parent.append("text").attr("class", "value").classed("value-before", before)
    .attr("x", x(furthest(one)) + (before ? -WORDS : WORDS)).attr("y", middle).attr("dy", "0.35em").text(one.text);
}

function drawUpright(svg, chart, { width, height }) {
  const frame = columnsFrame(svg, chart, { width, height, named: true });
  const ends = spans(chart);
  const lanes = chart.stacked ? 1 : chart.series.length;
  const group = Math.min(frame.step * 0.72, WIDEST * lanes);
  const pitch = group / lanes;
  const thickness = Math.max(1, pitch - (lanes > 1 ? Math.min(2, pitch * 0.15) : 0));
  const written = !chart.stacked && chart.series.every(({ marks }) => marks.every((one) => !one || widthOf(one.text) <= pitch + 4));
  chart.categories.forEach((_, index) => {
    const stop = categoryStop(frame.plot, chart, index);
    hitArea(stop, frame, index);
    chart.series.forEach((series, place) => {
      const one = series.marks[index];
      if (!one) return;
      const middle = frame.x(index) - group / 2 + pitch * (chart.stacked ? 0.5 : place + 0.5);
      const bar = { chart, place, index, one, span: ends[place][index], middle, thickness, written };
      drawColumnBar(markStop(stop, chart, index, place), frame, bar);
    });
  });
  return { ...frame, extent: columnExtent(frame, chart, ends) };
}

function drawColumnBar(parent, { y }, { chart, place, index, one, span, middle, thickness, written }) {
  const [top, bottom] = d3.extent(span, y);
  mark(parent.append("rect"), chart, place, index).classed("bar", true).classed("bar-stacked", chart.stacked)
    .attr("x", middle - thickness / 2).attr("width", thickness).attr("y", top).attr("height", bottom - top)
    .attr("rx", chart.stacked ? null : Math.min(2, (bottom - top) / 2));
  if (one.low !== undefined) whisker(parent, y(one.low), y(one.high), middle, { horizontal: false });
  if (!written) return;
  const below = one.value < 0;
  parent.append("text").attr("class", "value value-over").attr("x", middle)
    .attr("y", y(furthest(one)) + (below ? 14 : -WORDS)).text(one.text);
}

/** Where the bars of a category are, whiskers and all. */
export function columnExtent(frame, chart, ends) {
  return (index) => {
    const known = ends.flatMap((spansOf, place) => {
      const one = chart.series[place].marks[index];
      return one ? [...spansOf[index], ...(chart.stacked ? [] : [furthest(one)])] : [];
    });
    const [top = frame.top, bottom = frame.bottom] = d3.extent(known, frame.y);
    return { left: frame.x(index) - frame.step / 2, right: frame.x(index) + frame.step / 2, top, bottom };
  };
}
