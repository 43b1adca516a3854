// The keyboard's way through a chart: from link to link, or, where nothing is a link, from category to category.

import { hideTooltip } from "./tooltip.js";
import { spoken } from "./text.js";

const MOST_TAB_STOPS = 24;
const FORWARD = { true: "ArrowRight", false: "ArrowDown" };
const BACK = { true: "ArrowLeft", false: "ArrowUp" };

/** The place that a key leads to, from `at` among `count`, or null if the key leads nowhere. */
function moved(key, at, count, across) {
  const places = { [FORWARD[across]]: at + 1, [BACK[across]]: at - 1, Home: 0, End: count - 1 };
  return key in places ? Math.max(0, Math.min(count - 1, places[key])) : null;
}

/** Links are stops of the Tab key or, if they are many, one of them is; the arrow keys lead to the others. */
export function walkLinks(figure, listen) {
  const stops = () => [...figure.svg.querySelectorAll("a.stop")];
  const focused = () => stops().indexOf(document.activeElement);
  const showFocused = () => {
    const stop = stops()[focused()];
    if (stop) figure.show(Number(stop.dataset.index), { place: figure.placeOf(stop) });
    return stop ?? null;
  };
  const rove = (to) => {
    const all = stops();
    if (all.length > MOST_TAB_STOPS) all.forEach((stop, at) => stop.setAttribute("tabindex", at === to ? 0 : -1));
  };
  // On the figure: listening to focus would make the svg itself a stop of the Tab key in Chromium.
  listen(figure, "focusin", showFocused);
  listen(figure, "focusout", () => hideTooltip());
  listen(figure.svg, "keydown", (event) => {
    const to = moved(event.key, focused(), stops().length, figure.across);
    if (to === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    rove(to);
    stops()[to].focus();
  });
  return {
    current: showFocused,
    keepingFocus(redraw) {
      const at = focused();
      redraw();
      rove(Math.max(0, at));
      if (at >= 0) stops()[at].focus({ preventScroll: true });
    },
  };
}

/**
 * One stop over the whole plot that the arrow keys move through the categories: a slider, which is what screen readers
 * take such a thing for, and whose text they read at each step.
 */
export function walkMarks(figure, listen) {
  const { chart } = figure;
  const last = chart.categories.length - 1;
  let at = ["line", "area"].includes(chart.kind) ? last : 0; // the newest day is what one asks for first
  const slider = document.createElement("div");
  Object.assign(slider, { className: "chart-slider", role: "slider", tabIndex: 0, ariaLabel: `${chart.title}: ${chart.category_title}` });
  Object.assign(slider, { ariaOrientation: figure.across ? "horizontal" : "vertical", ariaValueMin: 1, ariaValueMax: last + 1 });
  const say = () => Object.assign(slider, { ariaValueNow: at + 1, ariaValueText: spoken(chart, at) });
  const show = () => figure.show(at);
  const isFocused = () => document.activeElement === slider;
  say();
  figure.querySelector(".chart-slider")?.remove();
  figure.append(slider);
  listen(slider, "focus", () => slider.matches(":focus-visible") && show());
  listen(slider, "blur", () => hideTooltip());
  listen(slider, "keydown", (event) => {
    const to = moved(event.key, at, last + 1, figure.across);
    if (to === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    at = to;
    say();
    show();
  });
  return {
    current() {
      if (!isFocused()) return null;
      show();
      return slider;
    },
    keepingFocus: (redraw) => redraw(),
  };
}
