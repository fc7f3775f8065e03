// For people who are signed in: counts and keeps what they type, and warns them before they are logged out (R10, R11).
// Pages work without it: a form whose session has ended is kept when it is sent.
"use strict";

// How many characters are left in a long text: shown while typing, said aloud after a pause. Counted as the server counts.
document.querySelectorAll("textarea[data-most]").forEach((text) => {
  const [shown, said] = ["[data-count]", "[data-count-said]"].map((part) => text.parentNode.querySelector(part));
  const words = shown.dataset;
  let pause = 0;
  const count = () => {
    const left = Number(text.dataset.most) - [...text.value.trim()].length;
    const over = left < 0;
    const pattern = over ? words.over : left === 1 ? words.one : words.left;
    shown.textContent = pattern.replace("#", Math.abs(left).toLocaleString("en-GB"));
    shown.classList.toggle("error", over);
    shown.hidden = false;
  };
  text.addEventListener("input", () => {
    count();
    clearTimeout(pause);
    pause = setTimeout(() => { said.textContent = shown.textContent; }, 1000);
  });
  count();
});

(() => {
  const box = document.getElementById("time-out");
  if (!box || !box.showModal) return;
  const formToken = box.querySelector("[name=form_token]").value;
  const send = (path, fields, options) => fetch(path, {
    method: "POST", body: new URLSearchParams([["form_token", formToken], ...fields]), cache: "no-store", ...options,
  });

  // What is typed into the page's form goes to the server 20 seconds after a change, and when the page is left. The page
  // says which fields; the server takes no others.
  const RETRY = 20;
  const page = document.querySelector("[data-keep]");
  const names = page ? page.dataset.fields.split(" ").filter(Boolean) : [];
  const form = page && [...page.querySelectorAll("form")].find((one) =>
    one.getAttribute("action") === page.dataset.keep && names.some((name) => one.elements[name]));
  let changed = false;
  let byPerson = false;
  let leaving = false;
  let waiting = 0;
  let saving = null;
  const later = () => {
    if (!waiting) waiting = setTimeout(save, 1000 * (Number(page.dataset.every) || RETRY));
  };
  // Answers whether nothing is left to keep, or nothing can be kept any more: going on then loses nothing that stands here.
  const save = async () => {
    clearTimeout(waiting);
    waiting = 0;
    if (!changed || leaving) return true;
    const typed = [...new FormData(form)].filter(([name, value]) => names.includes(name) && typeof value === "string");
    const by = byPerson ? [["kept-by", "person"]] : [];
    changed = byPerson = false;
    saving = new AbortController();
    try {
      const answer = await send("/account/draft", [["kept-path", page.dataset.keep], ...by, ...typed], {
        keepalive: true, signal: saving.signal,
      });
      if (answer.status < 500) return true;
    } catch { /* No answer is like one that says "later". */ }
    if (leaving) return true;
    changed = true;
    later();
    return false;
  };
  if (form) {
    // "Show what is saved" was for this one look; what is typed from now on must be found again.
    const here = new URL(location.href);
    if (here.searchParams.has("typed")) {
      here.searchParams.delete("typed");
      history.replaceState(null, "", here);
    }
    const typed = () => {
      changed = byPerson = true;
      later();
    };
    if ("unsaved" in page.dataset) {
      changed = true;
      later();
    }
    form.addEventListener("input", typed);
    form.addEventListener("change", typed);
    // What was sent is kept, or done, by its own answer, and a logout deletes it: a save on its way must not come after
    // either. Any other form of the page, such as the choice of a language, leaves this one behind.
    addEventListener("submit", (event) => {
      const action = event.target.getAttribute("action");
      if (event.target !== form && action !== "/account/logout") {
        byPerson = false;
        save();
        return;
      }
      leaving = true;
      if (saving) saving.abort();
    });
    addEventListener("pageshow", () => { leaving = false; });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "hidden") return;
      byPerson = false;
      save();
    });
  }

  // The time-out. Only the server knows how much is left: another tab may have used the session.
  const title = document.getElementById("time-out-title");
  const more = document.getElementById("time-out-more");
  const say = box.querySelector("[data-say]");
  const [stay, goOn] = [box.querySelector("[data-stay]"), box.querySelector("[data-go-on]")];
  const [opening, usual] = [title.textContent, more.textContent];
  const warn = Number(box.dataset.warn);
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("portal-session") : null;
  let end = Date.now() + Number(box.dataset.left) * 1000;
  let fixed = false;
  let accepted = false;
  let over = false;
  let timer = 0;
  let before = 0;
  const left = () => Math.ceil((end - Date.now()) / 1000);
  const wake = (seconds, act) => {
    clearTimeout(timer);
    timer = setTimeout(act, Math.max(seconds, 0.2) * 1000);
  };
  const leave = async () => {
    over = true;
    if (!(await save())) return wake(RETRY, leave);
    const here = encodeURIComponent(location.pathname + location.search);
    location.replace(`/account/timed-out?next=${here}`);
  };
  const plan = () => {
    if (left() > warn) {
      accepted = false;
      if (box.open) box.close();
      return wake(left() - warn, ask);
    }
    if (accepted) return wake(left(), ask);
    if (!box.open) open();
    count();
  };
  const open = () => {
    title.textContent = opening;
    more.textContent = fixed ? more.dataset.longest : usual;
    say.textContent = "";
    stay.hidden = fixed;
    goOn.hidden = !fixed;
    before = left();
    box.showModal();
    (fixed ? goOn : stay).focus();
  };
  // Seconds are shown in the last minute only, and said aloud twice; the opening itself is the first time.
  const count = () => {
    const seconds = left();
    if (seconds <= 0) return ask();
    if (seconds <= 60) title.textContent = seconds > 1 ? title.dataset.seconds.replace("#", seconds) : title.dataset.second;
    const word = before > 20 && seconds <= 20 ? say.dataset.last : before > 60 && seconds <= 60 ? say.dataset.minute : "";
    if (word) say.textContent = say.dataset.say.replace("#", word);
    before = seconds;
    wake(1, count);
  };
  const learn = async (asked) => {
    const answer = await asked;
    if (answer.status === 401 || answer.status === 422) return leave();
    if (!answer.ok) throw new Error(answer.status);
    const told = await answer.json();
    fixed = told.absolute_left <= told.idle_left;
    end = Date.now() + Math.min(told.idle_left, told.absolute_left) * 1000;
    plan();
  };
  const ask = () => {
    if (!over) learn(fetch("/account/session", { cache: "no-store" })).catch(() => wake(RETRY, ask));
  };
  const extend = () => learn(send("/account/session", [])).then(() => tabs && tabs.postMessage("stay"), () => {
    plan();
    more.textContent = more.dataset.failed;
  });
  const dismiss = () => {
    accepted = fixed;
    if (!fixed) return extend();
    box.close();
    plan();
  };
  stay.addEventListener("click", extend);
  goOn.addEventListener("click", dismiss);
  box.addEventListener("cancel", dismiss);
  if (tabs) {
    tabs.addEventListener("message", () => { if (box.open) ask(); });
    // A page that was opened is activity, too.
    tabs.postMessage("stay");
  }
  // Timers sleep with the machine, and stand still in a page that is kept for going back.
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") ask(); });
  addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
  plan();
})();
