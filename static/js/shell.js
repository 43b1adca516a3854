// The frame's behaviour: the theme switch, menus that close when one looks elsewhere, dialogs, messages that can be
// put away, and code that can be copied.

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    const current = document.documentElement.dataset.theme ?? "auto";
    for (const input of this.querySelectorAll("input")) input.checked = input.value === current;
    this.addEventListener("change", (event) => this.choose(event.target.value));
  }

  choose(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is blocked: the choice holds for this page.
    }
  }
}

customElements.define("theme-switch", ThemeSwitch);

// <toast-message>: a message that stays until it is put away or the page is left.
class ToastMessage extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => this.remove());
  }
}

customElements.define("toast-message", ToastMessage);

// <copy-text>: its button puts the text of its code into the clipboard, or where the browser does not allow that, as on
// a page without HTTPS, selects it.
class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => this.copy());
  }

  async copy() {
    const code = this.querySelector("code");
    const status = this.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(code.textContent);
      status.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      status.textContent = "Selected: press Ctrl+C or ⌘C";
    }
  }
}

customElements.define("copy-text", CopyText);

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  openDialog(event);
});

// What has data-dialog opens the dialog of that id; without a script, a link leads to a page that asks the same.
function openDialog(event) {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
