// A creator's content must not stop a visitor from reading and answering the question for consent: style sheets that
// attack it, names that reverse sentences, and words that do not fit a small screen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PHONE, base, creatorApi, launch } from './kit.mjs';

const { SCREENSHOTS } = process.env;
const SMALL = { width: 320, height: 640 };
const NAME = '\u202eAda Lovelace';

const COVER = 'position:fixed!important;inset:0!important;z-index:2147483647!important';
/** Style sheets that would make the first click consent, or keep the question from being read. */
const ATTACKS = {
  'hides the question': '.consent,[popover],section,*{display:none!important;visibility:hidden!important;opacity:0!important}',
  'grows the button': `[data-consent=yes]{${COVER};width:100vw!important;height:100vh!important;opacity:0!important}`,
  'hides the document': 'html{display:none!important} :root{opacity:0!important;zoom:9} *{content-visibility:hidden!important}',
  'reaches by relations': 'html:has(body) .consent,body~*,:has(.consent),body + section,:scope ~ *,& ~ *,:root > section{display:none!important}',
  'leaves its block': '} .consent,html{display:none!important} [data-consent=yes]{position:fixed!important;inset:0!important} @scope (body) {',
  'leaves through brackets': 'a[ } ] ) } .consent{display:none!important} a{b:url(x y} .consent{display:none!important}',
  'opens other scopes': '@scope (html){:scope,.consent{display:none!important}} @scope (.consent){:scope{display:none!important}} @scope{:scope{display:none!important}}',
  'hides in groups': '@media all{html,.consent{display:none!important}} @layer x{.consent{display:none!important}} @supports (color:red){:root .consent{display:none!important}} @starting-style{.consent{opacity:0!important}}',
  'turns the page': 'body{opacity:0;transform:scale(0);zoom:9;filter:blur(9px);position:fixed;inset:0;z-index:2147483647;pointer-events:none;writing-mode:vertical-rl;direction:rtl;overflow:hidden;visibility:hidden;clip-path:inset(50%);font-size:0;color:transparent;cursor:none;user-select:none}',
  'lays a cover over it': `main::after,body::before{content:"Continue";${COVER};background:red}`,
  'stretches the page': 'main{width:9000px!important;max-width:none!important;height:9000px!important}',
  'declares variables': '@property --card{syntax:"<color>";inherits:false;initial-value:transparent} @property --card-text{syntax:"<color>";inherits:false;initial-value:transparent} @property --focus{syntax:"<color>";inherits:false;initial-value:transparent}',
  'swaps letters': '@font-face{font-family:system-ui;src:local("DejaVu Sans Mono");size-adjust:0%} @font-face{font-family:sans-serif;src:local("DejaVu Sans Mono");size-adjust:0%}',
  'moves it': '@keyframes away{from,to{transform:translateX(-100vw);opacity:0}} *{animation:away 1s infinite!important;transition:all 99s!important} ::backdrop{background:red}',
};

const { api } = creatorApi('lovelace');
let browser, creator;

const change = (body) => api(`creators/${creator.id}/bio`, body, 'PATCH');

before(async () => {
  creator = await api('creators', { username: 'lovelace', displayName: 'Ada Lovelace' });
  browser = await launch(PHONE);
});

after(() => browser?.close());

/** A tab on a small screen. */
const open = async (path = '/@lovelace', prepare) => {
  const context = await browser.newContext({ viewport: SMALL, isMobile: true, hasTouch: true });
  const tab = await context.newPage();
  await prepare?.(tab);
  await tab.goto(base + path);
  return { context, tab };
};

/** Where the question and its buttons are, what is hit in the middle of them, and how they look. */
const question = (tab) =>
  tab.evaluate(() => {
    const section = document.querySelector('.consent');
    const parts = [section, ...section.querySelectorAll('h2, button')];
    return parts.map((part) => {
      const { x, y, width, height } = part.getBoundingClientRect();
      const hit = document.elementFromPoint(x + width / 2, y + height / 2);
      const { color, backgroundColor, opacity, visibility, fontFamily, writingMode, direction } = getComputedStyle(part);
      return {
        text: part.localName === 'section' ? '' : part.textContent,
        place: [x, y, width, height].map(Math.round),
        hit: part.contains(hit),
        style: { color, backgroundColor, opacity, visibility, fontFamily, writingMode, direction },
      };
    });
  });

