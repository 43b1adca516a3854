// <sort-table> around a table: each column's head becomes a button that sorts by it. The total stays at the end.

const DIRECTIONS = { ascending: 1, descending: -1 };

class SortTable extends HTMLElement {
  connectedCallback() {
    this.body = this.querySelector("tbody");
    this.heads = [...this.querySelectorAll("thead th")];
    if (this.body.rows.length < 3) return;
    this.heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort-button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => this.sortBy(column));
      head.append(button);
    });
  }

  // Numbers begin with the largest, words with A; a second click turns the order round.
  sortBy(column) {
    const head = this.heads[column];
    const first = head.classList.contains("number") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const one of this.heads) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const rows = [...this.body.rows];
    const kept = rows.filter((row) => row.classList.contains("total"));
    const sorted = rows.filter((row) => !kept.includes(row)).map((row) => ({ row, value: value(row.cells[column]) }));
    // What has no value comes last, whatever the order.
    sorted.sort((one, two) => missingLast(one.value, two.value) || DIRECTIONS[order] * compare(one.value, two.value));
    this.body.append(...sorted.map(({ row }) => row), ...kept);
  }
}

function value(cell) {
  if ("value" in cell.dataset) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  return cell.classList.contains("number") || text === "–" ? null : text;
}

function missingLast(one, two) {
  return (one === null) - (two === null);
}

function compare(one, two) {
  if (one === null) return 0;
  return typeof one === "number" ? one - two : one.localeCompare(two);
}

customElements.define("sort-table", SortTable);
