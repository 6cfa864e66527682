// Shared by the browser tests: the running program, its creators and reports, and browsers with human agents.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const { FOOTFALL_TEST_PROGRAM, FOOTFALL_DATA_DIR, CHROMIUM } = process.env;
const PATIENCE_MS = 20_000;

const run = JSON.parse(readFileSync(`${FOOTFALL_DATA_DIR}/run.json`, 'utf8'));

/** Where the program listens. */
export const base = `http://${run.listen}`;

// A headless browser says so in its agent and counts as a bot. These agents are human.
const agent = (system, kind) =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 ${kind}Safari/537.36`;
export const PHONE = agent('Linux; Android 10; K', 'Mobile ');
export const DESK = agent('X11; Linux x86_64', '');

/** What a command of the program prints. */
export const footfall = (...given) => execFileSync(FOOTFALL_TEST_PROGRAM, given, { encoding: 'utf8' }).trim();

/** Calls of the API as that creator. */
export const creatorApi = (sub) => {
  const token = footfall('token', '--sub', sub);
  const call = async (path, body, method = body ? 'POST' : 'GET') => {
    const response = await fetch(`${base}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    assert.equal(answer.success, true, JSON.stringify(answer));
    return answer.data;
  };
  const api = (path, ...given) => call(`v1/${path}`, ...given);
  const report = (name) => api(`creators/analytics/${name}?days=1`);
  // Repeats the request (or the report of that name) until the answer is right, because events arrive with a delay.
  const eventually = async (what, isRight) => {
    const ask = typeof what === 'string' ? () => report(what) : what;
    const begun = Date.now();
    for (;;) {
      const data = await ask();
      if (isRight(data)) return data;
      assert.ok(Date.now() - begun < PATIENCE_MS, `${what} stays ${JSON.stringify(data)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { api, workspace: call, report, eventually };
};

/** A server of pages on this address of the machine: the HTML of each path. */
export const serve = async (pages, address = '127.0.0.1') => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(pages(new URL(request.url, base).pathname));
  });
  await new Promise((resolve) => server.listen(0, address, resolve));
  return { origin: `http://${address}:${server.address().port}`, close: () => server.close() };
};

const options = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
const quiet = ['--disable-background-networking', '--disable-component-update'];

/** A browser with that agent: what it sends after its page is gone would otherwise name the real one. */
export const launch = (userAgent) =>
  chromium.launch({ executablePath: CHROMIUM, args: [...options, ...quiet, `--user-agent=${userAgent}`] });
