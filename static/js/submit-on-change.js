// A form with data-submit-on-change is sent as soon as one of its selects is changed. The style sheet hides its button
// where there are scripts. Listening at the document, it also serves forms that come with a boosted page.
document.addEventListener("change", (event) => event.target.closest("form[data-submit-on-change]")?.requestSubmit());

// Whoever comes back finds the form as its address has it, and not as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-submit-on-change]")) form.reset();
});