test('no style sheet of a creator reaches the question for consent', async () => {
  await change({ customCss: null });
  const { context, tab } = await open();
  await tab.getByRole('button', { name: 'Accept' }).waitFor();
  const untouched = await question(tab);
  assert.ok(untouched.every(({ hit }) => hit));
  const [{ place: [left, top, width, height] }] = untouched;
  assert.deepEqual([left, width], [0, SMALL.width]);
  assert.ok(top > 0 && top + height <= SMALL.height, 'the page is visible behind it');
  await context.close();
  for (const [attack, customCss] of Object.entries(ATTACKS)) {
    await change({ customCss });
    const { context, tab } = await open();
    await tab.locator('.consent').waitFor();
    assert.deepEqual(await question(tab), untouched, attack);
    if (SCREENSHOTS) await tab.screenshot({ path: `${SCREENSHOTS}/attack-${attack.replaceAll(' ', '-')}.png` });
    // A click beside the question does not answer it.
    await tab.mouse.click(SMALL.width / 2, 40);
    assert.equal(await tab.evaluate(() => globalThis.footfall.choice()), '', attack);
    await tab.getByRole('button', { name: 'Decline' }).click();
    assert.equal(await tab.evaluate(() => globalThis.footfall.choice()), 'denied', attack);
    await context.close();
  }
});

test('a style sheet of a creator styles the page', async () => {
  await change({ customCss: 'body { background: rgb(1, 2, 3) } .name { color: rgb(4, 5, 6) } @media all { :root { --accent: rgb(7, 8, 9) } }' });
  const { context, tab } = await open();
  const colours = await tab.evaluate(() => [
    getComputedStyle(document.body).backgroundColor,
    getComputedStyle(document.querySelector('.name')).color,
    getComputedStyle(document.querySelector('.initial')).backgroundColor,
  ]);
  assert.deepEqual(colours, ['rgb(1, 2, 3)', 'rgb(4, 5, 6)', 'rgb(7, 8, 9)']);
  await context.close();
  await change({ customCss: null });
});

test('each page has its own choice', async () => {
  const other = creatorApi('babbage');
  await other.api('creators', { username: 'babbage', displayName: 'Charles' });
  const { context, tab } = await open();
  await tab.getByRole('button', { name: 'Accept' }).click();
  const visitor = () => tab.evaluate(() => localStorage.getItem('footfall.visitor'));
  const first = await visitor();
  assert.ok(first);
  await tab.goto(`${base}/@babbage`);
  await tab.getByRole('button', { name: 'Decline' }).click();
  assert.equal(await tab.evaluate(() => globalThis.footfall.choice()), 'denied');
  assert.equal((await other.report('overview')).totalViews, 0);
  // A refusal here does not affect another page.
  await tab.goto(`${base}/@lovelace`);
  assert.equal(await tab.evaluate(() => globalThis.footfall.choice()), 'granted');
  assert.equal(await visitor(), first);
  await tab.getByRole('button', { name: 'Privacy choices' }).click();
  await tab.getByRole('button', { name: 'Decline' }).click();
  assert.equal(await visitor(), null, 'nothing counts any more');
  await context.close();
});

test('no name reverses a sentence, and every word fits a small screen', async () => {
  const long = `https://example.com/${'x'.repeat(79)}`;
  const named = creatorApi('turned');
  const turned = await named.api('creators', { username: 'turned', displayName: 'W'.repeat(60) });
  await named.api(`creators/${turned.id}/bio`, { bio: `See ${long}` }, 'PATCH');
  const links = [
    { title: 'm'.repeat(100), url: 'https://bücher.example/' },
    { title: 'w'.repeat(100), url: `https://${'a'.repeat(60)}.${'b'.repeat(60)}.example/`, isSocial: true, platform: 'github' },
    { title: 'A film', url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ' },
  ];
  for (const link of links) await named.api(`creators/${turned.id}/links`, link);
  for (const width of [320, 640, 1280]) {
    const { context, tab } = await open('/@turned', (tab) => tab.setViewportSize({ width, height: 900 }));
    await tab.getByRole('button', { name: 'Accept' }).waitFor();
    const wide = await tab.evaluate((width) => {
      const parts = [...document.querySelectorAll('body *, .consent, .consent *')].filter((part) => part.checkVisibility());
      const out = parts.filter((part) => {
        const { left, right } = part.getBoundingClientRect();
        return right > left && (left < -0.5 || right > width + 0.5);
      });
      return [innerWidth, document.documentElement.scrollWidth, ...out.map((part) => part.outerHTML.slice(0, 80))];
    }, width);
    assert.deepEqual(wide, [width, width], `${width} px`);
    if (SCREENSHOTS) await tab.screenshot({ path: `${SCREENSHOTS}/words-${width}.png`, fullPage: true });
    await context.close();
  }
  const { context, tab } = await open('/@turned');
  assert.equal(await tab.locator('.link .host').first().textContent(), 'bücher.example');
  await context.close();
});

test('a name with direction marks reverses only itself', async () => {
  // Names like this are refused today; pages that have one are shown.
  const { context, tab } = await open();
  const order = await tab.evaluate((name) => {
    const section = document.querySelector('.consent');
    section.querySelector('bdi').textContent = name;
    const text = section.querySelector('p').lastChild;
    const at = (start) => {
      const range = document.createRange();
      range.setStart(text, start);
      range.setEnd(text, start + 1);
      return range.getBoundingClientRect().left;
    };
    return [at(1), at(2), at(3)];
  }, NAME);
  assert.ok(order[0] < order[1] && order[1] < order[2], `"would" is read from left to right: ${order}`);
  await context.close();
});
