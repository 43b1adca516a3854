// A dot plot: one dot a series in each category's row, with its interval where it has one.

import "../../vendor/d3/d3.min.js";
import { categoryStop, mark, markStop } from "./marks.js";
import { rowsFrame } from "./rows.js";

const RADIUS = 5;
const LANE = 11;
const LANE_LINKED = 24;
const WORDS = 10;

export function drawDots(svg, chart, { width, height }) {
  const single = chart.series.length === 1;
  const [only] = chart.series;
  const ends = single ? only.marks.filter(Boolean).map((one) => [one.high ?? one.value, `${one.text}  `]) : [];
  const frame = rowsFrame(svg, chart, { width, height, ends });
  chart.categories.forEach((_, index) => {
    const row = categoryStop(frame.plot, chart, index);
    frame.hit(row, index);
    frame.writeName(row, index);
    const middle = frame.top(index) + frame.marksTop + frame.marksHeight / 2;
    const lanes = lanesOf(chart, index, frame);
    if (!single && !chart.series.some(({ marks }) => marks[index]?.low !== undefined)) joinDots(row, chart, index, frame.x, middle);
    chart.series.forEach((series, place) => {
      const one = series.marks[index];
      if (!one) return;
      const at = { x: frame.x, middle: middle + lanes[place], written: single };
      drawDot(markStop(row, chart, index, place), chart, place, index, at);
    });
  });
  return {
    ...frame,
    extent(index) {
      const known = chart.series.flatMap(({ marks }) => (marks[index] ? [marks[index].value, marks[index].high ?? marks[index].value] : []));
      const [left = frame.x.range()[0], right = left] = d3.extent(known, frame.x);
      return { left, right: right + (single ? 60 : RADIUS + 4), top: frame.top(index), bottom: frame.top(index) + frame.rowHeight };
    },
  };
}

/** How far above or below the row's middle each series' dot lies: only where dots or intervals would cover each other. */
function lanesOf(chart, index, { x, marksHeight }) {
  const count = chart.series.length;
  if (chart.links === "mark" || chart.series.some(({ marks }) => marks.some((one) => one?.low !== undefined))) {
    const lane = chart.links === "mark" ? LANE_LINKED : LANE;
    return chart.series.map((_, place) => lane * (place - (count - 1) / 2));
  }
  const offsets = new Array(count).fill(0);
  const order = d3.range(count).filter((place) => chart.series[place].marks[index]);
  order.sort((one, other) => chart.series[one].marks[index].value - chart.series[other].marks[index].value);
  const at = (place) => x(chart.series[place].marks[index].value);
  let run = [];
  const settle = () => {
    const apart = Math.min(2 * RADIUS, (marksHeight - 2 * RADIUS) / (run.length - 1));
    if (run.length > 1) run.forEach((place, turn) => { offsets[place] = apart * (turn - (run.length - 1) / 2); });
  };
  for (const place of order) {
    if (run.length && at(place) - at(run.at(-1)) >= 2 * RADIUS) {
      settle();
      run = [];
    }
    run.push(place);
  }
  settle();
  return offsets;
}

function joinDots(parent, chart, index, x, middle) {
  const [from, to] = d3.extent(chart.series.flatMap(({ marks }) => (marks[index] ? [x(marks[index].value)] : [])));
  if (from === undefined) return;
  parent.append("line").attr("class", "dots-span").attr("x1", from).attr("x2", to).attr("y1", middle).attr("y2", middle);
}

function drawDot(parent, chart, place, index, { x, middle, written }) {
  const series = chart.series[place];
  const one = series.marks[index];
  if (one.low !== undefined) {
    parent.append("line").attr("class", `dot-interval colour-${one.colour ?? series.colour}`)
      .attr("x1", x(one.low)).attr("x2", x(one.high)).attr("y1", middle).attr("y2", middle);
  }
  mark(parent.append("circle"), chart, place, index).classed("dot", true)
    .attr("cx", x(one.value)).attr("cy", middle).attr("r", RADIUS);
  if (!written) return;
  parent.append("text").attr("class", "value").attr("x", x(one.high ?? one.value) + WORDS).attr("y", middle)
    .attr("dy", "0.35em").text(one.text);
}
