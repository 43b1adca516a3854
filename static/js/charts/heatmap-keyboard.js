// The keyboard's way through the cells of a heatmap.

import "../../vendor/d3/d3.min.js";
import { number, placesOf } from "./heatmap.js";
import { hideTooltip } from "./tooltip.js";

const DIRECTIONS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** One cell is a stop of the Tab key; the arrow keys lead to the others, past those that are empty. */
export function walkCells(figure, listen) {
  const { chart } = figure;
  const [rows, columns] = [chart.categories.length, chart.series.length];
  const known = (index, place) => Boolean(chart.series[place].marks[index]);
  const isWithin = (index, place) => index >= 0 && index < rows && place >= 0 && place < columns;
  const stop = (cell) => figure.svg.querySelector(`.stop[data-index="${cell}"]`);
  let at = d3.range(rows * columns).find((cell) => known(...placesOf(chart, cell)));
  const focused = () => {
    const one = figure.svg.contains(document.activeElement) && document.activeElement.closest(".stop");
    return one ? Number(one.dataset.index) : null;
  };
  const rove = (to) => {
    stop(at)?.setAttribute("tabindex", -1);
    stop(to)?.setAttribute("tabindex", 0);
    at = to;
  };
  const showFocused = () => {
    const cell = focused();
    if (cell === null) return null;
    rove(cell);
    figure.show(cell);
    return stop(cell);
  };
  const moved = (key) => {
    let [index, place] = placesOf(chart, at);
    if (key === "Home" || key === "End") {
      const places = d3.range(columns).filter((one) => known(index, one));
      return number(chart, index, key === "Home" ? places[0] : places.at(-1));
    }
    const [down, right] = DIRECTIONS[key];
    do [index, place] = [index + down, place + right];
    while (isWithin(index, place) && !known(index, place));
    return isWithin(index, place) ? number(chart, index, place) : at;
  };
  listen(figure, "focusin", showFocused);
  listen(figure, "focusout", () => hideTooltip());
  listen(figure.svg, "keydown", (event) => {
    if (!(event.key in DIRECTIONS || ["Home", "End"].includes(event.key)) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stop(moved(event.key)).focus();
  });
  return {
    current: showFocused,
    keepingFocus(redraw) {
      const cell = focused();
      redraw();
      rove(at);
      if (cell !== null) stop(cell).focus({ preventScroll: true });
    },
  };
}
