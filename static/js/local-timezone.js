// <local-timezone> around an input: proposes the browser's time zone where the server could only guess.
class LocalTimezone extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && input.value === input.defaultValue) input.value = zone;
  }
}

customElements.define("local-timezone", LocalTimezone);
