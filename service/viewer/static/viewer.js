// Keeps the page up to date: hears of changes on the labelled topic, fetches the page again and
// puts its new parts in place. All rendering, escaping and slicing is done by the server; what an
// article says is never put together into markup here.

const REFRESH_AT_MOST_EVERY_MS = 1000;
const TYPING_PAUSE_MS = 200;

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Parts of the page ----------------------------------------------------------------------------

let fetching = null;

/** Fetch an address of this page and put its parts in place of those shown. */
async function show(address) {
  fetching?.abort();
  fetching = new AbortController();
  try {
    const response = await fetch(address, { signal: fetching.signal });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of all("[data-part]")) {
      const fresh = one(`[data-part="${part.dataset.part}"]`, page);
      if (fresh) put(part, fresh);
    }
  } catch (error) {
    // Another request took its place, or the viewer is away: the stream of events says so.
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
  }
}

function put(part, fresh) {
  if ("keyed" in part.dataset) {
    reconcile(part, fresh);
  } else if (part.innerHTML !== fresh.innerHTML) {
    part.replaceChildren(...fresh.childNodes);
  }
}

/** Bring a list up to date child by child, so that what stays keeps focus and place. */
function reconcile(part, fresh) {
  const known = new Map([...part.children].map((child) => [child.id, child]));
  const wasEmpty = known.size === 0;
  const next = [...fresh.children].map((child) => {
    const old = known.get(child.id);
    if (old && old.innerHTML === child.innerHTML) return old;
    if (!old && !wasEmpty) child.classList.add("new");
    return child;
  });
  const kept = new Set(next);
  for (const child of [...part.children]) if (!kept.has(child)) child.remove();
  // What stays is not moved: a node that is taken out loses the focus.
  let place = part.firstElementChild;
  for (const child of next) {
    if (child === place) place = place.nextElementSibling;
    else part.insertBefore(child, place);
  }
}

// Filters --------------------------------------------------------------------------------------

const form = one(".filters");
let pause = 0;

function filter() {
  clearTimeout(pause);
  const asked = new URLSearchParams(new FormData(form));
  if (asked.getAll("label").length === all("[name=label]", form).length) asked.delete("label");
  for (const [name, value] of [...asked]) if (!value) asked.delete(name);
  const address = asked.size ? `${form.getAttribute("action")}?${asked}` : form.getAttribute("action");
  history.replaceState(null, "", address);
  show(address);
}

if (form) {
  form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  form.addEventListener("change", filter);
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(filter, TYPING_PAUSE_MS);
  });
  one("[type=submit]", form).hidden = true;
}

// Live -----------------------------------------------------------------------------------------

let stream = null;
let seen = Number(document.body.dataset.version);
let isLost = false;
let isDue = false;
let isRefreshing = false;

/** Fetch what has changed, one time after the other and not more often than a reader can follow. */
async function refresh() {
  isDue = true;
  if (isRefreshing) return;
  isRefreshing = true;
  try {
    while (isDue) {
      isDue = false;
      await show(location.pathname + location.search);
      await new Promise((resume) => setTimeout(resume, REFRESH_AT_MOST_EVERY_MS));
    }
  } finally {
    isRefreshing = false;
  }
}

function say(kind, words) {
  const status = one(".status");
  const line = one(".says", status);
  status.dataset.kind = kind;
  if (line.textContent !== words) line.textContent = words;
}

function hear(message) {
  const state = JSON.parse(message.data);
  say(state.kind, state.status);
  one(".notes").textContent = state.notes;
  for (const banner of all(".banner.newer, .banner.gone")) {
    banner.hidden = !banner.classList.contains(state.article);
  }
  // The first event may tell of what has changed since the page was made. A viewer that was away
  // may be another one now, which counts its changes anew.
  if ((isLost || state.version !== seen) && "refreshes" in document.body.dataset) refresh();
  seen = state.version;
  isLost = false;
}

/** Listen while the page is to be seen: a browser has only so many connections for one site. */
function listen() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (!stream || stream.readyState === EventSource.CLOSED) {
    stream = new EventSource(document.body.dataset.events);
    stream.onmessage = hear;
    stream.onerror = () => {
      isLost = true;
      say("away", "The viewer does not answer, trying again");
      if (stream?.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    };
  }
}

document.addEventListener("visibilitychange", listen);
listen();

// Copies, and sentences under a finger ----------------------------------------------------------

async function copy(button) {
  const said = one(".copied");
  try {
    const response = await fetch(button.dataset.copy);
    if (!response.ok) throw new Error();
    await navigator.clipboard.writeText(await response.text());
    said.textContent = "Copied.";
  } catch {
    said.textContent = "Not copied: the browser does not allow it here. Use the link beside it.";
  }
}

for (const button of all("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

document.addEventListener("click", (event) => {
  const sentence = event.target.closest(".s");
  if (!sentence || event.target.closest("a") || !getSelection().isCollapsed) return;
  one(".letter", sentence).focus({ preventScroll: true });
});

// A narrow page begins with the text, a wide one has room for the tools beside it.
const isWide = matchMedia("(min-width: 60.01rem)").matches;
for (const tools of all("details.tools, details.more")) tools.open = isWide || isAsked(tools);

/** Whether the page was asked for something that one should see was asked for. */
function isAsked(tools) {
  return tools.matches(".more") && /[?&](label|source|certainty)=/.test(location.search);
}
