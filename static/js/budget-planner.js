// <budget-planner>: sliders beside the amounts of the plan's form. A change of one is sent at once, and says which one it
// was; the answer brings the amounts of the others, and what the plan would bring. Without this script amounts are
// typed, and a button sends them.
const WAIT = 40; // ms, in which a slider that is dragged may move on

class BudgetPlanner extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.waiting = null;
    this.held = null; // what is being changed, which no answer may take out of one's hands
    this.form.addEventListener("input", (event) => this.changed(event));
    this.form.addEventListener("change", (event) => this.settled(event));
    this.addEventListener("htmx:afterSwap", () => this.show());
  }

  changed(event) {
    const row = event.target.closest(".planner-row");
    if (event.target.matches("[type=range]")) this.amount(row).value = event.target.value;
    else if (row && event.target === this.amount(row)) this.slider(row).value = event.target.value;
    else if (!event.target.matches("[name=amount]")) return; // locks, limits and choices are sent once they are made
    this.held = event.target;
    this.send(row);
  }

  settled(event) {
    if (event.target.matches("[type=range]") || event.target.matches("[name=objective], [name=goal], [name=target]")) {
      this.held = null;
      if (event.target.matches("[type=range]")) this.send(event.target.closest(".planner-row"));
      return;
    }
    const row = event.target.closest(".planner-row");
    this.held = null;
    this.send(row && event.target === this.amount(row) ? row : null);
  }

  send(row) {
    // While there is no plan, the channel that was changed last still is the one that keeps its amount.
    if (row || this.hasPlan()) this.form.elements.changed.value = row ? row.dataset.place : "";
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.form.dispatchEvent(new CustomEvent("plan-changed"));
    }, WAIT);
  }

  show() {
    if (this.waiting) return; // an answer to what has been changed again since: the next one is on its way
    if (!this.hasPlan()) return; // what is typed stays, to be put right
    const plan = this.querySelector("#plan");
    const values = plan.dataset.values.split(" ");
    for (const row of this.querySelectorAll(".planner-row")) {
      const value = values[Number(row.dataset.place)];
      if (value === undefined) continue;
      if (this.held !== this.slider(row)) this.slider(row).value = value;
      if (this.held !== this.amount(row) && this.held !== this.slider(row)) this.amount(row).value = Number(Number(value).toFixed(2));
    }
    const { amount } = this.form.elements;
    if (this.held !== amount) amount.value = Number(plan.dataset.total);
  }

  hasPlan() {
    return this.querySelector("#plan").dataset.values !== undefined;
  }

  slider(row) {
    return row.querySelector("[type=range]");
  }

  amount(row) {
    return row.querySelector(".planner-amount input");
  }
}

customElements.define("budget-planner", BudgetPlanner);
