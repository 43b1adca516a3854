// <one-of-many>: a choice, and parts of which each belongs to one of its values (data-when): the others are not shown.
// Without this script all of them stay in view, and those that do not belong to what is chosen are of no consequence.
class OneOfMany extends HTMLElement {
  connectedCallback() {
    this.choice = this.querySelector("select");
    this.choice.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    for (const part of this.querySelectorAll("[data-when]")) {
      part.hidden = part.dataset.when !== this.choice.value;
    }
  }
}

customElements.define("one-of-many", OneOfMany);
