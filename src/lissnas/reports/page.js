"use strict";
// Draws every chart whose description follows it, and opens what is folded when the page is printed.
for (const block of document.querySelectorAll('.plot > script[type="application/json"]')) {
  const spec = JSON.parse(block.textContent);
  vegaEmbed(block.previousElementSibling, spec, {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  }).catch((error) => console.error(error));
}
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open]):not(.long)")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
