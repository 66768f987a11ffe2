// A real browser for tests, driven by lines of JSON: each is [step, ...values], and is answered by
// one line, {ok: …} or {fault: …}.  Elements are found as a person or a screen reader finds them:
// by role and name, by label, by text.  Whatever the page complains of is kept.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const [, , executablePath, scheme = 'light'] = process.argv
const root = process.getuid() === 0 ? ['--no-sandbox'] : []
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ['--headless=new', '--disable-dev-shm-usage', ...root],
})
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const complaints = []
const PATIENCE = 20000
let context
let page

const fresh = async () => {
  await context?.close()
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: scheme,
    acceptDownloads: true,
    timezoneId: 'UTC',
  })
  page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  page.on('console', said => said.type() === 'error' && complaints.push(said.text()))
  page.on('pageerror', error => complaints.push(String(error.stack ?? error)))
  page.on(
    'request',
    asked =>
      new URL(asked.url()).hostname === '127.0.0.1' ||
      asked.url().startsWith('blob:') ||
      asked.url().startsWith('data:') ||
      complaints.push(`asked elsewhere: ${asked.url()}`),
  )
}
await fresh()

// "It was not done." has "Done." in it, for a text that is not met exactly.
const met = text => [text, { exact: text === 'Done.' }]
const within = area => (area ? page.locator(area) : page)
const steps = {
  fresh,
  open: url => page.goto(url).then(response => response?.status()),
  click: (role, name, area) => within(area).getByRole(role, { name, exact: true }).first().click(),
  item: name =>
    page
      .getByRole('menuitem', { name, exact: true })
      .or(page.getByRole('menuitemcheckbox', { name, exact: true }))
      .first()
      .click(),
  rightclick: selector => page.locator(selector).first().click({ button: 'right' }),
  press: key => page.keyboard.press(key),
  fill: (label, text) => page.getByLabel(label, { exact: true }).fill(text),
  give: (label, ...paths) => page.getByLabel(label, { exact: true }).setInputFiles(paths),
  choose: (label, text) => page.getByLabel(label).selectOption(text),
  see: (text, area) =>
    within(area ?? 'body')
      .getByText(...met(text))
      .first()
      .waitFor(),
  gone: (text, area) =>
    within(area ?? 'body')
      .getByText(text)
      .first()
      .waitFor({ state: 'hidden' }),
  text: selector => page.locator(selector).first().innerText(),
  count: selector => page.locator(selector).count(),
  // Not waitForFunction: it evaluates in the page, which our Content-Security-Policy forbids.
  async wait(script) {
    for (
      const until = Date.now() + PATIENCE;
      Date.now() < until;
      await new Promise(done => setTimeout(done, 30))
    ) {
      if (await page.evaluate(script)) return
    }
    throw new Error('it did not become true')
  },
  run: script => page.evaluate(script),
  size: (width, height) => page.setViewportSize({ width, height }),
  scheme: colorScheme => page.emulateMedia({ colorScheme }),
  picture: path => page.screenshot({ path }).then(() => null),
  focused: () =>
    page.evaluate(
      () => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute('aria-label'),
    ),
  complaints: () => complaints.splice(0),
  async axe() {
    await page.evaluate(`if (!window.axe) { ${axe} }`)
    const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }))
    return violations.map(
      one =>
        `${one.id}: ${one.help}: ${one.nodes
          .slice(0, 3)
          .map(node => node.html.slice(0, 200) + ' ' + (node.any[0]?.message ?? ''))
          .join(' | ')}`,
    )
  },
  async saved(role, name) {
    const [download] = await Promise.all([page.waitForEvent('download'), steps.click(role, name)])
    return readFileSync(await download.path(), 'utf8')
  },
}

console.log(JSON.stringify({ ok: 'ready' }))
for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...values] = JSON.parse(line)
  try {
    console.log(JSON.stringify({ ok: (await steps[step](...values)) ?? null }))
  } catch (error) {
    console.log(
      JSON.stringify({
        fault: `${step} ${values.join(' ')}: ${String(error.message ?? error).slice(0, 1500)}`,
      }),
    )
  }
}
await browser.close()
