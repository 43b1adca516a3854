// The one tooltip of the page. It can be pointed at, is put away with Escape, stays on the screen and off the pointer.

import { withInterval } from "./text.js";

const EDGE = 8;
const APART = 12;
const GRACE_MS = 160; // to move the pointer from the mark into the tooltip

let box = null;
let owner = null;
let place = null;
let leaving = 0;

/**
 * Show `content` for `shownBy` beside `extent`, a rectangle on the screen that `locate` returns with the pointer (or
 * null). `across`: categories run from left to right, so that the tooltip stands above them and not in the pointer's way.
 */
export function showTooltip(shownBy, content, locate, { across }) {
  clearTimeout(leaving);
  if (!box?.isConnected) box = makeBox();
  if (owner && owner !== shownBy) owner.tooltipHidden({ dismissed: false });
  owner = shownBy;
  box.replaceChildren(...content);
  if (!box.matches(":popover-open")) box.showPopover();
  place = () => moveTo(locate(), across);
  place();
}

/** `dismissed`: by the reader, who does not want to see it again in the same place. */
export function hideTooltip({ dismissed = false } = {}) {
  clearTimeout(leaving);
  if (!owner) return;
  const hidden = owner;
  owner = null;
  box.hidePopover();
  hidden.tooltipHidden({ dismissed });
}

/** Hide soon, unless the pointer arrives in the tooltip. `then`: instead of hiding, where something has the focus. */
export function leaveTooltip(then = hideTooltip) {
  clearTimeout(leaving);
  leaving = setTimeout(then, GRACE_MS);
  box?.addEventListener("pointerleave", () => leaveTooltip(then), { once: true });
}

export function tooltipContent(chart, index, place = null) {
  const title = element("p", "tooltip-title", chart.categories[index].label);
  const rows = chart.series.flatMap((series, at) => {
    const one = series.marks[index];
    const row = element("div", "tooltip-row");
    row.classList.toggle("is-current", at === place);
    const shape = { line: "line", dots: "dot" }[chart.kind] ?? "bar";
    const swatch = element("span", `swatch swatch-${shape} colour-${one?.colour ?? series.colour}`);
    swatch.classList.toggle("is-dashed", series.dashed);
    row.append(swatch, element("span", "tooltip-name", series.name), element("span", "tooltip-value", one ? withInterval(one) : "–"));
    return [row, ...(one?.detail ?? []).map((line) => element("p", "tooltip-detail", line))];
  });
  const known = chart.series.some(({ marks }) => marks[index]?.low_text);
  const level = known && chart.interval ? [element("p", "tooltip-note", `In brackets: ${chart.interval}`)] : [];
  return [title, ...rows, ...level];
}

export function element(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function makeBox() {
  const made = element("div", "chart-tooltip");
  made.popover = "manual";
  made.ariaHidden = "true"; // the mark's own name says the same
  made.addEventListener("pointerenter", () => clearTimeout(leaving));
  document.body.append(made);
  return made;
}

/** Take the first place that is on the screen and not under the pointer. */
function moveTo({ extent, pointer }, across) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const room = { right: document.documentElement.clientWidth - EDGE, bottom: window.innerHeight - EDGE };
  const clampX = (x) => Math.max(EDGE, Math.min(room.right - width, x));
  const clampY = (y) => Math.max(EDGE, Math.min(room.bottom - height, y));
  const at = pointer ?? { x: (extent.left + extent.right) / 2, y: extent.top };
  const middleX = clampX((extent.left + extent.right) / 2 - width / 2);
  const middleY = clampY((extent.top + extent.bottom) / 2 - height / 2);
  const above = { x: middleX, y: Math.min(extent.top, at.y) - APART - height };
  const below = { x: middleX, y: Math.max(extent.bottom, at.y) + APART };
  const right = { x: Math.max(extent.right, at.x) + APART, y: middleY };
  const beside = [{ x: at.x + APART, y: middleY }, { x: at.x - APART - width, y: middleY }];
  const places = across
    ? [above, ...beside, below]
    : pointer ? [right, ...beside, below, above] : [right, below, above];
  const fits = ({ x, y }) => x >= EDGE && x + width <= room.right && y >= EDGE && y + height <= room.bottom;
  const chosen = places.find(fits) ?? places.at(-1);
  box.style.setProperty("left", `${Math.round(clampX(chosen.x))}px`);
  box.style.setProperty("top", `${Math.round(clampY(chosen.y))}px`);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTooltip({ dismissed: true });
});
document.addEventListener("pointerdown", (event) => {
  if (owner && !owner.contains(event.target) && !box.contains(event.target)) hideTooltip();
});
for (const moved of ["scroll", "resize"]) {
  window.addEventListener(moved, () => follow(), { capture: true, passive: true });
}

/** Stay beside what has the focus or is still under the pointer. */
function follow() {
  if (!owner) return;
  if (owner.isStillMeant()) place();
  else hideTooltip();
}
