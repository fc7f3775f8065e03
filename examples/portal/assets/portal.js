// Comfort on top of pages that work without it: each part looks for its own marks and stays away where there are none.
"use strict";

const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
// What is said comes from the page, in its language: one form for 1, another for every other number.
const counted = (place, n) => (n === 1 ? place.dataset.one : place.dataset.other).replace("{n}", n);

// Error summary: focus it where the browser ignored autofocus.
each("[data-focus]", (summary) => summary.focus());

// Back to a page whose form was sent: a browser may show it as it was left, though what it asks for is done. Ask for it
// again. A page that was left by a link keeps what was typed on it.
let sent = false;
addEventListener("submit", () => { sent = true; });
addEventListener("pageshow", (event) => {
  if (event.persisted && sent) location.replace(location.pathname + location.search);
});

// Show and hide passwords (and the secret answer, which is shown at first). Back to hidden before anything is sent, so that
// browsers treat the field as a password.
each("[data-reveal], [data-hide]", (button) => {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  if (!field) return;
  const shows = "reveal" in button.dataset;
  const set = (pressed) => {
    button.setAttribute("aria-pressed", String(pressed));
    field.type = pressed === shows ? "text" : "password";
  };
  button.hidden = false;
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
  if (shows && field.form) field.form.addEventListener("submit", () => set(false));
});

// Password rules: ticked while typing, said once typing pauses. The server decides; this mirrors its rule PWD-1.
each("[data-rules]", (box) => {
  const field = document.getElementById(box.dataset.rules);
  const username = document.getElementById(box.dataset.username);
  const progress = document.getElementById("password-progress");
  if (!field) return;
  const rules = [...box.querySelectorAll("[data-rule]")];
  const count = (text, pattern) => (text.match(pattern) || []).length;
  const checks = {
    length: (text, rule) => [...text].length >= rule.least && [...text].length <= rule.most,
    digits: (text, rule) => count(text, /\p{Nd}/gu) >= rule.least,
    lower: (text, rule) => count(text, /\p{Lowercase}/gu) >= rule.least,
    upper: (text, rule) => count(text, /\p{Uppercase}/gu) >= rule.least,
    special: (text, rule) => count(text, /[^\p{Alphabetic}\p{N}\p{Cc}]/gu) >= rule.least,
    username: (text) => {
      const address = username ? username.value.trim().toLowerCase() : "";
      const typed = text.trim().toLowerCase();
      return text !== "" && typed !== address && typed !== address.split("@")[0];
    },
  };
  let pause;
  const update = () => {
    let met = 0;
    for (const item of rules) {
      const rule = { least: Number(item.dataset.least), most: Number(item.dataset.most) };
      const passes = checks[item.dataset.rule](field.value, rule);
      item.classList.toggle("met", passes);
      if (passes) met += 1;
    }
    clearTimeout(pause);
    pause = setTimeout(() => {
      if (progress) progress.textContent = field.value ? box.dataset.progress.replace("{met}", met).replace("{all}", rules.length) : "";
    }, 1000);
  };
  field.addEventListener("input", update);
  if (username) username.addEventListener("input", update);
});

// Professional Role: an ARIA 1.2 combobox in place of the plain list of suggestions. Free text is always sent as typed.
each("[data-combobox]", (box) => {
  const input = box.querySelector("input[list]");
  const source = box.querySelector("datalist");
  if (!input || !source) return;
  const roles = [...source.options].map((option) => ({
    name: option.value,
    words: `${option.value}|${option.dataset.aliases || ""}`.toLowerCase(),
  }));
  input.removeAttribute("list");
  const frame = document.createElement("div");
  frame.className = "combobox";
  input.replaceWith(frame);
  const list = document.createElement("ul");
  list.id = `${input.id}-list`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.roles);
  const status = document.createElement("p");
  status.className = "vh";
  status.setAttribute("role", "status");
  frame.append(input, list, status);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list",
  })) input.setAttribute(name, value);
  let active = -1;
  const mark = (index) => {
    active = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    const item = list.children[index];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  };
  const open = () => {
    const typed = input.value.trim().toLowerCase();
    const found = roles.filter((role) => role.words.includes(typed));
    list.replaceChildren(...found.map((role, at) => {
      const item = document.createElement("li");
      item.id = `${input.id}-option-${at}`;
      item.setAttribute("role", "option");
      item.textContent = role.name;
      return item;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    mark(-1);
    status.textContent = counted(box, found.length);
  };
  const choose = (item) => {
    input.value = item.textContent;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    close();
  };
  input.addEventListener("input", open);
  input.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) choose(item);
  });
  input.addEventListener("keydown", (event) => {
    const last = list.children.length - 1;
    const keys = {
      ArrowDown: () => (list.hidden ? (open(), mark(0)) : mark(active < last ? active + 1 : 0)),
      ArrowUp: () => (list.hidden ? (open(), mark(list.children.length - 1)) : mark(active > 0 ? active - 1 : last)),
    };
    if (!list.hidden) keys.Escape = close;
    if (active >= 0) Object.assign(keys, { Enter: () => choose(list.children[active]), Home: () => mark(0), End: () => mark(last) });
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
});

// When something may be sent again: the page states the clock time, the script counts the last seconds silently.
each("[data-wait]", (place) => {
  const end = Date.now() + Number(place.dataset.wait) * 1000;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) place.textContent = counted(place, left);
    else {
      clearInterval(timer);
      place.setAttribute("role", "status");
      place.textContent = place.dataset.over;
    }
  }, 1000);
});

// Copy buttons of the development inbox.
each("[data-copy]", (button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  });
});
