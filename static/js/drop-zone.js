// <drop-zone> around a form with one file: files can be dropped on it, it is sent as soon as there is one, and how much
// of it has been sent is shown. Without this script the file is chosen and the button pressed.

class DropZone extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.form.querySelector("input[type=file]");
    this.button = this.form.querySelector("button[type=submit]");
    this.problem = this.form.querySelector("[data-problem]");
    this.querySelector(".drop-zone-hint").hidden = false;
    this.button.hidden = true;
    this.input.addEventListener("change", () => this.send());
    this.form.addEventListener("dragover", (event) => this.invite(event));
    this.form.addEventListener("dragleave", () => this.form.classList.remove("drop-zone-over"));
    this.form.addEventListener("drop", (event) => this.take(event));
    this.form.addEventListener("htmx:xhr:progress", (event) => this.show(event.detail));
    this.form.addEventListener("htmx:sendError", () => this.stop("The connection was lost. Try again."));
    this.form.addEventListener("htmx:responseError", (event) => this.stop(refusal(event.detail.xhr.status)));
  }

  invite(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.form.classList.add("drop-zone-over");
  }

  take(event) {
    event.preventDefault();
    this.form.classList.remove("drop-zone-over");
    if (event.dataTransfer.files.length !== 1) {
      this.stop("Drop one file at a time.");
      return;
    }
    this.input.files = event.dataTransfer.files;
    this.send();
  }

  send() {
    const [file] = this.input.files;
    if (!file) return;
    const most = Number(this.dataset.maxBytes);
    if (file.size > most) {
      this.stop(refusal(413));
      return;
    }
    this.problem.hidden = true;
    this.querySelector(".drop-zone-progress").hidden = false;
    this.form.requestSubmit();
  }

  show({ loaded, total }) {
    if (!total) return;
    const percent = Math.round((100 * loaded) / total);
    this.querySelector("progress").value = percent;
    this.querySelector("[data-percent]").textContent =
      percent < 100 ? `${percent}% sent` : "Sent. Looking into the file…";
  }

  stop(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = false;
    this.querySelector(".drop-zone-progress").hidden = true;
    this.input.value = "";
  }
}

function refusal(status) {
  if (status === 413) return "The file is larger than what can be taken in at once. Compress it with gzip, or split it by month.";
  if (status === 403) return "You may not import data, or this page is too old. Reload it and try again.";
  return "The file could not be taken in. Try again; if that does not help, tell whoever runs this installation.";
}

customElements.define("drop-zone", DropZone);
