// Short links in Chromium: a browser remembers a permanent redirect, unless the answer forbids it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { DESK, base, creatorApi, launch, serve } from './kit.mjs';

const { api, workspace, eventually } = creatorApi('mover');
let shop, origin, browser;

before(async () => {
  const page = (path) => `<!doctype html><title>${path}</title><link rel="icon" href="data:,"><h1>${path}</h1>`;
  // Not the program's own host, to which no short link may lead.
  shop = await serve(page, '127.0.0.2');
  origin = shop.origin;
  browser = await launch(DESK);
  await api('creators', { username: 'mover', displayName: 'Mover' });
});

after(async () => {
  await browser?.close();
  shop?.close();
});

/** Opens an address twice in one browser, whose person asks not to be tracked, so that both clicks count. */
const openTwice = async (url) => {
  const context = await browser.newContext({ extraHTTPHeaders: { 'Sec-GPC': '1' } });
  const tab = await context.newPage();
  for (const from of ['/first', '/second']) {
    await tab.goto(`${origin}${from}`);
    await tab.evaluate((to) => { location.href = to; }, url);
    await tab.getByRole('heading', { name: '/shop' }).waitFor();
  }
  await context.close();
};

test('a browser asks a server once for a permanent redirect that it may keep', async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    response.writeHead(301, { location: `${origin}/shop` }).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  await openTwice(`http://127.0.0.1:${server.address().port}/kept`);
  server.close();
  assert.equal(asked, 1);
});

for (const status of [301, 308]) {
  test(`a link with status ${status} counts each time a browser opens it`, async () => {
    const body = { shortCode: `moved-${status}`, destinationUrl: `${origin}/shop`, redirectStatus: status };
    const { id } = await workspace('links', body);
    // HEAD is no click.
    const head = () => fetch(`${base}/${body.shortCode}`, { method: 'HEAD', redirect: 'manual' });
    await eventually(head, (answer) => answer.status === status);
    await openTwice(`${base}/${body.shortCode}`);
    const counted = () => workspace(`links/${id}?include=counts`);
    await eventually(counted, ({ clicks }) => clicks >= 2);
    assert.equal((await counted()).clicks, 2);
  });
}
