// How wide words are, so that what is drawn beside them leaves them room.

const FAMILY = '"Inter", system-ui, sans-serif';
const context = document.createElement("canvas").getContext("2d");

/** The width of `text` in pixels; `size` in pixels, as the style sheet sets it for charts. */
export function widthOf(text, size = 12) {
  context.font = `${size}px ${FAMILY}`;
  // Figures are drawn tabular, which a canvas cannot be asked for: digits as wide as a zero, and signs a little wider.
  const signs = text.match(/[,.+\u2212-]/g)?.length ?? 0;
  return Math.ceil(context.measureText(text.replaceAll(/\d/g, "0")).width + signs);
}

export const widest = (texts, size = 12) => Math.max(0, ...texts.map((text) => widthOf(text, size)));

/** `text`, or as much of it as fits into `room` pixels with an ellipsis. */
export function fitted(text, room, size = 12) {
  if (widthOf(text, size) <= room) return text;
  let kept = text.length - 1;
  while (kept > 1 && widthOf(`${text.slice(0, kept).trimEnd()}…`, size) > room) kept -= 1;
  return `${text.slice(0, kept).trimEnd()}…`;
}

/** `text` on one line, or broken between words onto two, each within `room` pixels. */
export function onTwoLines(text, room, size = 12) {
  if (widthOf(text, size) <= room) return [text];
  const words = text.split(" ");
  let first = words.shift();
  while (words.length && widthOf(`${first} ${words[0]}`, size) <= room) first += ` ${words.shift()}`;
  return [first, words.join(" ")].filter(Boolean).map((line) => fitted(line, room, size));
}

/** Write `text` cut to `room`; what is cut can be read in full by pointing at it. */
export function writeFitted(selection, text, room, size = 12) {
  const shown = fitted(text, room, size);
  selection.text(shown);
  if (shown !== text) selection.append("title").text(text);
}

/** A value as people read it, with its interval: "2.4 (1.9–3.1)". */
export const withInterval = (mark) => {
  if (!mark.low_text) return mark.text;
  const between = /^[+\u2212]/.test(mark.low_text) || /^[+\u2212]/.test(mark.high_text) ? " to " : "–";
  return `${mark.text} (${mark.low_text}${between}${mark.high_text})`;
};

/** What a mark says: its value, interval and details. */
export function spokenOfMark(chart, mark) {
  const interval = mark.low_text ? `, ${chart.interval || "interval"} ${mark.low_text} to ${mark.high_text}` : "";
  const detail = mark.detail ? `, ${mark.detail.join(", ")}` : "";
  return `${mark.text}${interval}${detail}`;
}

/** What a category, or one series in it, says: the name of a link and of a place on the keyboard's way. */
export function spoken(chart, index, place = null) {
  const series = place === null ? chart.series : [chart.series[place]];
  const parts = series.map(({ name, marks }) => {
    const mark = marks[index];
    if (!mark) return `${name}: no value`;
    const named = chart.series.length > 1 ? `${name} ` : "";
    return `${named}${spokenOfMark(chart, mark)}`;
  });
  return `${chart.categories[index].label}: ${parts.join("; ")}`;
}
