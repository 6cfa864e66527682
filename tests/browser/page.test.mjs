// A visit to a bio page in Chromium, on a phone and on a desktop, from the first view to the reports.
//
// Needs a running program: FOOTFALL_TEST_PROGRAM (its binary), FOOTFALL_DATA_DIR (its data directory), CHROMIUM
// (the browser), SCREENSHOTS (optional: a folder for pictures).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { DESK, PHONE, base, creatorApi, launch, serve } from './kit.mjs';

const { SCREENSHOTS } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = [
  { name: 'narrow', device: 'mobile', viewport: { width: 390, height: 844 }, hasTouch: true, userAgent: PHONE },
  { name: 'wide', device: 'desktop', viewport: { width: 1280, height: 900 }, userAgent: DESK },
];
// Long enough to be a second in a report, with any rounding.
const READING_MS = 1600;

const { api, report, eventually } = creatorApi('demo');
let destination, elsewhere;

before(async () => {
  destination = await serve(
    () => '<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Shop</h1>');
  elsewhere = destination.origin;
  const creator = await api('creators', { username: 'demo', displayName: 'Demo' });
  await api(`creators/${creator.id}/links`, { title: 'The shop', url: `${elsewhere}/shop` });
  await api(`creators/${creator.id}/links`, { title: 'A film', url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ' });
});

after(() => destination?.close());

for (const [index, { name, device, userAgent, ...screen }] of SCREENS.entries()) {
  test(`a visit on a ${name} screen is counted after consent`, async () => {
    const browser = await launch(userAgent);
    const context = await browser.newContext(screen);
    const problems = [];
    const beacons = [];
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    context.on('weberror', (error) => problems.push(String(error.error())));
    context.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin !== base && origin !== elsewhere) problems.push(`asked ${request.url()}`);
      if (pathname.startsWith('/api/v1/analytics/')) beacons.push(pathname);
    });
    const page = await context.newPage();
    const picture = async (what) => {
      if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}-${what}.png` });
    };

    await page.goto(`${base}/@demo`);
    await page.getByRole('heading', { name: 'Demo' }).waitFor();
    await picture('asked');
    assert.deepEqual(beacons, [], 'nothing is sent before a choice');
    const stored = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    assert.deepEqual(stored, [0, 0, ''], 'nothing is stored before a choice');

    await page.getByRole('button', { name: 'Accept' }).click();
    await eventually('overview', (data) => data.totalViews === 3 * index + 1);
    await page.waitForTimeout(READING_MS);
    await picture('agreed');
    await page.getByRole('link', { name: 'The shop' }).click();
    await page.waitForURL(`${elsewhere}/shop`);
    await page.goBack();
    await page.getByRole('link', { name: 'The shop' }).waitFor();
    await eventually('overview', (data) => data.totalViews === 3 * index + 3);
    await page.waitForTimeout(READING_MS);
    await page.goto('about:blank');

    // The first view, the click, the view after the return: one visit.
    await eventually('overview', (data) => data.totalClicks === index + 1);
    const overview = await report('overview');
    assert.deepEqual(
      [overview.totalViews, overview.uniqueVisitors, overview.totalClicks],
      [3 * index + 3, index + 1, index + 1],
    );
    const sessions = await eventually('sessions', (data) => data.avgDuration >= 2);
    assert.deepEqual([sessions.totalSessions, sessions.bounceRate], [index + 1, 0]);
    const { links } = await report('links');
    assert.deepEqual([links[0].title, links[0].clicks], ['The shop', index + 1]);
    const { segments } = await report('devices');
    assert.equal(segments.find((segment) => segment.name === device)?.count, 1);
    assert.deepEqual(problems, []);
    await browser.close();
  });

  test(`a ${name} screen has no serious accessibility problem`, async () => {
    const browser = await launch(userAgent);
    // The page's own policy forbids the checker's script.
    const context = await browser.newContext({ ...screen, bypassCSP: true });
    for (const colorScheme of ['light', 'dark']) {
      const page = await context.newPage();
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${base}/@demo`);
      await page.addScriptTag({ content: AXE });
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
      assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], colorScheme);
      await page.close();
    }
    await browser.close();
  });
}

test('a visitor who declines, or asks not to be tracked, leaves no data', async () => {
  const before = await report('overview');
  const browser = await launch(DESK);
  for (const privacy of [false, true]) {
    const context = await browser.newContext();
    if (privacy) {
      await context.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }));
    }
    const beacons = [];
    context.on('request', (request) => request.url().includes('/api/v1/analytics/') && beacons.push(request.url()));
    const page = await context.newPage();
    await page.goto(`${base}/@demo`);
    const accept = page.getByRole('button', { name: 'Accept' });
    if (privacy) assert.equal(await accept.count(), 0, 'a browser with a privacy signal shows no question');
    else await page.getByRole('button', { name: 'Decline' }).click();
    await page.getByRole('link', { name: 'The shop' }).click();
    await page.waitForURL(`${elsewhere}/shop`);
    assert.deepEqual(beacons, []);
    await context.close();
  }
  await browser.close();
  assert.deepEqual(await report('overview'), before);
});
