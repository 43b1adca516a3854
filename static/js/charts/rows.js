// The frame of charts whose categories are rows: names beside or above the marks, the value axis below.

import "../../vendor/d3/d3.min.js";
import { widest, widthOf, writeFitted } from "./text.js";

const AXIS_HEIGHT = 42;
const TOP = 4;
const NAME_SIZE = 13;
const NAME_HEIGHT = 20;
const NARROW = 480;
const GAP = 6;

/**
 * Draw the frame and return its scales. `ends`: [value, text] for what is written beyond the marks' ends (after the
 * value, or before it if that is negative), for which room is left.
 */
export function rowsFrame(svg, chart, { width, height, ends = [] }) {
  const { axis, categories } = chart;
  const narrow = width < NARROW;
  const rowHeight = (height - AXIS_HEIGHT - TOP) / categories.length;
  const labels = categories.map(({ label }) => label);
  const nameRoom = narrow ? width - 4 : Math.min(widest(labels, NAME_SIZE), Math.round(width * 0.4));
  const [left, right] = plotEdges(axis, ends, narrow ? 2 : nameRoom + 14, width);
  const x = d3.scaleLinear([axis.low, axis.high], [left, right]);
  const bottom = height - AXIS_HEIGHT;

  const plot = svg.append("g").attr("class", "plot");
  plot.attr("data-low", axis.low).attr("data-high", axis.high).attr("data-low-px", left).attr("data-high-px", right);
  const marker = plot.append("rect").attr("class", "highlight").attr("width", width).attr("height", rowHeight);
  drawTicks(plot, axis, x, bottom, width);
  svg.append("text").attr("class", "axis-title axis-title-end").attr("x", Math.max(right, widthOf(axis.title)))
    .attr("y", height - 4).call(writeFitted, axis.title, width);

  return {
    plot, x, width, rowHeight,
    // What marks may use of a row, from its top.
    marksTop: narrow ? NAME_HEIGHT : 0,
    marksHeight: rowHeight - (narrow ? NAME_HEIGHT + 2 : 0),
    top: (index) => TOP + index * rowHeight,
    writeName(parent, index) {
      const text = parent.append("text").attr("class", "row-name").attr("x", 2);
      text.attr("y", TOP + index * rowHeight + (narrow ? 10 : rowHeight / 2)).attr("dy", "0.35em");
      writeFitted(text, labels[index], nameRoom, NAME_SIZE);
    },
    hit: (parent, index) =>
      parent.append("rect").attr("class", "hit").attr("x", 1).attr("y", TOP + index * rowHeight + 1)
        .attr("width", width - 2).attr("height", rowHeight - 2),
    indexAt(px, py) {
      const place = Math.floor((py - TOP) / rowHeight);
      return px >= 0 && px <= width && place >= 0 && place < categories.length ? place : null;
    },
    highlight(index) {
      marker.classed("active", index !== null);
      if (index !== null) marker.attr("y", TOP + index * rowHeight);
    },
  };
}

/** Where the plot starts and ends, so that the words beyond every mark's end stay on the chart. */
function plotEdges(axis, ends, start, width) {
  const share = (value) => (value - axis.low) / (axis.high - axis.low);
  const half = widthOf(axis.ticks.at(-1)?.text ?? "") / 2;
  let left = start;
  let right = width - half;
  for (let turn = 0; turn < 3; turn += 1) { // each edge depends on the other a little
    for (const [value, text] of ends) {
      const words = widthOf(text) + GAP + 2;
      if (value < 0) left = Math.max(left, start + words - share(value) * (right - left));
      else if (share(value) > 0) right = Math.min(right, left + (width - words - left) / share(value));
    }
  }
  return [left, Math.max(left + 40, right)];
}

function drawTicks(plot, axis, x, bottom, width) {
  const most = widest(axis.ticks.map(({ text }) => text));
  const apart = axis.ticks.length > 1 ? x(axis.ticks[1].value) - x(axis.ticks[0].value) : Infinity;
  const every = Math.ceil((most + 10) / apart);
  let taken = -Infinity;
  axis.ticks.forEach((tick, place) => {
    const at = Math.round(x(tick.value)) + 0.5;
    plot.append("line").attr("class", tick.value === 0 ? "baseline" : "gridline")
      .attr("x1", at).attr("x2", at).attr("y1", TOP).attr("y2", bottom);
    if (place % every) return;
    const room = widthOf(tick.text) / 2;
    const middle = Math.max(room, Math.min(width - room, at));
    if (middle - room < taken + 8) return;
    taken = middle + room;
    plot.append("text").attr("class", "tick tick-category").attr("y", bottom + 16).attr("x", middle).text(tick.text);
  });
}
