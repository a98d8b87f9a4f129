// The page to chat with, in a browser without a window: page.mjs ADDRESS KEY. Leaves pictures of it beside the packages.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const [address, key] = process.argv.slice(2);
const require = createRequire(process.cwd() + '/');

// A Chromium of this machine, or the one that a package carries, with its libraries, unpacked beside it.
async function executable() {
  for (const name of ['chromium', 'chromium-headless-shell', 'chromium-browser', 'google-chrome']) {
    const found = spawnSync('sh', ['-c', 'command -v ' + name], { encoding: 'utf8' }).stdout.trim();
    if (found) return found;
  }
  process.env.TMPDIR = process.cwd() + '/chromium';
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs20.x'; // which is how that package is told to bring its libraries, too
  mkdirSync(process.env.TMPDIR, { recursive: true });
  process.env.FONTCONFIG_FILE = process.env.TMPDIR + '/fonts.xml';
  writeFileSync(process.env.FONTCONFIG_FILE, `<fontconfig><dir>/usr/share/fonts</dir><dir>${process.env.TMPDIR}/fonts</dir><cachedir>${process.env.TMPDIR}/fonts-cache</cachedir></fontconfig>`);
  return (await import(require.resolve('@sparticuz/chromium'))).default.executablePath();
}

let browser;
try {
  browser = await require('playwright-core').chromium.launch({ executablePath: await executable(), args: ['--no-sandbox'] });
} catch (e) {
  console.log('skipped: the chat page: no Chromium runs here (' + e.message.split('\n')[0] + ')');
  process.exit(77);
}

async function processing() {
  const metrics = await (await fetch(address + '/metrics', { headers: { 'X-Api-Key': key } })).text();
  return Number(/^obr_requests_processing (\d+)$/m.exec(metrics)[1]);
}

const context = await browser.newContext({ viewport: { width: 900, height: 640 } });
const page = await context.newPage();
const problems = [];
page.on('pageerror', e => problems.push(e.message));
page.on('console', m => { if (m.type() === 'error' && !m.text().includes('401')) problems.push(m.text()); });
page.on('request', r => { if (new URL(r.url()).origin !== address) problems.push('asks for ' + r.url()); });
page.on('dialog', dialog => dialog.accept(key)); // which API key to send

await page.goto(address);
await page.waitForFunction(() => document.getElementById('model').textContent === 'smollm2');

// What the page asks for is drawn by chance, and may go on to the end of the context: here it is the likeliest text, and the first one short.
let drawn = { temperature: 0, max_tokens: 40 };
await page.route('**/v1/chat/completions', route =>
  route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), ...drawn }) }));

// A short answer.
const answer = page.locator('.assistant').last();
await page.fill('#text', 'What is the capital of France?');
await page.keyboard.press('Enter');
await answer.waitFor();
await page.waitForFunction(() => document.getElementById('send').textContent === 'Send', null, { timeout: 60_000 });
assert.ok(await answer.textContent());
assert.match(await page.textContent('#speed'), /^\d+\.\d tokens\/s$/);

// A long one grows while it comes; the stop button ends the text here and there.
await page.evaluate(() => {
  window.lengths = new Set();
  const turns = document.getElementById('turns');
  new MutationObserver(() => lengths.add(turns.lastChild?.textContent.length)).observe(turns, { childList: true, subtree: true });
});
drawn = { temperature: 0 };
await page.fill('#text', 'Write a long story about a lighthouse keeper, and a list of ten fruits.');
await page.keyboard.press('Enter');
await page.waitForFunction(() => [...document.querySelectorAll('.assistant')].at(-1).textContent.length > 400, null, { timeout: 60_000 });
const pieces = await page.evaluate(() => lengths.size);
assert.ok(pieces >= 5, 'the answer came in ' + pieces + ' pieces');
await page.screenshot({ path: 'page.png' });
await page.click('#send');
await page.waitForFunction(() => document.getElementById('send').textContent === 'Send');
const stopped = await answer.textContent();
for (const end = Date.now() + 5000; await processing() > 0;) assert.ok(Date.now() < end, 'the text goes on after Stop');
assert.equal(await answer.textContent(), stopped);

// An error is shown, all is cleared.
await page.emulateMedia({ colorScheme: 'dark' });
await page.setViewportSize({ width: 390, height: 700 });
await page.fill('#text', 'word '.repeat(3000));
await page.click('#send');
await page.locator('.error').waitFor();
problems.splice(0, problems.length, ...problems.filter(problem => !problem.includes('400')));
await page.screenshot({ path: 'page-narrow.png' });
await page.click('#clear');
assert.equal(await page.locator('.turn').count(), 0);

assert.deepEqual(problems, []);
console.log('the chat page in Chromium ' + browser.version() + ': streams, stops, shows model and speed');
await browser.close();
