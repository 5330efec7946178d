// Keyboard: j and k go from article to article or from sentence to sentence, / searches, ? explains,
// Esc leaves. They can be turned off: who dictates or types by accident should not be moved about.

const SWITCH = "claimstream.keys";
const dialog = document.querySelector("dialog.keys");
const toggle = document.querySelector(".keys-on");
const help = document.querySelector("button.help");

function stored() {
  try {
    return localStorage.getItem(SWITCH);
  } catch {
    return null; // the browser keeps nothing for this site
  }
}

function store(value) {
  try {
    localStorage.setItem(SWITCH, value);
  } catch {
    // It holds for this page, then.
  }
}

toggle.checked = stored() !== "off";
toggle.addEventListener("change", () => store(toggle.checked ? "on" : "off"));
help.hidden = false;
help.addEventListener("click", () => dialog.showModal());

function isTyping(element) {
  return element.matches("textarea, select, input:not([type=checkbox])");
}

/** What j and k stop at: what is shown, in order. */
function stops() {
  return [...document.querySelectorAll("[data-step]")].filter((stop) => stop.offsetParent !== null);
}

/** Go so many stops on; from the first one to be seen where none has the focus. */
function step(by) {
  const found = stops();
  const here = found.indexOf(document.activeElement);
  const seen = found.findIndex((stop) => stop.getBoundingClientRect().top >= 0);
  const to = here >= 0 ? here + by : Math.max(seen, 0);
  const stop = found[Math.min(Math.max(to, 0), found.length - 1)];
  if (!stop) return;
  stop.focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  stop.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
}

function search() {
  const field = document.querySelector("#q");
  const tools = field?.closest("details");
  if (tools) tools.open = true;
  field?.focus();
  field?.select();
}

function leave() {
  const focused = document.activeElement;
  if (focused && focused !== document.body) focused.blur();
  // Details that the pointer holds open stay away until it moves on.
  document.body.classList.add("stilled");
  addEventListener("pointermove", () => document.body.classList.remove("stilled"), { once: true });
  addEventListener("focusin", () => document.body.classList.remove("stilled"), { once: true });
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": search,
  "?": () => dialog.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  if (event.key === "Escape") {
    // Or browsers would empty the search, and the reader only wants to walk through what it found.
    if (event.target.matches("#q")) event.preventDefault();
    leave();
  } else if (toggle.checked && event.key in KEYS && !isTyping(event.target)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
