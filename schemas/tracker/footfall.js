// Footfall: counts visits of a page. No dependencies, no cookies. See docs/TRACKER.md.

// Nothing is stored or sent before consent, or if the browser asks not to be tracked. A beacon is
// kept until it is acknowledged. A retry has the same eventId, so it counts once. The script is
// served without indentation and without lines that contain only a comment.
(() => {
  'use strict';
  // `currentScript` is null in a module.
  const script = document.currentScript ?? document.querySelector('script[data-page][src]');
  const { page, host, consent, spa } = script?.dataset ?? {};
  if (!page) return console.warn('footfall: no script has data-page and src');
  if (window.footfall) return;
  const api = `${host || new URL(script.src).origin}/api/v1/analytics/`;
  // A visit ends after half an hour without activity.
  const IDLE_MS = 18e5;
  const BEAT_MS = 3e4;
  // Routers change the title after the address, so a view waits this long for its title.
  const SETTLE_MS = 100;
  const MAX_WAITING = 50;
  const MAX_RETRIES = 8;

  let { token } = script.dataset;
  // { key, id, at }: our eventId, the server's id after its answer, the time of the last activity.
  let session;
  // { key, id, at, seen, shown, bottom }: `at` is its route, `seen` the time in view, `shown` the
  // start of the present time in view or 0 while hidden, `bottom` the lowest scroll position.
  let view;
  // The time in view until the next heartbeat, over all views of the visit.
  let rest = BEAT_MS;
  let from = document.referrer;
  let visitor;
  // Beacons without an acknowledgement.
  let waiting = [];
  let failures = 0;
  let pausedUntil = 0;
  let retrying, beating, renewed;

  // `crypto.randomUUID` exists only on https pages.
  const uuid = () =>
    crypto.randomUUID?.() ??
    '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (c) =>
      (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

  // Reads a key, writes it, or removes it when the value is ''. Forbidden storage throws; the page
  // then counts without memory.
  const store = (kind, key, value) => {
    try {
      const storage = window[`${kind}Storage`];
      key = `footfall.${key}`;
      if (value === undefined) return storage.getItem(key);
      if (value) storage.setItem(key, value);
      else storage.removeItem(key);
    } catch {}
    return value;
  };

  const choiceKey = `consent.${page}`;
  let choice =
    navigator.doNotTrack === '1' || navigator.globalPrivacyControl
      ? 'off'
      : store('local', choiceKey) || (consent === 'granted' ? consent : '');

  const cut = (text) => [...text].slice(0, 2048).join('');
  const since = (at) => Math.max(Date.now() - at, 0);
  const idle = () => since(session.at) > IDLE_MS;
  const visible = () => document.visibilityState === 'visible' && !document.prerendering;

  const touch = () => {
    session.at = Date.now();
    store('session', page, JSON.stringify(session));
  };

  // Begins a view, and a session unless the last one of this tab is still active.
  const begin = () => {
    try {
      session ||= JSON.parse(store('session', page));
    } catch {}
    if (!session || idle()) {
      session = { key: uuid() };
      rest = BEAT_MS;
    }
    touch();
    view = { key: uuid(), at: route(), seen: 0, shown: 0, bottom: 0 };
    const referrer = cut(from);
    if (!session.id) {
      visitor ||= store('local', 'visitor') || store('local', 'visitor', uuid());
      push('session', session.key, {
        visitorId: visitor,
        consentAnalytics: choice,
        trackingToken: token,
        referrer,
        landingUrl: cut(location.href),
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        language: navigator.language,
        screenWidth: screen.width,
        screenHeight: screen.height,
      });
    }
    push('pageview', view.key, { referrer, ...place() }, session.id && SETTLE_MS);
  };

  // A fragment that begins with `#/` or `#!/` is the route of a router. Others are positions on a
  // page.
  const route = () => location.pathname + (spa !== undefined && /^#!?\//.test(location.hash) ? location.hash : '');
  const place = () => ({ path: cut(route()), title: cut(document.title) });

  const push = (type, eventId, fields, settle) => {
    const item = { type, eventId, fields, session, view, settle, at: Date.now() };
    if (waiting.length < MAX_WAITING) waiting.push(item);
    if (!settle) return drain();
    setTimeout(() => {
      item.settle = 0;
      if (item.view === view) fields.title = cut(document.title);
      drain();
    }, settle);
  };

  // Sends waiting beacons. A new beacon is sent alone, as soon as it has the ids that it needs.
  // After a failure all are sent together, with our own names instead of ids and with their age.
  const drain = () => {
    if (Date.now() < pausedUntil) return;
    const free = waiting.filter((item) => !item.busy && !item.settle);
    if (free.some((item) => item.failed)) return send('events', batch(free), free);
    for (const item of free) {
      const { type, eventId, fields, session, view } = item;
      const sessionId = session.id;
      const path =
        type === 'leave'
          ? view.id && `pageview/${view.id}/leave`
          : type === 'session' || (sessionId && (type === 'pageview' || `session/${sessionId}/heartbeat`));
      if (path) send(path === true ? type : path, { ...fields, eventId, sessionId, bioPageId: page }, [item]);
    }
  };

  // An id from the server proves the page. Our own names for session and view need the token.
  const batch = (items) => ({
    events: items.map(({ type, eventId, fields, session, view, at }) => ({
      trackingToken: token,
      ...fields,
      type,
      eventId,
      ageMs: Math.min(since(at), 864e5),
      bioPageId: page,
      ...(session.id ? { sessionId: session.id } : { sessionEventId: session.key }),
      ...(view.id ? { pageviewId: view.id } : { pageviewEventId: view.key }),
    })),
  });

  // A text body needs no CORS preflight, and a `keepalive` request outlives the page.
  const send = async (path, body, items) => {
    let data;
    let after = 0;
    for (const item of items) item.busy = true;
    try {
      const response = await fetch(api + path, { method: 'POST', body: JSON.stringify(body), keepalive: true });
      after = response.headers.get('retry-after');
      if (response.ok) data = (await response.json()).data;
      else if (response.status < 500 && response.status !== 429) data = {};
    } catch {}
    items.forEach((item, index) => {
      const answer = data?.results ? data.results[index] : data;
      item.busy = false;
      item.failed = !answer || answer.status === 'retry';
      if (!item.failed && waiting.includes(item)) finish(item, answer.id);
    });
    if (items.some((item) => item.failed)) {
      const ms = Math.max(after * 1e3, 1e3 * 2 ** Math.min(++failures, 6)) * (1 + Math.random() / 4);
      pausedUntil = Date.now() + ms;
      clearTimeout(retrying);
      if (failures <= MAX_RETRIES) retrying = setTimeout(drain, ms + 1);
    } else failures = 0;
    drain();
  };

  const finish = (item, id) => {
    waiting = waiting.filter((other) => other !== item);
    if (item.type !== 'session' && item.type !== 'pageview') return;
    if (!id) return renew();
    if (item.eventId === item.view.key) item.view.id = id;
    if (item.eventId !== item.session.key) return;
    renewed = false;
    item.session.id = id;
    if (item.session === session) touch();
  };

  // The server refused the beacon. The token may be too old, because the page was open for long or
  // came from a cache. Loads the page again for a fresh token, but only once.
  const renew = async () => {
    forget();
    if (renewed) return;
    renewed = true;
    try {
      const html = await (await fetch(location.href, { cache: 'no-store' })).text();
      const [, found] = /data-token=["']?([0-9a-f]{32})/.exec(html);
      if (found !== token) {
        token = found;
        show();
      }
    } catch {}
  };

  const forget = () => {
    clearTimeout(beating);
    store('session', page, '');
    waiting = [];
    session = view = undefined;
  };

  const show = () => {
    if (choice !== 'granted' || !visible()) return;
    if (!view || idle()) begin();
    if (view.shown) return;
    view.shown = Date.now();
    beating = setTimeout(beat, rest);
  };

  // Adds up the time in view. The limit excludes time in which the machine slept: then the
  // heartbeat's timer is late.
  const look = () => {
    const ms = Math.min(since(view.shown), 2 * BEAT_MS);
    view.seen += ms;
    rest = Math.max(rest - ms, 0);
    view.shown = 0;
    clearTimeout(beating);
  };

  const beat = () => {
    look();
    rest = BEAT_MS;
    if (!idle()) {
      touch();
      push('heartbeat', uuid());
    }
    show();
  };

  const leave = () => {
    if (!view?.shown) return;
    look();
    touch();
    const depth = (100 * (Math.max(view.bottom, scrollY) + innerHeight)) / document.documentElement.scrollHeight;
    push('leave', uuid(), { duration: Math.min(view.seen / 1e3, 3600), scrollDepth: Math.min(depth, 100) });
  };

  const hide = () => {
    leave();
    flush();
  };

  // The page may be closed at any moment: hands all unacknowledged beacons to the browser, in
  // order. The script cannot read the answer, so views and clicks are sent again if the page stays
  // open. If the browser refuses (`sendBeacon` may be disabled), a `keepalive` request is used.
  const flush = () => {
    const leaving = waiting.filter((item) => item.type !== 'leave' || !item.busy);
    if (!leaving.length) return;
    const body = batch(leaving);
    if (!navigator.sendBeacon?.(`${api}events`, JSON.stringify(body))) send('events', body, leaving);
    else waiting = waiting.filter((item) => item.type !== 'leave' || item.busy);
  };

  // The address changed without a page load. Begins another view if the route changed.
  const turn = () => {
    if (!view || view.at === route()) return;
    leave();
    from = new URL(view.at, location).href;
    view = undefined;
    show();
  };

  const click = (linkClicked) => {
    if (!view) return;
    touch();
    push('pageview', uuid(), { linkClicked, ...place() });
    if (!session.id) flush();
  };

  const clicked = (event) => {
    // The composed path includes elements in open shadow roots, which the target hides.
    const link = event.composedPath().find((node) => node.dataset?.footfallLink);
    // Button 2 opens the context menu.
    if (link && event.button < 2) click(link.dataset.footfallLink);
  };

  const decide = (given) => {
    if (choice === 'off') return;
    choice = given ? 'granted' : 'denied';
    if (given) return show();
    forget();
    visitor = undefined;
    // Other pages of this origin may still have consent and need the visitor id.
    try {
      if (!/"footfall\.consent\.[^"]+":"granted"/.test(JSON.stringify(localStorage))) store('local', 'visitor', '');
    } catch {}
  };

  window.footfall = {
    click,
    choice: () => choice,
    consent(given) {
      if (choice !== 'off') store('local', choiceKey, given ? 'granted' : 'denied');
      decide(given);
    },
  };

  document.addEventListener('click', clicked, true);
  document.addEventListener('auxclick', clicked, true);
  document.addEventListener('prerenderingchange', show);
  document.addEventListener('visibilitychange', () => (visible() ? show() : hide()));
  addEventListener('pageshow', show);
  addEventListener('pagehide', () => {
    hide();
    // A return through the browser's cache is another view.
    view = undefined;
  });
  addEventListener('scroll', () => view && (view.bottom = Math.max(view.bottom, scrollY)), { passive: true });
  // A choice applies to all tabs.
  addEventListener('storage', ({ key, newValue }) => key === `footfall.${choiceKey}` && decide(newValue === 'granted'));
  if (spa !== undefined) {
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...given) {
        original.apply(this, given);
        turn();
      };
    }
    addEventListener('popstate', turn);
  }
  show();
})();
