// <text-count>: says below its textarea how much of what it holds is used. Without this script the help says the limit.
class TextCount extends HTMLElement {
  connectedCallback() {
    this.text = this.querySelector("textarea");
    this.count = this.querySelector("[data-count]") ?? this.appendChild(document.createElement("p"));
    this.count.className = "help text-count";
    this.count.dataset.count = "";
    this.text.addEventListener("input", () => this.show());
    this.show();
  }

  show() {
    const used = this.text.value.length.toLocaleString("en");
    this.count.textContent = `${used} of ${this.text.maxLength.toLocaleString("en")} characters used.`;
  }
}

customElements.define("text-count", TextCount);
