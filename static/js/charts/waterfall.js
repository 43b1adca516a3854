// A waterfall: a step in each row, from where the one above ends, and its value beside it.

import "../../vendor/d3/d3.min.js";
import { categoryStop, mark, markStop } from "./marks.js";
import { rowsFrame } from "./rows.js";

const THICKEST = 16;
const WORDS = 6;

export function drawWaterfall(svg, chart, { width, height }) {
  const [{ marks }] = chart.series;
  const steps = marks.map((one) => one && [one.from, one.from + one.value]);
  const sides = steps.map((step) => step && beside(step));
  const ends = marks.flatMap((one, index) => (one ? [[sides[index].end, one.text]] : []));
  const frame = rowsFrame(svg, chart, { width, height, ends });
  const thickness = Math.min(frame.marksHeight, THICKEST) - 1;
  const middle = (index) => frame.top(index) + frame.marksTop + frame.marksHeight / 2;
  drawJoints(frame, steps, (index, side) => middle(index) + (side * thickness) / 2);
  chart.categories.forEach((_, index) => {
    const row = categoryStop(frame.plot, chart, index);
    frame.hit(row, index);
    frame.writeName(row, index);
    if (!marks[index]) return;
    const place = { step: steps[index], side: sides[index], middle: middle(index), thickness };
    drawStep(markStop(row, chart, index, 0), frame, chart, index, place);
  });
  return {
    ...frame,
    extent(index) {
      const [left, right] = d3.extent(steps[index] ?? [0], frame.x);
      return { left, right: right + 60, top: frame.top(index), bottom: frame.top(index) + frame.rowHeight };
    },
  };
}

/** Beyond which end of a step its value is written: before it where it lies below zero. */
function beside(step) {
  const before = Math.max(...step) <= 0 && Math.min(...step) < 0;
  return { before, end: before ? Math.min(...step) : Math.max(...step) };
}

function drawStep(parent, { x }, chart, index, { step, side, middle, thickness }) {
  const [from, to] = d3.extent(step, x);
  mark(parent.append("rect"), chart, 0, index).classed("bar", true)
    .attr("x", from).attr("width", to - from).attr("y", middle - thickness / 2).attr("height", thickness);
  parent.append("text").attr("class", "value").classed("value-before", side.before)
    .attr("x", x(side.end) + (side.before ? -WORDS : WORDS)).attr("y", middle).attr("dy", "0.35em")
    .text(chart.series[0].marks[index].text);
}

/** Lead from the end of each step to the next one, which begins there or, a total, ends there. */
function drawJoints({ plot, x }, steps, edge) {
  steps.slice(1).forEach((after, place) => {
    const step = steps[place];
    if (!step || !after) return;
    plot.append("line").attr("class", "joint").attr("x1", x(step[1])).attr("x2", x(step[1]))
      .attr("y1", edge(place, 1)).attr("y2", edge(place + 1, -1));
  });
}
