// The tracker on external pages in Chromium: components, single-page sites, modules, and browsers that refuse
// a beacon. Each test has its own creator and expects exact numbers in the reports.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESK, base, creatorApi, footfall, launch, serve } from './kit.mjs';

const pages = new Map();
let site, browser;

before(async () => {
  site = await serve((path) => pages.get(path) ?? '<!doctype html><title>Shop</title><link rel="icon" href="data:,"><h1>Shop</h1>');
  browser = await launch(DESK);
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** A creator, and a page of theirs at `/name` with the tracker and this body. */
const page = async (name, body, attributes = 'defer') => {
  const creator = creatorApi(name);
  const { id, bioPageId } = await creator.api('creators', { username: name, displayName: name });
  const link = await creator.api(`creators/${id}/links`, { title: 'Shop', url: 'https://shop.example/' });
  const script = `<script ${attributes} src="${base}/footfall.js" data-page="${bioPageId}"
    data-token="${footfall('tracking-token', bioPageId)}" data-consent="granted"></script>`;
  const html = `<!doctype html><html lang="en"><title>${name}</title><link rel="icon" href="data:,">
    ${script}<body>${body(link.id)}`;
  pages.set(`/${name}`, html);
  return { ...creator, link: link.id, url: `${site.origin}/${name}` };
};

const counts = (views, clicks) => (data) => data.totalViews === views && data.totalClicks === clicks;

const open = async (url, prepare) => {
  const context = await browser.newContext();
  const problems = [];
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('console', (message) => message.type() !== 'log' && problems.push(message.text()));
  await prepare?.(context);
  const tab = await context.newPage();
  await tab.goto(url);
  return { context, tab, problems };
};

test('a link in an open shadow root is one click', async () => {
  const { eventually, url, link } = await page('shadow', (id) => `
    <x-card id="open"></x-card>
    <a id="around" href="#a" data-footfall-link="${id}"><x-icon></x-icon></a>
    <x-closed data-footfall-link="${id}"></x-closed>
    <script>
      const root = document.querySelector('x-card').attachShadow({ mode: 'open' });
      root.innerHTML = '<p><a href="#b" data-footfall-link="${id}"><b>Shop</b></a> <i>no link</i></p>';
      document.querySelector('x-icon').attachShadow({ mode: 'open' }).innerHTML = '<span>icon</span>';
      document.querySelector('x-closed').attachShadow({ mode: 'closed' }).innerHTML = '<button>Buy</button>';
    </script>`);
  const { context, tab, problems } = await open(url);
  await eventually('overview', counts(1, 0));
  await tab.getByText('Shop').click();
  await eventually('overview', counts(2, 1));
  await tab.getByText('no link').click();
  await tab.getByText('icon').click();
  await eventually('overview', counts(3, 2));
  await tab.locator('x-closed').click();
  const { totalClicks } = await eventually('overview', counts(4, 3));
  assert.equal(totalClicks, 3);
  assert.ok(link);
  assert.deepEqual(problems, []);
  await context.close();
});

for (const [name, missing] of [
  ['without-beacon', () => delete Navigator.prototype.sendBeacon],
  ['refused-beacon', () => { Navigator.prototype.sendBeacon = () => false; }],
]) {
  test(`${name}: a view and a click before the session is answered are counted, on the page and behind it`, async () => {
    const { report, eventually, url } = await page(name, (id) => `
      <a id="stay" href="#a" data-footfall-link="${id}">Stay</a> <a href="/shop" data-footfall-link="${id}">Leave</a>`);
    for (const [index, link] of ['Stay', 'Leave'].entries()) {
      let release;
      const released = new Promise((resolve) => { release = resolve; });
      const { context, tab, problems } = await open(url, async (context) => {
        await context.addInitScript(missing);
        await context.route('**/api/v1/analytics/session', async (route) => {
          await released;
          await route.continue().catch(() => {});
        });
      });
      const batch = tab.waitForRequest('**/api/v1/analytics/events');
      await tab.getByText(link).click();
      const { events } = (await batch).postDataJSON();
      assert.deepEqual(events.map(({ type, linkClicked }) => [type, Boolean(linkClicked)]).slice(0, 3),
        [['session', false], ['pageview', false], ['pageview', true]]);
      assert.ok(events.every((event) => event.trackingToken), 'events with ids of our own carry the token');
      if (link === 'Leave') await tab.waitForURL(`${site.origin}/shop`);
      await eventually('overview', counts(2 * index + 2, index + 1));
      release();
      await tab.waitForLoadState('networkidle');
      assert.deepEqual(problems, []);
      await context.close();
    }
    const overview = await report('overview');
    assert.deepEqual([overview.totalViews, overview.totalClicks, overview.uniqueVisitors], [4, 2, 2]);
  });
}

test('the tracker works as a module, and reports if it cannot', async () => {
  const { eventually, url } = await page('module', () => '<h1>Module</h1>', 'type="module"');
  const { context, problems } = await open(url);
  await eventually('overview', counts(1, 0));
  assert.deepEqual(problems, []);
  await context.close();

  pages.set('/lost', `<!doctype html><title>Lost</title><link rel="icon" href="data:,"><script type="module">import '${base}/footfall.js';</script>`);
  const lost = await browser.newPage();
  const warning = lost.waitForEvent('console', (message) => message.type() === 'warning');
  await lost.goto(`${site.origin}/lost`);
  assert.match((await warning).text(), /data-page/);
  await lost.close();
});

test('with data-spa each route is a view of one visit', async () => {
  const { report, eventually, url } = await page('routes', () => '<h1>Routes</h1>', 'defer data-spa');
  const sent = [];
  const { context, tab, problems } = await open(url, (context) => {
    context.on('request', (request) => request.url().includes('/analytics/pageview') && sent.push(request.postDataJSON()));
  });
  await eventually('overview', counts(1, 0));
  await tab.evaluate(() => {
    history.pushState({}, '', '/routes/one');
    document.title = 'One';
  });
  await eventually('overview', counts(2, 0));
  await tab.evaluate(() => history.replaceState({}, '', '/routes/two'));
  await eventually('overview', counts(3, 0));
  // The same route: another query, a place on the page, the same address.
  await tab.evaluate(() => {
    history.replaceState({}, '', '/routes/two?sort=up');
    history.pushState({}, '', '/routes/two#contact');
    history.pushState({}, '', '/routes/two');
    history.pushState({}, '', '/routes/three');
    history.pushState({}, '', '/routes/three#/four');
  });
  await eventually('overview', counts(5, 0));
  await tab.goBack();
  await eventually('overview', counts(6, 0));
  const views = sent.filter((body) => body && 'path' in body);
  const paths = views.map(({ path }) => path);
  assert.deepEqual(paths, ['/routes', '/routes/one', '/routes/two', '/routes/three', '/routes/three#/four', '/routes/three']);
  assert.equal(views[1].title, 'One', 'the title that the router gave');
  assert.equal(new URL(views[1].referrer).pathname, '/routes');
  const { totalSessions, bounceRate } = await report('sessions');
  assert.deepEqual([totalSessions, bounceRate], [1, 0]);
  assert.deepEqual(problems, []);
  await context.close();
});

test('without data-spa the address may change', async () => {
  const { report, eventually, url } = await page('plain', (id) => `<a href="#a" data-footfall-link="${id}">Shop</a>`);
  const { context, tab } = await open(url);
  await eventually('overview', counts(1, 0));
  await tab.evaluate(() => history.pushState({}, '', '/plain/one'));
  await tab.getByText('Shop').click();
  // The click comes after any beacon that a change of the address would have sent.
  await eventually('overview', (data) => data.totalClicks === 1);
  assert.equal((await report('overview')).totalViews, 2);
  await context.close();
});
