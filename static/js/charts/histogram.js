// A histogram: bars that touch, as its bins do.

import "../../vendor/d3/d3.min.js";
import { columnExtent } from "./bars.js";
import { columnsFrame, hitArea } from "./columns.js";
import { categoryStop, mark, markStop, spans } from "./marks.js";

const HAIRLINE = 1;

export function drawHistogram(svg, chart, { width, height }) {
  const frame = columnsFrame(svg, chart, { width, height, titled: true });
  const ends = spans(chart);
  const between = frame.step > 4 ? HAIRLINE : 0;
  chart.categories.forEach((_, index) => {
    const stop = categoryStop(frame.plot, chart, index);
    hitArea(stop, frame, index);
    if (!ends[0][index]) return;
    const [top, bottom] = d3.extent(ends[0][index], frame.y);
    mark(markStop(stop, chart, index, 0).append("rect"), chart, 0, index).classed("bar", true)
      .attr("x", frame.x(index) - frame.step / 2 + between / 2).attr("width", frame.step - between)
      .attr("y", top).attr("height", bottom - top);
  });
  return { ...frame, extent: columnExtent(frame, chart, ends) };
}
