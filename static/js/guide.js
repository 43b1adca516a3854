// The contents beside a page of the guide are longer than most windows: begin where the page stands in them.
const contents = document.getElementById("guide-contents");
const current = contents.querySelector("[aria-current]");
if (current) contents.scrollTop = current.offsetTop - contents.clientHeight / 2;
