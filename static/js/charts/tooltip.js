// What a category, or one mark of it, says: shown beside it on hover and on focus, and spoken when moved to by keys.

const GAP = 12;

// The interval in words: "(1.9–3.1)".
export const interval = (mark) => (mark.low_text ? ` (${mark.low_text}–${mark.high_text})` : "");

// The marks that an anchor is about: one series' or all of them, with the series' names and colours.
export function marksOf(data, { index, series }) {
  return data.series
    .map((one) => ({ name: one.name, colour: one.marks[index]?.colour ?? one.colour, mark: one.marks[index] }))
    .filter((entry, place) => entry.mark && (series === undefined || series === place));
}

// The same in one line, for people who hear it.
export function spoken(data, anchor) {
  const parts = marksOf(data, anchor).map(({ name, mark }) =>
    [`${data.series.length > 1 ? `${name}: ` : ""}${mark.text}${interval(mark)}`, ...(mark.detail ?? [])].join(", "),
  );
  return `${data.categories[anchor.index].label}: ${parts.join("; ") || "no value"}`;
}

export class Tooltip {
  constructor(figure, data) {
    this.figure = figure;
    this.data = data;
    this.box = document.createElement("div");
    this.box.className = "chart-tooltip";
    this.box.hidden = true;
    this.voice = document.createElement("p");
    this.voice.className = "visually-hidden";
    this.voice.setAttribute("aria-live", "polite");
    figure.append(this.box, this.voice);
  }

  get isOpen() {
    return !this.box.hidden;
  }

  show(anchor, { announce }) {
    this.hide();
    this.active = anchor;
    anchor.node.classList.add("is-active");
    this.box.replaceChildren(...this.lines(anchor));
    this.box.hidden = false;
    this.place(anchor);
    if (announce) this.voice.textContent = spoken(this.data, anchor);
  }

  hide() {
    this.active?.node.classList.remove("is-active");
    this.active = undefined;
    this.box.hidden = true;
  }

  lines(anchor) {
    const title = element("p", "chart-tooltip-title", this.data.categories[anchor.index].label);
    const entries = marksOf(this.data, anchor).flatMap(({ name, colour, mark }) => {
      const line = element("p", "chart-tooltip-line");
      line.append(
        element("span", `swatch swatch-dot colour-${colour}`),
        element("span", "chart-tooltip-name", name),
        element("span", "chart-tooltip-value", mark.text + interval(mark)),
      );
      return [line, ...(mark.detail ?? []).map((text) => element("p", "chart-tooltip-detail", text))];
    });
    return [title, ...(entries.length ? entries : [element("p", "chart-tooltip-detail", "no value")])];
  }

  // Right of the mark, or left of it where there is no room; never outside the window, never under the pointer.
  place({ x, y }) {
    const frame = this.figure.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    let left = x + GAP;
    if (frame.left + left + width > document.documentElement.clientWidth - 4) left = x - GAP - width;
    left = Math.max(left, 4 - frame.left);
    let top = y + GAP;
    if (frame.top + top + height > window.innerHeight - 4) top = Math.max(y - GAP - height, 4 - frame.top);
    this.box.style.setProperty("transform", `translate(${Math.round(left)}px, ${Math.round(top)}px)`);
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
