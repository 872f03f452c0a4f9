/**
 * Handraiser's script for landing pages: it finds the lead form, keeps the consent gate, sends the lead and tells.
 *
 * It is a guest: one global (`handraiser`), no cookie, nothing stored and nothing sent before a visitor submits the
 * form with the consent box ticked, and whatever goes wrong in here is never thrown into the page. README.md beside
 * this file is its manual. The server minifies it and puts a company's configuration in place of the last line's; it
 * has 4 KB, compressed and with a configuration, which is why some things are said more shortly than elsewhere.
 */

/**
 * @typedef {object} Config
 * @property {string} token  The publishable lead token.
 * @property {string} endpoint  Where leads are posted.
 * @property {string} [build]  Which build this is.
 * @property {string} [stamp]  The server's proof that this file was fetched lately.
 * @property {string} [check]  The file that `#handraiser-check` loads.
 * @property {string} [language]  The default language.
 * @property {{ [language: string]: Disclosure }} [languages]  What our consent box says; else the page has its own.
 * @property {{ [language: string]: Texts }} [messages]  What visitors are told.
 * @property {Texts} [fields]  What an input of that name is.
 * @property {Texts} [parameters]  What a parameter of the page's address is.
 * @property {string} [thankYou]  Where a visitor goes when the lead was taken.
 * @property {string[]} [redirects]  The origins that data-lead-redirect may name beside the page's own.
 * @property {boolean} [carry]  Whether links on the page's own site are given the click's parameters.
 *
 * @typedef {{ version: string, label: string, text: string, links?: [string, string][] }} Disclosure
 * @typedef {{ [name: string]: string }} Texts
 * @typedef {{ field: any, name: string, key: string, rule: number }} Found  A field, its key when sent, and why.
 * @typedef {(event: any) => void} Lead  Takes the events of one form.
 */
