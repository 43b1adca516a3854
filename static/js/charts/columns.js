// The frame of charts whose categories run from left to right: value axis, gridlines, names of categories.

import "../../vendor/d3/d3.min.js";
import { fitted, onTwoLines, widest, writeFitted } from "./text.js";

const TOP = 28;
const LINE_HEIGHT = 15;
const LEAST_GAP = 12;
const LEAST_NAMED_STEP = 36;

/**
 * Draw the frame and return its scales. `points`: categories are points from edge to edge, not bands; `right`: room
 * for words beyond the plot; `named`: every category needs its name, if need be cut; `titled`: name the category axis.
 */
export function columnsFrame(svg, chart, { width, height, right = 8, points = false, named = false, titled = false }) {
  const { axis, categories } = chart;
  const left = widest(axis.ticks.map((tick) => tick.text)) + 12;
  const position = points ? d3.scalePoint() : d3.scaleBand();
  position.domain(d3.range(categories.length)).range([left, Math.max(left + 1, width - right)]);
  const step = points && categories.length > 1 ? position.step() : points ? width - right - left : position.bandwidth();
  const x = points ? position : (index) => position(index) + position.bandwidth() / 2;
  const names = axisNames(categories, step, named);
  const bottom = height - 9 - LINE_HEIGHT * (Math.max(1, ...names.map(({ lines }) => lines.length)) + (titled ? 1 : 0));
  const y = d3.scaleLinear([axis.low, axis.high], [bottom, TOP]);

  svg.append("text").attr("class", "axis-title").attr("y", 11).call(writeFitted, axis.title, width);
  const plot = svg.append("g").attr("class", "plot");
  plot.attr("data-low", axis.low).attr("data-high", axis.high).attr("data-low-px", bottom).attr("data-high-px", TOP);
  for (const tick of axis.ticks) {
    const at = Math.round(y(tick.value)) + 0.5;
    plot.append("line").attr("class", tick.value === 0 ? "baseline" : "gridline")
      .attr("x1", left).attr("x2", width - right).attr("y1", at).attr("y2", at);
    plot.append("text").attr("class", "tick tick-value").attr("x", left - 10).attr("y", at).attr("dy", "0.35em").text(tick.text);
  }
  for (const { index, lines, full } of names) {
    const room = widest(lines) / 2;
    const at = Math.min(width - room, Math.max(room, x(index)));
    const text = plot.append("text").attr("class", "tick tick-category").attr("y", bottom + 17);
    lines.forEach((line, row) => text.append("tspan").attr("x", at).attr("dy", row ? LINE_HEIGHT : 0).text(line));
    if (full !== lines.join(" ")) text.append("title").text(full);
  }
  if (titled) {
    svg.append("text").attr("class", "axis-title axis-title-end").attr("x", width - right).attr("y", height - 5)
      .text(fitted(chart.category_title, width - left));
  }
  const marker = points
    ? plot.append("line").attr("class", "rule").attr("y1", TOP).attr("y2", bottom)
    : plot.append("rect").attr("class", "highlight").attr("y", TOP - 6).attr("width", step).attr("height", bottom - TOP + 6);
  return {
    plot, x, y, step, left, right: width - right, top: TOP, bottom,
    indexAt: (px, py) => nearest(px, py),
    highlight(index) {
      marker.classed("active", index !== null);
      if (index === null) return;
      if (points) marker.attr("x1", x(index)).attr("x2", x(index));
      else marker.attr("x", x(index) - step / 2);
    },
  };

  function nearest(px, py) {
    if (py < 0 || py > height || px < left - step / 2 - 8 || px > width - right + step / 2 + 8) return null;
    const place = points && categories.length > 1 ? Math.round((px - left) / step) : Math.floor((px - left) / step);
    return Math.min(categories.length - 1, Math.max(0, place));
  }
}

/** The names along the axis that have room: all of them on one or two lines, or every second, third ... of them. */
function axisNames(categories, step, named) {
  const ticks = categories.map(({ tick = "" }, index) => ({ index, full: tick, lines: [tick] })).filter(({ full }) => full);
  const most = widest(ticks.map(({ full }) => full));
  const apart = ticks.length > 1 ? (step * (ticks.at(-1).index - ticks[0].index)) / (ticks.length - 1) : Infinity;
  if (most + LEAST_GAP <= apart) return ticks;
  if (named && apart >= LEAST_NAMED_STEP) {
    return ticks.map((tick) => ({ ...tick, lines: onTwoLines(tick.full, apart - 6) }));
  }
  const every = Math.ceil((most + LEAST_GAP) / apart);
  return ticks.filter((_, place) => place % every === 0);
}

/** An area over each category that leads somewhere, for charts whose own marks are too small to point at. */
export function hitArea(parent, frame, index) {
  return parent.append("rect").attr("class", "hit")
    .attr("x", Math.max(1, frame.x(index) - frame.step / 2)).attr("y", frame.top)
    .attr("width", Math.max(1, frame.step)).attr("height", frame.bottom - frame.top);
}
