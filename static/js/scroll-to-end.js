// <scroll-to-end>: what is wider than its room begins at its end, where the newest days are, unless a chosen cell is elsewhere.

class ScrollToEnd extends HTMLElement {
  connectedCallback() {
    const chosen = this.querySelector('a[aria-current="true"]');
    if (chosen) {
      const [cell, room] = [chosen.getBoundingClientRect(), this.getBoundingClientRect()];
      this.scrollLeft += cell.left + cell.width / 2 - room.left - room.width / 2;
    } else {
      this.scrollLeft = this.scrollWidth;
    }
  }
}

customElements.define("scroll-to-end", ScrollToEnd);