(function (/** @type {Config} */ config) {
  "use strict";
  const page = /** @type {any} */ (window);
  if (page.handraiser && page.handraiser.send) return; // Loaded twice, it works once.

  const { endpoint, languages, messages = {}, redirects = [] } = config;
  const PATIENCE = 8000; // Milliseconds of failures after which the page goes on without us.
  const STORE = "handraiser";
  const PHONE = /(phone|mobile|movil|telefono|caller_?id|(^|_)(cell|tel))(_?(number|no|national|\d+))*$/;
  const EMAIL = /e_?mail(_?(address|\d+))*$/;
  const BUTTON = /submit|image|button|reset/;
  // What is never read: secrets, what is for the page's own server, and what a form without script sends to ours.
  const UNREAD =
    ":disabled,[type=password],[type=file],[name*=passw i],[autocomplete*=cc-],[name^=_],[name*=csrf],[name*=captcha]," +
    "[name=lead_token],[name^=redirect_],[name^=consent],[data-lead-ignore],[data-lead-ignore] *," +
    "[data-lead-consent],[data-lead-consent] *";

  const gpc = /** @type {any} */ (navigator).globalPrivacyControl;
  const mapped = new Map(Object.entries(config.fields || {}));
  const aliases = new Map(Object.entries(config.parameters || {}));
  /** @type {Map<any, Lead>} */
  const leads = new Map();
  /** @type {Map<() => void, URLSearchParams>} What has no answer yet, and what to do when the page is left meanwhile. */
  const pending = new Map();
  /** @type {Event} The event on which the page's own handlers run. */
  let relay;
  let passing = false;
  let count = 0;

  /** @type {(work: (...values: any[]) => any) => (...values: any[]) => any} */
  const safely = (work) => (...values) => {
    try {
      return work(...values);
    } catch (error) {
      console.warn(STORE, error);
    }
  };
  const now = () => new Date().toISOString();
  const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
  const sleep = (/** @type {number} */ milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const slug = (/** @type {string} */ text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/_$/, "");
  const absolute = (/** @type {string} */ address) => new URL(address, document.baseURI);
  /** @type {(selector: string, within?: any) => any[]} */
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  /** Reads or writes what lasts as long as the tab; a sandboxed page has no such thing. */
  const store = safely((name, value) =>
    gpc ? 0 : value ? sessionStorage.setItem(name, value) : sessionStorage.getItem(name),
  );
  /** @type {(tag: string, text?: string) => any} An element on which the page's style sheet has no say. */
  const make = (tag, text = "") => {
    const made = document.createElement(tag);
    made.style.cssText = "all:revert;text-transform:none";
    made.textContent = text;
    return made;
  };
  /** @type {(work: (event: any) => void, ...types: string[]) => void} */
  const on = (work, ...types) => {
    // In the window and before anybody else, so that no handler of the page's can keep an event from us.
    for (const type of types) page.addEventListener(type, safely(work), true);
  };

  // -- Reading. An input named "elements" or "action" hides the form's own, so a form is asked for its attributes only.

  // What came with the click on an advertisement, as it stands in the page's address.
  const click = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(location.search)) {
    const known = gpc ? /^(utm_.+|sub_id|traffic_source_id)$/ : /^(utm_.+|sub_id|traffic_source_id|[gw]braid|.+clk?id)$/;
    if (known.test(name) || aliases.has(name)) click.set(name, value);
  }
  /** @type {(element: any) => string} The language in which an element stands. */
  const languageOf = (element) => (element.closest("[lang]") || {}).lang || navigator.language;
  /** @type {(form: any) => any[]} */
  const controls = (form) => all("input,select,textarea,button").filter((each) => each.form === form);
  /** @type {(name: string) => string} A name as people read it: some page builders encode the label in base64. */
  const readable = (name) => {
    try {
      const text = decodeURIComponent(escape(atob(name)));
      return /[A-Z]/.test(name) && /^\p{L}[\p{L}\p{N}\p{P} ]+$/u.test(text) ? text : name;
    } catch (_) {
      return name;
    }
  };
  /** @type {(name: string) => string} The key under which something is sent, nested as jQuery does. */
  const wire = (name) =>
    /^(caller_id|email|sub_id|traffic_source_id|data\[.*)$/.test(name) ? name : name.replace(/^[^[]*/, "data[$&]");

  /** @type {(form: any) => Found[]} What each field of a form is. */
  const read = (form) => {
    /** @type {Found[]} */
    const found = [];
    for (const field of controls(form)) {
      const { type, autocomplete } = field;
      if (BUTTON.test(type) || field.matches(UNREAD)) continue;
      const name = readable(field.name || field.id);
      const guesses = [name, autocomplete || "", type].map((hint) =>
        !/text|tel|email|number|hidden/.test(type) ? "" : PHONE.test(slug(hint)) ? "caller_id" : EMAIL.test(slug(hint)) && "email",
      );
      const hints = [field.getAttribute("data-lead-field"), mapped.get(field.name), ...guesses, name];
      const rule = hints.findIndex(Boolean);
      if (rule >= 0) found.push({ field, name, key: hints[rule], rule });
    }
    // Of several telephone numbers the best known one counts, the first of equals; the others become tokens.
    const names = new Map();
    for (const each of found.sort((one, other) => one.rule - other.rule)) {
      const { name, key } = each;
      if (!names.has(key)) names.set(key, name);
      each.key = wire(names.get(key) === name ? key : name || key);
    }
    return found;
  };
  /** @type {() => any[]} The forms that are for leads. */
  const leadForms = () => {
    const named = all("form[data-lead]");
    const phones = all("form").filter((form) => read(form).some((each) => each.key === "caller_id"));
    return named.length || phones.length > 1 ? named : phones;
  };

  // -- Sending.

  /** @type {(body: URLSearchParams, consent: object) => URLSearchParams} Adds what every lead has. */
  const complete = (body, consent) => {
    body.set("lead_token", config.token);
    // The click of this page, else the first of the tab, which is kept only now that the visitor has agreed.
    let touch = new URLSearchParams(click);
    if (document.referrer) touch.set("referrer", document.referrer);
    const kept = store(STORE);
    if (!kept) store(STORE, `${touch}`);
    else if (!`${click}`) touch = new URLSearchParams(kept);
    for (const [name, value] of touch) {
      const key = wire(aliases.get(name) || name);
      if (!body.has(key)) body.set(key, value);
    }
    const page_url = gpc ? location.origin + location.pathname : location.href;
    for (const [name, value] of Object.entries({ granted: "true", page_url, gpc, ...consent }))
      if (value) body.set(`consent[${name}]`, value);
    return body;
  };
  /** @type {(free: () => void, body: URLSearchParams) => Promise<any>} Sends until there is an answer, {} for none. */
  const deliver = async (free, body) => {
    pending.set(free, body);
    for (let left = PATIENCE, pause = 500; left > 0; pause *= 2) {
      const start = Date.now();
      try {
        const keepalive = `${body}`.length < 6e4; // Browsers keep 64 KB alive, no more.
        const sent = fetch(endpoint, { method: "POST", body, keepalive, credentials: "omit" });
        const answer = await Promise.race([sent, sleep(left)]);
        const said = await answer.json();
        if (/408|409|429|5../.test(answer.status)) throw answer.headers.get("Retry-After");
        if (pending.delete(free)) return said;
        break;
      } catch (seconds) {
        if (navigator.onLine) {
          await sleep(Math.min(/** @type {any} */ (seconds) * 1000 || pause, left));
          left -= Date.now() - start;
        } else {
          await new Promise((done) => on(done, "online"));
          left = PATIENCE;
        }
      }
    }
    // What has failed stays pending, for a beacon is its last try; what a beacon has taken over says nothing more.
    return pending.has(free) ? {} : new Promise(() => {});
  };
  /** @type {(target: EventTarget, answer: any) => string} */
  const tell = (target, answer) => {
    const outcome = answer.success ? "sent" : answer.status ? "refused" : "failed";
    target.dispatchEvent(new CustomEvent(`lead:${outcome}`, { bubbles: true, detail: answer }));
    safely(() => page.onLead && page.onLead(answer, target))();
    return outcome;
  };

  // -- One form and its visitor.

  /** @type {(form: any) => Lead} */
  const leadOf = (form) => {
    const trap = make("input");
    const region = make("div");
    const sent = new Map(); // The fields by the names that the server's errors have.
    /** @type {(() => void)[]} */
    const undo = []; // What takes messages away from fields.
    /** @type {any} */
    let box;
    let consent = /** @type {any} */ ({});
    let content = "";
    let key = "";
    let busy = false;
    let theirs = false; // Whether the page itself does what follows.
    // The entry for es-MX, else for es, else for the default.
    const wanted = `${languageOf(form)}-`.toLowerCase();
    const fit = Object.keys(languages || messages).filter((each) => wanted.startsWith(`${each}-`.toLowerCase()));
    const language = fit.sort().pop() || config.language || "";
    const say = (/** @type {string} */ name, more = "") => {
      region.textContent = ((messages[language] || {})[name] || "") + more;
    };
    /** @type {(field: any, note: any) => void} Ties a message to its field. */
    const mark = (field, note) => {
      const before = field.getAttribute("aria-describedby") || "";
      note.id = note.id || STORE + ++count;
      field.setAttribute("aria-invalid", true);
      field.setAttribute("aria-describedby", `${before} ${note.id}`);
      if (!undo[0]) field.focus();
      undo.push(() => {
        field.removeAttribute("aria-invalid");
        field.setAttribute("aria-describedby", before);
        if (note !== region) note.remove();
      });
    };
    const tidy = () => {
      say("");
      for (const each of undo.splice(0)) each();
    };
    /** Our own box, unticked. */
    const draw = () => {
      const { version, label, text, links = [] } = /** @type {any} */ (languages)[language];
      box = make("input");
      box.type = "checkbox";
      box.autocomplete = "off"; // Else Firefox ticks it again after a reload.
      box.disclosure = version;
      box.dataset.leadConsent = "";
      const title = make("label");
      title.append(box, ` ${label}`);
      const body = make("div", text);
      body.id = STORE + ++count;
      box.setAttribute("aria-describedby", body.id);
      for (const [words, address] of links) {
        const link = document.createElement("a");
        link.textContent = words;
        link.href = address;
        link.target = "_blank";
        body.append(" ", link);
      }
      const whole = make("div");
      whole.lang = language;
      whole.dir = "auto";
      whole.append(title, body, region);
      return whole;
    };
    /** Makes the form ready for its visitor, again where the page has drawn it anew; the consent box. */
    const ready = (engaged = false) => {
      if (!form.contains(trap)) {
        trap.name = "website_url";
        trap.tabIndex = -1;
        trap.autocomplete = "off";
        trap.style.cssText = "position:fixed;top:-99em";
        trap.setAttribute("aria-hidden", true);
        trap.dataset.leadIgnore = "";
        form.insertBefore(trap, form.lastElementChild);
        region.setAttribute("role", "status");
      }
      const known = box;
      const [place] = all("[data-lead-consent-here]", form);
      box = controls(form).find((each) => each.closest("[data-lead-consent]"));
      if (!box && languages && (place || engaged)) {
        const button = controls(form).find((each) => /submit|image/.test(each.type));
        if (place) place.append(draw());
        else (button || trap).before(draw());
      }
      if (box !== known) consent = { default: box.checked ? "ticked" : "unticked", shown_at: now() };
      if (box && engaged && !region.isConnected) (box.labels[0] || box).after(region);
      return box;
    };
    /** What the form says now. */
    const compose = () => {
      const body = new URLSearchParams({ hp: trap.value });
      for (const { field, key } of read(form)) {
        sent.set(slug(key), field);
        const chosen = field.checked || !/checkbox|radio/.test(field.type);
        for (const { value } of field.selectedOptions || [field]) if (chosen && value) body.append(key, value);
      }
      return complete(body, consent);
    };
    /** What the visitor has agreed to, as it stands on the page. */
    const witness = () => {
      const ids = box.getAttribute("aria-describedby") || "";
      const parts = [...box.labels, ...ids.split(" ").map((/** @type {string} */ id) => document.getElementById(id))];
      const unique = [...new Set([...parts, ...all("[data-lead-consent-text]", form)])];
      const text = unique.map((part) => part && part.innerText).join(" ");
      consent.text = text.replace(/\s+/g, " ").trim().slice(0, 8000);
      consent.language = languageOf(box);
      consent.disclosure = box.disclosure;
      consent.stamp = config.stamp;
      consent.granted_at = consent.granted_at || now();
    };
    const submit = (/** @type {any} */ event) => {
      if (busy) return;
      tidy();
      if (!box.checked) {
        say("consent");
        return mark(box, region);
      }
      witness();
      let body = compose();
      // The page's own handlers run on an event of ours: its result says for sure whether the page goes on by itself.
      relay = new (page.SubmitEvent || Event)("submit", event);
      theirs = !form.dispatchEvent(relay);
      // They may have filled in more, or have emptied the form.
      const after = compose();
      if (after.has("caller_id")) body = after;
      if (content !== `${body}`) key = newKey();
      content = `${body}`;
      body.set("idempotency_key", key);
      busy = true;
      if (!theirs) say("sending");
      const free = () => (busy = false);
      deliver(free, body).then(
        safely((answer) => {
          free();
          const outcome = tell(form, answer);
          if (!theirs) settle(outcome, answer, event.submitter);
        }),
      );
    };
    /** @type {(outcome: string, answer: any, submitter: any) => void} */
    const settle = (outcome, answer, submitter) => {
      let more = "";
      for (const [param, texts] of Object.entries(answer.errors || {})) {
        const field = sent.get(slug(param));
        const text = texts.join(" ");
        if (field && field.type !== "hidden") {
          const note = make("div", text);
          field.after(note);
          mark(field, note);
        } else more += ` ${param} ${text}`;
      }
      say(outcome, more);
      if (undo[0]) return; // The visitor can mend it. Whatever else went wrong must not keep anybody here.
      const wish = form.getAttribute("data-lead-redirect");
      const fine = wish && [location.origin, ...redirects].includes(absolute(wish).origin);
      const next = answer.success && (fine ? wish : config.thankYou);
      const action = (submitter && submitter.getAttribute("formaction")) || form.getAttribute("action");
      if (next) page.location = next;
      else if (/^[^#]/.test(action || "") && !absolute(action).href.startsWith(endpoint)) {
        const { requestSubmit, submit } = HTMLFormElement.prototype;
        passing = true;
        (requestSubmit || submit).call(form, submitter);
        passing = false;
      }
    };
    return (event) => {
      const { type, target } = event;
      if (type === "submit") {
        // Where nothing is published and the page has no box, there is no consent and so no lead.
        if (!ready(true) || (busy && theirs)) return;
        submit(event);
        event.preventDefault();
        event.stopImmediatePropagation();
      } else if (type !== "change") {
        // A box that moved the button away from under the pointer would swallow the click.
        ready(type && !BUTTON.test(target.type));
      } else if (target === box) {
        tidy();
        consent.granted_at = target.checked && now();
      }
    };
  };
  /** @type {(form: any) => any} */
  const find = (form) => {
    if (!leads.has(form) && leadForms().includes(form)) leads.set(form, leadOf(form));
    return leads.get(form);
  };

  /** @type {(fields: Texts, about: { consent: any, key?: string }) => Promise<any>} For confirmation pages. */
  const send = async (fields, { consent, key = "" }) => {
    const known = key && store(STORE + key);
    if (known || !consent) return JSON.parse(known || null);
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) body.set(wire(name), value);
    complete(body, Object(consent)).set("idempotency_key", key || newKey());
    const answer = await deliver(() => {}, body);
    if (key && answer.success) store(STORE + key, JSON.stringify(answer));
    tell(document, answer);
    return answer;
  };

  on((event) => {
    const { target } = event;
    const lead = find(target.closest("form") || target.form);
    if (passing) event.stopImmediatePropagation();
    else if (lead && event !== relay) lead(event);
  }, "submit", "focusin", "pointerdown", "change");
  on(() => {
    for (const [free, body] of pending) {
      navigator.sendBeacon(endpoint, body);
      free(); // For when the visitor comes back.
    }
    pending.clear();
  }, "pagehide");
  if (`${click}` && !gpc && config.carry !== false)
    on(({ target }) => {
      const link = target.closest("a[href]") || {};
      if (link.origin !== location.origin || (link.hash && link.pathname === location.pathname)) return;
      const search = new URLSearchParams(link.search);
      for (const [name, value] of click) if (!search.has(name)) search.set(name, value);
      link.search = search;
    }, "click", "auxclick");

  const look = safely(() => {
    for (const form of leadForms()) find(form)({});
    if (leads.size) observer.disconnect();
    else observer.observe(document, { childList: true, subtree: true });
  });
  const observer = new MutationObserver(look);
  if (document.readyState === "loading") on(look, "DOMContentLoaded");
  else look();

  page.handraiser = { version: config.build, send };
  if (/#handraiser-check$/.test(location.hash)) {
    page.handraiser.check = { config, read, leadForms, gpc };
    const script = make("script");
    script.nonce = (document.currentScript || {}).nonce;
    script.src = config.check;
    document.head.append(script);
  }
})({ token: "YOUR_TOKEN", endpoint: "https://your-domain.com/api/v1/leads" });
